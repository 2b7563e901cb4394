//! Whether a file holds the tensors that its metadata describe.

use super::header::Gguf;
use super::names::{Named, named};
use crate::model::files::{Layout, TensorFileError};
use crate::model::{ModelConfig, ModulePath, ParamKind};
use std::collections::BTreeSet;

impl Gguf {
    /// Bytes of the matrices that θ may hold as they stand in the file: positions are none of them.
    pub fn matrix_bytes(&self, config: &ModelConfig) -> u64 {
        let Some(form) = &config.family().gguf else { return 0 };
        let positions = Layout::with_head(config).tensor(ModulePath::Positions, ParamKind::Matrix).name;
        let matrices = named(config, form)
            .into_iter()
            .filter(|named| named.shape.len() == 2 && !named.optional && named.info.name != positions);
        matrices.filter_map(|named| Some(self.tensors.get(&named.name)?.bytes)).sum()
    }

    /// Checks the tensors against those of a model: each there, in its shape, of a type that is read; and none
    /// beside them. No `config.json` says here what a further one would be for.
    pub fn survey(&self, tensors: &[Named]) -> Result<(), TensorFileError> {
        let file = || self.file.clone();
        for Named { name, shape, optional, .. } in tensors {
            let Some(tensor) = self.tensors.get(name) else {
                if *optional {
                    continue;
                }
                return Err(TensorFileError::Missing { file: file(), key: name.clone() });
            };
            if tensor.shape != *shape {
                let (found, expected) = (tensor.shape.clone(), shape.clone());
                let by = "the file's metadata say";
                return Err(TensorFileError::Shape { key: name.clone(), found, by, expected });
            }
            if let Err(found) = &tensor.kind {
                return Err(TensorFileError::GgufType { file: file(), key: name.clone(), found: found.clone() });
            }
        }
        let known: BTreeSet<&str> = tensors.iter().map(|named| named.name.as_str()).collect();
        match self.tensors.keys().find(|key| !known.contains(key.as_str())) {
            Some(key) => Err(TensorFileError::Unexpected { file: file(), key: key.clone() }),
            None => Ok(()),
        }
    }
}
