//! A frozen matrix, as it stands or packed as its file has it.

use crate::kernels::{Packed, linear};
use burn::tensor::{Device, Int, Tensor};

/// A matrix of θ, or what φ put in its place.
#[derive(Clone, Debug)]
pub enum Matrix {
    /// In single precision.
    Full(Tensor<2>),
    /// Packed; the kernels unpack it while they multiply.
    Packed(Packed),
}

impl Matrix {
    /// Rows and columns.
    pub fn dims(&self) -> [usize; 2] {
        match self {
            Matrix::Full(matrix) => matrix.dims(),
            Matrix::Packed(packed) => packed.layout().dims(),
        }
    }

    /// The matrix in single precision: of a packed one a copy, made anew each time.
    pub fn dense(&self) -> Tensor<2> {
        match self {
            Matrix::Full(matrix) => matrix.clone(),
            Matrix::Packed(packed) => packed.dense(),
        }
    }

    /// Where it is.
    pub fn device(&self) -> Device {
        match self {
            Matrix::Full(matrix) => matrix.device(),
            Matrix::Packed(packed) => packed.device(),
        }
    }

    /// Rows as columns; nothing moves.
    pub fn transposed(self) -> Matrix {
        match self {
            Matrix::Full(matrix) => Matrix::Full(matrix.transpose()),
            Matrix::Packed(packed) => Matrix::Packed(packed.transposed()),
        }
    }

    /// Chosen rows of an embedding, `[ids, columns]`.
    pub fn rows(&self, ids: Tensor<1, Int>) -> Tensor<2> {
        match self {
            Matrix::Full(matrix) => matrix.clone().select(0, ids),
            Matrix::Packed(packed) => packed.rows(ids),
        }
    }

    /// x·W + b; `x` is `[.., inputs]`, the matrix `[inputs, outputs]`.
    pub fn linear<const D: usize>(&self, x: Tensor<D>, bias: Option<Tensor<1>>) -> Tensor<D> {
        match self {
            Matrix::Full(matrix) => linear(x, matrix.clone(), bias),
            Matrix::Packed(packed) => packed.linear(x, bias),
        }
    }
}

impl From<Tensor<2>> for Matrix {
    fn from(matrix: Tensor<2>) -> Matrix {
        Matrix::Full(matrix)
    }
}
