//! A step of Adam (Kingma & Ba 2015) over all of φ, behind a clip of its gradient's norm: in place on the
//! CPU, over one flat tensor on a GPU.

use super::AdamConstants;
use super::cpu::flex;
use super::cpu::slices;
use burn::backend::{BackendTensor, DispatchTensor, DispatchTensorKind};
use burn::tensor::Tensor;

pub use super::cpu::slices::squares;

#[cfg(feature = "webgpu")]
pub use super::webgpu::adam::{Gpu, KEPT};

/// Moments of φ's tensors on the CPU.
#[derive(Debug, Default)]
pub struct Cpu {
    moments: Vec<[Vec<f32>; 2]>,
}

impl Cpu {
    /// With the moments of earlier steps.
    pub fn of(moments: Vec<[Vec<f32>; 2]>) -> Cpu {
        Cpu { moments }
    }

    /// First and second moments of φ's tensors, in their order; none before the first step.
    pub fn moments(&self) -> &[[Vec<f32>; 2]] {
        &self.moments
    }

    /// The `i`-th tensor of φ after a step with its gradient, which is multiplied with `factor`.
    pub fn step<const D: usize>(
        &mut self,
        i: usize,
        phi: Tensor<D>,
        gradient: &[f32],
        factor: f32,
        constants: &AdamConstants,
    ) -> Tensor<D> {
        if self.moments.len() <= i {
            self.moments.resize_with(i + 1, Default::default);
        }
        let [mean, square] = &mut self.moments[i];
        mean.resize(gradient.len(), 0.0);
        square.resize(gradient.len(), 0.0);
        let DispatchTensor { kind, autodiff } = phi.into_dispatch();
        let DispatchTensorKind::Flex(tensor) = kind else { unreachable!("the caller trains on the CPU") };
        let stepped = flex::change(tensor.float(), |phi| slices::adam(phi, gradient, mean, square, factor, constants));
        Tensor::from_dispatch(DispatchTensor {
            kind: DispatchTensorKind::Flex(BackendTensor::Float(stepped)),
            autodiff,
        })
    }
}

/// Reads the numbers of a tensor on the CPU, where nobody has to wait for them.
pub fn read<T>(tensor: Tensor<1>, f: impl FnOnce(&[f32]) -> T) -> T {
    match tensor.into_dispatch().kind {
        DispatchTensorKind::Flex(tensor) => f(flex::elements(&flex::contiguous(tensor.float()))),
        _ => unreachable!("the caller asks for what is on the CPU"),
    }
}
