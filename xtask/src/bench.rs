//! `cargo xtask bench`: milliseconds per step, natively, in Chromium and, where Python has it, in PyTorch; dispatches; sizes.

use crate::cargo::{cargo, root, run, stage, target_dir};
use crate::{Options, browser, site};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::process::Command;

/// Tokens of a step at each shape of `src/bench.rs`.
const TOKENS: [(&str, f64); 2] = [("S", 1024.0), ("s", 64.0)];

pub fn bench(options: &Options) -> Result<()> {
    let browser = browser::find()?;
    let site = site::build(options)?;
    stage("building the trainer and the browser's bench", || {
        run(&mut cargo(&["build", "--quiet", "--profile", "ci", "--bin", "peft-lab"]))?;
        run(&mut cargo(&["build", "--quiet", "--profile", "ci", "--package", "e2e", "--bin", "bench"]))
    })?;
    let bins = target_dir().join("ci");
    let mut rows = lines(Command::new(bins.join("peft-lab")).args(["bench", "--json"]).current_dir(root()))?;
    rows.extend(lines(
        Command::new(bins.join("bench"))
            .env("PEFT_LAB_DIST", &site.dist)
            .env("CHROMIUM", &browser.chromium)
            .env("CHROMEDRIVER", &browser.driver),
    )?);
    // Python is no part of the set-up: the comparison is made where it is there.
    let python = std::env::var("PEFT_LAB_PYTHON").unwrap_or_else(|_| "python3".into());
    match lines(Command::new(&python).arg(root().join("tools/bench/torch_step.py"))) {
        Ok(torch) => rows.extend(torch),
        Err(_) => {
            eprintln!("  {python} has no torch: no comparison with PyTorch (PEFT_LAB_PYTHON names another Python)")
        }
    }
    for row in &mut rows {
        let tokens = TOKENS.iter().find(|(shape, _)| row["shape"] == *shape).map(|(_, tokens)| *tokens);
        if let (Some(tokens), Some(ms)) = (tokens, row["ms"].as_f64()) {
            row["tokens_per_second"] = json!((tokens / ms * 1e3).round());
        }
    }
    rows.extend(
        site.sizes.iter().map(|(what, raw, gzip)| json!({"where": "dist", "file": what, "bytes": raw, "gzip": gzip})),
    );
    match options.json {
        true => rows.iter().for_each(|row| println!("{row}")),
        false => print(&rows),
    }
    Ok(())
}

/// Runs a command that prints one JSON object a line.
fn lines(command: &mut Command) -> Result<Vec<Value>> {
    let shown = format!("{command:?}");
    let output = command.output().with_context(|| format!("{shown} could not be started"))?;
    ensure!(output.status.success(), "{shown} failed:\n{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().filter(|l| l.starts_with('{')).map(|l| Ok(serde_json::from_str(l)?)).collect()
}

fn print(rows: &[Value]) {
    for row in rows {
        let text = |key: &str| row[key].as_str().unwrap_or_default().to_string();
        let name = ["shape", "method", "scene", "file"]
            .iter()
            .map(|k| text(k))
            .filter(|t| !t.is_empty())
            .collect::<Vec<_>>()
            .join(" ");
        let numbers = ["ms", "tokens_per_second", "dispatches", "bytes", "gzip"]
            .iter()
            .filter_map(|key| row[*key].as_f64().filter(|x| *x > 0.0).map(|x| format!("{x:.1} {key}")));
        println!("{:16} {name:28} {}", text("where"), numbers.collect::<Vec<_>>().join("  "));
    }
    let ms = |place: &str, method: &str| {
        rows.iter()
            .find(|r| r["where"] == place && r["shape"] == "S" && r["method"] == method)
            .and_then(|r| r["ms"].as_f64())
    };
    let ratio = |what: &str, a: Option<f64>, b: Option<f64>| {
        if let (Some(a), Some(b)) = (a, b) {
            println!("{what}: {:.2}", a / b);
        }
    };
    ratio("S full, Chromium over PyTorch", ms("chromium-cpu", "full"), ms("pytorch", "full"));
    ratio("S LoRA over full, Chromium", ms("chromium-cpu", "lora"), ms("chromium-cpu", "full"));
    ratio("S full, native over PyTorch", ms("native", "full"), ms("pytorch", "full"));
}
