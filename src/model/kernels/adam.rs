//! A step of Adam (Kingma & Ba 2015) over all of φ, behind a clip of its gradient's norm: in place on the CPU, over one flat tensor on a GPU.

use super::flex;
use super::rows;
use burn::backend::{BackendTensor, DispatchTensor, DispatchTensorKind};
use burn::tensor::Tensor;

pub use super::rows::squares;

#[cfg(feature = "webgpu")]
pub use super::gpu::adam::{Gpu, KEPT};

/// What a step multiplies with.
#[derive(Clone, Copy, Debug)]
pub struct Constants {
    pub rate: f32,
    /// Decays of the mean of the gradient and of that of its square.
    pub betas: [f32; 2],
    /// 1 − βᵗ
    pub bias: [f32; 2],
    pub epsilon: f32,
    /// Norm above which the gradient is scaled down.
    pub max_norm: f32,
}

impl Constants {
    /// What a gradient of this norm is multiplied with, as `torch.nn.utils.clip_grad_norm_` does.
    pub fn clip(&self, norm: f32) -> f32 {
        // This way round, what is not a number stays so.
        let factor = self.max_norm / (norm + 1e-6);
        if factor > 1.0 { 1.0 } else { factor }
    }
}

/// Moments of φ's tensors on the CPU.
#[derive(Debug, Default)]
pub struct Cpu {
    moments: Vec<[Vec<f32>; 2]>,
}

impl Cpu {
    /// The `i`-th tensor of φ after a step with its gradient, which is multiplied with `factor`.
    pub fn step<const D: usize>(
        &mut self,
        i: usize,
        phi: Tensor<D>,
        gradient: &[f32],
        factor: f32,
        constants: &Constants,
    ) -> Tensor<D> {
        if self.moments.len() <= i {
            self.moments.resize_with(i + 1, Default::default);
        }
        let [mean, square] = &mut self.moments[i];
        mean.resize(gradient.len(), 0.0);
        square.resize(gradient.len(), 0.0);
        let DispatchTensor { kind, autodiff } = phi.into_dispatch();
        let DispatchTensorKind::Flex(tensor) = kind else { unreachable!("the caller trains on the CPU") };
        let stepped = flex::change(tensor.float(), |phi| rows::adam(phi, gradient, mean, square, factor, constants));
        Tensor::from_dispatch(DispatchTensor {
            kind: DispatchTensorKind::Flex(BackendTensor::Float(stepped)),
            autodiff,
        })
    }
}

/// Whether a tensor is on a GPU.
pub fn on_gpu<const D: usize>(tensor: &Tensor<D>) -> bool {
    tensor.device().without_autodiff() != burn::tensor::Device::flex()
}

/// Reads the numbers of a tensor on the CPU, where nobody has to wait for them.
pub fn read<T>(tensor: Tensor<1>, f: impl FnOnce(&[f32]) -> T) -> T {
    match tensor.into_dispatch().kind {
        DispatchTensorKind::Flex(tensor) => f(flex::elements(&flex::contiguous(tensor.float()))),
        _ => unreachable!("the caller asks for what is on the CPU"),
    }
}
