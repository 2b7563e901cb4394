//! Embeddings only: the words' vectors are trained, the network that reads them is not.

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
use crate::model::{ModelConfig, ModulePath, ParamKind, Positions};
use crate::peft::knob::place_of;
use crate::peft::{Count, Knob, MORE, Method, MethodInfo, MethodKind, Range, Shape, Term, Value, factors, rates};

/// A trainable copy of the embeddings. A head that is tied to the token embedding follows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Embeddings {
    /// Tokens, positions or both.
    pub tables: Tables,
}

/// Which embeddings are trained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tables {
    /// The token embedding, and with it a tied head.
    #[default]
    Tokens,
    /// The learned position embedding.
    Positions,
    /// Tokens and positions.
    Both,
}

const OPTIONS: [(&str, &str); 3] = [("tokens", "tokens"), ("positions", "positions"), ("both", "tokens and positions")];

static INFO: MethodInfo = MethodInfo {
    name: "embeddings",
    title: "Embeddings",
    kind: MethodKind::Baseline,
    paper: "the counterpart of Kim, Convolutional Neural Networks for Sentence Classification, 2014, where they alone may stay static",
    formula: "f_θ(⟨E⟩x)",
    summary: "Trains the vectors of the tokens and leaves the network that reads them alone; a head that is the same matrix moves along.",
    knobs: &[Knob {
        name: "embeddings",
        label: "Embeddings",
        help: "Which tables are trained.",
        range: Range::Choice(&OPTIONS),
        ..Knob::PLAIN
    }],
    in_peft: false,
    merges: Ok(()),
    dial: Ok(()),
    checked: "finite differences",
};

impl Embeddings {
    /// Which of the chosen tables a model has.
    fn on(self, model: &ModelConfig) -> Tables {
        match self.tables {
            Tables::Both if model.position_rows() == 0 => Tables::Tokens,
            tables => tables,
        }
    }
}

impl Method for Embeddings {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn formula(&self, model: &ModelConfig) -> &'static str {
        match self.on(model) {
            Tables::Tokens => INFO.formula,
            Tables::Positions => "f_θ(Ex + ⟨P⟩)",
            Tables::Both => "f_θ(⟨E⟩x + ⟨P⟩)",
        }
    }

    fn summary(&self, model: &ModelConfig) -> &'static str {
        match (self.on(model), model.tied) {
            (Tables::Tokens, true) => {
                "Trains the vectors of the tokens and leaves the network that reads them alone; the head is the same matrix and moves along."
            }
            (Tables::Tokens, false) => {
                "Trains the vectors of the tokens and leaves the network that reads them alone; the head is a matrix of its own and stays."
            }
            (Tables::Positions, _) => {
                "Trains the vectors of the positions and leaves those of the tokens, the network and the head alone."
            }
            (Tables::Both, true) => {
                "Trains the vectors of tokens and positions and leaves the network that reads them alone; the head is the tokens' matrix and moves along."
            }
            (Tables::Both, false) => {
                "Trains the vectors of tokens and positions and leaves the network that reads them alone; the head is a matrix of its own and stays."
            }
        }
    }

    fn get(&self, knob: &str) -> Option<Value> {
        (knob == "embeddings").then(|| Value::Choice(OPTIONS[self.tables as usize].0.to_string()))
    }

    fn set(&mut self, _knob: &str, value: Value) {
        if let Value::Choice(name) = value {
            self.tables = [Tables::Tokens, Tables::Positions, Tables::Both][place_of(&OPTIONS, &name)];
        }
    }

    fn check(&self, shape: &Shape, _task_tokens: usize) -> Result<(), Fault> {
        match shape.model.positions {
            Positions::Rotary { .. } if self.tables == Tables::Positions => {
                let message = "This base has no position embedding, it turns queries and keys by their position: choose the token embedding.";
                Err(Fault::new("embeddings", message))
            }
            _ => Ok(()),
        }
    }

    fn count(&self, shape: &Shape) -> Count {
        let m = &shape.model;
        let [v, d, p] = factors([m.vocab_size, m.hidden_size, m.position_rows()]);
        let mut terms = Vec::new();
        if self.tables != Tables::Positions {
            terms.push(Term::new("token embedding", format!("{v} tokens × {d}"), v * d));
        }
        if self.tables != Tables::Tokens && p > 0 {
            terms.push(Term::new("position embedding", format!("{p} positions × {d}"), p * d));
        }
        Count::new(terms)
    }

    fn copies(&self, place: ModulePath, _piece: ParamKind, _model: &ModelConfig) -> bool {
        match place {
            ModulePath::Tokens => self.tables != Tables::Positions,
            ModulePath::Positions => self.tables != Tables::Tokens,
            _ => false,
        }
    }

    fn advice(&self, _outside: bool) -> &'static str {
        MORE
    }

    fn learning_rate(&self, task: &str, base: &str) -> f64 {
        rates::of(task, base, [5e-2, 5e-3, 1e-4])
    }
}
