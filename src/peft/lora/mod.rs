//! LoRA (Hu et al. 2022): a low-rank update beside chosen matrices.

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
use crate::peft::{Blocks, Count, Knob, Method, MethodInfo, MethodKind, Range, Shape, Term, Value, factors, matrices};

/// h = W₀x + s·B(Ax), with A ∈ ℝ^{r×in} random and B ∈ ℝ^{out×r} zero at the start; s = α/r, or α/√r rank-stabilised
/// (Kalajdzievski 2023).
#[derive(Clone, Debug, PartialEq)]
pub struct Lora {
    /// r, rows of A and columns of B.
    pub rank: usize,
    /// `lora_alpha`; `None` keeps it at twice the rank.
    pub alpha: Option<f64>,
    /// In [`Target`]'s order, not empty.
    pub target_modules: Vec<Target>,
    /// In which blocks.
    pub layers: Blocks,
    /// Whether the update is scaled by α/√r; else by α/r.
    pub use_rslora: bool,
    /// Share of the inputs that A does not see in a training step.
    pub lora_dropout: f64,
}

impl Default for Lora {
    fn default() -> Self {
        Lora {
            rank: 4,
            alpha: None,
            target_modules: vec![Target::Q, Target::V],
            layers: Blocks::default(),
            use_rslora: false,
            lora_dropout: 0.0,
        }
    }
}

static INFO: MethodInfo = MethodInfo {
    name: "lora",
    title: "LoRA",
    kind: MethodKind::Parameter,
    paper: "Hu et al., LoRA: Low-Rank Adaptation of Large Language Models, 2022",
    formula: "h = W₀x + ⟨(α/r)·B A x⟩",
    summary: "Learns a low-rank change of chosen matrices; merged into them, it costs nothing at inference.",
    knobs: &[
        matrices::RANK,
        matrices::ALPHA,
        matrices::TARGETS,
        Blocks::KNOB,
        Knob {
            name: "use_rslora",
            label: "Scale by α/√r",
            help: "Rank-stabilised LoRA: the update keeps its size as the rank grows.",
            range: Range::Flag,
            advanced: true,
            ..Knob::PLAIN
        },
        Knob {
            name: "lora_dropout",
            label: "Dropout",
            help: "Share of the inputs that A does not see in a training step.",
            range: Range::Number { min: 0.0, max: 0.9 },
            advanced: true,
            ..Knob::PLAIN
        },
    ],
    in_peft: true,
    merges: Ok(()),
    dial: Ok(()),
    checked: "finite differences, PEFT, PyTorch",
};

impl Lora {
    /// The factor of the update: α/r, or α/√r.
    pub fn scaling(&self) -> f64 {
        let r = self.rank as f64;
        self.alpha() / if self.use_rslora { r.sqrt() } else { r }
    }

    /// α.
    pub fn alpha(&self) -> f64 {
        matrices::alpha(self.alpha, self.rank)
    }
}

impl Method for Lora {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn get(&self, knob: &str) -> Option<Value> {
        match knob {
            "rank" => Some(Value::Integer(self.rank)),
            "alpha" => Some(Value::Number(self.alpha())),
            "target_modules" => Some(matrices::modules(&self.target_modules)),
            "layers" => Some(Value::Blocks(self.layers.clone())),
            "use_rslora" => Some(Value::Flag(self.use_rslora)),
            "lora_dropout" => Some(Value::Number(self.lora_dropout)),
            _ => None,
        }
    }

    fn set(&mut self, knob: &str, value: Value) {
        match (knob, value) {
            ("rank", Value::Integer(rank)) => self.rank = rank,
            ("alpha", Value::Number(alpha)) => self.alpha = Some(alpha),
            ("target_modules", Value::Set(names)) => self.target_modules = matrices::targets(&names),
            ("layers", Value::Blocks(layers)) => self.layers = layers,
            ("use_rslora", Value::Flag(on)) => self.use_rslora = on,
            ("lora_dropout", Value::Number(share)) => self.lora_dropout = share,
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
                "A and B of each chosen matrix",
                format!("{} × {} × ({inputs} + {outputs})", matrices::blocks_and_matrices(n, k), self.rank),
                factors([n, k, self.rank, inputs + outputs]).iter().product(),
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
            }
        }
        tensors
    }

    fn fused(&self, shape: &Shape) -> Option<String> {
        let model = &shape.model;
        let k = [Target::Q, Target::K, Target::V].iter().filter(|t| self.target_modules.contains(t)).count();
        if k == 0 || !model.family().joins_matrices() {
            return None;
        }
        // PEFT's A has k·r rows, its B as many columns over the three matrices side by side, most of them zero.
        let (n, d) = (self.layers.list(model.num_hidden_layers).len(), model.hidden_size);
        let ours = self.count(shape).total();
        let peft = ours + 2 * factors([n, k, self.rank, d]).iter().product::<u64>();
        let updates = if k == 1 { "the update is".into() } else { format!("the {k} updates are") };
        Some(format!(
            "In {}'s layout W_Q, W_K, W_V are one matrix: in PEFT {updates} one of rank {}, block by block, with {} numbers instead of {}.",
            model.family().title,
            k * self.rank,
            grouped(peft),
            grouped(ours)
        ))
    }

    fn note(&self, shape: &Shape) -> Option<String> {
        self.fused(shape)
    }

    fn advice(&self, _outside: bool) -> &'static str {
        "Try more steps, a higher rank, more matrices, or a higher rate."
    }

    fn learning_rate(&self, task: &str, base: &str) -> f64 {
        // Rank-stabilised, the update of a step is larger still.
        let matrices = if self.use_rslora { usize::MAX } else { self.target_modules.len() };
        matrices::low_rank_rate(task, base, self.rank, matrices)
    }

    fn label(&self) -> String {
        let name = if self.use_rslora { "rsLoRA" } else { "LoRA" };
        matrices::low_rank_label(name, self.rank, &self.layers)
    }
}
