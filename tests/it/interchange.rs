//! Through files and back: run files of every method, and hostile bytes in every parser.

use crate::shared;
use burn::tensor::Device;
use peft_lab::base::clock;
use peft_lab::base::read;
use peft_lab::cli::Disk;
use peft_lab::config::RunConfig;
use peft_lab::interchange::hf_adapter::{AdapterFiles, read_adapter};
use peft_lab::interchange::{Made, RunFile, phi_file};
use peft_lab::model::{Activation, Model};
use peft_lab::peft::Shape;
use peft_lab::protocol::Event;
use peft_lab::train::Session;
use peft_lab::train::library::{LoadedBase, Materials};
use proptest::prelude::*;
use std::rc::Rc;

fn base() -> Rc<LoadedBase> {
    let config = RunConfig::default();
    Rc::new(pollster::block_on(LoadedBase::load(config.base, &Disk::default(), &Device::flex())).unwrap())
}

fn session(config: RunConfig, base: &Rc<LoadedBase>) -> Session {
    Session::new(1, config, base.clone(), &Materials::NONE, &Device::flex(), "cpu", clock).unwrap()
}

fn logits(session: &Session) -> Vec<f32> {
    let tokens = peft_lab::model::Tokens { ids: vec![18, 3, 7, 1, 12, 16], sequences: 1, length: 6 };
    let logits = session.theta().logits(&session.phi().frozen(), &tokens, &[2, 5]);
    pollster::block_on(read(logits.reshape([40]))).unwrap()
}

#[test]
fn a_run_file_gives_every_method_s_run_and_phi_back() {
    let base = base();
    for method in shared::methods() {
        // Its knobs are meant for a network of two blocks.
        let config = RunConfig { method, steps: 3, batch_size: Some(4), ..RunConfig::default() };
        let mut trained = session(config.clone(), &base);
        let mut events = vec![Made::here("a test".into()).event()];
        events.extend(pollster::block_on(trained.begin()).unwrap());
        while !trained.done() {
            events.extend(pollster::block_on(trained.advance(false)).unwrap());
        }
        events.push(RunFile::phi_event(1, &pollster::block_on(trained.save()).unwrap()));
        let text: String = events.iter().map(|e| serde_json::to_string(e).unwrap() + "\n").collect();

        let run = RunFile::read_all(&text).unwrap().remove(0);
        assert_eq!(run.config, config);
        assert_eq!((run.losses.len(), run.made.as_ref().unwrap().hardware.as_str()), (3, "a test"));
        let phi = run.phi_bytes().unwrap().unwrap();
        let mut again = session(run.config, &base);
        again.restore_saved(&phi).unwrap_or_else(|e| panic!("{config:?}: {e}"));
        assert!(again.done());
        assert_eq!(logits(&again), logits(&trained), "{:?}", config.method);
    }
}

#[test]
fn a_mask_that_was_found_by_a_first_pass_comes_back_with_its_run() {
    let base = base();
    for mask in ["fisher", "change", "magnitude"] {
        let method = shared::method("sparse", &[("num_weights", "40"), ("mask", mask)]);
        let mut trained = session(RunConfig { method, steps: 4, batch_size: Some(4), ..RunConfig::default() }, &base);
        let begun = pollster::block_on(trained.begin()).unwrap();
        assert!(matches!(begun[0], Event::Loading { .. }), "{mask} prepares first: {:?}", begun[0]);
        while !trained.done() {
            pollster::block_on(trained.advance(true)).unwrap();
        }
        let tensors = pollster::block_on(trained.save()).unwrap();
        let mut again = session(trained.config().clone(), &base);
        again.restore_saved(&tensors).unwrap();
        assert_eq!(logits(&again), logits(&trained), "{mask}");
    }
}

#[test]
fn a_run_that_was_stopped_while_pruning_comes_back_pruned() {
    let base = base();
    let method = shared::method("pruning", &[("sparsity", "90"), ("rounds", "1")]);
    let mut stopped = session(RunConfig { method, steps: 50, batch_size: Some(4), ..RunConfig::default() }, &base);
    pollster::block_on(stopped.begin()).unwrap();
    pollster::block_on(stopped.advance(true)).unwrap();
    let tensors = pollster::block_on(stopped.save()).unwrap();
    let mut again = session(stopped.config().clone(), &base);
    again.restore_saved(&tensors).unwrap();
    assert_eq!(logits(&again), logits(&stopped));
}

/// Bytes of a file with some of them changed, or cut.
pub fn damaged(bytes: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let n = bytes.len();
    let changes = prop::collection::vec((0..n, any::<u8>()), 0..6);
    // Most of the interesting bytes are in the header.
    let header = prop::collection::vec((0..n.min(600), any::<u8>()), 0..4);
    (changes, header, 0..=n, any::<bool>()).prop_map(move |(changes, header, cut, cuts)| {
        let mut bytes = bytes.clone();
        changes.into_iter().chain(header).for_each(|(i, b)| bytes[i] = b);
        bytes.truncate(if cuts { cut } else { bytes.len() });
        bytes
    })
}

pub fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// Both files of an adapter, damaged.
fn adapters() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let file = |case: &str, name: &str| damaged(fixture(&format!("peft/{case}/{name}")));
    prop::sample::select(vec!["lora", "vera", "ia3", "prefix", "ln-tuning"])
        .prop_flat_map(move |case| (file(case, "adapter_config.json"), file(case, "adapter_model.safetensors")))
}

/// `PROPTEST_CASES` sets how many; 10⁶ were run once.
pub fn cases() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(2000);
    ProptestConfig { cases, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn no_adapter_panics((config, weights) in adapters()) {
        let shape = Shape { model: shared::tiny_config(Activation::Relu), labels: 3 };
        let config = String::from_utf8_lossy(&config).into_owned();
        // A damaged file may still be a good one; it must never be half-loaded or end the program.
        if let Ok((method, _)) = read_adapter(&AdapterFiles { config, weights }, &shape) {
            prop_assert!(method.method().check(&shape, 0).is_ok());
        }
    }

    #[test]
    fn no_checkpoint_panics(bytes in damaged(fixture("tiny/model.safetensors"))) {
        let config = shared::tiny_config(Activation::Relu);
        if let Err(e) = Model::load(config, &bytes, &Device::flex()) {
            prop_assert!(!e.to_string().is_empty());
        }
    }

    #[test]
    fn no_file_of_phi_panics(bytes in damaged(fixture("peft/lora/adapter_model.safetensors"))) {
        let config = RunConfig::default();
        prop_assert!(phi_file::parse(&config, &config.shape(), &bytes).is_err());
    }

    #[test]
    fn no_run_file_panics(text in ".{0,200}", line in "\\{\"event\":\"(started|step|phi|made|finished)\"[^\n]{0,80}") {
        let _ = RunFile::read_all(&text);
        let _ = RunFile::read_all(&line);
    }
}
