//! `cargo xtask bench`: milliseconds a step, peak bytes and dispatches of every method, natively, in Chromium, on WebGPU and, where Python has
//! it, in PyTorch; sizes of what is downloaded. `--save` writes the baseline, `--compare` shows what has changed against it.

use crate::cargo::{cargo, root, run, stage, target_dir};
use crate::site::{self, Size};
use crate::{browser, flags};
use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

/// Tokens of a step at each shape of `src/bench.rs`.
const TOKENS: [(&str, f64); 5] = [("S", 1024.0), ("rules", 576.0), ("s", 64.0), ("L", 256.0), ("L-q4_1", 256.0)];
/// How often the large shape is measured in turns with PyTorch; the quietest round counts.
const ROUNDS: usize = 3;
const BASELINE: &str = "bench/baseline.jsonl";
/// What can be measured by itself.
const PARTS: [&str; 6] = ["native", "large", "chromium", "webgpu", "pytorch", "sizes"];
/// Change of a time that a shared machine makes by itself.
const NOISE: f64 = 0.15;

pub fn bench(flags: &flags::Bench) -> Result<()> {
    if let Some(unknown) = flags.part.iter().find(|name| !PARTS.contains(&name.as_str())) {
        bail!("there is nothing called “{unknown}” to measure: {}", PARTS.join(", "));
    }
    let wanted = |part: &str| flags.part.is_empty() || flags.part.iter().any(|name| name == part);
    let browsed: Vec<&str> = ["chromium", "large", "webgpu"].into_iter().filter(|part| wanted(part)).collect();
    stage("building the trainer", || run(&mut cargo(&["build", "--quiet", "--profile", "ci", "--bin", "peft-lab"])))?;
    let bins = target_dir().join("ci");
    let mut rows = Vec::new();
    // What has been measured is on the screen, whatever happens to the rest.
    let shown = |row: &Value| match flags.json {
        true => println!("{row}"),
        false => print(row),
    };
    let lab = |args: &[&str]| {
        let mut command = Command::new(bins.join("peft-lab"));
        command.args(["bench", "--json"]).args(args).current_dir(root());
        command
    };
    let methods = lines(&mut lab(&["--list"]), |_| ())?;
    let methods: Vec<&str> = methods.iter().filter_map(|row| row["method"].as_str()).collect();
    if wanted("native") {
        for shape in ["S", "rules", "s"] {
            rows.extend(stage("measuring the native trainer", || lines(&mut lab(&["--shape", shape]), shown))?);
        }
    }
    if wanted("large") {
        rows.extend(stage("measuring the large shape", || large(&lab))?);
        rows.iter().filter(|row| row["shape"] == "L").for_each(shown);
    }
    if !browsed.is_empty() || wanted("sizes") {
        let browser = browser::find()?;
        let site = site::build(false, !flags.no_gpu)?;
        if wanted("sizes") {
            for Size { file, bytes, gzip, brotli } in &site.sizes {
                let row = json!({"where": "dist", "file": file, "bytes": bytes, "gzip": gzip, "brotli": brotli});
                shown(&row);
                rows.push(row);
            }
        }
        if !browsed.is_empty() {
            stage("building the browser's bench", || {
                run(&mut cargo(&["build", "--quiet", "--profile", "ci", "--package", "e2e", "--bin", "bench"]))
            })?;
            let mut command = Command::new(bins.join("bench"));
            command.env("PEFT_LAB_DIST", &site.dist).env("CHROMIUM", &browser.chromium);
            command.env("CHROMEDRIVER", &browser.driver).env("PEFT_LAB_METHODS", methods.join(","));
            command.env("PEFT_LAB_PARTS", browsed.join(","));
            if let Some(model) = &flags.model {
                command.env("PEFT_LAB_MODEL", std::path::absolute(model)?);
            }
            rows.extend(stage("measuring in Chromium", || lines(&mut command, shown))?);
        }
    }
    if wanted("pytorch") {
        match stage("measuring PyTorch", || lines(&mut torch(&[]), shown)) {
            Ok(torch) => rows.extend(torch),
            Err(_) => eprintln!("  {} has no torch: no comparison with PyTorch ({NAMED})", python()),
        }
    }
    if !flags.json {
        ratios(&rows);
    }
    if flags.compare {
        compare(&rows)?;
    }
    if flags.save { save(rows, flags.part.is_empty()) } else { Ok(()) }
}

/// How another Python is named.
const NAMED: &str = "PEFT_LAB_PYTHON names another Python";

/// Python is no part of the set-up: PyTorch is compared with where it is there.
fn python() -> String {
    std::env::var("PEFT_LAB_PYTHON").unwrap_or_else(|_| "python3".into())
}

fn torch(shapes: &[&str]) -> Command {
    let mut command = Command::new(python());
    command.arg(root().join("tools/bench/torch_step.py")).args(shapes).stderr(Stdio::null());
    command
}

/// A model of 135 million parameters: the whole batch on one thread in turns with PyTorch, and its parts on one thread
/// and on two.
fn large(lab: &impl Fn(&[&str]) -> Command) -> Result<Vec<Value>> {
    let mut rounds: Vec<Vec<Value>> = Vec::new();
    for round in 0..ROUNDS {
        let steps = ["--shape", "L", "--steps", "7"];
        let mut found = lines(&mut lab(&steps), |_| ())?;
        match lines(&mut torch(&["L"]), |_| ()) {
            Ok(torch) => found.extend(torch),
            Err(_) if round == 0 => {
                let python = python();
                eprintln!("  {python} has no torch, transformers and peft: no comparison with PyTorch ({NAMED})")
            }
            Err(_) => {}
        }
        for workers in ["1", "2"] {
            found.extend(lines(&mut lab(&[&steps[..], &["--workers", workers]].concat()), |_| ())?);
        }
        rounds.push(found);
    }
    Ok(quietest(rounds))
}

/// Of each row its round of the least milliseconds, with the least `cpu` of all rounds.
fn quietest(rounds: Vec<Vec<Value>>) -> Vec<Value> {
    let mut rows: Vec<Value> = Vec::new();
    for row in rounds.into_iter().flatten() {
        let number = |row: &Value, key: &str| row[key].as_f64().unwrap_or(f64::INFINITY);
        let Some(kept) = rows.iter_mut().find(|kept| name(kept) == name(&row)) else {
            rows.push(row);
            continue;
        };
        let cpu = number(kept, "cpu").min(number(&row, "cpu"));
        if number(&row, "ms") < number(kept, "ms") {
            *kept = row;
        }
        if cpu.is_finite() {
            kept["cpu"] = json!(cpu);
        }
    }
    rows
}

/// Runs a command that prints one JSON object a line, and hands on each as it comes. What the command says
/// otherwise is passed through.
fn lines(command: &mut Command, mut comes: impl FnMut(&Value)) -> Result<Vec<Value>> {
    let shown = format!("{command:?}");
    let mut child = command.stdout(Stdio::piped()).spawn().with_context(|| format!("{shown} could not be started"))?;
    let mut rows = Vec::new();
    for line in child.stdout.take().into_iter().flat_map(|out| BufReader::new(out).lines()) {
        let mut found = objects(&line?)?;
        found.iter_mut().for_each(with_tokens);
        found.iter().for_each(&mut comes);
        rows.extend(found);
    }
    let status = child.wait()?;
    ensure!(status.success(), "{shown} ended with {status}");
    Ok(rows)
}

fn objects(text: &str) -> Result<Vec<Value>> {
    text.lines().filter(|l| l.starts_with('{')).map(|l| Ok(serde_json::from_str(l)?)).collect()
}

/// Adds the tokens of a second to a step's milliseconds.
fn with_tokens(row: &mut Value) {
    let tokens = TOKENS.iter().find(|(shape, _)| row["shape"] == *shape).map(|(_, tokens)| *tokens);
    if let (Some(tokens), Some(ms)) = (tokens, row["ms"].as_f64()) {
        row["tokens_per_second"] = json!((tokens / ms * 1e3).round());
    }
}

/// What a row is about.
fn name(row: &Value) -> String {
    let texts = ["where", "shape", "method", "scene", "file"].iter().filter_map(|key| row[*key].as_str());
    texts.collect::<Vec<_>>().join(" ")
}

fn print(row: &Value) {
    const NUMBERS: [&str; 14] = [
        "ms",
        "memory",
        "cpu",
        "forward",
        "backward",
        "optimizer",
        "peak",
        "dispatches",
        "submits",
        "buffers",
        "reads",
        "bytes",
        "gzip",
        "brotli",
    ];
    let numbers = NUMBERS.iter().filter_map(|key| Some((key, row[*key].as_f64().filter(|x| *x > 0.0)?)));
    let numbers = numbers.map(|(key, x)| match *key {
        "memory" | "peak" | "bytes" | "gzip" | "brotli" => format!("{key} {:.2} MB", x / 1e6),
        _ => format!("{key} {x:.2}"),
    });
    println!("{:44} {}", name(row), numbers.collect::<Vec<_>>().join("  "));
}

/// What the rows say together.
fn ratios(rows: &[Value]) {
    let number = |place: &str, shape: &str, method: &str, key: &str| {
        let row = rows.iter().find(|r| r["where"] == place && r["shape"] == shape && r["method"] == method);
        row.and_then(|r| r[key].as_f64())
    };
    let ms = |place: &str, method: &str| number(place, "S", method, "ms");
    let large = |place: &str, key: &str| number(place, "L", "lora", key);
    let ratio = |what: &str, a: Option<f64>, b: Option<f64>| {
        if let (Some(a), Some(b)) = (a, b) {
            println!("{what}: {:.2}", a / b);
        }
    };
    ratio("S full, Chromium over PyTorch", ms("chromium-cpu", "full"), ms("pytorch", "full"));
    ratio("S LoRA over full, Chromium", ms("chromium-cpu", "lora"), ms("chromium-cpu", "full"));
    ratio("S full, native over PyTorch", ms("native", "full"), ms("pytorch", "full"));
    ratio("L LoRA, native over PyTorch", large("native", "ms"), large("pytorch", "ms"));
    ratio("L LoRA, native over PyTorch, of what processors computed", large("native", "cpu"), large("pytorch", "cpu"));
    ratio("L LoRA, one worker over two", large("native, 1 workers", "ms"), large("native, 2 workers", "ms"));
    let packed = number("chromium-cpu", "L-q4_1", "lora", "ms");
    ratio("L LoRA in Chromium, θ in Q4_1 over F32", packed, large("chromium-cpu", "ms"));
    ratio("L LoRA, Chromium with θ in Q4_1 over PyTorch", packed, large("pytorch", "ms"));
    let scene = |name: &str| rows.iter().find(|r| r["scene"] == name).and_then(|r| r["ms"].as_f64());
    let of = |workers: usize| scene(&format!("256 tokens of sentiment on a visitor's GGUF, {workers} workers"));
    ratio("a visitor's GGUF in Chromium, one worker over two", of(1), of(2));
}

/// Prints what differs from the baseline: bytes and dispatches exactly, times where a shared machine does not explain it, after the machine's
/// own change is taken out by PyTorch's rows, where both runs have them.
fn compare(rows: &[Value]) -> Result<()> {
    let path = root().join(BASELINE);
    let text = std::fs::read_to_string(&path).with_context(|| format!("{BASELINE} cannot be read"))?;
    let before: BTreeMap<String, Value> = objects(&text)?.into_iter().map(|row| (name(&row), row)).collect();
    if let Some(made) = before.get("baseline") {
        println!(
            "\nagainst {BASELINE}, {} on {}:",
            made["date"].as_str().unwrap_or("?"),
            made["machine"].as_str().unwrap_or("?")
        );
    }
    let ratios = rows
        .iter()
        .filter(|row| row["where"] == "pytorch")
        .filter_map(|row| Some(row["ms"].as_f64()? / before.get(&name(row))?["ms"].as_f64()?));
    let ratios: Vec<f64> = ratios.collect();
    let machine = if ratios.is_empty() { 1.0 } else { ratios.iter().product::<f64>().powf(1.0 / ratios.len() as f64) };
    println!("PyTorch takes {machine:.2} of its time then; times below are divided by that");
    for row in rows.iter().filter(|row| row["where"] != "pytorch") {
        let Some(old) = before.get(&name(row)) else {
            println!("{:44} new", name(row));
            continue;
        };
        let changed =
            ["ms", "peak", "dispatches", "submits", "buffers", "bytes", "gzip", "brotli"].iter().filter_map(|key| {
                let (now, then) = (row[*key].as_f64()?, old[*key].as_f64()?);
                let (ratio, noise) = if *key == "ms" { (now / then / machine, NOISE) } else { (now / then, 0.002) };
                ((ratio - 1.0).abs() > noise).then(|| format!("{key} × {ratio:.2} ({then:.1} → {now:.1})"))
            });
        let changed: Vec<String> = changed.collect();
        if !changed.is_empty() {
            println!("{:44} {}", name(row), changed.join("  "));
        }
    }
    Ok(())
}

/// Writes the baseline. Parts that were not measured now stay as they were; what is measured apart has its own date.
fn save(rows: Vec<Value>, is_whole: bool) -> Result<()> {
    let path = root().join(BASELINE);
    let before: Vec<Value> = std::fs::read_to_string(&path).map_or(Ok(Vec::new()), |text| objects(&text))?;
    let now = json!({"where": "baseline", "date": said("date", &["+%F"]), "machine": machine(), "rust": said("rustc", &["--version"])});
    let all = with_measured(before, rows, now, is_whole);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let text: String = all.iter().map(|row| format!("{row}\n")).collect();
    std::fs::write(&path, text).with_context(|| format!("{BASELINE} cannot be written"))
}

/// A baseline with what was measured `now`. Its first row tells date and machine of all that has no date.
fn with_measured(before: Vec<Value>, rows: Vec<Value>, now: Value, is_whole: bool) -> Vec<Value> {
    let names: Vec<String> = rows.iter().map(name).collect();
    let (first, mut kept): (Vec<Value>, Vec<Value>) = before.into_iter().partition(|row| row["where"] == "baseline");
    kept.retain(|row| !names.contains(&name(row)));
    let first = first.into_iter().next().filter(|_| !is_whole);
    let is_apart = first.is_some();
    let dated = |row: Value| {
        let mut row = rounded(row);
        if is_apart {
            row["date"] = now["date"].clone();
        }
        row
    };
    let rows: Vec<Value> = rows.into_iter().map(dated).collect();
    [vec![first.unwrap_or(now)], kept, rows].concat()
}

/// Four digits are more than a time has.
fn rounded(mut row: Value) -> Value {
    for value in row.as_object_mut().into_iter().flat_map(|row| row.values_mut()) {
        if let Some(x) = value.as_f64().filter(|x| x.fract() != 0.0) {
            *value = json!((x * 1e3).round() / 1e3);
        }
    }
    row
}

/// The processor and its cores.
fn machine() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1)).unwrap_or("unknown");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{model}, {cores} cores")
}

/// What a command prints.
fn said(command: &str, args: &[&str]) -> String {
    let output = Command::new(command).args(args).output();
    output.map(|o| String::from_utf8_lossy(&o.stdout).trim().to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quietest_round_of_each_row_counts() {
        let row = |place: &str, ms: f64, cpu: f64| json!({"where": place, "ms": ms, "cpu": cpu});
        let bare = |ms: f64| json!({"where": "shared", "ms": ms});
        let rounds = vec![
            vec![row("native", 3.0, 2.0), row("pytorch", 5.0, 4.0), bare(2.0)],
            vec![row("native", 2.5, 2.25), row("pytorch", 6.0, 3.5), bare(1.0)],
        ];
        assert_eq!(quietest(rounds), [row("native", 2.5, 2.0), row("pytorch", 5.0, 3.5), bare(1.0)]);
    }

    #[test]
    fn what_is_measured_apart_leaves_the_date_of_the_rest() {
        let first = |date: &str| json!({"where": "baseline", "date": date});
        let row = |place: &str, n: f64| json!({"where": place, "ms": n});
        let before = || vec![first("1"), row("native", 2.0), row("pytorch", 3.0)];
        let mut dated = row("native", 1.235);
        dated["date"] = json!("2");
        let parts = with_measured(before(), vec![row("native", 1.23456)], first("2"), false);
        assert_eq!(parts, [first("1"), row("pytorch", 3.0), dated]);
        let whole = with_measured(parts, vec![row("native", 4.0)], first("3"), true);
        assert_eq!(whole, [first("3"), row("pytorch", 3.0), row("native", 4.0)]);
        assert_eq!(with_measured(Vec::new(), vec![row("native", 4.0)], first("3"), false)[0], first("3"));
    }
}
