//! The WebGPU trainer natively, where the machine has Vulkan (Mesa's software driver does):
//! `cargo test --profile ci --features webgpu --test webgpu -- --ignored`. Chromium runs the same checks in `browser_webgpu.rs`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails where it unwraps")]
#![cfg(all(not(target_arch = "wasm32"), feature = "webgpu"))]

#[path = "shared/cache.rs"]
mod cache;
#[path = "shared/llama.rs"]
mod llama;
mod shared;

use burn::tensor::Device;

macro_rules! kernels {
    ($($check:ident)*) => {
        mod kernels {
            use super::*;
            $(
                #[test]
                #[ignore = "needs a GPU, or a driver that is one"]
                fn $check() {
                    pollster::block_on(peft_lab::kernels::checks::$check(&Device::wgpu(Default::default())));
                }
            )*
        }
    };
}
peft_lab::each_kernel_check!(kernels);

#[test]
#[ignore = "needs a GPU, or a driver that is one"]
fn gradients_and_losses_are_those_of_the_cpu() {
    let device = Device::wgpu(Default::default());
    pollster::block_on(async {
        shared::check_steps_like_the_cpu(&device).await.unwrap();
        shared::check_optimizer_after_a_break(&device).await.unwrap();
        llama::check_files_train_like_the_cpu(&device).await.unwrap();
        llama::check_real_widths_train_like_the_cpu(&device).await.unwrap();
        for method in shared::methods() {
            shared::check_losses(&method, &device).await.unwrap();
            shared::check_gradients_like_the_cpu(&method, &device).await.unwrap();
            cache::check_cache_of(&method, &device).await.unwrap();
            println!("{method:?}");
        }
    });
}
