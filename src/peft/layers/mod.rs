//! Chosen layers: whole blocks, or only attention, the MLP or the LayerNorms of chosen blocks.

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
use crate::model::{ModelConfig, ModulePath, ParamKind, Target};
use crate::peft::sums::Sum;
use crate::peft::{Blocks, Count, Knob, MORE, Method, MethodInfo, MethodKind, Range, Shape, Term, Value, rates, sums};

/// A trainable copy of the chosen parts of the chosen blocks.
#[derive(Clone, Debug, PartialEq)]
pub struct Layers {
    /// In which blocks.
    pub layers: Blocks,
    /// Which parts of them; in order, not empty.
    pub parts: Vec<BlockPart>,
}

/// A part of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockPart {
    /// W_Q, W_K, W_V, W_O with their biases.
    Attention,
    /// fc1, fc2 with their biases.
    Mlp,
    /// Both LayerNorms.
    Norms,
}

impl BlockPart {
    const ALL: [BlockPart; 3] = [BlockPart::Attention, BlockPart::Mlp, BlockPart::Norms];
    const OPTIONS: [(&'static str, &'static str); 3] = [("attention", "attention"), ("mlp", "MLP"), ("norms", "norms")];
}

impl Default for Layers {
    fn default() -> Self {
        Layers { layers: Blocks::default(), parts: vec![BlockPart::Attention] }
    }
}

static INFO: MethodInfo = MethodInfo {
    name: "layers",
    title: "Chosen layers",
    kind: MethodKind::Parameter,
    paper: "the lecture's f_{θ⊕φ} with φ a subset G of θ: all layers against a few",
    formula: "f_{θ_{¬G} ∪ ⟨θ′_G⟩}(x)",
    summary: "Trains some blocks, or only attention, the MLP or the norms in them, and freezes the rest.",
    knobs: &[
        // Here they are what the method is about.
        Knob { advanced: false, ..Blocks::KNOB },
        Knob {
            name: "parts",
            label: "Parts",
            help: "What of each chosen block is trained.",
            range: Range::Set(&BlockPart::OPTIONS),
            ..Knob::PLAIN
        },
    ],
    in_peft: false,
    merges: Ok(()),
    dial: Ok(()),
    checked: "finite differences",
};

impl Method for Layers {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn get(&self, knob: &str) -> Option<Value> {
        match knob {
            "layers" => Some(Value::Blocks(self.layers.clone())),
            "parts" => {
                Some(Value::Set(self.parts.iter().map(|p| BlockPart::OPTIONS[*p as usize].0.to_string()).collect()))
            }
            _ => None,
        }
    }

    fn set(&mut self, _knob: &str, value: Value) {
        match value {
            Value::Blocks(layers) => self.layers = layers,
            Value::Set(names) => {
                let chosen = |part: &BlockPart| names.iter().any(|n| n == BlockPart::OPTIONS[*part as usize].0);
                self.parts = BlockPart::ALL.into_iter().filter(chosen).collect();
            }
            _ => {}
        }
    }

    fn check(&self, shape: &Shape, _task_tokens: usize) -> Result<(), Fault> {
        self.layers.check(shape)
    }

    fn count(&self, shape: &Shape) -> Count {
        let m = &shape.model;
        let n = self.layers.list(m.num_hidden_layers).len() as u64;
        let sum = Sum::of(self.parts.iter().map(|part| match part {
            BlockPart::Attention => sums::attention(m),
            BlockPart::Mlp => sums::mlp(m),
            BlockPart::Norms => sums::norms(m),
        }));
        let unit = if n == 1 { "block" } else { "blocks" };
        Count::new([Term::new(
            "the chosen parts of the chosen blocks",
            format!("{n} {unit} × ({})", sum.written),
            n * sum.value,
        )])
    }

    fn copies(&self, place: ModulePath, _piece: ParamKind, _model: &ModelConfig) -> bool {
        let (block, part) = match place {
            ModulePath::Linear(block, Target::Fc1 | Target::Fc2 | Target::Gate) => (block, BlockPart::Mlp),
            ModulePath::Linear(block, Target::Q | Target::K | Target::V | Target::O) => (block, BlockPart::Attention),
            ModulePath::AttentionNorm(block)
            | ModulePath::MlpNorm(block)
            | ModulePath::QueryNorm(block)
            | ModulePath::KeyNorm(block) => (block, BlockPart::Norms),
            ModulePath::Tokens | ModulePath::Positions | ModulePath::FinalNorm | ModulePath::Head => return false,
        };
        self.layers.contains(block) && self.parts.contains(&part)
    }

    fn advice(&self, _outside: bool) -> &'static str {
        MORE
    }

    fn learning_rate(&self, task: &str, base: &str) -> f64 {
        // A few thousand numbers bear a higher rate than matrices.
        if self.parts == [BlockPart::Norms] {
            return rates::of_norms(task, base);
        }
        rates::of_copies(task, base)
    }

    fn label(&self) -> String {
        let parts: Vec<&str> = self.parts.iter().map(|p| BlockPart::OPTIONS[*p as usize].1).collect();
        let parts = if parts.len() == BlockPart::ALL.len() { "blocks".into() } else { parts.join(", ") };
        if self.layers.is_all() { parts } else { format!("{parts} of {}", self.layers) }
    }
}
