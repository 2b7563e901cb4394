//! Random subspaces (Li et al. 2018; Aghajanyan et al. 2021): the whole network moves, but only in d random directions.

#[cfg(feature = "train")]
mod adapter_file;
mod cost;
mod overlay;
#[cfg(feature = "train")]
pub(crate) mod phi;
mod python;
#[cfg(all(test, feature = "train", not(target_arch = "wasm32")))]
mod tests;

use crate::base::{Fault, grouped};
use crate::model::{ModelConfig, ModulePath, Site, TensorInfo};
use crate::peft::knob::place_of;
use crate::peft::{Count, Knob, MORE, Method, MethodInfo, MethodKind, Range, Shape, Term, Value, rates};

/// θ + Pφ, φ ∈ ℝ^d zero at the start, P ∈ ℝ^{D×d} random with columns of length 1, or Fastfood's product of sparse matrices
/// (Le et al. 2013).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subspace {
    /// d
    pub intrinsic_dimension: usize,
    /// P.
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
const DENSE_LIMIT: u64 = 1 << 26;

static INFO: MethodInfo = MethodInfo {
    name: "subspace",
    title: "Random subspace",
    kind: MethodKind::Parameter,
    paper: "Li et al., Measuring the Intrinsic Dimension of Objective Landscapes, 2018; Aghajanyan et al., Intrinsic Dimensionality Explains the Effectiveness of Language Model Fine-Tuning, 2021",
    formula: "f_{θ + P⟨φ⟩}(x),  P ∈ ℝ^{D×d} random, φ ∈ ℝ^d",
    summary: "Moves all D parameters at once along d random directions: how few are enough is the task's intrinsic dimension.",
    knobs: &[
        Knob {
            name: "intrinsic_dimension",
            label: "Dimension",
            help: "d, the number of random directions.",
            range: Range::Integer { min: 1, max: 4096, steps: &[1, 4, 16, 32, 64, 128, 256, 512, 1024] },
            ..Knob::PLAIN
        },
        Knob {
            name: "projection",
            label: "Projection",
            help: "P as D × d random numbers, or as Fastfood's product, which stores and computes far less.",
            range: Range::Choice(&OPTIONS),
            ..Knob::PLAIN
        },
    ],
    in_peft: false,
    merges: Ok(()),
    dial: Ok(()),
    checked: "finite differences, PyTorch (dense P)",
};

impl Subspace {
    /// Numbers that P holds: D·d, or the three vectors B, G and Π of Fastfood's blocks.
    pub fn projection_numbers(&self, model: &ModelConfig) -> u64 {
        match self.projection {
            Projection::Dense => model.parameters() * self.intrinsic_dimension as u64,
            Projection::Fastfood => {
                let side = self.intrinsic_dimension.next_power_of_two() as u64;
                let pieces = |place: ModulePath| place.pieces(model).iter().map(move |piece| (place, *piece));
                let places = ModulePath::all(model).flat_map(pieces);
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
        let (parameters, d) = (shape.model.parameters(), self.intrinsic_dimension as u64);
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
        let d = self.intrinsic_dimension as u64;
        Count::new([Term::new("φ", format!("{d} dimensions"), d)])
    }

    fn sites(&self, model: &ModelConfig) -> Vec<Site> {
        let pieces = |place: ModulePath| place.pieces(model).iter().map(move |piece| Site::Weight(place, *piece));
        ModulePath::all(model).flat_map(pieces).collect()
    }

    fn tensors(&self, _shape: &Shape) -> Vec<TensorInfo> {
        vec![TensorInfo::new("subspace.phi", [self.intrinsic_dimension])]
    }

    /// A change of weights that are there, and a P that a seed gives again.
    fn added(&self, _shape: &Shape) -> u64 {
        0
    }

    fn note(&self, shape: &Shape) -> Option<String> {
        let (n, d) = (self.projection_numbers(&shape.model), self.intrinsic_dimension as u64);
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

    fn advice(&self, _outside: bool) -> &'static str {
        MORE
    }

    fn learning_rate(&self, task: &str, base: &str) -> f64 {
        rates::of(task, base, [1.0, 1e-1, 1e-2])
    }

    fn label(&self) -> String {
        format!("subspace {}", self.intrinsic_dimension)
    }
}
