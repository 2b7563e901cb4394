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

use crate::model::{ModelConfig, ModulePath, NormKind, ParamKind, TensorInfo};
use crate::peft::{Count, MORE, Method, MethodInfo, MethodKind, Shape, Term, Value, rates, sums};

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

    fn formula(&self, model: &ModelConfig) -> &'static str {
        match model.norm.kind {
            NormKind::Layer => INFO.formula,
            NormKind::Root => "⟨γ⟩ ⊙ x/rms(x)",
        }
    }

    fn summary(&self, model: &ModelConfig) -> &'static str {
        match model.norm.kind {
            NormKind::Layer => INFO.summary,
            NormKind::Root => {
                "Trains the scale of every RMSNorm, which has no bias: one number for each dimension at each place."
            }
        }
    }

    fn get(&self, _knob: &str) -> Option<Value> {
        None
    }

    fn set(&mut self, _knob: &str, _value: Value) {}

    fn count(&self, shape: &Shape) -> Count {
        let (m, n) = (&shape.model, shape.model.num_hidden_layers as u64);
        let (norms, last, kind) = (sums::norms(m), sums::final_norm(m), m.norm.kind.title());
        let what = match (m.norm.kind, m.normed_heads) {
            (NormKind::Layer, _) => format!("two {kind}s: scale and bias"),
            (NormKind::Root, false) => format!("two {kind}s: a scale"),
            (NormKind::Root, true) => format!("two {kind}s, and those of queries and keys: a scale"),
        };
        let product = match m.normed_heads {
            true => format!("{n} blocks × ({})", norms.written),
            false => format!("{n} blocks × {}", norms.written),
        };
        Count::new([
            Term::new(what, product, n * norms.value),
            Term::new(format!("final {kind}"), last.written, last.value),
        ])
    }

    fn copies(&self, place: ModulePath, _piece: ParamKind, _model: &ModelConfig) -> bool {
        place.is_norm()
    }

    fn tensors(&self, shape: &Shape) -> Vec<TensorInfo> {
        let model = &shape.model;
        let norms = ModulePath::all(model).filter(|place| place.is_norm());
        let pieces = norms.flat_map(|place| place.pieces(model).iter().map(move |piece| (place, *piece)));
        let named = |(place, piece): (ModulePath, ParamKind)| {
            let elements = place.elements(piece, model) as usize;
            TensorInfo::new(format!("{}.ln_tuning_layers.{}", place.key(), piece.name()), [elements])
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

    fn learning_rate(&self, task: &str, base: &str) -> f64 {
        rates::of_norms(task, base)
    }
}
