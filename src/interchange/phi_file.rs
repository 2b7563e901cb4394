//! φ as a safetensors file: the tensors of every method under the names that [`Method::tensors`] gives them, matrices as
//! PyTorch holds them.
//!
//! [`Method::tensors`]: crate::peft::Method::tensors

use super::training_state::TrainingState;
use crate::base::Failure;
use crate::base::read;
use crate::config::RunConfig;
use crate::model::TensorInfo;
use crate::model::files::{Reader, TensorFileError, Writer};
use crate::peft::adapter_file::SHARED_PAIR;
use crate::peft::{InitContext, Phi};
use crate::peft::{MethodConfig, Shape};
use burn::tensor::Tensor;

/// The key of a mask's chosen weights, counted through all matrices in φ's own layout.
const CHOSEN: &str = "sparse.indices";
/// φ's values as read from a file, checked against a configuration but not yet on a device.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredPhi {
    /// In the order of φ's tensors; `None` for one that stays as it starts.
    pub(super) values: Vec<Option<Vec<f32>>>,
    /// The weights that a mask has chosen, as scores.
    pub(super) scores: Option<Vec<f32>>,
    /// Shared A `[inputs, rank]` and B `[rank, outputs]`.
    pub(super) shared: Option<Shared>,
}

/// Two matrices: their values and shapes.
type Shared = [(Vec<f32>, [usize; 2]); 2];

impl StoredPhi {
    /// Whether there is a value for each of φ's tensors, and each is as long as its tensor.
    pub fn fits<'m>(&self, methods: impl IntoIterator<Item = &'m MethodConfig>, shape: &Shape) -> bool {
        let infos: Vec<TensorInfo> = methods.into_iter().flat_map(|m| m.method().tensors(shape)).collect();
        let long = |(info, values): (&TensorInfo, &Option<Vec<f32>>)| {
            values.as_ref().is_none_or(|values| values.len() == info.elements())
        };
        infos.len() == self.values.len() && infos.iter().zip(&self.values).all(long)
    }

    /// φ on the device of `context`; its scores give way to the file's.
    pub fn phi<'m>(self, methods: impl IntoIterator<Item = &'m MethodConfig>, context: InitContext<'_>) -> Phi {
        let mut context = context.scores(self.scores);
        let mut phi = Phi::init(methods, &mut context).filled_where(self.values);
        if let Some(shared) = self.shared {
            phi.share(shared.map(|(values, shape)| context.fixed(values, shape)));
        }
        phi
    }
}

fn infos(config: &RunConfig, shape: &Shape) -> Vec<TensorInfo> {
    config.methods().flat_map(|m| m.method().tensors(shape)).collect()
}

/// The weights of all matrices of θ.
fn weights(shape: &Shape) -> u64 {
    use crate::model::{ModulePath, ParamKind};
    ModulePath::all(&shape.model).map(|p| p.elements(ParamKind::Matrix, &shape.model)).sum()
}

/// Scores of all matrices' weights by which a mask chooses these.
pub fn scores_of(shape: &Shape, chosen: Vec<usize>) -> Vec<f32> {
    let mut scores = vec![0.0; weights(shape) as usize];
    chosen.into_iter().for_each(|i| scores[i] = 1.0);
    scores
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
pub fn read_tensors(name: &str, infos: &[TensorInfo], bytes: &[u8]) -> Result<Vec<Vec<f32>>, TensorFileError> {
    let mut reader = Reader::new(name, bytes)?;
    let values = infos.iter().map(|info| reader.tensor(&info.name, info)).collect::<Result<_, _>>()?;
    reader.finish()?;
    Ok(values)
}

/// φ as a file.
pub async fn write(config: &RunConfig, phi: &Phi) -> Result<Vec<u8>, Failure> {
    Ok(writer(config, phi).await?.finish())
}

/// φ as a file, with what its training needs to go on.
pub async fn write_unfinished(config: &RunConfig, phi: &Phi, state: &TrainingState) -> Result<Vec<u8>, Failure> {
    let mut writer = writer(config, phi).await?;
    state.write(&mut writer);
    Ok(writer.finish())
}

async fn writer(config: &RunConfig, phi: &Phi) -> Result<Writer, Failure> {
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
    Ok(writer)
}

/// Shared A and B, as `[outputs, inputs]`.
pub(super) async fn push_shared(writer: &mut Writer, shared: [Tensor<2>; 2]) -> Result<(), Failure> {
    for (key, matrix) in SHARED_PAIR.into_iter().zip(shared) {
        let [inputs, outputs] = matrix.dims();
        let values = read(matrix.reshape([inputs * outputs])).await?;
        writer.push(key, &TensorInfo::transposed(key, outputs, inputs), &values);
    }
    Ok(())
}

/// The shared A and B of a configuration, where it has such.
pub(super) fn read_shared<'m>(
    reader: &mut Reader<'_>,
    mut methods: impl Iterator<Item = &'m MethodConfig>,
    shape: &Shape,
) -> Result<Option<Shared>, TensorFileError> {
    let Some((inputs, outputs, r)) = methods.find_map(|m| m.method().shared_pair(&shape.model)) else {
        return Ok(None);
    };
    let mut matrix = |key: &str, inputs: usize, outputs: usize| {
        let values = reader.tensor(key, &TensorInfo::transposed(key, outputs, inputs))?;
        Ok::<_, TensorFileError>((values, [inputs, outputs]))
    };
    Ok(Some([matrix(SHARED_PAIR[0], inputs, r)?, matrix(SHARED_PAIR[1], r, outputs)?]))
}

/// Reads φ from what [`write`] or [`write_unfinished`] has written, checked against the configuration; nothing is
/// half-loaded.
pub fn parse(config: &RunConfig, shape: &Shape, bytes: &[u8]) -> Result<StoredPhi, TensorFileError> {
    Ok(parse_unfinished(config, shape, bytes)?.0)
}

/// The same with what training needs to go on, where the file holds it.
pub fn parse_unfinished(
    config: &RunConfig,
    shape: &Shape,
    bytes: &[u8],
) -> Result<(StoredPhi, Option<TrainingState>), TensorFileError> {
    let mut reader = Reader::new("The file of φ", bytes)?;
    let infos = infos(config, shape);
    let values: Vec<Vec<f32>> = infos.iter().map(|info| reader.tensor(&info.name, info)).collect::<Result<_, _>>()?;
    let mut scores = None;
    if let Some(method) = config.methods().find(|m| m.method().scores().is_some()) {
        let (k, n) = (method.method().count(shape).total() as usize, weights(shape) as usize);
        scores = Some(scores_of(shape, reader.integers(CHOSEN, k, n)?));
    }
    let shared = read_shared(&mut reader, config.methods(), shape)?;
    let elements: Vec<usize> = values.iter().map(Vec::len).collect();
    let state = TrainingState::read(&mut reader, &elements, config.steps, config.methods().count())?;
    reader.finish()?;
    let values = values.into_iter().map(Some).collect();
    Ok((StoredPhi { values, scores, shared }, state))
}
