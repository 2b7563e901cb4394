//! Every table of docs/results.md, derived from what was recorded: `www/runs/`, `www/sweeps/`, `docs/measured/`.
//!
//! What stands in square brackets is PyTorch's, of another program and base, and stays as it is.
//! `RECORD_RESULTS=1 cargo test --profile ci --test it results` writes the tables anew.

use crate::language_model;
use crate::tables::{Table, check, lines, read};
use peft_lab::base::grouped;
use peft_lab::config::RunConfig;
use peft_lab::experiments::sweep::{Measured, Point};
use peft_lab::interchange::RunFile;
use peft_lab::peft::MethodConfig;
use serde_json::Value;

/// Scores of one cell.
#[derive(Clone, Debug, Default)]
pub struct Scores(Vec<f64>);

impl Scores {
    pub fn mean(&self) -> f64 {
        self.0.iter().sum::<f64>() / self.0.len() as f64
    }

    fn ends(&self) -> (f64, f64) {
        self.0.iter().fold((f64::INFINITY, 0.0), |(low, high), x| (x.min(low), x.max(high)))
    }

    /// `0.997`, or `0.900 (0.80–1.00)` where seeds differ by more than .015.
    pub fn long(&self) -> String {
        let (low, high) = self.ends();
        let range = if high - low > 0.015 { format!(" ({low:.2}–{high:.2})") } else { String::new() };
        if self.0.is_empty() { "–".into() } else { format!("{:.3}{range}", self.mean()) }
    }

    /// `.62`, or `.62 (.09–.76)`.
    pub fn short(&self) -> String {
        let (low, high) = self.ends();
        let range = if high - low > 0.015 { format!(" ({}–{})", two(low), two(high)) } else { String::new() };
        two(self.mean()) + &range
    }

    /// `.38–.76`, or one number where all are the same.
    fn range(&self) -> String {
        let (low, high) = self.ends();
        match (self.0.is_empty(), two(low) == two(high)) {
            (true, _) => "–".into(),
            (_, true) => two(low),
            _ => format!("{}–{}", two(low), two(high)),
        }
    }
}

/// `.95`
fn two(x: f64) -> String {
    format!("{x:.2}").trim_start_matches('0').to_string()
}

/// A name as tables and registry write it alike.
fn plain(text: &str) -> String {
    text.to_lowercase().replace('-', " ").replace('`', "")
}

/// The method whose name or title a row begins with; the longest counts.
pub fn method(row: &str) -> MethodConfig {
    let row = plain(row);
    let fits = |method: &MethodConfig| {
        let names = [plain(method.info().name), plain(method.info().title)];
        names.into_iter().filter(|name| row.starts_with(name.as_str())).map(|name| name.len()).max()
    };
    let found = MethodConfig::all().into_iter().filter_map(|m| Some((fits(&m)?, m))).max_by_key(|(length, _)| *length);
    found.unwrap_or_else(|| panic!("“{row}” is no method")).1
}

/// What runs of a group, `rules/cipher`, ended at: seed 0 as the page draws it, the other seeds beside it.
pub fn ended(group: &str, method: &MethodConfig, seeds: &[Value]) -> (Scores, Option<(u64, f64)>) {
    let runs = RunFile::read_all(&read(&format!("www/runs/{group}.jsonl"))).unwrap();
    let name = method.info().name;
    let run = runs.into_iter().find(|run| run.config.method.info().name == name);
    let first = run.as_ref().and_then(|run| run.finished).map(|(_, _, accuracy, ..)| accuracy);
    let others = seeds.iter().filter(|row| row["group"] == group && row["method"] == name);
    let others = others.filter_map(|row| row["accuracy"].as_f64());
    let told = run.map(|run| (run.trainable, run.config.learning_rate())).filter(|_| method.method().trains());
    (Scores(first.into_iter().chain(others).collect()), told)
}

/// `2e-2`, `1`
pub fn rate(rate: f64) -> String {
    format!("{rate:e}").trim_end_matches("e0").to_string()
}

/// The cells of a row behind its name, from the table's header.
pub type Row = Vec<String>;

fn of_rules(header: &[String], row: &str, seeds: &[Value]) -> Row {
    let method = method(row);
    let all =
        header[2..header.len() - 1].iter().map(|rule| ended(&format!("rules/{}", plain_rule(rule)), &method, seeds));
    let (scores, told): (Vec<Scores>, Vec<_>) = all.unzip();
    let told = told[0];
    let mut cells = vec![told.map_or("0".into(), |(trained, _)| grouped(trained))];
    cells.extend(scores.iter().map(Scores::long));
    cells.push(told.map_or("–".into(), |(_, of)| rate(of)));
    cells
}

pub fn plain_rule(cell: &str) -> String {
    cell.trim_matches('`').to_string()
}

fn of_authors(header: &[String], row: &str, seeds: &[Value]) -> Row {
    let method = method(row);
    let bases = header.iter().filter(|cell| cell.contains("prose-")).map(|cell| plain_rule(cell));
    let of: Vec<_> = bases.map(|base| ended(&format!("authors/{base}"), &method, seeds)).collect();
    let mut trained: Vec<String> = of.iter().filter_map(|(_, told)| Some(grouped((*told)?.0))).collect();
    trained.dedup();
    let mut cells = vec![trained.join(" · ")];
    for (scores, told) in &of {
        cells.extend([scores.long(), told.map_or("–".into(), |(_, of)| rate(of))]);
    }
    cells
}

fn of_tasks(header: &[String], row: &str, seeds: &[Value]) -> Row {
    let method = method(row);
    let group = |cell: &String| match cell.as_str() {
        "dialogue" | "sentiment" => format!("{cell}/prose-nano"),
        "language, sentence" => "language-sentence/prose-nano".into(),
        "language, word" => "language-word/prose-nano".into(),
        "style of Dickens" => "style/dickens-prose-nano".into(),
        question => format!("questions/{}", plain_rule(question)),
    };
    header[1..].iter().map(|cell| ended(&group(cell), &method, seeds).0.long()).collect()
}

pub fn sweep(name: &str) -> Vec<Point> {
    let measured: Measured = serde_json::from_str(&read(&format!("www/sweeps/{name}.json"))).unwrap();
    measured.points
}

/// Scores of a sweep's points that fit.
pub fn points(points: &[Point], fits: impl Fn(&RunConfig) -> bool) -> Scores {
    let scores = Scores(points.iter().filter(|p| fits(&p.config)).map(|p| p.accuracy).collect());
    assert!(!scores.0.is_empty(), "a cell of no run");
    scores
}

fn is(config: &RunConfig, key: &str, value: &str) -> bool {
    config.text(key) == value
}

pub fn same_method(config: &RunConfig, method: &MethodConfig) -> bool {
    config.method.info().name == method.info().name
}

fn of_sweep(name: &str, header: &[String], row: &str) -> Row {
    let all = sweep(name);
    let row_key = row.trim_matches('`').split(" (").next().unwrap_or_default().trim_matches('`');
    let cell = |place: &String| match name {
        "examples" => points(&all, |c| same_method(c, &method(row)) && is(c, "examples", place)).short(),
        "learning-rate" => {
            let at: f64 = place.parse().unwrap();
            points(&all, |c| same_method(c, &method(row)) && c.learning_rate() == at).short()
        }
        "demonstrations" => points(&all, |c| is(c, "rule", row_key) && is(c, "shots", place)).short(),
        "pruning" => {
            let sparsity = row.trim_start_matches("to ").trim_end_matches(" %");
            points(&all, |c| {
                c.knob("sparsity").as_deref() == Some(sparsity) && c.knob("rounds").as_deref() == Some(place)
            })
            .short()
        }
        "scale" => {
            let base = place.split('`').nth(1).unwrap();
            let of = |method: &MethodConfig| points(&all, |c| same_method(c, method) && c.base.id == base).mean();
            let (ours, full) = (of(&method(row)), of(&MethodConfig::everything()));
            let share = if row == "full" { String::new() } else { format!(" ({:.0} %)", 100.0 * ours / full) };
            format!("{ours:.3}").trim_start_matches('0').to_string() + &share
        }
        "subspace" if place == "d₉₀" => {
            let full = points(&all, |c| same_method(c, &MethodConfig::everything()) && is(c, "rule", row_key)).mean();
            let enough = header[1..header.len() - 1].iter().find(|d| {
                points(&all, |c| c.knob("intrinsic_dimension").as_ref() == Some(d) && is(c, "rule", row_key)).mean()
                    >= 0.9 * full
            });
            enough.cloned().unwrap_or("none".into())
        }
        _ => points(&all, |c| c.knob("intrinsic_dimension").as_ref() == Some(place) && is(c, "rule", row_key)).short(),
    };
    header[1..].iter().map(cell).collect()
}

/// `next.sort` (never seen), 2
fn of_spread(row: &str, prompts: &[Value]) -> Row {
    let rule = row.split('`').nth(1).unwrap();
    let shots: u64 = row.rsplit(", ").next().unwrap().parse().unwrap();
    let of = |kind: &str| {
        let fits = prompts.iter().filter(|p| p["rule"] == rule && p["shots"] == shots && p["kind"] == kind);
        Scores(fits.filter_map(|p| p["accuracy"].as_f64()).collect()).range()
    };
    ["own", "order", "choice", "wording", "random_labels"].map(of).to_vec()
}

/// The cells of a table's row behind its name; `None` where the table is not one of these.
fn derived(header: &[String], row: &str, seeds: &[Value], prompts: &[Value]) -> Row {
    match header[0].as_str() {
        "method" if header[1] == "trained" && header[2] == "kept" => language_model::of_methods(row, seeds),
        "method" if header[1] == "`extract`" => language_model::of_tasks(header, row, seeds),
        "method" if header[1] == "trained" && header[2].contains("prose") => of_authors(header, row, seeds),
        "method" if header[1] == "trained" => of_rules(header, row, seeds),
        "method" if header[1] == "dialogue" => of_tasks(header, row, seeds),
        "method" if header[1].contains("prose") => of_sweep("scale", header, row),
        "method" => of_sweep("learning-rate", header, row),
        "rule" => of_sweep("demonstrations", header, row),
        "rule, demonstrations" => of_spread(row, prompts),
        "`cipher`, examples" => of_sweep("examples", header, row),
        "dimension" => of_sweep("subspace", header, row),
        "`count`, rounds of pruning" => of_sweep("pruning", header, row),
        _ => language_model::of_grid(header, row),
    }
}

/// What PyTorch gave, at the end of a cell.
fn theirs(cell: &str) -> &str {
    cell.find(" [").map_or("", |at| &cell[at..])
}

#[test]
fn the_tables_of_results_are_what_was_recorded() {
    let (seeds, prompts) = (lines("docs/measured/seeds.jsonl"), lines("docs/measured/spread.jsonl"));
    let row = |table: &Table, row: &Vec<String>| {
        let right = derived(&table.header, &row[0], &seeds, &prompts);
        let there = |i: usize| row.get(i + 1).map_or("", String::as_str);
        let cells = right.iter().enumerate().map(|(i, right)| format!("{right}{}", theirs(there(i))));
        std::iter::once(row[0].clone()).chain(cells).collect()
    };
    check("docs/results.md", |table| Some(table.rows.iter().map(|cells| row(table, cells)).collect()));
}

/// Numbers as the tables write shares: `.83`, `1.00`.
fn shares(text: &str) -> Vec<&str> {
    let words = text.split(|c: char| !c.is_ascii_digit() && c != '.').map(|word| word.trim_end_matches('.'));
    words.filter(|word| *word == "1.00" || word.len() == 3 && word.starts_with('.')).collect()
}

#[test]
fn what_a_sweep_says_it_found_is_what_was_measured() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/www/sweeps");
    let mut told = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let measured: Measured = serde_json::from_str(&std::fs::read_to_string(file.unwrap().path()).unwrap()).unwrap();
        let (found, title) = (&measured.sweep.found, &measured.sweep.title);
        assert!(!found.is_empty(), "{title} does not say what was found");
        // Runs that differ in what is drawn alone are one figure.
        let alike = |a: &RunConfig, b: &RunConfig| {
            let of = |config: &RunConfig| {
                let pairs = config.pairs().into_iter();
                pairs.filter(|(key, _)| !["seed", "demonstrations"].contains(&key.as_str())).collect::<Vec<_>>()
            };
            of(a) == of(b)
        };
        let means: Vec<String> =
            measured.points.iter().map(|p| two(points(&measured.points, |c| alike(c, &p.config)).mean())).collect();
        for share in shares(found) {
            told += 1;
            assert!(means.iter().any(|mean| mean == share), "{title}: {share} of “{found}” was not measured");
        }
    }
    assert!(told > 20, "{told}");
}
