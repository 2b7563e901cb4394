//! θ in another form than it was loaded in.

use super::{Frozen, Matrix, Model, Storage};
use crate::base::packing::{Packing, pack};
use crate::base::{Failure, read};
use crate::kernels::{Packed, PackedLayout};
use burn::tensor::{Device, Tensor};

impl Model {
    /// The same network with its matrices in a form, linear ones packed along their inputs as GGUF has them. They
    /// must have rows of whole blocks ([`Storage::refusal`]).
    pub async fn held(mut self, storage: Storage, device: &Device) -> Result<Model, Failure> {
        let Some(packing) = storage.packing().filter(|packing| *packing != Packing::F32) else { return Ok(self) };
        let weights = &mut self.weights;
        weights.tokens = packed(&weights.tokens, packing, false, device).await?;
        if let Some(head) = &mut weights.head {
            *head = packed(head, packing, false, device).await?;
        }
        for block in &mut weights.blocks {
            let linears = [&mut block.q, &mut block.k, &mut block.v, &mut block.out, &mut block.fc1, &mut block.fc2];
            for Frozen { weight, .. } in linears.into_iter().chain(block.gate.as_mut()) {
                *weight = packed(weight, packing, true, device).await?;
            }
        }
        Ok(self)
    }
}

/// A matrix packed along its rows, or along its columns where it is turned.
async fn packed(matrix: &Matrix, packing: Packing, turned: bool, device: &Device) -> Result<Matrix, Failure> {
    let stored: Tensor<2> = if turned { matrix.dense().transpose() } else { matrix.dense() };
    let [rows, columns] = stored.dims();
    let numbers = read(stored.reshape([rows * columns])).await?;
    let layout = PackedLayout { packing, rows, columns, transposed: turned };
    Ok(Matrix::Packed(Packed::new(pack(packing, &numbers), layout, device)))
}
