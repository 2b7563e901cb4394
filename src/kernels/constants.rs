//! Numbers that a step of Adam needs on every device.

/// What a step multiplies with.
#[derive(Clone, Copy, Debug)]
pub struct AdamConstants {
    /// Learning rate of this step.
    pub rate: f32,
    /// Decays of the mean of the gradient and of that of its square.
    pub betas: [f32; 2],
    /// 1 − βᵗ
    pub bias: [f32; 2],
    /// Added to the root of the second moment.
    pub epsilon: f32,
    /// Norm above which the gradient is scaled down.
    pub max_norm: f32,
}

impl AdamConstants {
    /// What a gradient of this norm is multiplied with, as `torch.nn.utils.clip_grad_norm_` does.
    pub fn clip(&self, norm: f32) -> f32 {
        // This way round, what is not a number stays so.
        let factor = self.max_norm / (norm + 1e-6);
        if factor > 1.0 { 1.0 } else { factor }
    }
}
