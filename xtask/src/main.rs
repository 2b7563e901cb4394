//! `cargo xtask`: everything that builds, serves, tests and measures PEFT Lab.

mod bake;
mod bench;
mod browser;
mod cargo;
mod compress;
mod corpus;
mod flags;
mod parts;
mod pretrain;
mod record;
mod serve;
mod site;
mod test;
mod tools;

use anyhow::Result;
use flags::{Asked, XtaskCmd};
use std::process::ExitCode;

fn main() -> ExitCode {
    match flags::parse(std::env::args_os().skip(1).collect()).and_then(dispatch) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(asked: Asked) -> Result<()> {
    match asked {
        Asked::Help(text) => {
            println!("{text}");
            Ok(())
        }
        Asked::Command(XtaskCmd::Serve(flags)) => serve::serve(&flags),
        Asked::Command(XtaskCmd::Build(flags)) => site::build(true, !flags.no_gpu).map(|site| site.print_sizes()),
        Asked::Command(XtaskCmd::Test(flags)) => test::test(&flags),
        Asked::Command(XtaskCmd::Bench(flags)) => bench::bench(&flags),
        Asked::Command(XtaskCmd::Bake(flags)) if flags.pretraining => bake::bake_pretraining(&cargo::root()),
        Asked::Command(XtaskCmd::Bake(_)) => bake::bake(&cargo::root()).and_then(|()| bake::large_base()).map(drop),
        Asked::Command(XtaskCmd::Pretrain(flags)) => pretrain::pretrain(&flags.base),
        Asked::Command(XtaskCmd::Record(flags)) => record::record(&flags),
        Asked::Command(XtaskCmd::Sweep(flags)) => record::sweep(&flags),
    }
}
