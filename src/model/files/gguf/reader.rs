//! The numbers of a file, a tensor at a time.

use super::header::{Gguf, GgufTensor};
use super::names::{Named, named};
use crate::base::packing::{Packing, finite, unpack};
use crate::model::ModelConfig;
use crate::model::files::TensorFileError;
use std::collections::HashMap;

/// A file being read. Its tensors are asked for by the names that they have in the family's own checkpoints.
pub struct GgufReader<'a> {
    gguf: Gguf,
    bytes: &'a [u8],
    names: HashMap<String, Named>,
}

impl<'a> GgufReader<'a> {
    /// Opens a file of a model.
    ///
    /// # Errors
    /// Where it is damaged, or its tensors are not those of the model.
    pub fn new(config: &ModelConfig, file: &str, bytes: &'a [u8]) -> Result<GgufReader<'a>, TensorFileError> {
        let gguf = Gguf::read(file, bytes, bytes.len() as u64)?;
        let form = config.family().gguf.as_ref();
        let form = form.ok_or_else(|| TensorFileError::Gguf {
            file: file.into(),
            message: format!("llama.cpp has no architecture of {}", config.family().title),
        })?;
        let tensors = named(config, form);
        gguf.survey(&tensors)?;
        let names = tensors.into_iter().map(|named| (named.info.name.clone(), named)).collect();
        Ok(GgufReader { gguf, bytes, names })
    }

    /// Whether there is a tensor of this name.
    pub fn has(&self, key: &str) -> bool {
        self.names.get(key).is_some_and(|named| self.gguf.tensors.contains_key(&named.name))
    }

    /// A tensor as the file has it: its names and rows, its type, its bytes, row after row.
    pub fn raw(&self, key: &str) -> Result<(&Named, Packing, &'a [u8]), TensorFileError> {
        let missing = || TensorFileError::Missing { file: self.gguf.file.clone(), key: key.into() };
        let named = self.names.get(key).ok_or_else(missing)?;
        let GgufTensor { kind, start, bytes, .. } = self.gguf.tensors.get(&named.name).ok_or_else(missing)?;
        let kind = kind.as_ref().map_err(|found| TensorFileError::GgufType {
            file: self.gguf.file.clone(),
            key: named.name.clone(),
            found: found.clone(),
        })?;
        let span = usize::try_from(*start).ok().zip(usize::try_from(*bytes).ok());
        let packed = span.and_then(|(start, bytes)| self.bytes.get(start..)?.get(..bytes)).ok_or_else(missing)?;
        Ok((named, *kind, packed))
    }

    /// The numbers of a tensor as θ holds them: a linear layer's matrix as `[inputs, outputs]`. Refuses what is no
    /// finite number.
    pub fn tensor(&self, key: &str) -> Result<Vec<f32>, TensorFileError> {
        let (named, kind, packed) = self.raw(key)?;
        let (rows, columns) = match named.shape.as_slice() {
            [rows, columns] => (*rows, *columns),
            // A bias of turned rows is turned with them: each number is a row.
            [rows] if kind.block().0 == 1 => (*rows, 1),
            shape => (1, shape.iter().product()),
        };
        let mut numbers = vec![0.0; rows * columns];
        let (mut row, width) = (vec![0.0; columns], packed.len() / rows.max(1));
        for to in 0..rows {
            let from = named.rows.place(to, rows);
            let packed = &packed[from * width..][..width];
            if !finite(kind, packed) {
                return Err(TensorFileError::NotFinite(named.name.clone()));
            }
            unpack(kind, packed, &mut row);
            if named.linear {
                numbers[to..].iter_mut().step_by(rows).zip(&row).for_each(|(number, x)| *number = *x);
            } else {
                numbers[to * columns..][..columns].copy_from_slice(&row);
            }
        }
        Ok(numbers)
    }
}
