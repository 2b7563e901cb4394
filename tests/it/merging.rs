//! θ ⊕ λφ: φ folded into θ answers as φ beside it, and the dial runs from θ alone to θ with φ.

use crate::shared;
use burn::tensor::Device;
use peft_lab::base::{clock, read};
use peft_lab::cli::Disk;
use peft_lab::config::RunConfig;
use peft_lab::model::Model;
use peft_lab::peft::{MethodConfig, Phi};
use peft_lab::protocol::Event;
use peft_lab::train::Session;
use peft_lab::train::library::{LoadedBase, Materials};
use std::rc::Rc;

fn logits(theta: &Model, phi: &Phi) -> Vec<f32> {
    let batch = shared::tiny_batch(0);
    let logits = theta.logits(phi, &batch.tokens, &batch.rows);
    let n = logits.shape().num_elements();
    pollster::block_on(read(logits.reshape([n]))).unwrap()
}

fn difference(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// Every method away from its start, pruned where it prunes.
fn trained(theta: &Model, method: &MethodConfig) -> Phi {
    let mut phi = shared::stirred(&shared::phi(theta, method, &Device::flex()));
    pollster::block_on(shared::tell(&mut phi, 0, 3));
    phi.frozen()
}

#[test]
fn merged_answers_as_unmerged_to_1e_5_and_unmerging_is_exact() {
    let theta = shared::tiny_model(&Device::flex());
    let before = logits(&theta, &Phi::none());
    let mut merging = 0;
    for method in shared::methods() {
        if let Err(reason) = method.method().merges() {
            assert!(reason.len() > 20, "{method:?} says why it cannot merge");
            continue;
        }
        let phi = trained(&theta, &method);
        let (beside, inside) = (logits(&theta, &phi), logits(&theta.merged(&phi), &Phi::none()));
        let apart = difference(&beside, &inside);
        assert!(apart < 1e-5, "{method:?}: merged and unmerged differ by {apart}");
        assert!(difference(&beside, &before) > 1e-3, "{method:?} changes nothing");
        // θ was not written: going back to it is exact.
        assert_eq!(logits(&theta, &Phi::none()), before, "{method:?}");
        merging += 1;
    }
    assert!(merging > 15);
}

#[test]
fn the_dial_runs_from_theta_over_phi_and_beyond() {
    let theta = shared::tiny_model(&Device::flex());
    let before = logits(&theta, &Phi::none());
    for method in shared::methods() {
        if method.info().dial.is_err() {
            continue;
        }
        let phi = trained(&theta, &method);
        let at = |lambda| logits(&theta, &phi.dialled(lambda));
        assert!(difference(&at(0.0), &before) < 1e-5, "{method:?}: λ = 0 is θ alone");
        assert!(difference(&at(1.0), &logits(&theta, &phi)) < 1e-5, "{method:?}: λ = 1 is θ with φ");
        assert!(difference(&at(0.5), &before) > 1e-4, "{method:?}: λ = 0.5 is something of φ");
        assert!(difference(&at(1.5), &at(1.0)) > 1e-4, "{method:?}: λ = 1.5 goes beyond φ");
        // Merging folds in what the dial says.
        if method.method().merges().is_ok() {
            let dialled = phi.dialled(0.5);
            let apart = difference(&logits(&theta, &dialled), &logits(&theta.merged(&dialled), &Phi::none()));
            assert!(apart < 1e-5, "{method:?}: merged at λ = 0.5 differs by {apart}");
        }
    }
}

/// A session trains on a device that tracks gradients; what it folds into θ has none.
#[test]
fn a_run_of_every_method_that_merges_is_folded_into_theta() {
    let config = RunConfig::default();
    let base = pollster::block_on(LoadedBase::of(&config, &Disk::default(), &Device::flex())).unwrap();
    let base = Rc::new(base);
    for method in shared::methods().into_iter().filter(|method| method.method().merges().is_ok()) {
        let config = RunConfig { method: method.clone(), steps: 400, batch_size: Some(4), ..RunConfig::default() };
        let device = Device::flex();
        let mut session = Session::new(1, config, base.clone(), &Materials::none(), &device, "cpu", clock).unwrap();
        pollster::block_on(session.advance(true)).unwrap();
        // One step of many: evaluations score hundreds of strings.
        pollster::block_on(session.advance(true)).unwrap();
        match pollster::block_on(session.merge()).unwrap() {
            Event::Merged { difference, .. } => assert!(difference < 1e-4, "{method:?}: {difference}"),
            other => panic!("{method:?}: {other:?}"),
        }
    }
}

/// P's numbers have the variance 1/D, dense or by Fastfood: it keeps lengths, as a random projection does.
#[test]
fn a_subspace_moves_theta_as_far_as_phi_is_long() {
    let theta = shared::tiny_model(&Device::flex());
    for projection in ["dense", "fastfood"] {
        let knobs = [("intrinsic_dimension", "48"), ("projection", projection)];
        let method = shared::method("subspace", &knobs);
        let phi = trained(&theta, &method);
        let numbers_of = |model: &Model| -> Vec<f32> {
            let bytes = pollster::block_on(model.to_safetensors()).unwrap();
            let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
            let mut names = file.names();
            names.sort();
            let numbers = |name: &str| {
                let data = file.tensor(name).unwrap().data().to_vec();
                data.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect::<Vec<f32>>()
            };
            names.into_iter().flat_map(numbers).collect()
        };
        let moved: f32 = numbers_of(&theta.merged(&phi))
            .iter()
            .zip(numbers_of(&theta))
            .map(|(a, b)| (a - b) * (a - b))
            .sum::<f32>()
            .sqrt();
        let own: f32 = pollster::block_on(shared::values(&phi)).iter().map(|x| x * x).sum::<f32>().sqrt();
        let ratio = moved / own;
        assert!((0.85..1.15).contains(&ratio), "{projection}: ‖Pφ‖/‖φ‖ is {ratio}");
    }
}
