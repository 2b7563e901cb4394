//! Last layer (Donahue et al. 2014): only the head is trained, on frozen features.

use super::{Count, Kind, Knob, Method, MethodInfo, Range, Shape, Term, Value};

/// The head, untied from the token embedding: all of it, or the rows of the task's labels.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LastLayer {
    pub rows: Rows,
}

/// Which rows of the head φ holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rows {
    #[default]
    All,
    Labels,
}

static INFO: MethodInfo = MethodInfo {
    name: "last-layer",
    title: "Last layer",
    kind: Kind::Baseline,
    paper: "Donahue et al., DeCAF: A Deep Convolutional Activation Feature for Generic Visual Recognition, 2014",
    formula: "logits = ⟨W_head⟩ f_θ(x)",
    summary: "Keeps the network as a fixed feature extractor and trains the matrix that reads tokens off it.",
    knobs: &[Knob {
        name: "rows",
        label: "Rows",
        help: "Train the whole head, or only the rows of the task's labels.",
        range: Range::Choice(&[("all", "whole head"), ("labels", "labels only")]),
    }],
    merges: Err(
        "the base ties its head to the token embedding; folding the trained head in would change the embedding too",
    ),
};

impl Method for LastLayer {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn get(&self, knob: &str) -> Option<Value> {
        let rows = match self.rows {
            Rows::All => "all",
            Rows::Labels => "labels",
        };
        (knob == "rows").then(|| Value::Choice(rows.to_string()))
    }

    fn set(&mut self, _knob: &str, value: Value) {
        if let Value::Choice(rows) = value {
            self.rows = if rows == "labels" { Rows::Labels } else { Rows::All };
        }
    }

    fn count(&self, shape: &Shape) -> Count {
        let d = shape.model.hidden_size;
        Count::new([match self.rows {
            Rows::All => {
                let v = shape.model.vocab_size;
                Term::new("an untied copy of the head", format!("{v} tokens × {d}"), v * d)
            }
            Rows::Labels => {
                Term::new("the labels' rows of the head", format!("{} labels × {d}", shape.labels), shape.labels * d)
            }
        }])
    }

    fn learning_rate(&self, task: &str, _base: &str) -> f64 {
        if task == "rules" { 1e-1 } else { 3e-2 }
    }

    fn label(&self) -> String {
        match self.rows {
            Rows::All => "last layer".into(),
            Rows::Labels => "last layer, labels".into(),
        }
    }
}

#[cfg(feature = "train")]
pub(crate) mod phi {
    use super::{LastLayer, Rows};
    use crate::peft::phi::{Composition, InitContext};
    use burn::module::{Module, Param};
    use burn::tensor::{IndexingUpdateOp, Int, Tensor, TensorData};

    /// Rows of the head `[rows, d]`, and the tokens they belong to (none: all rows, in order).
    #[derive(Module, Debug)]
    pub struct Phi {
        rows: Param<Tensor<2>>,
        #[module(skip)]
        tokens: Vec<i32>,
    }

    impl Phi {
        pub fn init(config: &LastLayer, context: &mut InitContext<'_>) -> Phi {
            match config.rows {
                Rows::All => Phi { rows: context.copy(&context.theta.weights.tokens), tokens: Vec::new() },
                Rows::Labels => Phi {
                    rows: context.token_rows(context.labels),
                    tokens: context.labels.iter().map(|t| *t as i32).collect(),
                },
            }
        }
    }

    impl Composition for Phi {
        fn head(&self, table: &Tensor<2>) -> Option<Tensor<2>> {
            let rows = self.rows.val();
            if self.tokens.is_empty() {
                return Some(rows);
            }
            // The label rows of the table, moved to where φ is: the other rows keep θ's values.
            let ids =
                Tensor::<1, Int>::from_data(TensorData::new(self.tokens.clone(), [self.tokens.len()]), &table.device());
            let moved = rows - table.clone().select(0, ids.clone());
            Some(table.clone().select_assign(0, ids, moved, IndexingUpdateOp::Add))
        }
    }
}
