//! What leaves the lab for Python, read and run there: PEFT loads our exports, and the Python that the lab prints runs.
//!
//! Needs a Python with torch, transformers and peft (`tools/fixtures/requirements.txt`): `PEFT_LAB_PYTHON`, or `python3` where
//! it has them. Without one the tests say so and pass.

use crate::shared;
use burn::tensor::Device;
use peft_lab::base::clock;
use peft_lab::base::read;
use peft_lab::cli::Disk;
use peft_lab::config::RunConfig;
use peft_lab::interchange::hf_adapter::{CONFIG_FILE, MODEL_FILE, write_adapter};
use peft_lab::interchange::python::{script, table, text_file};
use peft_lab::model::Tokens;
use peft_lab::peft::Phi;
use peft_lab::task::user_data;
use peft_lab::task::user_data::{Dropped, labelled, text_split};
use peft_lab::train::Session;
use peft_lab::train::library::{LoadedBase, Materials};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn python() -> Option<PathBuf> {
    let named = std::env::var_os("PEFT_LAB_PYTHON").map(PathBuf::from);
    let python = named.unwrap_or_else(|| "python3".into());
    let imports = Command::new(&python).args(["-c", "import torch, transformers, peft"]).output();
    let there = imports.is_ok_and(|o| o.status.success());
    if !there {
        println!("skipped: {} has no torch, transformers and peft", python.display());
    }
    there.then_some(python)
}

fn run(python: &Path, tool: &str, folder: &Path) {
    let output = Command::new(python)
        .arg(Path::new(ROOT).join("tools/fixtures").join(tool))
        .arg(folder)
        .current_dir(ROOT)
        .env("HF_HUB_OFFLINE", "1")
        .output()
        .unwrap();
    println!("{}", String::from_utf8_lossy(&output.stdout));
    assert!(output.status.success(), "{tool}: {}", String::from_utf8_lossy(&output.stderr));
}

fn fresh(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn peft_answers_with_our_export_and_transformers_with_our_merged_network_as_we_do() {
    let Some(python) = python() else { return };
    let config = RunConfig::default();
    let base = pollster::block_on(LoadedBase::of(&config, &Disk::default(), &Device::flex())).unwrap();
    let base = Rc::new(base);
    let folder = fresh("exports");
    let ids = [18, 3, 7, 1, 12, 16, 4, 9];
    let mut exported = 0;
    // Knobs of the shared list fit the shipped base too.
    for (i, method) in shared::methods().into_iter().enumerate() {
        let config = RunConfig { method, steps: 4, batch_size: Some(8), ..config.clone() };
        let mut session =
            Session::new(0, config.clone(), base.clone(), &Materials::NONE, &Device::flex(), "cpu", clock).unwrap();
        pollster::block_on(session.begin()).unwrap();
        while !session.done() {
            pollster::block_on(session.advance(false)).unwrap();
        }
        let out = folder.join(format!("{i:02}-{}", config.method.info().name));
        let logits = |theta: &peft_lab::model::Model, phi: &Phi| {
            let tokens = Tokens { ids: ids.to_vec(), sequences: 1, length: ids.len() };
            let rows: Vec<usize> = (0..ids.len()).collect();
            pollster::block_on(read(theta.logits(phi, &tokens, &rows).reshape([ids.len() * 20]))).unwrap()
        };
        let ours = logits(session.theta(), &session.phi().frozen());
        if let Ok(files) = pollster::block_on(session.export()) {
            std::fs::create_dir_all(&out).unwrap();
            std::fs::write(out.join(CONFIG_FILE), files.config).unwrap();
            std::fs::write(out.join(MODEL_FILE), files.weights).unwrap();
            exported += 1;
        }
        if let Ok(merged) = session.merged() {
            let out = out.join("merged");
            std::fs::create_dir_all(&out).unwrap();
            std::fs::write(out.join("model.safetensors"), pollster::block_on(merged.to_safetensors()).unwrap())
                .unwrap();
            std::fs::copy(Path::new(ROOT).join("www/models/rules/config.json"), out.join("config.json")).unwrap();
        }
        if out.exists() {
            std::fs::write(out.join("expected.json"), json!({"ids": [ids], "logits": ours}).to_string()).unwrap();
        }
    }
    for (name, theta) in crate::every_family::models() {
        let base = if name == "tiny" || name == "gpt2" { name.clone() } else { format!("families/{name}") };
        // Where W_Q, W_K, W_V are one module their updates become one.
        let method = shared::method("lora", &[("rank", "2"), ("target_modules", "q_proj,k_proj,v_proj,fc2")]);
        let phi = shared::stirred(&shared::phi(&theta, &method, &Device::flex()));
        let shape = crate::every_family::shape(&theta);
        let files = pollster::block_on(write_adapter(&method, &shape, &base, &phi)).unwrap();
        let out = folder.join(&name);
        std::fs::create_dir_all(&out).unwrap();
        std::fs::write(out.join(CONFIG_FILE), files.config).unwrap();
        std::fs::write(out.join(MODEL_FILE), files.weights).unwrap();
        let tokens = Tokens { ids: vec![3, 7, 1, 12, 16], sequences: 1, length: 5 };
        let logits = theta.logits(&phi.frozen(), &tokens, &[0, 1, 2, 3, 4]);
        let logits = pollster::block_on(read(logits.reshape([5 * 23]))).unwrap();
        let expected = json!({"ids": [tokens.ids], "logits": logits, "base": base});
        std::fs::write(out.join("expected.json"), expected.to_string()).unwrap();
    }
    assert!(exported > 10);
    run(&python, "round_trip.py", &folder);
}

#[test]
fn the_python_that_the_lab_prints_runs_and_counts_alike() {
    let Some(python) = python() else { return };
    let folder = fresh("scripts");
    let mut methods: Vec<(String, RunConfig)> = Vec::new();
    for method in shared::methods().into_iter().chain([shared::method("text-prompt", &[("text", "abcd>bcad;")])]) {
        let config = RunConfig { method, steps: 3, batch_size: Some(4), ..RunConfig::default() };
        methods.push((config.method.info().name.into(), config));
    }
    for mask in ["fisher", "change", "magnitude"] {
        let method = shared::method("sparse", &[("num_weights", "40"), ("mask", mask)]);
        methods.push(("sparse".into(), RunConfig { method, steps: 3, batch_size: Some(4), ..RunConfig::default() }));
    }
    for hash in [
        "method=lora,bitfit",
        "method=prompt,adapter&num_virtual_tokens=4",
        "method=last-layer,ia3",
        "method=lora,prompt&num_virtual_tokens=4",
        "method=dora,ia3&ia3.target_modules=k_proj,fc2",
        "method=lora,p-tuning&num_virtual_tokens=4",
        "method=ln-tuning,vera",
        "method=prompt,ia3&num_virtual_tokens=4",
        "method=adapter,prefix&num_virtual_tokens=3&prefix_projection=true&encoder_hidden_size=5",
        "method=prefix,last-layer&num_virtual_tokens=3&layers=1,2",
        "method=prefix,ia3&num_virtual_tokens=3&init=text&init_text=abcd",
        "method=lora,dora,vera&dora.target_modules=k_proj&vera.target_modules=fc1,fc2",
    ] {
        let (config, faults, _) = RunConfig::from_hash(&format!("{hash}&steps=3&batch_size=4"));
        assert!(faults.is_empty(), "{faults:?}");
        methods.push(("together".into(), config));
    }
    for rule in peft_lab::task::rules::OFFERED {
        let (config, ..) = RunConfig::from_hash(&format!("method=lora&rule={rule}&steps=1&batch_size=4"));
        methods.push((format!("rule-{rule}"), config));
    }
    let mut tasks: Vec<String> = peft_lab::task::Question::all().map(|q| format!("question={}", q.name())).collect();
    tasks.iter_mut().for_each(|t| *t = format!("task=questions&{t}&method=lora"));
    tasks.extend(
        [
            "method=icl&shots=3",
            "method=icl&shots=2&labels=random",
            "method=icl&shots=2&template={text}%3B{label}>",
            "task=authors&method=lora",
            "task=dialogue&method=bitfit",
            "task=language&method=lora",
            "task=language&unit=word&method=icl&shots=4&template=Word {text} is {label}.\\n",
            "task=style&author=homer&method=lora",
        ]
        .map(String::from),
    );
    for task in tasks {
        let (config, faults, _) = RunConfig::from_hash(&format!("{task}&steps=1&batch_size=4"));
        assert!(faults.is_empty(), "{task}: {faults:?}");
        // Without `cargo xtask bake` there are no texts.
        if config.task.file().is_none_or(|file| Path::new(ROOT).join("www").join(file).exists()) {
            methods.push((config.task.name().into(), config));
        }
    }
    for (i, (name, config)) in methods.iter().enumerate() {
        let text = script(config);
        std::fs::write(folder.join(format!("{i:02}-{name}.py")), text).unwrap();
        std::fs::write(folder.join(format!("{i:02}-{name}.count")), config.trainable().to_string()).unwrap();
    }
    run(&python, "run_scripts.py", &folder);
}

/// What a few lines of Python make of a file; `None` where there is no Python.
fn data_of(code: &str) -> Option<serde_json::Value> {
    let code = format!("import json\n{code}print(json.dumps(data))");
    let output = Command::new("python3").args(["-c", &code]).output().ok()?;
    assert!(output.status.success(), "{code}\n{}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn a_script_reads_the_rows_labels_and_parts_that_the_lab_takes() {
    let rows = |separator: &str| -> String {
        let labels = ["good", "bad", "dull"];
        (0..40).map(|i| format!("a day by the lake {i}{separator}{}\n", labels[i % 3])).collect()
    };
    let object =
        |i: usize| format!("{{\"id\":{i},\"text\":\"a day, {i}\",\"ok\":{}}}", ["true", "false", "null"][i % 3]);
    let objects: Vec<String> = (0..40).map(object).collect();
    let wrapped: Vec<String> = objects.iter().map(|row| format!("{{\"row_idx\":0,\"row\":{row}}}")).collect();
    let folder = fresh("rows");
    for (name, contents) in [
        ("plain.csv", format!("text,label\n{}", rows(","))),
        (
            "quoted.csv",
            format!(
                "label,text\ngood,\"one,\n \"\"two\"\"\"\n\nbad,\"three\"\nbad,\"three\"\ngood,three\n,none\n{}",
                (0..9).map(|i| format!("bad,day {i}\n")).collect::<String>()
            ),
        ),
        ("named.csv", format!("sep=;\ntext;label\n{}text;label\n{}", rows(";"), "a late day;bad\n")),
        ("strays.tsv", format!("text\tlabel\n\"a stray day\tgood\n{}", rows("\t"))),
        ("no-header.csv", rows("|")),
        ("crlf.csv", format!("text,label\n{}", rows(",")).replace('\n', "\r\n")),
        ("bom.csv", format!("\u{feff}text,label\n{}", rows(","))),
        ("lines.jsonl", objects.join("\n")),
        ("list.json", format!("[\n{}\n]", objects.join(",\n"))),
        ("viewer.json", format!("[{}]", wrapped.join(", "))),
    ] {
        let path = folder.join(name).display().to_string();
        std::fs::write(&path, &contents).unwrap();
        let Dropped::Table(read) = user_data::read(name, contents.as_bytes()).unwrap() else { panic!("{name}") };
        let (text, label) = read.guess().unwrap();
        let split = labelled(&read, text, label, 0).unwrap();
        let code = table(&path, contents.as_bytes(), &read, (text, label), &split).unwrap();
        assert!(code.contains(&path), "{code}");
        let Some(data) = data_of(&code) else { return println!("skipped: no python3") };
        for (part, ours) in [("training", &split.training), ("held_out", &split.held_out)] {
            let mut ours: Vec<serde_json::Value> = ours.iter().map(|(label, text)| json!([label, text])).collect();
            let mut theirs = data[part].as_array().unwrap().clone();
            ours.sort_by_key(ToString::to_string);
            theirs.sort_by_key(ToString::to_string);
            assert_eq!(theirs, ours, "{name}: {part}");
        }
        assert_eq!(data["labels"].as_array().unwrap().len(), split.labels.len(), "{name}");
    }
    for contents in ["\n A day, é.\r\n".repeat(90), format!("\u{feff}{}", "Night falls.\n\n".repeat(120))] {
        let path = folder.join("text.txt").display().to_string();
        std::fs::write(&path, &contents).unwrap();
        let Dropped::Text(text) = user_data::read("text.txt", contents.as_bytes()).unwrap() else { panic!() };
        let data = data_of(&text_file(&path, contents.as_bytes(), &text).unwrap()).unwrap();
        let (training, held_out) = text_split(&text);
        assert_eq!(data["authors"][0], json!({"training": training, "held_out": held_out}));
    }
    // What a few lines of Python cannot read is told before it is run.
    for (name, contents) in [
        (
            "columns.json",
            r#"{"text":{"0":"a","1":"b","2":"c","3":"d"},"label":{"0":"x","1":"y","2":"x","3":"y"}}"#.to_string(),
        ),
        ("empty.csv", "text,label,\na,x,\nb,y,\nc,x,\nd,y,\n".into()),
    ] {
        let Dropped::Table(read) = user_data::read(name, contents.as_bytes()).unwrap() else { panic!("{name}") };
        let split = labelled(&read, 0, 1, 0).unwrap();
        let said = table(name, contents.as_bytes(), &read, (0, 1), &split).unwrap_err();
        assert!(said.starts_with(name) && said.contains("save it as CSV in UTF-8"), "{said}");
    }
}
