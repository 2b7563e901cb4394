//! Links that are read whole, in part or not at all.

use super::{DeviceChoice, RunConfig};
use proptest::prelude::*;

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
