//! In-context learning's spread, figures over grids, forgetting, and tasks that the site may lack.

use super::*;
use crate::experiments::sweep::{Measured, Point, Sweep};
use crate::protocol::{KeptScore, SpreadKind};

fn with_files(names: &[&str]) -> Manifest {
    let files = names.iter().map(|n| (n.to_string(), format!("{n}-hash"))).collect();
    Manifest { files, ..manifest(BuildStatus::Ready) }
}

fn prompted(kind: SpreadKind, accuracy: f64, free: Option<f64>, done: usize) -> Event {
    let what = "order 1".to_string();
    Event::Spread { run: 0, kind, what, accuracy: Some(accuracy), free, n: 512, done, of: 4 }
}

#[test]
fn the_spread_is_measured_for_in_context_learning_alone() {
    let mut state = ready("#method=lora");
    assert!(state.reduce(Action::MeasureSpread).is_empty());
    let mut state = ready("#method=icl&rule=sort");
    let effects = state.reduce(Action::MeasureSpread);
    assert!(matches!(command(&effects), Some((Trainer::Cpu, Command::Spread { .. }))));
    let events = vec![
        prompted(SpreadKind::Own, 0.9, Some(0.8), 1),
        prompted(SpreadKind::Nothing, 0.1, Some(0.0), 2),
        prompted(SpreadKind::RandomLabels, 0.2, Some(0.1), 3),
    ];
    hear(&mut state, Trainer::Cpu, events);
    assert!(state.spread().unwrap().running);
    hear(&mut state, Trainer::Cpu, vec![prompted(SpreadKind::RandomLabels, 0.4, Some(0.3), 4)]);
    let spread = state.spread().unwrap();
    assert!(!spread.running);
    let [nothing, random, own] = spread.from_nothing().unwrap();
    assert_eq!((nothing.mean, random.mean, own.mean), (0.0, 0.2, 0.8));
    // One draw may fit by luck: the range is told.
    assert_eq!((random.low, random.high, random.draws), (0.1, 0.3, 2));
    // Another prompt has another spread.
    set(&mut state, "shots", "2");
    assert!(state.spread().is_none());
}

#[test]
fn no_spread_while_a_run_trains() {
    let mut state = training("#method=lora");
    set(&mut state, "method", "icl");
    assert!(state.spread_waits().is_some());
    assert!(state.reduce(Action::MeasureSpread).is_empty());
}

#[test]
fn a_run_or_a_failure_ends_the_spread() {
    for end in [true, false] {
        let mut state = ready("#method=icl&rule=sort");
        state.reduce(Action::MeasureSpread);
        hear(&mut state, Trainer::Cpu, vec![prompted(SpreadKind::Own, 0.9, Some(0.8), 1)]);
        match end {
            true => drop(state.reduce(Action::Main)),
            false => drop(hear(&mut state, Trainer::Cpu, vec![failed(0, FailureReason::Input)])),
        }
        assert!(!state.spread().unwrap().running);
    }
}

fn measured() -> Measured {
    measured_of(
        r#"{"title": "t", "question": "q", "axis": "lr", "fixed": {"rule": "count", "steps": "200"},
        "grids": [{"method": ["full", "lora"], "lr": ["0.001", "0.01"], "seed": ["0", "1"]}]}"#,
    )
}

fn measured_of(text: &str) -> Measured {
    let sweep = Sweep::from_json(text).unwrap();
    let point = |(i, config): (usize, RunConfig)| Point {
        config,
        trainable: 1,
        loss: 1.0,
        accuracy: i as f64 / 10.0,
        n: 512,
        seconds: 1.0,
    };
    let points = sweep.runs().unwrap().into_iter().enumerate().map(point).collect();
    Measured { sweep, points }
}

#[test]
fn a_figure_has_a_line_for_each_method_and_takes_a_live_point() {
    let mut state = ready("#rule=count&steps=200&method=lora&lr=0.003&seed=7");
    let lines = state.lines(&measured());
    assert_eq!(lines.len(), 2);
    let labels: Vec<&str> = lines.iter().map(|l| l.label.as_str()).collect();
    assert_eq!(labels, ["Full fine-tuning", "LoRA r 4"]);
    let places: Vec<f64> = lines[1].points.iter().map(|p| p.0).collect();
    assert_eq!(places, [0.001, 0.01]);
    let (_, mean, low, high) = lines[0].points[0];
    assert!(low < mean && mean < high);
    // A run at a rate of one's own, on another seed, belongs to LoRA's line.
    state.reduce(Action::Main);
    let config = state.config.clone();
    hear(&mut state, Trainer::Cpu, vec![started(1, &config), finished(1, 200, 0.66)]);
    let lines = state.lines(&measured());
    assert_eq!((lines[1].live.as_slice(), lines[0].live.len()), (&[(0.003, 0.66)][..], 0));
}

#[test]
fn over_the_sizes_of_bases_a_method_is_one_line() {
    let state = ready("");
    let text = r#"{"title": "t", "question": "q", "axis": "parameters", "fixed": {"task": "authors"},
        "grids": [{"base": ["prose-nano", "prose-micro", "prose-small"], "method": ["prompt", "full"]}]}"#;
    let lines = state.lines(&measured_of(text));
    let labels: Vec<&str> = lines.iter().map(|l| l.label.as_str()).collect();
    assert_eq!(labels, ["Full fine-tuning", "prompt 20"]);
    let places: Vec<f64> = lines[0].points.iter().map(|p| p.0).collect();
    assert_eq!(places, [273_920.0, 941_056.0, 3_454_976.0]);
}

#[test]
fn figures_are_fetched_once_and_a_broken_one_is_no_fault() {
    let (mut state, _) = State::open(with_files(&["sweeps/a.json", "sweeps/b.json"]), "#");
    let effects = state.reduce(Action::Experiment(Some("sweeps/a.json".into())));
    assert_eq!(effects.len(), 2);
    assert!(state.reduce(Action::Experiment(Some("sweeps/b.json".into()))).is_empty());
    state.reduce(Action::Sweep("sweeps/a.json".into(), Some("{".into())));
    assert!(state.sweeps["sweeps/a.json"].is_none() && state.notices.is_empty());
}

#[test]
fn a_task_whose_file_the_site_lacks_is_not_offered() {
    let (state, _) = State::open(with_files(&["data/authors.json", "data/dialogue.json"]), "#");
    assert_eq!(state.tasks(), ["rules", "questions", "authors", "dialogue", "extract"]);
    // The one of the address stays in the list.
    let (state, _) = State::open(with_files(&[]), "#task=style&base=prose-nano");
    assert_eq!(state.tasks(), ["rules", "questions", "style", "extract"]);
}

#[test]
fn forgetting_is_a_second_curve() {
    let mut state = ready("#forgetting=true");
    state.reduce(Action::Main);
    let config = state.config.clone();
    assert!(config.forgetting && state.hash().contains("forgetting=true"));
    let kept = |step, accuracy| {
        let kept = Some(KeptScore { loss: 1.0, accuracy, n: 128 });
        Event::Evaluated { run: 1, step, loss: 1.0, accuracy: 0.5, n: 140, kept, parts: Vec::new() }
    };
    hear(&mut state, Trainer::Cpu, vec![started(1, &config), kept(0, 0.99), kept(5, 0.3)]);
    assert_eq!(**state.runs[0].kept_accuracy.points(), [(0.0, 0.99), (5.0, 0.3)]);
}

#[test]
fn the_card_of_a_base_is_fetched_when_it_is_asked_for() {
    let (mut state, _) = State::open(with_files(&["models/rules/card.json"]), "#");
    assert_eq!(state.reduce(Action::Card(true)), [Effect::FetchCard("rules".into())]);
    let card = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/www/models/rules/card.json")).unwrap();
    state.reduce(Action::BaseCard("rules".into(), Some(card)));
    assert_eq!(state.cards["rules"].as_ref().unwrap().id, "rules");
    assert!(state.reduce(Action::Card(true)).is_empty());
}

#[test]
fn d90_is_the_smallest_dimension_with_nine_tenths_of_full_fine_tuning() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/www/sweeps/subspace.json")).unwrap();
    let measured: Measured = serde_json::from_str(&text).unwrap();
    let found: Vec<_> = ready("").lines(&measured).into_iter().map(|l| (l.d90(), l.label)).collect();
    let line = |rule: &str, d90| (Some(d90), rule.to_string());
    // `count` reaches .84 and no more.
    assert_eq!(found, [line("cipher", Some(512.0)), line("count", None), line("swap-ends.rotate-left", Some(512.0))]);
    // A figure without full fine-tuning says nothing of it.
    assert!(ready("").lines(&self::measured()).iter().all(|l| l.d90().is_none()));
}
