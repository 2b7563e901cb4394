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
use anyhow::{Result, bail};
use stage::{Plan, Stage};
use std::time::Instant;

/// Tests that train for long train longer where this is set.
const LONG: &str = "PEFT_LAB_LONG";

pub fn test(flags: &flags::Test) -> Result<()> {
    refuse_rustflags()?;
    let plans = match flags.changed {
        true => changed::plans(&changed::files(flags.revision.as_deref().unwrap_or("HEAD"))?),
        false => Stage::ALL.map(Plan::whole).into(),
    };
    let wanted = |stage: Stage| flags.only.is_none_or(|part| part == stage.part());
    let plans: Vec<Plan> =
        plans.into_iter().filter(|plan| wanted(plan.stage) && !(flags.no_gpu && plan.stage.needs_gpu())).collect();
    if plans.is_empty() {
        println!("Nothing that is tested can break by this.");
        return Ok(());
    }
    ensure_wasm_target()?;
    crate::cargo::stage("baking the task data", || bake::bake(&root()))?;
    let start = Instant::now();
    let context = stage::Context { gpu: !flags.no_gpu, long: flags.long };
    let outcome = lanes::run(&plans, &context, &times::expected());
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
