//! Files of tokenizers in all their forms.

use super::super::forms::GPT2_REGEX;
use super::*;
use serde_json::json;

fn shipped(base: &str) -> Value {
    let path = format!("{}/www/models/{base}/tokenizer.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The message after one change to a shipped file.
fn refusal(base: &str, pointer: &str, value: Value) -> String {
    let mut file = shipped(base);
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    match file.pointer_mut(parent).unwrap() {
        Value::Object(object) => object.insert(key.into(), value),
        other => Some(std::mem::replace(&mut other[key.parse::<usize>().unwrap()], value)),
    };
    Tokenizer::from_json(&file.to_string()).unwrap_err().to_string()
}

#[test]
fn other_kinds_are_refused_with_what_was_found_and_what_is_known() {
    for (base, pointer, value, message) in [
        ("rules", "/normalizer", json!({"type": "NFKC"}), "normalizer is {\"type\":\"NFKC\"}, this loader knows null"),
        (
            "rules",
            "/normalizer",
            json!({"type": "Replace", "pattern": {"Regex": " "}, "content": "_"}),
            "normalizer is",
        ),
        ("rules", "/model/type", json!("Unigram"), "model.type is Unigram, this loader knows BPE, or"),
        ("rules", "/pre_tokenizer/pattern/Regex", json!("\\w+"), "knows Split at the regex \".\""),
        ("rules", "/decoder", json!(null), "decoder is null, this loader knows Fuse"),
        ("rules", "/model/unk_token", json!("?"), "model.unk_token is ?,"),
        ("rules", "/model/vocab/z", json!(40), "in place 20 is 40, of token \"z\""),
        ("rules", "/model/vocab/z", json!(3), "each once: in place 4 is 3,"),
        ("rules", "/added_tokens/0/id", json!(3), "the added token \"<s>\" has ids 3 and 18"),
        ("rules", "/added_tokens/0/content", json!(""), "added token 18 is empty"),
        ("prose-nano", "/pre_tokenizer/add_prefix_space", json!(true), "no prefix space"),
        ("prose-nano", "/pre_tokenizer", json!(null), "model.byte_fallback is false, this loader knows true without"),
        ("prose-nano", "/model/ignore_merges", json!("yes"), "model.ignore_merges is \"yes\""),
        ("prose-nano", "/post_processor", json!({"type": "RobertaProcessing"}), "knows null, ByteLevel, or"),
        ("prose-nano", "/model/byte_fallback", json!(true), "model.byte_fallback is true"),
        ("prose-nano", "/model/merges/0", json!(["x", "no such token"]), "merge 0, \"x\" \"no such token\", is not"),
        ("prose-nano", "/model/merges/1", json!("joined"), "merge 1,"),
        ("prose-nano", "/model/vocab", json!({"<|endoftext|>": 0, "a": 1}), "no token \"Ċ\" for byte 10"),
    ] {
        let refused = refusal(base, pointer, value);
        assert!(refused.contains(message), "{base} {pointer}: {refused}");
    }
}

#[test]
fn a_template_s_special_tokens_begin_a_text() {
    let with = |single: Value| {
        let mut file = shipped("prose-nano");
        file["post_processor"] =
            json!({"type": "TemplateProcessing", "single": single, "pair": [], "special_tokens": {}});
        Tokenizer::from_json(&file.to_string()).map(|t| t.begin().to_vec())
    };
    let special = |id: &str| json!({"SpecialToken": {"id": id, "type_id": 0}});
    let text = json!({"Sequence": {"id": "A", "type_id": 0}});
    assert_eq!(with(json!([special("<|endoftext|>"), text])), Ok(vec![0]));
    assert_eq!(with(json!([text])), Ok(Vec::new()));
    // What stands behind the text, and a token that is none, cannot be honoured.
    assert!(with(json!([text, special("<|endoftext|>")])).is_err());
    assert!(with(json!([special("<bos>"), text])).unwrap_err().to_string().contains("post_processor"));
    assert!(with(json!([])).is_err());
}

#[test]
fn equal_forms_are_equal() {
    let text = "It's  the best of\n\ntimes, we'll  say 1872 — <|endoftext|> “x”";
    let same = |base: &str, key: &str, value: Value| {
        let mut file = shipped(base);
        let ours = Tokenizer::from_json(&file.to_string()).unwrap();
        file[key] = value.clone();
        let other = Tokenizer::from_json(&file.to_string()).unwrap_or_else(|e| panic!("{value}: {e}"));
        assert_eq!((other.encode(text), other.begin()), (ours.encode(text), ours.begin()), "{value}");
    };
    let sequence = |list: &str, steps: &[&Value]| json!({"type": "Sequence", list: steps});
    let strip = json!({"type": "Strip", "strip_left": false, "strip_right": false});
    for base in ["rules", "prose-nano"] {
        let file = shipped(base);
        for normalizer in [
            sequence("normalizers", &[]),
            sequence("normalizers", &[&sequence("normalizers", &[])]),
            strip.clone(),
            sequence("normalizers", &[&strip, &json!({"type": "Prepend", "prepend": ""})]),
        ] {
            same(base, "normalizer", normalizer);
        }
        same(base, "pre_tokenizer", sequence("pretokenizers", &[&file["pre_tokenizer"]]));
        same(base, "decoder", sequence("decoders", &[&file["decoder"]]));
        for processor in
            [json!(null), sequence("processors", &[]), sequence("processors", &[&sequence("processors", &[])])]
        {
            same(base, "post_processor", processor);
        }
    }
    let bytes = |regex: Value| json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": regex});
    let split = |regex: &str, behavior: &str, invert: bool| json!({"type": "Split", "pattern": {"Regex": regex}, "behavior": behavior, "invert": invert});
    for regex in GPT2_REGEX {
        for split in [split(regex, "Isolated", false), split(regex, "Removed", true)] {
            same("prose-nano", "pre_tokenizer", sequence("pretokenizers", &[&split, &bytes(json!(false))]));
        }
    }
    same("prose-nano", "pre_tokenizer", json!({"type": "ByteLevel", "add_prefix_space": false}));
    same("prose-nano", "decoder", sequence("decoders", &[&bytes(json!(false)), &json!({"type": "Fuse"})]));
    same("prose-nano", "decoder", json!({"type": "ByteLevel"}));
    same("prose-nano", "post_processor", sequence("processors", &[&bytes(json!(true))]));
    let template =
        |single: Value| json!({"type": "TemplateProcessing", "single": single, "pair": [], "special_tokens": {}});
    let text = json!({"Sequence": {"id": "A", "type_id": 0}});
    same("prose-nano", "post_processor", sequence("processors", &[&bytes(json!(true)), &template(json!([text]))]));
}

#[test]
fn forms_that_only_look_equal_are_refused() {
    let nfkc = json!({"type": "NFKC"});
    let bytes = json!({"type": "ByteLevel", "add_prefix_space": false, "use_regex": false});
    let split =
        |regex: &str| json!({"type": "Split", "pattern": {"Regex": regex}, "behavior": "Isolated", "invert": false});
    let digits = json!({"type": "Digits", "individual_digits": true});
    let template = json!({"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A", "type_id": 0}}], "special_tokens": {}});
    for (key, value) in [
        ("normalizer", json!({"type": "Sequence", "normalizers": [nfkc]})),
        ("normalizer", json!({"type": "Sequence"})),
        ("normalizer", json!({"type": "Strip", "strip_left": true, "strip_right": false})),
        ("pre_tokenizer", json!({"type": "Sequence", "pretokenizers": [bytes, digits]})),
        ("pre_tokenizer", json!({"type": "Sequence", "pretokenizers": [split("\\w+"), bytes]})),
        ("pre_tokenizer", json!({"type": "Sequence", "pretokenizers": [split(GPT2_REGEX[0])]})),
        (
            "pre_tokenizer",
            json!({"type": "Sequence", "pretokenizers": [{"type": "Metaspace", "replacement": "▁"}, bytes]}),
        ),
        ("pre_tokenizer", json!({"type": "Metaspace", "replacement": "▁▁"})),
        ("post_processor", json!({"type": "Sequence", "processors": [template, template]})),
        ("decoder", json!({"type": "Sequence", "decoders": [{"type": "Fuse"}]})),
    ] {
        let refused = refusal("prose-nano", &format!("/{key}"), value);
        assert!(refused.starts_with(&format!("tokenizer.json: {key} is {{")), "{refused}");
    }
}

#[test]
fn a_template_s_own_list_says_which_ids_a_name_stands_for() {
    let with = |ids: Value| {
        let mut file = shipped("prose-nano");
        let single = json!([{"SpecialToken": {"id": "<bos>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]);
        file["post_processor"] = json!({
            "type": "TemplateProcessing", "single": single, "pair": [],
            "special_tokens": {"<bos>": {"id": "<bos>", "ids": ids, "tokens": ["a", "b"]}},
        });
        Tokenizer::from_json(&file.to_string()).map(|t| t.begin().to_vec())
    };
    assert_eq!(with(json!([7, 0])), Ok(vec![7, 0]));
    assert!(with(json!([1024])).is_err());
    assert!(with(json!(["a"])).is_err());
}

#[test]
fn a_vocabulary_may_lack_control_characters() {
    let without = |byte: &str, unknown: Value| {
        let mut file = shipped("prose-nano");
        let vocab = file["model"]["vocab"].as_object_mut().unwrap();
        let id = vocab.remove(byte).unwrap();
        // Ids have no gaps.
        vocab.insert("no byte".into(), id);
        file["model"]["unk_token"] = unknown;
        Tokenizer::from_json(&file.to_string()).map(|t| t.encode("a\u{4}\u{7f}b"))
    };
    let (a, b, delete) = (65, 66, 222);
    assert_eq!(without("\u{104}", json!(null)).unwrap(), [a, delete, b]);
    assert_eq!(without("\u{104}", json!("<|endoftext|>")).unwrap(), [a, 0, delete, b]);
    let refused = |byte: &str, unknown: Value| without(byte, unknown).unwrap_err().to_string();
    assert!(refused("\u{104}", json!("<unk>")).contains("model.unk_token is <unk>, this loader knows a token of"));
    assert!(refused("Z", json!(null)).contains("the vocabulary has no token \"Z\" for byte 90"));
    assert!(refused("Ġ", json!(null)).contains("for byte 32"));
}

#[test]
fn broken_files_are_refused() {
    for text in
        ["", "{", "[]", "{}", "{\"model\":{\"vocab\":{\"a\":-1}}}", "{\"model\":{\"vocab\":{}}}", &"[".repeat(100_000)]
    {
        let told = Tokenizer::from_json(text).unwrap_err().to_string();
        assert!(told.starts_with("tokenizer.json") && !told.contains("expected value"), "{told}");
    }
    let told = |text: &str| Tokenizer::from_json(text).unwrap_err().to_string();
    assert_eq!(told("{}"), "tokenizer.json is not readable: “model” is missing");
    assert_eq!(
        told("{\"model\":{\"vocab\":{\"a\":1}"),
        "tokenizer.json is not readable: it ends in line 1, before it is complete: is it cut short?"
    );
}

#[test]
fn merges_may_be_strings_as_older_files_have_them() {
    let mut file = shipped("prose-nano");
    let newer = Tokenizer::from_json(&file.to_string()).unwrap();
    for merge in file["model"]["merges"].as_array_mut().unwrap() {
        *merge = json!(format!("{} {}", merge[0].as_str().unwrap(), merge[1].as_str().unwrap()));
    }
    file["model"].as_object_mut().unwrap().remove("type");
    let older = Tokenizer::from_json(&file.to_string()).unwrap();
    let text = "It was the best of times.";
    assert_eq!(older.encode(text), newer.encode(text));
    assert!(older.encode(text).len() < 15);
}
