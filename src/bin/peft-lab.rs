//! The trainer on the command line. In a browser there is none: wasm builds of all binaries get an empty one.

#[global_allocator]
static ALLOCATOR: peft_lab::base::memory::Counting = peft_lab::base::memory::Counting;

#[cfg(not(target_arch = "wasm32"))]
fn main() -> std::process::ExitCode {
    peft_lab::cli::main()
}

#[cfg(target_arch = "wasm32")]
fn main() {}
