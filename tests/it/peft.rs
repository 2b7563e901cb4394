//! Against Hugging Face PEFT: logits, loss, gradients, one step of AdamW and counts of every method it has for OPT. The
//! fixtures are written by `tools/fixtures/peft_files.py`.

use crate::fixtures::{flat, folder, json, largest_difference, method, model, numbers, oriented, tokens};
use crate::shared;
use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use peft_lab::base::clock;
use peft_lab::base::grouped;
use peft_lab::base::read;
use peft_lab::cli::Disk;
use peft_lab::config::RunConfig;
use peft_lab::interchange::hf_adapter::{Adapter, AdapterFiles, CONFIG_FILE, MODEL_FILE, read_adapter, write_adapter};
use peft_lab::model::Model;
use peft_lab::model::TensorInfo;
use peft_lab::peft::{InitContext, MethodConfig, Phi};
use peft_lab::peft::{Shape, trainable_line};
use peft_lab::train::Session;
use peft_lab::train::data::Batch;
use peft_lab::train::library::{LoadedBase, Materials};
use peft_lab::train::optimizer::Optimizer;
use peft_lab::train::step::{ClipAndStep, forward};
use safetensors::SafeTensors;
use serde_json::Value;

/// The cases that `tools/fixtures/peft_files.py` has written: a folder each.
fn cases() -> Vec<String> {
    let entries = std::fs::read_dir(folder().join("peft")).unwrap();
    let mut cases: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    cases.sort();
    assert!(cases.len() >= 10, "{cases:?}");
    cases
}

/// A parameter of a PEFT model by the name that our files give it.
fn name_in_state(name: &str) -> String {
    match name {
        // Without an MLP the embedding is what a file holds.
        "prompt_embeddings" => "prompt_encoder.default.embedding.weight".into(),
        _ if name.starts_with("prompt_encoder.") => name.replacen("prompt_encoder.", "prompt_encoder.default.", 1),
        _ => {
            let (module, tensor) = name.rsplit_once('.').unwrap();
            let inside = match tensor {
                "lora_magnitude_vector" => format!("{module}.{tensor}.default.weight"),
                "weight" | "bias" => format!("{module}.default.{tensor}"),
                _ => format!("{module}.{tensor}.default"),
            };
            format!("base_model.model.{inside}")
        }
    }
}

/// A tensor of the state file, in our orientation.
fn tensor(file: &SafeTensors, what: &str, info: &TensorInfo) -> Vec<f32> {
    let view = file.tensor(&format!("{what}.{}", name_in_state(&info.name))).unwrap();
    let values: Vec<f32> = view.data().chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect();
    if info.transposed { oriented(&values, view.shape()[0], view.shape()[1]) } else { values }
}

struct Collect<'a>(&'a GradientsParams, Vec<Vec<f32>>);

impl ModuleVisitor for Collect<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let gradient = self.0.get::<D>(param.id).unwrap();
        self.1.push(gradient.into_data().iter::<f32>().collect());
    }
}

#[test]
fn every_method_of_peft_is_peft_s_to_1e_4() {
    let theta = model(&folder().join("tiny"));
    for case in cases() {
        let case = case.as_str();
        let path = folder().join("peft").join(case);
        let expected = json(&format!("peft/{case}/expected.json"));
        let state = std::fs::read(path.join("state.safetensors")).unwrap();
        let state = SafeTensors::deserialize(&state).unwrap();
        let method = method(expected["method"].as_str().unwrap(), &expected["knobs"]);
        let shape = Shape { model: theta.config.clone(), labels: 3 };

        // The count, and PEFT's own line.
        let count = method.method().count(&shape).total();
        assert_eq!(count as u64, expected["trainable"].as_u64().unwrap(), "{case}");
        let all = theta.config.parameters() + method.method().added(&shape);
        assert_eq!(trainable_line(count, all), expected["line"].as_str().unwrap(), "{case}");

        let infos = method.method().tensors(&shape);
        let values = infos.iter().map(|info| tensor(&state, "phi", info)).collect();
        let mut phi = shared::phi(&theta, &method, &Device::flex()).filled(values);
        if let Ok(a) = state.tensor("frozen.base_model.vera_A.default") {
            let b = state.tensor("frozen.base_model.vera_B.default").unwrap();
            let ours = |view: &safetensors::tensor::TensorView| {
                let (rows, columns) = (view.shape()[0], view.shape()[1]);
                let data = view.data().chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap()));
                let values = oriented(&data.collect::<Vec<f32>>(), rows, columns);
                Tensor::<2>::from_data(TensorData::new(values, [columns, rows]), &Device::flex())
            };
            phi.share([ours(&a), ours(&b)]);
        }

        let tokens = tokens(&expected["ids"]);
        let all: Vec<usize> = (0..tokens.sequences * tokens.length).collect();
        let logits = |phi: &Phi| numbers(theta.logits(&phi.frozen(), &tokens, &all));
        let apart = largest_difference(&logits(&phi), &flat(&expected["logits"]).0);
        println!("{case}: largest difference of a logit {apart:.1e}");
        assert!(apart < 1e-4, "{case}: logits differ by {apart}");

        let (rows, targets) = crate::fixtures::answers(&tokens, expected["answer"].as_u64().unwrap() as usize);
        let batch = Batch::of(tokens.clone(), rows, targets);
        let loss = || forward(&theta, &phi, &batch);
        let (gradients, again, loss) = (loss().backward(), loss().backward(), loss());
        let value = pollster::block_on(read(loss.clone().inner())).unwrap()[0];
        assert!((value - expected["loss"].as_f64().unwrap() as f32).abs() < 1e-4, "{case}: loss {value}");
        let found = GradientsParams::from_grads(again, &phi);
        let mut collect = Collect(&found, Vec::new());
        phi.visit(&mut collect);
        let theirs: Vec<Vec<f32>> = infos.iter().map(|info| tensor(&state, "gradient", info)).collect();
        for ((info, ours), theirs) in infos.iter().zip(collect.1).zip(&theirs) {
            let apart = largest_difference(&ours, theirs);
            assert!(apart < 1e-4, "{case}: the gradient of {} differs by {apart}", info.name);
        }

        let rate = expected["rate"].as_f64().unwrap();
        let stepped = Optimizer::new().clip_and_step(phi, gradients, loss, rate);
        for ((info, ours), gradient) in infos.iter().zip(stepped.frozen().flat()).zip(&theirs) {
            let ours = pollster::block_on(read(ours)).unwrap();
            let after = tensor(&state, "after", info);
            for ((ours, after), gradient) in ours.iter().zip(&after).zip(gradient) {
                // AdamW's first step has the gradient's sign: where that is rounding, so is the step.
                assert!((ours - after).abs() < 1e-4 || gradient.abs() < 1e-6, "{case}: {} {ours} {after}", info.name);
            }
        }
        let apart = largest_difference(&logits(&stepped), &flat(&expected["logits_after"]).0);
        assert!(apart < 1e-4, "{case}: logits after a step differ by {apart}");
    }
}

/// φ of an adapter, on its base.
pub fn phi_of(adapter: Adapter, theta: &Model) -> Phi {
    let methods: Vec<MethodConfig> = adapter.methods().cloned().collect();
    adapter.phi.phi(&methods, context(theta))
}

fn context(theta: &Model) -> InitContext<'_> {
    InitContext::new(theta, &Device::flex(), peft_lab::base::stream(0, "phi")).labels(&shared::LABELS).begins(1)
}

fn files(case: &str) -> AdapterFiles {
    let path = folder().join("peft").join(case);
    AdapterFiles {
        config: std::fs::read_to_string(path.join(CONFIG_FILE)).unwrap(),
        weights: std::fs::read(path.join(MODEL_FILE)).unwrap(),
    }
}

#[test]
fn an_adapter_that_peft_saved_answers_here_as_there() {
    let theta = model(&folder().join("tiny"));
    let shape = Shape { model: theta.config.clone(), labels: 3 };
    for case in cases() {
        let case = case.as_str();
        let phi = phi_of(read_adapter(&files(case), &shape).unwrap_or_else(|e| panic!("{case}: {e}")), &theta);
        let expected = json(&format!("peft/{case}/expected.json"));
        let tokens = tokens(&expected["ids"]);
        let all: Vec<usize> = (0..tokens.sequences * tokens.length).collect();
        let apart =
            largest_difference(&numbers(theta.logits(&phi.frozen(), &tokens, &all)), &flat(&expected["logits"]).0);
        assert!(apart < 1e-4, "{case}: logits differ by {apart}");
    }
}

#[test]
fn files_have_peft_s_keys() {
    let base = pollster::block_on(LoadedBase::of(&RunConfig::default(), &Disk::default(), &Device::flex())).unwrap();
    let base = std::rc::Rc::new(base);
    for case in cases() {
        let case = case.as_str();
        let expected = json(&format!("peft/{case}/expected.json"));
        let method = method(expected["method"].as_str().unwrap(), &expected["knobs"]);
        let config = RunConfig { method, ..RunConfig::default() };
        let session = Session::new(0, config, base.clone(), &Materials::none(), &Device::flex(), "cpu", clock).unwrap();
        let ours = pollster::block_on(session.export()).unwrap();
        let theirs = files(case);
        let keys = |bytes: &[u8]| -> Vec<String> {
            let file = SafeTensors::deserialize(bytes).unwrap();
            let mut names: Vec<String> = file.names().into_iter().map(String::from).collect();
            // The fixtures' base has two blocks, this one four.
            names.retain(|n| !n.contains("layers.2.") && !n.contains("layers.3."));
            names.sort();
            names
        };
        assert_eq!(keys(&ours.weights), keys(&theirs.weights), "{case}");
        // Every setting we write PEFT writes too, most of them the same.
        let [ours, theirs]: [Value; 2] = [&ours.config, &theirs.config].map(|text| serde_json::from_str(text).unwrap());
        for (key, value) in ours.as_object().unwrap() {
            let of_the_base = ["base_model_name_or_path", "token_dim", "num_layers", "num_attention_heads"];
            let folded = ["encoder_hidden_size", "prefix_projection", "num_transformer_submodules"];
            let order = ["target_modules", "feedforward_modules"];
            if of_the_base.contains(&key.as_str()) || folded.contains(&key.as_str()) || order.contains(&key.as_str()) {
                continue;
            }
            if let Some(theirs) = theirs.get(key) {
                let same = value == theirs || value.as_f64().is_some_and(|v| Some(v) == theirs.as_f64());
                assert!(same, "{case}: {key} is {value}, PEFT writes {theirs}");
            }
        }
    }
}

/// Logits of a text on a tiny GPT-2.
fn on_gpt2(phi: &Phi, ids: &Value) -> Vec<f32> {
    let theta = model(&folder().join("gpt2"));
    let tokens = tokens(ids);
    let all: Vec<usize> = (0..tokens.sequences * tokens.length).collect();
    numbers(theta.logits(&phi.frozen(), &tokens, &all))
}

#[test]
fn gpt2_answers_as_in_transformers_and_with_peft_s_adapters() {
    let theta = model(&folder().join("gpt2"));
    let expected = json("gpt2/logits.json");
    let apart = largest_difference(&on_gpt2(&Phi::none(), &expected["ids"]), &flat(&expected["logits"]).0);
    assert!(apart < 1e-4, "GPT-2's logits differ by {apart}");
    let shape = Shape { model: theta.config.clone(), labels: 3 };
    for case in ["attention", "all"] {
        let path = folder().join("gpt2").join(case);
        let files = AdapterFiles {
            config: std::fs::read_to_string(path.join(CONFIG_FILE)).unwrap(),
            weights: std::fs::read(path.join(MODEL_FILE)).unwrap(),
        };
        let phi = phi_of(read_adapter(&files, &shape).unwrap(), &theta);
        let expected = json(&format!("gpt2/{case}/expected.json"));
        let apart = largest_difference(&on_gpt2(&phi, &expected["ids"]), &flat(&expected["logits"]).0);
        assert!(apart < 1e-4, "{case}: logits differ by {apart}");
    }
}

/// LoRA on W_Q, W_K, W_V separately becomes one block-structured adapter, whose product is the same; both counts are told.
#[test]
fn separate_updates_become_one_of_summed_rank_on_gpt2() {
    let theta = model(&folder().join("gpt2"));
    let shape = Shape { model: theta.config.clone(), labels: 3 };
    let ids = json("gpt2/logits.json")["ids"].clone();
    for targets in ["q_proj,k_proj,v_proj", "q_proj,v_proj", "k_proj,out_proj,fc1,fc2"] {
        let method = shared::method("lora", &[("rank", "2"), ("target_modules", targets)]);
        let phi = shared::stirred(&shared::phi(&theta, &method, &Device::flex()));
        let files = pollster::block_on(write_adapter(&method, (&theta, &shape), "gpt2", &phi)).unwrap();
        let file = SafeTensors::deserialize(&files.weights).unwrap();
        let elements: usize = file.iter().map(|(_, view)| view.shape().iter().product::<usize>()).sum();
        let count = method.method().count(&shape).total();
        let note = method.method().note(&shape).unwrap();
        assert!(note.contains(&format!("{} numbers instead of {}", grouped(elements), grouped(count))), "{note}");
        // Read back it is another φ of the same function.
        let again = phi_of(read_adapter(&files, &shape).unwrap(), &theta);
        let apart = largest_difference(&on_gpt2(&again, &ids), &on_gpt2(&phi, &ids));
        assert!(apart < 1e-5, "{targets}: {apart}");
    }
}

/// Files with one thing wrong, and what the message must name.
#[test]
fn a_broken_adapter_is_refused_by_the_key_that_is_wrong() {
    let theta = model(&folder().join("tiny"));
    let shape = Shape { model: theta.config.clone(), labels: 3 };
    let refused = |config: &str, weights: &[u8]| {
        let files = AdapterFiles { config: config.to_string(), weights: weights.to_vec() };
        read_adapter(&files, &shape).unwrap_err().to_string()
    };
    let AdapterFiles { config, weights } = files("lora");
    for (from, to, named) in [
        ("\"LORA\"", "\"NEITHER\"", "peft_type"),
        ("\"bias\": \"none\"", "\"bias\": \"all\"", "bias"),
        ("\"r\": 3", "\"r\": -3", "r is -3"),
        ("\"r\": 3", "\"r\": 4", "lora_A"),
        ("\"r\": 3", "\"r\": 400", "[400, 16]"),
        ("\"lora_alpha\": 6", "\"lora_alpha\": \"much\"", "lora_alpha"),
        ("\"k_proj\"", "\"w_proj\"", "w_proj"),
        ("\"fc1\",", "", "fc1"),
        ("\"layers_to_transform\": null", "\"layers_to_transform\": [7]", "layers"),
        ("\"rank_pattern\": {}", "\"rank_pattern\": {\"fc1\": 1}", "fc1.lora_A"),
        ("{", "", "not readable"),
    ] {
        assert!(config.contains(from), "{from}");
        let message = refused(&config.replacen(from, to, 1), &weights);
        assert!(message.contains(named), "{from} → {to}: {message}");
    }
    for cut in [0, 4, 100, weights.len() - 1] {
        assert!(refused(&config, &weights[..cut]).contains("cut short"), "{cut}");
    }
    let mut bad = weights.clone();
    let end = bad.len();
    bad[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    assert!(refused(&config, &bad).contains("not finite"), "{}", refused(&config, &bad));
    // Another base's adapter: the shapes tell.
    let other = Shape { model: RunConfig::default().shape().model, labels: 3 };
    let message = read_adapter(&files("lora"), &other).unwrap_err().to_string();
    assert!(message.contains("[3, 16]") && message.contains("[3, 64]"), "{message}");
    let message = read_adapter(&files("prompt"), &other).unwrap_err().to_string();
    assert!(message.contains("token_dim") && message.contains("another"), "{message}");
}
