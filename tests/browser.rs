//! The trainer's core in headless Chromium, on the CPU.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails where it unwraps")]
#![cfg(all(target_arch = "wasm32", feature = "train", not(feature = "webgpu")))]

#[path = "shared/published.rs"]
mod published;
mod shared;

use burn::tensor::Device;
use wasm_bindgen_test::*;

wasm_bindgen_test_configure!(run_in_dedicated_worker);

macro_rules! kernels {
    ($($check:ident)*) => {
        mod kernels {
            use super::*;
            $(
                #[wasm_bindgen_test]
                async fn $check() {
                    peft_lab::kernels::checks::$check(&Device::flex()).await;
                }
            )*
        }
    };
}
peft_lab::each_kernel_check!(kernels);

/// A browser's `usize` has 32 bits, and 175 billion parameters do not fit.
#[cfg(feature = "relaxed-simd")]
#[wasm_bindgen_test]
fn every_published_shape_costs_what_it_costs_natively() {
    published::check_published();
}

/// Here JavaScript composes, natively a crate does.
#[wasm_bindgen_test]
fn accents_are_composed_as_they_are_natively() {
    for (text, composed) in
        [("e\u{301} x", "é x"), ("\u{1100}\u{1161}\u{11a8}", "각"), ("\u{958}", "\u{915}\u{93c}"), ("ﬁ\0①", "ﬁ\0①")]
    {
        assert_eq!(peft_lab::base::nfc(text), composed);
    }
}

#[wasm_bindgen_test]
async fn an_optimizer_goes_on_after_a_break() {
    shared::check_optimizer_after_a_break(&Device::flex()).await.unwrap();
}

macro_rules! tests {
    ($($method:ident)*) => {
        $(mod $method {
            use crate::shared;
            use burn::tensor::Device;
            use wasm_bindgen_test::*;

            #[wasm_bindgen_test]
            async fn losses_are_those_of_the_native_trainer() {
                for method in shared::named(stringify!($method)) {
                    shared::check_losses(&method, &Device::flex()).await.unwrap();
                }
            }

            // The build for browsers without relaxed SIMD differs in one instruction: once is enough.
            #[cfg(feature = "relaxed-simd")]
            #[wasm_bindgen_test]
            async fn gradients_are_slopes_of_the_loss() {
                for method in shared::named(stringify!($method)) {
                    shared::check_gradients(&method, &Device::flex()).await.unwrap();
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
