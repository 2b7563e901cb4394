//! What leaves the lab for Python, read and run there: PEFT loads our exports, and the Python that the lab prints runs.
//!
//! Needs a Python with torch, transformers and peft (`tools/fixtures/requirements.txt`): `PEFT_LAB_PYTHON`, or `python3` where
//! it has them. Without one the tests say so and pass.

use crate::shared;
use burn::tensor::Device;
use peft_lab::base::{clock, read, stream};
use peft_lab::bases::{Base, OwnBase};
use peft_lab::cli::Disk;
use peft_lab::config::RunConfig;
use peft_lab::interchange::hf_adapter::{CONFIG_FILE, MODEL_FILE, write_adapter};
use peft_lab::interchange::python::{Sources, script, script_from, table, text_file};
use peft_lab::model::files::Writer;
use peft_lab::model::{Model, ModulePath, Storage, TensorInfo, Tokens};
use peft_lab::peft::{InitContext, MethodConfig, Phi, Shape};
use peft_lab::task::user_data;
use peft_lab::task::user_data::{Dropped, labelled, text_split};
use peft_lab::train::Session;
use peft_lab::train::library::{LoadedBase, Materials};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A Python with what is needed, where there is one.
pub fn python() -> Option<PathBuf> {
    let named = std::env::var_os("PEFT_LAB_PYTHON").map(PathBuf::from);
    let python = named.unwrap_or_else(|| "python3".into());
    let imports = Command::new(&python).args(["-c", "import torch, transformers, peft"]).output();
    let there = imports.is_ok_and(|o| o.status.success());
    if !there {
        println!("skipped: {} has no torch, transformers and peft", python.display());
    }
    there.then_some(python)
}

/// Runs a tool of tools/fixtures on a folder.
pub fn run(python: &Path, tool: &str, folder: &Path) {
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

/// An empty folder of a name.
pub fn fresh(name: &str) -> PathBuf {
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
    for (i, method) in shared::methods().into_iter().enumerate() {
        let config = RunConfig { method, steps: 4, batch_size: Some(8), ..config.clone() };
        let mut session =
            Session::new(0, config.clone(), base.clone(), &Materials::none(), &Device::flex(), "cpu", clock).unwrap();
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
        let shape = crate::every_family::shape(&theta);
        // Where W_Q, W_K, W_V are one module their updates become one.
        for (i, (method, knobs)) in [
            ("lora", &[("rank", "2"), ("target_modules", "q_proj,k_proj,v_proj,fc2")][..]),
            ("dora", &[("rank", "2"), ("target_modules", "q_proj,k_proj,v_proj,out_proj")]),
            ("dora", &[("rank", "3"), ("target_modules", "k_proj,fc1"), ("layers", "1")]),
            ("loha", &[("rank", "2"), ("alpha", "3"), ("target_modules", "q_proj,v_proj,fc2")]),
            ("loha", &[("rank", "3"), ("target_modules", "k_proj"), ("layers", "0")]),
            ("ia3", &[]),
            ("ia3", &[("target_modules", "q_proj,out_proj,fc2"), ("layers", "1")]),
            ("vera", &[("rank", "3"), ("target_modules", "out_proj,fc1")]),
        ]
        .into_iter()
        .enumerate()
        {
            let method = shared::method(method, knobs);
            let phi = shared::stirred(&shared::phi(&theta, &method, &Device::flex()));
            let files = match pollster::block_on(write_adapter(&method, (&theta, &shape), &base, &phi)) {
                Ok(files) => files,
                Err(why) => {
                    assert!(why.to_string().starts_with("PEFT has no LoHa for GPT-2's modules"), "{name}: {why}");
                    continue;
                }
            };
            let out = folder.join(format!("{name}-{i}-{}", method.info().name));
            std::fs::create_dir_all(&out).unwrap();
            std::fs::write(out.join(CONFIG_FILE), files.config).unwrap();
            std::fs::write(out.join(MODEL_FILE), files.weights).unwrap();
            let tokens = Tokens { ids: vec![3, 7, 1, 12, 16], sequences: 1, length: 5 };
            let logits = theta.logits(&phi.frozen(), &tokens, &[0, 1, 2, 3, 4]);
            let logits = pollster::block_on(read(logits.reshape([5 * 23]))).unwrap();
            let expected = json!({"ids": [tokens.ids], "logits": logits, "base": base});
            std::fs::write(out.join("expected.json"), expected.to_string()).unwrap();
        }
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
            "task=sentiment&template=It: {text}\\nGood? {label}&labels=yes,no way&method=icl&shots=2&labels=random",
            "task=style&author=homer&method=lora",
            "task=extract&method=lora",
            "task=extract&subject=order&examples=64&method=bitfit&template=Say {text} as {label};",
        ]
        .map(String::from),
    );
    for task in tasks {
        let (config, faults, _) = RunConfig::from_hash(&format!("{task}&steps=2&batch_size=4"));
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

/// A base of a tiny model, as if a visitor had brought it: its `config.json`, and the file with its weights.
fn brought(name: &str, config: String, weights: &str) -> &'static Base {
    let digest = name.bytes().fold(0_u64, |digest, b| digest.wrapping_mul(131).wrapping_add(b.into()));
    let id = format!("own-{name}-{digest:016x}");
    let (weights, tokenizer) = (vec![weights.into()], vec!["tokenizer.json".into()]);
    Base::register(&OwnBase { id, title: name.into(), config, weights, tokenizer, matrices: 0 }).unwrap()
}

/// A script beside what it is compared with: the count; and where φ alone says what is computed, φ and its logits.
fn write_script(out: &Path, config: &RunConfig, theta: &Model, of: &Path) {
    let source = Sources { base: Some(of.display().to_string()), data: None };
    std::fs::write(out.with_extension("py"), script_from(config, &source).unwrap()).unwrap();
    std::fs::write(out.with_extension("count"), config.trainable().to_string()).unwrap();
    // What is drawn in Python stands in no file of φ.
    if config.methods().any(|m| ["sparse", "pruning", "subspace", "icl", "text-prompt"].contains(&m.info().name)) {
        return;
    }
    let letters: Vec<u32> = (0..16).collect();
    let mut context = InitContext::new(theta, &Device::flex(), stream(2, "script"))
        .labels(&letters)
        .encode(|text| text.bytes().map(|b| u32::from(b - b'a')).collect())
        .begins(1);
    let mut phi = shared::stirred(&Phi::init(config.methods(), &mut context));
    phi.noise(None);
    let phi = phi.frozen();
    let (shape, mut writer) = (config.shape(), Writer::default());
    let name = |info: &TensorInfo| {
        let inside = |path: ModulePath| {
            let rest = info.name.strip_prefix(&path.key())?.strip_prefix('.')?;
            Some(format!("{}.{rest}", shape.model.family().key(path)))
        };
        ModulePath::all(&shape.model).find_map(inside).unwrap_or_else(|| info.name.clone())
    };
    let (mut flat, mut tensors) = (phi.flat().into_iter(), Vec::new());
    for method in config.methods() {
        let mut own: Vec<_> = method.method().tensors(&shape).into_iter().zip(flat.by_ref()).collect();
        // φ holds the adapters of all attentions first; the script goes block by block.
        let block = |info: &TensorInfo| info.name.split('.').find_map(|part| part.parse::<usize>().ok());
        if method.info().name == "adapter" {
            own.sort_by_key(|(info, _)| block(info));
        }
        tensors.extend(own);
    }
    for (i, (info, values)) in tensors.into_iter().enumerate() {
        writer.push(format!("{i:04} {}", name(&info)), &info, &pollster::block_on(read(values)).unwrap());
    }
    for [a, b] in phi.compositions().filter_map(|part| part.shared()) {
        for (name, x) in [("shared.0", a), ("shared.1", b)] {
            let [rows, columns] = x.dims();
            let values = pollster::block_on(read(x.transpose().reshape([rows * columns]))).unwrap();
            writer.push_floats(name, &[columns, rows], &values);
        }
    }
    let tokens = shared::tiny_batch(0).tokens;
    let ids: Vec<f32> = tokens.ids.iter().map(|id| *id as f32).collect();
    writer.push_floats("ids", &[2, 7], &ids);
    let logits = crate::families::logits(theta, &phi, &tokens);
    writer.push_floats("logits", &[2, 7, logits.len() / 14], &logits);
    std::fs::write(out.with_extension("safetensors"), writer.finish()).unwrap();
    let copies = |m: &MethodConfig| m.method().copied(&shape.model) == m.method().count(&shape).total();
    if config.methods().all(|m| copies(m) && !m.info().in_peft) {
        let merged = out.with_extension("merged");
        std::fs::create_dir_all(&merged).unwrap();
        let weights = pollster::block_on(theta.merged(&phi).to_safetensors()).unwrap();
        std::fs::write(merged.join("model.safetensors"), weights).unwrap();
        std::fs::copy(of.join("config.json"), merged.join("config.json")).unwrap();
    }
}

#[test]
fn the_python_of_every_family_answers_as_we_do_with_the_same_phi() {
    let Some(python) = python() else { return };
    let folder = fresh("family-scripts");
    // Of each family all methods on one model; on its other one what the families differ in.
    let whole = ["tiny", "gpt2", "llama-grouped", "mistral", "qwen2-untied", "qwen3", "neox"];
    let some = ["full", "bitfit", "lora", "ia3", "ln-tuning", "prefix", "adapter"];
    let together = [
        "method=lora,bitfit&biases=out_proj,norms",
        "method=prefix,ia3&num_virtual_tokens=3",
        "method=lora,dora,vera&dora.target_modules=k_proj&vera.target_modules=fc1,fc2",
        "method=prompt,adapter&num_virtual_tokens=2",
        "method=last-layer,prefix&num_virtual_tokens=3&layers=1",
    ];
    for (name, theta) in crate::every_family::models() {
        let of = match name.as_str() {
            "tiny" | "gpt2" => crate::fixtures::folder().join(&name),
            case => crate::fixtures::folder().join("families").join(case),
        };
        let config = std::fs::read_to_string(of.join("config.json")).unwrap();
        let base = brought(&name, config, "model.safetensors");
        let on = RunConfig { base, steps: 3, batch_size: Some(4), ..RunConfig::default() };
        let mut runs: Vec<RunConfig> = shared::methods()
            .into_iter()
            .filter(|m| whole.contains(&name.as_str()) || some.contains(&m.info().name))
            .map(|method| RunConfig { method, ..on.clone() })
            .collect();
        for hash in together.iter().filter(|_| whole.contains(&name.as_str())) {
            let (config, faults, _) = RunConfig::from_hash(hash);
            assert!(faults.is_empty(), "{faults:?}");
            runs.push(RunConfig { method: config.method, also: config.also, ..on.clone() });
        }
        runs.retain(|run| run.methods().all(|m| m.method().check(&run.shape(), 10).is_ok()));
        assert!(runs.len() > 10, "{name}");
        for (i, run) in runs.iter().enumerate() {
            let method = run.method.info().name;
            write_script(&folder.join(format!("{name}-{i:02}-{method}")), run, &theta, &of);
        }
    }
    run(&python, "run_scripts.py", &folder);
}

#[test]
fn a_gguf_file_that_transformers_does_not_read_has_no_script_and_says_why() {
    for name in ["neox", "neox-in-turn"] {
        let file = format!("{name}.gguf");
        let bytes = std::fs::read(crate::fixtures::folder().join("gguf").join(&file)).unwrap();
        let (_, json) = crate::gguf::read(&file, &bytes).model().unwrap();
        let config = RunConfig { base: brought(&format!("gguf-{name}"), json, &file), ..RunConfig::default() };
        let why = script_from(&config, &Sources::default()).unwrap_err();
        assert!(why.starts_with("transformers does not read GPT-NeoX from GGUF: take config.json"), "{why}");
    }
}

#[test]
fn a_script_reads_a_gguf_file_with_its_tokenizer_as_we_do() {
    let Some(python) = python() else { return };
    if !Command::new(&python).args(["-c", "import gguf"]).output().is_ok_and(|o| o.status.success()) {
        return println!("skipped: {} has no gguf", python.display());
    }
    let folder = fresh("gguf-scripts");
    let fixtures = crate::fixtures::folder();
    for name in ["llama-q8_0", "llama-untied", "qwen2", "qwen3", "gpt2"] {
        let (file, path) = (format!("{name}.gguf"), fixtures.join(format!("gguf/{name}.gguf")));
        let bytes = std::fs::read(&path).unwrap();
        let (model, json) = crate::gguf::read(&file, &bytes).model().unwrap();
        let theta = Model::load_files(model, &[(&file, &bytes)], None, Storage::F32, &Device::flex()).unwrap();
        let base = brought(&format!("gguf-{name}"), json, &file);
        let methods = [("lora", "rank", "2"), ("prefix", "num_virtual_tokens", "3"), ("ln-tuning", "", "")];
        for (method, knob, value) in methods {
            let knobs = [(knob, value)];
            let method = shared::method(method, if knob.is_empty() { &[] } else { &knobs });
            let config = RunConfig { base, method, steps: 2, batch_size: Some(4), ..RunConfig::default() };
            let out = folder.join(format!("{name}-{}", config.method.info().name));
            write_script(&out, &config, &theta, &path);
        }
    }
    let (file, data) = (fixtures.join("gguf/gpt2-own.gguf"), fixtures.join("own/reviews.csv"));
    let [file, data] = [file, data].map(|path| path.display().to_string());
    let run_on = ["python", "--base-folder", &file, "--data-file", &data, "--method", "lora", "--steps", "2"];
    let printed = crate::command_line::peft_lab(&run_on).output().unwrap();
    let mut text = String::from_utf8(printed.stdout).unwrap();
    let theirs = crate::fixtures::json("own/gpt2/logits.json");
    for (of, ids) in theirs["texts"].as_array().unwrap().iter().zip(theirs["ids"].as_array().unwrap()) {
        text += &format!("assert BEGIN + encode({of}) == {ids}\n");
    }
    std::fs::write(folder.join("own.py"), text).unwrap();
    let bytes = std::fs::read(&file).unwrap();
    let shape = Shape { model: crate::gguf::read("own.gguf", &bytes).model().unwrap().0, labels: 2 };
    let count = shared::method("lora", &[]).method().count(&shape).total();
    std::fs::write(folder.join("own.count"), count.to_string()).unwrap();
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
