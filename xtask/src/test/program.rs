//! Test programs: built by cargo, run here, so that it is known what each test took.

use super::stage::Stage;
use crate::cargo::cargo;
use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Instant;

/// What cargo built of a test target.
pub struct Binary {
    name: String,
    path: PathBuf,
    /// The folder of the package: tests run there.
    folder: PathBuf,
}

/// Builds the tests that `args` of `cargo test` name, without running them.
pub fn binaries(args: &[&str]) -> Result<Vec<Binary>> {
    let mut command = cargo(&["test", "--no-run", "--message-format=json-render-diagnostics"]);
    let shown = format!("cargo test --no-run {}", args.join(" "));
    let output = command
        .args(args)
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("{shown} could not be started"))?;
    if !output.status.success() {
        bail!("{shown} ended with {}", output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).lines().filter_map(built).collect())
}

/// A line of cargo's, where it tells of a test program.
fn built(line: &str) -> Option<Binary> {
    let message: Value = serde_json::from_str(line).ok()?;
    if message["profile"]["test"] != true {
        return None;
    }
    let folder = Path::new(message["manifest_path"].as_str()?).parent()?.to_path_buf();
    let (name, kind) = (message["target"]["name"].as_str()?, message["target"]["kind"][0].as_str()?);
    // A library and a binary may have one name.
    let name = if kind == "test" { name.to_string() } else { format!("{name} ({kind})") };
    Some(Binary { name, path: message["executable"].as_str()?.into(), folder })
}

/// How a program tells of its tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Rust's own harness.
    Libtest,
    /// wasm-bindgen's test runner, which runs tests one after the other.
    Browser,
}

/// A test program that can be run.
pub struct Program {
    pub stage: Stage,
    pub name: String,
    output: Output,
    path: PathBuf,
    folder: PathBuf,
    args: Vec<OsString>,
    variables: Vec<(String, OsString)>,
}

impl Binary {
    #[cfg(test)]
    pub fn named(name: &str) -> Binary {
        Binary { name: name.into(), path: PathBuf::new(), folder: PathBuf::new() }
    }

    pub fn program(self, stage: Stage, output: Output) -> Program {
        let Binary { name, path, folder } = self;
        Program { stage, name, output, path, folder, args: Vec::new(), variables: Vec::new() }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Passed,
    Failed,
    Ignored,
}

/// A test that ran.
#[derive(Clone, Debug, PartialEq)]
pub struct Test {
    pub name: String,
    pub verdict: Verdict,
    pub seconds: Option<f64>,
    /// What it printed, where it failed.
    pub said: String,
}

/// A program that ran.
pub struct Ran {
    pub stage: Stage,
    pub name: String,
    pub seconds: f64,
    pub tests: Vec<Test>,
    /// What is wrong besides tests that failed.
    pub fault: Option<String>,
    /// What it printed besides.
    pub said: String,
}

impl Ran {
    pub fn count(&self, verdict: Verdict) -> usize {
        self.tests.iter().filter(|test| test.verdict == verdict).count()
    }
}

impl Program {
    pub fn set(&mut self, variable: &str, value: impl AsRef<OsStr>) {
        self.variables.push((variable.to_string(), value.as_ref().to_os_string()));
    }

    pub fn arg(&mut self, arg: &str) {
        self.args.push(arg.into());
    }

    /// Hands the program to another one that runs it.
    pub fn run_by(&mut self, runner: &Path) {
        let program = std::mem::replace(&mut self.path, runner.to_path_buf());
        self.args.insert(0, program.into());
    }

    pub fn run(&self) -> Ran {
        let start = Instant::now();
        let mut ran = Ran {
            stage: self.stage,
            name: self.name.clone(),
            seconds: 0.0,
            tests: Vec::new(),
            fault: None,
            said: String::new(),
        };
        if let Err(error) = self.fill(&mut ran) {
            ran.fault = Some(format!("{error:#}"));
        }
        ran.seconds = start.elapsed().as_secs_f64();
        ran
    }

    fn fill(&self, ran: &mut Ran) -> Result<()> {
        let mut command = self.command();
        let mut events = Events::default();
        let status = match self.output {
            Output::Libtest => {
                // Times of single tests are not stable yet. The harness decides at run time whether it grants what is not:
                // nothing is built in another way for this.
                command.env("RUSTC_BOOTSTRAP", "1");
                command.args(["-Z", "unstable-options", "--format", "json", "--report-time"]);
                let status = follow(&mut command, &mut ran.said, |line| events.libtest(line, &self.name))?;
                if status.success() || events.began {
                    status
                } else {
                    // A harness that does not know these words: then times stay unknown.
                    (events, ran.said) = (Events::default(), String::new());
                    follow(&mut self.command(), &mut ran.said, |line| events.plain(line, false))?
                }
            }
            Output::Browser => follow(&mut command, &mut ran.said, |line| events.plain(line, true))?,
        };
        ran.tests = events.ended;
        // A program that dies takes the tests with it that were running.
        ran.tests.extend(events.running.into_iter().map(|name| Test {
            name,
            verdict: Verdict::Failed,
            seconds: None,
            said: "it did not end".into(),
        }));
        if !status.success() && ran.count(Verdict::Failed) == 0 {
            bail!("it ended with {status}");
        }
        Ok(())
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        command.args(&self.args).current_dir(&self.folder).env("CARGO_MANIFEST_DIR", &self.folder);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// Runs a command, hands on each line that it prints, and keeps those that `take` leaves and what it complains of.
fn follow(command: &mut Command, said: &mut String, mut take: impl FnMut(&str) -> bool) -> Result<ExitStatus> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("{command:?} could not be started"))?;
    let output = child.stdout.take().ok_or_else(|| anyhow!("no output to read"))?;
    let complaints = child.stderr.take();
    // Both at once: a pipe that nobody empties stops the program.
    let complaints = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = complaints.map(|mut from| from.read_to_end(&mut bytes));
        String::from_utf8_lossy(&bytes).into_owned()
    });
    for line in BufReader::new(output).split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        if !take(&line) {
            said.push_str(&line);
            said.push('\n');
        }
    }
    let status = child.wait()?;
    said.push_str(&complaints.join().unwrap_or_default());
    Ok(status)
}

/// What a program has told so far.
#[derive(Default)]
struct Events {
    began: bool,
    running: BTreeSet<String>,
    ended: Vec<Test>,
    /// When the last line came that told of a test.
    last: Option<Instant>,
}

impl Events {
    /// Reads a line of the harness's JSON; whether it is one.
    fn libtest(&mut self, line: &str, program: &str) -> bool {
        let event: Value = match serde_json::from_str(line) {
            Ok(event @ Value::Object(_)) => event,
            _ => return false,
        };
        let text = |key: &str| event[key].as_str().unwrap_or_default().to_string();
        match (event["type"].as_str(), event["event"].as_str()) {
            (Some("suite"), _) => self.began = true,
            (Some("test"), Some("started")) => {
                self.running.insert(text("name"));
            }
            (Some("test"), Some("timeout")) => eprintln!("  {program}: {} takes more than a minute", text("name")),
            (Some("test"), Some(verdict)) => {
                self.running.remove(&text("name"));
                let verdict = match verdict {
                    "ok" => Verdict::Passed,
                    "ignored" => Verdict::Ignored,
                    _ => Verdict::Failed,
                };
                let said = if verdict == Verdict::Failed { text("stdout") } else { String::new() };
                let test = Test { name: text("name"), verdict, seconds: event["exec_time"].as_f64(), said };
                self.ended.push(test);
            }
            _ => return false,
        }
        true
    }

    /// Reads a line that a person would read, `test name ... ok`; whether it is one. Where tests take turns, what lies between two
    /// such lines is what a test took.
    fn plain(&mut self, line: &str, in_turns: bool) -> bool {
        let line = line.trim();
        if line.starts_with("running ") && line.contains(" test") {
            (self.began, self.last) = (true, Some(Instant::now()));
            return true;
        }
        let Some((name, end)) = line.strip_prefix("test ").and_then(|rest| rest.split_once(" ... ")) else {
            return line.starts_with("test result:");
        };
        let verdict = match end.split([' ', ',']).next() {
            Some("ok") => Verdict::Passed,
            Some("ignored") => Verdict::Ignored,
            _ => Verdict::Failed,
        };
        let took = self.last.replace(Instant::now()).map(|at| at.elapsed().as_secs_f64());
        let seconds = took.filter(|_| in_turns && verdict != Verdict::Ignored);
        self.ended.push(Test { name: name.to_string(), verdict, seconds, said: String::new() });
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_cargo_names_a_test_program_and_its_package_s_folder() {
        let line = |test: bool| {
            format!(
                r#"{{"reason":"compiler-artifact","manifest_path":"/lab/tests/e2e/Cargo.toml","target":{{"kind":["lib"],"name":"e2e"}},"profile":{{"test":{test}}},"executable":"/target/e2e-1"}}"#
            )
        };
        let binary = built(&line(true)).unwrap();
        assert_eq!((binary.name.as_str(), binary.folder.as_path()), ("e2e (lib)", Path::new("/lab/tests/e2e")));
        assert!(built(&line(false)).is_none() && built("   Compiling e2e").is_none());
    }

    #[test]
    fn the_harness_s_json_tells_names_times_and_what_failed() {
        let mut events = Events::default();
        for line in [
            r#"{ "type": "suite", "event": "started", "test_count": 4 }"#,
            r#"{ "type": "test", "event": "started", "name": "a" }"#,
            r#"{ "type": "test", "event": "started", "name": "b" }"#,
            r#"{ "type": "test", "event": "started", "name": "d" }"#,
            r#"{ "type": "test", "name": "b", "event": "failed", "exec_time": 0.25, "stdout": "no\n" }"#,
            r#"{ "type": "test", "name": "c", "event": "ignored", "message": "why" }"#,
            r#"{ "type": "test", "name": "a", "event": "ok", "exec_time": 1.5 }"#,
        ] {
            assert!(events.libtest(line, "program"), "{line}");
        }
        assert!(!events.libtest("what a test prints", "program") && !events.libtest("7", "program"));
        let test =
            |name: &str, verdict, seconds, said: &str| Test { name: name.into(), verdict, seconds, said: said.into() };
        let expected = [
            test("b", Verdict::Failed, Some(0.25), "no\n"),
            test("c", Verdict::Ignored, None, ""),
            test("a", Verdict::Passed, Some(1.5), ""),
        ];
        assert_eq!(events.ended, expected);
        assert_eq!(events.running, BTreeSet::from(["d".to_string()]));
    }

    #[test]
    fn lines_for_people_tell_names_and_where_tests_take_turns_times() {
        for in_turns in [true, false] {
            let mut events = Events::default();
            for line in ["running 3 tests", "test a::b ... ok", "test c ... FAIL", "test d ... ignored, why"] {
                assert!(events.plain(line, in_turns), "{line}");
            }
            assert!(events.plain("test result: FAILED. 1 passed; 1 failed; 1 ignored", in_turns));
            assert!(!events.plain("  a log line", in_turns));
            let verdicts: Vec<_> =
                events.ended.iter().map(|t| (t.name.as_str(), t.verdict, t.seconds.is_some())).collect();
            let expected =
                [("a::b", Verdict::Passed, in_turns), ("c", Verdict::Failed, in_turns), ("d", Verdict::Ignored, false)];
            assert_eq!(verdicts, expected);
        }
    }

    /// The program that runs this test is one, too.
    #[test]
    fn a_program_is_run_and_its_tests_are_timed() {
        let own = Binary {
            name: "xtask".into(),
            path: std::env::current_exe().unwrap(),
            folder: env!("CARGO_MANIFEST_DIR").into(),
        };
        let mut own = own.program(Stage::Xtask, Output::Libtest);
        own.arg("harness_s_json");
        let ran = own.run();
        assert_eq!(ran.fault, None, "{}", ran.said);
        assert_eq!((ran.count(Verdict::Passed), ran.tests.len()), (1, 1));
        assert!(ran.tests[0].seconds.is_some(), "the harness of this toolchain tells no times");
    }
}
