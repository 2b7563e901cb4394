//! On a large base the first step comes first, what the run started from is scored after it, and helpers make some of
//! an evaluation's passes.

use crate::shared;
use crate::words::{materials, run_on_films};
use burn::tensor::Device;
use peft_lab::base::{clock, stream};
use peft_lab::cli::Disk;
use peft_lab::config::RunConfig;
use peft_lab::model::Model;
use peft_lab::protocol::Event;
use peft_lab::train::Session;
use peft_lab::train::evaluate::{Evaluation, evaluate};
use peft_lab::train::library::{LoadedBase, Materials};
use peft_lab::train::micro_batch::threads::Threads;
use peft_lab::train::micro_batch::{Assignment, Helpers, Outcomes, Told};
use peft_lab::train::pieces::Piece;
use peft_lab::train::rehearsal::rehearse;
use pollster::block_on;
use std::cell::Cell;
use std::rc::Rc;

/// The base `rules` with random weights and so many positions that it counts as large. No text reaches them.
pub fn base() -> Rc<LoadedBase> {
    enlarged(&RunConfig::default())
}

/// The same of the base of a configuration.
fn enlarged(of: &RunConfig) -> Rc<LoadedBase> {
    let device = Device::flex();
    let small = block_on(LoadedBase::of(of, &Disk::default(), &device)).unwrap();
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
fn what_it_started_from_is_scored_on_as_many_as_its_end_where_they_are_named() {
    let base = base();
    let started_on = |scored: Option<usize>, alone: bool| {
        let config = RunConfig { method: shared::method("lora", &[]), steps: 1, scored, ..RunConfig::default() };
        let run = Session::new(7, config, base.clone(), &Materials::none(), &Device::flex(), "cpu", clock).unwrap();
        let mut run = if alone { run.for_its_end() } else { run };
        block_on(run.begin()).unwrap();
        let events = block_on(run.advance(false)).unwrap();
        let n = |event: &Event| if let Event::Evaluated { step: 0, n, .. } = event { Some(*n) } else { None };
        events.iter().find_map(n).unwrap()
    };
    assert_eq!([started_on(None, false), started_on(Some(100), false), started_on(Some(100), true)], [16, 100, 16]);
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

/// Threads, and how many passes of θ ⊕ φ and of θ alone they were handed.
struct Counted {
    threads: Threads,
    passes: Cell<[usize; 2]>,
}

impl Helpers for Counted {
    fn assign(&self, assignment: &Assignment) {
        self.threads.assign(assignment);
    }

    fn tell(&self, told: &Told) {
        self.threads.tell(told);
    }

    fn ready(&self) -> Vec<usize> {
        self.threads.ready()
    }

    fn send(&self, helper: usize, phi: &[f32], pieces: Vec<(usize, Piece)>) {
        let [mut of_phi, mut of_theta] = self.passes.get();
        for (_, piece) in &pieces {
            of_phi += usize::from(matches!(piece, Piece::Pass(_)));
            of_theta += usize::from(matches!(piece, Piece::OfTheta(_)));
        }
        self.passes.set([of_phi, of_theta]);
        self.threads.send(helper, phi, pieces);
    }

    fn receive(&self, helper: usize) -> Outcomes<'_> {
        self.threads.receive(helper)
    }
}

/// All events of a run beside so many helpers, but for times and who took part; and the passes that these made.
fn run(method: &str, knobs: &[(&str, &str)], helpers: usize, base: &Rc<LoadedBase>) -> (Vec<String>, [usize; 2]) {
    let method = shared::method(method, knobs);
    let config = RunConfig { method, steps: 4, batch_size: Some(256), forgetting: true, ..RunConfig::default() };
    run_of(config, &Materials::none(), helpers, base)
}

fn run_of(
    config: RunConfig,
    materials: &Materials,
    helpers: usize,
    base: &Rc<LoadedBase>,
) -> (Vec<String>, [usize; 2]) {
    let mut run = Session::new(7, config, base.clone(), materials, &Device::flex(), "cpu", clock).unwrap();
    let counted = Rc::new(Counted { threads: Threads::new(&base.theta, helpers), passes: Cell::default() });
    run.help((helpers > 0).then(|| counted.clone() as Rc<dyn Helpers>));
    let mut events = block_on(run.begin()).unwrap();
    while !run.done() {
        events.extend(block_on(run.advance(false)).unwrap());
    }
    let plain = |event: &Event| {
        let mut event = serde_json::to_value(event).unwrap();
        let fields = event.as_object_mut().unwrap();
        ["ms", "seconds", "peak", "workers"].iter().for_each(|field| drop(fields.remove(*field)));
        event.to_string()
    };
    (events.iter().map(plain).collect(), counted.passes.get())
}

#[test]
fn helpers_make_passes_of_an_evaluation_and_what_is_told_is_the_same() {
    let base = base();
    for (method, knobs, shares) in [
        ("lora", &[] as &[(&str, &str)], true),
        ("prompt", &[], true),
        ("prefix", &[], true),
        // Its φ is told what to drop, and ends otherwise than by its numbers: it is scored by the trainer alone.
        ("pruning", &[("rounds", "2")], false),
    ] {
        let (alone, _) = run(method, knobs, 0, &base);
        for n in [1, 3, 5] {
            let (together, [of_phi, of_theta]) = run(method, knobs, n, &base);
            assert_eq!(together, alone, "{method} with {n} helpers");
            assert_eq!((of_phi > 0, of_theta > 0), (shares, shares), "{method} with {n} helpers");
        }
    }
}

#[test]
fn helpers_score_labels_of_several_tokens_as_one_worker_does() {
    let words = "template=Film: {text}%5CnIt is {label}&labels=titles&method=lora&steps=4&batch_size=64";
    let (config, materials) = (run_on_films(words), materials());
    let base = enlarged(&config);
    let (alone, _) = run_of(config.clone(), &materials, 0, &base);
    let answers = alone.iter().filter(|event| event.contains("examples")).collect::<Vec<_>>();
    assert!(answers[0].contains(r#""right":"not a good one""#), "{answers:?}");
    for n in [1, 3] {
        let (together, [of_phi, of_theta]) = run_of(config.clone(), &materials, n, &base);
        assert_eq!(together, alone, "with {n} helpers");
        assert!(of_phi > 0 && of_theta > 0, "with {n} helpers");
    }
}

#[test]
fn what_a_run_does_is_rehearsed_where_its_phi_is_small() {
    let device = Device::flex();
    for (method, knobs, is) in [
        ("lora", &[] as &[(&str, &str)], true),
        // Behind what is gone through.
        ("lora", &[("layers", "3")], true),
        ("prompt", &[], true),
        ("full", &[], false),
        ("sparse", &[], false),
        ("icl", &[], false),
    ] {
        let config = RunConfig { method: shared::method(method, knobs), ..RunConfig::default() };
        let theta = Model::random(config.shape().model, &mut stream(1, "θ"), &device);
        assert_eq!(rehearse(&config, &theta, &device), is, "{method}");
    }
}
