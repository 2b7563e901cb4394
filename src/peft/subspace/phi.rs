//! φ of this method: its tensors, their start, and where they step into the forward pass.

use super::{Projection, Subspace};
use crate::model::ModulePath;
use crate::model::ParamKind;
use crate::model::{Composition, Matrix};
use crate::peft::InitContext;
use burn::module::{Module, Param};
use burn::tensor::{Int, Tensor, TensorData};
use rand::RngExt;

/// φ `[d]`, and the rows of P that belong to each tensor of θ.
#[derive(Module, Debug)]
pub struct Phi {
    phi: Param<Tensor<1>>,
    #[module(skip)]
    rows: Vec<(ModulePath, ParamKind, Rows)>,
}

/// P's rows for one tensor of n numbers.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant)] // A few dozen of them: nothing is gained by boxing.
enum Rows {
    /// `[n, d]`
    Dense(Tensor<2>),
    Fastfood(Fastfood),
}

/// H·G·Π·H·B for each of so many blocks of `side` numbers, scaled. The diagonals are `[blocks, side]`.
#[derive(Clone, Debug)]
struct Fastfood {
    signs: Tensor<2>,
    permutation: Tensor<2, Int>,
    gauss: Tensor<2>,
    /// H of `side` = `rows`·`columns` is the Kronecker product of these two.
    rows: Tensor<2>,
    columns: Tensor<2>,
}

impl Phi {
    /// φ zero; P's numbers have the variance 1/D, so that ‖Pφ‖ is about ‖φ‖.
    pub fn init(config: &Subspace, context: &mut InitContext<'_>) -> Phi {
        let model = context.theta.config.clone();
        let d = config.intrinsic_dimension;
        let std = (model.parameters() as f32).sqrt().recip();
        let mut rows = Vec::new();
        for place in ModulePath::all(&model) {
            for piece in place.pieces(&model) {
                let n = place.elements(*piece, &model) as usize;
                let part = match config.projection {
                    Projection::Dense => {
                        let values = context.normals(n * d, std);
                        Rows::Dense(context.fixed(values, [n, d]))
                    }
                    Projection::Fastfood => Rows::Fastfood(Fastfood::draw(n, d, std, context)),
                };
                rows.push((place, *piece, part));
            }
        }
        Phi { phi: context.zeros([d]), rows }
    }

    /// (Pφ) at a tensor of n numbers.
    fn moved(&self, place: ModulePath, piece: ParamKind, n: usize) -> Option<Tensor<1>> {
        let (_, _, rows) = self.rows.iter().find(|(p, q, _)| (*p, *q) == (place, piece))?;
        let d = self.phi.val().dims()[0];
        Some(match rows {
            Rows::Dense(rows) => rows.clone().matmul(self.phi.val().reshape([d, 1])).reshape([n]),
            Rows::Fastfood(fastfood) => fastfood.times(self.phi.val(), n),
        })
    }
}

/// The Hadamard matrix of Sylvester's construction, entries ±1.
fn hadamard(side: usize) -> Vec<f32> {
    let entry = |i: usize| if ((i / side) & (i % side)).count_ones().is_multiple_of(2) { 1.0 } else { -1.0 };
    (0..side * side).map(entry).collect()
}

impl Fastfood {
    fn draw(n: usize, d: usize, std: f32, context: &mut InitContext<'_>) -> Fastfood {
        let side = d.next_power_of_two();
        let blocks = n.div_ceil(side);
        let signs = (0..blocks * side).map(|_| if context.rng.random::<bool>() { 1.0 } else { -1.0 }).collect();
        // H·G·Π·H·B has entries of variance side·E[g²]: with g of deviation σ/√side they have σ².
        let gauss = context.normals(blocks * side, std / (side as f32).sqrt());
        let mut permutation: Vec<i32> = Vec::with_capacity(blocks * side);
        for _ in 0..blocks {
            let mut order: Vec<i32> = (0..side as i32).collect();
            (1..side).rev().for_each(|i| order.swap(i, context.rng.random_range(0..=i)));
            permutation.extend(order);
        }
        let bits = side.trailing_zeros();
        let (rows, columns) = (1 << (bits / 2), 1 << (bits - bits / 2));
        let device = context.theta.weights.tokens.device();
        Fastfood {
            signs: context.fixed(signs, [blocks, side]),
            permutation: Tensor::from_data(TensorData::new(permutation, [blocks, side]), &device),
            gauss: context.fixed(gauss, [blocks, side]),
            rows: context.fixed(hadamard(rows), [rows, rows]),
            columns: context.fixed(hadamard(columns), [columns, columns]),
        }
    }

    /// H of each row of `x`: with H = H_r ⊗ H_c and a row as an r × c matrix X it is H_r X H_c.
    fn transform(&self, x: Tensor<2>) -> Tensor<2> {
        let [blocks, side] = x.dims();
        let (r, c) = (self.rows.dims()[0], self.columns.dims()[0]);
        let x = x.reshape([blocks * r, c]).matmul(self.columns.clone()).reshape([blocks, r, c]);
        // H_r from the left is H_r from the right of the transposed, since it is symmetric.
        let x = x.swap_dims(1, 2).reshape([blocks * c, r]).matmul(self.rows.clone()).reshape([blocks, c, r]);
        x.swap_dims(1, 2).reshape([blocks, side])
    }

    /// The first n numbers of the blocks' products with φ, padded by zeros.
    fn times(&self, phi: Tensor<1>, n: usize) -> Tensor<1> {
        let ([blocks, side], d) = (self.signs.dims(), phi.dims()[0]);
        let padded = match side - d {
            0 => phi,
            more => Tensor::cat(vec![phi.clone(), Tensor::zeros([more], &phi.device())], 0),
        };
        let x = padded.reshape([1, side]).expand([blocks, side]) * self.signs.clone();
        let x = self.transform(x).gather(1, self.permutation.clone()) * self.gauss.clone();
        self.transform(x).reshape([blocks * side]).narrow(0, 0, n)
    }
}

impl Composition for Phi {
    fn matrix(&self, place: ModulePath, theta: &Matrix) -> Option<Tensor<2>> {
        let moved = self.moved(place, ParamKind::Matrix, theta.dims().iter().product())?;
        Some(theta.dense() + moved.reshape(theta.dims()))
    }

    fn bias(&self, place: ModulePath, theta: &Tensor<1>) -> Option<Tensor<1>> {
        Some(theta.clone() + self.moved(place, ParamKind::Bias, theta.dims()[0])?)
    }

    fn scale(&self, place: ModulePath, theta: &Tensor<1>) -> Option<Tensor<1>> {
        Some(theta.clone() + self.moved(place, ParamKind::Scale, theta.dims()[0])?)
    }

    fn project(&mut self, rows: Vec<(ModulePath, ParamKind, Tensor<2>)>) {
        self.rows = rows.into_iter().map(|(place, piece, rows)| (place, piece, Rows::Dense(rows))).collect();
    }
}
