//! Through files and back: run files of every method, and hostile bytes in every parser.

use crate::shared;
use burn::tensor::Device;
use peft_lab::base::clock;
use peft_lab::base::read;
use peft_lab::cli::Disk;
use peft_lab::config::RunConfig;
use peft_lab::interchange::hf_adapter::{AdapterFiles, read_adapter};
use peft_lab::interchange::{Made, RunFile, phi_file};
use peft_lab::model::{Activation, Model, ModelConfig};
use peft_lab::peft::Shape;
use peft_lab::peft::adapter_file::of_type;
use peft_lab::protocol::Event;
use peft_lab::train::Session;
use peft_lab::train::library::{LoadedBase, Materials};
use proptest::prelude::*;
use serde_json::Value;
use std::rc::Rc;

fn base() -> Rc<LoadedBase> {
    let config = RunConfig::default();
    Rc::new(pollster::block_on(LoadedBase::of(&config, &Disk::default(), &Device::flex())).unwrap())
}

fn session(config: RunConfig, base: &Rc<LoadedBase>) -> Session {
    Session::new(1, config, base.clone(), &Materials::none(), &Device::flex(), "cpu", clock).unwrap()
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

/// Adapters in all forms.
const FORMS: [&str; 20] = [
    "peft/lora",
    "peft/vera",
    "peft/ia3",
    "peft/prefix",
    "peft/ln-tuning",
    "adapters/opt/whole-names",
    "adapters/opt/regex",
    "adapters/opt/rank-pattern",
    "adapters/opt/alpha-pattern",
    "adapters/opt/excluded",
    "adapters/opt/one-layer",
    "adapters/opt/rank-above-width",
    "adapters/opt/all-biases",
    "adapters/opt/saved-embedding",
    "adapters/opt/dora",
    "adapters/opt/loha",
    "adapters/opt/ln-tuning-excluded",
    "adapters/gpt2/regex",
    "adapters/gpt2/ia3",
    "adapters/gpt2/saved-head",
];

fn base_of(form: &str) -> Shape {
    let model = match form.contains("gpt2") {
        true => ModelConfig::from_json(&String::from_utf8_lossy(&fixture("gpt2/config.json"))).unwrap(),
        false => shared::tiny_config(Activation::Relu),
    };
    Shape { model, labels: 3 }
}

/// Both files of an adapter, damaged.
fn adapters() -> impl Strategy<Value = (&'static str, Vec<u8>, Vec<u8>)> {
    let file = |form: &str, name: &str| damaged(fixture(&format!("{form}/{name}")));
    prop::sample::select(FORMS.to_vec()).prop_flat_map(move |form| {
        (Just(form), file(form, "adapter_config.json"), file(form, "adapter_model.safetensors"))
    })
}

/// Values that a setting may be given by mistake, or on purpose.
fn values() -> impl Strategy<Value = Value> {
    let pattern = "[a-z0-9_.*+?()|^$\\\\{},]{0,24}";
    prop_oneof![
        pattern.prop_map(Value::from),
        "(model\\.decoder\\.)?layers\\.[0-2]\\.(fc1|fc2|self_attn\\.[qkv]_proj)".prop_map(Value::from),
        prop::collection::vec("(fc[12]|[qkv]_proj|c_attn|h|layers|lm_head|embed_tokens|all-linear)", 0..3)
            .prop_map(Value::from),
        prop::collection::vec((pattern, -2_i64..2000), 0..3)
            .prop_map(|entries| Value::Object(entries.into_iter().map(|(name, n)| (name, n.into())).collect())),
        prop::collection::vec(0_u64..4, 0..3).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
    ]
}

/// An adapter with some of its settings changed.
fn settings() -> impl Strategy<Value = (&'static str, Vec<u8>, Vec<u8>)> {
    let keys: Vec<&str> =
        ["LORA", "LOHA", "IA3", "PREFIX_TUNING"].into_iter().flat_map(of_type).map(|(key, _)| key).collect();
    let changes = prop::collection::vec((prop::sample::select(keys), values()), 1..4);
    (prop::sample::select(FORMS.to_vec()), changes).prop_map(|(form, changes)| {
        let mut config: Value = serde_json::from_slice(&fixture(&format!("{form}/adapter_config.json"))).unwrap();
        changes.into_iter().for_each(|(key, value)| config[key] = value);
        (form, config.to_string().into_bytes(), fixture(&format!("{form}/adapter_model.safetensors")))
    })
}

/// `PROPTEST_CASES` sets how many; 10⁶ were run once.
pub fn cases() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(2000);
    ProptestConfig { cases, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn no_adapter_panics((form, config, weights) in prop_oneof![adapters(), settings()]) {
        let shape = base_of(form);
        let config = String::from_utf8_lossy(&config).into_owned();
        // A damaged file may still be a good one; it must never be half-loaded or end the program.
        if let Ok(adapter) = read_adapter(&AdapterFiles { config, weights }, &shape) {
            prop_assert!(adapter.method.method().check(&shape, 0).is_ok());
            // The values are as long as the tensors that they go into.
            prop_assert!(adapter.phi.fits(adapter.methods(), &shape));
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
