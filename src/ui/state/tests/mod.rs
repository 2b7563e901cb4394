//! The reducer, followed through what visitors, browsers and trainers do.

mod bring;
mod bring_answers;
mod cost_dialog;
mod faults;
mod fetched;
mod free_text;
mod gguf;
mod hub;
mod keeping;
mod learn;
mod measures;
mod own;
mod queue;
mod run_files;
mod store_faults;
mod taking;

use super::*;
use crate::base::FailureReason;
use crate::config::{DeviceChoice, RunConfig};
use crate::protocol::{Answer, Command, CutText, Event, Prediction};
use crate::task::{Baselines, TaskConfig};
use crate::ui::assets::{BuildStatus, Manifest};
use std::collections::BTreeMap;

const NOW: f64 = 1000.0;

fn manifest(gpu: BuildStatus) -> Manifest {
    let worker_gpu = (gpu == BuildStatus::Ready).then(|| "worker-gpu-1.js".to_string());
    Manifest { worker: "worker-1.js".into(), worker_gpu, gpu_status: gpu, ..Manifest::default() }
}

fn open(hash: &str) -> State {
    State::open(manifest(BuildStatus::Ready), hash).0
}

/// A page whose CPU trainer is there and whose browser has a GPU.
fn ready(hash: &str) -> State {
    let mut state = open(hash);
    state.reduce(Action::GpuProbed(GpuProbe::Hardware));
    hear(&mut state, Trainer::Cpu, vec![Event::Ready { device: "cpu".into() }]);
    state
}

fn hear(state: &mut State, trainer: Trainer, events: Vec<Event>) -> Vec<Effect> {
    state.reduce(Action::Heard(trainer, events, NOW))
}

fn set(state: &mut State, key: &'static str, text: &str) -> Vec<Effect> {
    state.reduce(Action::Set(key, text.into()))
}

const BASELINES: Baselines = Baselines { chance: 0.0, majority: 0.004, bag_of_words: 0.01 };

fn started(run: u32, config: &RunConfig) -> Event {
    Event::Started {
        run,
        config: Box::new(config.clone()),
        device: "cpu".into(),
        trainable: config.trainable(),
        total: config.all_parameters(),
        steps: config.steps,
        baselines: BASELINES,
    }
}

fn step(run: u32, step: usize) -> Event {
    Event::Step { run, step, loss: 2.0, lr: 1e-2, ms: 20.0, tokens: 640, grad_norm: 1.0, workers: 1 }
}

fn evaluated(run: u32, step: usize, accuracy: f64) -> Event {
    Event::Evaluated { run, step, loss: 1.0, accuracy, n: 140, kept: None, parts: Vec::new() }
}

fn finished(run: u32, step: usize, accuracy: f64) -> Event {
    Event::Finished {
        run,
        step,
        loss: 1.0,
        accuracy,
        n: 512,
        parts: Vec::new(),
        seconds: 6.0,
        tokens: 9.0,
        ms: 0.5,
        peak: Some(2_000_000),
    }
}

fn failed(run: u32, reason: FailureReason) -> Event {
    Event::Failed { run, reason, message: "It did not work.".into() }
}

/// A page that has trained some steps of its run 1.
fn training(hash: &str) -> State {
    let mut state = ready(hash);
    state.reduce(Action::Main);
    let config = state.config.clone();
    hear(&mut state, Trainer::Cpu, vec![started(1, &config), evaluated(1, 0, 0.0), step(1, 1), step(1, 2)]);
    state
}

fn command(effects: &[Effect]) -> Option<(Trainer, &Command)> {
    effects.iter().find_map(|e| match e {
        Effect::Send(trainer, command) if !matches!(command, Command::Prefetch { .. }) => Some((*trainer, command)),
        _ => None,
    })
}

#[test]
fn the_cpu_trainer_is_there_before_anyone_asks_and_the_gpu_s_is_not() {
    let (_, effects) = State::open(manifest(BuildStatus::Ready), "#base=prose-micro&task=authors");
    assert!(effects.contains(&Effect::Boot(Trainer::Cpu)));
    assert!(!effects.contains(&Effect::Boot(Trainer::Gpu)));
}

#[test]
fn train_becomes_pause_and_resume() {
    let mut state = ready("");
    assert_eq!(state.main_button(), MainButton::Train);
    let effects = state.reduce(Action::Main);
    let config = state.config.clone();
    let start = Command::Start { run: 1, config: config.clone(), paused: false };
    assert_eq!(command(&effects), Some((Trainer::Cpu, &start)));

    hear(&mut state, Trainer::Cpu, vec![started(1, &config), step(1, 1)]);
    assert_eq!(state.main_button(), MainButton::Pause);
    assert_eq!(command(&state.reduce(Action::Main)), Some((Trainer::Cpu, &Command::Pause)));
    hear(&mut state, Trainer::Cpu, vec![Event::Paused { run: 1, step: 1 }]);
    assert_eq!(state.main_button(), MainButton::Resume);
    assert_eq!(command(&state.reduce(Action::Main)), Some((Trainer::Cpu, &Command::Resume)));

    // A changed knob cannot change a run that is under way: the button starts a new one.
    set(&mut state, "rank", "8");
    assert_eq!(state.main_button(), MainButton::Train);
}

#[test]
fn a_run_on_its_way_can_be_told_to_pause_and_to_go_on() {
    // Its trainer is there, and reads what it is told when all is loaded.
    let mut state = ready("");
    state.reduce(Action::Main);
    assert_eq!(state.main_button(), MainButton::Pause);
    assert_eq!(command(&state.reduce(Action::Main)), Some((Trainer::Cpu, &Command::Pause)));
    assert_eq!((state.main_button(), state.is_held()), (MainButton::Resume, true));
    assert_eq!(command(&state.reduce(Action::Main)), Some((Trainer::Cpu, &Command::Resume)));
    assert_eq!((state.main_button(), state.is_held()), (MainButton::Pause, false));
    assert_eq!(command(&state.reduce(Action::Step)), Some((Trainer::Cpu, &Command::Step)));
    assert_eq!(state.main_button(), MainButton::Resume);
    let config = state.config.clone();
    let paused = Event::Paused { run: 1, step: 0 };
    assert_eq!(command(&hear(&mut state, Trainer::Cpu, vec![started(1, &config), paused])), None);
    assert_eq!((state.main_button(), state.is_held()), (MainButton::Resume, false));
    // It is the same run, and no second one.
    assert_eq!(state.runs.len(), 1);

    // No trainer is there yet: it is told with the run.
    let paused_at_start = |presses: &[Action]| {
        let mut state = open("");
        presses.iter().for_each(|press| assert_eq!(command(&state.reduce(press.clone())), None));
        let effects = hear(&mut state, Trainer::Cpu, vec![Event::Ready { device: "cpu".into() }]);
        let Some((_, Command::Start { paused, .. })) = command(&effects) else { panic!("no run: {effects:?}") };
        let paused = *paused;
        let config = state.config.clone();
        let effects = hear(&mut state, Trainer::Cpu, vec![started(1, &config)]);
        (paused, command(&effects).map(|(_, command)| command.clone()))
    };
    assert_eq!(paused_at_start(&[Action::Main, Action::Main]), (true, None));
    assert_eq!(paused_at_start(&[Action::Main, Action::Main, Action::Main]), (false, None));
    assert_eq!(paused_at_start(&[Action::Main, Action::Step]), (true, Some(Command::Step)));
    assert_eq!(paused_at_start(&[Action::Step, Action::Main]), (false, None));
    assert_eq!(paused_at_start(&[Action::Main, Action::Rewind]), (false, None));
}

#[test]
fn train_before_the_trainer_is_there_waits_for_it() {
    let mut state = open("");
    assert_eq!(command(&state.reduce(Action::Main)), None);
    let effects = hear(&mut state, Trainer::Cpu, vec![Event::Ready { device: "cpu".into() }]);
    assert!(matches!(command(&effects), Some((Trainer::Cpu, Command::Start { run: 1, .. }))));
}

#[test]
fn run_1_in_the_address_starts_at_once_and_stays_there() {
    let (state, effects) = State::open(manifest(BuildStatus::Absent), "#method=adapter&run=1&hide=optimizer,task");
    assert_eq!(state.runs.len(), 1);
    assert!(state.hides("optimizer") && state.hides("task") && !state.hides("method"));
    assert!(!effects.iter().any(|e| matches!(e, Effect::ReplaceHash(_))));
}

#[test]
fn a_single_step_starts_a_paused_run_and_steps_once_it_has_begun() {
    let mut state = ready("");
    let effects = state.reduce(Action::Step);
    assert!(matches!(command(&effects), Some((_, Command::Start { paused: true, .. }))));
    let config = state.config.clone();
    let effects = hear(&mut state, Trainer::Cpu, vec![started(1, &config), Event::Paused { run: 1, step: 0 }]);
    assert_eq!(command(&effects), Some((Trainer::Cpu, &Command::Step)));
    hear(&mut state, Trainer::Cpu, vec![step(1, 1), Event::Paused { run: 1, step: 1 }]);
    assert_eq!(command(&state.reduce(Action::Step)), Some((Trainer::Cpu, &Command::Step)));
}

#[test]
fn rewind_repeats_the_run_and_takes_the_place_of_one_that_was_not_finished() {
    let mut state = training("");
    let config = state.runs[0].config.clone();
    set(&mut state, "rank", "16");
    let effects = state.reduce(Action::Rewind);
    assert!(
        effects.contains(&Effect::Send(Trainer::Cpu, Command::Start { run: 2, config: config.clone(), paused: false }))
    );
    assert_eq!(state.runs.iter().map(|r| r.id).collect::<Vec<_>>(), [2]);

    hear(&mut state, Trainer::Cpu, vec![started(2, &config), step(2, 1), finished(2, 300, 1.0)]);
    state.reduce(Action::Rewind);
    assert_eq!(state.runs.iter().map(|r| r.id).collect::<Vec<_>>(), [2, 3]);
}

#[test]
fn a_second_method_leaves_the_first_on_the_chart() {
    let mut state = training("");
    hear(&mut state, Trainer::Cpu, vec![finished(1, 300, 0.99)]);
    set(&mut state, "method", "adapter");
    state.reduce(Action::Main);
    let config = state.config.clone();
    hear(&mut state, Trainer::Cpu, vec![started(2, &config), evaluated(2, 0, 0.0)]);
    let shown: Vec<_> = state.visible_runs().iter().map(|s| (s.run.id, s.role)).collect();
    assert_eq!(shown, [(2, Role::Chosen), (1, Role::Other(1))]);
    assert_eq!(state.runs[0].evaluation.map(|e| (e.accuracy, e.n)), Some((0.99, 512)));

    // A run that is under way is ended before it is taken away.
    state.reduce(Action::Remove(2));
    state.reduce(Action::Remove(1));
    assert_eq!(state.runs.iter().map(|r| r.id).collect::<Vec<_>>(), [2]);
}

#[test]
fn runs_of_another_task_wait_until_it_is_back() {
    let mut state = training("");
    hear(&mut state, Trainer::Cpu, vec![finished(1, 300, 0.99)]);
    set(&mut state, "rule", "cipher");
    assert!(state.visible_runs().is_empty());
    set(&mut state, "rule", "swap-ends.rotate-left");
    assert_eq!(state.visible_runs().len(), 1);
}

#[test]
fn every_control_writes_the_address() {
    let mut state = ready("#hide=task");
    let effects = set(&mut state, "rank", "16");
    let hash = effects.iter().find_map(|e| if let Effect::ReplaceHash(h) = e { Some(h.clone()) } else { None });
    let hash = hash.expect("the address follows");
    assert!(hash.contains("rank=16") && hash.ends_with("&hide=task"), "{hash}");
    assert_eq!(State::open(Manifest::default(), &hash).0.config, state.config);
}

#[test]
fn a_method_comes_back_with_its_knobs_and_without_another_s_rate() {
    let mut state = ready("");
    set(&mut state, "rank", "16");
    set(&mut state, "lr", "0.5");
    set(&mut state, "method", "prompt");
    assert_eq!(state.config.lr, None);
    set(&mut state, "method", "lora");
    assert_eq!(state.config.method.get("rank").as_deref(), Some("16"));
}

#[test]
fn a_base_brings_its_task_and_a_task_its_base() {
    let mut state = ready("");
    set(&mut state, "base", "prose-nano");
    assert_eq!(state.config.task.name(), "authors");
    set(&mut state, "task", "rules");
    assert_eq!(state.config.base.id, "rules");
    assert!(matches!(state.config.task, TaskConfig::Rules { .. }));
    state.config.check().expect("they go together");
}

#[test]
fn auto_is_the_gpu_for_prose_where_there_is_one_and_the_cpu_for_rules() {
    for (hash, probe, expected) in [
        ("#base=rules", GpuProbe::Hardware, Trainer::Cpu),
        ("#base=prose-micro", GpuProbe::Hardware, Trainer::Gpu),
        ("#base=prose-micro", GpuProbe::Fallback, Trainer::Cpu),
        ("#base=prose-micro", GpuProbe::NoApi, Trainer::Cpu),
        ("#base=rules&device=webgpu", GpuProbe::Fallback, Trainer::Gpu),
        ("#base=prose-micro&device=cpu", GpuProbe::Hardware, Trainer::Cpu),
    ] {
        let mut state = open(hash);
        state.reduce(Action::GpuProbed(probe));
        assert_eq!(state.trainer(), Some(expected), "{hash} {probe:?}");
    }
}

#[test]
fn fetching_ahead_does_not_wake_a_finished_run() {
    let mut state = training("");
    hear(&mut state, Trainer::Cpu, vec![finished(1, 300, 1.0)]);
    hear(&mut state, Trainer::Cpu, vec![Event::Loading { run: 1, what: "the base".into(), done: 0, of: 0 }]);
    assert_eq!(state.main_button(), MainButton::Train);
}

#[test]
fn an_example_of_one_s_own_is_checked_asked_and_follows_the_training() {
    let mut state = training("");
    state.reduce(Action::EditTryIt("xyz1".into()));
    assert_eq!(state.reduce(Action::AskTryIt), []);
    assert!(state.try_it.fault.is_some());
    state.reduce(Action::EditTryIt("gkam".into()));
    let asked = state.reduce(Action::AskTryIt);
    assert!(matches!(command(&asked), Some((Trainer::Cpu, Command::Predict { run: 1, .. }))));
    let answer = |text: &str| Answer { text: text.into(), probability: 0.5 };
    let item = Prediction {
        index: None,
        input: "gkam".into(),
        base: answer("gkam"),
        adapted: answer("kagm"),
        right: None,
        cut: None,
    };
    hear(&mut state, Trainer::Cpu, vec![Event::Predicted { run: 1, item: item.clone() }]);
    assert_eq!((state.try_it.cut(), &state.try_it.answer), (None, &Some(item.clone())));
    for (tokens, said) in [(97, "The text has 97 tokens, of which the last 96"), (2048, "The text has 2,048 tokens")] {
        let item = Prediction { cut: Some(CutText { tokens, read: 96 }), ..item.clone() };
        hear(&mut state, Trainer::Cpu, vec![Event::Predicted { run: 1, item }]);
        assert!(state.try_it.cut().unwrap().starts_with(said), "{:?}", state.try_it.cut());
    }
    let effects = hear(&mut state, Trainer::Cpu, vec![Event::Examples { run: 1, step: 5, items: Vec::new() }]);
    assert!(matches!(command(&effects), Some((_, Command::Predict { .. }))));

    hear(&mut state, Trainer::Cpu, vec![failed(1, FailureReason::Input)]);
    assert_eq!(state.try_it.fault.as_deref(), Some("It did not work."));
    assert_eq!(state.runs[0].phase, Phase::Running, "the run goes on");
}

#[test]
fn recorded_runs_stand_in_until_a_live_one_is_there() {
    let config = RunConfig::default();
    let full = State::open(Manifest::default(), "#method=full").0.config;
    let lines: Vec<String> = [&config, &full]
        .into_iter()
        .flat_map(|c| [started(0, c), evaluated(0, 0, 0.0), finished(0, 300, 1.0)])
        .map(|e| serde_json::to_string(&e).expect("an event is JSON"))
        .collect();
    let key = "runs/rules/swap-ends.rotate-left.jsonl".to_string();
    let mut manifest = manifest(BuildStatus::Absent);
    manifest.files.insert(key.clone(), "runs/1.jsonl".into());
    let (mut state, effects) = State::open(manifest, "#rank=8");
    assert!(effects.contains(&Effect::FetchRuns(key.clone())));
    state.reduce(Action::Recordings(key.clone(), Some(lines.join("\n"))));
    let roles = |state: &State| {
        state.visible_runs().iter().map(|s| (s.run.label(), s.run.recorded, s.role)).collect::<Vec<_>>()
    };
    let reference = ("Full fine-tuning".to_string(), true, Role::Reference);
    // Other knobs than the recorded ones: the recorded run keeps its own name.
    assert_eq!(roles(&state), [("LoRA r 4".into(), true, Role::Chosen), reference.clone()]);

    state.reduce(Action::Main);
    assert_eq!(roles(&state), [("LoRA r 8".into(), false, Role::Chosen), reference]);

    state.reduce(Action::Recordings(key, Some("not JSON".into())));
    assert_eq!(state.recordings(), &Recordings::Missing);
}

#[test]
fn the_gpu_trainer_is_offered_when_it_has_been_built() {
    let (mut state, effects) = State::open(manifest(BuildStatus::Building), "");
    assert!(effects.contains(&Effect::PollManifest));
    state.reduce(Action::GpuProbed(GpuProbe::Hardware));
    assert_eq!(state.reduce(Action::Manifest(manifest(BuildStatus::Building))), [Effect::PollManifest]);
    assert_eq!(state.reduce(Action::Manifest(manifest(BuildStatus::Ready))), []);
    assert_eq!(state.notices[0].remedy, Some(Remedy::UseWebGpu));
}

#[test]
fn a_long_curve_stays_small_and_keeps_its_ends() {
    let mut curve = Curve::default();
    for step in 0..100_000 {
        curve.push(step, step as f64);
    }
    curve.push(100_000, f64::NAN);
    let points = curve.points();
    assert!(points.len() <= 1000, "{}", points.len());
    assert_eq!(points[0], (0.0, 0.0));
    assert!(points[points.len() - 1].0 > 99_000.0);
    assert!(points.windows(2).all(|w| w[0].0 < w[1].0));
}
