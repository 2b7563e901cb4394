//! Links that are read whole, in part or not at all.

use super::keys::{KEYS, WORDING};
use super::{DeviceChoice, Key, RunConfig};
use crate::peft::{MethodConfig, Range};
use crate::task::TaskConfig;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

fn read(hash: &str) -> (RunConfig, Vec<String>) {
    let (config, faults, _) = RunConfig::from_hash(hash);
    (config, faults.into_iter().map(|f| f.key).collect())
}

#[test]
fn the_contract_url_is_read_whole() {
    let (config, faults, rest) = RunConfig::from_hash(
        "#base=rules&task=rules&rule=cipher&method=lora&rank=8&target_modules=q_proj,v_proj&steps=200&seed=0&device=cpu&run=1",
    );
    assert!(faults.is_empty(), "{faults:?}");
    assert_eq!(rest, [("run".to_string(), "1".to_string())]);
    assert_eq!(config.task.title(), "cipher");
    assert_eq!((config.steps, config.device), (200, DeviceChoice::Cpu));
    assert_eq!(config.trainable(), 8192);
}

#[test]
fn the_design_s_counts() {
    let (config, _) = read("base=prose-micro&task=authors&method=lora&rank=8");
    assert_eq!(
        crate::peft::trainable_line(config.trainable(), config.all_parameters()),
        "trainable params: 16,384 || all params: 957,440 || trainable%: 1.7112"
    );
    for (hash, count) in [
        ("method=lora", 4096),
        ("method=full", 205_568),
        ("method=last-layer", 1280),
        ("method=last-layer&rows=labels", 1024),
        ("method=bitfit", 2880),
        ("method=prompt", 1280),
        ("method=prefix", 5120),
        ("method=adapter", 8768),
    ] {
        assert_eq!(read(hash).0.trainable(), count, "{hash}");
    }
}

#[test]
fn absurd_values_leave_a_config_that_trains_and_say_why() {
    for (hash, key) in [
        ("method=lora&rank=0", "rank"),
        ("method=lora&rank=100", "rank"),
        ("method=prompt&num_virtual_tokens=60", "num_virtual_tokens"),
        ("lr=NaN", "lr"),
        ("lr=-1", "lr"),
        ("lr=inf", "lr"),
        ("steps=0", "steps"),
        ("batch_size=1e9", "batch_size"),
        ("method=loraa", "method"),
        ("base=gpt-5", "base"),
        ("base=own-gpt-5-12345678", "base"),
        ("task=own&data=../x", "data"),
        ("task=own&classes=1", "classes"),
        ("task=own&data=a-1&examples=5", "examples"),
        ("task=world-peace", "task"),
        ("rule=%00%ff%zz", "rule"),
        ("seed=-3", "seed"),
        ("device=quantum", "device"),
        ("base=prose-nano&task=rules", "base"),
        ("method=prompt&init=text", "init_text"),
        ("method=prefix&init=text", "init_text"),
        ("method=prefix&init=text&init_text=abcd&prefix_projection=true", "init"),
    ] {
        let (config, faults) = read(hash);
        assert_eq!(faults, [key], "{hash}");
        config.check().unwrap();
    }
}

#[test]
fn alpha_follows_the_rank_until_it_is_set() {
    let (config, _) = read("method=lora&rank=16");
    assert!(!config.to_hash().contains("alpha"));
    let (config, _) = read("method=lora&rank=16&alpha=8");
    assert!(config.to_hash().contains("alpha=8"));
}

proptest! {
    #[test]
    fn any_hash_gives_a_config_that_trains_and_reads_back(hash in "\\PC{0,80}|([a-z_]{1,12}=[-a-z0-9.,%]{0,12}&){0,6}") {
        let (config, _, _) = RunConfig::from_hash(&hash);
        config.check().unwrap();
        let (again, faults, _) = RunConfig::from_hash(&config.to_hash());
        prop_assert!(faults.is_empty());
        prop_assert_eq!(config, again);
    }
}

#[test]
fn the_table_names_each_key_once_and_no_knob_is_hidden_by_one() {
    let mut names: Vec<&str> = KEYS.iter().map(|key| key.name).collect();
    names.extend(["run", "hide"]);
    let knobs: BTreeSet<&str> =
        MethodConfig::all().iter().flat_map(|m| m.info().knobs.iter().map(|knob| knob.name)).collect();
    names.extend(knobs);
    let distinct: BTreeSet<&str> = names.iter().copied().collect();
    assert_eq!(names.len(), distinct.len(), "{names:?}");
}

#[test]
fn a_task_has_the_choices_that_the_table_gives_it() {
    let is_wording = |key: &Key| WORDING.iter().any(|wording| wording.name == key.name);
    for key in KEYS.iter().filter(|key| !key.tasks.is_empty() && !is_wording(key)) {
        for name in TaskConfig::NAMES {
            // A text that no choice takes: its fault tells whether there is one.
            let fault = TaskConfig::named(name).unwrap().set(key.name, "Ü").unwrap_err();
            let has = !fault.message.contains("has no choice");
            assert_eq!(has, key.tasks.contains(&name), "{} of {name}", key.name);
        }
    }
}

#[test]
fn the_table_s_ranges_are_what_the_grammar_takes() {
    for key in KEYS {
        let task = key.tasks.first().unwrap_or(&"rules");
        let faults = |text: &str| {
            let pairs = [("task", task), ("steps", &"1"), (key.name, &text)];
            RunConfig::from_pairs(&pairs.map(|(k, v)| (k.to_string(), v.to_string()))).1.len()
        };
        match &key.range {
            Some(Range::Integer { min, max, .. }) => {
                assert_eq!([*min, *max].map(|n| faults(&n.to_string())), [0, 0], "{}", key.name);
                assert_eq!([min - 1, max + 1].map(|n| faults(&n.to_string())), [1, 1], "{}", key.name);
            }
            Some(Range::Choice(options)) => {
                assert_eq!(options.iter().map(|(value, _)| faults(value)).sum::<usize>(), 0, "{}", key.name);
                assert_eq!(faults("none of them"), 1, "{}", key.name);
            }
            _ => {}
        }
    }
}

#[test]
fn a_control_shows_what_holds_and_setting_that_changes_nothing() {
    let opening = RunConfig::default();
    let set = RunConfig {
        lr: Some(0.5),
        batch_size: Some(7),
        seed: u64::MAX,
        device: DeviceChoice::Cpu,
        workers: Some(3),
        forgetting: true,
        ..opening.clone()
    };
    let names = ["lr", "batch_size", "steps", "seed", "examples", "forgetting", "device", "workers"];
    for (config, texts) in [
        (opening, ["", "", "300", "0", "", "false", "auto", "auto"]),
        (set, ["0.5", "7", "300", "18446744073709551615", "", "true", "cpu", "3"]),
    ] {
        assert_eq!(names.map(|name| config.text(name)), texts);
        for (name, text) in names.into_iter().zip(texts) {
            assert_eq!(config.with(&[(name, text)]), Ok(config.clone()), "{name}={text}");
        }
    }
}

#[test]
fn a_fault_names_the_key_quotes_the_text_and_says_what_is_taken() {
    for (hash, message) in [
        ("lr=NaN", "lr cannot be “NaN”: it takes a number from 0.0000001 to 10."),
        ("batch_size=0", "batch_size cannot be “0”: it takes a whole number from 1 to 512."),
        ("seed=-3", "seed cannot be “-3”: it takes a whole number."),
        ("workers=9", "workers cannot be “9”: it takes a whole number from 1 to 4."),
        ("device=quantum", "There is no device “quantum”. There is: auto, cpu, webgpu."),
        ("forgetting=2", "There is no forgetting “2”. There is: true, false."),
        ("examples=0", "Training examples: a whole number from 1 to 100000, or “all”."),
        ("rank=0", "Rank cannot be “0”: it takes a whole number from 1 to 1024."),
    ] {
        let (_, faults, _) = RunConfig::from_hash(hash);
        assert_eq!(faults.iter().map(|f| f.message.as_str()).collect::<Vec<_>>(), [message]);
    }
}

#[test]
fn an_address_escapes_what_has_a_meaning_in_it() {
    let text = "a-_.,~ Z09&=+%/é";
    let hash = format!("method=text-prompt&text={text}").replace(text, "a-_.,~+Z09%26%3d%2B%25/%C3%A9");
    let (config, faults, _) = RunConfig::from_hash(&hash);
    assert!(faults.is_empty(), "{faults:?}");
    assert_eq!(config.text("text"), text);
    assert!(config.to_hash().contains("text=a-_.,~%20Z09%26%3D%2B%25%2F%C3%A9&"), "{}", config.to_hash());
}

/// Keys and texts that a visitor types, right and wrong.
fn typed() -> impl Strategy<Value = (&'static str, String)> {
    let names = KEYS.iter().map(|key| key.name).filter(|name| !["base", "task", "method"].contains(name));
    let knobs = MethodConfig::all().into_iter().flat_map(|m| m.info().knobs.iter().map(|knob| knob.name));
    let names: Vec<&'static str> = names.chain(knobs).collect();
    (proptest::sample::select(names), "[0-9]{0,3}|0\\.[0-9]|all|auto|true|false|text|q_proj|[0-9],[0-9]")
}

proptest! {
    #[test]
    fn setting_keys_gives_the_run_of_the_address_with_these_keys(
        hash in "method=(lora|dora|prompt|prefix|lora,ia3|prompt,adapter|icl)(&rank=[1-9])?(&alpha=[1-9])?(&lr=0\\.[1-9])?",
        typed in proptest::collection::vec(typed(), 1..4),
    ) {
        let (config, _, _) = RunConfig::from_hash(&hash);
        let mut pairs = config.pairs();
        for (key, text) in &typed {
            pairs.retain(|(k, _)| k != key);
            let optional = ["lr", "batch_size", "examples", "scored", "alpha", "template", "labels"].contains(key);
            if !(text.is_empty() && optional) {
                pairs.push((key.to_string(), text.clone()));
            }
        }
        let (whole, faults, _) = RunConfig::from_pairs(&pairs);
        let texts: BTreeMap<&str, &str> = typed.iter().map(|(key, text)| (*key, text.as_str())).collect();
        let mut last: Vec<(&str, &str)> = Vec::new();
        for (key, _) in &typed {
            last.retain(|(k, _)| k != key);
            last.push((key, texts[key]));
        }
        prop_assert_eq!(config.with(&last), faults.into_iter().next().map_or(Ok(whole), Err));
    }
}
