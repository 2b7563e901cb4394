//! The Python that the lab prints for prompts with answers and for chats of one's own runs, and counts alike.

use crate::python::{fresh, python, run};
use peft_lab::config::RunConfig;
use peft_lab::interchange::python::{Sources, answered, script_from};
use serde_json::json;

#[test]
fn prompts_and_chats_of_one_s_own_are_trained_on_in_python() {
    let Some(python) = python() else { return };
    let folder = fresh("answers");
    let pairs: Vec<_> =
        (0..9).map(|i| json!({"prompt": format!("What is {i}?"), "answer": format!("It is {i}")})).collect();
    let said = |i: usize| json!([{"role": "user", "content": format!("Count {i}")}]);
    let chats: Vec<_> = (0..9).map(|i| json!({"prompt": said(i), "answer": format!("{i}\n{i}")})).collect();
    for (name, pairs) in [("pairs", pairs), ("chats", chats)] {
        let hash =
            format!("base=prose-nano&task=own&data={name}-1a2b3c4d&answers=free&method=lora&steps=2&batch_size=4");
        let (config, faults, _) = RunConfig::from_hash(&hash);
        assert!(faults.is_empty() && config.task.is_answered(), "{faults:?}");
        let data = answered(&json!({"training": pairs[2..], "held_out": pairs[..2]}).to_string());
        let text = script_from(&config, &Sources { base: None, data: Some(data) }).unwrap();
        std::fs::write(folder.join(format!("own-{name}.py")), text).unwrap();
        std::fs::write(folder.join(format!("own-{name}.count")), config.trainable().to_string()).unwrap();
    }
    run(&python, "run_scripts.py", &folder);
}
