//! A visitor's checkpoint in one GGUF file.

use super::bring::{held_at, identified, offered};
use super::*;
use crate::bases::{Base, OwnBase};
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
        ("qwen3", "GGUF: 31 kB Q4_0, 3 kB Q8_0, 3 kB F32", "Qwen3 · 0.1 M", "6767756600000002"),
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

#[test]
fn a_base_on_its_way_is_told_before_train_is_pressed_and_until_it_is_there() {
    let mut state = ready("#method=lora");
    state.reduce(Action::Open(vec![gguf("llama-q8_0")]));
    identified(&mut state, "6767756600000003");
    state.reduce(Action::Bring(Bringing::Use));
    let on_its_way =
        |what: &str, done, of| Event::Loading { run: 0, what: format!("the base llama-q8_0{what}"), done, of };
    for (what, done, of, line) in [
        ("", 0, 0, "loading the base llama-q8_0 …"),
        ("", 45_300_000, 98_000_000, "loading the base llama-q8_0: 45 of 98 MB"),
        ("", 4_000, 9_000, "loading the base llama-q8_0: 4 of 9 kB"),
        (": its tokenizer", 0, 0, "loading the base llama-q8_0: its tokenizer …"),
    ] {
        hear(&mut state, Trainer::Cpu, vec![on_its_way(what, done, of)]);
        assert_eq!(state.loading().map(Loading::line).as_deref(), Some(line));
    }
    hear(&mut state, Trainer::Cpu, vec![on_its_way("", 1, 1)]);
    assert_eq!(state.loading(), None);
    // A file that cannot be read ends it, too.
    hear(&mut state, Trainer::Cpu, vec![on_its_way("", 0, 0)]);
    let message = "The base llama-q8_0 cannot be used.".to_string();
    hear(&mut state, Trainer::Cpu, vec![Event::Failed { run: 0, reason: FailureReason::Load, message }]);
    assert_eq!(state.loading(), None);
    // A run that waits says it itself, and what follows once all is there.
    state.reduce(Action::Main);
    let run = state.latest().unwrap().id;
    let there = Event::Loading { run, what: "the base and the task".into(), done: 1, of: 1 };
    hear(&mut state, Trainer::Cpu, vec![there]);
    let Phase::Loading(loading) = &state.latest().unwrap().phase else { panic!("it has not begun") };
    assert_eq!((loading.share(), loading.line().as_str()), (1.0, "scoring the base before the first step …"));
}

#[test]
fn a_trainer_that_ends_in_a_step_too_large_for_a_tab_is_told_with_its_memory() {
    // As wide and deep as SmolLM2.
    let config = r#"{"model_type":"llama","vocab_size":49152,"max_position_embeddings":8192,"hidden_size":576,
        "intermediate_size":1536,"num_hidden_layers":30,"num_attention_heads":9,"num_key_value_heads":3}"#;
    let id = "own-large-1a49e00000000001".to_string();
    let (weights, tokenizer) = (Vec::new(), Vec::new());
    Base::register(&OwnBase {
        id,
        title: "large · 163 M".into(),
        config: config.into(),
        weights,
        tokenizer,
        matrices: 0,
    })
    .unwrap();
    for (method, told) in [("full", true), ("lora", false)] {
        let hash = format!("#base=own-large-1a49e00000000001&task=authors&batch_size=4&device=cpu&method={method}");
        let mut state = ready(&hash);
        state.reduce(Action::Main);
        state.reduce(Action::WorkerDied(Trainer::Cpu, "unreachable".into()));
        let said = &state.notices.last().unwrap().text;
        assert!(said.starts_with("The trainer ended unexpectedly (unreachable)."), "{said}");
        assert_eq!(said.contains(" of memory"), told, "{said}");
    }
}
