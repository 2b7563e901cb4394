//! φ as a safetensors file: the tensors of every method under the names that [`Method::tensors`] gives them, matrices as
//! PyTorch holds them.
//!
//! [`Method::tensors`]: crate::peft::Method::tensors

use crate::config::RunConfig;
use crate::model::floats;
use crate::peft::phi::{InitContext, Phi};
use crate::peft::{MethodConfig, Shape, TensorInfo};
use crate::train::Failure;
use crate::train::evaluate::read;
use burn::tensor::{Tensor, TensorData};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use std::collections::HashMap;

/// The key of a mask's chosen weights, counted through all matrices in φ's own layout.
const CHOSEN: &str = "sparse.indices";
/// The keys of VeRA's shared A and B, as PEFT names them.
pub(super) const SHARED: [&str; 2] = ["base_model.vera_A", "base_model.vera_B"];

/// A file of φ that cannot be used; the message names the key and what was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PhiFileError {
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
pub(super) struct Writer {
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

    fn push_integers(&mut self, name: &str, values: &[usize]) {
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
pub(super) struct Reader<'a> {
    /// Its name, for messages.
    name: &'a str,
    file: SafeTensors<'a>,
    used: Vec<String>,
}

impl<'a> Reader<'a> {
    pub fn new(name: &'a str, bytes: &'a [u8]) -> Result<Reader<'a>, PhiFileError> {
        let broken = |e: safetensors::SafeTensorError| PhiFileError::Container {
            file: name.to_string(),
            message: e.to_string(),
        };
        Ok(Reader { name, file: SafeTensors::deserialize(bytes).map_err(broken)?, used: Vec::new() })
    }

    pub fn has(&self, key: &str) -> bool {
        self.file.tensor(key).is_ok()
    }

    /// The values of a tensor in the file's order, which must have this shape.
    pub fn floats(&mut self, key: &str, shape: &[usize]) -> Result<Vec<f32>, PhiFileError> {
        let missing = || PhiFileError::Missing { file: self.name.to_string(), key: key.to_string() };
        let view = self.file.tensor(key).map_err(|_| missing())?;
        if view.shape() != shape {
            let (found, expected) = (view.shape().to_vec(), shape.to_vec());
            return Err(PhiFileError::Shape { key: key.into(), found, expected });
        }
        let values = floats(&view).map_err(|found| PhiFileError::Type { key: key.into(), found })?;
        if !values.iter().all(|x| x.is_finite()) {
            return Err(PhiFileError::NotFinite(key.into()));
        }
        self.used.push(key.to_string());
        Ok(values)
    }

    /// The values of a tensor of φ, in φ's orientation.
    pub fn tensor(&mut self, key: &str, info: &TensorInfo) -> Result<Vec<f32>, PhiFileError> {
        let values = self.floats(key, &info.shape)?;
        Ok(if info.transposed { flipped(&values, info.shape[0], info.shape[1]) } else { values })
    }

    /// Indices below `weights`.
    fn integers(&mut self, key: &str, n: usize, weights: usize) -> Result<Vec<usize>, PhiFileError> {
        let missing = || PhiFileError::Missing { file: self.name.to_string(), key: key.to_string() };
        let view = self.file.tensor(key).map_err(|_| missing())?;
        if view.shape() != [n] {
            return Err(PhiFileError::Shape { key: key.into(), found: view.shape().to_vec(), expected: vec![n] });
        }
        if view.dtype() != Dtype::I64 {
            return Err(PhiFileError::Type { key: key.into(), found: format!("{:?} in place of I64", view.dtype()) });
        }
        let (chunks, _) = view.data().as_chunks::<8>();
        let read = chunks.iter().map(|b| {
            let index = i64::from_le_bytes(*b);
            usize::try_from(index).ok().filter(|i| *i < weights).ok_or(PhiFileError::Index {
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
    pub fn finish(self) -> Result<(), PhiFileError> {
        match self.file.names().into_iter().find(|name| !self.used.iter().any(|used| used == name)) {
            Some(key) => Err(PhiFileError::Unexpected { file: self.name.to_string(), key: key.to_string() }),
            None => Ok(()),
        }
    }
}

/// A matrix of so many rows and columns, transposed.
fn flipped(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    (0..rows * columns).map(|i| values[(i % rows) * columns + i / rows]).collect()
}

/// φ's values as read from a file, checked against a configuration but not yet on a device.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredPhi {
    /// In the order of φ's tensors.
    pub(super) values: Vec<Vec<f32>>,
    /// The weights that a mask has chosen, as scores.
    pub(super) scores: Option<Vec<f32>>,
    /// VeRA's A `[inputs, rank]` and B `[rank, outputs]`.
    pub(super) shared: Option<Shared>,
}

/// Two matrices: their values and shapes.
type Shared = [(Vec<f32>, [usize; 2]); 2];

impl StoredPhi {
    /// φ on the device of `context`.
    pub fn phi<'m>(self, methods: impl IntoIterator<Item = &'m MethodConfig>, context: &mut InitContext<'_>) -> Phi {
        context.scores = self.scores;
        let device = context.theta.weights.tokens.val().device();
        let mut phi = Phi::init(methods, context).filled(self.values);
        if let Some(shared) = self.shared {
            phi.share(shared.map(|(values, shape)| Tensor::from_data(TensorData::new(values, shape), &device)));
        }
        phi
    }
}

fn infos(config: &RunConfig, shape: &Shape) -> Vec<TensorInfo> {
    config.methods().flat_map(|m| m.method().tensors(shape)).collect()
}

/// The weights of all matrices of θ.
fn weights(shape: &Shape) -> usize {
    use crate::peft::{Piece, Place};
    Place::all(shape.model.num_hidden_layers).map(|p| p.elements(Piece::Matrix, &shape.model)).sum()
}

/// Reads the values of φ's tensors back from their device.
pub(super) async fn values(phi: &Phi) -> Result<Vec<Vec<f32>>, Failure> {
    let mut values = Vec::new();
    for tensor in phi.frozen().flat() {
        values.push(read(tensor).await?);
    }
    Ok(values)
}

/// φ's tensors as a file, under these names.
pub async fn write_tensors(infos: &[TensorInfo], phi: &Phi) -> Result<Vec<u8>, Failure> {
    let mut writer = Writer::default();
    for (info, values) in infos.iter().zip(values(phi).await?) {
        writer.push(&info.name, info, &values);
    }
    Ok(writer.finish())
}

/// [`write_tensors`] at half precision.
pub async fn write_halves(infos: &[TensorInfo], phi: &Phi) -> Result<Vec<u8>, Failure> {
    let mut writer = Writer::default();
    for (info, values) in infos.iter().zip(values(phi).await?) {
        writer.push_halves(info, &values);
    }
    Ok(writer.finish())
}

/// The values of a file that [`write_tensors`] has written, in φ's order and orientation.
pub fn read_tensors(name: &str, infos: &[TensorInfo], bytes: &[u8]) -> Result<Vec<Vec<f32>>, PhiFileError> {
    let mut reader = Reader::new(name, bytes)?;
    let values = infos.iter().map(|info| reader.tensor(&info.name, info)).collect::<Result<_, _>>()?;
    reader.finish()?;
    Ok(values)
}

/// φ as a file.
pub async fn write(config: &RunConfig, phi: &Phi) -> Result<Vec<u8>, Failure> {
    let mut writer = Writer::default();
    for (info, values) in infos(config, &config.shape()).iter().zip(values(phi).await?) {
        writer.push(&info.name, info, &values);
    }
    for part in phi.compositions() {
        if let Some(chosen) = part.chosen() {
            writer.push_integers(CHOSEN, &chosen);
        }
        if let Some(shared) = part.shared() {
            push_shared(&mut writer, shared).await?;
        }
    }
    Ok(writer.finish())
}

/// VeRA's A and B, as `[outputs, inputs]`.
pub(super) async fn push_shared(writer: &mut Writer, shared: [Tensor<2>; 2]) -> Result<(), Failure> {
    for (key, matrix) in SHARED.into_iter().zip(shared) {
        let [inputs, outputs] = matrix.dims();
        let values = read(matrix.reshape([inputs * outputs])).await?;
        writer.push(key, &TensorInfo::transposed(key, outputs, inputs), &values);
    }
    Ok(())
}

/// VeRA's A and B of a configuration, where it has them.
pub(super) fn read_shared<'m>(
    reader: &mut Reader<'_>,
    mut methods: impl Iterator<Item = &'m MethodConfig>,
    shape: &Shape,
) -> Result<Option<Shared>, PhiFileError> {
    let vera = methods.find_map(|m| match m {
        MethodConfig::Vera(vera) => Some(vera),
        _ => None,
    });
    let Some(vera) = vera else { return Ok(None) };
    let ((inputs, outputs), r) = (vera.shared(&shape.model), vera.rank);
    let mut matrix = |key: &str, inputs: usize, outputs: usize| {
        let values = reader.tensor(key, &TensorInfo::transposed(key, outputs, inputs))?;
        Ok::<_, PhiFileError>((values, [inputs, outputs]))
    };
    Ok(Some([matrix(SHARED[0], inputs, r)?, matrix(SHARED[1], r, outputs)?]))
}

/// Reads what [`write`] has written, checked against the configuration; nothing is half-loaded.
pub fn parse(config: &RunConfig, shape: &Shape, bytes: &[u8]) -> Result<StoredPhi, PhiFileError> {
    let mut reader = Reader::new("The file of φ", bytes)?;
    let infos = infos(config, shape);
    let values = infos.iter().map(|info| reader.tensor(&info.name, info)).collect::<Result<_, _>>()?;
    let mut scores = None;
    if let Some(info) = infos.iter().find(|info| info.name == "sparse.delta") {
        let n = weights(shape);
        let mut chosen = vec![0.0; n];
        reader.integers(CHOSEN, info.shape[0], n)?.into_iter().for_each(|i| chosen[i] = 1.0);
        scores = Some(chosen);
    }
    let shared = read_shared(&mut reader, config.methods(), shape)?;
    reader.finish()?;
    Ok(StoredPhi { values, scores, shared })
}
