//! P-tuning (Liu et al. 2021): virtual tokens in front of the text that a small MLP writes.

#[cfg(feature = "train")]
mod adapter_file;
mod cost;
mod overlay;
#[cfg(feature = "train")]
pub(crate) mod phi;
mod python;
#[cfg(all(test, feature = "train", not(target_arch = "wasm32")))]
mod tests;

use crate::base::{Fault, grouped};
use crate::model::{ModelConfig, Site, TensorInfo};
use crate::peft::{
    Count, Knob, MORE, Method, MethodInfo, MethodKind, Range, Shape, Term, Value, factors, rates, virtual_tokens,
};

/// f_θ([MLP(E), x]): E ∈ ℝ^{n×d} and a ReLU MLP of widths d, h, h, d are trained; what the MLP gives is kept, the MLP is not.
#[derive(Clone, Debug, PartialEq)]
pub struct PTuning {
    /// n, vectors in front of the text.
    pub num_virtual_tokens: usize,
    /// h, the MLP's width.
    pub encoder_hidden_size: usize,
}

impl Default for PTuning {
    fn default() -> Self {
        PTuning { num_virtual_tokens: 20, encoder_hidden_size: 64 }
    }
}

static INFO: MethodInfo = MethodInfo {
    name: "p-tuning",
    title: "P-tuning",
    kind: MethodKind::Input,
    paper: "Liu et al., GPT Understands, Too, 2021",
    formula: "f_θ([⟨MLP(E)⟩, x]),  E ∈ ℝ^{n×d}",
    summary: "Prompt tuning whose vectors come out of a small network, which makes them easier to train; it is thrown away afterwards.",
    knobs: &[
        Knob {
            name: "num_virtual_tokens",
            label: "Prompt length",
            help: "n, the number of virtual tokens; they take positions of the context.",
            range: Range::Integer { min: 1, max: 1024, steps: &[1, 5, 10, 20, 30, 40] },
            ..Knob::PLAIN
        },
        virtual_tokens::HIDDEN,
    ],
    in_peft: true,
    merges: Err("the virtual tokens are input, not weights: they are read again with every text"),
    dial: Err("a vector in front of the text is read or not: between no prompt and a prompt there is no half one"),
    checked: "finite differences, PEFT",
};

impl Method for PTuning {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn get(&self, knob: &str) -> Option<Value> {
        match knob {
            "num_virtual_tokens" => Some(Value::Integer(self.num_virtual_tokens)),
            "encoder_hidden_size" => Some(Value::Integer(self.encoder_hidden_size)),
            _ => None,
        }
    }

    fn set(&mut self, knob: &str, value: Value) {
        match (knob, value) {
            ("num_virtual_tokens", Value::Integer(n)) => self.num_virtual_tokens = n,
            ("encoder_hidden_size", Value::Integer(h)) => self.encoder_hidden_size = h,
            _ => {}
        }
    }

    fn check(&self, shape: &Shape, task_tokens: usize) -> Result<(), Fault> {
        virtual_tokens::check_room("prompt", self.num_virtual_tokens, shape, task_tokens)
    }

    fn count(&self, shape: &Shape) -> Count {
        let [n, d, h] = factors([self.num_virtual_tokens, shape.model.hidden_size, self.encoder_hidden_size]);
        Count::new([
            Term::new("E", format!("{n} tokens × {d}"), n * d),
            Term::new(
                "the MLP's three layers",
                format!("({d} × {h} + {h} + {h} × {h} + {h} + {h} × {d} + {d})"),
                d * h + h + h * h + h + h * d + d,
            ),
        ])
    }

    fn positions(&self) -> usize {
        self.num_virtual_tokens
    }

    fn sites(&self, _model: &ModelConfig) -> Vec<Site> {
        vec![Site::Prompt]
    }

    fn tensors(&self, shape: &Shape) -> Vec<TensorInfo> {
        let (n, d, h) = (self.num_virtual_tokens, shape.model.hidden_size, self.encoder_hidden_size);
        let mut tensors = vec![TensorInfo::new("prompt_encoder.embedding.weight", [n, d])];
        for (i, inputs, outputs) in [(0, d, h), (2, h, h), (4, h, d)] {
            tensors.push(TensorInfo::transposed(format!("prompt_encoder.mlp_head.{i}.weight"), outputs, inputs));
            tensors.push(TensorInfo::new(format!("prompt_encoder.mlp_head.{i}.bias"), [outputs]));
        }
        tensors
    }

    fn stored(&self, shape: &Shape) -> u64 {
        factors([self.num_virtual_tokens, shape.model.hidden_size]).iter().product()
    }

    fn note(&self, shape: &Shape) -> Option<String> {
        let kept = grouped(self.stored(shape));
        Some(format!("After training the MLP folds away: {kept} numbers are kept."))
    }

    fn advice(&self, _outside: bool) -> &'static str {
        MORE
    }

    fn learning_rate(&self, task: &str, base: &str) -> f64 {
        rates::of(task, base, [1e-2, 5e-3, 1e-3])
    }

    fn label(&self) -> String {
        format!("P-tuning {}", self.num_virtual_tokens)
    }
}
