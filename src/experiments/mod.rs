//! Many runs, and what they show: grids, the benchmark, and the bases that are made here.

#[cfg(feature = "train")]
pub mod bench;
#[cfg(all(feature = "train", not(target_arch = "wasm32")))]
pub mod pretrain;
pub mod sweep;
