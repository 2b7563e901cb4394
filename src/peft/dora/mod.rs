//! DoRA (Liu et al. 2024): LoRA for the direction of a matrix's rows, a trained length for each of them.

#[cfg(feature = "train")]
pub(crate) mod phi;

use super::lora;
use super::lora::{ALPHA, RANK, TARGETS};
use super::{Blocks, Count, Lora, Method, MethodInfo, MethodKind, Shape, Term, Value};
use crate::base::Fault;
use crate::model::ModelConfig;
use crate::model::TensorInfo;
use crate::model::{Hook, ModulePath, Site, Target};
use crate::trace::{Tape, Var};

/// W = m ⊙ (W₀ + s·BA)/‖W₀ + s·BA‖, a length m for each output; it starts at ‖W₀‖.
#[derive(Clone, Debug, PartialEq)]
pub struct Dora {
    pub rank: usize,
    pub alpha: Option<f64>,
    pub target_modules: Vec<Target>,
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
    knobs: &[RANK, ALPHA, TARGETS, Blocks::KNOB],
    merges: Ok(()),
    dial: Ok(()),
};

impl Dora {
    /// The LoRA inside.
    pub fn lora(&self) -> Lora {
        Lora {
            rank: self.rank,
            alpha: self.alpha,
            target_modules: self.target_modules.clone(),
            layers: self.layers.clone(),
            ..Lora::default()
        }
    }
}

impl Method for Dora {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn get(&self, knob: &str) -> Option<Value> {
        INFO.knobs.iter().any(|k| k.name == knob).then(|| self.lora().get(knob)).flatten()
    }

    fn set(&mut self, knob: &str, value: Value) {
        match (knob, value) {
            ("rank", Value::Integer(rank)) => self.rank = rank,
            ("alpha", Value::Number(alpha)) => self.alpha = Some(alpha),
            ("target_modules", Value::Set(names)) => self.target_modules = lora::targets(&names),
            ("layers", Value::Blocks(layers)) => self.layers = layers,
            _ => {}
        }
    }

    fn check(&self, shape: &Shape, task_tokens: usize) -> Result<(), Fault> {
        self.lora().check(shape, task_tokens)
    }

    fn count(&self, shape: &Shape) -> Count {
        let n = self.layers.list(shape.model.num_hidden_layers).len();
        let groups = lora::by_shape(&self.target_modules, &shape.model);
        Count::new(groups.into_iter().map(|((inputs, outputs), k)| {
            Term::new(
                "A, B and the lengths m of each chosen matrix",
                format!("{} × ({} × ({inputs} + {outputs}) + {outputs})", lora::blocks_and_matrices(n, k), self.rank),
                n * k * (self.rank * (inputs + outputs) + outputs),
            )
        }))
    }

    fn sites(&self, model: &ModelConfig) -> Vec<Site> {
        lora::matrices(&self.layers, &self.target_modules, model)
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

    fn trace(&self, ask: Hook, model: &ModelConfig, tape: &mut Tape) -> Option<Var> {
        let y = self.lora().trace(ask, model, tape)?;
        let Hook::Update { at, .. } = ask else { return None };
        let (name, (inputs, outputs)) = (ModulePath::Linear(at.block, at.target).key(), at.shape);
        let magnitude = tape.phi(&format!("{name} m"), outputs);
        // ‖W₀ + s·BA‖, a constant to the gradient: the product of B and A, their sum with W₀, squares.
        let [a, b] = [tape.data((inputs * self.rank) as u64), tape.data((self.rank * outputs) as u64)];
        let product = tape.linear(a, b, None, inputs, (self.rank, outputs));
        let moved = tape.add(at.weight, product);
        let squares = tape.multiply(moved, moved);
        let lengths = tape.expand(squares, outputs as u64);
        let factor = tape.multiply(magnitude, lengths);
        let bare = tape.add(y, at.bias);
        let scaled = tape.multiply(bare, factor);
        Some(tape.add(scaled, at.bias))
    }

    fn learning_rate(&self, task: &str, base: &str) -> f64 {
        self.lora().learning_rate(task, base)
    }

    fn label(&self) -> String {
        self.lora().label().replace("LoRA", "DoRA")
    }
}
