use super::*;
use crate::bases::{Base, OwnBase};
use crate::model::files::Layout;

const OPT: &str = r#"{"model_type":"opt","vocab_size":40,"max_position_embeddings":24,"hidden_size":16,"ffn_dim":32,"num_hidden_layers":2,"num_attention_heads":2}"#;
const GPT2: &str = r#"{"model_type":"gpt2","vocab_size":40,"n_positions":24,"n_embd":16,"n_layer":2,"n_head":2,"_name_or_path":"someone/tiny"}"#;

/// Weights of a configuration, those of its tensors that are chosen.
fn weights(config: &str, chosen: impl Fn(&str) -> bool) -> Vec<u8> {
    let config = ModelConfig::from_json(config).unwrap();
    let tensors: Vec<_> = Layout::with_head(&config).tensors().filter(|info| chosen(&info.name)).collect();
    Header::written(tensors.iter().map(|info| (info.name.as_str(), "F16", info.shape.as_slice())))
}

/// A checkpoint's files by name, which a case adds to or takes from.
fn files(config: &str) -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("config.json", config.into()),
        ("model.safetensors", weights(config, |_| true)),
        ("tokenizer.json", b"{}".to_vec()),
        ("README.md", b"hello".to_vec()),
    ]
}

fn without(config: &str, name: &str) -> Vec<(&'static str, Vec<u8>)> {
    files(config).into_iter().filter(|(file, _)| *file != name).collect()
}

fn of(files: &[(&str, Vec<u8>)]) -> Result<Checkpoint, String> {
    let parts = files.iter().map(|(name, bytes)| {
        let seen = Part::seen(name, bytes.len() as u64, &bytes[..bytes.len().min(8)]) as usize;
        Part { name, size: bytes.len() as u64, head: &bytes[..seen] }
    });
    Checkpoint::of(None, &parts.collect::<Vec<_>>())
}

fn told(files: Vec<(&str, Vec<u8>)>) -> String {
    of(&files).unwrap_err()
}

fn sharded(config: &str) -> Vec<(&'static str, Vec<u8>)> {
    let first = |name: &str| name.contains("embed") || name.contains("wte");
    let (one, two) = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors");
    let model = ModelConfig::from_json(config).unwrap();
    let layout = Layout::with_head(&model);
    let names = layout.tensors().map(|info| info.name);
    let map: serde_json::Map<_, _> =
        names.map(|name| (name.clone(), if first(&name) { one } else { two }.into())).collect();
    let mut files = without(config, "model.safetensors");
    files.push((two, weights(config, |name| !first(name))));
    files.push((one, weights(config, first)));
    files.push((ShardIndex::FILE, serde_json::json!({"metadata": {}, "weight_map": map}).to_string().into_bytes()));
    files
}

#[test]
fn a_checkpoint_is_known_by_the_beginnings_of_its_files() {
    for (config, name) in [(OPT, "opt"), (GPT2, "tiny")] {
        let checkpoint = of(&files(config)).unwrap();
        assert_eq!(checkpoint.name, name);
        assert_eq!(checkpoint.files().collect::<Vec<_>>(), ["config.json", "model.safetensors", "tokenizer.json"]);
        assert_eq!(checkpoint.bytes, files(config)[1].1.len() as u64);
        assert!(checkpoint.form().starts_with("safetensors: ") && checkpoint.form().ends_with("kB F16"));
        let all: u64 = files(config)[1].1.len() as u64;
        let head = Part::seen("model.safetensors", all, &files(config)[1].1[..8]);
        assert!(head < all / 2, "the numbers are not looked at: {head} of {all}");
    }
}

#[test]
fn weights_in_shards_and_a_tokenizer_in_two_files_are_a_checkpoint_too() {
    for config in [OPT, GPT2] {
        let checkpoint = of(&sharded(config)).unwrap();
        let shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
        assert_eq!(checkpoint.weights, [ShardIndex::FILE, shards[0], shards[1]]);
        for shard in shards {
            let rest = sharded(config).into_iter().filter(|(name, _)| *name != shard).collect();
            let fault = told(rest);
            assert!(fault.contains(&format!("into {shard}, which is missing: choose all files")), "{fault}");
        }
        let rest: Vec<_> = sharded(config).into_iter().filter(|(name, _)| *name != ShardIndex::FILE).collect();
        assert!(told(rest).contains("is here, but neither model.safetensors nor model.safetensors.index.json"));
        // Beside both, the one file counts, as in transformers.
        let mut both = sharded(config);
        both.extend(files(config).into_iter().filter(|(name, _)| *name == "model.safetensors"));
        assert_eq!(of(&both).unwrap().weights, ["model.safetensors"]);

        let mut two = without(config, "tokenizer.json");
        two.extend([("merges.txt", Vec::new()), ("special_tokens_map.json", b"{}".to_vec())]);
        assert_eq!(told(two.clone()), "vocab.json is missing: it belongs to merges.txt");
        two.push(("vocab.json", b"{}".to_vec()));
        assert_eq!(of(&two).unwrap().tokenizer, ["vocab.json", "merges.txt", "special_tokens_map.json"]);
        two.retain(|(name, _)| *name != "merges.txt");
        assert_eq!(told(two), "merges.txt is missing: it belongs to vocab.json");
    }
}

#[test]
fn what_says_how_a_chat_is_put_together_belongs_to_the_tokenizer() {
    let tokenizer = |beside: &[(&'static str, &str)]| {
        let beside = beside.iter().map(|(name, text)| (*name, text.as_bytes().to_vec()));
        of(&files(OPT).into_iter().chain(beside).collect::<Vec<_>>()).unwrap().tokenizer
    };
    let (with, without) = (r#"{"chat_template": "{{ messages }}"}"#, r#"{"model_max_length": 512}"#);
    let (settings, file) = ("tokenizer_config.json", "chat_template.jinja");
    assert_eq!(tokenizer(&[(settings, with)]), ["tokenizer.json", settings]);
    // Its tokens are the template's.
    assert_eq!(tokenizer(&[(settings, without), (file, "x")]), ["tokenizer.json", settings, file]);
    // Without a template a base is called as before.
    assert_eq!(tokenizer(&[(settings, without)]), ["tokenizer.json"]);
}

#[test]
fn what_is_missing_or_another_kind_of_file_is_called_what_it_is() {
    let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 250000000\n".to_vec();
    let with = |name: &'static str, bytes: Vec<u8>| {
        let mut files = without(OPT, name);
        files.push((name, bytes));
        files
    };
    let instead = |name: &'static str| {
        let mut files = without(GPT2, "model.safetensors");
        files.push((name, vec![1, 2, 3]));
        files
    };
    for (files, said) in [
        (without(OPT, "config.json"), "config.json is missing: a checkpoint is"),
        (without(OPT, "model.safetensors"), "model.safetensors is missing: a checkpoint is"),
        (
            without(OPT, "tokenizer.json"),
            "tokenizer.json is missing, and so are vocab.json and merges.txt: AutoTokenizer",
        ),
        (with("model.safetensors", pointer.clone()), "model.safetensors is a pointer of Git LFS"),
        (with("tokenizer.json", pointer.clone()), "tokenizer.json is a pointer of Git LFS"),
        (with("config.json", pointer), "config.json is a pointer of Git LFS"),
        (with("model.safetensors", b"<!DOCTYPE html>\n<html>".to_vec()), "model.safetensors is a web page"),
        (with("model.safetensors", b"GGUF\x03\0\0\0\0\0\0\0".to_vec()), "model.safetensors is a GGUF file"),
        (with("model.safetensors", b"PK\x03\x04\x14\0\0\0".to_vec()), "model.safetensors is a Python pickle"),
        (
            with("model.safetensors", Vec::new()),
            "model.safetensors is cut short or not a safetensors file: it has 0 bytes",
        ),
        (with("config.json", vec![0xff, 0xfe]), "config.json is not text"),
        (with("config.json", b"{\"model_type\": \"gemma\"}".to_vec()), "config.json: model_type is gemma"),
        (instead("pytorch_model.bin"), "pytorch_model.bin is a Python pickle"),
        (instead("pytorch_model.bin.index.json"), "pytorch_model.bin is a Python pickle"),
        (instead("pytorch_model-00001-of-00002.bin"), "pytorch_model-00001-of-00002.bin is a Python pickle"),
        (instead("model.pt"), "model.pt is a Python pickle"),
        (instead("flax_model.msgpack"), "flax_model.msgpack is of another framework"),
        (vec![("tiny.gguf", b"GGUF\x03\0\0\0\x01".to_vec())], "tiny.gguf is cut short or not a GGUF file: its count"),
        (vec![("a.gguf", vec![0; 9]), ("b.GGUF", vec![0; 9])], "a.gguf and b.GGUF are two models, each whole"),
        (vec![("old.ggml", vec![0; 9])], "old.ggml is of a format that llama.cpp itself reads no more"),
    ] {
        let fault = told(files);
        assert!(fault.starts_with(said) && !fault.ends_with('.'), "{said}: {fault}");
    }
    for config in [OPT, GPT2] {
        let mut cut = files(config);
        cut[1].1.pop();
        // Only the header is seen, and the size.
        let fault = told(cut);
        assert!(fault.starts_with("model.safetensors is cut short: it has "), "{fault}");
    }
}

#[test]
fn a_file_is_claimed_by_its_name() {
    for name in ["config.json", "model.safetensors", "model-00001-of-00002.safetensors", "tokenizer.json", "vocab.json"]
    {
        assert!(Checkpoint::claims(name), "{name}");
    }
    for name in ["pytorch_model.bin", "pytorch_model.bin.index.json", "model.safetensors.index.json", "a.gguf"] {
        assert!(Checkpoint::claims(name), "{name}");
    }
    for name in ["adapter_config.json", "adapter_model.safetensors", "run.jsonl", "reviews.csv", "merges.txt", "a.bin"]
    {
        assert!(!Checkpoint::claims(name), "{name}");
    }
}

#[test]
fn a_base_is_found_by_its_contents_and_others_are_told() {
    let checkpoint = Checkpoint { name: "Tiny Model".into(), ..of(&files(OPT)).unwrap() };
    let own = OwnBase::new(&checkpoint, "0123456789abcdef");
    assert_eq!((own.id.as_str(), own.title.as_str()), ("own-tiny-model-0123456789abcdef", "Tiny Model · 6 k"));
    let base = Base::register(&own).unwrap();
    assert_eq!((base.weights(), base.tokenizer()), (&["model.safetensors"][..], &["tokenizer.json"][..]));
    assert_eq!(base.to_own(), own);
    // The same files in another folder are the same base; other files in a folder of this name are not.
    assert_eq!(Base::named("own-elsewhere-0123456789abcdef").map(|b| b.id), Some(base.id));
    let renamed = OwnBase::new(&Checkpoint { name: "elsewhere".into(), ..checkpoint.clone() }, "0123456789abcdef");
    assert_eq!(Base::register(&renamed).unwrap().id, base.id);
    let other = "own-tiny-model-fedcba9876543210";
    assert!(Base::named(other).is_none());
    assert_eq!(
        Base::absent(other),
        "“own-tiny-model-fedcba9876543210” is a base of the same name as own-tiny-model-0123456789abcdef but of other contents: bring the files that it was."
    );
    assert!(Base::absent("own-never-fedcba9876543210").ends_with("is not here: bring its files first."));
    // The names of earlier versions held no contents.
    for old in ["own-tiny-model-01234567", "own-opt-9f00ab12"] {
        assert!(Base::named(old).is_none() && OwnBase::contents(old).is_none());
        assert!(Base::absent(old).contains("as earlier versions named it"), "{}", Base::absent(old));
    }
}
