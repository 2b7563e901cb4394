//! BitFit (Ben-Zaken et al. 2022): only the biases are trained.

use super::{Count, Kind, Method, MethodInfo, Piece, Place, Shape, Term, Value};

/// BitFit over all biases: of the projections, the MLP and the LayerNorms.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BitFit;

static INFO: MethodInfo = MethodInfo {
    name: "bitfit",
    title: "BitFit",
    kind: Kind::Parameter,
    paper: "Ben-Zaken et al., BitFit: Simple Parameter-efficient Fine-tuning for Transformer-based Masked Language-models, 2022",
    formula: "h = W₀x + ⟨b⟩",
    summary: "Trains the biases and leaves every matrix alone.",
    knobs: &[],
    merges: Ok(()),
};

impl Method for BitFit {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn get(&self, _knob: &str) -> Option<Value> {
        None
    }

    fn set(&mut self, _knob: &str, _value: Value) {}

    fn count(&self, shape: &Shape) -> Count {
        let m = &shape.model;
        let (d, f, n) = (m.hidden_size, m.ffn_dim, m.num_hidden_layers);
        Count::new([
            Term::new(
                "biases of W_Q W_K W_V W_O, two LayerNorms, fc1, fc2",
                format!("{n} blocks × (4 × {d} + 2 × {d} + {f} + {d})"),
                n * (4 * d + 2 * d + f + d),
            ),
            Term::new("bias of the final LayerNorm", format!("{d}"), d),
        ])
    }

    fn copies(&self, _place: Place, piece: Piece) -> bool {
        piece == Piece::Bias
    }

    fn learning_rate(&self, task: &str, _base: &str) -> f64 {
        if task == "rules" { 3e-2 } else { 1e-2 }
    }
}

#[cfg(feature = "train")]
pub(crate) mod phi {
    pub use crate::peft::copies::Copies as Phi;
}
