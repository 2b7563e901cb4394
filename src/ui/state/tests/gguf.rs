//! A visitor's checkpoint in one GGUF file.

use super::bring::{held_at, identified, offered};
use super::*;
use crate::bases::{Base, OwnBase};
use crate::model::files::gguf::Gguf;
use crate::task::tokenizer::byte_characters;
use crate::ui::state::parts::OwnAbout;

/// The header of a GGUF file of the fixtures, and how many bytes the file has.
fn header(name: &str) -> (Vec<u8>, usize) {
    let file = format!("{}/tests/fixtures/gguf/{name}.gguf", env!("CARGO_MANIFEST_DIR"));
    let mut bytes = std::fs::read(file).unwrap();
    let (seen, size) = (Gguf::seen(&bytes, bytes.len() as u64) as usize, bytes.len());
    assert!(seen < size);
    bytes.truncate(seen);
    (bytes, size)
}

/// Where a key or a tensor of a header is described, behind its name.
fn behind(bytes: &[u8], name: &str) -> usize {
    bytes.windows(name.len()).position(|window| window == name.as_bytes()).unwrap() + name.len()
}

/// A GGUF file of the fixtures, of which only the header is here. In place of the few tokens of its tokenizer it has
/// one for each byte, and rows for so many.
fn gguf_with_rows(name: &str, rows: u64) -> File {
    let (mut bytes, size) = header(name);
    let text = |c: char| [&(c.len_utf8() as u64).to_le_bytes()[..], c.to_string().as_bytes()].concat();
    let number = |bytes: &[u8], at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize;
    // Behind a list's name stand its type, that of its elements, and how many there are.
    for (name, texts) in [("tokens", &byte_characters()[..]), ("merges", &[][..])] {
        let list = behind(&bytes, &format!("tokenizer.ggml.{name}")) + 8;
        let mut end = list + 8;
        (0..number(&bytes, list)).for_each(|_| end += 8 + number(&bytes, end));
        let texts: Vec<u8> =
            [texts.len().to_le_bytes().to_vec()].into_iter().chain(texts.iter().copied().map(text)).flatten().collect();
        bytes.splice(list..end, texts);
    }
    let kinds = behind(&bytes, "tokenizer.ggml.token_type") + 8;
    let end = kinds + 8 + 4 * number(&bytes, kinds);
    bytes.splice(kinds..end, [&256_u64.to_le_bytes()[..], &1_i32.to_le_bytes().repeat(256)].concat());
    // Behind a tensor's name: how many dimensions there are, the inputs, the rows, its type, where it begins. Now
    // that is behind all others, of a head behind the embedding.
    for (i, name) in ["token_embd.weight", "output.weight"].into_iter().enumerate() {
        let named = [&(name.len() as u64).to_le_bytes()[..], name.as_bytes()].concat();
        if let Some(at) = bytes.windows(named.len()).position(|window| window == named) {
            let matrix = at + named.len() + 4 + 8;
            bytes.splice(matrix..matrix + 8, rows.to_le_bytes());
            let begins = (1 + 4 * i) * size.next_multiple_of(32);
            bytes.splice(matrix + 12..matrix + 20, (begins as u64).to_le_bytes());
        }
    }
    let said = b".vocab_size";
    if let Some(at) = bytes.windows(said.len()).position(|window| window == said) {
        let number = at + said.len() + 4;
        bytes.splice(number..number + 4, (rows as u32).to_le_bytes());
    }
    held_at(&format!("{name}.gguf"), &bytes, 10 * size)
}

fn gguf(name: &str) -> File {
    gguf_with_rows(name, 256)
}

#[test]
fn one_gguf_file_is_described_before_it_is_read_and_then_a_base() {
    for (name, form, title, digest) in [
        ("llama-q4_1", "GGUF: 9 kB Q8_0, 6 kB Q4_1, 384 B F32", "llama-q4_1 · 18 k", "6767756600000001"),
        ("qwen3", "GGUF: 31 kB Q4_0, 17 kB Q8_0, 3 kB F32", "Qwen3 · 0.1 M", "6767756600000002"),
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
fn a_tokenizer_that_cannot_be_used_is_refused_before_the_numbers_are_read() {
    let (bytes, size) = header("llama-q4_1");
    for (file, why) in [
        (
            held_at("llama-q4_1.gguf", &bytes, size),
            "llama-q4_1.gguf, whose tokenizer was read as a tokenizer.json: the vocabulary has no token \"Ċ\" for byte 10",
        ),
        (
            gguf_with_rows("llama-q4_1", 192),
            "llama-q4_1.gguf: 256 tokens, and the embedding has 192 rows. In transformers, model.resize_token_embeddings(len(tokenizer)) makes room for them",
        ),
    ] {
        let mut state = ready("#method=lora");
        let effects = state.reduce(Action::Open(vec![file]));
        assert_eq!((state.bring.offer.is_none(), state.bring.fault.as_deref()), (true, Some(why)));
        assert!(command(&effects).is_none(), "its numbers are read all the same: {effects:?}");
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
fn a_run_that_no_tab_can_hold_is_not_begun() {
    let config = r#"{"model_type":"llama","vocab_size":49152,"max_position_embeddings":8192,"hidden_size":960,
        "intermediate_size":2560,"num_hidden_layers":32,"num_attention_heads":15,"num_key_value_heads":5}"#;
    let id = "own-larger-1a49e00000000002".to_string();
    let (title, weights, tokenizer) = ("larger · 409 M".into(), Vec::new(), Vec::new());
    Base::register(&OwnBase { id, title, config: config.into(), weights, tokenizer, matrices: 0 }).unwrap();
    let hash = "#base=own-larger-1a49e00000000002&task=authors&batch_size=4&method=";
    let begins = |effects: &[Effect]| {
        effects.iter().any(|e| matches!(e, Effect::Send(_, Command::Start { .. }) | Effect::Boot(Trainer::Gpu)))
    };
    for press in [Action::Main, Action::Step, Action::Rewind] {
        let mut state = ready(&format!("{hash}full&device=cpu"));
        let effects = state.reduce(press.clone());
        assert!(!begins(&effects) && state.runs.is_empty(), "{press:?}: {effects:?}");
        let said = &state.notices.last().unwrap().text;
        assert!(said.contains("a tab has 4.29 GB at most: it cannot be trained here. What fits: a method"), "{said}");
        assert!(said.contains("such as LoRA r 4 (") && said.contains("`peft-lab train`"), "{said}");
        set(&mut state, "method", "lora");
        assert!(begins(&state.reduce(Action::Main)));
    }
    // A GPU has a memory of its own; that there is none may be known later.
    let mut state = ready(&format!("{hash}full&device=webgpu"));
    state.reduce(Action::Main);
    assert_eq!((state.runs.len(), state.notices.len()), (1, 0));
    let mut state = open(&format!("{hash}full&run=1"));
    assert_eq!(state.runs.len(), 1);
    hear(&mut state, Trainer::Cpu, vec![Event::Ready { device: "cpu".into() }]);
    let effects = state.reduce(Action::GpuProbed(GpuProbe::NoAdapter));
    assert!(!begins(&effects) && state.runs[0].phase == Phase::Failed(FailureReason::Device));
    assert!(state.notices.last().unwrap().text.contains("it cannot be trained here"));
    // Of a grid the others train.
    let mut state = ready(&format!("{hash}lora&device=cpu"));
    for (field, text) in [(GridField::Methods, "full, lora"), (GridField::Axis, "steps"), (GridField::Values, "2")] {
        state.reduce(Action::EditGrid(field, text.into()));
    }
    state.reduce(Action::EditGrid(GridField::Seeds, "1".into()));
    state.reduce(Action::RunGrid);
    assert_eq!((state.runs.len(), state.runs[0].label().as_str(), state.queue.of), (1, "LoRA r 4", 1));
    let said = &state.notices.last().unwrap().text;
    assert!(said.starts_with("1 of the runs are left out. Full fine-tuning: A step takes about "), "{said}");
}

#[test]
fn a_trainer_that_ends_in_a_step_too_large_for_a_tab_is_told_with_its_memory() {
    // As wide as SmolLM2, with 24 of its 30 blocks.
    let config = r#"{"model_type":"llama","vocab_size":49152,"max_position_embeddings":8192,"hidden_size":576,
        "intermediate_size":1536,"num_hidden_layers":24,"num_attention_heads":9,"num_key_value_heads":3}"#;
    let id = "own-large-1a49e00000000001".to_string();
    let (weights, tokenizer) = (Vec::new(), Vec::new());
    Base::register(&OwnBase {
        id,
        title: "large · 142 M".into(),
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
