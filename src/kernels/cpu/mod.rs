//! The kernels on the CPU, on plain slices.

pub mod attention;
pub mod flex;
pub mod gemm;
pub mod packed;
pub mod slices;
pub mod view;
