//! The page. Natively there is none: the binary then only says so, which keeps `cargo check --all-features` whole.

#[cfg(target_arch = "wasm32")]
fn main() {
    peft_lab::ui::start();
}

#[cfg(not(target_arch = "wasm32"))]
fn main() {
    eprintln!("The page runs in a browser: build it with `cargo xtask build`.");
}
