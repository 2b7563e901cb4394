//! Thousands of steps of every method leave as much memory in use as the first thousand did.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails where it unwraps")]
#![cfg(not(target_arch = "wasm32"))]

mod shared;

use burn::tensor::Device;
use peft_lab::base::memory;
use peft_lab::base::memory::Counting;
use peft_lab::train;
use peft_lab::train::optimizer::Optimizer;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Steps on every day.
const STEPS: usize = 2_000;
/// Steps of `cargo xtask test --long`, which sets `PEFT_LAB_LONG`.
const LONG: usize = 10_000;
/// After so many, everything that a run keeps is there.
const WARM: usize = 1_000;

// One test: a second one beside it would be measured, too.
#[test]
fn memory_does_not_grow_with_steps() {
    let steps = if std::env::var_os("PEFT_LAB_LONG").is_some() { LONG } else { STEPS };
    let device = Device::flex();
    let theta = shared::tiny_model(&device);
    // The same method with other knobs keeps the same things.
    let mut seen = Vec::new();
    let mut growing = Vec::new();
    for method in shared::methods() {
        if std::mem::replace(&mut seen, vec![method.info().name]).contains(&method.info().name) {
            continue;
        }
        let mut phi = shared::phi(&theta, &method, &device);
        let mut optimizer = Optimizer::new();
        let batch = shared::tiny_batch(0);
        let mut before = 0;
        for step in 0..steps {
            pollster::block_on(shared::tell(&mut phi, step, steps));
            phi.noise(Some(step as u64));
            phi = train::step::step(&theta, phi, &batch, &mut optimizer, 1e-3);
            let reports = pollster::block_on(optimizer.reports()).unwrap();
            assert!(reports[0].loss.is_finite(), "{method:?}: step {step}");
            if step == WARM {
                before = memory::live().unwrap();
            }
        }
        let grown = memory::live().unwrap() as i64 - before as i64;
        println!("{:20} {grown} bytes", method.info().name);
        // A hash table that is rebuilt, not something for each step.
        if grown.unsigned_abs() > 4 * (steps - WARM) as u64 / 10 {
            growing.push(format!("{} by {grown} bytes", method.info().name));
        }
    }
    assert!(growing.is_empty(), "{growing:?}");
}
