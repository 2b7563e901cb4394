//! Products of matrices, and what they do besides multiplying.

use super::packed;
use super::shader::{Shader, empty};
use crate::kernels::PackedLayout;
use burn::tensor::Shape;
use burn_wgpu::CubeTensor;

/// Rows and columns of a product that a workgroup makes.
const TILE: usize = 32;
/// Products with fewer tiles than this do not fill a GPU: what counts is that each number is there soon.
const FEW_TILES: usize = 64;

/// What a product does besides multiplying.
#[derive(Clone, Copy)]
pub enum Also<'a> {
    Nothing,
    /// Adds a number to each column.
    Bias(&'a CubeTensor),
    /// Adds a matrix.
    Add(&'a CubeTensor),
    /// Adds up the columns of the right factor.
    Sums(&'a CubeTensor),
}

impl Also<'_> {
    /// The program for small products, or for others.
    fn shader(&self, small: bool, packed: Option<PackedLayout>) -> Shader {
        const SMALL: Shader = Shader::new(include_str!("matmul_small.wgsl"), [8, 8]);
        const LARGE: Shader = Shader::new(include_str!("matmul.wgsl"), [8, 8]);
        let shader = if small { SMALL } else { LARGE };
        match (packed, self) {
            (Some(layout), Also::Bias(_)) => packed::with_bias(shader, layout),
            (Some(layout), Also::Add(_)) => packed::added(shader, layout),
            (Some(layout), _) => packed::alone(shader, layout),
            (None, Also::Nothing) => shader,
            (None, Also::Bias(_)) => shader.with(&[("BIAS", 1)]),
            (None, Also::Add(_)) => shader.with(&[("ADD", 1)]),
            (None, Also::Sums(_)) => shader.with(&[("SUMS", 1)]),
        }
    }
}

/// A tensor as a matrix.
#[derive(Clone, Copy)]
pub struct Matrix<'a> {
    tensor: &'a CubeTensor,
    /// Rows and columns.
    pub size: [usize; 2],
    strides: [usize; 2],
    /// How the tensor is packed, of a right factor.
    packed: Option<PackedLayout>,
}

impl<'a> Matrix<'a> {
    /// `[.., n]` as `[rows, n]`; contiguous.
    pub fn rows(tensor: &'a CubeTensor) -> Self {
        let n = last(tensor);
        Matrix { tensor, size: [elements(tensor) / n.max(1), n], strides: [n, 1], packed: None }
    }

    /// Two dimensions of any layout.
    pub fn of(tensor: &'a CubeTensor) -> Self {
        let (shape, strides) = (tensor.meta.shape(), tensor.meta.strides());
        Matrix { tensor, size: [shape[0], shape[1]], strides: [strides[0], strides[1]], packed: None }
    }

    /// A packed right factor.
    pub fn packed(words: &'a CubeTensor, layout: PackedLayout) -> Self {
        Matrix { tensor: words, size: layout.dims(), strides: [0, 0], packed: Some(layout) }
    }

    pub fn transposed(self) -> Self {
        let ([m, n], [row, column]) = (self.size, self.strides);
        Matrix { size: [n, m], strides: [column, row], ..self }
    }

    /// s·self·right, into a tensor of `shape`.
    pub fn times(self, right: Self, scale: f32, also: Also<'_>, shape: impl Into<Shape>) -> CubeTensor {
        let ([m, k], [_, n]) = (self.size, right.size);
        let out = empty(self.tensor, shape);
        let small = m.div_ceil(TILE) * n.div_ceil(TILE) < FEW_TILES;
        let info = [m, n, k, self.strides[0], self.strides[1], right.strides[0], right.strides[1]];
        let mut info = info.map(|x| x as u32).to_vec();
        info.push(scale.to_bits());
        let groups = [n.div_ceil(TILE), m.div_ceil(TILE)];
        let (mut inputs, mut outputs) = (vec![self.tensor, right.tensor], vec![&out]);
        match also {
            Also::Nothing => {}
            Also::Bias(tensor) | Also::Add(tensor) => inputs.push(tensor),
            Also::Sums(tensor) => outputs.push(tensor),
        }
        also.shader(small, right.packed).launch(&inputs, &outputs, &info, groups);
        out
    }
}

/// What a product is added to, where there is something.
pub fn on_top(earlier: &Option<CubeTensor>) -> Also<'_> {
    earlier.as_ref().map_or(Also::Nothing, Also::Add)
}

pub fn elements(x: &CubeTensor) -> usize {
    x.meta.shape().num_elements()
}

/// Elements of the last dimension.
pub fn last(x: &CubeTensor) -> usize {
    let shape = x.meta.shape();
    shape[shape.num_dims() - 1]
}

/// The shape of x with another last dimension.
pub fn with_last(x: &CubeTensor, n: usize) -> Shape {
    let mut shape = x.meta.shape().clone();
    let dims = shape.num_dims();
    shape[dims - 1] = n;
    shape
}
