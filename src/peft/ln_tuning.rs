//! LN tuning (Zhao et al. 2023): only the LayerNorms' scales and biases are trained.

use super::{Count, Kind, Method, MethodInfo, Piece, Place, Shape, TensorInfo, Term, Value};
use crate::model::ModelConfig;

/// A trainable copy of every LayerNorm. No knobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LnTuning;

static INFO: MethodInfo = MethodInfo {
    name: "ln-tuning",
    title: "LN tuning",
    kind: Kind::Parameter,
    paper: "Zhao et al., Tuning LayerNorm in Attention: Towards Efficient Multi-Modal LLM Finetuning, 2023",
    formula: "⟨γ⟩ ⊙ (x − μ)/σ + ⟨β⟩",
    summary: "Trains the scale and bias of every LayerNorm: two numbers for each dimension at each place.",
    knobs: &[],
    merges: Ok(()),
    dial: Ok(()),
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
        let (d, n) = (shape.model.hidden_size, shape.model.num_hidden_layers);
        Count::new([
            Term::new("two LayerNorms: scale and bias", format!("{n} blocks × 2 × 2 × {d}"), n * 4 * d),
            Term::new("final LayerNorm", format!("2 × {d}"), 2 * d),
        ])
    }

    fn copies(&self, place: Place, _piece: Piece, _model: &ModelConfig) -> bool {
        matches!(place, Place::AttentionNorm(_) | Place::MlpNorm(_) | Place::FinalNorm)
    }

    fn tensors(&self, shape: &Shape) -> Vec<TensorInfo> {
        let model = &shape.model;
        let norms = Place::all(model.num_hidden_layers).filter(|place| place.pieces().contains(&Piece::Scale));
        let pieces = norms.flat_map(|place| [(place, "weight"), (place, "bias")]);
        let named = |(place, piece): (Place, &str)| {
            TensorInfo::new(format!("{}.ln_tuning_layers.{piece}", place.key()), [model.hidden_size])
        };
        pieces.map(named).collect()
    }

    fn learning_rate(&self, task: &str, _base: &str) -> f64 {
        if task == "rules" { 2e-1 } else { 1e-2 }
    }
}

#[cfg(feature = "train")]
pub(crate) mod phi {
    pub use crate::peft::copies::Copies as Phi;
}
