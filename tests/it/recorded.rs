//! Losses of every method, compared with those that the repository holds.
//!
//! `tests/fixtures/losses.jsonl` holds the first losses of every method and choice, to the last bit.
//! The same code gives the same bits again: a change that only moves code must leave them alone.
//! Another processor may take sums in another order.
//! There the losses alone are compared, by [`is_near`], and the test says so.
//! Whoever changes the arithmetic on purpose writes the file anew:
//! `RECORD_LOSSES=1 cargo test --profile ci --test it recorded`.
//!
//! `www/runs/` holds what the page draws: five digits of every fifth loss, by earlier code elsewhere.
//! Even the code of that time gives other last digits elsewhere, and training multiplies such a difference.
//! On `reverse` and `count` it was measured: at most 1e-5 at step 5, 2e-4 at step 10, 1e-2 at step 15.
//! So the first [`RECORDED_STEPS`] are compared, and not to the bit.

use burn::tensor::Device;
use peft_lab::base::clock;
use peft_lab::cli::Disk;
use peft_lab::config::RunConfig;
use peft_lab::interchange::run_file::RunFile;
use peft_lab::model::Storage;
use peft_lab::peft::{MethodConfig, Range};
use peft_lab::protocol::Event;
use peft_lab::train::Session;
use peft_lab::train::library::{LoadedBase, Materials};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// Steps whose losses the fixture holds.
const STEPS: usize = 8;
/// Steps that are compared with a recorded run.
const RECORDED_STEPS: usize = 10;
/// Between a loss and a recorded one, relative. Half a unit of the last recorded digit alone is up to 5e-5.
const RECORDED_TOLERANCE: f64 = 1e-3;
/// A discrete prompt is not recorded: the base alone is every curve's first point.
const NOT_RECORDED: [&str; 1] = ["text-prompt"];

/// What the fixture keeps of a run.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Losses {
    /// As the page's address says it.
    run: String,
    /// Mean cross-entropy of each training step, nats.
    training: Vec<f32>,
    /// Norms of φ's gradient.
    norms: Vec<f32>,
    /// Before training and after the last of the steps.
    held_out: Vec<f32>,
}

/// What decides about the order of sums besides the code: instructions, and caches that cut products into blocks.
fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let mut fields = text.lines().filter_map(|line| line.split_once(':'));
        fields.find(|(key, _)| key.trim() == name).map_or("unknown", |(_, value)| value.trim())
    };
    let [name, family, model, cache] = ["model name", "cpu family", "model", "cache size"].map(field);
    let (system, architecture) = (std::env::consts::OS, std::env::consts::ARCH);
    // A virtual machine may hide what its processor has.
    #[cfg(target_arch = "x86_64")]
    let widest = if std::is_x86_feature_detected!("avx512f") { "AVX-512" } else { "no AVX-512" };
    #[cfg(not(target_arch = "x86_64"))]
    let widest = "no AVX-512";
    format!("{system} {architecture}, {name}, family {family}, model {model}, cache {cache}, {widest}")
}

/// Every method, and every value of its knobs that are choices.
fn runs() -> Vec<String> {
    let on = |knobs: &str| format!("base=rules&task=rules&rule=reverse&{knobs}");
    let mut runs = Vec::new();
    for method in MethodConfig::all() {
        let name = method.info().name;
        runs.push(on(&format!("method={name}")));
        for knob in method.info().knobs {
            let default = method.get(knob.name).unwrap_or_default();
            let values = match &knob.range {
                Range::Choice(options) | Range::Set(options) => options.iter().map(|(value, _)| *value).collect(),
                Range::Flag => vec!["true", "false"],
                _ => Vec::new(),
            };
            // This base has no gate.
            for value in values.into_iter().filter(|value| *value != default && *value != "gate_proj") {
                let more = match value {
                    // The full projection of θ would take 421 MB.
                    "dense" => "&intrinsic_dimension=16",
                    "text" => "&init_text=abcd",
                    _ => "",
                };
                runs.push(on(&format!("method={name}&{}={value}{more}", knob.name)));
            }
        }
    }
    for knobs in [
        "method=lora&lora_dropout=0.1",
        "method=lora&rank=8&alpha=3&layers=1",
        "method=text-prompt&text=abcd>dcba;",
        "method=pruning&rounds=2",
        "method=lora,prompt",
        "method=lora,prefix,adapter",
        "method=full&batch_size=5&seed=3",
    ] {
        runs.push(on(knobs));
    }
    runs
}

fn base() -> Rc<LoadedBase> {
    let base = RunConfig::default().base;
    Rc::new(pollster::block_on(LoadedBase::load(base, Storage::F32, &Disk::default(), &Device::flex())).unwrap())
}

/// Trains up to a step, if the run has as many.
fn train(config: RunConfig, base: &Rc<LoadedBase>, steps: usize) -> Vec<Event> {
    let session = Session::new(0, config, base.clone(), &Materials::none(), &Device::flex(), "cpu", clock);
    let mut session = session.unwrap_or_else(|failure| panic!("{}", failure.message));
    let mut events = pollster::block_on(session.begin()).unwrap();
    while !session.done() && session.step() < steps {
        events.extend(pollster::block_on(session.advance(true)).unwrap());
    }
    events
}

fn losses(run: &str, base: &Rc<LoadedBase>) -> Losses {
    let (config, faults, unknown) = RunConfig::from_hash(&format!("{run}&steps={STEPS}"));
    assert!(faults.is_empty() && unknown.is_empty(), "{run}: {faults:?} {unknown:?}");
    let mut out = Losses { run: run.to_string(), training: Vec::new(), norms: Vec::new(), held_out: Vec::new() };
    for event in train(config, base, STEPS) {
        match event {
            Event::Step { loss, grad_norm, .. } => {
                out.training.push(loss);
                out.norms.push(grad_norm);
            }
            Event::Evaluated { step, loss, .. } if step == 0 || step == STEPS => out.held_out.push(loss),
            _ => {}
        }
    }
    out
}

/// Of all [`runs`], in their order. A base belongs to its thread, so each loads its own.
fn all_losses() -> Vec<Losses> {
    let runs = runs();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let train = |runs: &[String]| -> Vec<Losses> {
            let base = base();
            runs.iter().map(|run| losses(run, &base)).collect()
        };
        let shares = runs.chunks(runs.len().div_ceil(threads)).map(|share| scope.spawn(move || train(share)));
        shares.collect::<Vec<_>>().into_iter().flat_map(|share| share.join().unwrap()).collect()
    })
}

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/losses.jsonl")
}

/// Whether losses agree as those of two processors do, whose sums differ in the last bits.
///
/// Norms are left out: of W_K's biases the gradient is zero, and its norm is nothing but rounding.
fn is_near(now: &Losses, known: &Losses) -> bool {
    let near = |now: &[f32], known: &[f32]| {
        let differences = now.iter().zip(known).map(|(a, b)| (f64::from((a - b).abs()), f64::from(b.abs())));
        now.len() == known.len() && differences.into_iter().all(|(far, size)| far <= 1e-4 + 1e-3 * size)
    };
    near(&now.training, &known.training) && near(&now.held_out, &known.held_out)
}

fn relative(a: f64, b: f64) -> f64 {
    if a == b { 0.0 } else { (a - b).abs() / b.abs() }
}

#[test]
fn losses_of_every_method_are_those_of_the_fixture_to_the_bit() {
    if std::env::var_os("RECORD_LOSSES").is_some() {
        let mut text = serde_json::json!({"processor": processor()}).to_string() + "\n";
        for losses in all_losses() {
            text += &(serde_json::to_string(&losses).unwrap() + "\n");
        }
        std::fs::write(fixture(), text).unwrap();
        return;
    }
    let text = std::fs::read_to_string(fixture()).unwrap();
    let (first, lines) = text.split_once('\n').unwrap();
    let made: serde_json::Value = serde_json::from_str(first).unwrap();
    let exact = made["processor"] == processor();
    if !exact {
        println!("Made on {}, compared on “{}”: not to the bit.", made["processor"], processor());
    }
    let known: Vec<Losses> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names: Vec<&str> = known.iter().map(|losses| losses.run.as_str()).collect();
    assert_eq!(names, runs(), "the runs of the fixture");
    let mut changed = Vec::new();
    for (known, now) in known.iter().zip(all_losses()) {
        if !(now == *known || !exact && is_near(&now, known)) {
            changed.push(format!("were {known:?}\n are {now:?}"));
        }
    }
    assert!(changed.is_empty(), "{} of {} runs changed:\n{}", changed.len(), known.len(), changed.join("\n"));
}

#[test]
fn every_method_begins_as_its_recorded_run() {
    let base = base();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("www/runs/rules/reverse.jsonl");
    let recorded = RunFile::read_all(&std::fs::read_to_string(path).unwrap()).unwrap();
    for method in MethodConfig::all() {
        let name = method.info().name;
        if NOT_RECORDED.contains(&name) {
            continue;
        }
        let run = recorded.iter().find(|run| run.config.method.info().name == name);
        let run = run.unwrap_or_else(|| panic!("{name} has no recorded run"));
        assert_eq!(run.trainable, run.config.trainable(), "{name}");
        let mut compared = 0;
        for event in train(run.config.clone(), &base, RECORDED_STEPS) {
            let (step, loss, then) = match event {
                Event::Step { step, loss, .. } => (step, loss, run.losses.iter().find(|r| r.0 == step).map(|r| r.1)),
                Event::Evaluated { step, loss, .. } => {
                    (step, loss, run.evaluations.iter().find(|r| r.0 == step).map(|r| r.1))
                }
                _ => continue,
            };
            if let Some(then) = then {
                let far = relative(f64::from(loss), f64::from(then));
                assert!(far < RECORDED_TOLERANCE, "{name}: step {step} gave {then}, now {loss}");
                compared += 1;
            }
        }
        // Training losses of steps 1, 5 and 10, held-out losses before and after the two last; or the base's alone.
        assert_eq!(compared, if run.config.trains() { 6 } else { 1 }, "{name}");
    }
}
