//! Every method on every family: it trains, its gradients are slopes, it is folded in; or `check` says why not.

use crate::families::{cases, name};
use crate::fixtures::{folder, json, largest_difference, model, numbers};
use crate::shared;
use burn::tensor::Device;
use peft_lab::ledger::{Batch, Residence, Setting};
use peft_lab::model::{Model, Tokens};
use peft_lab::peft::{MethodConfig, Phi, Shape};
use safetensors::SafeTensors;
use std::path::PathBuf;

/// The tiny models of transformers, and the two families that were there before.
pub fn models() -> Vec<(String, Model)> {
    let older = ["tiny", "gpt2"].map(|name| (name.to_string(), folder().join(name)));
    let all = older.into_iter().chain(cases().into_iter().map(|case| (name(&case), case)));
    all.map(|(name, path): (String, PathBuf)| (name, model(&path))).collect()
}

pub fn shape(theta: &Model) -> Shape {
    Shape { model: theta.config.clone(), labels: 3 }
}

/// A method away from its start, pruned where it prunes.
pub fn trained(theta: &Model, method: &MethodConfig) -> Phi {
    let mut phi = shared::stirred(&shared::phi(theta, method, &Device::flex()));
    pollster::block_on(shared::tell(&mut phi, 0, 3));
    phi.frozen()
}

pub fn answers(theta: &Model, phi: &Phi) -> Vec<f32> {
    let batch = shared::tiny_batch(0);
    numbers(theta.logits(phi, &batch.tokens, &batch.rows))
}

/// Rounding of sums, of numbers as large as these.
pub fn rounding(of: &[f32]) -> f32 {
    1e-5 * of.iter().fold(1.0, |largest, x| x.abs().max(largest))
}

fn bytes(theta: &Model) -> Vec<u8> {
    pollster::block_on(theta.to_safetensors()).unwrap()
}

/// What a method and the knobs of OPT's modules cannot be on some family.
fn refusals() -> Vec<MethodConfig> {
    vec![
        shared::method("embeddings", &[("embeddings", "positions")]),
        shared::method("lora", &[("target_modules", "q_proj,gate_proj")]),
        shared::method("ia3", &[("target_modules", "gate_proj")]),
        shared::method("bitfit", &[("biases", "norms")]),
        shared::method("bitfit", &[("biases", "out_proj")]),
    ]
}

#[test]
fn every_method_trains_on_every_family_or_says_why_not() {
    let (device, mut refused) = (Device::flex(), 0);
    for (name, theta) in models() {
        let before = bytes(&theta);
        for method in shared::methods().into_iter().chain(refusals()) {
            if let Err(fault) = method.method().check(&shape(&theta), 7) {
                println!("{name}: {}: {}", method.info().name, fault.message);
                assert!(fault.message.ends_with('.') && fault.message.contains(' '), "{fault:?}");
                assert!(method.get(&fault.key).is_some(), "{fault:?} is no knob of {method:?}");
                refused += 1;
                continue;
            }
            assert!(method.method().count(&shape(&theta)).total() > 0, "{name}: {method:?} trains nothing");
            let losses = pollster::block_on(shared::losses_on(&theta, &method, &device, 3));
            assert!(losses.len() == 3 && losses.iter().all(|loss| loss.is_finite()), "{name}: {method:?}: {losses:?}");
            assert!(losses[0] != losses[1], "{name}: {method:?}: {losses:?}");
            assert!(bytes(&theta) == before, "{name}: {method:?} wrote θ");
        }
    }
    assert!(refused > 20, "{refused}");
}

#[test]
fn gradients_of_every_method_are_slopes_on_every_family() {
    let mut apart = Vec::new();
    for (name, theta) in models() {
        for method in shared::methods() {
            if method.method().check(&shape(&theta), 7).is_ok() {
                let checked = pollster::block_on(shared::check_gradients_on(&theta, &method, &Device::flex()));
                apart.extend(checked.err().map(|apart| format!("{name}: {apart}")));
            }
        }
    }
    assert!(apart.is_empty(), "{apart:#?}");
}

#[test]
fn every_family_answers_merged_as_unmerged_and_at_lambda_0_as_theta() {
    for (name, theta) in models() {
        let alone = answers(&theta, &Phi::none());
        let mut merging = 0;
        for method in shared::methods().into_iter().chain(refusals()) {
            if method.method().check(&shape(&theta), 7).is_err() {
                continue;
            }
            let phi = trained(&theta, &method);
            let beside = answers(&theta, &phi);
            assert!(largest_difference(&beside, &alone) > 1e-3, "{name}: {method:?} changes nothing");
            if method.method().merges().is_ok() {
                let apart = largest_difference(&answers(&theta.merged(&phi), &Phi::none()), &beside);
                assert!(apart < rounding(&beside), "{name}: {method:?}: merged differs by {apart}");
                merging += 1;
            }
            if method.info().dial.is_ok() {
                let apart = largest_difference(&answers(&theta, &phi.dialled(0.0)), &alone);
                assert!(apart < rounding(&alone), "{name}: {method:?}: λ = 0 differs from θ by {apart}");
            }
        }
        assert!(merging > 10, "{name}: {merging}");
    }
}

#[test]
fn a_prefix_from_a_text_answers_as_the_text_in_front_on_every_family() {
    let tokens = shared::tiny_batch(0).tokens;
    for (name, theta) in models() {
        // The text is 1, 2, 3: repeated, whole and cut.
        for n in [5_usize, 3, 2] {
            let length = n.to_string();
            let method =
                shared::method("prefix", &[("num_virtual_tokens", &length), ("init", "text"), ("init_text", "abc")]);
            let phi = shared::phi(&theta, &method, &Device::flex()).frozen();
            let all: Vec<usize> = (0..14).collect();
            let ours = numbers(theta.logits(&phi, &tokens, &all));
            let text: Vec<i32> = [1, 2, 3].into_iter().cycle().take(n).collect();
            let ids = tokens.ids.chunks(7).flat_map(|ids| text.iter().chain(ids)).copied().collect();
            let in_front = Tokens { ids, sequences: 2, length: n + 7 };
            let rows: Vec<usize> = all.iter().map(|row| row / 7 * (n + 7) + n + row % 7).collect();
            let theirs = numbers(theta.logits(&Phi::none(), &in_front, &rows));
            let apart = largest_difference(&ours, &theirs);
            println!("{name}, {n}: {apart:.1e}");
            assert!(apart < rounding(&theirs), "{name}: a prefix of {n} tokens differs by {apart}");
        }
    }
}

#[test]
fn the_ledger_counts_theta_as_its_file_and_products_as_pytorch_on_every_family() {
    let counted = json("flops.json");
    let full = shared::method("full", &[]);
    let mut compared = 0;
    for (name, theta) in models() {
        let batch = Batch { sequences: 16, length: 7, predicted: 112, past: 0 };
        let (shape, methods) = (shape(&theta), vec![&full]);
        let setting = Setting { shape, methods, batch, parts: 1, shown: 0, residence: Residence::Beside, theta: None };
        let training = setting.ledger().training.unwrap();
        let file = bytes(&theta);
        let file = SafeTensors::deserialize(&file).unwrap();
        let numbers: usize = file.tensors().iter().map(|(_, view)| view.shape().iter().product::<usize>()).sum();
        assert_eq!(training.memory.theta, 4 * numbers as u64, "{name}");
        if let Some(theirs) = counted["families"].get(&name) {
            let theirs = ["forward", "backward"].map(|pass| theirs[pass].as_f64().unwrap());
            assert_eq!([training.forward.matrices, training.backward.matrices], theirs, "{name}");
            compared += 1;
        }
    }
    assert_eq!(compared, cases().len());
}
