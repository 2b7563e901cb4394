//! AdamW as PyTorch has it, behind a clip of the global gradient norm and a warm-up with linear decay.

use super::step::ClipAndStep;
use crate::base::Failure;
#[cfg(feature = "webgpu")]
use crate::base::read;
use crate::interchange::training_state::Moments;
use crate::kernels::adam::Cpu;
#[cfg(feature = "webgpu")]
use crate::kernels::on_gpu;
use crate::kernels::{AdamConstants, adam};
use crate::peft::Phi;
use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Gradients, Tensor};

/// Norm above which φ's gradient is scaled down.
pub const MAX_NORM: f64 = 1.0;
/// Share of the steps in which the rate rises.
const WARM_UP: f64 = 0.05;
/// Decays of the mean of the gradient and of that of its square.
const BETAS: [f32; 2] = [0.9, 0.999];
/// PyTorch's; Burn's default is 1e-5.
const EPSILON: f32 = 1e-8;

/// The rate of a step (from 0): linear warm-up over 5 %, then linear decay to zero.
pub fn learning_rate(peak: f64, step: usize, steps: usize) -> f64 {
    let (step, steps) = (step as f64, steps as f64);
    peak * ((step + 1.0) / (WARM_UP * steps)).min(1.0) * (1.0 - step / steps)
}

/// Steps φ. No decay.
#[derive(Debug, Default)]
pub struct Optimizer {
    cpu: Cpu,
    /// φ and its moments on a GPU, from the first step there.
    #[cfg(feature = "webgpu")]
    gpu: Option<adam::Gpu>,
    steps: i32,
    /// Of steps on the CPU, not asked for yet.
    reports: Vec<Report>,
}

/// What a step reports.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Report {
    /// Nats a predicted token.
    pub loss: f32,
    /// Length of the gradient, before the clip.
    pub norm: f32,
}

impl Optimizer {
    /// Before the first step.
    pub fn new() -> Optimizer {
        Optimizer::default()
    }

    /// After `steps` steps, with the moments that they left.
    pub fn after(steps: i32, moments: Moments) -> Optimizer {
        Optimizer { cpu: Cpu::of(moments), steps, ..Optimizer::default() }
    }

    /// Steps so far, and the moments of φ's tensors: what [`after`](Self::after) takes.
    ///
    /// # Errors
    /// Where the device is lost.
    pub async fn moments(&self) -> Result<(i32, Moments), Failure> {
        #[cfg(feature = "webgpu")]
        if let Some(gpu) = &self.gpu {
            return Ok((self.steps, gpu.moments_of(&read(gpu.pairs()).await?)));
        }
        Ok((self.steps, self.cpu.moments().to_vec()))
    }

    /// A step on the CPU with the numbers of φ's gradient, tensor after tensor.
    pub fn step_flat(&mut self, phi: Phi, gradient: &[f32], loss: f32, rate: f64) -> Phi {
        self.on_cpu(phi, Gradient::Numbers(gradient), adam::squares(gradient), loss, rate)
    }

    fn on_cpu(&mut self, phi: Phi, gradient: Gradient<'_>, squares: f32, loss: f32, rate: f64) -> Phi {
        let constants = self.constants(rate);
        let norm = squares.sqrt();
        self.reports.push(Report { loss, norm });
        let plain = phi.valid();
        // What nobody else holds is changed where it is.
        drop(phi);
        let mut step = OnCpu { cpu: &mut self.cpu, tensor: 0, gradient, factor: constants.clip(norm), constants };
        plain.map(&mut step).train()
    }

    fn constants(&mut self, rate: f64) -> AdamConstants {
        self.steps += 1;
        let bias = BETAS.map(|beta| 1.0 - beta.powi(self.steps));
        AdamConstants { rate: rate as f32, betas: BETAS, bias, epsilon: EPSILON, max_norm: MAX_NORM as f32 }
    }

    /// Whether no more steps fit before their reports are read.
    pub fn waits(&self) -> bool {
        #[cfg(feature = "webgpu")]
        return self.gpu.as_ref().is_some_and(|gpu| gpu.unread() == adam::KEPT);
        #[cfg(not(feature = "webgpu"))]
        false
    }

    /// Loss and norm of each step since the last call.
    ///
    /// # Errors
    /// Where the device is lost.
    pub async fn reports(&mut self) -> Result<Vec<Report>, Failure> {
        #[cfg(feature = "webgpu")]
        if let Some(gpu) = self.gpu.as_mut().filter(|gpu| gpu.unread() > 0) {
            let numbers = read(gpu.kept()).await?;
            return Ok(numbers.chunks_exact(2).map(|pair| Report { loss: pair[0], norm: pair[1] }).collect());
        }
        Ok(std::mem::take(&mut self.reports))
    }
}

impl ClipAndStep for Optimizer {
    /// The loss is only kept for [`reports`](Optimizer::reports), beside the norm: nothing is read back.
    ///
    /// # Panics
    /// On a GPU where reports [wait](Optimizer::waits) to be read.
    fn clip_and_step(&mut self, phi: Phi, gradients: Gradients, loss: Tensor<1>, rate: f64) -> Phi {
        let flat = phi.flat_gradients(&gradients);
        drop(gradients);
        #[cfg(feature = "webgpu")]
        if on_gpu(&loss) {
            let constants = self.constants(rate);
            let gpu = self.gpu.get_or_insert_with(|| adam::Gpu::new(phi.valid().flat(), self.cpu.moments()));
            gpu.step(flat, loss.inner(), constants);
            return phi.with(gpu.phi());
        }
        let loss = adam::read(loss.inner(), |loss| loss[0]);
        let squares = flat.iter().map(|gradient| adam::read(gradient.clone(), adam::squares)).sum();
        self.on_cpu(phi, Gradient::Tensors(flat.into_iter()), squares, loss, rate)
    }
}

/// φ's gradient, tensor after tensor.
enum Gradient<'a> {
    Tensors(std::vec::IntoIter<Tensor<1>>),
    Numbers(&'a [f32]),
}

struct OnCpu<'a> {
    cpu: &'a mut Cpu,
    /// Which tensor of φ is next.
    tensor: usize,
    gradient: Gradient<'a>,
    factor: f32,
    constants: AdamConstants,
}

impl ModuleMapper for OnCpu<'_> {
    #[expect(clippy::expect_used, reason = "`Phi::flat_gradients` gives a gradient for each tensor of φ, in its order")]
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let tensor = self.tensor;
        self.tensor += 1;
        param.map(|phi| {
            let n = phi.shape().num_elements();
            let step = |gradient: &[f32]| self.cpu.step(tensor, phi, gradient, self.factor, &self.constants);
            match &mut self.gradient {
                Gradient::Tensors(tensors) => adam::read(tensors.next().expect("a gradient for each tensor"), step),
                Gradient::Numbers(rest) => {
                    let these;
                    (these, *rest) = rest.split_at(n);
                    step(these)
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_rises_for_a_twentieth_and_falls_to_zero() {
        let rates: Vec<f64> = (0..100).map(|s| learning_rate(1.0, s, 100)).collect();
        assert!((rates[0] - 0.2).abs() < 1e-12);
        assert!((rates[4] - 0.96).abs() < 1e-12);
        assert!((rates[50] - 0.5).abs() < 1e-12);
        assert!((rates[99] - 0.01).abs() < 1e-12);
    }
}
