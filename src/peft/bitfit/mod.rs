//! BitFit (Ben-Zaken et al. 2022): only the biases are trained.

#[cfg(feature = "train")]
mod adapter_file;
mod cost;
mod overlay;
#[cfg(feature = "train")]
pub(crate) mod phi;
mod python;
#[cfg(all(test, feature = "train", not(target_arch = "wasm32")))]
mod tests;

use crate::model::{ModelConfig, ModulePath, ParamKind, Target};
use crate::peft::{Count, Knob, MORE, Method, MethodInfo, MethodKind, Range, Shape, Term, Value, factors};

/// BitFit over all biases, or those of chosen modules.
#[derive(Clone, Debug, PartialEq)]
pub struct BitFit {
    /// Linear layers whose bias is trained, in [`Target`]'s order.
    pub targets: Vec<Target>,
    /// Whether the LayerNorms' biases are trained too.
    pub norms: bool,
}

impl Default for BitFit {
    fn default() -> Self {
        BitFit { targets: Target::ALL.to_vec(), norms: true }
    }
}

const NORMS: &str = "norms";

static INFO: MethodInfo = MethodInfo {
    name: "bitfit",
    title: "BitFit",
    kind: MethodKind::Parameter,
    paper: "Ben-Zaken et al., BitFit: Simple Parameter-efficient Fine-tuning for Transformer-based Masked Language-models, 2022",
    formula: "h = W₀x + ⟨b⟩",
    summary: "Trains the biases and leaves every matrix alone.",
    knobs: &[Knob {
        name: "biases",
        label: "Biases",
        help: "Whose biases are trained; the paper's small variant has W_Q's and fc1's only.",
        range: Range::Set(&[
            ("q_proj", "W_Q"),
            ("k_proj", "W_K"),
            ("v_proj", "W_V"),
            ("out_proj", "W_O"),
            ("fc1", "fc1"),
            ("fc2", "fc2"),
            (NORMS, "norms"),
        ]),
        ..Knob::PLAIN
    }],
    in_peft: false,
    merges: Ok(()),
    dial: Ok(()),
    checked: "finite differences",
};

impl Method for BitFit {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn get(&self, knob: &str) -> Option<Value> {
        let mut names: Vec<String> = self.targets.iter().map(|t| t.module().to_string()).collect();
        names.extend(self.norms.then(|| NORMS.to_string()));
        (knob == "biases").then_some(Value::Set(names))
    }

    fn set(&mut self, _knob: &str, value: Value) {
        if let Value::Set(names) = value {
            self.targets = names.iter().filter_map(|n| Target::from_module(n)).collect();
            self.norms = names.iter().any(|n| n == NORMS);
        }
    }

    fn count(&self, shape: &Shape) -> Count {
        let m = &shape.model;
        let [d, f, n] = factors([m.hidden_size, m.ffn_dim, m.num_hidden_layers]);
        let wide = u64::from(self.targets.contains(&Target::Fc1));
        let narrow = self.targets.len() as u64 - wide;
        let norms = 2 * u64::from(self.norms);
        let mut sum = Vec::new();
        sum.extend((narrow > 0).then(|| format!("{narrow} × {d}")));
        sum.extend((norms > 0).then(|| format!("{norms} × {d}")));
        sum.extend((wide > 0).then(|| f.to_string()));
        let mut terms = vec![Term::new(
            "biases of the chosen linear layers, LayerNorms, fc1",
            format!("{n} blocks × ({})", sum.join(" + ")),
            n * ((narrow + norms) * d + wide * f),
        )];
        terms.extend(self.norms.then(|| Term::new("bias of the final LayerNorm", format!("{d}"), d)));
        Count::new(terms)
    }

    fn copies(&self, place: ModulePath, piece: ParamKind, _model: &ModelConfig) -> bool {
        let chosen = match place {
            ModulePath::Linear(_, target) => self.targets.contains(&target),
            _ => self.norms,
        };
        piece == ParamKind::Bias && chosen
    }

    fn advice(&self, outside: bool) -> &'static str {
        match outside {
            true => "Biases shift what the matrices compute, and no shift makes this rule. Try LoRA or an adapter.",
            false => MORE,
        }
    }

    fn learning_rate(&self, task: &str, _base: &str) -> f64 {
        if task == "rules" { 3e-2 } else { 1e-2 }
    }
}
