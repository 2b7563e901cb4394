//! Tensors as files hold them.

use super::{ModelConfig, ModulePath, ParamKind};

/// A tensor of θ or φ as a file holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorInfo {
    /// Hugging Face PEFT's key where it has the method, after `base_model.model.` where the tensor belongs to
    /// a module of θ.
    pub name: String,
    /// The file's shape.
    pub shape: Vec<usize>,
    /// A matrix that the file holds as `[outputs, inputs]` and memory as `[inputs, outputs]`.
    pub transposed: bool,
}

impl TensorInfo {
    /// A tensor that lies in the file as in memory.
    pub fn new(name: impl Into<String>, shape: impl Into<Vec<usize>>) -> TensorInfo {
        TensorInfo { name: name.into(), shape: shape.into(), transposed: false }
    }

    /// A matrix `[outputs, inputs]` in the file.
    pub fn transposed(name: impl Into<String>, outputs: usize, inputs: usize) -> TensorInfo {
        TensorInfo { name: name.into(), shape: vec![outputs, inputs], transposed: true }
    }

    /// A copy of a tensor of θ, under the name and in the orientation that files of φ have on any base.
    pub fn of_theta(path: ModulePath, kind: ParamKind, model: &ModelConfig) -> TensorInfo {
        let name = format!("{}.{}", path.key(), kind.name());
        let (d, elements) = (model.hidden_size, path.elements(kind, model) as usize);
        match (path, kind) {
            (ModulePath::Linear(_, target), ParamKind::Matrix) => {
                let (inputs, outputs) = target.shape(model);
                TensorInfo::transposed(name, outputs, inputs)
            }
            (_, ParamKind::Matrix) => TensorInfo::new(name, [elements / d, d]),
            _ => TensorInfo::new(name, [elements]),
        }
    }

    /// How many numbers it has.
    pub fn elements(&self) -> usize {
        self.shape.iter().product()
    }
}
