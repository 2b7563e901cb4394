//! The Python that the lab prints for prompts with answers and for chats of one's own runs, and counts alike.

use crate::command_line::peft_lab;
use crate::python::{fresh, python, run};
use peft_lab::config::RunConfig;
use peft_lab::interchange::python::{Sources, answered, script_from};
use serde_json::json;
use std::process::Command;

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

#[test]
fn chats_are_put_together_by_the_template_of_a_folder_in_python_too() {
    let Some(python) = python() else { return };
    let folder = fresh("chat-template");
    let base = folder.join("base");
    std::fs::create_dir(&base).unwrap();
    for file in ["config.json", "model.safetensors", "tokenizer.json"] {
        std::fs::copy(format!("tests/fixtures/own/gpt2/{file}"), base.join(file)).unwrap();
    }
    let template = "{{ bos_token }}{% for m in messages %}<{{ m['role'] }}> {{ m['content'] }}!{{ eos_token }}\n{% endfor %}\
        {% if add_generation_prompt %}<assistant> {% endif %}";
    let settings = json!({"chat_template": template, "bos_token": "(", "eos_token": {"content": ")"}});
    std::fs::write(base.join("tokenizer_config.json"), settings.to_string()).unwrap();
    let said = |role: &str, content: String| json!({"role": role, "content": content});
    let chat =
        |i: usize| json!({"messages": [said("user", format!("Count {i}")), said("assistant", format!("it is {i}"))]});
    let data = folder.join("chats.jsonl");
    std::fs::write(&data, (0..40).map(|i| format!("{}\n", chat(i))).collect::<String>()).unwrap();
    let [base, data] = [&base, &data].map(|path| path.display().to_string());
    let output =
        peft_lab(&["python", "--base-folder", &base, "--data-file", &data, "--method", "lora", "--steps", "1"]);
    let output = { output }.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut script = String::from_utf8(output.stdout).unwrap();
    script += "
text, right = held_out[0]
number = tokenizer.decode(text[-right:]).split()[-1].split('!')[0]
assert tokenizer.decode(text) == f'(<user> Count {number}!)\\n<assistant> it is {number}!', tokenizer.decode(text)
";
    let file = folder.join("script.py");
    std::fs::write(&file, script).unwrap();
    let ran = Command::new(&python).arg(&file).env("HF_HUB_OFFLINE", "1").output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
}
