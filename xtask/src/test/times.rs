//! What each stage, program and test took: kept as JSON lines, shown as a table.
//!
//! `test-times/last.jsonl` in the target folder holds the last run, `history.jsonl` what took a second or more in all runs.
//! They are times of a clock on the wall: programs run side by side, so a single test may take longer than it would alone.

use super::lanes::{Outcome, duration};
use super::program::{Program, Ran, Verdict};
use super::stage::Stage;
use crate::cargo::target_dir;
use anyhow::Result;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// Lines of the history that are kept.
const HISTORY: usize = 20_000;
/// What took less is not in the history.
const WORTH_KEEPING: f64 = 1.0;
/// Tests that the table names.
const SLOWEST: usize = 15;

/// A line of the files.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Line {
    /// When the run ended, in seconds since 1970.
    run: u64,
    what: What,
    /// The stage's title.
    stage: String,
    /// Of the program; of the test behind ` · `.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    name: String,
    seconds: f64,
    passed: bool,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
enum What {
    Build,
    Program,
    Test,
}

/// What programs took in earlier runs, by stage and name.
#[derive(Default)]
pub struct Expected(BTreeMap<(String, String), f64>);

impl Expected {
    /// A program that has never run may take for ever: it comes first.
    pub fn seconds(&self, program: &Program) -> f64 {
        let name = (program.stage.title().to_string(), program.name.clone());
        self.0.get(&name).copied().unwrap_or(f64::INFINITY)
    }

    #[cfg(test)]
    pub fn of(stage: Stage, programs: &[(&str, f64)]) -> Expected {
        Expected(programs.iter().map(|(name, s)| ((stage.title().into(), name.to_string()), *s)).collect())
    }
}

pub fn expected() -> Expected {
    let programs = read(&target_dir().join("test-times/history.jsonl")).into_iter().filter(|l| l.what == What::Program);
    Expected(programs.map(|line| ((line.stage, line.name), line.seconds)).collect())
}

/// Lines that are not of this form are those of another version.
fn read(path: &Path) -> Vec<Line> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// Writes both files. Tests do not fail for want of them.
pub fn save(outcome: &Outcome) {
    if let Err(error) = write(&target_dir().join("test-times"), &lines(outcome)) {
        eprintln!("xtask: the times of the tests could not be kept: {error:#}");
    }
}

fn write(folder: &Path, last: &[Line]) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    let text = |lines: &[Line]| -> Result<String> {
        let lines = lines.iter().map(|line| Ok(serde_json::to_string(line)? + "\n"));
        lines.collect()
    };
    std::fs::write(folder.join("last.jsonl"), text(last)?)?;
    let mut history = read(&folder.join("history.jsonl"));
    history.extend(last.iter().filter(|line| line.what != What::Test || line.seconds >= WORTH_KEEPING).cloned());
    let from = history.len().saturating_sub(HISTORY);
    Ok(std::fs::write(folder.join("history.jsonl"), text(&history[from..])?)?)
}

/// All of a run, the slowest first.
fn lines(outcome: &Outcome) -> Vec<Line> {
    let run = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let line = |what, stage: Stage, name: String, seconds: f64, passed| {
        let seconds = (seconds * 1e3).round() / 1e3;
        Line { run, what, stage: stage.title().into(), name, seconds, passed }
    };
    let builds = outcome
        .builds
        .iter()
        .map(|built| line(What::Build, built.stage, String::new(), built.seconds, built.fault.is_none()));
    let with_tests = || outcome.programs.iter().filter(|ran| !ran.tests.is_empty());
    let programs = with_tests().map(|ran| {
        let sound = ran.fault.is_none() && ran.count(Verdict::Failed) == 0;
        line(What::Program, ran.stage, ran.name.clone(), ran.seconds, sound)
    });
    let tests = with_tests().flat_map(|ran| {
        ran.tests.iter().filter_map(move |test| {
            let name = format!("{} · {}", ran.name, test.name);
            Some(line(What::Test, ran.stage, name, test.seconds?, test.verdict == Verdict::Passed))
        })
    });
    let mut lines: Vec<Line> = builds.chain(programs).chain(tests).collect();
    lines.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
    lines
}

/// What a person wants to know at the end.
pub fn table(outcome: &Outcome, whole: Duration) -> String {
    let mut text = format!("{:40} {:>12} {:>12} {:>7}\n", "", "built in", "ran for", "tests");
    for built in &outcome.builds {
        let programs: Vec<&Ran> = outcome.programs.iter().filter(|ran| ran.stage == built.stage).collect();
        let ran = programs.iter().map(|ran| ran.seconds).sum();
        let tests: usize = programs.iter().map(|ran| ran.tests.len()).sum();
        let fault = built.fault.as_ref().map(|fault| format!("  {fault}")).unwrap_or_default();
        let title = built.stage.title();
        text += &format!("{title:40} {:>12} {:>12} {tests:>7}{fault}\n", duration(built.seconds), duration(ran));
    }
    text += "\nslowest tests\n";
    for line in lines(outcome).iter().filter(|line| line.what == What::Test).take(SLOWEST) {
        text += &format!("{:>12}  {}, {}\n", duration(line.seconds), line.stage, line.name);
    }
    let work: f64 =
        outcome.builds.iter().map(|built| built.seconds).chain(outcome.programs.iter().map(|ran| ran.seconds)).sum();
    text += &format!("\n{} for {} of building and running", duration(whole.as_secs_f64()), duration(work));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test::lanes::Built;
    use crate::test::program::Test;

    fn outcome() -> Outcome {
        let test = |name: &str, seconds| Test {
            name: name.into(),
            verdict: Verdict::Passed,
            seconds: Some(seconds),
            said: String::new(),
        };
        let tests = vec![test("quick", 0.5), test("slow", 40.0)];
        let ran =
            Ran { stage: Stage::Native, name: "it".into(), seconds: 40.6, tests, fault: None, said: String::new() };
        let built = Built { stage: Stage::Native, seconds: 70.0, fault: None };
        Outcome { builds: vec![built], programs: vec![ran] }
    }

    #[test]
    fn the_last_run_is_kept_whole_and_the_history_without_what_is_quick() {
        let folder = std::env::temp_dir().join(format!("xtask-times-{}", std::process::id()));
        let lines = lines(&outcome());
        write(&folder, &lines).unwrap();
        write(&folder, &lines).unwrap();
        let names =
            |file: &str| -> Vec<String> { read(&folder.join(file)).into_iter().map(|line| line.name).collect() };
        assert_eq!(names("last.jsonl"), ["", "it", "it · slow", "it · quick"]);
        assert_eq!(names("history.jsonl"), ["", "it", "it · slow", "", "it", "it · slow"]);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn the_table_tells_what_a_stage_took_and_the_slowest_test_first() {
        let table = table(&outcome(), Duration::from_secs(90));
        let native = table.lines().find(|line| line.starts_with("the trainer, natively")).unwrap();
        assert_eq!(native.split_whitespace().skip(3).collect::<Vec<_>>().join(" "), "1 min 10 s 41 s 2");
        let [slow, quick] = ["it · slow", "it · quick"].map(|name| table.find(name).unwrap());
        assert!(slow < quick, "{table}");
        assert!(table.ends_with("1 min 30 s for 1 min 51 s of building and running"), "{table}");
    }
}
