//! A product of matrices for WebAssembly, where `gemm` has no kernel that fits.

pub mod gemm;
mod lanes;
mod panels;
pub mod row;
mod unpack;
