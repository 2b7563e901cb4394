//! `peft-lab` as a program: what it prints, refuses and leaves behind.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

pub fn peft_lab(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_peft-lab"));
    command.args(args).current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// A folder of a test's own, gone with it.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let folder = std::env::temp_dir().join(format!("peft-lab-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Scratch(folder)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_text_longer_than_the_base_reads_is_cut_to_its_end_and_told() {
    let long = "over the hills and far away ".repeat(40);
    for (base, begin) in [("prose-nano", ""), ("prose-micro", "Once ")] {
        let answer = |text: &str| {
            let output = peft_lab(&["predict", "--base", base, "--text", text]).output().unwrap();
            let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
            (json, String::from_utf8_lossy(&output.stderr).into_owned())
        };
        let (all, said) = answer(&format!("{begin}{long}"));
        let (tokens, read) = (all["cut"]["tokens"].as_u64().unwrap(), all["cut"]["read"].as_u64().unwrap());
        assert_eq!(all["tokens"].as_array().unwrap().len() as u64, read);
        let grouped = if tokens > 999 { format!("{},{:03}", tokens / 1000, tokens % 1000) } else { tokens.to_string() };
        assert_eq!(said, format!("The text has {grouped} tokens, of which the last {read} are read.\n"), "{base}");
        // What stands in front of them does not matter.
        assert_eq!(answer(&format!("{long}{long}")).0["tokens"], all["tokens"], "{base}");
        let (short, said) = answer("far away");
        assert!(short.get("cut").is_none() && said.is_empty(), "{said}");
    }
    let empty = peft_lab(&["predict", "--base", "prose-nano", "--text", ""]).output().unwrap();
    assert!(!empty.status.success() && said(&empty).contains("--text is empty: give a text to read."));
}

#[test]
fn a_reader_that_stops_ends_a_command_quietly() {
    for args in [
        &["methods"][..],
        &["bases", "--json"],
        &["tasks"],
        &["cost", "--model", "opt-6.7b"],
        &["count", "--method", "full"],
        &["python"],
        &["predict", "--base", "prose-nano", "--text", "It was", "--logits"],
        &["bench", "--list"],
    ] {
        let mut child = peft_lab(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // Nobody reads any more before the first line comes.
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{args:?}: {}", said(&output));
    }
}

/// A checkpoint of the fixtures, and a table of 60 rows.
fn brought(scratch: &Scratch, checkpoint: &str) -> (String, String) {
    let base = format!("tests/fixtures/{checkpoint}");
    let rows: String = (0..60).map(|i| format!("a day by the lake {i},{}\n", ["good", "bad"][i % 2])).collect();
    let data = scratch.path("days.csv");
    std::fs::write(&data, format!("text,label\n{rows}")).unwrap();
    (base, data)
}

#[test]
fn a_run_on_one_s_own_base_and_data_is_scored_exported_and_merged() {
    for checkpoint in ["own/opt", "own/gpt2", "gguf/gpt2-own.gguf"] {
        let scratch = Scratch::new(&format!("own-run-{}", checkpoint.replace('/', "-")));
        let (base, data) = brought(&scratch, checkpoint);
        let run = scratch.path("run.jsonl");
        let ran = |args: &[&str]| peft_lab(args).output().unwrap();
        let own = ["--base-folder", base.as_str(), "--data-file", data.as_str()];
        let with = |args: &[&str]| ran(&[args, &own].concat());

        let trained = with(&["train", "--steps", "3", "--batch-size", "4", "--method", "lora", "--out", &run]);
        assert!(trained.status.success(), "{}", said(&trained));

        let scored = with(&["evaluate", "--run", &run]);
        assert!(scored.status.success() && said(&scored).contains("held-out loss"), "{}", said(&scored));
        let read = ran(&["predict", "--run", &run, "--text", "a day", "--base-folder", &base, "--data-file", &data]);
        assert!(read.status.success() && said(&read).contains("\"next\""), "{}", said(&read));
        let (adapter, merged) = (scratch.path("adapter"), scratch.path("merged"));
        let exported = with(&["export", "--run", &run, "--out", &adapter]);
        assert!(
            exported.status.success() && Path::new(&adapter).join("adapter_config.json").is_file(),
            "{}",
            said(&exported)
        );
        let folded = with(&["merge", "--run", &run, "--out", &merged]);
        assert!(folded.status.success() && Path::new(&merged).join("model.safetensors").is_file(), "{}", said(&folded));
        // What was merged is a checkpoint again.
        let again = ran(&["evaluate", "--base-folder", &merged, "--data-file", &data]);
        assert!(again.status.success(), "{}", said(&again));
        assert_eq!(last_loss(&said(&again)), last_loss(&said(&scored)));

        // Without the base the file is whole, and says what is missing.
        for command in [&["evaluate", "--run", &run][..], &["export", "--run", &run, "--out", &adapter]] {
            let refused = ran(command);
            let text = said(&refused);
            assert!(!refused.status.success() && text.contains("--base-folder names them"), "{text}");
            assert!(!text.contains("not an event"), "{text}");
        }
    }
}

#[test]
fn one_gguf_file_is_a_base_by_itself_or_alone_in_a_folder() {
    let scratch = Scratch::new("gguf");
    let (file, data) = brought(&scratch, "gguf/gpt2-own.gguf");
    let alone = scratch.path("alone");
    std::fs::create_dir_all(&alone).unwrap();
    std::fs::copy(&file, Path::new(&alone).join("other.gguf")).unwrap();
    std::fs::write(Path::new(&alone).join("README.md"), "of a model").unwrap();
    let count = |base: &str| peft_lab(&["count", "--base-folder", base, "--data-file", &data]).output().unwrap();
    for (base, text) in [(file.as_str(), "own-gpt2-own-"), (&alone, "own-other-")] {
        let counted = count(base);
        assert!(counted.status.success(), "{}", said(&counted));
        let config = peft_lab(&["link", "--base-folder", base, "--data-file", &data]).output().unwrap();
        assert!(!config.status.success() || said(&config).contains(text), "{}", said(&config));
    }
    // Several are several models, and a file of another kind is none.
    for (base, told) in [
        ("tests/fixtures/gguf", "are two models, each whole: choose one of them by itself"),
        (
            &data,
            "config.json is missing: a checkpoint is config.json, model.safetensors and tokenizer.json together, or one GGUF file",
        ),
    ] {
        let refused = count(base);
        assert!(!refused.status.success() && said(&refused).contains(told), "{}", said(&refused));
    }
    // A script reads it, too, by itself and in a folder.
    for base in [&file, &alone] {
        let script = peft_lab(&["python", "--base-folder", base, "--data-file", &data]).output().unwrap();
        let text = said(&script);
        assert!(script.status.success() && text.contains("gguf_file=") && text.contains("GGUFReader"), "{text}");
        assert!(text.contains(&format!("else \"{base}")) && text.contains(".gguf\"\n"), "{text}");
    }
}

/// To three digits: a merged network answers to 1e-5.
fn last_loss(said: &str) -> String {
    let loss: f64 = said.rsplit("held-out loss ").next().unwrap().split_whitespace().next().unwrap().parse().unwrap();
    format!("{loss:.3}")
}

#[test]
fn an_output_is_never_written_over_what_the_command_reads() {
    let scratch = Scratch::new("over");
    let (fixture, data) = brought(&scratch, "own/opt");
    let base = scratch.path("base");
    std::fs::create_dir_all(&base).unwrap();
    for file in std::fs::read_dir(&fixture).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), Path::new(&base).join(file.file_name())).unwrap();
    }
    let run = scratch.path("run.jsonl");
    let own = ["--base-folder", base.as_str(), "--data-file", data.as_str()];
    let trained = peft_lab(&[&["train", "--steps", "2", "--batch-size", "4", "--out", &run], &own[..]].concat());
    assert!({ trained }.output().unwrap().status.success());
    let contents = || [&data, &format!("{base}/model.safetensors"), &run].map(|path| std::fs::read(path).unwrap());
    let before = contents();
    for (args, out) in [
        (&["train", "--steps", "1"][..], data.as_str()),
        (&["train", "--steps", "1"], &format!("{base}/config.json")),
        (&["merge", "--run", &run], &base),
        (&["export", "--run", &run], &base),
        (&["export", "--run", &run], ""),
    ] {
        let output = peft_lab(&[args, &own[..], &["--out", out]].concat()).output().unwrap();
        assert!(!output.status.success() && said(&output).contains("--out"), "{args:?} {out}: {}", said(&output));
    }
    assert!(contents() == before, "nothing is lost");
}

#[test]
fn a_run_brings_its_own_settings_and_asks_for_its_own_data() {
    let scratch = Scratch::new("settings");
    let data = scratch.path("days.csv");
    let rows: String =
        (0..60).map(|i| format!("a day {i},{},{}\n", ["up", "down"][i % 2], ["good", "bad", "dull"][i % 3])).collect();
    std::fs::write(&data, format!("text,mood,label\n{rows}")).unwrap();
    let run = scratch.path("run.jsonl");
    let ran = |args: &[&str]| peft_lab(args).output().unwrap();
    let columns = ["--data-file", data.as_str(), "--label-column", "mood"];
    let trained = ran(&[&["train", "--steps", "2", "--batch-size", "4", "--out", &run], &columns[..]].concat());
    assert!(trained.status.success(), "{}", said(&trained));
    assert!(ran(&[&["evaluate", "--run", &run], &columns[..]].concat()).status.success());
    for (flag, value) in [("--method", "ia3"), ("--rank", "2"), ("--base", "prose-micro"), ("--seed", "5")] {
        let refused = ran(&[&["evaluate", "--run", &run, flag, value], &columns[..]].concat());
        assert!(
            !refused.status.success() && said(&refused).contains(&format!("leave {flag} out")),
            "{}",
            said(&refused)
        );
    }
    // The same file with other columns is other data.
    for other in [&[][..], &["--label-column", "label"]] {
        let refused = ran(&[&["evaluate", "--run", &run, "--data-file", &data], other].concat());
        let text = said(&refused);
        assert!(!refused.status.success() && text.contains("--label-column") && !text.contains("www"), "{text}");
    }
}

#[test]
fn flags_that_exclude_each_other_are_refused_together() {
    let scratch = Scratch::new("exclusive");
    let (base, data) = brought(&scratch, "own/opt");
    for (args, told) in [
        (&["count", "--base", "prose-nano", "--base-folder", &base][..], "name two bases"),
        (&["train", "--steps", "1", "--task", "authors", "--data-file", &data], "name two tasks"),
        (&["predict", "--text", "x", "--run", "a", "--adapter", "b"], "cannot be used with"),
    ] {
        let output = peft_lab(args).output().unwrap();
        assert!(!output.status.success() && said(&output).contains(told), "{args:?}: {}", said(&output));
    }
}

#[test]
fn what_gpt_2_s_layout_changes_is_told_of_gpt_2_alone() {
    for (base, told) in [("opt", false), ("gpt2", true)] {
        let folder = format!("tests/fixtures/own/{base}");
        let output = peft_lab(&["count", "--base-folder", &folder, "--task", "authors"]).output().unwrap();
        assert_eq!(said(&output).contains("are one matrix"), told, "{}", said(&output));
    }
}

#[test]
fn a_fault_names_the_flag() {
    for (flag, value) in [("--target-modules", "w_q"), ("--rank", "0"), ("--num-virtual-tokens", "many")] {
        let method = if flag == "--num-virtual-tokens" { "prompt" } else { "lora" };
        let output = peft_lab(&["count", "--method", method, flag, value]).output().unwrap();
        assert!(
            !output.status.success() && said(&output).starts_with(&format!("peft-lab: {flag}: ")),
            "{}",
            said(&output)
        );
    }
}

#[test]
fn a_script_of_one_s_own_names_what_was_named() {
    let scratch = Scratch::new("script");
    let (base, data) = brought(&scratch, "own/opt");
    let text = scratch.path("a \"text\".txt");
    std::fs::write(&text, "A day by the lake, and a night.\n".repeat(200)).unwrap();
    for (file, reads) in [(&data, "csv.reader(open("), (&text, "text = open(")] {
        let output = peft_lab(&["python", "--base-folder", &base, "--data-file", file]).output().unwrap();
        let script = said(&output);
        assert!(output.status.success(), "{script}");
        assert!(script.contains(&format!("len(sys.argv) > 1 else \"{base}\"")), "{script}");
        assert!(script.contains(&format!("{reads}{}", serde_json::json!(file))), "{script}");
        assert!(!script.contains("www/") && !script.contains("sys.argv[2]"), "{script}");
    }
    let json = scratch.path("columns.json");
    std::fs::write(&json, r#"{"text":["a","b","c","d"],"label":["x","y","x","y"]}"#).unwrap();
    let output = peft_lab(&["python", "--base-folder", &base, "--data-file", &json]).output().unwrap();
    assert!(!output.status.success() && said(&output).contains("save it as CSV"), "{}", said(&output));
    let other = ["python", "--base-folder", "tests/fixtures/own/gpt2", "--data-file", &data];
    let output = peft_lab(&other).output().unwrap();
    let text = said(&output);
    assert!(
        output.status.success() && text.contains("GPT2LMHeadModel") && text.contains("transformer.h.0.attn.c_attn"),
        "{text}"
    );
}

#[test]
fn a_prediction_loads_no_examples_and_tells_of_logits_that_are_none() {
    let scratch = Scratch::new("predict");
    let (base, data) = brought(&scratch, "own/opt");
    let (run, adapter) = (scratch.path("run.jsonl"), scratch.path("adapter"));
    let ran = |args: &[&str]| peft_lab(args).output().unwrap();
    let own = ["--base-folder", base.as_str(), "--data-file", data.as_str()];
    for command in [
        &["train", "--steps", "3", "--batch-size", "4", "--method", "lora", "--out", &run][..],
        &["export", "--run", &run, "--out", &adapter],
    ] {
        let output = ran(&[command, &own[..]].concat());
        assert!(output.status.success(), "{}", said(&output));
    }
    let predict =
        |phi: [&str; 2]| ran(&["predict", phi[0], phi[1], "--base-folder", &base, "--text", "a day", "--logits"]);
    let with_data = ran(&[&["predict", "--run", &run, "--text", "a day", "--logits"], &own[..]].concat());
    for phi in [["--run", run.as_str()], ["--adapter", adapter.as_str()]] {
        let alone = predict(phi);
        assert!(alone.status.success(), "{phi:?}: {}", said(&alone));
        assert_eq!(alone.stdout, with_data.stdout, "{phi:?}");
    }
    let scored = ran(&["evaluate", "--run", &run, "--base-folder", &base]);
    assert!(!scored.status.success() && said(&scored).contains("--data-file"), "{}", said(&scored));

    // Numbers of φ that are finite, and logits that are not.
    let path = Path::new(&adapter).join("adapter_model.safetensors");
    let bytes = std::fs::read(&path).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let huge = |n: usize| 3e38_f32.to_le_bytes().repeat(n / 4);
    let held: Vec<(String, Vec<usize>, Vec<u8>)> =
        tensors.tensors().into_iter().map(|(name, t)| (name, t.shape().to_vec(), huge(t.data().len()))).collect();
    let views = held.iter().map(|(name, shape, data)| {
        (name, safetensors::tensor::TensorView::new(safetensors::Dtype::F32, shape.clone(), data).unwrap())
    });
    let written = safetensors::serialize(views.collect::<Vec<_>>(), None).unwrap();
    std::fs::write(&path, written).unwrap();
    let output = predict(["--adapter", &adapter]);
    assert!(
        output.status.success() && said(&output).contains("logits are not finite: null stands"),
        "{}",
        said(&output)
    );
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(answer["next"].is_null() && answer["logits"][0][0].is_null(), "{answer}");
}

#[test]
fn a_dial_that_there_is_not_is_refused_with_its_limits() {
    for lambda in ["NaN", "inf", "1e300", "1.6", "-0.1"] {
        let output = peft_lab(&["evaluate", &format!("--lambda={lambda}")]).output().unwrap();
        assert!(!output.status.success() && said(&output).contains("it runs from 0 to 1.5"), "{}", said(&output));
    }
    for (flag, value) in
        [("--lr", "inf"), ("--lr", "1e39"), ("--alpha", "NaN"), ("--alpha", "1e300"), ("--alpha", "-4")]
    {
        let output = peft_lab(&["count", "--method", "lora", flag, value]).output().unwrap();
        let text = said(&output);
        assert!(!output.status.success() && text.contains(flag) && text.contains("it takes a number from"), "{text}");
    }
}

#[test]
fn shards_of_a_grid_merge_to_the_file_that_one_machine_writes() {
    let scratch = Scratch::new("shards");
    let grid = scratch.path("grid.json");
    let text = r#"{"title": "t", "question": "q", "axis": "lr", "fixed": {"steps": "2", "batch_size": "2", "scored": "8"},
        "grids": [{"method": ["lora", "bitfit"], "lr": ["0.001", "0.01"]}, {"method": ["prompt"], "lr": ["0.1"]}]}"#;
    std::fs::write(&grid, text).unwrap();
    let sweep = |args: &[&str]| {
        let all: Vec<&str> = ["sweep", &grid].into_iter().chain(args.iter().copied()).collect();
        let output = peft_lab(&all).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        said(&output)
    };
    // What took longer is none of the result.
    let timeless = |path: &str| {
        let mut json: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let points = json["points"].as_array_mut().unwrap();
        points.iter_mut().for_each(|point| point["seconds"] = 0.into());
        (points.len(), json)
    };
    let [whole, one, two, merged] = ["whole", "1", "2", "merged"].map(|name| scratch.path(&format!("{name}.json")));
    sweep(&["--out", &whole]);
    assert!(sweep(&["--shard", "1/2", "--out", &one]).contains("3 of 3"));
    assert!(sweep(&["--merge", &one, "--out", &merged]).contains("3 runs in"));
    sweep(&["--shard", "2/2", "--out", &two]);
    // It goes on from what is there: nothing is left to train.
    assert!(!sweep(&["--shard", "2/2", "--out", &two]).contains("of 2"));
    assert!(sweep(&["--out", &merged, "--merge", &two, &one]).contains("5 runs in"));
    assert_eq!(timeless(&merged), timeless(&whole));
    assert_eq!((timeless(&one).0, timeless(&two).0), (3, 2));
    let refused = peft_lab(&["sweep", &grid, "--shard", "3/2", "--out", &one]).output().unwrap();
    assert!(!refused.status.success() && said(&refused).contains("I from 1 to N"), "{}", said(&refused));
}
