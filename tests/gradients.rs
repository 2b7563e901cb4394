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

/// The browser tests compare themselves with these; written again by
/// `cargo test --test gradients -- --nocapture print` where a change of the start or the optimizer is meant.
#[test]
fn print_losses() {
    for method in shared::methods() {
        println!("{:?},", pollster::block_on(shared::losses(&method, &Device::flex(), 3)));
    }
}

#[test]
fn losses_are_those_the_browser_is_compared_with() {
    pollster::block_on(shared::check_losses(&Device::flex())).unwrap();
}
