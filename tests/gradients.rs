//! Gradients of every φ against finite differences.
#![cfg(not(target_arch = "wasm32"))]

mod shared;

use burn::tensor::Device;

#[test]
fn every_method_s_gradient_is_the_slope_of_its_loss() {
    for method in shared::methods() {
        pollster::block_on(shared::check_gradients(&method, &Device::flex())).unwrap();
    }
}
