//! AdamW as PyTorch has it, behind a clip of the global gradient norm and a warm-up with linear decay.

use crate::peft::phi::Phi;
use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::{AdamWConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::{Gradients, Tensor, TensorData};

/// Norm above which φ's gradient is scaled down.
const MAX_NORM: f64 = 1.0;
/// Share of the steps in which the rate rises.
const WARM_UP: f64 = 0.05;

/// Steps φ.
pub struct Optimizer {
    pub adam: ModuleOptimizer,
}

/// The rate of a step (from 0): linear warm-up over 5 %, then linear decay to zero.
pub fn learning_rate(peak: f64, step: usize, steps: usize) -> f64 {
    let (step, steps) = (step as f64, steps as f64);
    peak * ((step + 1.0) / (WARM_UP * steps)).min(1.0) * (1.0 - step / steps)
}

impl Optimizer {
    /// Betas .9 and .999 and no decay; epsilon is PyTorch's (Burn's default is 1e-5).
    pub fn new() -> Optimizer {
        Optimizer::of(AdamWConfig::new().with_epsilon(1e-8).with_weight_decay(0.0).init())
    }

    /// Another optimizer behind the same clip.
    pub fn of(adam: ModuleOptimizer) -> Optimizer {
        Optimizer { adam }
    }

    /// One step. Returns φ and the norm of its gradient before clipping, `[1]`, not read back.
    pub fn step(&mut self, phi: Phi, gradients: Gradients, rate: f64) -> (Phi, Tensor<1>) {
        let gradients = GradientsParams::from_grads(gradients, &phi);
        self.step_by(phi, gradients, rate)
    }

    /// The same with the numbers of φ's gradient, tensor after tensor.
    pub fn step_flat(&mut self, phi: Phi, gradient: &[f32], rate: f64) -> (Phi, Tensor<1>) {
        let mut numbers = Numbers { rest: gradient, gradients: GradientsParams::new() };
        phi.visit(&mut numbers);
        let gradients = numbers.gradients;
        self.step_by(phi, gradients, rate)
    }

    fn step_by(&mut self, phi: Phi, mut gradients: GradientsParams, rate: f64) -> (Phi, Tensor<1>) {
        let norm = clip(&phi, &mut gradients);
        (self.adam.step(rate, phi, gradients), norm)
    }
}

impl Default for Optimizer {
    fn default() -> Self {
        Optimizer::new()
    }
}

/// `torch.nn.utils.clip_grad_norm_` over all of φ, without reading the norm back.
fn clip(phi: &Phi, gradients: &mut GradientsParams) -> Tensor<1> {
    let mut squares = Squares { gradients, sum: None };
    phi.visit(&mut squares);
    // A φ without gradients cannot be stepped; the registry has no method of that kind.
    let norm = squares.sum.expect("φ has parameters").sqrt();
    let factor = (norm.clone() + 1e-6).recip().mul_scalar(MAX_NORM).clamp_max(1.0);
    phi.visit(&mut Scale { gradients, factor });
    norm
}

/// Gradients from numbers, one tensor after the other.
struct Numbers<'a> {
    rest: &'a [f32],
    gradients: GradientsParams,
}

impl ModuleVisitor for Numbers<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let value = param.val();
        let (these, rest) = self.rest.split_at(value.shape().num_elements());
        self.rest = rest;
        let data = TensorData::new(these.to_vec(), value.shape());
        let gradient = Tensor::<D>::from_data(data, &value.device().without_autodiff());
        self.gradients.register(param.id, gradient);
    }
}

struct Squares<'a> {
    gradients: &'a GradientsParams,
    sum: Option<Tensor<1>>,
}

impl ModuleVisitor for Squares<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.get::<D>(param.id) {
            let square = (gradient.clone() * gradient).sum();
            self.sum = Some(match self.sum.take() {
                Some(sum) => sum + square,
                None => square,
            });
        }
    }
}

struct Scale<'a> {
    gradients: &'a mut GradientsParams,
    factor: Tensor<1>,
}

impl ModuleVisitor for Scale<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.remove::<D>(param.id) {
            self.gradients.register(param.id, gradient * self.factor.clone().reshape([1; D]));
        }
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
