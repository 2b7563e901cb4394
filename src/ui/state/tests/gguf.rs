//! A visitor's checkpoint in one GGUF file.

use super::bring::{held_at, identified, offered};
use super::*;
use crate::model::files::gguf::Gguf;
use crate::ui::state::parts::OwnAbout;

/// A GGUF file of the fixtures, of which only the header is here.
fn gguf(name: &str) -> File {
    let file = format!("{}/tests/fixtures/gguf/{name}.gguf", env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(file).unwrap();
    let seen = Gguf::seen(&bytes, bytes.len() as u64) as usize;
    assert!(seen < bytes.len());
    held_at(&format!("{name}.gguf"), &bytes[..seen], bytes.len())
}

#[test]
fn one_gguf_file_is_described_before_it_is_read_and_then_a_base() {
    for (name, form, title, digest) in [
        ("llama-q4_1", "GGUF: 6 kB Q4_1, 2 kB Q8_0, 384 B F32", "llama-q4_1 · 11 k", "6767756600000001"),
        ("qwen3", "GGUF: 31 kB Q4_0, 3 kB Q8_0, 3 kB F32", "qwen3 · 0.1 M", "6767756600000002"),
    ] {
        let mut state = ready("#method=lora");
        let effects = state.reduce(Action::Open(vec![gguf(name)]));
        let base = offered(&state);
        assert_eq!((base.checkpoint.form().as_str(), base.checkpoint.title().as_str()), (form, title));
        let file = format!("{name}.gguf");
        let files = vec![(file.clone(), format!("blob:{file}"))];
        let asked = Command::Identify { number: base.number, files };
        assert_eq!(effects, [Effect::Send(Trainer::Cpu, asked)]);
        identified(&mut state, digest);
        state.reduce(Action::Bring(Bringing::Use));
        let base = state.config.base;
        assert_eq!((base.one_file(), base.tokenizer()), (Some(file.as_str()), &[file.as_str()][..]));
        assert_eq!(state.manifest.files[&format!("models/{}/{file}", base.id)], format!("blob:{file}"));
        // It is kept as the one file that it is.
        let kept = OwnAbout::all_of(&state.config);
        assert_eq!(kept[0].names(), [format!("models/{}/{file}", base.id)]);
    }
}

#[test]
fn two_gguf_files_are_two_models() {
    for (one, other) in [("llama-f32", "qwen2"), ("gpt2-own", "llama-f16")] {
        let mut state = ready("");
        state.reduce(Action::Open(vec![gguf(one), gguf(other)]));
        let fault = state.bring.fault.unwrap_or_default();
        assert_eq!(
            fault,
            format!("{one}.gguf and {other}.gguf are two models, each whole: choose one of them by itself")
        );
    }
}
