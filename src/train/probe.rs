//! How fast this machine trains a large base, before the base is there: steps of one block of its shape, with numbers
//! that are made up.

use super::data::Batch;
use super::step::forward;
use crate::base::stream;
use crate::ledger::{self, Residence, Setting};
use crate::model::{Model, ModelConfig, Storage, Tokens};
use crate::peft::{InitContext, MethodConfig, Phi, Shape};
use burn::tensor::Device;

/// Sequences and tokens of each: a part of a batch.
const SEQUENCES: usize = 2;
const TOKENS: usize = 32;
/// Tokens of the vocabulary: the head is a product like the others.
const VOCABULARY: usize = 256;
/// Milliseconds that it may take. A browser has compiled the code well before they are over.
const LIMIT: f64 = 500.0;
/// Passes at most.
const PASSES: usize = 20;

/// Operations a second of forward and backward on one worker, as [the ledger](crate::ledger) counts them: the quickest of
/// several passes. `None` where a model has no such block.
pub fn probe(model: &ModelConfig, storage: Storage, device: &Device, clock: fn() -> f64) -> Option<f64> {
    let start = clock();
    let model = ModelConfig { num_hidden_layers: 1, vocab_size: VOCABULARY, ..model.clone() };
    let method = MethodConfig::opening();
    let shape = Shape { model: model.clone(), labels: 1 };
    method.method().check(&shape, TOKENS).ok()?;
    let batch = ledger::Batch { sequences: SEQUENCES, length: TOKENS, predicted: SEQUENCES, past: 0 };
    let setting =
        Setting { shape, methods: vec![&method], batch, parts: 1, shown: 0, residence: Residence::Beside, theta: None };
    let training = setting.ledger().training?;
    let operations = training.forward.total() + training.backward.total();
    // The form that a file most often has is as quick as any other.
    let storage = if storage.refusal(&model).is_none() { storage } else { Storage::F32 };
    let theta = Model::random_held(model, storage, &mut stream(0, "probe"), device);
    let mut context = InitContext::new(&theta, device, stream(0, "probe φ")).labels(&[0]);
    let phi = Phi::init([&method], &mut context);
    let ids = (0..SEQUENCES * TOKENS).map(|i| (i % VOCABULARY) as i32).collect();
    let rows: Vec<usize> = (1..=SEQUENCES).map(|sequence| sequence * TOKENS - 1).collect();
    let tokens = Tokens { ids, sequences: SEQUENCES, length: TOKENS };
    let batch = Batch::of(tokens, rows, vec![0; SEQUENCES]);
    let mut quickest = f64::INFINITY;
    for _ in 0..PASSES {
        let begun = clock();
        drop(forward(&theta, &phi, &batch).backward());
        let now = clock();
        quickest = quickest.min(now - begun);
        if now - start > LIMIT {
            break;
        }
    }
    (quickest > 0.0).then(|| 1e3 * operations / quickest)
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;
    use std::cell::Cell;

    thread_local! {
        static NOW: Cell<f64> = const { Cell::new(0.0) };
    }

    /// Every look at it takes five milliseconds.
    fn clock() -> f64 {
        NOW.set(NOW.get() + 5.0);
        NOW.get()
    }

    #[test]
    fn a_probe_tells_the_operations_of_its_passes_by_their_time() {
        let base = crate::bases::Base::named("smollm2").unwrap();
        let model = base.config().unwrap();
        let rate = probe(&model, Storage::Q4_1, &Device::flex(), clock).unwrap();
        // A block of d 576: 64 tokens through its matrices forward, and all but the first again backward.
        let block = 2.0 * 64.0 * (2.0 * 576.0 * 576.0 + 2.0 * 192.0 * 576.0 + 3.0 * 1536.0 * 576.0);
        let operations = rate * 5e-3;
        assert!((1.2 * block..2.2 * block).contains(&operations), "{operations} of {block}");
    }
}
