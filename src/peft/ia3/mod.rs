//! (IA)³ (Liu et al. 2022): trained factors on keys, values and the MLP's inner activations.

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
use crate::model::{ModelConfig, ModulePath, ParamKind, Site, Target, TensorInfo};
use crate::peft::sums::{Sum, grouped_by};
use crate::peft::{
    Blocks, Count, Knob, MORE, Method, MethodInfo, MethodKind, Range, Shape, Term, Value, factors, matrices, rates,
};

/// l ⊙ (Wx + b) behind the chosen layers, and W₂(l ⊙ x) in front of fc2; every l starts at one.
#[derive(Clone, Debug, PartialEq)]
pub struct Ia3 {
    /// In [`Target`]'s order, not empty.
    pub target_modules: Vec<Target>,
    /// In which blocks.
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
    kind: MethodKind::Function,
    paper: "Liu et al., Few-Shot Parameter-Efficient Fine-Tuning is Better and Cheaper than In-Context Learning, 2022",
    formula: "⟨l_K⟩ ⊙ K,  ⟨l_V⟩ ⊙ V,  W₂(⟨l_ff⟩ ⊙ σ(W₁x))",
    summary: "Stretches or shrinks single dimensions of keys, values and the MLP's inner vector: one factor each.",
    knobs: &[
        Knob {
            name: "target_modules",
            label: "On",
            help: "Whose outputs are rescaled; for the MLP's last matrix it is the input.",
            range: Range::Set(&Target::OPTIONS),
            ..Knob::PLAIN
        },
        Blocks::KNOB,
    ],
    in_peft: true,
    merges: Ok(()),
    dial: Ok(()),
    checked: "finite differences, PEFT",
};

/// Numbers that l holds at a layer: its outputs, for fc2 its inputs.
fn width(target: Target, model: &ModelConfig) -> usize {
    let (inputs, outputs) = target.shape(model);
    if target == Target::Fc2 { inputs } else { outputs }
}

impl Ia3 {
    fn blocks(&self, model: &ModelConfig) -> impl Iterator<Item = usize> {
        self.layers.list(model.num_hidden_layers).into_iter()
    }
}

impl Method for Ia3 {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn formula(&self, model: &ModelConfig) -> &'static str {
        match model.gated {
            false => INFO.formula,
            true => "⟨l_K⟩ ⊙ K,  ⟨l_V⟩ ⊙ V,  W_down(⟨l_ff⟩ ⊙ SiLU(W_gate x) ⊙ W_up x)",
        }
    }

    fn get(&self, knob: &str) -> Option<Value> {
        match knob {
            "target_modules" => Some(matrices::modules(&self.target_modules)),
            "layers" => Some(Value::Blocks(self.layers.clone())),
            _ => None,
        }
    }

    fn set(&mut self, knob: &str, value: Value) {
        match (knob, value) {
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
        let groups = grouped_by(&self.target_modules, |target| width(*target, &shape.model));
        let sum =
            Sum::of(groups.into_iter().map(|(width, k)| Sum {
                written: format!("{k} × {width}"),
                value: factors([k, width]).iter().product(),
            }));
        let unit = if n == 1 { "block" } else { "blocks" };
        let product = format!("{n} {unit} × ({})", sum.written);
        Count::new([Term::new("a factor for each dimension", product, n as u64 * sum.value)])
    }

    fn sites(&self, model: &ModelConfig) -> Vec<Site> {
        let matrices = matrices::sites(&self.layers, &self.target_modules, model);
        // A factor behind a layer rescales its bias too.
        let biases = matrices.clone().into_iter().filter_map(|spot| match spot {
            Site::Weight(place @ ModulePath::Linear(_, target), _) if target != Target::Fc2 => {
                place.pieces(model).contains(&ParamKind::Bias).then_some(Site::Weight(place, ParamKind::Bias))
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
                TensorInfo::new(format!("{}.ia3_l", ModulePath::Linear(layer, target).key()), shape)
            })
            .collect()
    }

    fn advice(&self, _outside: bool) -> &'static str {
        MORE
    }

    fn learning_rate(&self, task: &str, base: &str) -> f64 {
        rates::of(task, base, [1e-1, 3e-2, 5e-3])
    }
}
