//! The trainer on WebGPU, in a Web Worker.

#[global_allocator]
static ALLOCATOR: peft_lab::base::memory::Counting = peft_lab::base::memory::Counting;

fn main() {
    #[cfg(target_arch = "wasm32")]
    peft_lab::worker::start(peft_lab::worker::Backend::Webgpu);
}
