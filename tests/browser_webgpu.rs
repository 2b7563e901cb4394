//! The trainer's core in headless Chromium on WebGPU, at a tiny shape: software rendering is slow.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails where it unwraps")]
#![cfg(all(target_arch = "wasm32", feature = "webgpu"))]

mod shared;

use burn::tensor::Device;
use peft_lab::worker::Backend;
use wasm_bindgen_test::*;

wasm_bindgen_test_configure!(run_in_dedicated_worker);

/// The worker's device: tests run one after the other in one worker, so that shaders are compiled once.
async fn device() -> Device {
    Backend::Webgpu.device().await.unwrap()
}

macro_rules! kernels {
    ($($check:ident)*) => {
        mod kernels {
            use super::*;
            $(
                #[wasm_bindgen_test]
                async fn $check() {
                    peft_lab::kernels::checks::$check(&device().await).await;
                }
            )*
        }
    };
}
peft_lab::each_kernel_check!(kernels);

#[wasm_bindgen_test]
async fn steps_of_the_optimizer_are_those_of_the_cpu() {
    shared::check_steps_like_the_cpu(&device().await).await.unwrap();
}

#[wasm_bindgen_test]
async fn an_optimizer_goes_on_after_a_break() {
    shared::check_optimizer_after_a_break(&device().await).await.unwrap();
}

macro_rules! tests {
    ($($method:ident)*) => {
        $(mod $method {
            use crate::{device, shared};
            use wasm_bindgen_test::*;

            #[wasm_bindgen_test]
            async fn losses_are_those_of_the_native_trainer() {
                for method in shared::named(stringify!($method)) {
                    shared::check_losses(&method, &device().await).await.unwrap();
                }
            }

            #[wasm_bindgen_test]
            async fn gradients_are_those_of_the_cpu() {
                for method in shared::named(stringify!($method)) {
                    shared::check_gradients_like_the_cpu(&method, &device().await).await.unwrap();
                }
            }
        })*

        #[wasm_bindgen_test]
        fn every_method_is_tested() {
            shared::check_all_are_named(&[$(stringify!($method)),*]);
        }
    };
}
peft_lab::each_method!(tests);
