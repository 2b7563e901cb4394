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

/// Gives the page the tokenizer of a shipped base.
fn with_tokenizer(state: &mut State) -> Vec<Effect> {
    let path = format!("{}/www/models/prose-nano/tokenizer.json", env!("CARGO_MANIFEST_DIR"));
    state.reduce(Action::Tokenizer("prose-nano".into(), std::fs::read_to_string(path).ok()))
}

#[test]
fn a_table_is_looked_at_its_columns_chosen_and_then_it_is_a_task() {
    let mut state = ready("#method=bitfit");
    let effects = state.reduce(Action::Open(vec![file("Reviews.csv", &reviews())]));
    assert_eq!(effects, [Effect::FetchTokenizer("prose-nano".into())]);
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
    with_tokenizer(&mut state);
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
        ("a.tsv", "a\0b", "binary"),
    ] {
        state.reduce(Action::Open(vec![file(name, text)]));
        let fault = state.bring.fault.clone().unwrap_or_default();
        assert!(fault.contains(said) && state.bring.offer.is_none(), "{name}: {fault}");
    }
    assert_eq!(state.config, RunConfig::default());
}

#[test]
fn a_text_is_used_only_if_it_is_long_enough_for_the_base() {
    let mut state = ready("");
    for (line, times) in [("A walk by the lake.\n", 8), ("Zwölf Boxkämpfer jagen Viktor. ", 5)] {
        for (times, fits) in [(times, false), (60 * times, true)] {
            let effects = state.reduce(Action::Open(vec![file("walk.txt", &line.repeat(times))]));
            if matches!(state.bring.offer, Some(Offer::Text { check: None, .. })) {
                assert_eq!(effects, [Effect::FetchTokenizer("prose-nano".into())]);
                assert!(use_it(&mut state).is_empty() && state.bring.open, "it is not counted yet");
                with_tokenizer(&mut state);
            }
            let Some(Offer::Text { check: Some(check), .. }) = state.bring.offer.clone() else { panic!() };
            let said = check.err().unwrap_or_default();
            assert_eq!(said.is_empty(), fits, "{said}");
            assert!(fits || said.contains(" tokens as the base reads it, and about "), "{said}");
            assert_eq!(use_it(&mut state).is_empty(), !fits);
        }
    }
}

#[test]
fn a_tokenizer_that_cannot_be_read_is_told_and_asked_for_again() {
    let mut state = ready("");
    let text = file("walk.txt", &"A walk by the lake.\n".repeat(600));
    state.reduce(Action::Open(vec![text.clone()]));
    state.reduce(Action::Tokenizer("prose-nano".into(), None));
    let Some(Offer::Text { check: Some(Err(said)), .. }) = &state.bring.offer else { panic!() };
    assert!(said.starts_with("The tokenizer of prose-nano cannot be read"), "{said}");
    assert_eq!(state.reduce(Action::Open(vec![text])), [Effect::FetchTokenizer("prose-nano".into())]);
}

#[test]
fn texts_that_are_longer_than_what_is_read_are_counted_in_dialog_and_card() {
    let mut state = ready("");
    let rows = (0..20).map(|i| {
        let words = if i < 6 { " and on".repeat(100) } else { String::new() };
        format!("the road went on {i}{words}\t{}\n", ["good", "bad"][i % 2])
    });
    state.reduce(Action::Open(vec![file("roads.tsv", &rows.collect::<String>())]));
    with_tokenizer(&mut state);
    assert!(matches!(state.bring.offer, Some(Offer::Table { longer: Some(6), .. })), "{:?}", state.bring);
    // Other columns are counted anew.
    state.reduce(Action::Bring(Bringing::TextColumn(1)));
    assert!(matches!(state.bring.offer, Some(Offer::Table { longer: None, .. })));
    state.reduce(Action::Bring(Bringing::TextColumn(0)));
    let Effect::Publish(name, json) = state.reduce(Action::Bring(Bringing::Use)).remove(0) else { panic!() };
    state.reduce(Action::Published(name.clone(), "blob:1".into()));
    state.reduce(Action::Card(true));
    assert_eq!(state.cut_of_task(), None);
    state.reduce(Action::Data(name, Some(json)));
    let said = "Of 20 texts 6 are longer than the 96 tokens that are read; their end is read.";
    assert_eq!(state.cut_of_task().as_deref(), Some(said));
}

#[test]
fn the_first_row_is_the_header_if_its_visitor_says_so() {
    let mut state = ready("");
    let rows =
        "good,1\n".to_string() + &(0..9).map(|i| format!("a day at the lake {i},{}\n", i % 2)).collect::<String>();
    state.reduce(Action::Open(vec![file("a.csv", &rows)]));
    let table = |state: &State| match &state.bring.offer {
        Some(Offer::Table { table, text, label, .. }) => (table.columns.join(" "), table.rows.len(), *text, *label),
        other => panic!("{other:?}"),
    };
    assert_eq!(table(&state), ("column 1 column 2".into(), 10, 0, 1));
    state.reduce(Action::Bring(Bringing::Header(true)));
    assert_eq!(table(&state), ("good 1".into(), 9, 0, 1));
    // What was chosen stays chosen.
    state.reduce(Action::Bring(Bringing::LabelColumn(0)));
    state.reduce(Action::Bring(Bringing::Header(false)));
    assert_eq!(table(&state), ("column 1 column 2".into(), 10, 0, 0));
}

#[test]
fn a_text_may_be_meant_as_a_table() {
    let mut state = ready("");
    let rows: String = (0..9).map(|i| format!("a day at the lake {i},{}\n", ["good", "bad"][i % 2])).collect();
    state.reduce(Action::Open(vec![file("a.txt", &rows)]));
    assert!(matches!(state.bring.offer, Some(Offer::Text { .. })));
    state.reduce(Action::Bring(Bringing::AsTable));
    assert!(matches!(state.bring.offer, Some(Offer::Table { read: Ok(_), .. })), "{:?}", state.bring);
}

#[test]
fn a_table_whose_first_key_is_event_is_no_run() {
    let mut state = ready("");
    for first in ["event\":\"a fair", "event\":\"started"] {
        let row = |i: usize| format!("{{\"{first} {i}\",\"mood\":\"{}\"}}\n", ["good", "bad"][i % 2]);
        let rows: String = (0..9).map(row).collect();
        state.reduce(Action::Open(vec![file("days.jsonl", &rows)]));
        assert!(matches!(state.bring.offer, Some(Offer::Table { read: Ok(_), .. })), "{:?}", state.notices);
    }
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
