//! A step that threads share, in the trainer's parts.

use super::bench::{BenchShape, LABELS};
use crate::base::{Failure, clock, stream};
use crate::config::{MOST_PARTS, RunConfig};
use crate::model::{Model, Tokens};
use crate::peft::{InitContext, MethodConfig, Phi};
use crate::train::data::Batch;
use crate::train::micro_batch::threads::Threads;
use crate::train::micro_batch::{Assignment, Helpers, share};
use crate::train::optimizer::Optimizer;
use crate::train::pieces::Piece;
use burn::tensor::Device;
use rand::RngExt;

/// The least milliseconds of a step on so many threads, this one included.
pub fn measure(shape: &BenchShape, method: &MethodConfig, workers: usize, steps: usize) -> Result<f64, Failure> {
    pollster::block_on(async {
        let device = Device::flex();
        let theta = Model::random_held(shape.config(), shape.theta, &mut stream(0, "bench theta"), &device);
        let mut context = InitContext::new(&theta, &device, stream(0, "bench phi")).labels(&LABELS);
        let mut phi = Phi::init([method], &mut context);
        let threads = Threads::new(&theta, workers - 1);
        let config = RunConfig { method: method.clone(), ..RunConfig::default() };
        threads.assign(&Assignment { config, labels: LABELS.to_vec(), begins: 0, scores: None });
        let mut optimizer = Optimizer::new();
        let mut rng = stream(0, "bench batches");
        let mut least = f64::INFINITY;
        for _ in 0..steps.max(3) {
            let parts = parts(shape, &mut rng);
            let start = clock();
            let shared = share(&theta, &phi, &parts, Some(&threads), clock).await?;
            if let Some(sum) = shared.gradient {
                phi = optimizer.step_flat(phi, &sum.of_phi, sum.loss, 1e-3);
            }
            least = least.min(clock() - start);
        }
        Ok(least)
    })
}

/// A batch as a run on the CPU cuts it.
fn parts(shape: &BenchShape, rng: &mut impl RngExt) -> Vec<Piece> {
    let rows = shape.rows();
    let [sequences, predicted] = [shape.batch, rows.len()].map(|n| n / MOST_PARTS);
    let mut draw = |n| (0..n).map(|_| rng.random_range(0..shape.vocab as i32)).collect::<Vec<i32>>();
    let part = |_| {
        let tokens = Tokens { ids: draw(sequences * shape.tokens), sequences, length: shape.tokens };
        Piece::Gradient(Batch::of(tokens, rows[..predicted].to_vec(), draw(predicted)).part_of(rows.len()))
    };
    (0..MOST_PARTS).map(part).collect()
}
