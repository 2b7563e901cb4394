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

/// x·W + b of matrices that read one input, with their biases.
pub(super) fn linears<const N: usize>(x: &Tensor<3>, layers: &[(Matrix, Option<Tensor<1>>); N]) -> [Tensor<3>; N] {
    let packed = |i: usize| match layers.get(i) {
        Some((Matrix::Packed(packed), None)) => Some(packed),
        _ => None,
    };
    let several = match (N, packed(0), packed(1), packed(2)) {
        (2, Some(a), Some(b), _) => Packed::pair(x.clone(), [a, b]).to_vec(),
        (3, Some(a), Some(b), Some(c)) => Packed::triple(x.clone(), [a, b, c]).to_vec(),
        _ => Vec::new(),
    };
    let alone = |(matrix, bias): &(Matrix, Option<Tensor<1>>)| matrix.linear(x.clone(), bias.clone());
    several.try_into().unwrap_or_else(|_| layers.each_ref().map(alone))
}

impl From<Tensor<2>> for Matrix {
    fn from(matrix: Tensor<2>) -> Matrix {
        Matrix::Full(matrix)
    }
}
