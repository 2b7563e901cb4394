//! `cargo xtask record`: trains the recorded runs of `www/runs/` again, and those of other seeds behind docs/results.md.
//!
//! Every run is one `peft-lab train`; what is already under `target/recorded/` is taken as it is, so an interrupted
//! recording goes on where it stopped.

use crate::cargo::{cargo, root, run, stage, target_dir};
use crate::flags;
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

/// Rules of the table in docs/results.md: one known, two unseen compositions, two outside the base's world.
const TABLE_RULES: [&str; 5] = ["reverse", "swap-ends.rotate-left", "plus-3.rotate-right", "cipher", "count"];
const BASES: [&str; 2] = ["prose-nano", "prose-micro"];
/// What runs of other seeds than 0 ended at.
const SEEDS: &str = "docs/measured/seeds.jsonl";
/// Of the training losses of a recorded run, every fifth is kept: the curve looks the same.
const KEEP_EVERY: u64 = 5;

/// The methods of the lecture's table, recorded on every other task too.
const LECTURE: [&str; 8] = ["full", "last-layer", "bitfit", "lora", "prompt", "prefix", "adapter", "icl"];
/// The base on which they are recorded: what a visitor gets first.
const FIRST_BASE: &str = "prose-nano";
/// The base that takes minutes a run, and the methods recorded on it.
const LARGEST_BASE: &str = "prose-small";
const ON_LARGEST: [&str; 3] = ["prompt", "lora", "full"];
/// Tasks of texts besides `authors`: the file that ships their runs, the flags that name them.
const TEXTS: [(&str, &[&str]); 4] = [
    ("dialogue", &["--task", "dialogue"]),
    ("language-sentence", &["--task", "language"]),
    ("language-word", &["--task", "language", "--unit", "word"]),
    ("sentiment", &["--task", "sentiment"]),
];
/// The author whose style is recorded.
const FIRST_AUTHOR: &str = "dickens";
const QUESTIONS: [&str; 5] = ["rises", "vowel-first", "has-vowel", "repeats", "sorted"];

/// The large base, where a run takes minutes: it comes where Python is there.
const PRETRAINED: &str = "smollm2";
/// Tasks on it, but for `sentiment`: the file that ships their runs, the flags that name them.
const ON_PRETRAINED: [(&str, &[&str]); 4] = [
    ("extract/all-smollm2", &["--task", "extract", "--steps", "70"]),
    ("dialogue/smollm2", &["--task", "dialogue"]),
    ("language-sentence/smollm2", &["--task", "language"]),
    ("authors/smollm2", &["--task", "authors"]),
];
/// What every run on it has: as many held-out examples at its end, and what the base could do before.
const MEASURED: [&str; 4] = ["--scored", "300", "--forgetting", "true"];
/// All matrices of a block like Llama's.
const EVERY_MATRIX: [&str; 2] = ["--target-modules", "q_proj,k_proj,v_proj,out_proj,gate_proj,fc1,fc2"];
/// Models like Llama have no biases to train.
const WITHOUT_BIASES: [&str; 1] = ["bitfit"];

/// Knobs on the large base. A prefix starts from keys and values of words: from random ones it hides the text.
fn pretrained_knobs(method: &str) -> Vec<&'static str> {
    let more: &[&str] = match method {
        "loha" => &["--rank", "8"],
        "prefix" => &["--init", "text", "--init-text", PREFIX_WORDS],
        // Beside sentences there is room for more.
        "icl" => return vec!["--shots", "4"],
        _ => &[],
    };
    [prose_knobs(method), more].concat()
}

/// What a prefix starts from there.
const PREFIX_WORDS: &str = "Read the following text with care, then give the one right answer.";

/// Knobs on prose, those of the PyTorch experiment; all other settings are the defaults.
fn prose_knobs(method: &str) -> &'static [&'static str] {
    match method {
        "lora" | "dora" => &["--rank", "8"],
        "prompt" | "p-tuning" | "prefix" => &["--num-virtual-tokens", "16"],
        "adapter" => &["--bottleneck", "16"],
        // Beside a sentence of 96 tokens there is room for one more at most.
        "icl" => &["--shots", "1"],
        _ => &[],
    }
}

/// One training run.
struct Job {
    /// `rules/cipher` or `authors/prose-nano`: the file that ships it.
    group: String,
    method: String,
    seed: usize,
    args: Vec<String>,
}

impl Job {
    fn path(&self) -> PathBuf {
        let name = format!("{}__{}__{}.jsonl", self.group.replace('/', "__"), self.method, self.seed);
        target_dir().join("recorded").join(name)
    }
}

pub fn record(flags: &flags::Record) -> Result<()> {
    stage("building the trainer", || run(&mut cargo(&["build", "--profile", "ci", "--bin", "peft-lab"])))?;
    stage("baking the task data", || crate::bake::bake(&root()))?;
    let trainer = target_dir().join("ci/peft-lab");
    // A discrete prompt has nothing to record: the base alone is every curve's first point.
    let methods: Vec<String> =
        names(&trainer, "methods", "method")?.into_iter().filter(|m| m != "text-prompt").collect();
    let rules: Vec<String> = ask(&trainer, "tasks")?
        .iter()
        .flat_map(|task| {
            task["rules"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(String::from)
                .collect::<Vec<_>>()
        })
        .collect();
    let named = |job: &Job| flags.group.is_empty() || flags.group.iter().any(|n| job.group.starts_with(n.as_str()));
    let there = |job: &Job| !flags.as_is || job.path().is_file();
    let wanted = |job: &Job| flags.method.as_ref().is_none_or(|method| job.method == *method);
    let jobs = grid(&methods, &rules, flags.seeds.unwrap_or(3)).into_iter().filter(named).filter(there).filter(wanted);
    let jobs: Vec<Job> = jobs.collect();
    ensure!(!jobs.is_empty(), "no recorded run has a name that begins with {}", flags.group.join(" or "));
    std::fs::create_dir_all(target_dir().join("recorded"))?;
    stage(&format!("training {} runs", jobs.len()), || train(&trainer, &jobs, flags.jobs.unwrap_or(1)))?;
    ship(&jobs, &methods, flags.method.is_some())?;
    keep_seeds(&jobs)?;
    println!("RECORD_RESULTS=1 cargo test --profile ci --test it results writes the tables of docs/results.md.");
    Ok(())
}

/// Measures every grid of `sweeps/` again, or the named ones, into `www/sweeps/`; what is there already is taken as it is.
pub fn sweep(flags: &flags::Sweep) -> Result<()> {
    stage("building the trainer", || run(&mut cargo(&["build", "--profile", "ci", "--bin", "peft-lab"])))?;
    stage("baking the task data", || crate::bake::bake(&root()))?;
    let folder = root().join("www/sweeps");
    std::fs::create_dir_all(&folder)?;
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(root().join("sweeps"))?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    files.sort();
    for file in files {
        let (Some(stem), Some(name)) = (file.file_stem().and_then(|s| s.to_str()), file.file_name()) else { continue };
        if flags.name.is_empty() || flags.name.iter().any(|n| n == stem) {
            let mut command = Command::new(target_dir().join("ci/peft-lab"));
            command.arg("sweep").arg(&file).arg("--out").arg(folder.join(name)).current_dir(root());
            if let Some(jobs) = flags.jobs {
                command.args(["--jobs", &jobs.to_string()]);
            }
            stage(stem, || run(&mut command))?;
        }
    }
    Ok(())
}

/// A list that the trainer prints as JSON.
fn ask(trainer: &Path, what: &str) -> Result<Vec<Value>> {
    let output = Command::new(trainer).args([what, "--json"]).output().context("the trainer could not be asked")?;
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn names(trainer: &Path, what: &str, key: &str) -> Result<Vec<String>> {
    Ok(ask(trainer, what)?.iter().filter_map(|item| item[key].as_str()).map(String::from).collect())
}

/// Every method on every offered rule and on `authors` with two bases, more seeds where the tables want them; the lecture's methods once
/// on every other task.
fn grid(methods: &[String], rules: &[String], seeds: usize) -> Vec<Job> {
    let mut jobs = Vec::new();
    for seed in 0..seeds.max(1) {
        for rule in rules.iter().filter(|r| seed == 0 || TABLE_RULES.contains(&r.as_str())) {
            for method in methods {
                let args = ["--task", "rules", "--rule", rule, "--method", method];
                jobs.push(Job::new(format!("rules/{rule}"), method, seed, &args));
            }
        }
        for base in BASES {
            for method in methods {
                let mut args = vec!["--task", "authors", "--base", base, "--method", method];
                args.extend(prose_knobs(method));
                jobs.push(Job::new(format!("authors/{base}"), method, seed, &args));
            }
        }
    }
    jobs.extend(other_tasks());
    jobs.extend(on_pretrained(methods, seeds));
    jobs
}

/// On the large base: every method on `sentiment`, the lecture's on other tasks, then the other seeds. In this order, because
/// all of it takes hours.
fn on_pretrained(methods: &[String], seeds: usize) -> Vec<Job> {
    if !root().join("www/models").join(PRETRAINED).join("SmolLM2-135M-Instruct.Q4_1.gguf").is_file() {
        println!(
            "{PRETRAINED} is not here, so nothing is recorded on it: cargo xtask bake takes it where Python is there."
        );
        return Vec::new();
    }
    let job = |group: &str, task: &[&str], method: &str, seed: usize| {
        // Whole lines of JSON are more than one word to learn: so is what is trained.
        let wide: &[&str] = if task.contains(&"extract") && method == "lora" { &EVERY_MATRIX } else { &[] };
        let args =
            [task, &["--base", PRETRAINED, "--method", method], &MEASURED, &pretrained_knobs(method), wide].concat();
        Job::new(group.into(), method, seed, &args)
    };
    let trainable: Vec<&String> = methods.iter().filter(|method| !WITHOUT_BIASES.contains(&method.as_str())).collect();
    let sentiment = |seed| trainable.iter().map(move |m| job("sentiment/smollm2", &["--task", "sentiment"], m, seed));
    let lecture = LECTURE.iter().filter(|method| !WITHOUT_BIASES.contains(method));
    let others = ON_PRETRAINED.iter().flat_map(|(group, task)| lecture.clone().map(move |m| job(group, task, m, 0)));
    sentiment(0).chain(others).chain((1..seeds).flat_map(sentiment)).collect()
}

fn other_tasks() -> Vec<Job> {
    let on_prose = |group: String, task: &[&str], method: &str| {
        let args: Vec<&str> = task.iter().copied().chain(["--base", FIRST_BASE, "--method", method]).collect();
        let args: Vec<&str> = args.into_iter().chain(prose_knobs(method).iter().copied()).collect();
        Job::new(group, method, 0, &args)
    };
    // What Python did not fetch is not recorded either.
    let baked = |stem: &&(&str, &[&str])| root().join(format!("www/data/{}.json", stem.0)).is_file();
    let texts = TEXTS.iter().filter(baked).flat_map(|(stem, task)| {
        LECTURE.iter().map(move |method| on_prose(format!("{stem}/{FIRST_BASE}"), task, method))
    });
    // Its task has no questions that demonstrations could answer.
    let writers = LECTURE.iter().filter(|method| **method != "icl");
    let task = ["--task", "style", "--author", FIRST_AUTHOR];
    let styles = writers.map(|method| on_prose(format!("style/{FIRST_AUTHOR}-{FIRST_BASE}"), &task, method));
    let questions = QUESTIONS.iter().flat_map(|question| {
        LECTURE.iter().map(move |method| {
            let args = ["--task", "questions", "--question", question, "--method", method];
            Job::new(format!("questions/{question}"), method, 0, &args)
        })
    });
    let large = ON_LARGEST.iter().map(|method| {
        let mut args = vec!["--task", "authors", "--base", LARGEST_BASE, "--method", method];
        args.extend(prose_knobs(method));
        Job::new(format!("authors/{LARGEST_BASE}"), method, 0, &args)
    });
    texts.chain(styles).chain(questions).chain(large).collect()
}

impl Job {
    fn new(group: String, method: &str, seed: usize, args: &[&str]) -> Job {
        let seed_text = seed.to_string();
        let args = args.iter().copied().chain(["--seed", &seed_text]).map(String::from).collect();
        Job { group, method: method.to_string(), seed, args }
    }
}

/// Runs the jobs in so many processes at a time.
fn train(trainer: &Path, jobs: &[Job], parallel: usize) -> Result<()> {
    let queue = Mutex::new(jobs.iter().filter(|job| !job.path().is_file()));
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..parallel.max(1) {
            scope.spawn(|| {
                // The lock is held while taking a job only.
                while let Some(job) = queue.lock().ok().and_then(|mut q| q.next()) {
                    if let Err(error) = train_one(trainer, job)
                        && let Ok(mut failures) = failures.lock()
                    {
                        failures.push(format!("{} {}: {error:#}", job.group, job.method));
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap_or_default();
    ensure!(failures.is_empty(), "some runs failed:\n{}", failures.join("\n"));
    Ok(())
}

fn train_one(trainer: &Path, job: &Job) -> Result<()> {
    let unfinished = job.path().with_extension("unfinished");
    run(Command::new(trainer)
        .arg("train")
        .args(&job.args)
        .arg("--out")
        .arg(&unfinished)
        .stdout(Stdio::null())
        .current_dir(root()))?;
    Ok(std::fs::rename(unfinished, job.path())?)
}

fn events(job: &Job) -> Result<Vec<Value>> {
    let text = std::fs::read_to_string(job.path())?;
    text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

/// Writes `www/runs/<group>.jsonl` from the runs of seed 0, thinned, without the sentences of the books. Where others stay, theirs are
/// taken from the file as it is; runs stand in the order of the methods.
fn ship(jobs: &[Job], methods: &[String], others_stay: bool) -> Result<()> {
    let mut files: BTreeMap<&str, BTreeMap<usize, String>> = BTreeMap::new();
    let place = |method: &str| methods.iter().position(|m| m == method).unwrap_or(methods.len());
    for job in jobs.iter().filter(|job| job.seed == 0) {
        let events = events(job)?;
        let last_examples = events.iter().rposition(|e| e["event"] == "examples");
        let file = match files.entry(&job.group) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) if others_stay => entry.insert(shipped(&job.group, place)?),
            Entry::Vacant(entry) => entry.insert(BTreeMap::new()),
        };
        let file = file.entry(place(&job.method)).or_default();
        file.clear();
        for (i, mut event) in events.into_iter().enumerate() {
            let keep = match event["event"].as_str() {
                Some("step") => event["step"].as_u64().is_some_and(|s| s == 1 || s % KEEP_EVERY == 0),
                // Samples of a style stand behind their openings, which are the book's: the trainer alone has those.
                Some("examples") => Some(i) == last_examples && !job.group.starts_with("style/"),
                // The page draws recorded runs; it does not answer with their φ.
                Some("phi" | "made") => false,
                _ => true,
            };
            if keep {
                // The page knows the text of a held-out example by its place.
                for item in event["items"].as_array_mut().into_iter().flatten() {
                    item.as_object_mut().map(|item| item.remove("input"));
                }
                round(&mut event);
                file.push_str(&serde_json::to_string(&event)?);
                file.push('\n');
            }
        }
    }
    for (group, runs) in files {
        let path = path_of(group);
        std::fs::create_dir_all(path.parent().context("a run file lies in a folder")?)?;
        std::fs::write(path, runs.into_values().collect::<String>())?;
    }
    Ok(())
}

fn path_of(group: &str) -> PathBuf {
    root().join("www/runs").join(format!("{group}.jsonl"))
}

/// The runs of a shipped file, by the places of their methods; none where there is no file.
fn shipped(group: &str, place: impl Fn(&str) -> usize) -> Result<BTreeMap<usize, String>> {
    let text = std::fs::read_to_string(path_of(group)).unwrap_or_default();
    let mut runs: BTreeMap<usize, String> = BTreeMap::new();
    let mut at = 0;
    for line in text.lines() {
        let event: Value = serde_json::from_str(line)?;
        if event["event"] == "started" {
            at = place(event["config"]["method"].as_str().context("a run has a method")?);
        }
        let run = runs.entry(at).or_default();
        run.push_str(line);
        run.push('\n');
    }
    Ok(runs)
}

/// Five significant digits are more than a curve shows.
fn round(value: &mut Value) {
    match value {
        Value::Number(number) if number.is_f64() => {
            if let Some(x) = number.as_f64().and_then(|x| format!("{x:.4e}").parse::<f64>().ok()) {
                *value = x.into();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(round),
        Value::Object(fields) => fields.values_mut().for_each(round),
        _ => {}
    }
}

/// Writes what the other seeds ended at, for docs/results.md; rows of runs that were not asked for stay.
fn keep_seeds(jobs: &[Job]) -> Result<()> {
    let path = root().join(SEEDS);
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    let key = |row: &Value| [&row["group"], &row["method"], &row["seed"]].map(Value::to_string);
    let mut rows: BTreeMap<[String; 3], Value> = BTreeMap::new();
    for line in text.lines() {
        let row: Value = serde_json::from_str(line)?;
        rows.insert(key(&row), row);
    }
    for job in jobs.iter().filter(|job| job.seed > 0) {
        let events = events(job)?;
        let end = events.iter().find(|e| e["event"] == "finished").context("a recorded run has an end")?;
        let (accuracy, n) = (&end["accuracy"], &end["n"]);
        let row = json!({"group": job.group, "method": job.method, "seed": job.seed, "accuracy": accuracy, "n": n});
        rows.insert(key(&row), row);
    }
    let lines: String = rows.values().map(|row| format!("{row}\n")).collect();
    std::fs::write(&path, lines).with_context(|| format!("{SEEDS} cannot be written"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_five_digits() {
        let mut value = serde_json::json!({"loss": 0.123456789, "step": 300, "items": [1.00000001]});
        round(&mut value);
        assert_eq!(value, serde_json::json!({"loss": 0.12346, "step": 300, "items": [1.0]}));
    }
}
