//! A visitor's own data and checkpoints.

use super::*;
use crate::bases::Base;

fn file(name: &str, text: &str) -> File {
    File::new(name, text.as_bytes().to_vec())
}

fn reviews() -> String {
    let rows = (0..40).map(|i| format!("{i},\"What a day, number {i}\",{}\n", ["good", "bad"][i % 2]));
    format!("id,text,mood\n{}", rows.collect::<String>())
}

/// Uses what is offered, as the browser would: the text gets an address.
fn use_it(state: &mut State) -> Vec<Effect> {
    let effects = state.reduce(Action::Bring(Bringing::Use));
    let Some(Effect::Publish(name, _)) = effects.first() else { return effects };
    state.reduce(Action::Published(name.clone(), "blob:1".into()))
}

#[test]
fn a_table_is_looked_at_its_columns_chosen_and_then_it_is_a_task() {
    let mut state = ready("#method=bitfit");
    assert!(state.reduce(Action::Open(vec![file("Reviews.csv", &reviews())])).is_empty());
    let Some(Offer::Table { text, label, read: Ok(data), .. }) = &state.bring.offer else {
        panic!("{:?}", state.bring)
    };
    assert_eq!((*text, *label, data.labels.len()), (1, 2, 2));
    // A column that cannot be the label is told at once, and cannot be used.
    state.reduce(Action::Bring(Bringing::LabelColumn(1)));
    let Some(Offer::Table { read: Err(message), .. }) = &state.bring.offer else { panic!() };
    assert!(message.contains("cannot be both"), "{message}");
    assert!(use_it(&mut state).is_empty());
    state.reduce(Action::Bring(Bringing::LabelColumn(2)));

    let effects = state.reduce(Action::Bring(Bringing::Save));
    assert!(matches!(effects.as_slice(), [Effect::Download(files)] if files[0].name.starts_with("reviews-")));
    let effects = use_it(&mut state);
    assert!(effects.contains(&Effect::Readdress) && !state.bring.open);
    let TaskConfig::UserData { data, .. } = state.config.task.clone() else { panic!() };
    assert_eq!((data.title(), data.classes, state.config.base.id), ("reviews", Some(2), "prose-nano"));
    assert_eq!(state.config.method.info().name, "bitfit");
    assert!(effects.contains(&Effect::FetchData(data.file())));
    assert!(state.tasks().contains(&"own"));
    // The address tells it and reads it back on this page.
    // On another it says what is missing and waits for it.
    let hash = state.hash();
    state.reduce(Action::Hash("#task=rules".into()));
    state.reduce(Action::Hash(format!("#{hash}")));
    assert_eq!((state.hash(), state.notices.len()), (hash.clone(), 0));
    let mut other = ready(&format!("#{hash}"));
    assert!(other.notices[0].text.contains("reviews") && other.notices[0].remedy == Some(Remedy::Bring));
    assert_eq!((other.config.task.name(), other.config.method.info().name), ("rules", "bitfit"));
    other.reduce(Action::Open(vec![file("Reviews.csv", &reviews())]));
    use_it(&mut other);
    assert_eq!(other.hash(), hash);
}

#[test]
fn a_text_or_a_table_meant_as_one_is_written_like() {
    let mut state = ready("#task=style&author=twain");
    let text = "One thing, and another.\n".repeat(200);
    state.reduce(Action::Bring(Bringing::Type(text)));
    state.reduce(Action::Bring(Bringing::ReadPasted));
    // A comma in every line looks like a table.
    assert!(matches!(state.bring.offer, Some(Offer::Table { .. })));
    state.reduce(Action::Bring(Bringing::AsText));
    assert!(matches!(state.bring.offer, Some(Offer::Text { .. })), "{:?}", state.bring);
    use_it(&mut state);
    assert!(state.config.task.is_written() && state.config.task.title() == "pasted");
    assert!(state.reduce(Action::Set("task", "own".into())).is_empty());
}

#[test]
fn data_that_cannot_be_used_is_told_with_its_line() {
    let mut state = ready("");
    for (name, text, said) in [
        ("a.csv", "text,label\none,a,b\n", "a.csv: Line 2"),
        ("a.jsonl", "{\"text\": 1", "Line 1"),
        ("a.txt", "short", "2000 are needed"),
        ("a.tsv", "a\0b", "binary"),
    ] {
        state.reduce(Action::Open(vec![file(name, text)]));
        let fault = state.bring.fault.clone().unwrap_or_default();
        assert!(fault.contains(said) && state.bring.offer.is_none(), "{name}: {fault}");
    }
    assert_eq!(state.config, RunConfig::default());
}

fn held_at(name: &str, text: &str, size: usize) -> File {
    let at = At { address: format!("blob:{name}"), size, folder: "tiny".into() };
    File { at: Some(at), ..file(name, text) }
}

fn checkpoint(size: usize) -> Vec<File> {
    let config = r#"{"model_type":"gpt2","vocab_size":50257,"n_positions":1024,"n_embd":768,"n_layer":12,"n_head":12}"#;
    vec![
        held_at("config.json", config, config.len()),
        held_at("model.safetensors", "", size),
        held_at("tokenizer.json", "", 9),
    ]
}

#[test]
fn a_checkpoint_is_described_before_it_is_read_and_then_a_base() {
    let mut state = ready("#method=lora");
    state.reduce(Action::Open(checkpoint(250_000_000)));
    let Some(Offer::Base(base)) = &state.bring.offer else { panic!("{:?}", state.bring) };
    // GPT-2 small: 124,439,808 parameters.
    assert_eq!((base.model.parameters(), base.weights()), (124_439_808, 4 * 124_439_808));
    assert_eq!(base.own.title, "tiny · 124 M");
    let effects = use_it(&mut state);
    assert!(state.config.base.is_own() && state.config.task.name() == "authors");
    assert!(effects.contains(&Effect::Readdress));
    let name = format!("models/{}/model.safetensors", state.config.base.id);
    assert_eq!(state.manifest.files[&name], "blob:model.safetensors");
    // It reads prose, not strings; the address tells it as long as the page lives.
    let hash = state.hash();
    let (config, faults, _) = RunConfig::from_hash(&hash);
    assert!(faults.is_empty() && config == state.config);
    set(&mut state, "task", "rules");
    assert_eq!(state.config.base.id, "rules");
    // The manifest is read again when the WebGPU trainer is built: what was brought stays.
    state.reduce(Action::Manifest(manifest(GpuStatus::Ready)));
    assert!(state.manifest.files.contains_key(&name));
}

#[test]
fn a_checkpoint_that_cannot_be_used_is_told_by_what_is_missing() {
    let mut state = ready("");
    let config = checkpoint(0).remove(0);
    let only = |name: &str| vec![config.clone(), held_at(name, "", 1)];
    let without_tokenizer = || checkpoint(250_000_000).into_iter().take(2).collect::<Vec<_>>();
    let llama = |text: &str| {
        let mut files = checkpoint(250_000_000);
        files[0] = held_at("config.json", text, 1);
        files
    };
    let large = r#"{"model_type":"gpt2","vocab_size":50257,"n_positions":1024,"n_embd":1600,"n_layer":48,"n_head":25}"#;
    let mut xl = llama(large);
    xl[1] = held_at("model.safetensors", "", 3_200_000_000);
    for (files, said) in [
        (only("pytorch_model.bin"), "pickle"),
        (only("model.safetensors.index.json"), "several files"),
        (only("notes.md"), "model.safetensors is missing"),
        (without_tokenizer(), "tokenizer.json is missing"),
        (checkpoint(1000), "cut short"),
        (llama("{"), "not readable"),
        (llama(r#"{"model_type":"llama"}"#), "config.json"),
        (xl, "4 GB"),
    ] {
        state.reduce(Action::Open(files));
        let fault = state.bring.fault.clone().unwrap_or_default();
        assert!(fault.contains(said) && state.bring.offer.is_none(), "{said}: {fault}");
    }
    assert!(Base::own().iter().all(|b| b.id.contains("tiny")));
}
