//! LoRA (Hu et al. 2022): a low-rank update beside chosen matrices.

#[cfg(feature = "train")]
pub(crate) mod phi;

use super::{Blocks, Count, Knob, Method, MethodInfo, MethodKind, Range, Shape, Term, Value};
use crate::base::Fault;
use crate::model::ModelConfig;
use crate::model::TensorInfo;
use crate::model::{Hook, ModulePath, ParamKind, Site, Target};
use crate::trace::{Tape, Var};

/// h = W₀x + s·B(Ax), with A ∈ ℝ^{r×in} random and B ∈ ℝ^{out×r} zero at the start; s = α/r, or α/√r rank-stabilised
/// (Kalajdzievski 2023).
#[derive(Clone, Debug, PartialEq)]
pub struct Lora {
    pub rank: usize,
    /// `lora_alpha`; `None` keeps it at twice the rank.
    pub alpha: Option<f64>,
    /// In [`Target`]'s order, not empty.
    pub target_modules: Vec<Target>,
    pub layers: Blocks,
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

/// Knobs that LoRA's relatives share.
pub(super) const RANK: Knob = Knob {
    name: "rank",
    label: "Rank",
    help: "r, the inner dimension of B·A.",
    range: Range::Integer { min: 1, max: 1024, steps: &[1, 2, 4, 8, 16, 32, 64] },
    ..Knob::PLAIN
};
pub(super) const ALPHA: Knob = Knob {
    name: "alpha",
    label: "Alpha",
    help: "The update is scaled by alpha / rank; left alone, alpha stays twice the rank.",
    range: Range::Number { min: 0.01, max: 1024.0 },
    advanced: true,
    optional: true,
    ..Knob::PLAIN
};
pub(super) const TARGETS: Knob = Knob {
    name: "target_modules",
    label: "On",
    help: "Which matrices of each block get an update.",
    range: Range::Set(&Target::OPTIONS),
    ..Knob::PLAIN
};

static INFO: MethodInfo = MethodInfo {
    name: "lora",
    title: "LoRA",
    kind: MethodKind::Parameter,
    paper: "Hu et al., LoRA: Low-Rank Adaptation of Large Language Models, 2022",
    formula: "h = W₀x + ⟨(α/r)·B A x⟩",
    summary: "Learns a low-rank change of chosen matrices; merged into them, it costs nothing at inference.",
    knobs: &[
        RANK,
        ALPHA,
        TARGETS,
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
    merges: Ok(()),
    dial: Ok(()),
};

/// A rank above the width is refused.
pub(super) fn check_rank(rank: usize, shape: &Shape) -> Result<(), Fault> {
    let width = shape.model.hidden_size;
    if rank <= width {
        return Ok(());
    }
    let message = format!("Rank {rank} is more than the width {width} of this base: no matrix has a higher rank.");
    Err(Fault::new("rank", message))
}

/// Names of modules, as [`TARGETS`] writes them.
pub(super) fn modules(targets: &[Target]) -> Value {
    Value::Set(targets.iter().map(|t| t.module().to_string()).collect())
}

/// The modules of names.
pub(super) fn targets(names: &[String]) -> Vec<Target> {
    names.iter().filter_map(|n| Target::from_module(n)).collect()
}

/// Matrices of one shape together: ((inputs, outputs), how many), in order of appearance.
pub(super) fn by_shape(targets: &[Target], model: &ModelConfig) -> Vec<((usize, usize), usize)> {
    let mut groups: Vec<((usize, usize), usize)> = Vec::new();
    for target in targets {
        let size = target.shape(model);
        match groups.iter_mut().find(|(s, _)| *s == size) {
            Some((_, matrices)) => *matrices += 1,
            None => groups.push((size, 1)),
        }
    }
    groups
}

/// `2 blocks × 1 matrix`
pub(super) fn blocks_and_matrices(n: usize, k: usize) -> String {
    let blocks = if n == 1 { "block" } else { "blocks" };
    let matrices = if k == 1 { "matrix" } else { "matrices" };
    format!("{n} {blocks} × {k} {matrices}")
}

/// The sites of methods that change matrices.
pub(super) fn matrices(layers: &Blocks, targets: &[Target], model: &ModelConfig) -> Vec<Site> {
    let layers = layers.list(model.num_hidden_layers).into_iter();
    let places = layers.flat_map(|layer| targets.iter().map(move |target| ModulePath::Linear(layer, *target)));
    places.map(|place| Site::Weight(place, ParamKind::Matrix)).collect()
}

impl Lora {
    /// The factor of the update: α/r, or α/√r.
    pub fn scaling(&self) -> f64 {
        let r = self.rank as f64;
        self.alpha() / if self.use_rslora { r.sqrt() } else { r }
    }

    /// What PEFT makes of this on a base with GPT-2's layout, where W_Q, W_K, W_V are one matrix: both counts. `None` where none
    /// of the three is chosen.
    pub fn fused(&self, shape: &Shape) -> Option<String> {
        let model = &shape.model;
        let k = [Target::Q, Target::K, Target::V].iter().filter(|t| self.target_modules.contains(t)).count();
        if k == 0 {
            return None;
        }
        // PEFT's A has k·r rows, its B as many columns over the three matrices side by side, most of them zero.
        let (n, d) = (self.layers.list(model.num_hidden_layers).len(), model.hidden_size);
        let ours = self.count(shape).total();
        let peft = ours + n * k * self.rank * 2 * d;
        let updates = if k == 1 { "the update is".into() } else { format!("the {k} updates are") };
        Some(format!(
            "In GPT-2's layout W_Q, W_K, W_V are one matrix: in PEFT {updates} one of rank {}, block by block, with {} numbers instead of {}.",
            k * self.rank,
            crate::base::grouped(peft),
            crate::base::grouped(ours)
        ))
    }

    /// α.
    pub fn alpha(&self) -> f64 {
        self.alpha.unwrap_or(2.0 * self.rank as f64)
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
            "target_modules" => Some(modules(&self.target_modules)),
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
            ("target_modules", Value::Set(names)) => self.target_modules = targets(&names),
            ("layers", Value::Blocks(layers)) => self.layers = layers,
            ("use_rslora", Value::Flag(on)) => self.use_rslora = on,
            ("lora_dropout", Value::Number(share)) => self.lora_dropout = share,
            _ => {}
        }
    }

    fn check(&self, shape: &Shape, _task_tokens: usize) -> Result<(), Fault> {
        check_rank(self.rank, shape)?;
        self.layers.check(shape)
    }

    fn count(&self, shape: &Shape) -> Count {
        let n = self.layers.list(shape.model.num_hidden_layers).len();
        let groups = by_shape(&self.target_modules, &shape.model);
        Count::new(groups.into_iter().map(|((inputs, outputs), k)| {
            Term::new(
                "A and B of each chosen matrix",
                format!("{} × {} × ({inputs} + {outputs})", blocks_and_matrices(n, k), self.rank),
                n * k * self.rank * (inputs + outputs),
            )
        }))
    }

    fn sites(&self, model: &ModelConfig) -> Vec<Site> {
        matrices(&self.layers, &self.target_modules, model)
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

    fn note(&self, shape: &Shape) -> Option<String> {
        self.fused(shape).filter(|_| shape.model.is_gpt2())
    }

    fn trace(&self, ask: Hook, model: &ModelConfig, tape: &mut Tape) -> Option<Var> {
        let Hook::Update { at, x, y } = ask else { return None };
        let wanted =
            self.target_modules.contains(&at.target) && self.layers.list(model.num_hidden_layers).contains(&at.block);
        wanted.then(|| {
            // What dropout multiplies with is a tensor of its own.
            let x = if self.lora_dropout > 0.0 {
                let mask = tape.data(x.elements);
                tape.multiply(x, mask)
            } else {
                x
            };
            let (name, (inputs, outputs)) = (ModulePath::Linear(at.block, at.target).key(), at.shape);
            let a = tape.phi(&format!("{name} A"), inputs * self.rank);
            let b = tape.phi(&format!("{name} B"), self.rank * outputs);
            tape.add_low_rank(y, x, [a, b], at.rows, at.shape, self.rank)
        })
    }

    fn learning_rate(&self, task: &str, _base: &str) -> f64 {
        match task {
            // α/r stays 2 by default, so the update of a step grows with rank and matrices: at 2e-2 rank 64 breaks.
            "rules" if self.rank * self.target_modules.len() <= 32 && !self.use_rslora => 2e-2,
            "rules" => 1e-2,
            _ => 5e-3,
        }
    }

    fn label(&self) -> String {
        let name = if self.use_rslora { "rsLoRA" } else { "LoRA" };
        if self.layers.is_all() {
            format!("{name} r {}", self.rank)
        } else {
            format!("{name} r {} in {}", self.rank, self.layers)
        }
    }
}
