//! VeRA (Kopiczko et al. 2024): one random pair A, B for all matrices, of which only the scales are trained.

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
use crate::model::{ModelConfig, ModulePath, Site, Target, TensorInfo};
use crate::peft::{
    Blocks, Count, Knob, MORE, Method, MethodInfo, MethodKind, Range, Shape, Term, Value, factors, matrices, rates,
};

/// h = W₀x + Λ_b B Λ_d A x: A ∈ ℝ^{r×in} and B ∈ ℝ^{out×r} random, frozen and shared; b ∈ ℝ^{out} zero and d ∈ ℝ^r at 0.1 at the
/// start.
#[derive(Clone, Debug, PartialEq)]
pub struct Vera {
    /// r, rows of A and columns of B.
    pub rank: usize,
    /// In [`Target`]'s order, not empty.
    pub target_modules: Vec<Target>,
    /// In which blocks.
    pub layers: Blocks,
}

impl Default for Vera {
    fn default() -> Self {
        Vera { rank: 64, target_modules: vec![Target::Q, Target::V], layers: Blocks::default() }
    }
}

static INFO: MethodInfo = MethodInfo {
    name: "vera",
    title: "VeRA",
    kind: MethodKind::Parameter,
    paper: "Kopiczko et al., VeRA: Vector-based Random Matrix Adaptation, 2024",
    formula: "h = W₀x + ⟨Λ_b⟩ B ⟨Λ_d⟩ A x",
    summary: "LoRA with one random, frozen A and B for all blocks; trained are only the lengths along and across them.",
    knobs: &[
        Knob {
            name: "rank",
            label: "Rank",
            help: "r; a high one costs little: each matrix trains r + out numbers.",
            range: Range::Integer { min: 1, max: 1024, steps: &[4, 16, 32, 64, 128, 256] },
            ..Knob::PLAIN
        },
        matrices::TARGETS,
        Blocks::KNOB,
    ],
    in_peft: true,
    merges: Ok(()),
    dial: Ok(()),
    checked: "finite differences, PEFT",
};

impl Vera {
    /// Inputs and outputs of the shared A and B: the largest of the chosen matrices, of which smaller ones use the first rows.
    pub fn shared(&self, model: &ModelConfig) -> (usize, usize) {
        let shapes = self.target_modules.iter().map(|t| t.shape(model));
        shapes.fold((0, 0), |(i, o), (inputs, outputs)| (i.max(inputs), o.max(outputs)))
    }
}

impl Method for Vera {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn get(&self, knob: &str) -> Option<Value> {
        match knob {
            "rank" => Some(Value::Integer(self.rank)),
            "target_modules" => Some(matrices::modules(&self.target_modules)),
            "layers" => Some(Value::Blocks(self.layers.clone())),
            _ => None,
        }
    }

    fn set(&mut self, knob: &str, value: Value) {
        match (knob, value) {
            ("rank", Value::Integer(rank)) => self.rank = rank,
            ("target_modules", Value::Set(names)) => self.target_modules = matrices::targets(&names),
            ("layers", Value::Blocks(layers)) => self.layers = layers,
            _ => {}
        }
    }

    fn check(&self, shape: &Shape, _task_tokens: usize) -> Result<(), Fault> {
        matrices::check_targets(&self.target_modules, shape)?;
        self.layers.check(shape)
    }

    fn count(&self, shape: &Shape) -> Count {
        let n = self.layers.list(shape.model.num_hidden_layers).len();
        let groups = matrices::by_shape(&self.target_modules, &shape.model);
        // Matrices with as many outputs share a term.
        let mut by_outputs: Vec<(usize, usize)> = Vec::new();
        for ((_, outputs), k) in groups {
            match by_outputs.iter_mut().find(|(o, _)| *o == outputs) {
                Some((_, matrices)) => *matrices += k,
                None => by_outputs.push((outputs, k)),
            }
        }
        Count::new(by_outputs.into_iter().map(|(outputs, k)| {
            Term::new(
                "d and b of each chosen matrix",
                format!("{} × ({} + {outputs})", matrices::blocks_and_matrices(n, k), self.rank),
                factors([n, k, self.rank + outputs]).iter().product(),
            )
        }))
    }

    fn sites(&self, model: &ModelConfig) -> Vec<Site> {
        matrices::sites(&self.layers, &self.target_modules, model)
    }

    fn tensors(&self, shape: &Shape) -> Vec<TensorInfo> {
        let mut tensors = Vec::new();
        for layer in self.layers.list(shape.model.num_hidden_layers) {
            for target in &self.target_modules {
                let key = ModulePath::Linear(layer, *target).key();
                let outputs = target.shape(&shape.model).1;
                tensors.push(TensorInfo::new(format!("{key}.vera_lambda_b"), [outputs]));
                tensors.push(TensorInfo::new(format!("{key}.vera_lambda_d"), [self.rank]));
            }
        }
        tensors
    }

    fn shared_pair(&self, model: &ModelConfig) -> Option<(usize, usize, usize)> {
        let (inputs, outputs) = self.shared(model);
        Some((inputs, outputs, self.rank))
    }

    fn note(&self, shape: &Shape) -> Option<String> {
        let (inputs, outputs) = self.shared(&shape.model);
        let n = grouped(self.rank * (inputs + outputs));
        Some(format!("A and B hold {n} random numbers for all blocks together; a stored φ needs their seed only."))
    }

    fn advice(&self, _outside: bool) -> &'static str {
        MORE
    }

    fn learning_rate(&self, task: &str, base: &str) -> f64 {
        rates::of(task, base, [1e-1, 3e-2, 2e-2])
    }

    fn label(&self) -> String {
        format!("VeRA r {}", self.rank)
    }
}
