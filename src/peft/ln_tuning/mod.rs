//! LN tuning (Zhao et al. 2023): only the LayerNorms' scales and biases are trained.

#[cfg(feature = "train")]
mod adapter_file;
mod cost;
mod overlay;
#[cfg(feature = "train")]
pub(crate) mod phi;
mod python;
#[cfg(all(test, feature = "train", not(target_arch = "wasm32")))]
mod tests;

use crate::model::{ModelConfig, ModulePath, ParamKind, TensorInfo};
use crate::peft::{Count, MORE, Method, MethodInfo, MethodKind, Shape, Term, Value, factors, rates};

/// A trainable copy of every LayerNorm. No knobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LnTuning;

static INFO: MethodInfo = MethodInfo {
    name: "ln-tuning",
    title: "LN tuning",
    kind: MethodKind::Parameter,
    paper: "Zhao et al., Tuning LayerNorm in Attention: Towards Efficient Multi-Modal LLM Finetuning, 2023",
    formula: "⟨γ⟩ ⊙ (x − μ)/σ + ⟨β⟩",
    summary: "Trains the scale and bias of every LayerNorm: two numbers for each dimension at each place.",
    knobs: &[],
    in_peft: true,
    merges: Ok(()),
    dial: Ok(()),
    checked: "finite differences, PEFT",
};

impl Method for LnTuning {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn get(&self, _knob: &str) -> Option<Value> {
        None
    }

    fn set(&mut self, _knob: &str, _value: Value) {}

    fn count(&self, shape: &Shape) -> Count {
        let [d, n] = factors([shape.model.hidden_size, shape.model.num_hidden_layers]);
        Count::new([
            Term::new("two LayerNorms: scale and bias", format!("{n} blocks × 2 × 2 × {d}"), n * 4 * d),
            Term::new("final LayerNorm", format!("2 × {d}"), 2 * d),
        ])
    }

    fn copies(&self, place: ModulePath, _piece: ParamKind, _model: &ModelConfig) -> bool {
        matches!(place, ModulePath::AttentionNorm(_) | ModulePath::MlpNorm(_) | ModulePath::FinalNorm)
    }

    fn tensors(&self, shape: &Shape) -> Vec<TensorInfo> {
        let model = &shape.model;
        let norms = ModulePath::all(model.num_hidden_layers).filter(|place| place.pieces().contains(&ParamKind::Scale));
        let pieces = norms.flat_map(|place| [(place, "weight"), (place, "bias")]);
        let named = |(place, piece): (ModulePath, &str)| {
            TensorInfo::new(format!("{}.ln_tuning_layers.{piece}", place.key()), [model.hidden_size])
        };
        pieces.map(named).collect()
    }

    /// PEFT keeps the frozen LayerNorms beside the trained ones and counts both.
    fn added(&self, shape: &Shape) -> u64 {
        self.count(shape).total()
    }

    fn advice(&self, _outside: bool) -> &'static str {
        MORE
    }

    fn learning_rate(&self, task: &str, _base: &str) -> f64 {
        rates::of_norms(task)
    }
}
