//! Names of tensors: the same in every architecture.

use super::settings::GgufForm;
use crate::model::files::Layout;
use crate::model::{LinearModule, ModelConfig, ModulePath, ParamKind, Target, TensorInfo};

/// A tensor under both of its names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// As the family's own checkpoints have it.
    pub info: TensorInfo,
    /// Its name in GGUF.
    pub name: String,
    /// Its shape there: of a linear layer's matrix `[outputs, inputs]` in every family.
    pub shape: Vec<usize>,
    /// Whether it is a linear layer's matrix.
    pub linear: bool,
    /// How its rows lie there.
    pub rows: Rows,
    /// Whether a file may leave it out.
    pub optional: bool,
}

/// How the rows of a tensor lie in GGUF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// As in the family's own checkpoints, matrices that share a module one after the other.
    Same,
    /// In each of so many heads the two halves in turns: 0, n/2, 1, n/2 + 1, …
    /// llama.cpp turns neighbours where transformers turns halves.
    Turned(usize),
}

impl Rows {
    /// Where the row is that stands in this place in the family's own checkpoints, of so many.
    pub fn place(self, row: usize, rows: usize) -> usize {
        match self {
            Rows::Same => row,
            Rows::Turned(heads) => {
                let width = rows / heads;
                let (head, within, half) = (row / width, row % width, width / 2);
                head * width + 2 * (within % half) + within / half
            }
        }
    }
}

/// Every tensor of a model. Only a tied head is optional.
pub fn named(config: &ModelConfig, form: &GgufForm) -> Vec<Named> {
    let layout = Layout::with_head(config);
    let mut all = Vec::new();
    for path in ModulePath::all(config).filter(|path| !matches!(path, ModulePath::Linear(..))) {
        for kind in path.pieces(config) {
            let info = layout.tensor(path, *kind);
            let name = format!("{}.{}", module(path), kind.name());
            all.push(Named { shape: info.shape.clone(), info, name, linear: false, rows: Rows::Same, optional: false });
        }
    }
    if config.tied {
        let (info, name) = (layout.head(), format!("{}.weight", module(ModulePath::Head)));
        all.push(Named { shape: info.shape.clone(), info, name, linear: false, rows: Rows::Same, optional: true });
    }
    for block in 0..config.num_hidden_layers {
        for module in layout.modules() {
            let (weight, bias) = layout.module(block, module);
            let (inputs, outputs) = (layout.inputs(module), layout.widths(module).iter().sum());
            let rows = rows(module, config, form);
            let name = |kind: ParamKind| format!("blk.{block}.{}.{}", linear(module), kind.name());
            let (shape, name_of) = (vec![outputs, inputs], name(ParamKind::Matrix));
            all.push(Named { info: weight, name: name_of, shape, linear: true, rows, optional: false });
            all.extend(bias.map(|info| {
                let (shape, name) = (vec![outputs], name(ParamKind::Bias));
                Named { info, name, shape, linear: false, rows, optional: false }
            }));
        }
    }
    all
}

fn rows(module: &LinearModule, config: &ModelConfig, form: &GgufForm) -> Rows {
    match module.holds {
        [Target::Q] if form.turned => Rows::Turned(config.num_attention_heads),
        [Target::K] if form.turned => Rows::Turned(config.num_key_value_heads),
        _ => Rows::Same,
    }
}

/// A module that is not linear.
fn module(path: ModulePath) -> String {
    match path {
        ModulePath::Tokens => "token_embd".into(),
        ModulePath::Positions => "position_embd".into(),
        ModulePath::FinalNorm => "output_norm".into(),
        ModulePath::Head => "output".into(),
        ModulePath::AttentionNorm(block) => format!("blk.{block}.attn_norm"),
        ModulePath::MlpNorm(block) => format!("blk.{block}.ffn_norm"),
        ModulePath::QueryNorm(block) => format!("blk.{block}.attn_q_norm"),
        ModulePath::KeyNorm(block) => format!("blk.{block}.attn_k_norm"),
        ModulePath::Linear(block, target) => format!("blk.{block}.{}", of_target(target)),
    }
}

/// A linear module, inside its block: of several matrices only those of attention share one.
fn linear(module: &LinearModule) -> &'static str {
    if let [one] = module.holds { of_target(*one) } else { "attn_qkv" }
}

fn of_target(target: Target) -> &'static str {
    match target {
        Target::Q => "attn_q",
        Target::K => "attn_k",
        Target::V => "attn_v",
        Target::O => "attn_output",
        Target::Fc1 => "ffn_up",
        Target::Fc2 => "ffn_down",
        Target::Gate => "ffn_gate",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_in_turns_are_found_in_their_head() {
        // Two heads of four: in the file 0 2 1 3, 4 6 5 7.
        let places: Vec<usize> = (0..8).map(|row| Rows::Turned(2).place(row, 8)).collect();
        let file = [0, 2, 1, 3, 4, 6, 5, 7];
        assert_eq!(places.iter().map(|place| file[*place]).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5, 6, 7]);
        // One head of six: 0 3 1 4 2 5.
        let places: Vec<usize> = (0..6).map(|row| Rows::Turned(1).place(row, 6)).collect();
        assert_eq!(places.iter().map(|place| [0, 3, 1, 4, 2, 5][*place]).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
    }
}
