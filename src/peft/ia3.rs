//! (IA)³ (Liu et al. 2022): trained factors on keys, values and the MLP's inner activations.

use super::lora;
use super::{
    Ask, Blocks, Count, Fault, Kind, Knob, Method, MethodInfo, Piece, Place, Range, Shape, Spot, Target, TensorInfo,
    Term, Value,
};
use crate::ledger::tape::{Tape, Var};
use crate::model::ModelConfig;

/// l ⊙ (Wx + b) behind the chosen layers, and W₂(l ⊙ x) in front of fc2; every l starts at one.
#[derive(Clone, Debug, PartialEq)]
pub struct Ia3 {
    pub target_modules: Vec<Target>,
    pub layers: Blocks,
}

impl Default for Ia3 {
    fn default() -> Self {
        Ia3 { target_modules: vec![Target::K, Target::V, Target::Fc2], layers: Blocks::default() }
    }
}

static INFO: MethodInfo = MethodInfo {
    name: "ia3",
    title: "(IA)³",
    kind: Kind::Function,
    paper: "Liu et al., Few-Shot Parameter-Efficient Fine-Tuning is Better and Cheaper than In-Context Learning, 2022",
    formula: "⟨l_K⟩ ⊙ K,  ⟨l_V⟩ ⊙ V,  W₂(⟨l_ff⟩ ⊙ σ(W₁x))",
    summary: "Stretches or shrinks single dimensions of keys, values and the MLP's inner vector: one factor each.",
    knobs: &[
        Knob {
            name: "target_modules",
            label: "On",
            help: "Whose outputs are rescaled; for fc2 it is the input.",
            range: Range::Set(&Target::OPTIONS),
        },
        Blocks::KNOB,
    ],
    merges: Ok(()),
    dial: Ok(()),
};

/// Numbers that l holds at a layer: its outputs, for fc2 its inputs.
fn width(target: Target, model: &ModelConfig) -> usize {
    let (inputs, outputs) = target.shape(model);
    if target == Target::Fc2 { inputs } else { outputs }
}

impl Method for Ia3 {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn get(&self, knob: &str) -> Option<Value> {
        match knob {
            "target_modules" => Some(lora::modules(&self.target_modules)),
            "layers" => Some(Value::Blocks(self.layers.clone())),
            _ => None,
        }
    }

    fn set(&mut self, knob: &str, value: Value) {
        match (knob, value) {
            ("target_modules", Value::Set(names)) => self.target_modules = lora::targets(&names),
            ("layers", Value::Blocks(layers)) => self.layers = layers,
            _ => {}
        }
    }

    fn check(&self, shape: &Shape, _task_tokens: usize) -> Result<(), Fault> {
        self.layers.check(shape)
    }

    fn count(&self, shape: &Shape) -> Count {
        let (n, d) = (self.layers.list(shape.model.num_hidden_layers).len(), shape.model.hidden_size);
        let wide = self.target_modules.iter().filter(|t| matches!(t, Target::Fc1 | Target::Fc2)).count();
        let narrow = self.target_modules.len() - wide;
        let f = shape.model.ffn_dim;
        let mut sum = Vec::new();
        sum.extend((narrow > 0).then(|| format!("{narrow} × {d}")));
        sum.extend((wide > 0).then(|| format!("{wide} × {f}")));
        let unit = if n == 1 { "block" } else { "blocks" };
        let product = format!("{n} {unit} × ({})", sum.join(" + "));
        Count::new([Term::new("a factor for each dimension", product, n * (narrow * d + wide * f))])
    }

    fn spots(&self, model: &ModelConfig) -> Vec<Spot> {
        let matrices = lora::matrices(&self.layers, &self.target_modules, model);
        // A factor behind a layer rescales its bias too.
        let biases = matrices.clone().into_iter().filter_map(|spot| match spot {
            Spot::Weight(place @ Place::Linear(_, target), _) if target != Target::Fc2 => {
                Some(Spot::Weight(place, Piece::Bias))
            }
            _ => None,
        });
        matrices.into_iter().chain(biases).collect()
    }

    fn tensors(&self, shape: &Shape) -> Vec<TensorInfo> {
        let layers = self.layers.list(shape.model.num_hidden_layers).into_iter();
        let places = layers.flat_map(|layer| self.target_modules.iter().map(move |target| (layer, *target)));
        places
            .map(|(layer, target)| {
                let n = width(target, &shape.model);
                let shape = if target == Target::Fc2 { [1, n] } else { [n, 1] };
                TensorInfo::new(format!("{}.ia3_l", Place::Linear(layer, target).key()), shape)
            })
            .collect()
    }

    fn trace(&self, ask: Ask, model: &ModelConfig, tape: &mut Tape) -> Option<Var> {
        let (at, x) = match ask {
            Ask::Input(at, x) if at.target == Target::Fc2 => (at, x),
            Ask::Update { at, y, .. } if at.target != Target::Fc2 => (at, y),
            _ => return None,
        };
        let wanted =
            self.target_modules.contains(&at.target) && self.layers.list(model.num_hidden_layers).contains(&at.block);
        wanted.then(|| {
            let factor = tape.phi(&Place::Linear(at.block, at.target).key(), width(at.target, model));
            tape.multiply(x, factor)
        })
    }

    fn learning_rate(&self, task: &str, _base: &str) -> f64 {
        if task == "rules" { 1e-1 } else { 3e-2 }
    }
}

#[cfg(feature = "train")]
pub(crate) mod phi {
    use super::{Ia3, width};
    use crate::peft::Target;
    use crate::peft::phi::{Composition, InitContext, Linear};
    use burn::module::{Module, Param};
    use burn::tensor::Tensor;

    /// A factor for each of `places`.
    #[derive(Module, Debug)]
    pub struct Phi {
        factors: Vec<Param<Tensor<1>>>,
        #[module(skip)]
        places: Vec<(usize, Target)>,
    }

    impl Phi {
        pub fn init(config: &Ia3, context: &mut InitContext<'_>) -> Phi {
            let shape = context.theta.config.clone();
            let layers = config.layers.list(shape.num_hidden_layers).into_iter();
            let places: Vec<(usize, Target)> =
                layers.flat_map(|layer| config.target_modules.iter().map(move |target| (layer, *target))).collect();
            let factor = |(_, target): &(usize, Target)| {
                let n = width(*target, &shape);
                context.constant(vec![1.0; n], [n])
            };
            Phi { factors: places.iter().map(factor).collect(), places }
        }

        fn at(&self, at: Linear<'_>) -> Option<Tensor<1>> {
            let place = self.places.iter().position(|place| *place == (at.layer, at.target))?;
            Some(self.factors[place].val())
        }
    }

    fn scaled(x: &Tensor<3>, factor: Tensor<1>) -> Tensor<3> {
        let n = factor.dims()[0];
        x.clone() * factor.reshape([1, 1, n])
    }

    impl Composition for Phi {
        fn input(&self, at: Linear<'_>, x: &Tensor<3>) -> Option<Tensor<3>> {
            (at.target == Target::Fc2).then(|| self.at(at)).flatten().map(|factor| scaled(x, factor))
        }

        fn update(&self, at: Linear<'_>, _x: &Tensor<3>, y: &Tensor<3>) -> Option<Tensor<3>> {
            (at.target != Target::Fc2).then(|| self.at(at)).flatten().map(|factor| scaled(y, factor))
        }

        fn merged(&self, at: Linear<'_>) -> Option<(Tensor<2>, Tensor<1>)> {
            let factor = self.at(at)?;
            let n = factor.dims()[0];
            Some(match at.target {
                Target::Fc2 => (at.weight.clone() * factor.reshape([n, 1]), at.bias.clone()),
                _ => (at.weight.clone() * factor.clone().reshape([1, n]), at.bias.clone() * factor),
            })
        }
    }
}
