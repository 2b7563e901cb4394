//! The tokenizer of a GGUF file, as the text of a `tokenizer.json`.

use crate::gguf::{made, read, text};

/// Metadata of a tokenizer of four tokens, the last of which stands in front of texts where it is asked for.
fn tokenizer(name: &str, more: &[Vec<u8>]) -> serde_json::Value {
    let named = |key: &str, value: &str| [&text(key)[..], &8_u32.to_le_bytes(), &text(value)].concat();
    let number = |key: &str, n: u32| [&text(key)[..], &4_u32.to_le_bytes(), &n.to_le_bytes()].concat();
    let list = |key: &str, kind: u32, n: u64, values: Vec<u8>| {
        [&text(key)[..], &9_u32.to_le_bytes(), &kind.to_le_bytes(), &n.to_le_bytes(), &values].concat()
    };
    let tokens = ["a", "b", "ab", "<s>"].map(text).concat();
    let mut metadata = vec![
        named("tokenizer.ggml.model", "gpt2"),
        named("tokenizer.ggml.pre", name),
        list("tokenizer.ggml.tokens", 8, 4, tokens),
        list("tokenizer.ggml.token_type", 5, 4, [1_i32, 1, 1, 3].map(i32::to_le_bytes).concat()),
        list("tokenizer.ggml.merges", 8, 1, text("a b")),
        number("tokenizer.ggml.bos_token_id", 3),
    ];
    metadata.extend_from_slice(more);
    let file = made(&metadata, &[], 0);
    serde_json::from_str(&read("a.gguf", &file).tokenizer_json().unwrap()).unwrap()
}

#[test]
fn a_tokenizer_s_name_says_how_texts_are_cut_and_how_they_begin() {
    let begins = |on: bool| [&text("tokenizer.ggml.add_bos_token")[..], &7_u32.to_le_bytes(), &[u8::from(on)]].concat();
    for (name, first, normalizer, whole, front) in [
        ("default", "ByteLevel", serde_json::Value::Null, false, false),
        ("smollm", "Digits", serde_json::Value::Null, false, false),
        ("llama-bpe", r"\\p{N}{1,3}", serde_json::Value::Null, true, true),
        ("qwen2", r"|\\p{N}|", serde_json::json!({"type": "NFC"}), false, false),
    ] {
        let json = tokenizer(name, &[]);
        let steps = &json["pre_tokenizer"];
        assert!(steps.to_string().contains(first), "{name}: {steps}");
        assert_eq!((&json["normalizer"], json["model"]["ignore_merges"] == true), (&normalizer, whole), "{name}");
        assert_eq!(json["model"]["vocab"], serde_json::json!({"a": 0, "b": 1, "ab": 2, "<s>": 3}));
        assert_eq!(json["model"]["merges"], serde_json::json!([["a", "b"]]));
        let added = &json["added_tokens"];
        assert_eq!(
            (added.as_array().unwrap().len(), &added[0]["content"], &added[0]["id"]),
            (1, &"<s>".into(), &3.into())
        );
        // The file says whether a text begins with the token; else the kind of tokenizer does.
        for (more, on) in [(vec![], front), (vec![begins(true)], true), (vec![begins(false)], false)] {
            let json = tokenizer(name, &more);
            let found = json["post_processor"]["single"][0]["SpecialToken"]["id"] == "<s>";
            assert_eq!(found, on, "{name}: {}", json["post_processor"]);
        }
    }
}
