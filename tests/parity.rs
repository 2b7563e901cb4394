//! Against PyTorch: logits of the bases and of every φ, and φ's gradients. The fixtures are written by `tools/fixtures`.
#![cfg(not(target_arch = "wasm32"))]

mod shared;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use peft_lab::model::kernels::cross_entropy;
use peft_lab::model::{Model, ModelConfig, Tokens};
use peft_lab::peft::MethodConfig;
use peft_lab::peft::phi::Phi;
use peft_lab::train::evaluate::read;
use serde_json::Value;
use std::path::{Path, PathBuf};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn json(name: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(fixtures().join(name)).unwrap()).unwrap()
}

fn model(folder: &Path) -> Model {
    let config = ModelConfig::from_json(&std::fs::read_to_string(folder.join("config.json")).unwrap()).unwrap();
    Model::load(config, &std::fs::read(folder.join("model.safetensors")).unwrap(), &Device::flex()).unwrap()
}

/// Numbers of a nested array in order, and the lengths of its levels.
fn flat(value: &Value) -> (Vec<f32>, Vec<usize>) {
    match value {
        Value::Array(items) => {
            let mut numbers = Vec::new();
            let mut shape = vec![items.len()];
            for (i, item) in items.iter().enumerate() {
                let (inner, inner_shape) = flat(item);
                numbers.extend(inner);
                if i == 0 {
                    shape.extend(inner_shape);
                }
            }
            (numbers, shape)
        }
        number => (vec![number.as_f64().unwrap() as f32], Vec::new()),
    }
}

fn tokens(ids: &Value) -> Tokens {
    let (numbers, shape) = flat(ids);
    Tokens { ids: numbers.iter().map(|x| *x as i32).collect(), sequences: shape[0], length: shape[1] }
}

fn numbers(tensor: Tensor<2>) -> Vec<f32> {
    let n = tensor.shape().num_elements();
    pollster::block_on(read(tensor.reshape([n]))).unwrap()
}

fn largest_difference(ours: &[f32], theirs: &[f32]) -> f32 {
    assert_eq!(ours.len(), theirs.len());
    ours.iter().zip(theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn logits_of_every_base_are_transformers_to_1e_4() {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("www/models");
    for name in ["rules", "prose-nano", "prose-micro", "tiny"] {
        let folder = if name == "tiny" { fixtures().join("tiny") } else { models.join(name) };
        let theta = model(&folder);
        let fixture = json(&format!("logits-{name}.json"));
        let tokens = tokens(&fixture["ids"]);
        // Of the longer sequences the fixture keeps the last positions only.
        let first = fixture["first"].as_u64().unwrap() as usize;
        let rows: Vec<usize> = (0..tokens.sequences)
            .flat_map(|s| (first..tokens.length).map(move |i| (s, i)))
            .map(|(s, i)| s * tokens.length + i)
            .collect();
        let ours = numbers(theta.logits(&Phi::none(), &tokens, &rows));
        let difference = largest_difference(&ours, &flat(&fixture["logits"]).0);
        println!("{name}: largest difference of a logit {difference:.1e}");
        assert!(difference < 1e-4, "{name}: {difference}");
    }
}

/// The fixture's names of φ's tensors in the order in which ours are visited; `true` where PyTorch's is transposed.
fn names(method: &str, layers: usize) -> Vec<(String, bool)> {
    let mut names = Vec::new();
    match method {
        "lora" => {
            for layer in 0..layers {
                for module in ["q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2"] {
                    names.extend(["A", "B"].map(|m| (format!("layers.{layer}.{module}.{m}"), true)));
                }
            }
        }
        "adapter" => {
            for place in ["attention", "mlp"] {
                for layer in 0..layers {
                    for half in ["down", "up"] {
                        names.push((format!("layers.{layer}.{place}.{half}.weight"), true));
                        names.push((format!("layers.{layer}.{place}.{half}.bias"), false));
                    }
                }
            }
        }
        "prefix" => {
            for layer in 0..layers {
                names.extend(["key", "value"].map(|m| (format!("layers.{layer}.{m}"), false)));
            }
        }
        _ => names.push(("prompt".into(), false)),
    }
    names
}

/// A fixture's tensor in our orientation.
fn oriented(value: &Value, transposed: bool) -> Vec<f32> {
    let (numbers, shape) = flat(value);
    if !transposed {
        return numbers;
    }
    let (rows, columns) = (shape[0], shape[1]);
    (0..rows * columns).map(|i| numbers[(i % rows) * columns + i / rows]).collect()
}

/// Puts a fixture's values into φ, in order.
struct Fill(std::vec::IntoIter<Vec<f32>>);

impl ModuleMapper for Fill {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let values = self.0.next().unwrap();
        param.map(|t| Tensor::from_data(TensorData::new(values, t.shape()), &t.device()))
    }
}

struct Collect<'a>(&'a GradientsParams, Vec<Vec<f32>>);

impl ModuleVisitor for Collect<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let gradient = self.0.get::<D>(param.id).unwrap();
        self.1.push(gradient.into_data().iter::<f32>().collect());
    }
}

#[test]
fn logits_loss_and_gradients_of_phi_are_pytorch_s_to_1e_4() {
    let theta = model(&fixtures().join("tiny"));
    for name in ["lora", "adapter", "prompt", "prefix"] {
        let fixture = json(&format!("phi-{name}.json"));
        let mut method = MethodConfig::named(name).unwrap();
        for (knob, value) in fixture["knobs"].as_object().unwrap() {
            let text = match value {
                Value::Array(items) => items.iter().map(|v| v.as_str().unwrap()).collect::<Vec<_>>().join(","),
                Value::String(text) => text.clone(),
                number => number.to_string(),
            };
            method.set(knob, &text).unwrap();
        }
        let names = names(name, theta.config.num_hidden_layers);
        let values: Vec<Vec<f32>> = names.iter().map(|(n, t)| oriented(&fixture["phi"][n.as_str()], *t)).collect();
        let phi = shared::phi(&theta, &method, &Device::flex()).valid().map(&mut Fill(values.into_iter())).train();

        let tokens = tokens(&fixture["ids"]);
        let all: Vec<usize> = (0..tokens.sequences * tokens.length).collect();
        let logits = numbers(theta.logits(&phi.valid(), &tokens, &all));
        let difference = largest_difference(&logits, &flat(&fixture["logits"]).0);
        assert!(difference < 1e-4, "{name}: logits differ by {difference}");

        // The last `answer` tokens of each sequence are predicted from those before them.
        let answer = fixture["answer"].as_u64().unwrap() as usize;
        let (mut rows, mut targets) = (Vec::new(), Vec::new());
        for s in 0..tokens.sequences {
            for i in tokens.length - answer..tokens.length {
                rows.push(s * tokens.length + i - 1);
                targets.push(tokens.ids[s * tokens.length + i]);
            }
        }
        let loss = cross_entropy(theta.logits(&phi, &tokens, &rows), &targets).mean();
        let gradients = GradientsParams::from_grads(loss.backward(), &phi);
        let loss = pollster::block_on(read(loss.inner())).unwrap()[0];
        let expected = fixture["loss"].as_f64().unwrap() as f32;
        assert!((loss - expected).abs() < 1e-4, "{name}: loss {loss}, PyTorch {expected}");
        let mut collect = Collect(&gradients, Vec::new());
        phi.visit(&mut collect);
        for ((tensor, transposed), ours) in names.iter().zip(collect.1) {
            let theirs = oriented(&fixture["gradients"][tensor.as_str()], *transposed);
            let difference = largest_difference(&ours, &theirs);
            assert!(difference < 1e-4, "{name}: the gradient of {tensor} differs by {difference}");
        }
    }
}
