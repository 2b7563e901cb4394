//! What kernels must know of a device.

use burn::tensor::{Device, Tensor};

/// Whether a tensor is on a GPU.
pub fn on_gpu<const D: usize>(tensor: &Tensor<D>) -> bool {
    tensor.device().without_autodiff() != Device::flex()
}

/// Bytes of the largest tensor that a device can use; `None` where memory alone is the limit. Of a GPU it is the
/// adapter's own limit, which CubeCL asks for (`cubecl-wgpu/src/backend/wgsl.rs`), not WebGPU's default of 128 MiB.
pub fn most_bytes(device: &Device) -> Option<u64> {
    #[cfg(test)]
    if let Some(most) = MADE_UP.get() {
        return Some(most);
    }
    let device = device.clone().without_autodiff();
    #[cfg(feature = "webgpu")]
    if device != Device::flex() {
        return Some(super::webgpu::adam::most_bytes(Tensor::empty([1], &device)));
    }
    drop(device);
    None
}

#[cfg(test)]
thread_local! {
    /// A limit of every device, for tests on the CPU.
    pub static MADE_UP: std::cell::Cell<Option<u64>> = const { std::cell::Cell::new(None) };
}
