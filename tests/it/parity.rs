//! Against PyTorch: logits of the bases and of every φ, and φ's gradients. The fixtures are written by `tools/fixtures`.

use crate::fixtures::{answers, flat, folder, json, largest_difference, method, model, numbers, oriented, tokens};
use crate::shared;
use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use peft_lab::base::read;
use peft_lab::model::{ModelConfig, ModulePath, ParamKind};
use peft_lab::peft::Phi;
use peft_lab::peft::{MethodConfig, Shape};
use peft_lab::train::data::Batch;
use peft_lab::train::step::forward;
use serde_json::Value;
use std::path::Path;

#[test]
fn logits_of_every_base_are_transformers_to_1e_4() {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("www/models");
    for name in ["rules", "prose-nano", "prose-micro", "prose-small", "tiny"] {
        let folder = if name == "tiny" { folder().join("tiny") } else { models.join(name) };
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

/// A fixture's tensors as φ holds them: names and orientation are those of files, without what only PEFT puts in front.
fn values(of: &Value, method: &MethodConfig, shape: &Shape) -> Vec<Vec<f32>> {
    let infos = method.method().tensors(shape);
    let short = |name: &str| match name.strip_prefix("model.decoder.") {
        Some(rest) => rest.replace("self_attn.", "").replace(".lora_", ".").replace(".weight", ""),
        None if name == "prompt_embeddings" => "prompt".to_string(),
        None => name.to_string(),
    };
    let read = |info: &peft_lab::model::TensorInfo| {
        let (numbers, shape) = flat(&of[short(&info.name).as_str()]);
        assert_eq!(shape, info.shape, "{}", info.name);
        if info.transposed { oriented(&numbers, shape[0], shape[1]) } else { numbers }
    };
    infos.iter().map(read).collect()
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
    let theta = model(&folder().join("tiny"));
    let shape = Shape { model: theta.config.clone(), labels: 3 };
    for name in ["phi-lora", "phi-adapter", "phi-prompt", "plain/adapter-parallel", "plain/adapter-houlsby"] {
        let fixture = json(&format!("{name}.json"));
        let method = method(fixture["method"].as_str().unwrap(), &fixture["knobs"]);
        let phi = shared::phi(&theta, &method, &Device::flex()).filled(values(&fixture["phi"], &method, &shape));

        let tokens = tokens(&fixture["ids"]);
        let all: Vec<usize> = (0..tokens.sequences * tokens.length).collect();
        let logits = numbers(theta.logits(&phi.frozen(), &tokens, &all));
        let difference = largest_difference(&logits, &flat(&fixture["logits"]).0);
        assert!(difference < 1e-4, "{name}: logits differ by {difference}");

        let (rows, targets) = answers(&tokens, fixture["answer"].as_u64().unwrap() as usize);
        let loss = forward(&theta, &phi, &Batch::of(tokens, rows, targets));
        let gradients = GradientsParams::from_grads(loss.backward(), &phi);
        let loss = pollster::block_on(read(loss.inner())).unwrap()[0];
        let expected = fixture["loss"].as_f64().unwrap() as f32;
        assert!((loss - expected).abs() < 1e-4, "{name}: loss {loss}, PyTorch {expected}");
        let mut collect = Collect(&gradients, Vec::new());
        phi.visit(&mut collect);
        for (ours, theirs) in collect.1.iter().zip(values(&fixture["gradients"], &method, &shape)) {
            let difference = largest_difference(ours, &theirs);
            assert!(difference < 1e-4, "{name}: a gradient differs by {difference}");
        }
    }
}

/// A place and a piece by the checkpoint's name of the tensor, without what all names begin with.
fn piece(name: &str, model: &ModelConfig) -> (ModulePath, ParamKind) {
    let (module, tensor) = name.rsplit_once('.').unwrap();
    let place = ModulePath::all(model).find(|p| p.key() == format!("model.decoder.{module}")).unwrap();
    let first = place.pieces(model)[0];
    (place, if tensor == "bias" { ParamKind::Bias } else { first })
}

/// Checks logits, loss and the gradient of a φ that is one tensor.
fn check_one_tensor(name: &str, phi: &Phi, fixture: &Value, theirs: &[f32]) {
    let theta = model(&folder().join("tiny"));
    let tokens = tokens(&fixture["ids"]);
    let all: Vec<usize> = (0..tokens.sequences * tokens.length).collect();
    let apart = largest_difference(&numbers(theta.logits(&phi.frozen(), &tokens, &all)), &flat(&fixture["logits"]).0);
    assert!(apart < 1e-4, "{name}: logits differ by {apart}");
    let (rows, targets) = answers(&tokens, fixture["answer"].as_u64().unwrap() as usize);
    let loss = forward(&theta, phi, &Batch::of(tokens, rows, targets));
    let gradients = GradientsParams::from_grads(loss.backward(), phi);
    let mut collect = Collect(&gradients, Vec::new());
    phi.visit(&mut collect);
    let apart = largest_difference(&collect.1[0], theirs);
    assert!(apart < 1e-4, "{name}: the gradient differs by {apart}");
}

#[test]
fn a_sparse_change_is_pytorch_s_to_1e_4() {
    let theta = model(&folder().join("tiny"));
    let fixture = json("plain/sparse.json");
    // For each matrix of ours, in order: which weights are chosen, with their change and its gradient.
    let mut chosen: Vec<(usize, f32, f32)> = Vec::new();
    let mut first = 0;
    for place in ModulePath::all(&theta.config) {
        let n = place.elements(ParamKind::Matrix, &theta.config) as usize;
        for (name, indices) in fixture["indices"].as_object().unwrap() {
            if piece(name, &theta.config).0 != place {
                continue;
            }
            let (values, gradients) = (flat(&fixture["phi"][name]).0, flat(&fixture["gradients"][name]).0);
            for ((index, value), gradient) in flat(indices).0.iter().zip(values).zip(gradients) {
                let index = *index as usize;
                let ours = match place {
                    // PyTorch counts through [outputs, inputs], we through [inputs, outputs].
                    ModulePath::Linear(_, target) => {
                        let (inputs, outputs) = target.shape(&theta.config);
                        (index % inputs) * outputs + index / inputs
                    }
                    _ => index,
                };
                chosen.push((first + ours, value, gradient));
            }
        }
        first += n;
    }
    chosen.sort_by_key(|(index, ..)| *index);
    let mut scores = vec![0.0; first];
    chosen.iter().for_each(|(index, ..)| scores[*index] = 1.0);
    let k = chosen.len().to_string();
    let method = shared::method("sparse", &[("num_weights", &k), ("mask", "magnitude")]);
    let phi = shared::phi_with(&theta, &method, &Device::flex(), Some(scores));
    let phi = phi.filled(vec![chosen.iter().map(|(_, value, _)| *value).collect()]);
    let gradients: Vec<f32> = chosen.iter().map(|(.., gradient)| *gradient).collect();
    check_one_tensor("sparse", &phi, &fixture, &gradients);
}

#[test]
fn a_subspace_is_pytorch_s_to_1e_4() {
    let theta = model(&folder().join("tiny"));
    let fixture = json("plain/subspace-dense.json");
    let values = flat(&fixture["phi"]["phi"]).0;
    let d = values.len();
    let mut rows = Vec::new();
    for (name, projection) in fixture["projection"].as_object().unwrap() {
        let (place, piece) = piece(name, &theta.config);
        let (numbers, shape) = flat(projection);
        let ours = match (place, piece) {
            // Rows of P go with the flat weights, which we hold as [inputs, outputs].
            (ModulePath::Linear(_, target), ParamKind::Matrix) => {
                let (inputs, outputs) = target.shape(&theta.config);
                let row = |i: usize| (i % outputs) * inputs + i / outputs;
                (0..inputs * outputs).flat_map(|i| numbers[row(i) * d..(row(i) + 1) * d].to_vec()).collect()
            }
            _ => numbers,
        };
        rows.push((place, piece, Tensor::<2>::from_data(TensorData::new(ours, [shape[0], d]), &Device::flex())));
    }
    let knobs = [("intrinsic_dimension", d.to_string()), ("projection", "dense".to_string())];
    let method = shared::method("subspace", &knobs.each_ref().map(|(k, v)| (*k, v.as_str())));
    let mut phi = shared::phi(&theta, &method, &Device::flex()).filled(vec![values]);
    phi.project(rows);
    check_one_tensor("subspace", &phi, &fixture, &flat(&fixture["gradients"]["phi"]).0);
}

#[test]
fn pruning_is_pytorch_s_to_1e_4() {
    let theta = model(&folder().join("tiny"));
    let fixture = json("plain/pruning.json");
    let method = method("pruning", &fixture["knobs"]);
    let mut phi = shared::phi(&theta, &method, &Device::flex());
    pollster::block_on(shared::tell(&mut phi, 0, 10));
    let tokens = tokens(&fixture["ids"]);
    let all: Vec<usize> = (0..tokens.sequences * tokens.length).collect();
    let apart = largest_difference(&numbers(theta.logits(&phi.frozen(), &tokens, &all)), &flat(&fixture["logits"]).0);
    assert!(apart < 1e-4, "logits differ by {apart}");
    let (rows, targets) = answers(&tokens, fixture["answer"].as_u64().unwrap() as usize);
    let loss = forward(&theta, &phi, &Batch::of(tokens, rows, targets));
    let gradients = GradientsParams::from_grads(loss.backward(), &phi);
    let mut collect = Collect(&gradients, Vec::new());
    phi.visit(&mut collect);
    let shape = Shape { model: theta.config.clone(), labels: 3 };
    for (info, ours) in method.method().tensors(&shape).iter().zip(collect.1) {
        let (numbers, shape) = flat(&fixture["gradients"][info.name.as_str()]);
        assert_eq!(shape, info.shape, "{}", info.name);
        let theirs = if info.transposed { oriented(&numbers, shape[0], shape[1]) } else { numbers };
        let apart = largest_difference(&ours, &theirs);
        assert!(apart < 1e-4, "the gradient of {} differs by {apart}", info.name);
    }
}
