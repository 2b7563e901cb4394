//! `bases`, `tasks`, `methods`: what there is.

use super::method_page;
use super::output::print_line;
use super::sentence::Sentence;
use crate::bases::{BASES, Base};
use crate::peft::{Knob, MethodConfig, Range};
use crate::task::{Question, TaskConfig, rules};
use clap::ArgMatches;
use serde_json::json;

/// The pretrained bases.
pub(super) fn bases(args: &ArgMatches) -> Result<(), Sentence> {
    print_list(args, BASES.iter().map(base_json).collect(), "base")
}

/// The tasks and their choices.
pub(super) fn tasks(args: &ArgMatches) -> Result<(), Sentence> {
    print_list(args, tasks_json(), "task")
}

/// The methods with their knobs; `--markdown` prints the page of them.
pub(super) fn methods(args: &ArgMatches) -> Result<(), Sentence> {
    if args.get_flag("markdown") {
        print!("{}", method_page::markdown());
        return Ok(());
    }
    print_list(args, MethodConfig::all().iter().map(method_json).collect(), "method")
}

fn print_list(args: &ArgMatches, items: Vec<serde_json::Value>, key: &str) -> Result<(), Sentence> {
    if args.get_flag("json") {
        print_line!("{}", serde_json::Value::Array(items));
        return Ok(());
    }
    for item in items {
        let text = |field: &str| item[field].as_str().unwrap_or_default().to_string();
        print_line!("{:22} {}", text(key), text("about"));
        for knob in item["knobs"].as_array().into_iter().flatten() {
            print_line!(
                "  --{:20} {} [{}]",
                knob["name"].as_str().unwrap_or_default().replace('_', "-"),
                knob["help"].as_str().unwrap_or_default(),
                knob["default"].as_str().unwrap_or_default()
            );
        }
    }
    Ok(())
}

fn base_json(base: &Base) -> serde_json::Value {
    let config = base.config().map(|c| (c.parameters(), c.hidden_size, c.num_hidden_layers)).unwrap_or_default();
    json!({"base": base.id, "about": format!("{} parameters, d {}, {} blocks. {}", config.0, config.1, config.2, base.trained_on),
           "parameters": config.0, "d_model": config.1, "layers": config.2})
}

fn tasks_json() -> Vec<serde_json::Value> {
    let tasks = TaskConfig::NAMES.iter().filter_map(|n| TaskConfig::named(n));
    tasks
        .map(|task| {
            let offered: &[&str] = if task.name() == "rules" { &rules::OFFERED } else { &[] };
            let about = match task.name() {
                "rules" => format!("One string rule, exact match; --rule one of {} or another composition", offered.join(", ")),
                "questions" => {
                    let names: Vec<&str> = Question::all().map(|q| q.name()).collect();
                    format!("Yes or no about a string; --question one of {}", names.join(", "))
                }
                "language" => format!("{} Or of a word: --unit word", task.description()),
                "own" => "Your own texts with labels, or a text to write like: --data-file".to_string(),
                "style" => "Writing like one author: every next token of a book; --author".to_string(),
                _ => task.description(),
            };
            json!({"task": task.name(), "about": about, "bases": task.bases(), "held_out": task.held_out(), "rules": offered})
        })
        .collect()
}

fn method_json(method: &MethodConfig) -> serde_json::Value {
    let info = method.info();
    let knobs: Vec<serde_json::Value> = info.knobs.iter().map(|k| knob_json(method, k)).collect();
    json!({"method": info.name, "title": info.title, "kind": info.kind.title(), "about": info.summary, "paper": info.paper,
           "formula": info.formula.replace(['⟨', '⟩'], ""), "merges": info.merges.is_ok(), "knobs": knobs})
}

fn knob_json(method: &MethodConfig, knob: &Knob) -> serde_json::Value {
    let limits = match &knob.range {
        Range::Integer { min, max, .. } => json!({"min": min, "max": max}),
        Range::Number { min, max } => json!({"min": min, "max": max}),
        Range::Seed => json!({"min": 0, "max": u64::MAX}),
        Range::Choice(options) | Range::Set(options) => {
            json!({"values": options.iter().map(|(v, _)| *v).collect::<Vec<_>>()})
        }
        Range::Text { max_chars } => json!({"max_chars": max_chars}),
        Range::Flag => json!({"values": ["true", "false"]}),
        Range::Blocks => json!({"blocks": "all, or numbers from 0"}),
    };
    json!({"name": knob.name, "label": knob.label, "help": knob.help, "limits": limits, "default": method.get(knob.name)})
}
