//! DoRA (Liu et al. 2024): LoRA for the direction of a matrix's rows, a trained length for each of them.

use super::lora::{self, ALPHA, RANK, TARGETS};
use super::{
    Ask, Blocks, Count, Fault, Kind, Lora, Method, MethodInfo, Place, Shape, Spot, Target, TensorInfo, Term, Value,
};
use crate::ledger::tape::{Tape, Var};
use crate::model::ModelConfig;

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
    kind: Kind::Parameter,
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

    fn spots(&self, model: &ModelConfig) -> Vec<Spot> {
        lora::matrices(&self.layers, &self.target_modules, model)
    }

    fn tensors(&self, shape: &Shape) -> Vec<TensorInfo> {
        let mut tensors = Vec::new();
        for layer in self.layers.list(shape.model.num_hidden_layers) {
            for target in &self.target_modules {
                let (inputs, outputs) = target.shape(&shape.model);
                let key = Place::Linear(layer, *target).key();
                tensors.push(TensorInfo::transposed(format!("{key}.lora_A.weight"), self.rank, inputs));
                tensors.push(TensorInfo::transposed(format!("{key}.lora_B.weight"), outputs, self.rank));
                tensors.push(TensorInfo::new(format!("{key}.lora_magnitude_vector"), [outputs]));
            }
        }
        tensors
    }

    fn trace(&self, ask: Ask, model: &ModelConfig, tape: &mut Tape) -> Option<Var> {
        let y = self.lora().trace(ask, model, tape)?;
        let Ask::Update { at, .. } = ask else { return None };
        let (name, (inputs, outputs)) = (Place::Linear(at.block, at.target).key(), at.shape);
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

#[cfg(feature = "train")]
pub(crate) mod phi {
    use super::Dora;
    use crate::model::kernels::add_low_rank;
    use crate::peft::Target;
    use crate::peft::phi::{Composition, InitContext, Linear};
    use burn::module::{Module, Param};
    use burn::tensor::Tensor;

    /// One matrix: `a` is `[inputs, rank]`, `b` `[rank, outputs]`, `magnitude` `[outputs]`.
    #[derive(Module, Debug)]
    struct Decomposed {
        a: Param<Tensor<2>>,
        b: Param<Tensor<2>>,
        magnitude: Param<Tensor<1>>,
    }

    /// One for each of `places`.
    #[derive(Module, Debug)]
    pub struct Phi {
        updates: Vec<Decomposed>,
        #[module(skip)]
        places: Vec<(usize, Target)>,
        #[module(skip)]
        scaling: f64,
    }

    /// Lengths of a matrix `[inputs, outputs]`'s columns, which are the rows of PyTorch's.
    fn lengths(weight: Tensor<2>) -> Tensor<1> {
        let outputs = weight.dims()[1];
        weight.powi_scalar(2).sum_dim(0).sqrt().reshape([outputs])
    }

    impl Phi {
        /// A and B as LoRA's, the lengths θ's.
        pub fn init(config: &Dora, context: &mut InitContext<'_>) -> Phi {
            let shape = context.theta.config.clone();
            let (mut updates, mut places) = (Vec::new(), Vec::new());
            for layer in config.layers.list(shape.num_hidden_layers) {
                for target in &config.target_modules {
                    let (inputs, outputs) = target.shape(&shape);
                    let theta = context.theta.weights.blocks[layer].linear(*target).weight.val();
                    updates.push(Decomposed {
                        a: context.uniform([inputs, config.rank], (inputs as f32).sqrt().recip()),
                        b: context.zeros([config.rank, outputs]),
                        magnitude: Param::from_tensor(lengths(theta).autodiff()),
                    });
                    places.push((layer, *target));
                }
            }
            Phi { updates, places, scaling: config.lora().scaling() }
        }

        fn at(&self, at: Linear<'_>) -> Option<&Decomposed> {
            let place = self.places.iter().position(|place| *place == (at.layer, at.target))?;
            Some(&self.updates[place])
        }

        /// W₀ + s·BA and m/‖W₀ + s·BA‖, the length taken as a constant, as the paper does (section 4.3).
        fn direction(&self, at: Linear<'_>, update: &Decomposed) -> (Tensor<2>, Tensor<1>) {
            let (a, b) = (update.a.val().detach(), update.b.val().detach());
            let moved = at.weight.clone() + a.matmul(b).mul_scalar(self.scaling);
            let factor = update.magnitude.val() / lengths(moved.clone());
            (moved, factor)
        }
    }

    impl Composition for Phi {
        /// With g = m/‖W₀ + s·BA‖: g ⊙ (W₀x + s·B(Ax)) + b; `y` has the bias already.
        fn update(&self, at: Linear<'_>, x: &Tensor<3>, y: &Tensor<3>) -> Option<Tensor<3>> {
            let update = self.at(at)?;
            let (_, factor) = self.direction(at, update);
            let moved = add_low_rank(y.clone(), x.clone(), update.a.val(), update.b.val(), self.scaling);
            let bias = at.bias.clone().reshape([1, 1, at.bias.dims()[0]]);
            let factor = factor.reshape([1, 1, at.bias.dims()[0]]);
            Some((moved - bias.clone()) * factor + bias)
        }

        fn merged(&self, at: Linear<'_>) -> Option<(Tensor<2>, Tensor<1>)> {
            let (moved, factor) = self.direction(at, self.at(at)?);
            let outputs = factor.dims()[0];
            Some((moved * factor.reshape([1, outputs]), at.bias.clone()))
        }
    }
}
