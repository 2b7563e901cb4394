//! The trainer's core in headless Chromium on WebGPU, at a tiny shape: software rendering is slow.
#![cfg(all(target_arch = "wasm32", feature = "webgpu"))]

mod shared;

use burn::tensor::Device;
use peft_lab::worker::Backend;
use wasm_bindgen_test::*;

wasm_bindgen_test_configure!(run_in_dedicated_worker);

/// One test, since a page has one device and its shaders are compiled once.
#[wasm_bindgen_test]
async fn gradients_and_losses_are_those_of_the_cpu() {
    let device: Device = Backend::Webgpu.device().await.unwrap();
    peft_lab::kernels::checks::all(&device, |check| console_log!("{check}")).await;
    shared::check_steps_like_the_cpu(&device).await.unwrap();
    shared::check_losses(&device).await.unwrap();
    for method in shared::methods() {
        shared::check_gradients_like_the_cpu(&method, &device).await.unwrap();
        console_log!("gradient checked: {method:?}");
    }
}
