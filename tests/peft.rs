//! Against Hugging Face PEFT: logits, loss, gradients, one step of AdamW and counts of every method it has for OPT. The
//! fixtures are written by `tools/fixtures/peft_files.py`.
#![cfg(not(target_arch = "wasm32"))]

mod fixtures;
mod shared;

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use fixtures::{flat, folder, json, largest_difference, method, model, numbers, oriented, tokens};
use peft_lab::model::kernels::cross_entropy;
use peft_lab::peft::phi::Phi;
use peft_lab::peft::{Shape, TensorInfo, trainable_line};
use peft_lab::train::evaluate::read;
use peft_lab::train::optimizer::Optimizer;
use safetensors::SafeTensors;

pub const CASES: [&str; 10] = [
    "lora",
    "rslora",
    "dora",
    "vera",
    "ia3",
    "prompt",
    "p-tuning",
    "prefix",
    "prefix-projection",
    "ln-tuning",
];

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
    for case in CASES {
        let path = folder().join("peft").join(case);
        let expected = json(&format!("peft/{case}/expected.json"));
        let state = std::fs::read(path.join("state.safetensors")).unwrap();
        let state = SafeTensors::deserialize(&state).unwrap();
        let method = method(expected["method"].as_str().unwrap(), &expected["knobs"]);
        let shape = Shape { model: theta.config.clone(), labels: 3 };

        // The count, and PEFT's own line.
        let count = method.method().count(&shape).total();
        assert_eq!(count as u64, expected["trainable"].as_u64().unwrap(), "{case}");
        let name = method.info().name;
        // PEFT keeps the frozen LayerNorms beside the trained ones and counts both; ours stand in for them.
        let all = theta.config.parameters() + if name == "ln-tuning" { count } else { method.method().added(&shape) };
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

        let (rows, targets) = fixtures::answers(&tokens, expected["answer"].as_u64().unwrap() as usize);
        let loss = || cross_entropy(theta.logits(&phi, &tokens, &rows), &targets).mean();
        let (gradients, again, loss) = (loss().backward(), loss().backward(), loss());
        let value = pollster::block_on(read(loss.inner())).unwrap()[0];
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
        let (stepped, _) = Optimizer::new().step(phi, gradients, rate);
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
