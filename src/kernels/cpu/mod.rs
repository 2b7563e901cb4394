//! The kernels on the CPU, on plain slices.

pub mod attention;
pub mod flex;
pub mod gemm;
pub mod slices;
pub mod view;
