//! Many runs, and what they show: grids, the benchmark, and the bases that are made here.

#[cfg(feature = "train")]
pub mod bench;
#[cfg(all(feature = "train", not(target_arch = "wasm32")))]
pub mod native_bench;
#[cfg(all(feature = "train", not(target_arch = "wasm32")))]
pub mod pretrain;
#[cfg(all(feature = "train", not(target_arch = "wasm32")))]
mod shared_step;
pub mod sweep;
