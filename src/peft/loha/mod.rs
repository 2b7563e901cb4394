//! LoHa (Hyeon-Woo et al. 2022): an update of chosen matrices that is the element-wise product of two low-rank ones.

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
use crate::bases::Base;
use crate::model::{ModelConfig, ModulePath, Site, Target, TensorInfo};
use crate::peft::{Blocks, Count, MORE, Method, MethodInfo, MethodKind, Shape, Term, Value, factors, matrices};

/// h = W₀x + s·(B₁A₁ ⊙ B₂A₂)x with A ∈ ℝ^{r×in} and B ∈ ℝ^{out×r}; s = α/r. A product of two matrices of rank r, element by
/// element, has rank up to r². A₂ is zero at the start, the others are random, as in PEFT.
#[derive(Clone, Debug, PartialEq)]
pub struct Loha {
    /// r, rows of each A and columns of each B.
    pub rank: usize,
    /// `alpha`; `None` keeps it at twice the rank.
    pub alpha: Option<f64>,
    /// In [`Target`]'s order, not empty.
    pub target_modules: Vec<Target>,
    /// In which blocks.
    pub layers: Blocks,
}

impl Default for Loha {
    fn default() -> Self {
        Loha { rank: 4, alpha: None, target_modules: vec![Target::Q, Target::V], layers: Blocks::default() }
    }
}

static INFO: MethodInfo = MethodInfo {
    name: "loha",
    title: "LoHa",
    kind: MethodKind::Parameter,
    paper: "Hyeon-Woo et al., FedPara: Low-Rank Hadamard Product for Communication-Efficient Federated Learning, 2022",
    formula: "h = W₀x + ⟨(α/r)·(B₁A₁ ⊙ B₂A₂)⟩ x",
    summary: "Multiplies two low-rank changes element by element: from twice LoRA's numbers a change of rank up to r².",
    knobs: &[matrices::RANK, matrices::ALPHA, matrices::TARGETS, Blocks::KNOB],
    in_peft: true,
    merges: Ok(()),
    dial: Ok(()),
    checked: "finite differences, PEFT",
};

impl Loha {
    /// The factor of the update, α/r.
    pub fn scaling(&self) -> f64 {
        self.alpha() / self.rank as f64
    }

    /// α.
    pub fn alpha(&self) -> f64 {
        matrices::alpha(self.alpha, self.rank)
    }
}

impl Method for Loha {
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
                "two pairs of A and B of each chosen matrix",
                format!("{} × 2 × {} × ({inputs} + {outputs})", matrices::blocks_and_matrices(n, k), self.rank),
                2 * factors([n, k, self.rank, inputs + outputs]).iter().product::<u64>(),
            )
        }))
    }

    fn sites(&self, model: &ModelConfig) -> Vec<Site> {
        matrices::sites(&self.layers, &self.target_modules, model)
    }

    fn tensors(&self, shape: &Shape) -> Vec<TensorInfo> {
        let mut tensors = Vec::new();
        for block in self.layers.list(shape.model.num_hidden_layers) {
            for target in &self.target_modules {
                let (inputs, outputs) = target.shape(&shape.model);
                let key = ModulePath::Linear(block, *target).key();
                for pair in [1, 2] {
                    // PEFT's `a` is B, its `b` is A.
                    tensors.push(TensorInfo::transposed(format!("{key}.hada_w{pair}_a"), outputs, self.rank));
                    tensors.push(TensorInfo::transposed(format!("{key}.hada_w{pair}_b"), self.rank, inputs));
                }
            }
        }
        tensors
    }

    fn advice(&self, _outside: bool) -> &'static str {
        MORE
    }

    fn learning_rate(&self, task: &str, base: &str) -> f64 {
        match base {
            // Factors of a product of two updates: the product is smaller than they are.
            Base::PRETRAINED => 5e-3,
            _ => matrices::low_rank_rate(task, base, self.rank, self.target_modules.len()),
        }
    }

    fn label(&self) -> String {
        matrices::low_rank_label("LoHa", self.rank, &self.layers)
    }
}
