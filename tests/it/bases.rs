//! Figures of docs/bases-and-tasks.md: the bases' own files and cards, and what recorded runs were judged against.

use crate::tables::{Table, check, check_sentences, filled, lines, number, read};
use peft_lab::bases::{BASES, Card, Figures, Made};
use peft_lab::interchange::RunFile;
use peft_lab::task::{TaskConfig, Verbalizer, Wording, extract};
use serde_json::Value;

const PAGE: &str = "docs/bases-and-tasks.md";

fn card(base: &str) -> Card {
    serde_json::from_str(&read(&format!("www/models/{base}/card.json"))).unwrap()
}

fn made(base: &str) -> Made {
    card(base).made.unwrap_or_else(|| panic!("{base} was not made here"))
}

/// Minutes that a base took to make, where that was here.
pub fn minutes(base: &str) -> Option<u64> {
    card(base).made.map(|made| (made.seconds / 60.0).round() as u64)
}

/// `.86`, `1.0`, `0`
fn two(x: f64) -> String {
    match x {
        x if x < 5e-4 => "0".into(),
        x if x >= 0.995 => "1.0".into(),
        x if x < 0.01 => format!("{x:.3}").trim_start_matches('0').into(),
        x => format!("{x:.2}").trim_start_matches('0').into(),
    }
}

fn three(x: f64) -> String {
    format!("{x:.3}").trim_start_matches('0').to_string()
}

fn of_bases(table: &Table) -> Vec<Vec<String>> {
    let once = lines("docs/measured/once.jsonl");
    let pytorch = |base: &str| {
        let about = format!("PyTorch's stand-in for {base}");
        once.iter().find(|row| row["about"] == about).map(|row| row["bits_per_byte"][0].as_f64().unwrap())
    };
    assert_eq!(table.rows.len(), BASES.len());
    let row = |(row, base): (&Vec<String>, &peft_lab::bases::Base)| {
        let (config, card) = (base.config().unwrap(), card(base.id));
        assert_eq!(card.parameters, config.parameters(), "{}", base.id);
        let mut figures = vec![config.hidden_size as f64, config.num_hidden_layers as f64];
        if row[2].contains("vocabulary") || row[2].contains("BPE") {
            figures.push(config.vocab_size as f64);
        }
        let mut figures: Vec<String> = figures.into_iter().map(number).collect();
        if let Some(Made { figures: Figures::Prose { bits_per_byte }, .. }) = card.made {
            figures
                .extend([Some(bits_per_byte), pytorch(base.id)].into_iter().flatten().map(|bits| format!("{bits:.3}")));
        }
        let made =
            filled(&row[3], &minutes(base.id).map(|minutes| minutes.to_string()).into_iter().collect::<Vec<_>>());
        vec![format!("`{}`", base.id), number(config.parameters() as f64), filled(&row[2], &figures), made]
    };
    table.rows.iter().zip(&BASES).map(row).collect()
}

fn of_demonstrations(table: &Table) -> Vec<Vec<String>> {
    let Figures::Rules { known, seen, unseen } = made("rules").figures else { panic!("the card of rules") };
    assert_eq!(table.header.len(), 1 + known.len());
    let names = ["known", "compositions seen in pretraining", "compositions never seen"];
    let row = |(name, scores): (&str, Vec<f64>)| {
        let mut cells = vec![name.to_string()];
        cells.extend(scores.into_iter().map(two));
        cells
    };
    names.into_iter().zip([known, seen, unseen]).map(row).collect()
}

/// The first recorded run of a file.
fn run(file: &str) -> RunFile {
    RunFile::read_all(&read(&format!("www/runs/{file}.jsonl"))).unwrap().remove(0)
}

/// Templates and words as the tasks have them.
fn of_words(table: &Table) -> Vec<Vec<String>> {
    let row = |row: &Vec<String>| {
        let mut task = TaskConfig::named(row[0].trim_matches('`')).unwrap();
        let _ = task.set("classes", "2");
        let Wording { template, labels } = task.wording();
        let rest = row[1].split_once("`,").map_or(String::new(), |(_, rest)| format!(",{rest}"));
        let words = match labels {
            Verbalizer::Words(words) => words.join(", "),
            _ => row[2].clone(),
        };
        vec![row[0].clone(), format!("`{}`{rest}", template.unwrap()), words]
    };
    table.rows.iter().map(row).collect()
}

fn of_tasks(table: &Table) -> Vec<Vec<String>> {
    // A visitor's own data has no row.
    let names = TaskConfig::NAMES.iter().filter(|name| **name != "own");
    let row = |(row, name): (&Vec<String>, &&str)| {
        if *name == "extract" {
            let mut cells = row.clone();
            cells[2] = format!("{} sentences", extract::HELD_OUT);
            return cells;
        }
        let files: &[&str] = match *name {
            "rules" => &["rules/cipher"],
            "questions" => &["questions/rises"],
            "language" => &["language-sentence/prose-nano", "language-word/prose-nano"],
            "style" => &["style/dickens-prose-nano"],
            "authors" => &["authors/prose-nano"],
            "dialogue" => &["dialogue/prose-nano"],
            "sentiment" => &["sentiment/prose-nano"],
            other => panic!("no run of {other} is named here"),
        };
        let runs: Vec<RunFile> = files.iter().map(|file| run(file)).collect();
        let held_out = match *name {
            // What is cut off a book: thousands of characters.
            "style" => {
                let parts = read("xtask/src/bake/books.rs");
                let cut = parts.split("const STYLE").nth(1).and_then(|rest| rest.split("held_out: ").nth(1)).unwrap();
                let digits: String = cut.chars().take_while(|c| *c != ' ').filter(|c| *c != '_').collect();
                digits.parse::<f64>().unwrap() / 1e3
            }
            _ => runs[0].finished.unwrap().3 as f64,
        };
        let linear: Vec<String> = match *name {
            "rules" | "questions" => Vec::new(),
            _ => runs.iter().map(|run| three(run.baselines.bag_of_words)).collect(),
        };
        vec![
            format!("`{name}`"),
            row[1].clone(),
            filled(&row[2], &[number(held_out)]),
            two(runs[0].baselines.chance),
            filled(&row[4], &linear),
            of_source(&row[5]),
        ]
    };
    table.rows.iter().zip(names).map(row).collect()
}

/// A source's cell with the versions that data/ pins.
fn of_source(cell: &str) -> String {
    let pinned = read("data/Cargo.toml") + &read("xtask/src/bake/sentiment.rs");
    let version = |name: &str| {
        let line =
            pinned.lines().find(|line| line.contains(name)).unwrap_or_else(|| panic!("{name} is pinned nowhere"));
        let numbers = line.split(name).nth(1).unwrap().split(|c: char| !c.is_ascii_digit() && c != '.');
        numbers.map(|part| part.trim_matches('.')).find(|part| part.contains('.')).unwrap().to_string()
    };
    let names = [
        ("scrunch", "scrunch"),
        ("esaxx-rs", "esaxx-rs"),
        ("lingua-", "lingua-english-language-model"),
        ("VADER", "vaderSentiment"),
    ];
    // Figures of a version: its two dots make one figure.
    let mut out = cell.to_string();
    for (named, pinned) in names.into_iter().filter(|(named, _)| cell.contains(named)) {
        let behind = &out[out.find(named).unwrap()..];
        let at = behind
            .split(|c: char| !c.is_ascii_digit() && c != '.')
            .map(|w| w.trim_matches('.'))
            .find(|w| w.matches('.').count() == 2);
        out = out.replace(at.unwrap_or_else(|| panic!("“{cell}” has no version of {named}")), &version(pinned));
    }
    out
}

#[test]
fn the_tables_of_bases_and_tasks_are_what_files_and_runs_hold() {
    check(PAGE, |table| match table.header[0].as_str() {
        "base" => Some(of_bases(table)),
        "rules" => Some(of_demonstrations(table)),
        "task" => Some(of_tasks(table)),
        "labels of" => Some(of_words(table)),
        other => panic!("no file is known for the table “{other}”"),
    });
}

#[test]
fn every_recorded_run_of_a_task_was_judged_alike() {
    for (task, held_out) in [("authors", 1050), ("dialogue", 1000), ("sentiment", 1000), ("language-word", 900)] {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("www/runs").join(task);
        for file in std::fs::read_dir(folder).unwrap() {
            let runs = RunFile::read_all(&std::fs::read_to_string(file.unwrap().path()).unwrap()).unwrap();
            // Where they are not all scored, the run says how many are.
            let scored = |run: &RunFile| run.config.scored.unwrap_or(held_out);
            let same =
                |run: &RunFile| run.finished.is_some_and(|f| f.3 == scored(run)) && run.baselines == runs[0].baselines;
            assert!(runs.iter().all(same), "{task}");
        }
    }
}

#[test]
fn sentences_on_bases_repeat_their_files() {
    let config = peft_lab::config::RunConfig::default();
    let counts = [config.trainable(), config.all_parameters()].map(|n| number(n as f64)).to_vec();
    let spread = lines("docs/measured/spread.jsonl");
    let of = |kind: &str, row: &&Value| row["rule"] == "sort" && row["shots"] == 4 && row["kind"] == kind;
    let count = |kind: &str| spread.iter().filter(|row| of(kind, row)).count();
    // Around one prompt: there was one of each seed.
    let prompts = |kind: &str| (count(kind) / count("own")).to_string();
    let questions = spread[0]["n"].to_string();
    let kinds = ["order", "choice", "wording", "random_labels"].map(prompts);
    let prompted = [vec![questions], kinds.to_vec()].concat();
    check_sentences(
        PAGE,
        &[
            ("LoRA of rank 4 on W_Q and W_V trains {} of {} parameters.", counts),
            (
                "scores other prompts on {} questions: {} orders, {} choices, {} wordings and {} draws of random labels.",
                prompted,
            ),
        ],
    );
    assert_eq!(made("prose-small").tokens * 2, made("prose-micro").tokens, "the page says half as many tokens");
}
