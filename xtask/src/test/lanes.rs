//! What computes beside what waits: one thread builds, lanes run what is built.

use super::program::{Program, Ran, Verdict};
use super::stage::{Context, Stage};
use super::times::Expected;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Test programs that run side by side, besides what is built meanwhile. Most use several threads of their own, or wait for a
/// browser that does.
const LANES: usize = 2;

/// What came of a run of the tests.
#[derive(Default)]
pub struct Outcome {
    pub builds: Vec<Built>,
    pub programs: Vec<Ran>,
}

/// A stage whose programs were built, or could not be.
pub struct Built {
    pub stage: Stage,
    pub seconds: f64,
    pub fault: Option<String>,
}

impl Outcome {
    /// Tests that passed and failed.
    pub fn counts(&self) -> (usize, usize) {
        let count = |verdict| self.programs.iter().map(|ran| ran.count(verdict)).sum();
        (count(Verdict::Passed), count(Verdict::Failed))
    }

    /// What did not end well, in words.
    pub fn broken(&self) -> Vec<String> {
        let builds =
            self.builds.iter().filter(|built| built.fault.is_some()).map(|built| built.stage.title().to_string());
        let faulty = |ran: &&Ran| ran.fault.is_some() || ran.count(Verdict::Failed) > 0;
        let programs = self.programs.iter().filter(faulty).map(|ran| format!("{}, {}", ran.stage.title(), ran.name));
        builds.chain(programs).collect()
    }
}

/// Programs that wait for a lane.
struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

struct Waiting {
    programs: Vec<Program>,
    /// Whether more may come.
    open: bool,
}

impl Queue {
    fn new() -> Queue {
        Queue { waiting: Mutex::new(Waiting { programs: Vec::new(), open: true }), changed: Condvar::new() }
    }

    fn add(&self, programs: Vec<Program>) {
        hold(&self.waiting).programs.extend(programs);
        self.changed.notify_all();
    }

    /// Says that nothing more will come.
    fn close(&self) {
        hold(&self.waiting).open = false;
        self.changed.notify_all();
    }

    /// Takes the program that runs longest; waits for one while more may come.
    fn take(&self, expected: &Expected) -> Option<Program> {
        let mut waiting = hold(&self.waiting);
        loop {
            let seconds = |i: &usize| expected.seconds(&waiting.programs[*i]);
            let longest = (0..waiting.programs.len()).max_by(|i, j| seconds(i).total_cmp(&seconds(j)));
            match longest {
                Some(i) => return Some(waiting.programs.swap_remove(i)),
                None if !waiting.open => return None,
                None => waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }
}

/// What a thread that panicked left is whole: nothing is half-written under these locks.
fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Builds and runs what is planned. Later stages go on after a broken one.
pub fn run(stages: &[Stage], context: &Context, expected: &Expected) -> Outcome {
    let (queue, outcome) = (Queue::new(), Mutex::new(Outcome::default()));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for stage in stages {
                let built = build(*stage, context, &queue);
                hold(&outcome).builds.push(built);
            }
            queue.close();
        });
        for _ in 0..LANES {
            scope.spawn(|| {
                while let Some(program) = queue.take(expected) {
                    let ran = program.run();
                    let mut outcome = hold(&outcome);
                    print(&ran);
                    outcome.programs.push(ran);
                }
            });
        }
    });
    let mut outcome = outcome.into_inner().unwrap_or_else(PoisonError::into_inner);
    without_tests(&mut outcome);
    outcome
}

fn build(stage: Stage, context: &Context, queue: &Queue) -> Built {
    let start = Instant::now();
    eprintln!("· building: {} …", stage.title());
    let fault = match stage.programs(context) {
        Ok(programs) => {
            queue.add(programs);
            None
        }
        Err(error) => {
            eprintln!("xtask: {}: {error:#}", stage.title());
            Some(format!("{error:#}"))
        }
    };
    let seconds = start.elapsed().as_secs_f64();
    eprintln!("  built: {} in {}", stage.title(), duration(seconds));
    Built { stage, seconds, fault }
}

/// A stage that was built and ran no test is a failure.
fn without_tests(outcome: &mut Outcome) {
    for built in outcome.builds.iter_mut().filter(|built| built.fault.is_none()) {
        if outcome.programs.iter().all(|ran| ran.stage != built.stage || ran.tests.is_empty()) {
            built.fault = Some("it ran no test".into());
        }
    }
}

/// Prints what a program did, in one piece: programs run side by side.
fn print(ran: &Ran) {
    let (passed, failed) = (ran.count(Verdict::Passed), ran.count(Verdict::Failed));
    let mut text = String::new();
    for test in ran.tests.iter().filter(|test| test.verdict == Verdict::Failed) {
        text += &format!("---- {} failed ----\n{}\n", test.name, test.said.trim_end());
    }
    // What a browser's console said stands apart from the tests.
    if (failed > 0 || ran.fault.is_some()) && !ran.said.trim().is_empty() {
        text += &format!("---- what {} said ----\n{}\n", ran.name, ran.said.trim_end());
    }
    if let Some(fault) = &ran.fault {
        text += &format!("---- {}: {fault} ----\n", ran.name);
    }
    if ran.tests.is_empty() && text.is_empty() {
        return;
    }
    println!(
        "{text}  {}, {}: {passed} passed, {failed} failed in {}",
        ran.stage.title(),
        ran.name,
        duration(ran.seconds)
    );
}

/// `0.4 s`, `12 s`, `3 min 04 s`
pub fn duration(seconds: f64) -> String {
    match seconds {
        ..9.95 => format!("{seconds:.1} s"),
        ..59.5 => format!("{seconds:.0} s"),
        _ => {
            let whole = Duration::from_secs_f64(seconds.round()).as_secs();
            format!("{} min {:02} s", whole / 60, whole % 60)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test::program::{Binary, Output, Test};

    fn ran(stage: Stage, verdicts: &[Verdict]) -> Ran {
        let test = |verdict: &Verdict| Test { name: "t".into(), verdict: *verdict, seconds: None, said: String::new() };
        let tests = verdicts.iter().map(test).collect();
        Ran { stage, name: "it".into(), seconds: 1.0, tests, fault: None, said: String::new() }
    }

    fn built(stage: Stage) -> Built {
        Built { stage, seconds: 1.0, fault: None }
    }

    #[test]
    fn what_is_new_and_what_took_longest_goes_first() {
        let program = |name: &str| Binary::named(name).program(Stage::Native, Output::Libtest);
        let expected = Expected::of(Stage::Native, &[("quick", 1.0), ("slow", 60.0), ("middling", 10.0)]);
        let queue = Queue::new();
        queue.add(["quick", "new", "slow", "middling"].map(program).into());
        queue.close();
        let taken: Vec<String> = std::iter::from_fn(|| queue.take(&expected)).map(|program| program.name).collect();
        assert_eq!(taken, ["new", "slow", "middling", "quick"]);
    }

    #[test]
    fn a_stage_that_ran_no_test_is_broken() {
        let mut outcome = Outcome {
            builds: [Stage::Native, Stage::Page, Stage::Xtask].map(built).into(),
            programs: vec![ran(Stage::Native, &[Verdict::Passed]), ran(Stage::Page, &[])],
        };
        without_tests(&mut outcome);
        assert_eq!(outcome.broken(), [Stage::Page.title(), Stage::Xtask.title()]);
        assert_eq!(outcome.counts(), (1, 0));
    }

    #[test]
    fn a_failed_test_and_a_program_that_dies_are_broken() {
        let mut died = ran(Stage::Page, &[Verdict::Passed]);
        died.fault = Some("it ended with signal 6".into());
        let outcome = Outcome {
            builds: vec![],
            programs: vec![ran(Stage::Native, &[Verdict::Passed, Verdict::Failed, Verdict::Ignored]), died],
        };
        assert_eq!(outcome.counts(), (2, 1));
        assert_eq!(outcome.broken(), ["the trainer, natively, it", "the page's state, natively, it"]);
    }

    #[test]
    fn durations_are_short() {
        let all = [0.04, 9.96, 59.4, 59.6, 184.2].map(duration);
        assert_eq!(all, ["0.0 s", "10 s", "59 s", "1 min 00 s", "3 min 04 s"]);
    }
}
