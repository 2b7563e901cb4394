//! Runs that are cut off and go on: the same curve as without a break, to the last bit.

use crate::shared;
use burn::tensor::Device;
use peft_lab::base::clock;
use peft_lab::cli::Disk;
use peft_lab::config::RunConfig;
use peft_lab::interchange::{RunFile, phi_file};
use peft_lab::peft::MethodConfig;
use peft_lab::protocol::Event;
use peft_lab::train::Session;
use peft_lab::train::library::{LoadedBase, Materials};
use peft_lab::train::micro_batch::Helpers;
use peft_lab::train::micro_batch::threads::Threads;
use pollster::block_on;
use proptest::prelude::*;
use std::rc::Rc;

const STEPS: usize = 9;

fn base() -> Rc<LoadedBase> {
    let config = RunConfig::default();
    Rc::new(block_on(LoadedBase::of(&config, &Disk::default(), &Device::flex())).unwrap())
}

fn session(config: &RunConfig, base: &Rc<LoadedBase>, threads: usize) -> Session {
    let device = Device::flex();
    let mut session = Session::new(7, config.clone(), base.clone(), &Materials::none(), &device, "cpu", clock).unwrap();
    session.help((threads > 0).then(|| Rc::new(Threads::new(&base.theta, threads)) as Rc<dyn Helpers>));
    session
}

/// Steps until so many are done.
fn advance(session: &mut Session, until: usize) {
    while !session.done() && (session.step() < until || !session.is_under_way()) {
        block_on(session.advance(false)).unwrap();
    }
}

/// What a run reported, but for times: the lines of its file.
fn reported(session: &Session) -> Vec<Event> {
    let Event::RunFile { text, .. } = block_on(session.run_file("here".into())).unwrap() else { panic!() };
    let mut events = RunFile::read_all(&text).unwrap().remove(0).events;
    for event in &mut events {
        match event {
            Event::Step { ms, workers, .. } => (*ms, *workers) = (0.0, 1),
            Event::Finished { seconds, ms, peak, .. } => (*seconds, *ms, *peak) = (0.0, 0.0, None),
            _ => {}
        }
    }
    events
}

fn phi(session: &Session) -> Vec<u8> {
    block_on(phi_file::write(session.config(), &session.phi().frozen())).unwrap()
}

/// The snapshot of a run: what it reported, and its φ with the state of its training.
fn snapshot(session: &mut Session) -> (Vec<Event>, Vec<u8>) {
    let events = block_on(session.snapshot("here".into())).unwrap();
    let Some(Event::Snapshot { text, tensors, step, .. }) = events.into_iter().next_back() else { panic!() };
    assert_eq!(step, session.step());
    (RunFile::read_all(&text).unwrap().remove(0).events, tensors)
}

/// Cuts a run off after each of these steps, and goes on in a new session.
fn goes_on(config: &RunConfig, base: &Rc<LoadedBase>, breaks: &[usize], threads: usize) {
    let mut whole = session(config, base, threads);
    block_on(whole.begin()).unwrap();
    advance(&mut whole, STEPS);
    let expected = (reported(&whole), phi(&whole));
    let mut broken = session(config, base, threads);
    block_on(broken.begin()).unwrap();
    for at in breaks {
        advance(&mut broken, *at);
        let (mut events, tensors) = snapshot(&mut broken);
        // Whoever keeps the run may have heard more than its last snapshot holds.
        let step = at + 1;
        events.push(Event::Examples { run: 7, step, items: Vec::new() });
        events.push(Event::Stopped { run: 7, step });
        broken = session(config, base, threads);
        broken.reopen(&events, &tensors).unwrap_or_else(|e| panic!("{config:?} after {at}: {e}"));
        assert_eq!(broken.step(), *at);
        block_on(broken.go_on()).unwrap();
    }
    advance(&mut broken, STEPS);
    let found = (reported(&broken), phi(&broken));
    for (found, expected) in found.0.iter().zip(&expected.0) {
        assert_eq!(found, expected, "{:?} after {breaks:?}", config.method);
    }
    assert!(found == expected, "{:?} after {breaks:?}: other events or another φ", config.method);
}

fn of(method: MethodConfig) -> RunConfig {
    RunConfig { method, steps: STEPS, batch_size: Some(4), ..RunConfig::default() }
}

macro_rules! each {
    ($($method:ident)*) => {
        $(#[test] fn $method() {
            for method in shared::named(stringify!($method)).into_iter().filter(|method| method.method().trains()) {
                goes_on(&of(method), &base(), &[1, 4, 7], 0);
            }
        })*
    };
}

mod goes_on_to_the_same_curve {
    use super::*;
    peft_lab::each_method!(each);
}

#[test]
fn a_run_that_is_shared_goes_on_with_other_helpers() {
    for (name, knobs) in [
        ("pruning", vec![("rounds", "3")]),
        ("pruning", vec![("schedule", "dense-sparse-dense")]),
        ("sparse", vec![("num_weights", "40"), ("mask", "magnitude")]),
        ("lora", vec![("lora_dropout", "0.2")]),
    ] {
        let config = RunConfig { batch_size: Some(64), ..of(shared::method(name, &knobs)) };
        goes_on(&config, &base(), &[2, 4, 7], 2);
    }
}

#[test]
fn methods_together_go_on_with_what_they_forget() {
    let (config, faults, _) =
        RunConfig::from_hash("#method=lora,prompt&lora_dropout=0.3&steps=9&batch_size=8&forgetting=true&seed=5");
    assert!(faults.is_empty(), "{faults:?}");
    goes_on(&config, &base(), &[3, 8], 0);
}

#[test]
fn a_start_that_is_not_scored_yet_is_scored_after_a_break() {
    let base = crate::large_base::base();
    for method in ["prompt", "lora"].map(|name| shared::method(name, &[])) {
        goes_on(&of(method), &base, &[1, 2], 0);
    }
}

#[test]
fn a_run_goes_on_in_the_session_that_stopped_it() {
    let base = base();
    let config = RunConfig { batch_size: Some(64), ..of(shared::method("pruning", &[("rounds", "3")])) };
    let mut whole = session(&config, &base, 1);
    block_on(whole.begin()).unwrap();
    advance(&mut whole, STEPS);
    let mut broken = session(&config, &base, 1);
    block_on(broken.begin()).unwrap();
    advance(&mut broken, 4);
    // Another run takes the helpers meanwhile.
    broken.help(Some(Rc::new(Threads::new(&base.theta, 1))));
    block_on(broken.go_on()).unwrap();
    advance(&mut broken, STEPS);
    assert!((reported(&broken), phi(&broken)) == (reported(&whole), phi(&whole)));
}

#[test]
fn an_optimizer_goes_on_after_a_break() {
    block_on(shared::check_optimizer_after_a_break(&Device::flex())).unwrap();
}

#[test]
fn a_mask_in_the_making_leaves_nothing_to_go_on_with() {
    let base = base();
    let mut run = session(&of(shared::method("sparse", &[("num_weights", "40"), ("mask", "fisher")])), &base, 0);
    block_on(run.begin()).unwrap();
    assert_eq!(block_on(run.snapshot("here".into())).unwrap(), []);
}

#[test]
fn a_long_run_s_log_is_thinned_as_before_the_break() {
    let base = base();
    let mut config = of(shared::method("ia3", &[]));
    (config.steps, config.batch_size) = (8400, Some(1));
    let mut whole = session(&config, &base, 0);
    block_on(whole.begin()).unwrap();
    advance(&mut whole, 8300);
    let (events, tensors) = snapshot(&mut whole);
    let mut broken = session(&config, &base, 0);
    broken.reopen(&events, &tensors).unwrap();
    advance(&mut whole, 8399);
    advance(&mut broken, 8399);
    assert!(reported(&broken) == reported(&whole));
}

/// A run that was cut off in the midst of pruning: its file has every kind of tensor.
fn pruned() -> (RunConfig, Vec<Event>, Vec<u8>) {
    let config = of(shared::method("pruning", &[("rounds", "2")]));
    let mut run = session(&config, &base(), 0);
    block_on(run.begin()).unwrap();
    advance(&mut run, 5);
    let (events, tensors) = snapshot(&mut run);
    (config, events, tensors)
}

#[test]
fn a_state_of_another_run_is_refused_with_what_does_not_fit() {
    let (config, events, tensors) = pruned();
    let base = base();
    for other in [
        RunConfig { steps: 4, ..config.clone() },
        of(shared::method("pruning", &[("schedule", "dense-sparse-dense")])),
        of(shared::method("pruning", &[("rounds", "7")])),
    ] {
        let said = session(&other, &base, 0).reopen(&events, &tensors).unwrap_err().message;
        assert!(said.contains("“training.") && said.contains("another version, or damaged"), "{said}");
    }
    let said = session(&of(shared::method("full", &[])), &base, 0).reopen(&events, &tensors).unwrap_err();
    assert!(said.message.contains("“training.mask”"), "{}", said.message);
    // Whoever only wants φ reads it from the same file.
    let mut scored = session(&config, &base, 0);
    scored.restore_saved(&tensors).unwrap();
    assert!(scored.done());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn no_state_of_a_training_panics(places in prop::collection::vec((0.0..1.0_f64, any::<u8>()), 1..4), cut in 0.0..2.0_f64) {
        thread_local! { static RUN: ((RunConfig, Vec<Event>, Vec<u8>), Rc<LoadedBase>) = (pruned(), base()); }
        RUN.with(|((config, events, tensors), base)| {
            let mut bytes = tensors.clone();
            // What the file says of itself stands in front.
            places.iter().for_each(|(at, byte)| bytes[(at * at * at * tensors.len() as f64) as usize] = *byte);
            bytes.truncate((cut * tensors.len() as f64) as usize);
            let mut broken = session(config, base, 0);
            if broken.reopen(events, &bytes).is_ok() {
                block_on(broken.go_on()).unwrap();
                let _ = block_on(broken.advance(true));
            }
        });
    }
}

/// The command line as a process: its lines, its file.
#[cfg(unix)]
mod on_the_command_line {
    use super::*;
    use std::io::{BufRead, BufReader};
    use std::path::{Path, PathBuf};
    use std::process::{Command, Stdio};

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("peft-lab-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn peft_lab(args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_peft-lab"));
        command.arg("train").arg("--json").args(args).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Starts it and presses Ctrl-C once it has made a step; its exit status and what it said.
    fn interrupted(args: &[&str]) -> (Option<i32>, String) {
        signalled(peft_lab(args), "INT")
    }

    /// The same with another signal, in place of Ctrl-C.
    fn signalled(mut command: Command, signal: &str) -> (Option<i32>, String) {
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // Nobody reads on, so the pipe fills long before the last step.
        assert!(lines.any(|line| line.unwrap().contains("\"event\":\"step\"")));
        assert!(
            Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status().unwrap().success()
        );
        lines.for_each(drop);
        let mut said = String::new();
        std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut said).unwrap();
        (child.wait().unwrap().code(), said)
    }

    fn read(path: &Path) -> RunFile {
        RunFile::read_all(&std::fs::read_to_string(path).unwrap()).unwrap().remove(0)
    }

    #[test]
    fn ctrl_c_keeps_a_run_and_resume_goes_on_to_the_same_curve() {
        let folder = folder("ctrl-c");
        let (whole, broken) = (folder.join("whole.jsonl"), folder.join("broken.jsonl"));
        let run = ["--method", "ia3", "--rule", "cipher", "--steps", "2500", "--batch-size", "2", "--out"];
        let out = peft_lab(&run).arg(&whole).output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        let broken_path = broken.to_str().unwrap().to_string();
        let (code, said) = interrupted(&[&run[..], &[&broken_path]].concat());
        assert_eq!(code, Some(130), "{said}");
        assert!(said.contains(&format!("peft-lab train --resume {broken_path}")), "{said}");
        let half = read(&broken);
        assert!(half.finished.is_none() && !half.losses.is_empty() && half.losses.len() < 2500);

        // Once more, and this time in the file's place.
        let (code, said) = interrupted(&["--resume", &broken_path]);
        assert_eq!(code, Some(130), "{said}");
        assert!(read(&broken).losses.len() > half.losses.len());
        let out = peft_lab(&["--resume", &broken_path]).output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        let (whole, found) = (read(&whole), read(&broken));
        assert_eq!(found.losses, whole.losses);
        assert_eq!(found.evaluations, whole.evaluations);
        assert_eq!(found.phi, whole.phi, "another φ");

        let out = peft_lab(&["--resume", &broken_path]).output().unwrap();
        let said = String::from_utf8_lossy(&out.stderr);
        assert!(said.contains("has finished: nothing is left to train"), "{said}");
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_run_that_is_asked_to_end_by_a_signal_is_kept_as_on_ctrl_c() {
        for signal in ["TERM", "HUP"] {
            let folder = folder(&format!("signal-{signal}"));
            let path = folder.join("run.jsonl").display().to_string();
            let run = ["--method", "bitfit", "--rule", "reverse", "--steps", "2500", "--batch-size", "2"];
            let (code, said) = signalled(peft_lab(&[&run[..], &["--out", &path]].concat()), signal);
            assert_eq!(code, Some(130), "{signal}: {said}");
            let first = read(Path::new(&path));
            assert!(first.phi.is_some() && !first.is_finished(), "{signal}");
            let (code, said) = signalled(peft_lab(&["--resume", &path]), signal);
            assert_eq!(code, Some(130), "{signal}: {said}");
            let second = read(Path::new(&path));
            assert!(second.phi.is_some() && second.losses.len() > first.losses.len(), "{signal}");
            assert!(!Path::new(&format!("{path}.part")).exists(), "{signal}");
            std::fs::remove_dir_all(&folder).unwrap();
        }
    }

    #[test]
    fn a_run_that_nohup_began_goes_on_when_its_terminal_hangs_up() {
        let folder = folder("nohup");
        let path = folder.join("run.jsonl").display().to_string();
        let run =
            peft_lab(&["--method", "ia3", "--rule", "sort", "--steps", "700", "--batch-size", "2", "--out", &path]);
        // What nohup does, and no more.
        let mut command = Command::new("sh");
        command.args(["-c", "trap '' HUP; exec \"$0\" \"$@\""]).arg(run.get_program()).args(run.get_args());
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).current_dir(env!("CARGO_MANIFEST_DIR"));
        let (code, said) = signalled(command, "HUP");
        assert_eq!(code, Some(0), "{said}");
        assert!(read(Path::new(&path)).is_finished());
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn resume_takes_no_settings_beside_the_file_s() {
        let out = peft_lab(&["--resume", "no.jsonl", "--rank", "8"]).output().unwrap();
        let said = String::from_utf8_lossy(&out.stderr);
        assert!(said.contains("takes the run's settings from no.jsonl: leave --rank out"), "{said}");
    }
}
