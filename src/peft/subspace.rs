//! Random subspaces (Li et al. 2018; Aghajanyan et al. 2021): the whole network moves, but only in d random directions.

use super::{
    Ask, Count, Fault, Kind, Knob, Method, MethodInfo, Place, Range, Shape, Spot, TensorInfo, Term, Value, grouped,
    knob::place_of,
};
use crate::ledger::tape::{Tape, Var};
use crate::model::ModelConfig;

/// θ + Pφ, φ ∈ ℝ^d zero at the start, P ∈ ℝ^{D×d} random with columns of length 1, or Fastfood's product of sparse matrices
/// (Le et al. 2013).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subspace {
    /// d
    pub intrinsic_dimension: usize,
    pub projection: Projection,
}

/// What P is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Projection {
    /// Independent normals: D·d numbers.
    Dense,
    /// S·H·G·Π·H·B in blocks: some 3·D numbers, and H is a fast transform.
    Fastfood,
}

const OPTIONS: [(&str, &str); 2] = [("dense", "dense"), ("fastfood", "Fastfood")];

impl Default for Subspace {
    fn default() -> Self {
        Subspace { intrinsic_dimension: 512, projection: Projection::Fastfood }
    }
}

/// The most numbers that a dense P may have: 256 MB of them.
const DENSE_LIMIT: usize = 1 << 26;

static INFO: MethodInfo = MethodInfo {
    name: "subspace",
    title: "Random subspace",
    kind: Kind::Parameter,
    paper: "Li et al., Measuring the Intrinsic Dimension of Objective Landscapes, 2018; Aghajanyan et al., Intrinsic Dimensionality Explains the Effectiveness of Language Model Fine-Tuning, 2021",
    formula: "f_{θ + P⟨φ⟩}(x),  P ∈ ℝ^{D×d} random, φ ∈ ℝ^d",
    summary: "Moves all D parameters at once along d random directions: how few are enough is the task's intrinsic dimension.",
    knobs: &[
        Knob {
            name: "intrinsic_dimension",
            label: "Dimension",
            help: "d, the number of random directions.",
            range: Range::Integer { min: 1, max: 4096, steps: &[1, 4, 16, 32, 64, 128, 256, 512, 1024] },
        },
        Knob {
            name: "projection",
            label: "Projection",
            help: "P as D × d random numbers, or as Fastfood's product, which stores and computes far less.",
            range: Range::Choice(&OPTIONS),
        },
    ],
    merges: Ok(()),
    dial: Ok(()),
};

impl Subspace {
    /// Numbers that P holds: D·d, or the three vectors B, G and Π of Fastfood's blocks.
    pub fn projection_numbers(&self, model: &ModelConfig) -> usize {
        match self.projection {
            Projection::Dense => model.parameters() * self.intrinsic_dimension,
            Projection::Fastfood => {
                let side = self.intrinsic_dimension.next_power_of_two();
                let pieces = |place: Place| place.pieces().iter().map(move |piece| (place, *piece));
                let places = Place::all(model.num_hidden_layers).flat_map(pieces);
                places.map(|(place, piece)| 3 * place.elements(piece, model).div_ceil(side) * side).sum()
            }
        }
    }
}

impl Method for Subspace {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn get(&self, knob: &str) -> Option<Value> {
        match knob {
            "intrinsic_dimension" => Some(Value::Integer(self.intrinsic_dimension)),
            "projection" => Some(Value::Choice(OPTIONS[self.projection as usize].0.to_string())),
            _ => None,
        }
    }

    fn set(&mut self, knob: &str, value: Value) {
        match (knob, value) {
            ("intrinsic_dimension", Value::Integer(d)) => self.intrinsic_dimension = d,
            ("projection", Value::Choice(name)) => {
                self.projection = [Projection::Dense, Projection::Fastfood][place_of(&OPTIONS, &name)];
            }
            _ => {}
        }
    }

    fn check(&self, shape: &Shape, _task_tokens: usize) -> Result<(), Fault> {
        let (parameters, d) = (shape.model.parameters(), self.intrinsic_dimension);
        if self.projection == Projection::Dense && parameters * d > DENSE_LIMIT {
            let message = format!(
                "A dense P of {} × {d} numbers takes {} MB: at most {} dimensions fit here, or take Fastfood.",
                grouped(parameters),
                grouped(parameters * d * 4 / 1_000_000),
                DENSE_LIMIT / parameters
            );
            return Err(Fault::new("intrinsic_dimension", message));
        }
        Ok(())
    }

    fn count(&self, _shape: &Shape) -> Count {
        let d = self.intrinsic_dimension;
        Count::new([Term::new("φ", format!("{d} dimensions"), d)])
    }

    fn spots(&self, model: &ModelConfig) -> Vec<Spot> {
        let pieces = |place: Place| place.pieces().iter().map(move |piece| Spot::Weight(place, *piece));
        Place::all(model.num_hidden_layers).flat_map(pieces).collect()
    }

    fn tensors(&self, _shape: &Shape) -> Vec<TensorInfo> {
        vec![TensorInfo::new("subspace.phi", [self.intrinsic_dimension])]
    }

    /// A change of weights that are there, and a P that a seed gives again.
    fn added(&self, _shape: &Shape) -> usize {
        0
    }

    fn note(&self, shape: &Shape) -> Option<String> {
        let (n, d) = (self.projection_numbers(&shape.model), self.intrinsic_dimension);
        let megabytes = (n * 4) as f64 / 1e6;
        Some(match self.projection {
            Projection::Dense => format!(
                "P holds {} × {d} = {} numbers ({megabytes:.0} MB), and each step reads them twice: O(D·d).",
                grouped(shape.model.parameters()),
                grouped(n)
            ),
            Projection::Fastfood => format!(
                "P is made of {} numbers ({megabytes:.1} MB) instead of {} for a dense one.",
                grouped(n),
                grouped(shape.model.parameters() * d)
            ),
        })
    }

    fn trace(&self, ask: Ask, model: &ModelConfig, tape: &mut Tape) -> Option<Var> {
        let Ask::Weight(place, piece, theta) = ask else { return None };
        let (n, d) = (place.elements(piece, model), self.intrinsic_dimension);
        let phi = tape.phi("φ", d);
        let name = format!("P {} {piece:?}", place.key());
        let moved = match self.projection {
            Projection::Dense => {
                let rows = tape.constant(&name, n * d);
                tape.linear(rows, phi, None, n, (d, 1))
            }
            Projection::Fastfood => {
                let side = d.next_power_of_two();
                let blocks = n.div_ceil(side);
                let all = blocks * side;
                let mut constant = |what: &str, n| tape.constant(&format!("{name} {what}"), n);
                let [signs, _, gauss] = [constant("B", all), constant("Π", all), constant("G", all)];
                let bits = side.trailing_zeros();
                let (r, c) = (1_usize << (bits / 2), 1_usize << (bits - bits / 2));
                let [rows, columns] = [constant("H_r", r * r), constant("H_c", c * c)];
                let transform = |x: Var, tape: &mut Tape| {
                    let x = tape.linear(x, columns, None, blocks * r, (c, c));
                    tape.linear(x, rows, None, blocks * c, (r, r))
                };
                let padded = tape.expand(phi, all as u64);
                let x = tape.multiply(padded, signs);
                let x = transform(x, tape);
                let x = tape.gather(x, all as u64);
                let x = tape.multiply(x, gauss);
                let x = transform(x, tape);
                tape.part(x, n as u64)
            }
        };
        Some(tape.add(theta, moved))
    }

    fn learning_rate(&self, task: &str, _base: &str) -> f64 {
        if task == "rules" { 1.0 } else { 1e-1 }
    }

    fn label(&self) -> String {
        format!("subspace {}", self.intrinsic_dimension)
    }
}

#[cfg(feature = "train")]
pub(crate) mod phi {
    use super::{Projection, Subspace};
    use crate::peft::Piece;
    use crate::peft::Place;
    use crate::peft::phi::{Composition, InitContext};
    use burn::module::{Module, Param};
    use burn::tensor::{Int, Tensor, TensorData};
    use rand::RngExt;

    /// φ `[d]`, and the rows of P that belong to each tensor of θ.
    #[derive(Module, Debug)]
    pub struct Phi {
        phi: Param<Tensor<1>>,
        #[module(skip)]
        rows: Vec<(Place, Piece, Rows)>,
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
            for place in Place::all(model.num_hidden_layers) {
                for piece in place.pieces() {
                    let n = place.elements(*piece, &model);
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
        fn moved(&self, place: Place, piece: Piece, n: usize) -> Option<Tensor<1>> {
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
            let device = context.theta.weights.tokens.val().device();
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
        fn matrix(&self, place: Place, theta: &Tensor<2>) -> Option<Tensor<2>> {
            let moved = self.moved(place, Piece::Matrix, theta.shape().num_elements())?;
            Some(theta.clone() + moved.reshape(theta.dims()))
        }

        fn bias(&self, place: Place, theta: &Tensor<1>) -> Option<Tensor<1>> {
            Some(theta.clone() + self.moved(place, Piece::Bias, theta.dims()[0])?)
        }

        fn scale(&self, place: Place, theta: &Tensor<1>) -> Option<Tensor<1>> {
            Some(theta.clone() + self.moved(place, Piece::Scale, theta.dims()[0])?)
        }

        fn project(&mut self, rows: Vec<(Place, Piece, Tensor<2>)>) {
            self.rows = rows.into_iter().map(|(place, piece, rows)| (place, piece, Rows::Dense(rows))).collect();
        }
    }
}
