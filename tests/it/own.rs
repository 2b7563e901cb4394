//! What a visitor brings, as transformers and tokenizers write it: a checkpoint of their own, data of their own.

use crate::fixtures::{folder, json};
use burn::tensor::Device;
use peft_lab::base::read;
use peft_lab::bases::{Base, Checkpoint, Identity, OwnBase, Part};
use peft_lab::config::RunConfig;
use peft_lab::model::Storage;
use peft_lab::model::Tokens;
use peft_lab::peft::Phi;
use peft_lab::protocol::Event;
use peft_lab::task::user_data;
use peft_lab::task::user_data::{Dropped, UserData, labelled};
use peft_lab::train::Session;
use peft_lab::train::library::{Files, LoadedBase, Materials};
use std::collections::BTreeMap;
use std::rc::Rc;

/// A checkpoint's files by their names.
type Folder = BTreeMap<String, Vec<u8>>;

/// What a visitor brought, under the names by which the trainer asks for it.
struct Brought {
    checkpoint: Folder,
    data: String,
}

impl Files for Brought {
    async fn read(&self, name: &str) -> Result<Vec<u8>, String> {
        match name.rsplit_once('/') {
            Some((own, file)) if own.starts_with("models/own-") => {
                self.checkpoint.get(file).cloned().ok_or_else(|| format!("no {file}"))
            }
            _ => Ok(self.data.clone().into_bytes()),
        }
    }
}

/// The three files of tests/fixtures/own.
fn fixture(checkpoint: &str) -> Folder {
    let file = |name: &str| std::fs::read(folder().join("own").join(checkpoint).join(name)).unwrap();
    ["config.json", "model.safetensors", "tokenizer.json"].map(|name| (name.to_string(), file(name))).into()
}

/// The base of a folder, or why it is none.
fn registered(name: &str, folder: &Folder) -> Result<&'static Base, String> {
    let parts = folder.iter().map(|(name, bytes)| Part { name, size: bytes.len() as u64, head: bytes });
    let checkpoint = Checkpoint::of(Some(name), &parts.collect::<Vec<_>>())?;
    let mut identity = Identity::default();
    for file in checkpoint.files() {
        identity.file(file, folder[file].len() as u64);
        identity.bytes(&folder[file]);
    }
    Ok(Base::register(&OwnBase::new(&checkpoint, &identity.digest())).unwrap())
}

fn loaded(name: &str, checkpoint: Folder) -> LoadedBase {
    let base = registered(name, &checkpoint).unwrap();
    let files = Brought { checkpoint, data: String::new() };
    pollster::block_on(LoadedBase::load(base, Storage::F32, &files, &Device::flex())).unwrap()
}

/// Logits behind the last of some tokens.
fn logits(loaded: &LoadedBase, ids: &[u32]) -> Vec<f32> {
    let tokens = Tokens { ids: ids.iter().map(|t| *t as i32).collect(), sequences: 1, length: ids.len() };
    let last = loaded.theta.logits(&Phi::none(), &tokens, &[ids.len() - 1]);
    pollster::block_on(read(last.flatten(0, 1))).unwrap()
}

fn reviews() -> (UserData, String) {
    let bytes = std::fs::read(folder().join("own/reviews.csv")).unwrap();
    let Dropped::Table(table) = user_data::read("reviews.csv", &bytes).unwrap() else { panic!() };
    let (text, label) = table.guess().unwrap();
    assert_eq!((table.columns[text].as_str(), table.columns[label].as_str()), ("sentence", "mood"));
    UserData::labelled("reviews.csv", &labelled(&table, text, label, 0).unwrap())
}

#[test]
fn ids_and_logits_of_a_checkpoint_at_half_precision_are_hugging_face_s() {
    for (checkpoint, begins) in [("opt", 1), ("gpt2", 0)] {
        let loaded = loaded(checkpoint, fixture(checkpoint));
        let begin = loaded.tokenizer.begin();
        assert_eq!(begin.len(), begins);
        let theirs_of = json(&format!("own/{checkpoint}/logits.json"));
        for (i, text) in theirs_of["texts"].as_array().unwrap().iter().enumerate() {
            let ids: Vec<u32> = begin.iter().copied().chain(loaded.tokenizer.encode(text.as_str().unwrap())).collect();
            let theirs: Vec<u32> = serde_json::from_value(theirs_of["ids"][i].clone()).unwrap();
            assert_eq!(ids, theirs, "{checkpoint}: {text}");
            if ids.is_empty() {
                continue;
            }
            let logits = logits(&loaded, &ids);
            let theirs: Vec<f32> = serde_json::from_value(theirs_of["logits"][i].clone()).unwrap();
            let largest = logits.iter().zip(&theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(largest < 1e-4, "{checkpoint}: {text}: {largest}");
        }
    }
}

/// The tensors of a file as (name, numbers), by name.
fn tensors(bytes: &[u8]) -> Vec<(String, Vec<usize>, Vec<f32>)> {
    let file = safetensors::SafeTensors::deserialize(bytes).unwrap();
    let numbers = |view: &safetensors::tensor::TensorView<'_>| -> Vec<f32> {
        match view.dtype() {
            safetensors::Dtype::F32 => {
                view.data().chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect()
            }
            safetensors::Dtype::F16 => {
                view.data().chunks_exact(2).map(|b| half::f16::from_le_bytes([b[0], b[1]]).to_f32()).collect()
            }
            _ => view.data().chunks_exact(2).map(|b| half::bf16::from_le_bytes([b[0], b[1]]).to_f32()).collect(),
        }
    };
    let mut all: Vec<_> =
        file.tensors().iter().map(|(name, v)| (name.clone(), v.shape().to_vec(), numbers(v))).collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

#[test]
fn a_checkpoint_is_written_as_it_was_read() {
    for checkpoint in ["opt", "gpt2"] {
        let loaded = loaded(checkpoint, fixture(checkpoint));
        let written = pollster::block_on(loaded.theta.to_safetensors()).unwrap();
        let theirs = std::fs::read(folder().join("own").join(checkpoint).join("model.safetensors")).unwrap();
        let (ours, theirs) = (tensors(&written), tensors(&theirs));
        let names = |all: &[(String, Vec<usize>, Vec<f32>)]| all.iter().map(|t| t.0.clone()).collect::<Vec<_>>();
        assert_eq!(names(&ours), names(&theirs));
        assert!(ours == theirs, "{checkpoint}");
    }
}

#[test]
fn data_of_ones_own_trains_on_a_checkpoint_of_ones_own() {
    let (data, json) = reviews();
    for (checkpoint, method) in [("opt", "lora"), ("gpt2", "full"), ("opt", "prompt")] {
        let base = registered(checkpoint, &fixture(checkpoint)).unwrap();
        let hash = format!(
            "base={}&task=own&data={}&classes=2&method={method}&steps=60&batch_size=16&lr=0.03",
            base.id, data.name
        );
        let (config, faults, unknown) = RunConfig::from_hash(&hash);
        assert!(faults.is_empty() && unknown.is_empty(), "{faults:?} {unknown:?}");
        assert!(config.to_hash().contains(&data.name));
        let files = Brought { checkpoint: fixture(checkpoint), data: json.clone() };
        let device = Device::flex();
        let (losses, right) = pollster::block_on(async {
            let loaded = Rc::new(LoadedBase::load(base, Storage::F32, &files, &device).await.unwrap());
            let materials = Materials::load(&config, &files).await.unwrap();
            let mut session = Session::new(0, config, loaded.clone(), &materials, &device, "cpu", || 0.0).unwrap();
            // Every example begins as the tokenizer begins a text.
            let begin = loaded.tokenizer.begin();
            assert!(session.data().held_out.iter().all(|e| e.tokens.starts_with(begin)), "{checkpoint}");
            let mut events = session.begin().await.unwrap();
            while !session.done() {
                events.extend(session.advance(false).await.unwrap());
            }
            let loss = |e: &Event| if let Event::Step { loss, .. } = e { Some(*loss) } else { None };
            let losses: Vec<f32> = events.iter().filter_map(loss).collect();
            let Some(Event::Started { baselines, .. }) = events.iter().find(|e| matches!(e, Event::Started { .. }))
            else {
                panic!()
            };
            (losses, (baselines.chance, baselines.bag_of_words))
        });
        assert_eq!(right.0, 0.5);
        assert!(right.1 > 0.9, "eight words tell the mood: {}", right.1);
        let mean = |part: &[f32]| part.iter().sum::<f32>() / part.len() as f32;
        let (first, last) = (mean(&losses[..5]), mean(&losses[55..]));
        println!("{checkpoint} {method}: {first:.2} to {last:.2}");
        assert!(last < 0.9 * first, "{checkpoint} {method}: {first} to {last}");
    }
}

/// The tensors of a file under other names, those that have one.
fn renamed(file: &[u8], rename: impl Fn(&str) -> Option<String>) -> Vec<u8> {
    let file = safetensors::SafeTensors::deserialize(file).unwrap();
    let tensors = file.tensors().into_iter().filter_map(|(name, view)| Some((rename(&name)?, view)));
    safetensors::serialize(tensors.collect::<Vec<_>>(), None).unwrap()
}

const IDS: [u32; 5] = [2, 40, 7, 100, 256];

#[test]
fn the_same_weights_in_any_layout_of_files_give_the_same_logits() {
    for (checkpoint, tokens) in [("opt", "model.decoder.embed_tokens.weight"), ("gpt2", "transformer.wte.weight")] {
        let whole = fixture(checkpoint);
        let expected = logits(&loaded(checkpoint, whole.clone()), &IDS);
        let weights = whole["model.safetensors"].clone();
        let with =
            |bytes: Vec<u8>| Folder::from_iter(whole.clone().into_iter().chain([("model.safetensors".into(), bytes)]));
        // The tied matrix under the head's name, with and without a prefix around the rest.
        let head = |name: &str| if name == tokens { "lm_head.weight".to_string() } else { name.to_string() };
        let prefix = tokens.split('.').next().unwrap().to_string() + ".";
        let short = |name: &str| name.strip_prefix(&prefix).unwrap_or(name).to_string();
        for layout in [
            with(renamed(&weights, |name| Some(head(name)))),
            with(renamed(&weights, |name| Some(short(&head(name))))),
            with(renamed(&weights, |name| Some(short(name)))),
            sharded(&whole),
            apart(&whole),
        ] {
            assert_eq!(logits(&loaded(checkpoint, layout), &IDS), expected, "{checkpoint}");
        }
    }
}

/// The weights in three files with their index.
fn sharded(whole: &Folder) -> Folder {
    let (mut folder, mut map) = (whole.clone(), serde_json::Map::new());
    let weights = folder.remove("model.safetensors").unwrap();
    for shard in 0..3 {
        let file = format!("model-{:05}-of-00003.safetensors", shard + 1);
        let of_shard = |name: &str| name.len() % 3 == shard;
        let bytes = renamed(&weights, |name| of_shard(name).then(|| name.to_string()));
        for name in safetensors::SafeTensors::deserialize(&bytes).unwrap().names() {
            map.insert(name.to_string(), file.clone().into());
        }
        folder.insert(file, bytes);
    }
    let index = serde_json::json!({"metadata": {"total_size": weights.len()}, "weight_map": map});
    folder.insert("model.safetensors.index.json".into(), index.to_string().into_bytes());
    folder
}

/// The tokenizer in two files.
fn apart(whole: &Folder) -> Folder {
    let mut folder = whole.clone();
    let tokenizer: serde_json::Value = serde_json::from_slice(&folder.remove("tokenizer.json").unwrap()).unwrap();
    let model = &tokenizer["model"];
    let pair = |merge: &serde_json::Value| format!("{} {}\n", merge[0].as_str().unwrap(), merge[1].as_str().unwrap());
    let merges: String = model["merges"].as_array().unwrap().iter().map(pair).collect();
    folder.insert("vocab.json".into(), model["vocab"].to_string().into_bytes());
    folder.insert("merges.txt".into(), merges.into_bytes());
    if model["vocab"]["</s>"].is_u64() {
        let settings = r#"{"bos_token": "</s>", "eos_token": "</s>", "unk_token": "</s>", "pad_token": null}"#;
        folder.insert("tokenizer_config.json".into(), settings.into());
    }
    folder
}

#[test]
fn a_second_checkpoint_of_the_same_shape_and_size_is_another_base() {
    for checkpoint in ["opt", "gpt2"] {
        let first = fixture(checkpoint);
        let mut second = first.clone();
        // One number of one tensor: as many bytes, the same configuration.
        *second.get_mut("model.safetensors").unwrap().last_mut().unwrap() ^= 1;
        let mut third = first.clone();
        let settings = third.get_mut("tokenizer.json").unwrap();
        settings.push(b' ');
        let bases = [&first, &second, &third].map(|folder| registered(checkpoint, folder).unwrap().id);
        assert!(bases[0] != bases[1] && bases[1] != bases[2] && bases[0] != bases[2], "{bases:?}");
        assert_eq!(registered("another-folder", &first).unwrap().id, bases[0]);
        let (one, two) = (loaded(checkpoint, first), loaded(checkpoint, second));
        assert_ne!((one.base.id, logits(&one, &IDS)), (two.base.id, logits(&two, &IDS)));
        assert_ne!(
            pollster::block_on(one.theta.to_safetensors()).unwrap(),
            pollster::block_on(two.theta.to_safetensors()).unwrap()
        );
    }
}

/// What `peft-lab` prints when it trains one step on a file of this name and these contents.
fn trained_on(name: &str, contents: &[u8], flags: &[&str]) -> (bool, String) {
    let folder = std::env::temp_dir().join(format!("peft-lab-own-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    std::fs::write(&path, contents).unwrap();
    let ran = std::process::Command::new(env!("CARGO_BIN_EXE_peft-lab"))
        .args(["train", "--steps", "1", "--batch-size", "4", "--data-file"])
        .arg(&path)
        .args(flags)
        .output()
        .unwrap();
    std::fs::remove_file(&path).unwrap();
    let said = [ran.stdout, ran.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    (ran.status.success(), said)
}

#[test]
fn the_command_line_says_what_it_took_of_a_file() {
    let rows = |part: fn(usize) -> String| (0..60).map(part).collect::<String>();
    let split =
        rows(|i| format!("{},a day by the lake {i},{}\n", ["train", "test"][i % 2], ["good", "bad", "dull"][i % 3]));
    let (ran, said) = trained_on("days.csv", format!("split,remark,class\n{split},no remark,\n").as_bytes(), &[]);
    assert!(ran, "{said}");
    assert!(said.contains("text: remark, label: class (bad 20, dull 20, good 20); 1 row left out, 0 cut\n"), "{said}");
    assert!(said.contains("Left out: 1 without a label."), "{said}");

    let long = rows(|i| format!("{}{i}|{}\n", "over the hills and far away ".repeat(20), i % 2));
    let (ran, said) = trained_on("hills.csv", format!("# of a walk\n{long}").as_bytes(), &["--header", "false"]);
    assert!(ran, "{said}");
    for line in [
        "A vertical bar stands between cells.\n",
        "1 line above the table is left out.\n",
        "text: column 1, label: column 2 (0 30, 1 30); 0 rows left out, 60 cut\n",
        "Of 60 texts 60 are longer than the 96 tokens that are read; their end is read.\n",
    ] {
        assert!(said.contains(line), "{line}{said}");
    }
    let (ran, said) = trained_on("hills.csv", long.as_bytes(), &["--header", "perhaps"]);
    assert!(!ran && said.contains("--header is true or false"), "{said}");
    let (ran, said) = trained_on("tags.jsonl", b"{\"a\":\"x\",\"b\":1,\"tags\":[]}\n", &["--label-column", "tags"]);
    assert!(!ran && said.contains("On line 1, “tags” is an empty list"), "{said}");
}

#[test]
fn what_is_no_plain_table_is_read_or_told_on_the_command_line() {
    let rows: String = (0..40).map(|i| format!("{i},said in walk {i},{}\n", ["good", "bad"][i % 2])).collect();
    let (ran, said) = trained_on("survey.csv", format!("nr,said,felt\nint,free text,class\n{rows}").as_bytes(), &[]);
    assert!(
        ran && said
            .contains("Line 2, below the header, holds names, units or questions, no values, and is left out.\n"),
        "{said}"
    );
    assert!(said.contains("text: said, label: felt (bad 20, good 20); 0 rows left out"), "{said}");
    let (ran, said) = trained_on("survey.csv", format!("nr,said,felt\n98,Sun,odd\n{rows}").as_bytes(), &[]);
    assert!(ran && said.contains("Line 2, right below the header, is the only row with the label “odd”"), "{said}");
    let (ran, said) = trained_on("frame.csv", format!("said,felt\n{rows}").as_bytes(), &[]);
    assert!(ran && said.contains("names of rows as R writes them, is left out."), "{said}");
    let nested: String =
        (0..40).map(|i| format!("{{\"id\":{i},\"text\":\"walk {i}\",\"label\":{{\"a\":1}}}}\n")).collect();
    for (name, file, begins) in [
        ("walks.jsonl", nested.as_str(), "On line 1, “label” is an object:"),
        ("walks.json", "[\"one\", \"two\"]", "The list on line 1 has texts and no labels"),
    ] {
        let (ran, said) = trained_on(name, file.as_bytes(), &[]);
        assert!(!ran && said.contains(&format!("{name}: {begins}")), "{said}");
    }
    let (ran, said) = trained_on("walks.csv", b"<!doctype html>\n<html></html>\n", &[]);
    let page = "walks.csv is a web page, not the file itself: download it by its download link.";
    assert!(!ran && said.contains(page) && !said.contains("walks.csv: walks.csv"), "{said}");
}

#[test]
fn a_text_too_short_for_its_base_is_told_in_tokens() {
    for line in ["A walk by the lake, and home.\n", "Zwölf Boxkämpfer jagen Viktor. "] {
        let (ran, said) = trained_on("walk.txt", line.repeat(8).as_bytes(), &[]);
        assert!(!ran && said.contains(" tokens as the base reads it, and about "), "{said}");
        let (ran, said) = trained_on("walk.txt", line.repeat(300).as_bytes(), &[]);
        assert!(ran && said.contains("a text of "), "{said}");
    }
}
