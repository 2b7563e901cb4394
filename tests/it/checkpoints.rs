//! Hostile files of checkpoints: cut short, damaged, at odds with each other. Each is refused with a sentence, or
//! loads whole.

use crate::interchange::{cases, damaged, fixture};
use burn::tensor::Device;
use peft_lab::bases::{Checkpoint, Part};
use peft_lab::model::files::{Header, ShardIndex};
use peft_lab::model::{Model, ModelConfig, Storage};
use peft_lab::task::tokenizer::Tokenizer;
use proptest::prelude::*;

/// Words that a parser or a panic would say, and no visitor should read.
fn is_a_sentence(told: &str) -> bool {
    let ours =
        !["invalid type", "expected value", "unwrap", "panicked", "serde"].iter().any(|word| told.contains(word));
    !told.is_empty() && ours
}

/// A header as JSON: some of its entries are well formed, many are not.
fn header() -> impl Strategy<Value = Vec<u8>> {
    let dtype = prop::sample::select(vec!["\"F32\"", "\"F16\"", "\"I8\"", "\"F4\"", "7", "null", "\"\""]);
    let number = prop_oneof![
        (0..20_u64).prop_map(|n| n.to_string()),
        Just("-1".to_string()),
        Just("1.5".to_string()),
        Just("\"4\"".to_string()),
        any::<u64>().prop_map(|n| n.to_string()),
    ];
    let numbers = prop::collection::vec(number, 0..4).prop_map(|all| format!("[{}]", all.join(",")));
    let entry = (dtype, numbers.clone(), numbers)
        .prop_map(|(dtype, shape, span)| format!("{{\"dtype\":{dtype},\"shape\":{shape},\"data_offsets\":{span}}}"));
    let entries = prop::collection::vec(("[a-c]{1,2}", entry), 0..4);
    (entries, any::<u64>(), 0..4_usize, prop::collection::vec(any::<u8>(), 0..80)).prop_map(
        |(entries, length, which, numbers)| {
            let text = entries.iter().map(|(name, entry)| format!("\"{name}\":{entry}")).collect::<Vec<_>>().join(",");
            let text = format!("{{{text}}}");
            // Mostly the right length, sometimes another, sometimes one past all memory.
            let length = [text.len() as u64, text.len() as u64, text.len() as u64 + length % 9, length][which];
            [length.to_le_bytes().to_vec(), text.into_bytes(), numbers].concat()
        },
    )
}

/// An index whose shards may be named anything, and two shards that hold anything.
fn shards() -> impl Strategy<Value = (Vec<u8>, Vec<u8>, Vec<u8>)> {
    let whole = fixture("own/opt/model.safetensors");
    let names: Vec<String> =
        safetensors::SafeTensors::deserialize(&whole).unwrap().names().into_iter().map(String::from).collect();
    let file =
        prop::sample::select(vec!["a.safetensors", "b.safetensors", "c.safetensors", "../a.safetensors", "a.bin"]);
    let n = names.len();
    let places = prop::collection::vec((0..2_usize, file), n);
    // What the index says, where a tensor really is, which are left out.
    (places, prop::collection::vec(0..20_usize, n), any::<bool>()).prop_map(move |(places, elsewhere, honest)| {
        let view = safetensors::SafeTensors::deserialize(&whole).unwrap();
        let mut map = serde_json::Map::new();
        let mut held = [Vec::new(), Vec::new()];
        for ((name, (place, said)), elsewhere) in names.iter().zip(&places).zip(&elsewhere) {
            let said = if honest { ["a.safetensors", "b.safetensors"][*place] } else { said };
            map.insert(name.clone(), said.into());
            match elsewhere {
                0 => held[1 - *place].push(name),
                1 => held.iter_mut().for_each(|held| held.push(name)),
                2 if !honest => {}
                _ => held[*place].push(name),
            }
        }
        let written = held.map(|names| {
            let tensors = names.into_iter().map(|name| (name, view.tensor(name).unwrap()));
            safetensors::serialize(tensors.collect::<Vec<_>>(), None).unwrap()
        });
        let [a, b] = written;
        (serde_json::json!({ "weight_map": map }).to_string().into_bytes(), a, b)
    })
}

fn of(files: &[(&str, &[u8])]) -> Result<Checkpoint, String> {
    let parts = files.iter().map(|(name, bytes)| {
        let seen = Part::seen(name, bytes.len() as u64, &bytes[..bytes.len().min(8)]) as usize;
        Part { name, size: bytes.len() as u64, head: &bytes[..seen] }
    });
    Checkpoint::of(None, &parts.collect::<Vec<_>>())
}

fn own_config() -> ModelConfig {
    ModelConfig::from_json(std::str::from_utf8(&fixture("own/opt/config.json")).unwrap()).unwrap()
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn no_config_panics(bytes in prop_oneof![
        damaged(fixture("own/opt/config.json")),
        damaged(fixture("own/gpt2/config.json")),
    ]) {
        if let Err(e) = ModelConfig::from_json(&String::from_utf8_lossy(&bytes)) {
            prop_assert!(is_a_sentence(&e.to_string()), "{e}");
        }
    }

    #[test]
    fn no_header_panics_or_is_read_otherwise_than_the_whole_file(bytes in header()) {
        let seen = Header::bytes(&bytes[..8], bytes.len() as u64) as usize;
        let read = Header::read("w", &bytes[..seen], bytes.len() as u64);
        prop_assert_eq!(&read, &Header::read("w", &bytes, bytes.len() as u64));
        // What is taken for a header is one to the reader of the numbers, too, unless a type is not known.
        match (read, safetensors::SafeTensors::deserialize(&bytes)) {
            (Err(e), _) => prop_assert!(is_a_sentence(&e.to_string()), "{e}"),
            (Ok(header), Ok(file)) => prop_assert_eq!(header.tensors.len(), file.names().len()),
            (Ok(_), Err(_)) => {}
        }
    }

    #[test]
    fn no_checkpoint_with_a_damaged_file_panics(
        weights in damaged(fixture("own/gpt2/model.safetensors")),
        tokenizer in damaged(fixture("own/gpt2/tokenizer.json")),
    ) {
        let config = fixture("own/gpt2/config.json");
        let files = [("config.json", &config[..]), ("model.safetensors", &weights), ("tokenizer.json", &tokenizer)];
        match of(&files) {
            Err(e) => prop_assert!(is_a_sentence(&e), "{e}"),
            Ok(checkpoint) => {
                // Numbers that are not finite are found only where they are read.
                if let Err(e) = Model::load(checkpoint.model, &weights, &Device::flex()) {
                    prop_assert!(e.to_string().contains("not finite"), "{e}");
                }
            }
        }
        if let Err(e) = Tokenizer::from_json(&String::from_utf8_lossy(&tokenizer)) {
            prop_assert!(is_a_sentence(&e.to_string()), "{e}");
        }
    }

    #[test]
    fn no_damaged_tokenizer_of_a_family_panics(
        tokenizer in prop_oneof![
            damaged(fixture("tokenizers/llama3.json")),
            damaged(fixture("tokenizers/smollm2.json")),
            damaged(fixture("tokenizers/added-to-bytes.json")),
            damaged(fixture("tokenizers/added-to-characters.json")),
            damaged(fixture("tokenizers/mistral.json")),
        ],
        text in "[ -~é東\u{4}\u{301}\n]{0,12}(<left>|<both>|lake| )[ -~\n]{0,12}",
    ) {
        match Tokenizer::from_json(&String::from_utf8_lossy(&tokenizer)) {
            Err(e) => prop_assert!(is_a_sentence(&e.to_string()), "{e}"),
            Ok(tokenizer) => {
                let ids = tokenizer.encode(&text);
                prop_assert!(ids.iter().all(|id| (*id as usize) < tokenizer.vocab_size()));
                tokenizer.decode(&ids);
            }
        }
    }

    #[test]
    fn shards_that_contradict_their_index_are_refused_whole((index, a, b) in shards()) {
        let (config, tokenizer) = (fixture("own/opt/config.json"), fixture("own/opt/tokenizer.json"));
        let looked_at = of(&[
            ("config.json", &config),
            (ShardIndex::FILE, &index),
            ("a.safetensors", &a),
            ("b.safetensors", &b),
            ("tokenizer.json", &tokenizer),
        ]);
        match ShardIndex::read(std::str::from_utf8(&index).unwrap()) {
            Err(e) => prop_assert_eq!(looked_at.unwrap_err(), e.to_string()),
            Ok(read) => {
                let files = [("a.safetensors", a.as_slice()), ("b.safetensors", b.as_slice())];
                let loaded = Model::load_files(own_config(), &files, Some(&read), Storage::F32, &Device::flex());
                // Page and trainer agree: what is offered loads, what does not load is not offered.
                match looked_at {
                    Ok(_) => prop_assert!(loaded.is_ok()),
                    Err(e) => prop_assert!(is_a_sentence(&e), "{e}"),
                }
            }
        }
    }

    #[test]
    fn no_index_panics(bytes in damaged(
        br#"{"metadata":{"total_size":26664},"weight_map":{"model.decoder.embed_tokens.weight":"a.safetensors"}}"#.to_vec()
    )) {
        if let Err(e) = ShardIndex::read(&String::from_utf8_lossy(&bytes)) {
            prop_assert!(is_a_sentence(&e.to_string()), "{e}");
        }
    }

    #[test]
    fn no_vocabulary_panics(
        vocabulary in damaged(two_files().0.into_bytes()),
        merges in damaged(two_files().1.into_bytes()),
        settings in damaged(
            br#"{"add_bos_token":true,"bos_token":{"content":"</s>"},"added_tokens_decoder":{"2":{"content":"</s>"}}}"#.to_vec()
        ),
        which in 0..3_usize,
    ) {
        let (whole, pairs) = two_files();
        let mut files = [("vocab.json", whole), ("merges.txt", pairs), ("tokenizer_config.json", "{}".to_string())];
        files[which].1 = String::from_utf8_lossy(&[vocabulary, merges, settings][which]).into_owned();
        let read = |name: &str| files.iter().find(|(file, _)| *file == name).map(|(_, text)| text.as_str());
        match Tokenizer::from_vocabulary(read) {
            Ok(tokenizer) => prop_assert!(!tokenizer.encode("rain, rain").is_empty()),
            Err(e) => prop_assert!(is_a_sentence(&e.to_string()), "{e}"),
        }
    }
}

/// `vocab.json` and `merges.txt` of tests/fixtures/own/opt.
fn two_files() -> (String, String) {
    let file: serde_json::Value = serde_json::from_slice(&fixture("own/opt/tokenizer.json")).unwrap();
    let pair = |merge: &serde_json::Value| format!("{} {}\n", merge[0].as_str().unwrap(), merge[1].as_str().unwrap());
    let merges = file["model"]["merges"].as_array().unwrap().iter().map(pair).collect();
    (file["model"]["vocab"].to_string(), merges)
}
