//! What a worker trains on.

use crate::base::Failure;
#[cfg(feature = "webgpu")]
use crate::base::FailureReason;
use burn::tensor::Device;
#[cfg(feature = "webgpu")]
use std::cell::RefCell;

#[cfg(feature = "webgpu")]
unsafe extern "C" {
    /// Runs the module's constructors, by which CubeCL registers its operations. The linker makes it; where
    /// nobody calls it, every call from JavaScript into the module, even for a slot in wasm-bindgen's table,
    /// begins with all of them: eight milliseconds for each dispatch.
    fn __wasm_call_ctors();
}

/// What a worker trains on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// Burn's Flex, with kernels of our own.
    Cpu,
    /// The browser's GPU.
    #[cfg(feature = "webgpu")]
    Webgpu,
}

impl Backend {
    /// Name in events and in the URL.
    pub fn name(self) -> &'static str {
        match self {
            Backend::Cpu => "cpu",
            #[cfg(feature = "webgpu")]
            Backend::Webgpu => "webgpu",
        }
    }

    /// The device, without autodiff.
    ///
    /// # Errors
    /// A sentence why there is none.
    pub async fn device(self) -> Result<Device, Failure> {
        match self {
            Backend::Cpu => Ok(Device::flex()),
            #[cfg(feature = "webgpu")]
            Backend::Webgpu => {
                // Burn registers one device for a worker's life; a second request for it would be refused.
                if let Some(device) = GPU.with_borrow(Clone::clone) {
                    return Ok(device);
                }
                // SAFETY: constructors may run once more (`inventory`'s, the only ones, know that they have
                // run).
                unsafe { __wasm_call_ctors() };
                let device = Device::wgpu_options().init_async().await.map_err(|e| Failure {
                    reason: FailureReason::Device,
                    message: format!("This browser gives no WebGPU device ({e}). Train on the CPU instead."),
                })?;
                GPU.set(Some(device.clone()));
                Ok(device)
            }
        }
    }
}

#[cfg(feature = "webgpu")]
thread_local! {
    static GPU: RefCell<Option<Device>> = const { RefCell::new(None) };
}
