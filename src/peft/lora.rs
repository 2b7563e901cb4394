//! LoRA (Hu et al. 2022): a low-rank update beside chosen matrices.

use super::{Count, Fault, Kind, Knob, Method, MethodInfo, Range, Shape, Target, Term, Value};

/// h = W₀x + (α/r)·B(Ax), with A ∈ ℝ^{r×in} random and B ∈ ℝ^{out×r} zero at the start.
#[derive(Clone, Debug, PartialEq)]
pub struct Lora {
    pub rank: usize,
    /// `lora_alpha`; `None` keeps it at twice the rank.
    pub alpha: Option<f64>,
    /// In [`Target`]'s order, not empty.
    pub target_modules: Vec<Target>,
}

impl Default for Lora {
    fn default() -> Self {
        Lora { rank: 4, alpha: None, target_modules: vec![Target::Q, Target::V] }
    }
}

impl Lora {
    /// α/r, the factor of the update.
    pub fn scaling(&self) -> f64 {
        self.alpha() / self.rank as f64
    }

    fn alpha(&self) -> f64 {
        self.alpha.unwrap_or(2.0 * self.rank as f64)
    }
}

static INFO: MethodInfo = MethodInfo {
    name: "lora",
    title: "LoRA",
    kind: Kind::Parameter,
    paper: "Hu et al., LoRA: Low-Rank Adaptation of Large Language Models, 2022",
    formula: "h = W₀x + ⟨(α/r)·B A x⟩",
    summary: "Learns a low-rank change of chosen matrices; merged into them, it costs nothing at inference.",
    knobs: &[
        Knob {
            name: "rank",
            label: "Rank",
            help: "r, the inner dimension of B·A.",
            range: Range::Integer { min: 1, max: 128, steps: &[1, 2, 4, 8, 16, 32, 64] },
        },
        Knob {
            name: "alpha",
            label: "Alpha",
            help: "The update is scaled by alpha / rank; left alone, alpha stays twice the rank.",
            range: Range::Number { min: 0.01, max: 1024.0 },
        },
        Knob {
            name: "target_modules",
            label: "On",
            help: "Which matrices of each block get an update.",
            range: Range::Set(&Target::OPTIONS),
        },
    ],
    merges: Ok(()),
};

impl Method for Lora {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn get(&self, knob: &str) -> Option<Value> {
        match knob {
            "rank" => Some(Value::Integer(self.rank)),
            "alpha" => Some(Value::Number(self.alpha())),
            "target_modules" => Some(Value::Set(self.target_modules.iter().map(|t| t.module().to_string()).collect())),
            _ => None,
        }
    }

    fn set(&mut self, knob: &str, value: Value) {
        match (knob, value) {
            ("rank", Value::Integer(rank)) => self.rank = rank,
            ("alpha", Value::Number(alpha)) => self.alpha = Some(alpha),
            ("target_modules", Value::Set(names)) => {
                self.target_modules = names.iter().filter_map(|n| Target::from_module(n)).collect();
            }
            _ => {}
        }
    }

    fn check(&self, shape: &Shape, _task_tokens: usize) -> Result<(), Fault> {
        let width = shape.model.hidden_size;
        if self.rank > width {
            let message =
                format!("Rank {} is more than the width {width} of this base: no matrix has a higher rank.", self.rank);
            return Err(Fault::new("rank", message));
        }
        Ok(())
    }

    fn count(&self, shape: &Shape) -> Count {
        let n = shape.model.num_hidden_layers;
        // Matrices of one shape share a term; the shapes in order of appearance.
        let mut groups: Vec<((usize, usize), usize)> = Vec::new();
        for target in &self.target_modules {
            let size = target.shape(&shape.model);
            match groups.iter_mut().find(|(s, _)| *s == size) {
                Some((_, matrices)) => *matrices += 1,
                None => groups.push((size, 1)),
            }
        }
        Count::new(groups.into_iter().map(|((inputs, outputs), k)| {
            let unit = if k == 1 { "matrix" } else { "matrices" };
            Term::new(
                "A and B of each chosen matrix",
                format!("{n} blocks × {k} {unit} × {} × ({inputs} + {outputs})", self.rank),
                n * k * self.rank * (inputs + outputs),
            )
        }))
    }

    fn learning_rate(&self, task: &str, _base: &str) -> f64 {
        match task {
            // α/r stays 2 by default, so the update of a step grows with rank and matrices: at 2e-2 rank 64 breaks.
            "rules" if self.rank * self.target_modules.len() <= 32 => 2e-2,
            "rules" => 1e-2,
            _ => 5e-3,
        }
    }

    fn label(&self) -> String {
        format!("LoRA r {}", self.rank)
    }
}

#[cfg(feature = "train")]
pub(crate) mod phi {
    use super::Lora;
    use crate::model::kernels::add_low_rank;
    use crate::peft::Target;
    use crate::peft::phi::{Composition, InitContext};
    use burn::module::{Module, Param};
    use burn::tensor::Tensor;

    /// One update: `a` is `[inputs, rank]` and `b` is `[rank, outputs]`, PEFT's A and B transposed.
    #[derive(Module, Debug)]
    struct LowRank {
        a: Param<Tensor<2>>,
        b: Param<Tensor<2>>,
    }

    /// The updates of each block, in the order of `targets`.
    #[derive(Module, Debug)]
    pub struct Phi {
        blocks: Vec<Vec<LowRank>>,
        #[module(skip)]
        targets: Vec<Target>,
        #[module(skip)]
        scaling: f64,
    }

    impl Phi {
        /// A as `nn.Linear` starts in PyTorch (Kaiming uniform with a = √5: bound 1/√inputs), B zero.
        pub fn init(config: &Lora, context: &mut InitContext<'_>) -> Phi {
            let shape = context.theta.config.clone();
            let mut update = |target: &Target| {
                let (inputs, outputs) = target.shape(&shape);
                LowRank {
                    a: context.uniform([inputs, config.rank], (inputs as f32).sqrt().recip()),
                    b: context.zeros([config.rank, outputs]),
                }
            };
            let blocks = (0..shape.num_hidden_layers).map(|_| config.target_modules.iter().map(&mut update).collect());
            Phi { blocks: blocks.collect(), targets: config.target_modules.clone(), scaling: config.scaling() }
        }
    }

    impl Composition for Phi {
        /// y + (α/r)·B(Ax)
        fn update(&self, layer: usize, target: Target, x: &Tensor<3>, y: Tensor<3>) -> Tensor<3> {
            let Some(place) = self.targets.iter().position(|t| *t == target) else { return y };
            let LowRank { a, b } = &self.blocks[layer][place];
            add_low_rank(y, x.clone(), a.val(), b.val(), self.scaling)
        }
    }
}
