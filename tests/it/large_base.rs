//! On a large base the first step comes first, and what the run started from is scored after it.

use crate::shared;
use burn::tensor::Device;
use peft_lab::base::{clock, stream};
use peft_lab::cli::Disk;
use peft_lab::config::RunConfig;
use peft_lab::model::Model;
use peft_lab::protocol::Event;
use peft_lab::train::Session;
use peft_lab::train::evaluate::{Evaluation, evaluate};
use peft_lab::train::library::{LoadedBase, Materials};
use pollster::block_on;
use std::rc::Rc;

/// The base `rules` with random weights and so many positions that it counts as large. No text reaches them.
pub fn base() -> Rc<LoadedBase> {
    let device = Device::flex();
    let small = block_on(LoadedBase::of(&RunConfig::default(), &Disk::default(), &device)).unwrap();
    let mut config = small.theta.config.clone();
    config.max_position_embeddings += 20_000_000 / config.hidden_size;
    assert!(config.is_large());
    let theta = Model::random(config, &mut stream(1, "large base"), &device);
    Rc::new(LoadedBase { theta, ..small })
}

fn session(method: &str, steps: usize, base: &Rc<LoadedBase>) -> Session {
    let method = shared::method(method, &[]);
    let config = RunConfig { method, steps, batch_size: Some(4), ..RunConfig::default() };
    Session::new(7, config, base.clone(), &Materials::none(), &Device::flex(), "cpu", clock).unwrap()
}

/// Names of events with their steps; that of the end is 0.
fn told(events: &[Event]) -> Vec<(&'static str, usize)> {
    let name = |event: &Event| match event {
        Event::Started { .. } => "started",
        Event::Step { .. } => "step",
        Event::Evaluated { .. } => "evaluated",
        Event::Examples { .. } => "examples",
        Event::Finished { .. } => "finished",
        _ => "other",
    };
    events.iter().map(|event| (name(event), event.step().unwrap_or(0))).collect()
}

#[test]
fn the_first_step_comes_first_and_then_what_it_started_from() {
    let base = base();
    // Each starts from a φ that changes the answers, or from one that does not.
    for method in ["prompt", "lora", "prefix"] {
        let mut run = session(method, 40, &base);
        assert_eq!(told(&block_on(run.begin()).unwrap()), [("started", 0)]);
        let start = run.phi().frozen();
        assert_eq!(told(&block_on(run.advance(false)).unwrap()), [("step", 1)]);
        let events = block_on(run.advance(false)).unwrap();
        assert_eq!(told(&events), [("evaluated", 0), ("examples", 0)]);
        assert_eq!(told(&block_on(run.advance(false)).unwrap())[0], ("step", 2));
        let Event::Evaluated { loss, accuracy, n, .. } = events[0] else { unreachable!("told above") };
        let scored = |phi| block_on(evaluate(&base.theta, phi, run.data(), n)).unwrap();
        assert_eq!(Evaluation { loss, accuracy, n }, scored(&start), "{method}");
        assert_ne!(loss, scored(&run.phi().frozen()).loss, "{method} has learnt");
    }
}

#[test]
fn who_steps_once_or_in_all_hears_of_the_start_as_well() {
    let base = base();
    let mut run = session("lora", 40, &base);
    block_on(run.begin()).unwrap();
    assert_eq!(told(&block_on(run.advance(true)).unwrap()), [("step", 1), ("evaluated", 0), ("examples", 0)]);
    let mut run = session("lora", 1, &base);
    block_on(run.begin()).unwrap();
    let all = [("step", 1), ("evaluated", 0), ("examples", 0), ("evaluated", 1), ("examples", 1), ("finished", 0)];
    assert_eq!(told(&block_on(run.advance(false)).unwrap()), all);
    assert!(run.done());
}

#[test]
fn a_paused_run_is_dialled_before_its_start_is_scored() {
    let mut run = session("lora", 40, &base());
    block_on(run.begin()).unwrap();
    block_on(run.advance(false)).unwrap();
    let (_, answers) = block_on(run.dialled(0.0)).unwrap();
    assert!(!answers.is_empty() && answers.iter().all(|answer| answer.base == answer.adapted));
}
