//! The one reader and the one writer of tensor files: safetensors, matrices as PyTorch holds them.

use super::floats;
use crate::model::TensorInfo;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use std::collections::HashMap;

/// A file of tensors that cannot be used; the message names the key and what was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TensorFileError {
    #[error("{file} is cut short or not a safetensors file: {message}")]
    Container { file: String, message: String },
    #[error("{file} has no tensor “{key}”")]
    Missing { file: String, key: String },
    #[error("“{key}” has the shape {found:?}, this base and configuration expect {expected:?}")]
    Shape { key: String, found: Vec<usize>, expected: Vec<usize> },
    #[error("“{key}” holds {found}; F32, F16 and BF16 are known")]
    Type { key: String, found: String },
    #[error("“{0}” holds values that are not finite numbers")]
    NotFinite(String),
    #[error("{file} has a tensor “{key}” that this configuration does not use")]
    Unexpected { file: String, key: String },
    #[error("“{key}” names weight {index}; this base has {weights}")]
    Index { key: String, index: i64, weights: usize },
}

/// Tensors on the way into a file.
#[derive(Default)]
pub struct Writer {
    tensors: Vec<(String, Dtype, Vec<usize>, Vec<u8>)>,
}

impl Writer {
    /// Adds a tensor of φ, in the file's orientation.
    pub fn push(&mut self, name: impl Into<String>, info: &TensorInfo, values: &[f32]) {
        let values = if info.transposed { flipped(values, info.shape[1], info.shape[0]) } else { values.to_vec() };
        self.push_floats(name, &info.shape, &values);
    }

    pub fn push_floats(&mut self, name: impl Into<String>, shape: &[usize], values: &[f32]) {
        let bytes = values.iter().flat_map(|x| x.to_le_bytes()).collect();
        self.tensors.push((name.into(), Dtype::F32, shape.to_vec(), bytes));
    }

    /// Adds a tensor of φ, in the file's orientation, at half precision.
    pub fn push_halves(&mut self, info: &TensorInfo, values: &[f32]) {
        let values = if info.transposed { flipped(values, info.shape[1], info.shape[0]) } else { values.to_vec() };
        let bytes = values.iter().flat_map(|x| half::f16::from_f32(*x).to_le_bytes()).collect();
        self.tensors.push((info.name.clone(), Dtype::F16, info.shape.to_vec(), bytes));
    }

    pub fn push_integers(&mut self, name: &str, values: &[usize]) {
        let bytes = values.iter().flat_map(|i| (*i as i64).to_le_bytes()).collect();
        self.tensors.push((name.to_string(), Dtype::I64, vec![values.len()], bytes));
    }

    /// The file's bytes.
    pub fn finish(self) -> Vec<u8> {
        let views = self.tensors.iter().map(|(name, dtype, shape, bytes)| {
            // Lengths follow from the shapes above.
            (name.clone(), TensorView::new(*dtype, shape.clone(), bytes).expect("a tensor as long as its shape"))
        });
        let format = HashMap::from([("format".to_string(), "pt".to_string())]);
        safetensors::serialize(views, Some(format)).expect("tensors with different names")
    }
}

/// A file being read.
pub struct Reader<'a> {
    /// Its name, for messages.
    name: &'a str,
    file: SafeTensors<'a>,
    used: Vec<String>,
}

impl<'a> Reader<'a> {
    pub fn new(name: &'a str, bytes: &'a [u8]) -> Result<Reader<'a>, TensorFileError> {
        let broken = |e: safetensors::SafeTensorError| TensorFileError::Container {
            file: name.to_string(),
            message: e.to_string(),
        };
        Ok(Reader { name, file: SafeTensors::deserialize(bytes).map_err(broken)?, used: Vec::new() })
    }

    pub fn has(&self, key: &str) -> bool {
        self.file.tensor(key).is_ok()
    }

    /// The values of a tensor in the file's order, which must have this shape.
    pub fn floats(&mut self, key: &str, shape: &[usize]) -> Result<Vec<f32>, TensorFileError> {
        let missing = || TensorFileError::Missing { file: self.name.to_string(), key: key.to_string() };
        let view = self.file.tensor(key).map_err(|_| missing())?;
        if view.shape() != shape {
            let (found, expected) = (view.shape().to_vec(), shape.to_vec());
            return Err(TensorFileError::Shape { key: key.into(), found, expected });
        }
        let values = floats(&view).map_err(|found| TensorFileError::Type { key: key.into(), found })?;
        if !values.iter().all(|x| x.is_finite()) {
            return Err(TensorFileError::NotFinite(key.into()));
        }
        self.used.push(key.to_string());
        Ok(values)
    }

    /// The values of a tensor of φ, in φ's orientation.
    pub fn tensor(&mut self, key: &str, info: &TensorInfo) -> Result<Vec<f32>, TensorFileError> {
        let values = self.floats(key, &info.shape)?;
        Ok(if info.transposed { flipped(&values, info.shape[0], info.shape[1]) } else { values })
    }

    /// Indices below `weights`.
    pub fn integers(&mut self, key: &str, n: usize, weights: usize) -> Result<Vec<usize>, TensorFileError> {
        let missing = || TensorFileError::Missing { file: self.name.to_string(), key: key.to_string() };
        let view = self.file.tensor(key).map_err(|_| missing())?;
        if view.shape() != [n] {
            return Err(TensorFileError::Shape { key: key.into(), found: view.shape().to_vec(), expected: vec![n] });
        }
        if view.dtype() != Dtype::I64 {
            return Err(TensorFileError::Type {
                key: key.into(),
                found: format!("{:?} in place of I64", view.dtype()),
            });
        }
        let (chunks, _) = view.data().as_chunks::<8>();
        let read = chunks.iter().map(|b| {
            let index = i64::from_le_bytes(*b);
            usize::try_from(index).ok().filter(|i| *i < weights).ok_or(TensorFileError::Index {
                key: key.into(),
                index,
                weights,
            })
        });
        let indices = read.collect::<Result<_, _>>()?;
        self.used.push(key.to_string());
        Ok(indices)
    }

    /// Ends reading: every tensor must have been asked for.
    pub fn finish(self) -> Result<(), TensorFileError> {
        match self.file.names().into_iter().find(|name| !self.used.iter().any(|used| used == name)) {
            Some(key) => Err(TensorFileError::Unexpected { file: self.name.to_string(), key: key.to_string() }),
            None => Ok(()),
        }
    }
}

/// A matrix of so many rows and columns, transposed.
fn flipped(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    (0..rows * columns).map(|i| values[(i % rows) * columns + i / rows]).collect()
}
