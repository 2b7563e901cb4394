//! Pretraining: an interrupted run resumes to the same numbers, and what it writes is a base.

use peft_lab::bases::{Card, Figures};
use peft_lab::experiments::pretrain::{Block, Corpus, Recipe, pretrain};
use peft_lab::model::{Model, ModelConfig};
use peft_lab::task::tokenizer::Tokenizer;
use std::path::{Path, PathBuf};

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("peft-lab-pretrain-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    folder
}

fn rules() -> Recipe {
    let text = r#"{"id": "rules", "model": {"hidden_size": 8, "layers": 1, "heads": 2, "context": 64, "activation": "relu"},
        "data": {"rules": {"moves_first": 0.5, "moves": 0.2, "singles": 0.5}}, "steps": 6, "batch_size": 2, "lr": 0.01,
        "warm_up": 2, "weight_decay": 0.01, "seed": 0, "judge_every": 2}"#;
    Recipe::from_json(text).unwrap()
}

fn prose() -> (Recipe, Corpus) {
    let text = r#"{"id": "prose", "model": {"hidden_size": 8, "layers": 1, "heads": 2, "context": 16, "activation": "gelu_new"},
        "data": {"prose": {"vocabulary": 270, "held_out": {"B": [1]}}}, "steps": 4, "batch_size": 2, "lr": 0.01,
        "warm_up": 2, "weight_decay": 0.05, "seed": 0, "judge_every": 2}"#;
    let block = |book: &str, number: usize| {
        let text = format!("It was the best of times in book {book}, it was the worst of times. ").repeat(12);
        Block { book: book.into(), number, text }
    };
    (Recipe::from_json(text).unwrap(), Corpus { blocks: vec![block("A", 0), block("B", 0), block("B", 1)] })
}

fn run(recipe: &Recipe, corpus: Option<&Corpus>, out: &Path, stop: Option<usize>) -> Option<Card> {
    pollster::block_on(pretrain(recipe, corpus, out, stop, |_| {})).unwrap()
}

#[test]
fn an_interrupted_run_resumes_to_the_same_base() {
    let recipe = rules();
    let (whole, parts) = (folder("whole"), folder("parts"));
    let card = run(&recipe, None, &whole, None).unwrap();
    // Stopped between two checkpoints: step 3 is done again.
    assert!(run(&recipe, None, &parts, Some(3)).is_none());
    assert!(parts.join("checkpoint/progress.json").exists());
    let resumed = run(&recipe, None, &parts, None).unwrap();
    let weights = |folder: &Path| std::fs::read(folder.join("model.safetensors")).unwrap();
    assert_eq!(weights(&whole), weights(&parts));
    let losses = |card: &Card| card.made.as_ref().unwrap().curve.iter().map(|j| (j.step, j.loss)).collect::<Vec<_>>();
    assert_eq!(losses(&card), losses(&resumed));
    assert!(!parts.join("checkpoint").exists());
    [whole, parts].iter().for_each(|f| std::fs::remove_dir_all(f).unwrap());
}

#[test]
fn a_checkpoint_of_another_recipe_is_refused() {
    let out = folder("other");
    assert!(run(&rules(), None, &out, Some(3)).is_none());
    let other = Recipe { lr: 0.02, ..rules() };
    let error = pollster::block_on(pretrain(&other, None, &out, None, |_| {})).unwrap_err();
    assert!(error.contains("belongs to another recipe"), "{error}");
    std::fs::remove_dir_all(out).unwrap();
}

#[test]
fn prose_gives_a_base_with_its_tokenizer_and_card() {
    let (recipe, corpus) = prose();
    let out = folder("prose");
    let card = run(&recipe, Some(&corpus), &out, None).unwrap();
    let text = |name: &str| std::fs::read_to_string(out.join(name)).unwrap();
    let config = ModelConfig::from_json(&text("config.json")).unwrap();
    let weights = std::fs::read(out.join("model.safetensors")).unwrap();
    let model = Model::load(config, &weights, &burn::tensor::Device::flex()).unwrap();
    assert_eq!(model.config.parameters(), card.parameters);
    assert_eq!(Tokenizer::from_json(&text("tokenizer.json")).unwrap().vocab_size(), 270);
    let Figures::Prose { bits_per_byte } = card.made.as_ref().unwrap().figures else { panic!("{card:?}") };
    // Nothing is learnt in four steps: near log2(270) bits for tokens of a byte or more.
    assert!((1.0..9.0).contains(&bits_per_byte), "{bits_per_byte}");
    assert!(text("README.md").contains("held-out"));
    std::fs::remove_dir_all(out).unwrap();
}

#[test]
fn a_block_that_is_held_out_must_be_there() {
    let (recipe, mut corpus) = prose();
    corpus.blocks.pop();
    let error = pollster::block_on(pretrain(&recipe, Some(&corpus), &folder("gone"), None, |_| {})).unwrap_err();
    assert!(error.contains("block 1 of “B”"), "{error}");
}
