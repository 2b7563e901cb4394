//! Burn's AdamW in groups of parameters, with its record for checkpoints, behind a clip of the global
//! gradient norm.

use crate::base::{Failure, read};
use crate::peft::Phi;
use crate::train::optimizer::MAX_NORM;
use crate::train::step::ClipAndStep;
use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Gradients, Tensor};

/// Steps φ.
pub struct Clipped {
    /// AdamW, matrices in a group of their own.
    pub adam: ModuleOptimizer,
    /// Of steps, not asked for yet.
    losses: Vec<Tensor<1>>,
}

impl Clipped {
    /// Before its first step, or with the record of others.
    pub fn new(adam: ModuleOptimizer) -> Clipped {
        Clipped { adam, losses: Vec::new() }
    }

    /// The loss of each step since the last call.
    ///
    /// # Errors
    /// Where the device is lost.
    pub async fn losses(&mut self) -> Result<Vec<f32>, Failure> {
        read(Tensor::cat(std::mem::take(&mut self.losses), 0)).await
    }
}

impl ClipAndStep for Clipped {
    fn clip_and_step(&mut self, phi: Phi, gradients: Gradients, loss: Tensor<1>, rate: f64) -> Phi {
        self.losses.push(loss.inner());
        let mut gradients = GradientsParams::from_grads(gradients, &phi);
        clip(&phi, &mut gradients);
        self.adam.step(rate, phi, gradients)
    }
}

/// `torch.nn.utils.clip_grad_norm_` over all of φ, without reading the norm back.
#[expect(clippy::expect_used, reason = "pretraining steps a copy of all θ, never a φ without gradients")]
fn clip(phi: &Phi, gradients: &mut GradientsParams) {
    let mut squares = Squares { gradients, sum: None };
    phi.visit(&mut squares);
    let norm = squares.sum.expect("φ has parameters").sqrt();
    let factor = (norm + 1e-6).recip().mul_scalar(MAX_NORM).clamp_max(1.0);
    phi.visit(&mut Scale { gradients, factor });
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
    use crate::base::stream;
    use crate::model::Model;
    use crate::model::{Activation, ModelConfig, Sizes};
    use crate::peft::InitContext;
    use crate::peft::MethodConfig;
    use crate::train::optimizer::Optimizer;
    use burn::optim::AdamWConfig;
    use burn::tensor::{Device, TensorData};
    use rand::RngExt;

    /// Burn's AdamW and ours, step by step.
    #[test]
    fn the_trainer_s_optimizer_is_burn_s() {
        let sizes = Sizes {
            vocab_size: 11,
            max_position_embeddings: 8,
            hidden_size: 8,
            ffn_dim: 16,
            num_hidden_layers: 1,
            num_attention_heads: 2,
        };
        let theta =
            Model::random(ModelConfig::native(sizes, Activation::GeluNew), &mut stream(0, "theta"), &Device::flex());
        let mut context = InitContext::new(&theta, &Device::flex(), stream(0, "phi"));
        let phi = Phi::init([&MethodConfig::everything()], &mut context);
        // Gradients that do not depend on φ, large ones and small.
        let loss = |phi: &Phi, step: u64| {
            let mut rng = stream(step, "slopes");
            let slope = |tensor: Tensor<1>| {
                let n = tensor.dims()[0];
                let slopes: Vec<f32> = (0..n).map(|_| rng.random_range(-1.0..1.0) / 30_f32.powi(step as i32)).collect();
                (tensor * Tensor::from_data(TensorData::new(slopes, [n]), &Device::flex().autodiff())).sum()
            };
            phi.flat().into_iter().map(slope).reduce(|a, b| a + b).unwrap()
        };
        let adam = AdamWConfig::new().with_epsilon(1e-8).with_weight_decay(0.0).init();
        let (mut burn, mut ours) = (Clipped::new(adam), Optimizer::new());
        let (mut burn_phi, mut our_phi) = (phi.clone(), phi);
        for step in 0..4 {
            let (theirs, now) = (loss(&burn_phi, step), loss(&our_phi, step));
            burn_phi = burn.clip_and_step(burn_phi, theirs.backward(), theirs, 1e-2);
            our_phi = ours.clip_and_step(our_phi, now.backward(), now, 1e-2);
            for (a, b) in burn_phi.frozen().flat().into_iter().zip(our_phi.frozen().flat()) {
                let apart: f32 = (a - b).abs().max().into_scalar();
                assert!(apart < 1e-6, "step {step}: {apart}");
            }
        }
        let reports = pollster::block_on(ours.reports()).unwrap();
        assert!(reports.len() == 4 && reports[0].norm > 1.0 && reports[3].norm < 1.0, "one clip, one not: {reports:?}");
    }
}
