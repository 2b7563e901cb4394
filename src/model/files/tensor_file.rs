//! The one reader and the one writer of tensor files: safetensors, matrices as PyTorch holds them.

use super::{Header, ShardIndex, TensorFileError, survey};
use crate::base::packing::Packing;
use crate::model::{ModelConfig, TensorInfo};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use std::collections::HashMap;

/// Tensors on the way into a file.
#[derive(Default)]
pub struct Writer {
    tensors: Vec<(String, Dtype, Vec<usize>, Vec<u8>)>,
}

impl Writer {
    /// Adds a tensor whose values lie as θ and φ hold them, in the file's orientation.
    pub fn push(&mut self, name: impl Into<String>, info: &TensorInfo, values: &[f32]) {
        match info.transposed {
            true => self.push_floats(name, &info.shape, &flipped(values, info.shape[1], info.shape[0])),
            false => self.push_floats(name, &info.shape, values),
        }
    }

    /// Adds a tensor under its own name at half precision, in the file's orientation.
    pub fn push_halves(&mut self, info: &TensorInfo, values: &[f32]) {
        let halves = |values: &[f32]| values.iter().flat_map(|x| half::f16::from_f32(*x).to_le_bytes()).collect();
        let bytes = match info.transposed {
            true => halves(&flipped(values, info.shape[1], info.shape[0])),
            false => halves(values),
        };
        self.tensors.push((info.name.clone(), Dtype::F16, info.shape.to_vec(), bytes));
    }

    /// Adds values in the file's order.
    pub fn push_floats(&mut self, name: impl Into<String>, shape: &[usize], values: &[f32]) {
        let bytes = values.iter().flat_map(|x| x.to_le_bytes()).collect();
        self.tensors.push((name.into(), Dtype::F32, shape.to_vec(), bytes));
    }

    /// Adds a list of indices, as I64.
    pub fn push_integers(&mut self, name: &str, values: &[usize]) {
        let bytes = values.iter().flat_map(|i| (*i as i64).to_le_bytes()).collect();
        self.tensors.push((name.to_string(), Dtype::I64, vec![values.len()], bytes));
    }

    /// Adds a list of yes and no, a byte each.
    pub fn push_flags(&mut self, name: &str, values: impl Iterator<Item = bool>) {
        let bytes: Vec<u8> = values.map(u8::from).collect();
        self.tensors.push((name.to_string(), Dtype::U8, vec![bytes.len()], bytes));
    }

    /// Adds a list of numbers that need not fit an index, as I64.
    pub fn push_numbers(&mut self, name: &str, values: &[u64]) {
        let bytes = values.iter().flat_map(|n| n.to_le_bytes()).collect();
        self.tensors.push((name.to_string(), Dtype::I64, vec![values.len()], bytes));
    }

    /// The file's bytes. No two tensors may have the same name.
    #[expect(
        clippy::expect_used,
        reason = "`push…` takes the length from the shape, and callers give no two tensors one name"
    )]
    pub fn finish(self) -> Vec<u8> {
        let views = self.tensors.iter().map(|(name, dtype, shape, bytes)| {
            (name.clone(), TensorView::new(*dtype, shape.clone(), bytes).expect("a tensor as long as its shape"))
        });
        // transformers and PEFT ask for the framework that wrote a file.
        let format = HashMap::from([("format".to_string(), "pt".to_string())]);
        safetensors::serialize(views, Some(format)).expect("tensors with different names")
    }
}

/// A file being read, or the several of a checkpoint. Their bytes stay where they are; one tensor at a time
/// becomes numbers.
pub struct Reader<'a> {
    /// Its name, for messages.
    name: &'a str,
    /// Whose shapes its tensors must have, for messages.
    by: &'static str,
    files: Vec<SafeTensors<'a>>,
    used: Vec<String>,
}

impl<'a> Reader<'a> {
    /// A file that belongs to a base and a configuration. Refuses what is no safetensors file, or is cut
    /// short.
    pub fn new(name: &'a str, bytes: &'a [u8]) -> Result<Reader<'a>, TensorFileError> {
        Header::read(name, bytes, bytes.len() as u64)?;
        let files = vec![opened(name, bytes)?];
        Ok(Reader { name, by: "this base and configuration expect", files, used: Vec::new() })
    }

    /// The weights that stand beside a `config.json`, in one file or several, by names and bytes. Of several
    /// the index says which tensor is where.
    pub fn of_checkpoint(
        config: &ModelConfig,
        files: &[(&'a str, &'a [u8])],
        index: Option<&ShardIndex>,
    ) -> Result<Reader<'a>, TensorFileError> {
        let headers = files.iter().map(|(name, bytes)| Header::read(name, bytes, bytes.len() as u64));
        survey(config, &headers.collect::<Result<Vec<_>, _>>()?, index)?;
        let name = if let [(name, _)] = files { name } else { "this checkpoint" };
        let files = files.iter().map(|(name, bytes)| opened(name, bytes)).collect::<Result<_, _>>()?;
        Ok(Reader { name, by: "config.json says", files, used: Vec::new() })
    }

    /// Names and shapes of all tensors.
    pub fn shapes(&self) -> Vec<(String, Vec<usize>)> {
        let tensors = self.files.iter().flat_map(SafeTensors::iter);
        tensors.map(|(name, view)| (name.to_string(), view.shape().to_vec())).collect()
    }

    /// Whether there is a tensor of this name.
    pub fn has(&self, key: &str) -> bool {
        self.view(key).is_ok()
    }

    fn view(&self, key: &str) -> Result<TensorView<'a>, TensorFileError> {
        let missing = || TensorFileError::Missing { file: self.name.to_string(), key: key.to_string() };
        self.files.iter().find_map(|file| file.tensor(key).ok()).ok_or_else(missing)
    }

    /// The values of a tensor in the file's order. Refuses another shape, a type that is not known, and what
    /// is no finite number.
    pub fn floats(&mut self, key: &str, shape: &[usize]) -> Result<Vec<f32>, TensorFileError> {
        let view = self.view(key)?;
        if view.shape() != shape {
            return Err(self.of_shape(key, view.shape(), shape));
        }
        let values = floats(&view).map_err(|found| TensorFileError::Type { key: key.into(), found })?;
        if !values.iter().all(|x| x.is_finite()) {
            return Err(TensorFileError::NotFinite(key.into()));
        }
        self.used.push(key.to_string());
        Ok(values)
    }

    /// The bytes of a matrix as they stand in the file, with its packing. Refuses another shape or type.
    pub fn packed(&mut self, key: &str, shape: &[usize]) -> Result<(Packing, &'a [u8]), TensorFileError> {
        let view = self.view(key)?;
        if view.shape() != shape {
            return Err(self.of_shape(key, view.shape(), shape));
        }
        let packing = match view.dtype() {
            Dtype::F32 => Packing::F32,
            Dtype::F16 => Packing::F16,
            Dtype::BF16 => Packing::BF16,
            other => return Err(TensorFileError::Type { key: key.into(), found: format!("{other:?}") }),
        };
        self.used.push(key.to_string());
        Ok((packing, view.data()))
    }

    /// The values of a tensor as θ and φ hold them: a matrix as `[inputs, outputs]`.
    pub fn tensor(&mut self, key: &str, info: &TensorInfo) -> Result<Vec<f32>, TensorFileError> {
        let values = self.floats(key, &info.shape)?;
        Ok(if info.transposed { flipped(&values, info.shape[0], info.shape[1]) } else { values })
    }

    /// `n` indices below `weights`.
    pub fn integers(&mut self, key: &str, n: usize, weights: usize) -> Result<Vec<usize>, TensorFileError> {
        let view = self.view(key)?;
        if view.shape() != [n] {
            return Err(self.of_shape(key, view.shape(), &[n]));
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

    /// A list of `n` numbers that [`Writer::push_numbers`] wrote.
    pub fn numbers(&mut self, key: &str, n: usize) -> Result<Vec<u64>, TensorFileError> {
        let bytes = self.bytes(key, Dtype::I64).filter(|bytes| bytes.len() == 8 * n);
        let (chunks, _) = bytes.ok_or_else(|| TensorFileError::Training(key.into()))?.as_chunks::<8>();
        Ok(chunks.iter().map(|b| u64::from_le_bytes(*b)).collect())
    }

    /// A list of yes and no that [`Writer::push_flags`] wrote.
    pub fn flags(&mut self, key: &str) -> Result<Vec<bool>, TensorFileError> {
        let bytes = self.bytes(key, Dtype::U8).ok_or_else(|| TensorFileError::Training(key.into()))?;
        Ok(bytes.iter().map(|b| *b != 0).collect())
    }

    /// The bytes of a tensor of this type, which then counts as read.
    fn bytes(&mut self, key: &str, dtype: Dtype) -> Option<&[u8]> {
        let mut views = self.files.iter().filter_map(|file| file.tensor(key).ok());
        let view = views.find(|view| view.dtype() == dtype)?;
        self.used.push(key.to_string());
        Some(view.data())
    }

    fn of_shape(&self, key: &str, found: &[usize], expected: &[usize]) -> TensorFileError {
        TensorFileError::Shape { key: key.into(), found: found.to_vec(), by: self.by, expected: expected.to_vec() }
    }

    /// Ends reading: every tensor must have been asked for.
    pub fn finish(self) -> Result<(), TensorFileError> {
        match self.files.iter().flat_map(SafeTensors::names).find(|name| !self.used.iter().any(|used| used == name)) {
            Some(key) => Err(TensorFileError::Unexpected { file: self.name.to_string(), key: key.to_string() }),
            None => Ok(()),
        }
    }
}

fn opened<'a>(name: &str, bytes: &'a [u8]) -> Result<SafeTensors<'a>, TensorFileError> {
    SafeTensors::deserialize(bytes)
        .map_err(|e| TensorFileError::Container { file: name.to_string(), message: e.to_string() })
}

/// The numbers of a tensor at full or half precision; the name of its type where it is another.
fn floats(view: &TensorView<'_>) -> Result<Vec<f32>, String> {
    let bytes = view.data();
    match view.dtype() {
        Dtype::F32 => Ok(bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()),
        Dtype::F16 => Ok(bytes.chunks_exact(2).map(|b| half::f16::from_le_bytes([b[0], b[1]]).to_f32()).collect()),
        Dtype::BF16 => Ok(bytes.chunks_exact(2).map(|b| half::bf16::from_le_bytes([b[0], b[1]]).to_f32()).collect()),
        other => Err(format!("{other:?}")),
    }
}

/// A matrix of so many rows and columns, transposed.
fn flipped(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    (0..rows * columns).map(|i| values[(i % rows) * columns + i / rows]).collect()
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;
    use safetensors::Dtype;

    #[test]
    fn numbers_that_are_not_finite_are_refused_in_every_type() {
        let read = |dtype: Dtype, bytes: &[u8]| {
            let numbers = bytes.len() * 8 / dtype.bitsize();
            let view = TensorView::new(dtype, vec![numbers], bytes).unwrap();
            let file = safetensors::serialize([("w", view)], None).unwrap();
            Reader::new("a file", &file)?.floats("w", &[numbers])
        };
        for (dtype, one, bad) in [
            (Dtype::F32, 1.0_f32.to_le_bytes().to_vec(), f32::NAN.to_le_bytes().to_vec()),
            (Dtype::F32, 1.0_f32.to_le_bytes().to_vec(), f32::NEG_INFINITY.to_le_bytes().to_vec()),
            (Dtype::F16, vec![0x00, 0x3c], vec![0x00, 0x7c]),
            (Dtype::BF16, vec![0x80, 0x3f], vec![0xc0, 0x7f]),
        ] {
            assert_eq!(read(dtype, &[one.clone(), one.clone()].concat()).unwrap(), [1.0, 1.0], "{dtype:?}");
            let refused = read(dtype, &[one, bad].concat());
            assert_eq!(refused, Err(TensorFileError::NotFinite("w".into())), "{dtype:?}");
        }
    }
}
