//! DoRA (Liu et al. 2024): LoRA for the direction of a matrix's rows, a trained length for each of them.

#[cfg(feature = "train")]
mod adapter_file;
mod cost;
mod overlay;
#[cfg(feature = "train")]
pub(crate) mod phi;
mod python;
#[cfg(all(test, feature = "train", not(target_arch = "wasm32")))]
mod tests;

use crate::base::Fault;
use crate::model::{ModelConfig, ModulePath, Site, Target, TensorInfo};
use crate::peft::{Blocks, Count, MORE, Method, MethodInfo, MethodKind, Shape, Term, Value, factors, matrices};

/// W = m ⊙ (W₀ + s·BA)/‖W₀ + s·BA‖, a length m for each output; it starts at ‖W₀‖.
#[derive(Clone, Debug, PartialEq)]
pub struct Dora {
    /// r, rows of A and columns of B.
    pub rank: usize,
    /// `lora_alpha`; `None` keeps it at twice the rank.
    pub alpha: Option<f64>,
    /// In [`Target`]'s order, not empty.
    pub target_modules: Vec<Target>,
    /// In which blocks.
    pub layers: Blocks,
}

impl Default for Dora {
    fn default() -> Self {
        Dora { rank: 4, alpha: None, target_modules: vec![Target::Q, Target::V], layers: Blocks::default() }
    }
}

static INFO: MethodInfo = MethodInfo {
    name: "dora",
    title: "DoRA",
    kind: MethodKind::Parameter,
    paper: "Liu et al., DoRA: Weight-Decomposed Low-Rank Adaptation, 2024",
    formula: "h = ⟨m⟩ ⊙ (W₀ + ⟨s·BA⟩)x / ‖W₀ + s·BA‖ + b",
    summary: "Takes a matrix apart into lengths and directions: lengths are trained as they are, directions by LoRA.",
    knobs: &[matrices::RANK, matrices::ALPHA, matrices::TARGETS, Blocks::KNOB],
    in_peft: true,
    merges: Ok(()),
    dial: Ok(()),
    checked: "finite differences for m, PEFT",
};

impl Dora {
    /// The factor of the update, α/r.
    pub fn scaling(&self) -> f64 {
        self.alpha() / self.rank as f64
    }

    /// α.
    pub fn alpha(&self) -> f64 {
        matrices::alpha(self.alpha, self.rank)
    }
}

impl Method for Dora {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn get(&self, knob: &str) -> Option<Value> {
        match knob {
            "rank" => Some(Value::Integer(self.rank)),
            "alpha" => Some(Value::Number(self.alpha())),
            "target_modules" => Some(matrices::modules(&self.target_modules)),
            "layers" => Some(Value::Blocks(self.layers.clone())),
            _ => None,
        }
    }

    fn set(&mut self, knob: &str, value: Value) {
        match (knob, value) {
            ("rank", Value::Integer(rank)) => self.rank = rank,
            ("alpha", Value::Number(alpha)) => self.alpha = Some(alpha),
            ("target_modules", Value::Set(names)) => self.target_modules = matrices::targets(&names),
            ("layers", Value::Blocks(layers)) => self.layers = layers,
            _ => {}
        }
    }

    fn check(&self, shape: &Shape, _task_tokens: usize) -> Result<(), Fault> {
        matrices::check_targets(&self.target_modules, shape)?;
        matrices::check_rank(self.rank, shape)?;
        self.layers.check(shape)
    }

    fn count(&self, shape: &Shape) -> Count {
        let n = self.layers.list(shape.model.num_hidden_layers).len();
        let groups = matrices::by_shape(&self.target_modules, &shape.model);
        Count::new(groups.into_iter().map(|((inputs, outputs), k)| {
            Term::new(
                "A, B and the lengths m of each chosen matrix",
                format!(
                    "{} × ({} × ({inputs} + {outputs}) + {outputs})",
                    matrices::blocks_and_matrices(n, k),
                    self.rank
                ),
                {
                    let [n, k, r, inputs, outputs] = factors([n, k, self.rank, inputs, outputs]);
                    n * k * (r * (inputs + outputs) + outputs)
                },
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
                let (inputs, outputs) = target.shape(&shape.model);
                let key = ModulePath::Linear(layer, *target).key();
                tensors.push(TensorInfo::transposed(format!("{key}.lora_A.weight"), self.rank, inputs));
                tensors.push(TensorInfo::transposed(format!("{key}.lora_B.weight"), outputs, self.rank));
                tensors.push(TensorInfo::new(format!("{key}.lora_magnitude_vector"), [outputs]));
            }
        }
        tensors
    }

    fn advice(&self, _outside: bool) -> &'static str {
        MORE
    }

    fn learning_rate(&self, task: &str, base: &str) -> f64 {
        matrices::low_rank_rate(task, base, self.rank, self.target_modules.len())
    }

    fn label(&self) -> String {
        matrices::low_rank_label("DoRA", self.rank, &self.layers)
    }
}
