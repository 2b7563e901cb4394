//! Products of matrices, and what they do besides multiplying.

use super::packed::{self, Program};
use super::shader::{MOST_GROUPS, Shader, empty};
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

/// The text of a product's program behind its factors.
macro_rules! product {
    ($text:literal) => {
        Shader::new(concat!(include_str!("factors.wgsl"), include_str!($text)), [8, 8])
    };
}

/// The program for small products, or for others, without constants.
const fn program(small: bool, packed: bool) -> Shader {
    const SMALL: Shader = product!("matmul_small.wgsl");
    const LARGE: Shader = product!("matmul.wgsl");
    const SMALL_PACKED: Shader = SMALL.calling(packed::FUNCTIONS);
    const LARGE_PACKED: Shader = LARGE.calling(packed::FUNCTIONS);
    match (small, packed) {
        (true, false) => SMALL,
        (false, false) => LARGE,
        (true, true) => SMALL_PACKED,
        (false, true) => LARGE_PACKED,
    }
}

impl Also<'_> {
    /// The program for small products, or for others.
    fn shader(&self, small: bool, packed: Option<PackedLayout>) -> Shader {
        let shader = program(small, packed.is_some());
        match (packed, self) {
            (Some(layout), Also::Bias(_)) => Program::Bias.of(shader, layout),
            (Some(layout), Also::Add(_)) => Program::Added.of(shader, layout),
            (Some(layout), _) => Program::Alone.of(shader, layout),
            (None, Also::Nothing) => shader,
            (None, Also::Bias(_)) => shader.with(&[("BIAS", 1)]),
            (None, Also::Add(_)) => shader.with(&[("ADD", 0)]),
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
        let out = empty(self.tensor, shape);
        let groups @ [x, y] = tiles(self, right);
        let small = x * y < FEW_TILES;
        let (mut inputs, mut outputs) = (vec![self.tensor, right.tensor], vec![&out]);
        match also {
            Also::Nothing => {}
            Also::Bias(tensor) | Also::Add(tensor) => inputs.push(tensor),
            Also::Sums(tensor) => outputs.push(tensor),
        }
        also.shader(small, right.packed).launch(&inputs, &outputs, &numbers(self, right, scale), groups);
        out
    }
}

/// What a program reads of a product.
fn numbers(left: Matrix<'_>, right: Matrix<'_>, scale: f32) -> [u32; 8] {
    let ([m, k], [_, n]) = (left.size, right.size);
    let [a, b, c, d, e, f, g] =
        [m, n, k, left.strides[0], left.strides[1], right.strides[0], right.strides[1]].map(|x| x as u32);
    [a, b, c, d, e, f, g, scale.to_bits()]
}

/// Tiles of a product along its columns and rows.
fn tiles(left: Matrix<'_>, right: Matrix<'_>) -> [usize; 2] {
    [right.size[1].div_ceil(TILE), left.size[0].div_ceil(TILE)]
}

/// One of several products that do not depend on each other.
pub struct Product<'a> {
    pub left: Matrix<'a>,
    pub right: Matrix<'a>,
    pub scale: f32,
    pub shape: Shape,
}

impl Product<'_> {
    /// The product by itself.
    pub fn alone(self) -> CubeTensor {
        self.left.times(self.right, self.scale, Also::Nothing, self.shape)
    }
}

/// Two products in one program, the second on top of an earlier gradient.
pub fn both(products: [Product<'_>; 2], earlier: &Option<CubeTensor>) -> [CubeTensor; 2] {
    let groups: usize = products.iter().map(|p| tiles(p.left, p.right).iter().product::<usize>()).sum();
    let [first, second] = &products;
    if groups > MOST_GROUPS {
        return [
            first.left.times(first.right, first.scale, Also::Nothing, first.shape.clone()),
            second.left.times(second.right, second.scale, on_top(earlier), second.shape.clone()),
        ];
    }
    let outs = products.each_ref().map(|p| empty(p.left.tensor, p.shape.clone()));
    let shader = program(groups < FEW_TILES, false).with(match earlier {
        None => &[("MANY", 1), ("PRODUCTS", 2), ("LEFTS", 2)],
        Some(_) => &[("MANY", 1), ("PRODUCTS", 2), ("LEFTS", 2), ("ADD", 1)],
    });
    let mut inputs = vec![first.left.tensor, second.left.tensor, first.right.tensor, second.right.tensor];
    inputs.extend(earlier);
    let info = products.each_ref().map(|p| numbers(p.left, p.right, p.scale)).concat();
    shader.launch(&inputs, &outs.each_ref(), &info, [groups, 1]);
    outs
}

/// The products of one left factor with two or three packed matrices in one program, where they are packed alike.
pub fn of_one_left<const N: usize>(x: &CubeTensor, rights: [(&CubeTensor, PackedLayout); N]) -> [CubeTensor; N] {
    let (left, rights) = (Matrix::rows(x), rights.map(|(words, layout)| Matrix::packed(words, layout)));
    let groups: usize = rights.iter().map(|right| tiles(left, *right).iter().product::<usize>()).sum();
    let layout = |right: &Matrix<'_>| right.packed.map(|layout| (layout.packing, layout.transposed));
    let alike = rights.iter().all(|right| layout(right) == layout(&rights[0]));
    let program_of = match N {
        2 => Some(Program::Two),
        3 => Some(Program::Three),
        _ => None,
    };
    let (Some(many), Some(first), true) = (program_of, rights[0].packed, alike && groups <= MOST_GROUPS) else {
        return rights.map(|right| left.times(right, 1.0, Also::Nothing, with_last(x, right.size[1])));
    };
    let outs = rights.map(|right| empty(x, with_last(x, right.size[1])));
    let inputs: Vec<&CubeTensor> = [x].into_iter().chain(rights.iter().map(|right| right.tensor)).collect();
    let info = rights.map(|right| numbers(left, right, 1.0)).concat();
    many.of(program(groups < FEW_TILES, true), first).launch(&inputs, &outs.each_ref(), &info, [groups, 1]);
    outs
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
