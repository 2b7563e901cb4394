//! Labels as words, in Python: the printed script reads the same tokens as the lab, and finds the same answers right.

use crate::python::{fresh, python, run};
use burn::tensor::Device;
use peft_lab::base::clock;
use peft_lab::cli::Disk;
use peft_lab::config::RunConfig;
use peft_lab::interchange::python::{Sources, script_from};
use peft_lab::protocol::{Around, Event, Writing};
use peft_lab::task::text::Label;
use peft_lab::task::{Baselines, Labelled};
use peft_lab::train::Session;
use peft_lab::train::data::TaskFile;
use peft_lab::train::library::{LoadedBase, Materials};
use pollster::block_on;
use std::rc::Rc;

/// Texts of three labels, whose titles have several tokens.
pub fn films() -> Labelled {
    let titles = ["a good one", "bad", "not a good one"];
    let ends = ["fine", "poor", "plain (really)"];
    let row = |i: usize| (i % 3, format!("{} day by the lake, number {i}, {}", ["a", "One more"][i % 2], ends[i % 3]));
    let label = |i: usize| Label { label: ["A", "B", "C"][i].into(), title: titles[i].into(), about: String::new() };
    Labelled {
        labels: (0..3).map(label).collect(),
        training: (0..80).map(row).collect(),
        held_out: (80..140).map(row).collect(),
        baselines: Some(Baselines { chance: 1.0 / 3.0, majority: 1.0 / 3.0, bag_of_words: 1.0 }),
        source: String::new(),
    }
}

/// The same, ready for a session.
pub fn materials() -> Materials {
    let mut materials = Materials::none();
    materials.file = TaskFile::Labelled(films());
    materials
}

/// A run on them.
pub fn run_on_films(rest: &str) -> RunConfig {
    let hash = format!("#base=prose-nano&task=own&data=films-1a2b3c4d&classes=3&{rest}");
    let (config, faults, unknown) = RunConfig::from_hash(&hash);
    assert!(faults.is_empty() && unknown.is_empty(), "{hash}: {faults:?} {unknown:?}");
    config
}

#[test]
fn a_script_reads_and_scores_words_as_we_do() {
    let Some(python) = python() else { return };
    let folder = fresh("words");
    let json = serde_json::to_string(&films()).unwrap();
    let data = Some(format!("data = json.loads({})\n", serde_json::Value::from(json)));
    let materials = materials();
    let mut right = Vec::new();
    for (i, words) in [
        "template=Film: {text}%5CnIt is {label}%5Cn%5Cn&labels=titles",
        "template={text}%5Cn%5Cn{label}&labels=the,a,of",
        "labels=very good,bad,very dull",
        "template=It goes: {text} ({label})%5Cn&labels=letters",
        "",
    ]
    .into_iter()
    .enumerate()
    {
        for (j, method) in
            ["method=icl&shots=0", "method=icl&shots=1", "method=last-layer&rows=labels&steps=1&batch_size=4"]
                .into_iter()
                .enumerate()
        {
            let config = run_on_films(&format!("{words}&{method}"));
            let base = Rc::new(block_on(LoadedBase::of(&config, &Disk::default(), &Device::flex())).unwrap());
            let examples = materials.examples(&config, &base).unwrap();
            let tokens: Vec<&[u32]> = examples.held_out.iter().map(|example| &example.tokens[..]).collect();
            let source = Sources { base: None, data: data.clone() };
            let mut text = script_from(&config, &source).unwrap();
            text += &format!("assert [t for t, _ in held_out] == {tokens:?}\nassert LABELS == {:?}\n", examples.labels);
            // Without demonstrations and training nothing is drawn.
            if j == 0 {
                let session = Session::new(0, config.clone(), base, &materials, &Device::flex(), "cpu", clock).unwrap();
                let scored = block_on(session.evaluate(1.0)).unwrap();
                let ours = (scored.accuracy * scored.n as f64).round() as usize;
                text += &format!("assert right == {ours}, right\n");
                right.push(ours);
            }
            std::fs::write(folder.join(format!("{i}-{j}.py")), text).unwrap();
            std::fs::write(folder.join(format!("{i}-{j}.count")), config.trainable().to_string()).unwrap();
        }
    }
    assert!(right.iter().any(|n| !right.starts_with(&[*n])), "all words score alike: {right:?}");
    run(&python, "run_scripts.py", &folder);
}

#[test]
fn free_text_is_read_as_it_stands_as_the_task_asks_or_as_a_message() {
    let config = run_on_films("template=Film: {text}%5CnIt is {label}%5Cn%5Cn&labels=titles&method=lora");
    let base = Rc::new(block_on(LoadedBase::of(&config, &Disk::default(), &Device::flex())).unwrap());
    let session = Session::new(0, config, base, &materials(), &Device::flex(), "cpu", clock).unwrap();
    let asked = |around: Around, text: &str| {
        let text = text.to_string();
        let writing = Writing { text, around, lambda: 1.0, temperature: 0.0, top_k: 0, tokens: 1, seed: 0 };
        let event = block_on(session.writer(writing, clock).map_err(|fault| fault.message)?.advance()).unwrap();
        let Some(Event::Wrote { next, .. }) = event else { panic!("{event:?}") };
        Ok::<_, String>(next)
    };
    let plain = asked(Around::Nothing, "a day by the lake").unwrap();
    for (around, spelt) in [
        (Around::Task, "Film: a day by the lake\nIt is"),
        // This base has no template of its own.
        (Around::Chat, "user: a day by the lake\nassistant: "),
    ] {
        let next = asked(around, "a day by the lake").unwrap();
        assert_eq!(next, asked(Around::Nothing, spelt).unwrap(), "{around:?}");
        assert_ne!(next, plain, "{around:?}");
    }
    // A question is never cut without a word.
    assert!(asked(Around::Task, &"a day ".repeat(200)).unwrap_err().ends_with("shorten it."));
    assert_eq!(asked(Around::Task, " "), Err("Type a sentence.".to_string()));
    assert_eq!(asked(Around::Chat, " "), Err("Type what you say.".to_string()));
}
