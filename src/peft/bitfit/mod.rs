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

use crate::base::Fault;
use crate::model::{Biases, ModelConfig, ModulePath, ParamKind, Target};
use crate::peft::sums::Sum;
use crate::peft::{Count, Knob, MORE, Method, MethodInfo, MethodKind, Range, Shape, Term, Value, rates, sums};

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
        help: "Whose biases are trained, where the base has them; the paper's small variant has W_Q's and fc1's only.",
        range: Range::Set(&[
            ("q_proj", "W_Q"),
            ("k_proj", "W_K"),
            ("v_proj", "W_V"),
            ("out_proj", "W_O"),
            ("fc1", "fc1"),
            ("fc2", "fc2"),
            ("gate_proj", "gate"),
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

    fn check(&self, shape: &Shape, _task_tokens: usize) -> Result<(), Fault> {
        if self.count(shape).total() > 0 {
            return Ok(());
        }
        let model = &shape.model;
        if model.biases == Biases::all(false) {
            let message =
                "This base has no biases: its linear layers are bare matrices and its norms have a scale alone.";
            return Err(Fault::new("biases", message));
        }
        let biased = |target: &&Target| ModulePath::Linear(0, **target).elements(ParamKind::Bias, model) > 0;
        let there: Vec<&str> = Target::of(model).iter().filter(biased).map(|target| target.label(model)).collect();
        let message = format!("None of the chosen layers has a bias in this base: choose among {}.", there.join(", "));
        Err(Fault::new("biases", message))
    }

    fn count(&self, shape: &Shape) -> Count {
        let (m, n) = (&shape.model, shape.model.num_hidden_layers as u64);
        let bias = |place: ModulePath| place.elements(ParamKind::Bias, m);
        let wide = |target: &Target| matches!(target, Target::Fc1 | Target::Gate);
        let (wide, narrow): (Vec<Target>, Vec<Target>) = self.targets.iter().partition(|target| wide(target));
        let (narrow, wide) = (sums::biases(&narrow, false, m), sums::biases(&wide, true, m));
        let (of_norm, last) = (bias(ModulePath::AttentionNorm(0)), bias(ModulePath::FinalNorm));
        let norms = if self.norms { 2 * of_norm } else { 0 };
        let sum = Sum::of([narrow, Sum { written: format!("2 × {of_norm}"), value: norms }, wide]);
        let mut terms = Vec::new();
        let what = match m.gated {
            true => "biases of the chosen linear layers",
            false => "biases of the chosen linear layers, LayerNorms, fc1",
        };
        terms
            .extend((sum.value > 0).then(|| Term::new(what, format!("{n} blocks × ({})", sum.written), n * sum.value)));
        let behind = self.norms && last > 0;
        terms.extend(behind.then(|| Term::new("bias of the final LayerNorm", format!("{last}"), last)));
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

    fn learning_rate(&self, task: &str, base: &str) -> f64 {
        rates::of(task, base, [3e-2, 1e-2, 1e-3])
    }
}
