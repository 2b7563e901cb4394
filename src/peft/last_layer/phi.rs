//! φ of this method: its tensors, their start, and where they step into the forward pass.

use super::{LastLayer, Rows};
use crate::model::{Composition, Matrix, ModulePath};
use crate::peft::InitContext;
use crate::peft::copies::Copies;
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
            Rows::All => (Some(context.copy_matrix(context.theta.weights.head())), None),
            Rows::Labels => {
                let tokens = context.labels.iter().map(|t| *t as i32).collect();
                (Some(context.head_rows(context.labels)), Some(context.places(tokens)))
            }
            Rows::Block => (None, None),
        };
        Phi { rows, block: Copies::init(config, context), tokens }
    }
}

impl Composition for Phi {
    fn head(&self, table: &Matrix) -> Option<Tensor<2>> {
        let rows = self.rows.as_ref()?.val();
        let Some(ids) = self.tokens.clone() else { return Some(rows) };
        // The label rows of the table, moved to where φ is: the other rows keep θ's values.
        let moved = rows - table.rows(ids.clone());
        Some(table.dense().select_assign(0, ids, moved, IndexingUpdateOp::Add))
    }

    fn matrix(&self, place: ModulePath, theta: &Matrix) -> Option<Tensor<2>> {
        self.block.matrix(place, theta)
    }

    fn bias(&self, place: ModulePath, theta: &Tensor<1>) -> Option<Tensor<1>> {
        self.block.bias(place, theta)
    }

    fn scale(&self, place: ModulePath, theta: &Tensor<1>) -> Option<Tensor<1>> {
        self.block.scale(place, theta)
    }
}
