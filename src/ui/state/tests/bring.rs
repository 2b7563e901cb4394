//! A visitor's own data and checkpoints.

use super::*;
use crate::model::ModelConfig;
use crate::model::files::{Header, Layout};
use crate::task::user_data::Columns;

pub(super) fn file(name: &str, text: &str) -> File {
    File::new(name, text.as_bytes().to_vec())
}

pub(super) fn reviews() -> String {
    let rows = (0..40).map(|i| format!("{i},\"What a day, number {i}\",{}\n", ["good", "bad"][i % 2]));
    format!("id,text,mood\n{}", rows.collect::<String>())
}

/// Uses what is offered, as the browser would: the text gets an address.
pub(super) fn use_it(state: &mut State) -> Vec<Effect> {
    let effects = state.reduce(Action::Bring(Bringing::Use));
    let Some(Effect::Publish(name, _)) = effects.first() else { return effects };
    state.reduce(Action::Published(name.clone(), "blob:1".into()))
}

/// Gives the page the tokenizer of a shipped base.
fn with_tokenizer(state: &mut State) -> Vec<Effect> {
    let path = format!("{}/www/models/prose-nano/tokenizer.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    state.reduce(Action::Tokenizer("prose-nano".into(), Some(vec![("tokenizer.json", text)])))
}

#[test]
fn a_table_is_looked_at_its_columns_chosen_and_then_it_is_a_task() {
    let mut state = ready("#method=bitfit");
    let effects = state.reduce(Action::Open(vec![file("Reviews.csv", &reviews())]));
    assert_eq!(effects, [Effect::FetchTokenizer("prose-nano".into())]);
    let Some(Offer::Table { text, label, read: Ok(Columns::Labelled(data)), .. }) = &state.bring.offer else {
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

pub(super) const GPT2: &str =
    r#"{"model_type":"gpt2","vocab_size":50257,"n_positions":1024,"n_embd":768,"n_layer":12,"n_head":12}"#;

/// A file that was chosen with its folder, of which the first bytes are known.
pub(super) fn held_at(name: &str, head: &[u8], size: usize) -> File {
    let head = std::rc::Rc::new(head.to_vec());
    let at = At { address: format!("blob:{name}"), size, folder: "tiny".into(), head };
    File { at: Some(at), ..File::new(name, Vec::new()) }
}

/// A checkpoint at half precision whose numbers are not there.
fn checkpoint(config: &str) -> Vec<File> {
    let model = ModelConfig::from_json(config).unwrap();
    let layout = Layout::with_head(&model);
    let tensors: Vec<_> = layout.tensors().collect();
    let head = Header::beginning(tensors.iter().map(|info| (info.name.as_str(), "F16", info.shape.as_slice())));
    let size = head.len() + 2 * model.parameters() as usize;
    vec![
        held_at("config.json", config.as_bytes(), config.len()),
        held_at("model.safetensors", &head, size),
        held_at("tokenizer.json", b"{}", 9),
    ]
}

pub(super) fn offered(state: &State) -> &OfferedBase {
    let Some(Offer::Base(base)) = &state.bring.offer else { panic!("{:?}", state.bring) };
    base
}

/// The trainer tells the digest of the checkpoint that is looked at.
pub(super) fn identified(state: &mut State, digest: &str) -> Vec<Effect> {
    let number = offered(state).number;
    hear(state, Trainer::Cpu, vec![Event::Identified { number, digest: digest.into() }])
}

/// Brings a checkpoint and uses it.
pub(super) fn bring(state: &mut State, config: &str, digest: &str) -> Vec<Effect> {
    state.reduce(Action::Open(checkpoint(config)));
    identified(state, digest);
    state.reduce(Action::Bring(Bringing::Use))
}

#[test]
fn a_checkpoint_is_described_before_it_is_read_and_then_a_base() {
    let mut state = ready("#method=lora");
    let effects = state.reduce(Action::Open(checkpoint(GPT2)));
    let base = offered(&state);
    // GPT-2 small: 124,439,808 parameters.
    let size = base.checkpoint.model.parameters();
    // Its file is in half precision, and so are its matrices in memory; vectors and positions are in single precision.
    let others = (1024 + 25 * 2) * 768 + 12 * (3 + 1 + 4 + 1) * 768;
    assert_eq!((size, base.weights()), (124_439_808, 2 * (124_439_808 + others)));
    assert_eq!(base.checkpoint.title(), "tiny · 124 M");
    // Strings are nothing that it reads, which is told before it is used.
    assert!(base.settled.as_ref().unwrap().changes[0].ends_with("The task is now authors."), "{:?}", base.settled);
    let files = ["config.json", "model.safetensors", "tokenizer.json"].map(|n| (n.to_string(), format!("blob:{n}")));
    let asked = Command::Identify { number: base.number, files: files.to_vec() };
    assert_eq!(effects, [Effect::Send(Trainer::Cpu, asked)]);

    // It may be used before all of its bytes are read: then the page waits, and tells how far it is.
    assert!(state.reduce(Action::Bring(Bringing::Use)).is_empty());
    let number = offered(&state).number;
    hear(&mut state, Trainer::Cpu, vec![Event::Identifying { number, done: 50, of: 200 }]);
    assert_eq!((offered(&state).percent(), state.config.base.id), (Some(25), "rules"));
    let effects = identified(&mut state, "00000000000000aa");
    assert_eq!((state.config.base.id, state.config.task.name()), ("own-tiny-00000000000000aa", "authors"));
    assert!(effects.contains(&Effect::Readdress) && !state.bring.open);
    let name = "models/own-tiny-00000000000000aa/model.safetensors";
    assert_eq!(state.manifest.files[name], "blob:model.safetensors");
    // It reads prose, not strings; the address tells it as long as the page lives.
    let hash = state.hash();
    let (config, faults, _) = RunConfig::from_hash(&hash);
    assert!(faults.is_empty() && config == state.config);
    set(&mut state, "task", "rules");
    assert_eq!(state.config.base.id, "rules");
    // The manifest is read again when the WebGPU trainer is built: what was brought stays.
    state.reduce(Action::Manifest(manifest(BuildStatus::Ready)));
    assert!(state.manifest.files.contains_key(name));
}

#[test]
fn two_checkpoints_of_one_shape_are_two_bases_and_one_brought_twice_is_one() {
    let mut state = ready("#task=authors");
    for (config, one, two) in
        [(GPT2, "00000000000000b1", "00000000000000b2"), (SHORT, "00000000000000c1", "c2c2c2c2c2c2c2c2")]
    {
        let ids = [one, two, one].map(|digest| {
            bring(&mut state, config, digest);
            assert!(state.config.base.id.ends_with(digest));
            state.config.base.id
        });
        assert_eq!(ids[0], ids[2]);
        for id in ids {
            let folder = format!("models/{id}/");
            assert_eq!(state.manifest.files.keys().filter(|name| name.starts_with(&folder)).count(), 3);
        }
    }
    // An answer to an earlier question is none to this one.
    state.reduce(Action::Open(checkpoint(GPT2)));
    let number = offered(&state).number - 1;
    hear(&mut state, Trainer::Cpu, vec![Event::Identified { number, digest: "00000000000000b9".into() }]);
    assert_eq!(offered(&state).own, None);
    // A trainer that came up only now is asked then; files that cannot be read end it.
    let effects = hear(&mut state, Trainer::Cpu, vec![Event::Ready { device: "cpu".into() }]);
    assert!(effects.iter().any(|e| matches!(e, Effect::Send(_, Command::Identify { .. }))), "{effects:?}");
    let number = offered(&state).number;
    hear(&mut state, Trainer::Cpu, vec![Event::Unidentified { number, message: "It has changed.".into() }]);
    assert_eq!((state.bring.offer.clone(), state.bring.fault.as_deref()), (None, Some("It has changed.")));
}

/// 64 positions: too short for most tasks.
const SHORT: &str = r#"{"model_type":"opt","vocab_size":300,"max_position_embeddings":64,"hidden_size":16,"ffn_dim":32,"num_hidden_layers":2,"num_attention_heads":2}"#;

#[test]
fn a_base_too_short_for_the_task_is_told_before_it_is_used() {
    let mut state = ready("#task=dialogue&method=lora&rank=64");
    state.reduce(Action::Open(checkpoint(SHORT)));
    let changes = offered(&state).settled.clone().unwrap().changes.join(" ");
    assert!(changes.contains("reads 64 positions, the task dialogue needs 98. The task is now "), "{changes}");
    assert!(changes.contains("LoRA: Rank is 4 in place of 64"), "{changes}");
    identified(&mut state, "00000000000000d1");
    state.reduce(Action::Bring(Bringing::Use));
    assert!(state.config.base.is_own() && state.config.check().is_ok(), "{:?}", state.config);
    let told = &state.notices.last().unwrap().text;
    assert!(told.contains("The task is now ") && told.contains("in place of 64"), "{told}");
    // A task that it is too short for takes a base of the site.
    set(&mut state, "task", "dialogue");
    assert_eq!((state.config.task.name(), state.config.base.id), ("dialogue", "prose-nano"));
    assert!(state.notices.last().unwrap().text.ends_with("The base is now prose-nano."));
    // One that no task fits cannot be used.
    let before = state.config.clone();
    state.reduce(Action::Open(checkpoint(&SHORT.replace("64", "5"))));
    assert!(offered(&state).settled.as_ref().unwrap_err().ends_with("No other task is short enough for it."));
    identified(&mut state, "00000000000000d2");
    assert!(state.reduce(Action::Bring(Bringing::Use)).is_empty());
    assert_eq!(state.config, before);
}

#[test]
fn the_page_never_holds_what_its_own_check_refuses() {
    let mut state = ready("#task=authors&method=lora&rank=32");
    for (digest, positions, width) in
        [("00000000000000f1", "64", "16"), ("00000000000000f2", "99", "4"), ("00000000000000f3", "130", "8")]
    {
        let config = SHORT.replace("64", positions).replace("\"hidden_size\":16", &format!("\"hidden_size\":{width}"));
        bring(&mut state, &config, digest);
        let own = state.config.base.id;
        assert!(own.ends_with(digest));
        for method in crate::peft::MethodConfig::all() {
            set(&mut state, "method", method.info().name);
            for task in ["dialogue", "rules", "style", "language"] {
                for base in ["prose-small", own] {
                    set(&mut state, "base", base);
                    assert_eq!(state.config.check(), Ok(()), "{task} {base}");
                    set(&mut state, "task", task);
                    assert_eq!(state.config.check(), Ok(()), "{task} {base}");
                }
            }
        }
    }
}

#[test]
fn an_address_with_a_base_that_is_not_here_waits_for_it_and_for_no_other() {
    let mut owner = ready("#task=authors");
    bring(&mut owner, GPT2, "00000000000000e1");
    set(&mut owner, "rank", "2");
    let hash = owner.hash().replace("00000000000000e1", "00000000000000e2");
    let mut state = ready(&format!("#{hash}"));
    assert_eq!(state.notices[0].remedy, Some(Remedy::Bring));
    assert!(state.notices[0].text.contains("of other contents"), "{:?}", state.notices);
    // Another with the same name is told from it.
    bring(&mut state, GPT2, "00000000000000e3");
    assert_eq!(state.config.base.id, "own-tiny-00000000000000e3");
    let told =
        state.notices.iter().any(|notice| notice.text.contains("of other contents: bring the files that it was"));
    assert!(told, "{:?}", state.notices);
    // The right one is turned to as the address has it.
    state.reduce(Action::Hash(format!("#{hash}")));
    let effects = bring(&mut state, GPT2, "00000000000000e2");
    assert_eq!((state.config.base.id, state.config.text("rank")), ("own-tiny-00000000000000e2", "2".into()));
    assert!(effects.contains(&Effect::ReplaceHash(hash)) && state.notices.iter().all(|n| !n.text.contains("0e2”")));
    // A name of an earlier version holds no contents, and is never taken for any.
    let state = ready("#base=own-tiny-1a2b3c4d&task=authors");
    assert!(state.notices[0].text.contains("as earlier versions named it"), "{:?}", state.notices);
    assert!(!state.config.base.is_own());
}

#[test]
fn a_checkpoint_that_cannot_be_used_is_told_by_what_is_wrong() {
    let mut state = ready("");
    let config = checkpoint(GPT2).remove(0);
    let only = |name: &str| vec![config.clone(), held_at(name, b"{}", 2)];
    let with_config = |text: &str| {
        let mut files = checkpoint(GPT2);
        files[0] = held_at("config.json", text.as_bytes(), text.len());
        files
    };
    let mut cut = checkpoint(GPT2);
    cut[1].at.as_mut().unwrap().size -= 9;
    for (files, said) in [
        (only("pytorch_model.bin"), "pickle"),
        (only("model.safetensors.index.json"), "has no “weight_map”"),
        (only("model-00001-of-00002.safetensors"), "choose all files of the checkpoint together"),
        (only("notes.md"), "model.safetensors is missing"),
        (vec![held_at("a.gguf", b"GGUF", 9)], "a.gguf is cut short or not a GGUF file"),
        (vec![held_at("a.gguf", b"<html>", 9)], "a.gguf is a web page"),
        (checkpoint(GPT2).into_iter().take(2).collect(), "tokenizer.json is missing"),
        (cut, "model.safetensors is cut short: it has"),
        (with_config("{"), "not readable"),
        (with_config(r#"{"model_type":"gemma"}"#), "config.json: model_type is gemma"),
        (with_config(r#"{"model_type":"opt"}"#), "has no tensor “model.decoder.embed_tokens.weight”"),
        (
            with_config(r#"{"model_type":"gpt2","quantization_config":{"quant_method":"awq"}}"#),
            "quantization_config is awq",
        ),
        (
            checkpoint(
                &GPT2
                    .replace("768", "1600")
                    .replace("\"n_layer\":12", "\"n_layer\":48")
                    .replace("\"n_head\":12", "\"n_head\":25"),
            ),
            "4 GB",
        ),
    ] {
        state.reduce(Action::Open(files));
        let fault = state.bring.fault.clone().unwrap_or_default();
        assert!(fault.contains(said) && state.bring.offer.is_none(), "{said}: {fault}");
    }
}
