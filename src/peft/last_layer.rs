//! Last layer (Donahue et al. 2014): only the head is trained, on frozen features; or only the last block.

use super::{
    Ask, Count, Kind, Knob, Method, MethodInfo, Piece, Place, Range, Shape, Spot, TensorInfo, Term, Value,
    knob::place_of,
};
use crate::ledger::tape::{Tape, Var};
use crate::model::ModelConfig;

/// The head, untied from the token embedding: all of it, or the rows of the task's labels. Or the last block instead.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LastLayer {
    pub rows: Rows,
}

/// What φ holds: rows of the head, or the last block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rows {
    #[default]
    All,
    Labels,
    Block,
}

impl Rows {
    const ALL: [Rows; 3] = [Rows::All, Rows::Labels, Rows::Block];
    const OPTIONS: [(&'static str, &'static str); 3] =
        [("all", "whole head"), ("labels", "the labels' rows"), ("block", "last block")];
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
        label: "Part",
        help: "Train the whole head, only the rows of the task's labels, or the last block instead.",
        range: Range::Choice(&Rows::OPTIONS),
    }],
    merges: Err(
        "the base ties its head to the token embedding; folding the trained head in would change the embedding too",
    ),
    dial: Ok(()),
};

impl Method for LastLayer {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn get(&self, knob: &str) -> Option<Value> {
        (knob == "rows").then(|| Value::Choice(Rows::OPTIONS[self.rows as usize].0.to_string()))
    }

    fn set(&mut self, _knob: &str, value: Value) {
        if let Value::Choice(rows) = value {
            self.rows = Rows::ALL[place_of(&Rows::OPTIONS, &rows)];
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
            Rows::Block => {
                let f = shape.model.ffn_dim;
                Term::new(
                    "the last block: four projections, two LayerNorms, the MLP",
                    format!("1 block × (4 × ({d} × {d} + {d}) + 2 × 2 × {d} + {d} × {f} + {f} + {f} × {d} + {d})"),
                    shape.model.block_parameters(),
                )
            }
        }])
    }

    fn copies(&self, place: Place, _piece: Piece, model: &ModelConfig) -> bool {
        self.rows == Rows::Block && Place::of_block(model.num_hidden_layers - 1).any(|p| p == place)
    }

    fn merges(&self) -> Result<(), &'static str> {
        if self.rows == Rows::Block { Ok(()) } else { INFO.merges }
    }

    fn spots(&self, model: &ModelConfig) -> Vec<Spot> {
        if self.rows != Rows::Block {
            return vec![Spot::Head];
        }
        let last = model.num_hidden_layers - 1;
        let pieces = |place: Place| place.pieces().iter().map(move |piece| Spot::Weight(place, *piece));
        Place::of_block(last).flat_map(pieces).collect()
    }

    fn tensors(&self, shape: &Shape) -> Vec<TensorInfo> {
        let d = shape.model.hidden_size;
        match self.rows {
            Rows::All => vec![TensorInfo::new("lm_head.weight", [shape.model.vocab_size, d])],
            Rows::Labels => vec![TensorInfo::new("lm_head.rows", [shape.labels, d])],
            Rows::Block => {
                let last = Place::of_block(shape.model.num_hidden_layers - 1);
                let pieces = |place: Place| place.pieces().iter().map(move |piece| (place, *piece));
                last.flat_map(pieces).map(|(p, piece)| TensorInfo::of_theta(p, piece, &shape.model)).collect()
            }
        }
    }

    fn trace(&self, ask: Ask, model: &ModelConfig, tape: &mut Tape) -> Option<Var> {
        match (ask, self.rows) {
            (Ask::Head(table), Rows::All) => Some(tape.copy_beside("head", table)),
            // The number of labels is a task's; what counts is the head, which is made anew.
            (Ask::Head(table), Rows::Labels) => {
                let rows = tape.labels() * model.hidden_size;
                let rows = tape.phi("rows", rows);
                Some(tape.scatter(table, rows))
            }
            (_, Rows::Block) => self.trace_copy(ask, model, tape),
            _ => None,
        }
    }

    fn learning_rate(&self, task: &str, _base: &str) -> f64 {
        match (self.rows, task) {
            (Rows::Block, "rules") => 5e-3,
            (Rows::Block, _) => 1e-3,
            (_, "rules") => 1e-1,
            _ => 3e-2,
        }
    }

    fn label(&self) -> String {
        match self.rows {
            Rows::All => "last layer".into(),
            Rows::Labels => "last layer, labels".into(),
            Rows::Block => "last block".into(),
        }
    }
}

#[cfg(feature = "train")]
pub(crate) mod phi {
    use super::{LastLayer, Rows};
    use crate::peft::Place;
    use crate::peft::copies::Copies;
    use crate::peft::phi::{Composition, InitContext};
    use burn::module::{Module, Param};
    use burn::tensor::{IndexingUpdateOp, Int, Tensor};

    /// Rows of the head `[rows, d]`, and the tokens they belong to (none: all rows, in order).
    #[derive(Module, Debug)]
    pub struct Phi {
        rows: Option<Param<Tensor<2>>>,
        /// The last block instead.
        block: Copies,
        #[module(skip)]
        tokens: Option<Tensor<1, Int>>,
    }

    impl Phi {
        pub fn init(config: &LastLayer, context: &mut InitContext<'_>) -> Phi {
            let (rows, tokens) = match config.rows {
                Rows::All => (Some(context.copy(&context.theta.weights.tokens)), None),
                Rows::Labels => {
                    let tokens = context.labels.iter().map(|t| *t as i32).collect();
                    (Some(context.token_rows(context.labels)), Some(context.places(tokens)))
                }
                Rows::Block => (None, None),
            };
            Phi { rows, block: Copies::init(config, context), tokens }
        }
    }

    impl Composition for Phi {
        fn head(&self, table: &Tensor<2>) -> Option<Tensor<2>> {
            let rows = self.rows.as_ref()?.val();
            let Some(ids) = self.tokens.clone() else { return Some(rows) };
            // The label rows of the table, moved to where φ is: the other rows keep θ's values.
            let moved = rows - table.clone().select(0, ids.clone());
            Some(table.clone().select_assign(0, ids, moved, IndexingUpdateOp::Add))
        }

        fn matrix(&self, place: Place, theta: &Tensor<2>) -> Option<Tensor<2>> {
            self.block.matrix(place, theta)
        }

        fn bias(&self, place: Place, theta: &Tensor<1>) -> Option<Tensor<1>> {
            self.block.bias(place, theta)
        }

        fn scale(&self, place: Place, theta: &Tensor<1>) -> Option<Tensor<1>> {
            self.block.scale(place, theta)
        }
    }
}
