//! The trainer's core in headless Chromium on WebGPU, at a tiny shape: software rendering is slow.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails where it unwraps")]
#![cfg(all(target_arch = "wasm32", feature = "webgpu"))]

#[path = "shared/cache.rs"]
mod cache;
#[path = "shared/llama.rs"]
mod llama;
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

#[wasm_bindgen_test]
async fn gguf_files_train_packed_with_the_losses_of_the_cpu() {
    llama::check_files_train_like_the_cpu(&device().await).await.unwrap();
}

#[wasm_bindgen_test]
async fn a_block_of_real_models_with_their_tables_trains_with_the_losses_of_the_cpu() {
    llama::check_real_widths_train_like_the_cpu(&device().await).await.unwrap();
}

/// Calls of WebGPU since the page was opened: dispatches and submits.
fn calls() -> [f64; 2] {
    const COUNT: &str = r#"
        if (!self.calls) {
            self.calls = {dispatches: 0, submits: 0};
            const count = (type, name, what) => {
                const original = type.prototype[name];
                type.prototype[name] = function (...a) { calls[what]++; return original.apply(this, a); };
            };
            count(GPUComputePassEncoder, "dispatchWorkgroups", "dispatches");
            count(GPUComputePassEncoder, "dispatchWorkgroupsIndirect", "dispatches");
            count(GPUQueue, "submit", "submits");
        }
        calls"#;
    let calls = js_sys::eval(COUNT).unwrap();
    ["dispatches", "submits"].map(|name| js_sys::Reflect::get(&calls, &name.into()).unwrap().as_f64().unwrap())
}

/// What a block of a Llama that is packed adds to a training step with LoRA on W_Q and W_V, behind the first block.
#[wasm_bindgen_test]
async fn a_block_takes_as_many_dispatches_as_are_told() {
    const FEW: usize = 2;
    const MANY: usize = 7;
    let device = device().await;
    let mut counted = Vec::new();
    for blocks in [FEW, MANY] {
        let theta = llama::of_blocks(blocks, &device);
        // Programs are compiled, and what stays on the device is there. A run's begin is taken off.
        let mut of_steps = Vec::new();
        for steps in [1, 1, 2] {
            let before = calls();
            shared::losses_on(&theta, &llama::lora(), &device, steps).await;
            let after = calls();
            of_steps.push([after[0] - before[0], after[1] - before[1]]);
        }
        counted.push([0, 1].map(|which| of_steps[2][which] - of_steps[1][which]));
    }
    let more = |which: usize| (counted[1][which] - counted[0][which]) / (MANY - FEW) as f64;
    let told = format!("{:.1} dispatches and {:.1} submits", more(0), more(1));
    let page = include_str!("../docs/performance.md");
    assert!(page.contains(&format!("a block takes {told}")), "a block takes {told}: docs/performance.md says another");
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

            #[wasm_bindgen_test]
            async fn cached_keys_answer_as_the_text_read_anew() {
                for method in shared::named(stringify!($method)) {
                    crate::cache::check_cache_of(&method, &device().await).await.unwrap();
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
