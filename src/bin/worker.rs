//! The trainer on the CPU, in a Web Worker.

fn main() {
    #[cfg(target_arch = "wasm32")]
    peft_lab::worker::runtime::start(peft_lab::worker::runtime::Backend::Cpu);
}
