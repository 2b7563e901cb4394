//! `cargo xtask`: everything that builds, serves, tests and measures PEFT Lab.

mod bake;
#[path = "../../src/task/baseline.rs"]
mod baseline;
mod bench;
mod browser;
mod cargo;
mod compress;
mod corpus;
mod pretrain;
mod record;
mod serve;
mod site;
mod test;
mod tools;

use anyhow::{Result, bail};
use std::process::ExitCode;

const HELP: &str = "cargo xtask <command>

  serve  [--port N] [--no-open] [--no-gpu]   set up, build, and open the page; the WebGPU trainer is built behind it
  build  [--no-gpu]                          the static site in dist/
  test   [--only native|wasm|e2e] [--no-gpu] set up and pass every test
  bench  [--json] [--compare] [--save] [PART …]  milliseconds a step, bytes and dispatches of every method, and sizes; against bench/baseline.jsonl
  bake [--pretraining]                       write www/data/, the tasks' examples, from published packages; or the text of the prose bases
  pretrain [BASE …]                          make the shipped bases again (hours), from recipes/ into www/models/
  record [--seeds N] [--jobs N] [--as-is] [GROUP …]  train the recorded runs of www/runs/ again, or ship what has been trained so far, and print the README's tables
  sweep  [--jobs N] [NAME …]                 measure the grids of sweeps/ again, into www/sweeps/
  help                                       this text";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(args: &[String]) -> Result<()> {
    let (command, rest) = match args.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("help", args),
    };
    let options = Options::parse(rest)?;
    match command {
        "serve" => serve::serve(&options),
        "build" => site::build(&options).map(|site| site.print_sizes()),
        "test" => test::test(&options),
        "bench" => bench::bench(&options),
        "bake" if options.pretraining => bake::bake_pretraining(&cargo::root()),
        "bake" => bake::bake(&cargo::root()),
        "pretrain" => pretrain::pretrain(&options),
        "record" => record::record(&options),
        "sweep" => record::sweep(&options),
        "help" | "--help" | "-h" => {
            println!("{HELP}");
            Ok(())
        }
        other => bail!("there is no command “{other}”\n\n{HELP}"),
    }
}

/// What may follow a command.
#[derive(Debug, Default, PartialEq)]
pub struct Options {
    pub port: Option<u16>,
    pub no_open: bool,
    pub no_gpu: bool,
    pub json: bool,
    /// Compares with the committed figures, or writes them anew.
    pub compare: bool,
    pub save: bool,
    pub only: Option<String>,
    pub seeds: Option<usize>,
    pub jobs: Option<usize>,
    pub pretraining: bool,
    /// Takes what an interrupted recording left.
    pub as_is: bool,
    /// What stands without dashes.
    pub names: Vec<String>,
}

impl Options {
    fn parse(args: &[String]) -> Result<Options> {
        let mut options = Options::default();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or_else(|| anyhow::anyhow!("{arg} needs a value"));
            match arg.as_str() {
                "--port" => options.port = Some(value()?.parse()?),
                "--no-open" => options.no_open = true,
                "--no-gpu" => options.no_gpu = true,
                "--gpu" => options.no_gpu = false,
                "--json" => options.json = true,
                "--compare" => options.compare = true,
                "--save" => options.save = true,
                "--only" => options.only = Some(value()?.clone()),
                "--seeds" => options.seeds = Some(value()?.parse()?),
                "--jobs" => options.jobs = Some(value()?.parse()?),
                "--pretraining" => options.pretraining = true,
                "--as-is" => options.as_is = true,
                name if !name.starts_with('-') => options.names.push(name.to_string()),
                other => bail!("there is no option “{other}”\n\n{HELP}"),
            }
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_and_unknown_ones_refused() {
        let args = |text: &str| text.split_whitespace().map(String::from).collect::<Vec<_>>();
        let options = Options::parse(&args("--port 8080 --no-gpu")).unwrap();
        assert_eq!((options.port, options.no_gpu), (Some(8080), true));
        assert!(Options::parse(&args("--port")).is_err());
        assert!(Options::parse(&args("--prot 80")).is_err());
    }
}
