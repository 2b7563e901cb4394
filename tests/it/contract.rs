//! Lists on the pages, against the code that they list: keys of a run and of `config.json`, commands, events, flags.
//! Both ways: nothing is left out, and nothing is invented.

use crate::tables::{Table, check, filled, read};
use peft_lab::bases::BASES;
use peft_lab::config::Key;
use peft_lab::config::RunConfig;
use peft_lab::config::keys::KEYS;
use peft_lab::model::{Activation, ModelConfig};
use peft_lab::peft::Range;
use peft_lab::task::TaskConfig;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

const FORMATS: &str = "docs/formats.md";
const COMMAND_LINE: &str = "docs/command-line.md";

/// What stands as code in a cell.
fn codes(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// A cell whose list of names is replaced; what stands before (`of X: `) and behind it stays.
fn listed(cell: &str, names: &[&str]) -> String {
    let start = if cell.starts_with("of `") { cell.find(": ").map_or(0, |at| at + 2) } else { 0 };
    let mut end = start;
    while cell[end..].starts_with(['`', ',']) {
        let Some(length) = cell[end..].trim_start_matches(", ").strip_prefix('`').and_then(|rest| rest.find('`'))
        else {
            break;
        };
        end += cell[end..].find('`').unwrap_or_default() + length + 2;
        if !cell[end..].starts_with(", `") {
            break;
        }
    }
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    format!("{}{}{}", &cell[..start], names.join(", "), &cell[end..])
}

/// A run of a task at its defaults.
fn of_task(task: &str) -> RunConfig {
    RunConfig::from_pairs(&[("task".to_string(), task.to_string())]).0
}

fn values(key: &Key, cell: &str) -> String {
    let plain = |x: f64| if x < 1e-3 { format!("{x:e}") } else { x.to_string() };
    match (key.name, &key.range) {
        ("base", _) => listed(cell, &BASES.iter().map(|base| base.id).collect::<Vec<_>>()),
        ("task", _) => listed(cell, &TaskConfig::NAMES),
        (_, Some(Range::Choice(options))) => listed(cell, &options.iter().map(|(name, _)| *name).collect::<Vec<_>>()),
        (_, Some(Range::Flag)) => listed(cell, &["true", "false"]),
        (_, Some(Range::Integer { min, max, .. })) => filled(cell, &[min.to_string(), max.to_string()]),
        (_, Some(Range::Number { min, max })) => filled(cell, &[*min, *max].map(plain)),
        _ => cell.to_string(),
    }
}

fn default(key: &Key, cell: &str) -> String {
    let config = of_task(key.tasks.first().unwrap_or(&"rules"));
    let sizes = || ["rules", "authors", "style"].map(|task| of_task(task).batch_size().to_string());
    let value = match (key.name, key.unset) {
        // What holds there depends on what else is chosen, and words say so.
        ("base" | "lr" | "data" | "classes", _) => return cell.to_string(),
        ("batch_size", _) => return filled(cell, &sizes()),
        (_, Some(word)) if !word.is_empty() => word.to_string(),
        (_, Some(_)) => (key.default)(&config),
        (_, None) => key.get(&config).unwrap(),
    };
    let behind = cell.split_once("` ").or(cell.split_once("`,")).or(cell.split_once("`;"));
    let rest = if behind.is_some() { &cell[cell[1..].find('`').unwrap() + 2..] } else { "" };
    format!("`{value}`{rest}")
}

fn of_keys(table: &Table) -> Vec<Vec<String>> {
    let row = |name: &str| {
        let found = table.rows.iter().find(|row| row[0] == name);
        found.cloned().unwrap_or_else(|| panic!("{FORMATS} has no row {name}"))
    };
    let mut rows = Vec::new();
    for key in KEYS {
        let there = row(&format!("`{}`", key.name));
        rows.push(vec![there[0].clone(), values(key, &there[1]), default(key, &there[2])]);
        if key.name == "method" {
            rows.push(row("knobs of the methods"));
        }
    }
    rows
}

#[test]
fn the_table_of_a_runs_keys_is_the_codes() {
    check(FORMATS, |table| (table.header == ["key", "values", "default"]).then(|| of_keys(table)));
    assert_eq!(listed("of `style`: `a`, `b`", &["c"]), "of `style`: `c`");
    assert_eq!(listed("`a`, `b`, or a visitor's own", &["c", "d"]), "`c`, `d`, or a visitor's own");
}

/// Variants of an enum as its JSON names them, each with its fields.
fn variants(file: &str, name: &str) -> BTreeMap<String, BTreeSet<String>> {
    let source = read(file);
    let body =
        source.split(&format!("pub enum {name} {{\n")).nth(1).and_then(|rest| rest.split("\n}\n").next()).unwrap();
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut last = String::new();
    for line in body.lines() {
        let word: String = line.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let indented = line.len() - line.trim_start().len();
        match (indented, word.chars().next()) {
            (4, Some(first)) if first.is_uppercase() => {
                last = word
                    .chars()
                    .flat_map(|c| if c.is_uppercase() { vec!['_', c.to_ascii_lowercase()] } else { vec![c] })
                    .skip(1)
                    .collect();
                found.insert(last.clone(), BTreeSet::new());
            }
            (8, Some(_)) if line.trim_start()[word.len()..].starts_with(':') => {
                found.get_mut(&last).unwrap().insert(word);
            }
            _ => {}
        }
    }
    found
}

#[test]
fn the_tables_of_commands_and_events_are_the_codes() {
    let (commands, events) =
        (variants("src/protocol/command.rs", "Command"), variants("src/protocol/event.rs", "Event"));
    assert!(events["finished"].contains("seconds") && commands.contains_key("go_on"), "{events:?} {commands:?}");
    let named =
        |table: &Table| -> Vec<String> { table.rows.iter().flat_map(|row| codes(&row[0])).map(String::from).collect() };
    check(FORMATS, |table| {
        match table.header[0].as_str() {
            "command" => {
                assert_eq!(BTreeSet::from_iter(&named(table)), commands.keys().collect(), "commands");
                let answers = table.rows.iter().flat_map(|row| codes(&row[2]));
                answers.for_each(|name| assert!(events.contains_key(name), "no event {name}"));
            }
            "event" => {
                assert_eq!(BTreeSet::from_iter(&named(table)), events.keys().collect(), "events");
                for row in &table.rows {
                    let of_row: BTreeSet<&str> = codes(&row[0])
                        .into_iter()
                        .flat_map(|name| &events[name])
                        .map(String::as_str)
                        .filter(|f| *f != "run")
                        .collect();
                    let told: BTreeSet<&str> = codes(&row[2])
                        .into_iter()
                        .filter(|word| !events.contains_key(*word) || of_row.contains(word))
                        .collect();
                    assert_eq!(told, of_row, "fields of {}", row[0]);
                }
            }
            "message" => {
                for row in &table.rows {
                    for name in codes(&row[0]) {
                        let known =
                            events.get(name).or(commands.get(name)).unwrap_or_else(|| panic!("no message {name}"));
                        codes(&row[1])
                            .into_iter()
                            .for_each(|field| assert!(known.contains(field), "{name} has no {field}"));
                    }
                }
            }
            _ => {}
        }
        None
    });
}

/// What `config.json` with these keys beside the family's name is read as.
fn config(family: &str, key: Option<(&str, Value)>) -> Result<ModelConfig, String> {
    let mut keys = json!({"model_type": family});
    if let Some((key, value)) = key {
        keys[key] = value;
    }
    ModelConfig::from_json(&keys.to_string()).map_err(|e| e.to_string())
}

/// Checks what a page says of a key of a family's `config.json`.
fn is_read_so(family: &str, key: &str, here: &str, size: Option<&str>) {
    let default = config(family, None).unwrap();
    let with = |value: Value| config(family, Some((key, value)));
    let as_default = |value: Value| assert_eq!(with(value.clone()).as_ref(), Ok(&default), "{family} {key} {value}");
    let refused = |value: Value| {
        assert!(with(value.clone()).is_err_and(|e| e.contains(key)), "{family} takes {key} {value}");
    };
    match here {
        _ if here.starts_with("read: ") => assert_eq!(Some(default.to_json()[key].to_string().as_str()), size, "{key}"),
        _ if here.starts_with("the family: ") => assert!(codes(here).contains(&family)),
        _ if here.starts_with("read, ") => assert_eq!(default.to_json()[key], codes(here)[0], "{key}"),
        _ if here.starts_with("read; ") || here.starts_with("second names") => {
            assert_ne!(with(json!(48)).as_ref(), Ok(&default), "{family} does not read {key}");
        }
        _ if here.starts_with("must be true") => (as_default(json!(true)), refused(json!(false))).0,
        _ if here.starts_with("must be false") => (as_default(json!(false)), refused(json!(true))).0,
        _ if here.starts_with("must be missing or null") => (as_default(json!(null)), refused(json!({"a": 1}))).0,
        _ if here.starts_with("must be missing or empty") => (as_default(json!({})), refused(json!({"1": [0]}))).0,
        _ if here.starts_with("must be `hidden_size` or null") => (as_default(json!(null)), refused(json!(48))).0,
        _ if here.starts_with("passed over") => as_default(json!(1)),
        _ => panic!("“{here}” of {key} is not understood"),
    }
}

#[test]
fn the_tables_of_config_json_tell_what_is_read_and_refused() {
    let page = read(FORMATS);
    let names = [&Activation::PLAIN[..], &[Activation::Silu]].map(Activation::names).concat();
    names.iter().for_each(|name| assert!(page.contains(&format!("`{name}`")), "{FORMATS} has no {name}"));
    let named = std::cell::RefCell::new(BTreeMap::<String, BTreeSet<String>>::new());
    check(FORMATS, |table| {
        let families: &[&str] = match table.header[0].as_str() {
            "OPT" => &["opt"],
            "GPT-2" => &["gpt2"],
            "Llama" => &["llama"],
            "Mistral" => &["mistral"],
            "Qwen2" => &["qwen2"],
            "Qwen3" => &["qwen3"],
            "these four" => &["llama", "mistral", "qwen2", "qwen3"],
            "GPT-NeoX" => &["gpt_neox"],
            "all" => &["opt", "gpt2", "llama", "mistral", "qwen2", "qwen3", "gpt_neox"],
            _ => return None,
        };
        for row in &table.rows {
            let sizes: Vec<&str> =
                row[1].strip_prefix("read: ").map(|all| all.split(", ").collect()).unwrap_or_default();
            let keys = codes(&row[0]);
            assert!(sizes.is_empty() || sizes.len() == keys.len(), "{row:?}");
            for family in families {
                // `summary_…` stands for several.
                for (i, key) in keys.iter().enumerate().filter(|(_, key)| !key.contains('…')) {
                    is_read_so(family, key, &row[1], sizes.get(i).copied());
                    named.borrow_mut().entry(family.to_string()).or_default().insert(key.to_string());
                }
            }
        }
        None
    });
    for (family, folder) in [("opt", "opt"), ("gpt2", "gpt2"), ("llama", "llama"), ("gpt_neox", "gpt_neox")] {
        let rope =
            if ["llama", "gpt_neox"].contains(&family) { read("src/model/families/rope.rs") } else { String::new() };
        let source =
            read(&format!("src/model/families/{folder}/config.rs")) + &read("src/model/config_keys.rs") + &rope;
        let asked = source
            .split("keys.")
            .skip(1)
            .flat_map(|call| call.split(')').next().unwrap_or_default().split('"').skip(1).step_by(2).take(2));
        let asked: BTreeSet<&str> = asked.filter(|word| word.contains('_') && !word.contains(' ')).collect();
        assert!(asked.len() > 8, "{asked:?}");
        for key in asked {
            assert!(named.borrow()[family].contains(key), "{FORMATS} has no row of {family}'s {key}");
        }
    }
}

fn help(of: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_peft-lab")).arg("help").args(of).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// Flags that a command's help lists.
fn flags(command: &str) -> BTreeSet<String> {
    let help = help(&[command]);
    let named = help.lines().filter_map(|line| line.trim_start().trim_start_matches("-h, ").strip_prefix("--"));
    let all: BTreeSet<String> = named.map(|rest| format!("--{}", rest.split(' ').next().unwrap())).collect();
    all.into_iter().filter(|flag| flag != "--help").collect()
}

fn flags_of_a_run() -> BTreeSet<String> {
    let knobs = peft_lab::peft::MethodConfig::all();
    let knobs = knobs.iter().flat_map(|method| method.info().knobs.iter().map(|knob| knob.name));
    let names = KEYS.into_iter().filter(|key| key.flag.is_some()).map(|key| key.name).chain(knobs);
    names.map(|name| format!("--{}", name.replace('_', "-"))).collect()
}

#[test]
fn the_page_of_the_command_line_has_every_command_and_flag_and_no_other() {
    let help = help(&[]);
    let listed = help.split("Commands:\n").nth(1).and_then(|rest| rest.split("\n\n").next()).unwrap();
    let listed: BTreeSet<&str> =
        listed.lines().filter_map(|line| line.split_whitespace().next()).filter(|c| *c != "help").collect();
    let (of_a_run, page) = (flags_of_a_run(), read(COMMAND_LINE));
    let flag = |word: &str| word.starts_with("--").then(|| word.split(' ').next().unwrap().to_string());
    // The flags of one's own base and data go with many commands, and have a table of their own.
    let own = page.split("## Your own").nth(1).unwrap().lines().filter(|line| line.starts_with("| `--"));
    let own: BTreeSet<String> = own.flat_map(|line| codes(line.split('|').nth(1).unwrap())).filter_map(flag).collect();
    assert!(own.iter().all(|flag| flags("train").contains(flag)), "{own:?}");
    check(COMMAND_LINE, |table| {
        if table.header[0] != "command" {
            return None;
        }
        let named: BTreeSet<&str> = table.rows.iter().flat_map(|row| codes(&row[0])).collect();
        assert_eq!(named, listed);
        for row in &table.rows {
            let takes_a_run = row[2].split(", ").any(|part| part.starts_with("a run") && !part.contains("run's"));
            let told: BTreeSet<String> = codes(&row[2]).into_iter().filter_map(flag).collect();
            let mut of_row = BTreeSet::new();
            for command in codes(&row[0]) {
                let there = flags(command);
                let right: Vec<&String> = there.iter().filter(|flag| !told.contains(*flag)).collect();
                let allowed = |flag: &String| own.contains(flag) || (takes_a_run && of_a_run.contains(flag));
                let left_out: Vec<&&String> = right.iter().filter(|flag| !allowed(flag)).collect();
                assert!(left_out.is_empty(), "{COMMAND_LINE}: of {command}, {left_out:?}");
                assert!(!takes_a_run || of_a_run.is_subset(&there), "{command} takes no run");
                of_row.extend(there);
            }
            assert!(told.is_subset(&of_row), "{COMMAND_LINE}: {} {:?}", row[0], told.difference(&of_row));
        }
        None
    });
    for line in page.lines().filter_map(|line| line.strip_prefix("    peft-lab ")) {
        let words: Vec<&str> = line.split('#').next().unwrap().split_whitespace().collect();
        assert!(listed.contains(words[0]), "{line}");
        let there = flags(words[0]);
        let given = words
            .iter()
            .filter_map(|word| flag(word.trim_start_matches('[')))
            .map(|flag| flag.trim_end_matches(']').to_string());
        given.for_each(|flag| assert!(there.contains(&flag), "{line}: there is no {flag}"));
    }
    // Wherever else the page names a flag.
    let all: BTreeSet<String> = listed.iter().flat_map(|command| flags(command)).collect();
    let named = page.split('`').skip(1).step_by(2).filter_map(flag).map(|flag| flag.replace('_', "-"));
    named
        .filter(|flag| !flag.contains('.'))
        .for_each(|flag| assert!(all.contains(&flag), "{COMMAND_LINE}: there is no {flag}"));
}
