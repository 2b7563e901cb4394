//! What training must and must not do, for every method, on the shipped base `rules`.

use crate::shared;
use burn::tensor::Device;
use peft_lab::base::FailureReason;
use peft_lab::base::clock;
use peft_lab::base::read;
use peft_lab::cli::Disk;
use peft_lab::config::RunConfig;
use peft_lab::model::Storage;
use peft_lab::peft::{MethodConfig, Phi};
use peft_lab::protocol::Event;
use peft_lab::train::Session;
use peft_lab::train::library::{LoadedBase, Materials};
use peft_lab::train::micro_batch::threads::Threads;
use peft_lab::train::micro_batch::{Assignment, Helpers, Outcomes, Told};
use peft_lab::train::pieces::Piece;
use std::rc::Rc;

fn base() -> Rc<LoadedBase> {
    let config = RunConfig::default();
    Rc::new(pollster::block_on(LoadedBase::of(&config, &Disk::default(), &Device::flex())).unwrap())
}

fn session(hash: &str, base: &Rc<LoadedBase>) -> Session {
    let (config, faults, _) = RunConfig::from_hash(hash);
    assert!(faults.is_empty(), "{faults:?}");
    Session::new(7, config, base.clone(), &Materials::none(), &Device::flex(), "cpu", clock).unwrap()
}

/// Runs to the end; every event but times.
fn run(session: &mut Session) -> Vec<Event> {
    let mut events = pollster::block_on(session.begin()).unwrap();
    while !session.done() {
        events.extend(pollster::block_on(session.advance(false)).unwrap());
    }
    for event in &mut events {
        match event {
            Event::Step { ms, .. } => *ms = 0.0,
            Event::Finished { seconds, ms, .. } => (*seconds, *ms) = (0.0, 0.0),
            _ => {}
        }
    }
    events
}

fn losses(events: &[Event]) -> Vec<f32> {
    events.iter().filter_map(|e| if let Event::Step { loss, .. } = e { Some(*loss) } else { None }).collect()
}

/// A test for each method at its defaults and for each of these choices of knobs: the one that fails is named, and threads share
/// the work.
macro_rules! choices {
    ($($test:ident: $method:literal,)*) => {
        const CHOICES: &[&str] = &[$($method),*];

        mod overfits_sixteen_examples {
            $(#[test] fn $test() { super::overfits($method); })*
            mod at_defaults { peft_lab::each_method!(overfit); }
        }

        mod repeats_its_curve_with_its_seed {
            $(#[test] fn $test() { super::repeats($method); })*
            mod at_defaults { peft_lab::each_method!(repeat); }
        }
    };
}

macro_rules! overfit {
    ($($method:ident)*) => {
        $(#[test] fn $method() { super::super::at_defaults(stringify!($method), super::super::overfits); })*
    };
}

macro_rules! repeat {
    ($($method:ident)*) => {
        $(#[test] fn $method() { super::super::at_defaults(stringify!($method), super::super::repeats); })*
    };
}

choices! {
    last_layer_rows_of_labels: "last-layer&rows=labels",
    lora_with_dropout: "lora&lora_dropout=0.1",
    two_layers: "layers&layers=1,2",
    sparse_by_magnitude: "sparse&mask=magnitude",
    a_shorter_prompt: "prompt&num_virtual_tokens=10",
}

/// A test of the method that a folder's name stands for, where it trains.
fn at_defaults(folder: &str, test: fn(&str)) {
    let name = folder.replace('_', "-");
    if MethodConfig::named(&name).expect("a folder has its method's name").method().trains() {
        test(&name);
    }
}

#[test]
fn a_method_that_promises_it_starts_as_the_base() {
    let device = Device::flex();
    let theta = shared::tiny_model(&device);
    let batch = shared::tiny_batch(0);
    let logits = |phi: &Phi| {
        let logits = theta.logits(phi, &batch.tokens, &batch.rows);
        let n = logits.shape().num_elements();
        pollster::block_on(read(logits.reshape([n]))).unwrap()
    };
    for method in shared::methods() {
        let started = logits(&shared::phi(&theta, &method, &device));
        // Not bit for bit: with autodiff Burn composes softmax and LayerNorm of other operations than without.
        let same = started.iter().zip(logits(&Phi::none())).all(|(a, b)| (a - b).abs() < 1e-5);
        let promised = !["prompt", "p-tuning", "prefix"].contains(&method.info().name);
        assert_eq!(same, promised, "{method:?}");
        // And φ is heard at all: away from its start it changes the answer.
        assert_ne!(started, logits(&shared::stirred(&shared::phi(&theta, &method, &device))), "{method:?}");
    }
}

#[test]
fn theta_is_bit_identical_after_training() {
    let base = base();
    // F32 keeps every bit.
    let everything = |base: &LoadedBase| pollster::block_on(base.theta.to_safetensors()).unwrap();
    let before = everything(&base);
    assert!(before.len() > 4 * 205_568);
    let defaults = MethodConfig::all().into_iter().filter(|m| m.method().trains()).map(|m| m.info().name);
    for method in defaults.chain(CHOICES.iter().copied()) {
        let mut session = session(&format!("method={method}&steps=3&batch_size=8"), &base);
        let start = pollster::block_on(shared::values(session.phi()));
        run(&mut session);
        assert!(everything(&base) == before, "{method} changed θ");
        assert_ne!(pollster::block_on(shared::values(session.phi())), start, "{method} did not train φ");
    }
}

/// The same seed gives the same curve, another seed another.
fn repeats(method: &str) {
    let base = base();
    let hash = format!("method={method}&steps=6&batch_size=8");
    let first = run(&mut session(&format!("{hash}&seed=1"), &base));
    assert_eq!(first, run(&mut session(&format!("{hash}&seed=1"), &base)));
    assert_ne!(losses(&first), losses(&run(&mut session(&format!("{hash}&seed=2"), &base))));
}

/// A test for each base that ships, with every method: the largest takes longer than all others.
macro_rules! bases {
    ($($test:ident: $base:literal,)*) => {
        mod every_method_trains_on {
            $(#[test] fn $test() { super::every_method_trains($base); })*
        }

        #[test]
        fn every_base_that_ships_is_trained_on() {
            let committed = peft_lab::bases::BASES.iter().filter(|base| base.fetched().is_none());
            let ids: Vec<&str> = committed.map(|base| base.id).collect();
            assert_eq!(ids, [$($base),*]);
        }
    };
}

bases! {
    rules: "rules",
    prose_nano: "prose-nano",
    prose_micro: "prose-micro",
    prose_small: "prose-small",
}

/// The sentences that `cargo xtask bake` writes are needed; without them only `rules` is trained.
fn every_method_trains(base: &str) {
    let base = peft_lab::bases::Base::named(base).unwrap();
    let loaded =
        Rc::new(pollster::block_on(LoadedBase::load(base, Storage::F32, &Disk::default(), &Device::flex())).unwrap());
    for method in shared::methods() {
        let (mut config, ..) = RunConfig::from_hash(&format!("base={}&steps=400&batch_size=2", base.id));
        config.method = method;
        let Ok(materials) = pollster::block_on(Materials::load(&config, &Disk::default())) else {
            return println!("skipped: no sentences for {}", base.id);
        };
        let device = Device::flex();
        let mut session = Session::new(0, config.clone(), loaded.clone(), &materials, &device, "cpu", clock).unwrap();
        // One step of many: `begin` and evaluations score hundreds of sentences.
        let events = pollster::block_on(session.advance(true)).unwrap();
        assert!(losses(&events).iter().all(|l| l.is_finite()), "{config:?}");
        assert_eq!(losses(&events).len(), 1, "{config:?}");
    }
}

fn overfits(method: &str) {
    // The last layer alone reads fixed features: it needs longer, and a rule whose images the features tell apart.
    let hash = match method.starts_with("last-layer") {
        true => format!("method={method}&examples=16&batch_size=16&steps=600&lr=0.1"),
        false => format!("method={method}&examples=16&batch_size=16&steps=150"),
    };
    let losses = losses(&run(&mut session(&hash, &base())));
    let (first, last) = (losses[0], losses[losses.len() - 1]);
    assert!(last < 0.05, "the loss went from {first} to {last}");
}

#[test]
fn an_absurd_rate_ends_as_diverged_or_stays_finite_and_never_panics() {
    let base = base();
    let mut session = session("method=full&steps=60&batch_size=8&lr=10", &base);
    pollster::block_on(session.begin()).unwrap();
    while !session.done() {
        match pollster::block_on(session.advance(false)) {
            Ok(events) => assert!(losses(&events).iter().all(|l| l.is_finite())),
            Err(failure) => {
                assert_eq!(failure.reason, FailureReason::Diverged);
                assert!(failure.message.contains("ten times lower"));
                return;
            }
        }
    }
}

#[test]
fn a_typed_string_is_answered_and_nonsense_is_refused() {
    let base = base();
    let session = session("rule=reverse", &base);
    let answer = pollster::block_on(session.predict("GKAM", 1.0)).unwrap();
    assert_eq!((answer.input.as_str(), answer.right.as_deref()), ("gkam", Some("makg")));
    assert_eq!(answer.base.text.len(), 4);
    // At λ = 0 θ answers alone, whatever φ says.
    let alone = pollster::block_on(session.predict("gkam", 0.0)).unwrap();
    assert_eq!(alone.adapted, alone.base);
    assert_eq!(pollster::block_on(session.predict("xyz!", 1.0)).unwrap_err().reason, FailureReason::Input);
}

#[test]
fn a_text_prompt_is_its_tokens_in_the_text() {
    use peft_lab::model::Tokens;
    let base = base();
    let text = session("method=text-prompt&text=abcd%3Ebcda%3B", &base);
    assert!(!text.config().trains());
    let answer = |session: &Session, phi: &Phi, ids: &[i32], row: usize| {
        let tokens = Tokens { ids: ids.to_vec(), sequences: 1, length: ids.len() };
        let logits = session.theta().logits(phi, &tokens, &[0, row]);
        pollster::block_on(read(logits.reshape([40]))).unwrap()
    };
    // <s> stays in front; 16 is `>`, 17 is `;`.
    let with = answer(&text, &text.phi().frozen(), &[18, 3, 7, 1, 12, 16], 5);
    let without = answer(&text, &Phi::none(), &[18, 0, 1, 2, 3, 16, 1, 2, 3, 0, 17, 3, 7, 1, 12, 16], 15);
    assert_eq!(with, without);
    // A run of it is one evaluation.
    let mut text = text;
    let events = pollster::block_on(text.begin()).unwrap();
    assert!(matches!(events.last(), Some(Event::Finished { step: 0, .. })), "{events:?}");
    assert!(text.done());
}

#[test]
fn next_tokens_are_scored_as_a_host_would() {
    use peft_lab::model::Tokens;
    use peft_lab::task::style;
    use peft_lab::train::evaluate::{Asked, evaluation};
    let base = peft_lab::bases::Base::named("prose-nano").unwrap();
    let loaded = pollster::block_on(LoadedBase::load(base, Storage::F32, &Disk::default(), &Device::flex())).unwrap();
    let text = "The captain looked at the sea, and the sea looked back at him. ".repeat(12);
    let windows = style::windows(&loaded.tokenizer.encode(&text));
    assert!(windows.len() >= 2);
    let phi = Phi::none();
    let asked = Asked::of(&loaded.theta, &phi);
    let scored = evaluation(&pollster::block_on(asked.run(asked.next_tokens(&windows).unwrap())).unwrap());
    let (mut right, mut nats, mut n) = (0, 0.0, 0);
    for window in &windows {
        let length = window.tokens.len() - 1;
        let ids = window.tokens[..length].iter().map(|t| *t as i32).collect();
        let rows: Vec<usize> = (0..length).collect();
        let logits = loaded.theta.logits(&Phi::none(), &Tokens { ids, sequences: 1, length }, &rows);
        let [_, vocab] = logits.dims();
        let values = pollster::block_on(read(logits.reshape([length * vocab]))).unwrap();
        for (row, target) in values.chunks(vocab).zip(&window.tokens[1..]) {
            let target = row[*target as usize];
            right += usize::from(row.iter().all(|x| *x <= target));
            nats += row.iter().map(|x| f64::from(x - target).exp()).sum::<f64>().ln();
            n += 1;
        }
    }
    assert_eq!((scored.n, scored.accuracy), (n, right as f64 / n as f64));
    assert!((f64::from(scored.loss) - nats / n as f64).abs() < 1e-4, "{scored:?}");
    // A text that repeats itself is easy in parts.
    assert!(scored.accuracy > 0.1, "{scored:?}");
}

/// A helper that takes work and gives nothing back.
struct Lost;

impl Helpers for Lost {
    fn assign(&self, _: &Assignment) {}

    fn tell(&self, _: &Told) {}

    fn ready(&self) -> Vec<usize> {
        vec![0]
    }

    fn send(&self, _: usize, _: &[f32], _: Vec<(usize, Piece)>) {}

    fn receive(&self, _: usize) -> Outcomes<'_> {
        Box::pin(async { None })
    }
}

/// Losses of every step, gradients' norms and how many workers shared the last one.
fn curve(hash: &str, base: &Rc<LoadedBase>, helpers: Option<Rc<dyn Helpers>>) -> (Vec<(f32, f32)>, usize) {
    let mut session = session(hash, base);
    session.help(helpers);
    let mut shared = 0;
    let mut curve = Vec::new();
    for event in run(&mut session) {
        if let Event::Step { loss, grad_norm, workers, .. } = event {
            curve.push((loss, grad_norm));
            shared = workers;
        }
    }
    (curve, shared)
}

#[test]
fn the_curve_is_the_same_on_any_number_of_workers() {
    let base = base();
    let threads = |n: usize| Some(Rc::new(Threads::new(&base.theta, n)) as Rc<dyn Helpers>);
    for method in
        ["full", "lora", "sparse&mask=magnitude", "pruning&rounds=2", "vera", "last-layer&rows=labels", "adapter"]
    {
        let hash = format!("rule=count&method={method}&batch_size=256&steps=4&seed=3");
        let (alone, workers) = curve(&hash, &base, None);
        assert_eq!((workers, alone.len()), (1, 4), "{method}");
        for n in [1, 2, 5] {
            let (together, workers) = curve(&hash, &base, threads(n));
            // Four parts at the most: a worker without one is not counted.
            assert!(workers > 1 && workers <= 1 + n.min(3), "{method}: {workers}");
            assert_eq!(together, alone, "{method} on {} workers", n + 1);
        }
        let (lost, _) = curve(&hash, &base, Some(Rc::new(Lost)));
        assert_eq!(lost, alone, "{method}: what a lost helper owes is computed all the same");
    }
}

#[test]
fn a_batch_in_parts_has_the_gradient_of_the_whole() {
    use peft_lab::train::micro_batch::{share, split};
    let base = base();
    // So small a batch is one part; its whole is compared with four.
    let session = session("rule=reverse&method=lora&batch_size=12&steps=3", &base);
    let mut rng = peft_lab::base::stream(5, "parts");
    let examples = session.data().draw(12, &mut rng);
    let in_parts = |n: usize| {
        let parts = split(examples.clone(), n);
        assert_eq!(parts.len(), n);
        let parts: Vec<Piece> = parts.into_iter().map(Piece::Gradient).collect();
        pollster::block_on(share(session.theta(), session.phi(), &parts, None, clock)).unwrap().gradient.unwrap()
    };
    let (whole, parts) = (in_parts(1), in_parts(4));
    assert!((whole.loss - parts.loss).abs() < 1e-6, "{} {}", whole.loss, parts.loss);
    let length = whole.of_phi.iter().map(|g| g * g).sum::<f32>().sqrt();
    let apart = whole.of_phi.iter().zip(&parts.of_phi).map(|(a, b)| (a - b) * (a - b)).sum::<f32>().sqrt();
    assert!(apart < 1e-5 * length, "{apart} of {length}");
}
