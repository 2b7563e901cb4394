//! Adapters in the forms that people have: what PEFT loads answers here as there, and what is not read is told by its key.

use crate::fixtures::{flat, folder, json, largest_difference, model, numbers, tokens};
use crate::peft::phi_of;
use peft_lab::config::RunConfig;
use peft_lab::interchange::hf_adapter::{AdapterFiles, CONFIG_FILE, MODEL_FILE, import, read_adapter};
use peft_lab::peft::Shape;
use peft_lab::peft::adapter_file::{Key, of_type};
use serde_json::{Value, json};

fn files(case: &str) -> AdapterFiles {
    let path = folder().join("adapters").join(case);
    AdapterFiles {
        config: std::fs::read_to_string(path.join(CONFIG_FILE)).unwrap(),
        weights: std::fs::read(path.join(MODEL_FILE)).unwrap(),
    }
}

fn theta(base: &str) -> peft_lab::model::Model {
    model(&folder().join(if base == "opt" { "tiny" } else { "gpt2" }))
}

fn cases(base: &str) -> Vec<String> {
    let folders = std::fs::read_dir(folder().join("adapters").join(base)).unwrap();
    let mut names: Vec<String> = folders.map(|f| f.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn what_peft_loads_and_we_load_gives_the_same_logits_to_1e_4() {
    for base in ["opt", "gpt2"] {
        let theta = theta(base);
        let shape = Shape { model: theta.config.clone(), labels: 3 };
        let cases = cases(base);
        assert!(cases.len() >= 12, "{cases:?}");
        for case in cases {
            let case = format!("{base}/{case}");
            let adapter = read_adapter(&files(&case), &shape).unwrap_or_else(|e| panic!("{case}: {e}"));
            let expected = json(&format!("adapters/{case}/expected.json"));
            let names: Vec<&str> = adapter.methods().map(|m| m.info().name).collect();
            assert_eq!(names.join("+"), expected["methods"].as_str().unwrap(), "{case}");
            let phi = phi_of(adapter, &theta);
            let tokens = tokens(&expected["ids"]);
            let all: Vec<usize> = (0..tokens.sequences * tokens.length).collect();
            let ours = numbers(theta.logits(&phi.frozen(), &tokens, &all));
            let apart = largest_difference(&ours, &flat(&expected["logits"]).0);
            println!("{case}: {apart:.1e}");
            assert!(apart < 1e-4, "{case}: logits differ by {apart}");
        }
    }
}

/// What the reader says to a fixture with some keys of its settings changed.
fn refused(case: &str, changes: &Value) -> String {
    let base = case.split('/').next().unwrap();
    let shape = Shape { model: theta(base).config.clone(), labels: 3 };
    let AdapterFiles { config, weights } = files(case);
    let mut config: Value = serde_json::from_str(&config).unwrap();
    config.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    match read_adapter(&AdapterFiles { config: config.to_string(), weights }, &shape) {
        Ok(adapter) => panic!("{case} with {changes} is read: {:?}", adapter.method),
        Err(e) => e.to_string(),
    }
}

#[test]
fn starts_that_change_the_base_are_refused_by_name_with_the_way_on() {
    for start in ["pissa", "pissa_niter_16", "olora", "corda", "loftq", "lora_ga", "a later one"] {
        let said = refused("opt/all-linear", &json!({ "init_lora_weights": start }));
        assert!(said.contains(&format!("init_lora_weights is \"{start}\"")), "{said}");
        assert!(said.contains("path_initial_model_for_weight_conversion"), "{said}");
    }
    for start in
        [json!(true), json!(false), json!(null), json!("gaussian"), json!("orthogonal"), json!("eva"), json!("mica")]
    {
        let AdapterFiles { config, weights } = files("opt/all-linear");
        let mut config: Value = serde_json::from_str(&config).unwrap();
        config["init_lora_weights"] = start;
        let shape = Shape { model: theta("opt").config.clone(), labels: 3 };
        read_adapter(&AdapterFiles { config: config.to_string(), weights }, &shape).unwrap();
    }
}

#[test]
fn what_would_compute_something_else_is_refused_by_its_key_with_a_way_on() {
    for (case, changes, key, way) in [
        ("opt/all-linear", json!({"use_qalora": true}), "use_qalora is true", "merge_and_unload"),
        ("opt/regex", json!({"lora_bias": true}), "lora_bias is true", "merge_and_unload"),
        ("gpt2/all-linear", json!({"layer_replication": [[0, 2]]}), "layer_replication is [[0,2]]", "merge_and_unload"),
        ("opt/regex", json!({"alora_invocation_tokens": [1]}), "alora_invocation_tokens is [1]", "merge_and_unload"),
        ("opt/all-linear", json!({"bias": "all"}), "bias is \"all\"", "save_pretrained"),
        ("opt/all-biases", json!({"bias": "some"}), "bias is \"some\"", "merge_and_unload"),
        ("opt/loha", json!({"task_type": "SEQ_CLS"}), "task_type is \"SEQ_CLS\"", "CAUSAL_LM"),
        ("opt/ia3", json!({"task_type": "TOKEN_CLS"}), "task_type is \"TOKEN_CLS\"", "CAUSAL_LM"),
        ("opt/vera", json!({"a_later_key": 3}), "a_later_key is 3", "merge_and_unload"),
        ("opt/prompt", json!({"another_later_key": "on"}), "another_later_key is \"on\"", "merge_and_unload"),
        ("opt/all-linear", json!({"modules_to_save": ["score"]}), "modules_to_save is [\"score\"]", "lost"),
        ("gpt2/all-linear", json!({"modules_to_save": ["wte"]}), "modules_to_save is [\"wte\"]", "lost"),
        ("opt/whole-names", json!({"target_modules": ["q_proj"]}), "target_modules is [\"q_proj\"]", "fc2"),
        ("opt/all-linear", json!({"exclude_modules": ["fc1"]}), "exclude_modules is [\"fc1\"]", "layers.0.fc1"),
        ("opt/one-layer", json!({"layers_to_transform": [0]}), "layers_to_transform is [0]", "layers.1"),
        ("opt/regex", json!({"target_modules": "all-linear"}), "has no tensor", "layers.0.self_attn.q_proj"),
        ("opt/rank-pattern", json!({"rank_pattern": {"k_proj": 4}}), "k_proj.lora_A.weight", "[5, 16]"),
        ("opt/alpha-pattern", json!({"alpha_pattern": {"v_proj": 2, "0.*v_proj": 3}}), "alpha_pattern is", "Leave one"),
        ("opt/all-linear", json!({"alpha_pattern": {"(?!fc1).*": 3}}), "alpha_pattern is", "looks around"),
        ("opt/all-linear", json!({"alpha_pattern": {r"(f)c\1": 3}}), "alpha_pattern is", "refers back"),
        ("opt/ia3", json!({"feedforward_modules": []}), "feedforward_modules is []", "fc2"),
        ("gpt2/ia3", json!({"feedforward_modules": ["c_attn", "c_proj"]}), "feedforward_modules is", "c_attn"),
        ("opt/ln-tuning", json!({"target_modules": ["ln_1"]}), "target_modules is [\"ln_1\"]", "layers.1"),
    ] {
        let said = refused(case, &changes);
        assert!(said.contains(key) && said.contains(way), "{case} with {changes}: {said}");
    }
    // Keys that PEFT has not had yet, or has no longer, are nothing where they are off.
    for off in [json!(null), json!(false), json!([]), json!({}), json!("none")] {
        let AdapterFiles { config, weights } = files("opt/vera");
        let mut config: Value = serde_json::from_str(&config).unwrap();
        config["a_later_key"] = off;
        let shape = Shape { model: theta("opt").config.clone(), labels: 3 };
        read_adapter(&AdapterFiles { config: config.to_string(), weights }, &shape).unwrap();
    }
}

#[test]
fn every_key_of_peft_s_configurations_is_in_the_table_and_no_other() {
    let fields = json("adapters/keys.json");
    for (peft_type, fields) in fields.as_object().unwrap().iter().filter(|(name, _)| *name != "peft") {
        let mut theirs: Vec<&str> = fields.as_array().unwrap().iter().map(|key| key.as_str().unwrap()).collect();
        let mut ours: Vec<&str> = of_type(peft_type).into_iter().map(|(key, _): (&str, Key)| key).collect();
        theirs.sort_unstable();
        ours.sort_unstable();
        assert_eq!(ours, theirs, "{peft_type}");
    }
}

#[test]
fn the_base_that_is_written_is_a_place_where_it_lies() {
    let files = files("opt/regex").on("/somewhere/else");
    let json: Value = serde_json::from_str(&files.config).unwrap();
    assert_eq!((json["base_model_name_or_path"].as_str(), json["r"].as_u64()), (Some("/somewhere/else"), Some(2)));
    for base in peft_lab::bases::BASES.iter().filter(|base| base.fetched().is_none()) {
        let path =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(peft_lab::interchange::adapter_base::written(base));
        assert!(path.join("config.json").is_file(), "{}", path.display());
    }
}

#[test]
fn an_adapter_of_another_base_is_told_with_both_names() {
    let config = RunConfig::default();
    for (case, name) in [("opt/all-linear", "facebook/opt-125m"), ("gpt2/all-linear", "gpt2")] {
        let AdapterFiles { config: text, weights } = files(case);
        let mut json: Value = serde_json::from_str(&text).unwrap();
        json["base_model_name_or_path"] = name.into();
        let said = import(&config, &AdapterFiles { config: json.to_string(), weights }).unwrap_err().to_string();
        assert!(said.contains(&format!("“{name}”")) && said.contains(&format!("“{}”", config.base.id)), "{said}");
    }
}

#[test]
fn settings_that_are_no_settings_are_called_what_they_are() {
    let shape = Shape { model: theta("opt").config, labels: 3 };
    let told = |config: &str| {
        let files = AdapterFiles { config: config.into(), ..files(&format!("opt/{}", cases("opt")[0])) };
        read_adapter(&files, &shape).map(|_| ()).unwrap_err().to_string()
    };
    for (config, said) in [
        ("", "it is empty"),
        ("{\"r\": 4,", "is it cut short?"),
        ("[]", "it is a list, and an object is expected"),
        ("{\"r\": 4, \"lora_alpha\": NaN}", "“lora_alpha” is NaN, and JSON has finite numbers alone"),
        ("{\n\"lora_alpha\": -Infinity}", "in line 2, “lora_alpha” is -Infinity"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 900\n", "is a pointer of Git LFS"),
        ("<!DOCTYPE html><title>401</title>", "is a web page"),
    ] {
        assert!(told(config).contains(said), "{}", told(config));
    }
}

#[test]
fn rank_and_alpha_that_are_left_out_have_the_defaults_of_peft() {
    let shape = Shape { model: theta("opt").config, labels: 3 };
    let mut seen = 0;
    for case in cases("opt") {
        let whole = files(&format!("opt/{case}"));
        let mut json: serde_json::Map<String, Value> = serde_json::from_str(&whole.config).unwrap();
        for (key, default) in [("lora_alpha", json!(8)), ("r", json!(8))] {
            if json.get(key) != Some(&default) {
                continue;
            }
            seen += 1;
            let left = json.remove(key);
            let without =
                AdapterFiles { config: Value::Object(json.clone()).to_string(), weights: whole.weights.clone() };
            let labels = |files: &AdapterFiles| {
                read_adapter(files, &shape).map(|a| format!("{:?}", a.method)).map_err(|e| e.to_string())
            };
            assert_eq!(labels(&without), labels(&whole), "{case} without {key}");
            json.insert(key.into(), left.unwrap());
        }
    }
    assert!(seen > 0, "a fixture has the default");
}

#[test]
fn a_pattern_that_python_cannot_read_either_is_told_with_its_key_and_its_place() {
    for (case, key, value, place) in [
        ("opt/regex", "target_modules", json!(r".*\.layers\.[01.*_proj"), "the [ at character 13 is not closed"),
        ("opt/all-linear", "exclude_modules", json!("(lm_head"), "the ( at character 1 is not closed"),
        ("opt/loha", "rank_pattern", json!({"*fc1": 4}), "nothing that the * at character 1 could repeat"),
        ("opt/alpha-pattern", "alpha_pattern", json!({"fc1)": 4.0}), "the ) at character 4 closes nothing"),
        ("opt/all-linear", "modules_to_save", json!(["lm_head", "fc1["]), "the [ at character 4 is not closed"),
        ("opt/one-layer", "layers_pattern", json!(["h{3,1}"]), "{3,1} at character 2 runs backwards"),
        ("opt/ia3", "feedforward_modules", json!("fc2\\"), "it ends in a backslash, at character 4"),
        ("gpt2/all-linear", "target_modules", json!("c_attn++?"), "the ? at character 9 repeats a repetition"),
    ] {
        let said = refused(case, &json!({ key: value }));
        let starts = format!("adapter_config.json: {key} is ");
        assert!(said.starts_with(&starts) && said.contains(place), "{case} with {key} {value}: {said}");
        assert!(said.contains("the pattern “") && !said.contains("looks around"), "{said}");
    }
}

#[test]
fn numbers_past_what_an_update_can_be_are_refused_with_key_and_limits() {
    let limits = "a number from -1000000 to 1000000";
    for (case, changes, key, said) in [
        ("opt/all-linear", json!({"lora_alpha": 1e300}), "lora_alpha is 1e+300", limits),
        ("gpt2/all-linear", json!({"lora_alpha": -4e38}), "lora_alpha is -4e+38", limits),
        ("opt/loha", json!({"alpha": 1e7}), "alpha is 10000000.0", limits),
        ("opt/alpha-pattern", json!({"alpha_pattern": {"v_proj": 1e39}}), "alpha_pattern is 1e+39", limits),
        ("opt/all-linear", json!({"lora_dropout": -0.5}), "lora_dropout is -0.5", "a number from 0 to 1"),
        ("opt/regex", json!({"lora_dropout": 1e300}), "lora_dropout is 1e+300", "a number from 0 to 1"),
        ("opt/all-linear", json!({"r": -2}), "r is -2", "a whole number"),
        ("opt/prompt", json!({"num_virtual_tokens": -1}), "num_virtual_tokens is -1", "a whole number"),
    ] {
        let found = refused(case, &changes);
        assert!(found.contains(key) && found.contains(said), "{case} with {changes}: {found}");
    }
}
