//! Last layer (Donahue et al. 2014): only the head is trained, on frozen features; or only the last block.

#[cfg(feature = "train")]
mod adapter_file;
mod cost;
mod overlay;
#[cfg(feature = "train")]
pub(crate) mod phi;
mod python;
#[cfg(all(test, feature = "train", not(target_arch = "wasm32")))]
mod tests;

use crate::model::{ModelConfig, ModulePath, ParamKind, Site, TensorInfo};
use crate::peft::knob::place_of;
use crate::peft::{Count, Knob, Method, MethodInfo, MethodKind, Range, Shape, Term, Value, factors, rates, sums};

/// The head, untied from the token embedding: all of it, or the rows of the task's labels. Or the last block instead.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LastLayer {
    /// Rows of the head, or the last block.
    pub rows: Rows,
}

/// What φ holds: rows of the head, or the last block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rows {
    /// An untied head, one row for each token of the vocabulary.
    #[default]
    All,
    /// Its rows of the task's labels.
    Labels,
    /// The last block in place of the head.
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
    kind: MethodKind::Baseline,
    paper: "Donahue et al., DeCAF: A Deep Convolutional Activation Feature for Generic Visual Recognition, 2014",
    formula: "logits = ⟨W_head⟩ f_θ(x)",
    summary: "Keeps the network as a fixed feature extractor and trains the matrix that reads tokens off it.",
    knobs: &[Knob {
        name: "rows",
        label: "Part",
        help: "Train the whole head, only the rows of the task's labels, or the last block instead.",
        range: Range::Choice(&Rows::OPTIONS),
        ..Knob::PLAIN
    }],
    in_peft: false,
    merges: Err(
        "the base ties its head to the token embedding; folding the trained head in would change the embedding too",
    ),
    dial: Ok(()),
    checked: "finite differences",
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
        let m = &shape.model;
        let [d, v, labels] = factors([m.hidden_size, m.vocab_size, shape.labels]);
        Count::new([match self.rows {
            Rows::All => Term::new(
                if m.tied { "an untied copy of the head" } else { "a copy of the head" },
                format!("{v} tokens × {d}"),
                v * d,
            ),
            Rows::Labels => Term::new("the labels' rows of the head", format!("{labels} labels × {d}"), labels * d),
            Rows::Block => Term::new(
                format!("the last block: {}", sums::block_in_words(m)),
                format!("1 block × ({})", sums::block(m).written),
                m.block_parameters(),
            ),
        }])
    }

    fn copies(&self, place: ModulePath, _piece: ParamKind, model: &ModelConfig) -> bool {
        self.rows == Rows::Block && ModulePath::of_block(model.num_hidden_layers - 1, model).any(|p| p == place)
    }

    fn merges(&self) -> Result<(), &'static str> {
        if self.rows == Rows::Block { Ok(()) } else { INFO.merges }
    }

    fn is_made_of_task(&self) -> bool {
        self.rows == Rows::Labels
    }

    fn sites(&self, model: &ModelConfig) -> Vec<Site> {
        if self.rows != Rows::Block {
            return vec![Site::Head];
        }
        let last = model.num_hidden_layers - 1;
        let pieces = |place: ModulePath| place.pieces(model).iter().map(move |piece| Site::Weight(place, *piece));
        ModulePath::of_block(last, model).flat_map(pieces).collect()
    }

    fn tensors(&self, shape: &Shape) -> Vec<TensorInfo> {
        let d = shape.model.hidden_size;
        match self.rows {
            Rows::All => vec![TensorInfo::new("lm_head.weight", [shape.model.vocab_size, d])],
            Rows::Labels => vec![TensorInfo::new("lm_head.rows", [shape.labels, d])],
            Rows::Block => {
                let model = &shape.model;
                let last = ModulePath::of_block(model.num_hidden_layers - 1, model);
                let pieces = |place: ModulePath| place.pieces(model).iter().map(move |piece| (place, *piece));
                last.flat_map(pieces).map(|(p, piece)| TensorInfo::of_theta(p, piece, model)).collect()
            }
        }
    }

    fn advice(&self, _outside: bool) -> &'static str {
        "The last layer can only re-read what the frozen network already computes. Try LoRA or an adapter, which change the computing inside."
    }

    fn learning_rate(&self, task: &str, base: &str) -> f64 {
        let [strings, texts, pretrained] = match self.rows {
            Rows::Block => [5e-3, 1e-3, 5e-5],
            _ => [1e-1, 3e-2, 3e-4],
        };
        rates::of(task, base, [strings, texts, pretrained])
    }

    fn label(&self) -> String {
        match self.rows {
            Rows::All => "last layer".into(),
            Rows::Labels => "last layer, labels".into(),
            Rows::Block => "last block".into(),
        }
    }
}
