//! `cargo xtask test`: every test, natively, in headless Chromium, and end to end on the built page.
//!
//! One thread builds, stage after stage, since cargo lets no two builds of a profile run at once. Beside it lanes run the
//! test programs that are built: the slowest first, by what earlier runs took.

mod changed;
mod lanes;
mod program;
mod stage;
mod times;

use crate::cargo::{ensure_wasm_target, refuse_rustflags, root};
use crate::{bake, flags};
use anyhow::{Context, Result, bail};
use stage::Stage;
use std::time::Instant;

/// Tests that train for long train longer where this is set.
const LONG: &str = "PEFT_LAB_LONG";
/// Tests try the real SmolLM2 where this names its file.
const REAL: &str = "PEFT_LAB_SMOLLM2";

pub fn test(flags: &flags::Test) -> Result<()> {
    refuse_rustflags()?;
    let stages = match flags.changed {
        true => changed::stages(&changed::files(flags.revision.as_deref().unwrap_or("HEAD"))?),
        false => Stage::ALL.into(),
    };
    let wanted = |stage: &Stage| flags.only.is_none_or(|part| part == stage.part());
    let stages: Vec<Stage> =
        stages.into_iter().filter(wanted).filter(|stage| !(flags.no_gpu && stage.needs_gpu())).collect();
    if stages.is_empty() {
        println!("Nothing that is tested can break by this.");
        return Ok(());
    }
    ensure_wasm_target()?;
    crate::cargo::stage("baking the task data", || bake::bake(&root()))?;
    let real = match flags.real {
        true => Some(bake::large_base()?.context("the base smollm2 is not here")?),
        false => None,
    };
    let start = Instant::now();
    let context = stage::Context { gpu: !flags.no_gpu, long: flags.long, real };
    let outcome = lanes::run(&stages, &context, &times::expected());
    times::save(&outcome);
    println!("\n{}", times::table(&outcome, start.elapsed()));
    let (passed, failed) = outcome.counts();
    let broken = outcome.broken();
    println!("{passed} passed, {} failed", failed.max(broken.len()));
    match broken.is_empty() && failed == 0 {
        true => Ok(()),
        false => bail!("not everything passed: {}", broken.join("; ")),
    }
}
