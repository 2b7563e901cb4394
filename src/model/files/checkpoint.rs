//! Reads `model.safetensors` as transformers' OPT and GPT-2 write it, at full or half precision.

use super::Writer;
use crate::base::{Failure, read};
use crate::model::families::gpt2;
use crate::model::layers::{LayerNorm, Linear};
use crate::model::{Block, Model, ModelConfig, ModelConfigError, ModulePath, ParamKind, TensorInfo, Weights};
use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

/// A checkpoint that cannot be used; the message names the key and what was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    #[error(transparent)]
    Config(#[from] ModelConfigError),
    #[error("model.safetensors is cut short or not a safetensors file: {0}")]
    Container(String),
    #[error("model.safetensors has no tensor “{0}”")]
    Missing(String),
    #[error("“{key}” has the shape {found:?}, config.json says {expected:?}")]
    Shape { key: String, found: Vec<usize>, expected: Vec<usize> },
    #[error("“{key}” holds {found}; F32, F16 and BF16 are known")]
    Type { key: String, found: String },
    #[error("“{0}” holds values that are not finite numbers")]
    NotFinite(String),
}

impl Model {
    /// θ from `config.json` and `model.safetensors`, on a device without autodiff.
    pub fn load(config: ModelConfig, weights: &[u8], device: &Device) -> Result<Model, CheckpointError> {
        let file = SafeTensors::deserialize(weights).map_err(|e| CheckpointError::Container(e.to_string()))?;
        let reader = CheckpointReader { file, device };
        if config.is_gpt2() {
            return gpt2::read(&reader, config);
        }
        let d = config.hidden_size;
        let blocks = (0..config.num_hidden_layers).map(|i| reader.block(&config, i)).collect::<Result<_, _>>()?;
        let positions = config.position_rows();
        let weights = Weights {
            tokens: reader.matrix("embed_tokens.weight", [config.vocab_size, d])?,
            positions: reader.matrix("embed_positions.weight", [positions, d])?,
            blocks,
            final_norm: reader.norm("final_layer_norm", d)?,
        };
        Ok(Model { config, weights })
    }
}

impl Model {
    /// `model.safetensors` of these weights at full precision, under the keys and in the orientation of Hugging Face's OPT or GPT-2.
    pub async fn to_safetensors(&self) -> Result<Vec<u8>, Failure> {
        if self.config.is_gpt2() {
            return gpt2::write(self).await;
        }
        let mut writer = Writer::default();
        for (info, values) in self.tensors() {
            writer.push(&info.name, &info, &read(values).await?);
        }
        Ok(writer.finish())
    }

    /// The same at half precision.
    pub async fn to_half_safetensors(&self) -> Result<Vec<u8>, Failure> {
        let mut writer = Writer::default();
        for (info, values) in self.tensors() {
            writer.push_halves(&info, &read(values).await?);
        }
        Ok(writer.finish())
    }

    /// Every tensor with its name and orientation in a file, flat.
    pub fn tensors(&self) -> Vec<(TensorInfo, Tensor<1>)> {
        let mut tensors = Vec::new();
        for path in ModulePath::all(self.config.num_hidden_layers) {
            let of = self.weights.at(path);
            let info = |kind| TensorInfo::of_theta(path, kind, &self.config);
            tensors.extend(of.matrix.map(|t| (info(ParamKind::Matrix), flat(t.val()))));
            tensors.extend(of.scale.map(|t| (info(ParamKind::Scale), flat(t.val()))));
            tensors.extend(of.bias.map(|t| (info(ParamKind::Bias), flat(t.val()))));
        }
        tensors
    }
}

fn flat<const D: usize>(tensor: Tensor<D>) -> Tensor<1> {
    let n = tensor.shape().num_elements();
    tensor.reshape([n])
}

pub(crate) struct CheckpointReader<'a> {
    pub file: SafeTensors<'a>,
    device: &'a Device,
}

impl CheckpointReader<'_> {
    fn block(&self, config: &ModelConfig, i: usize) -> Result<Block, CheckpointError> {
        let (d, f) = (config.hidden_size, config.ffn_dim);
        let at = |name: &str| format!("layers.{i}.{name}");
        Ok(Block {
            attention_norm: self.norm(&at("self_attn_layer_norm"), d)?,
            q: self.linear(&at("self_attn.q_proj"), d, d)?,
            k: self.linear(&at("self_attn.k_proj"), d, d)?,
            v: self.linear(&at("self_attn.v_proj"), d, d)?,
            out: self.linear(&at("self_attn.out_proj"), d, d)?,
            mlp_norm: self.norm(&at("final_layer_norm"), d)?,
            fc1: self.linear(&at("fc1"), d, f)?,
            fc2: self.linear(&at("fc2"), f, d)?,
        })
    }

    fn norm(&self, name: &str, d: usize) -> Result<LayerNorm, CheckpointError> {
        Ok(LayerNorm {
            scale: self.vector(&format!("{name}.weight"), d)?,
            bias: self.vector(&format!("{name}.bias"), d)?,
        })
    }

    /// A tensor under its whole name, as it is.
    pub fn tensor<const D: usize>(&self, key: &str, shape: [usize; D]) -> Result<Param<Tensor<D>>, CheckpointError> {
        let values = self.read(key, &shape)?;
        Ok(Param::from_tensor(Tensor::from_data(TensorData::new(values, shape), self.device)))
    }

    /// Transposes to `[inputs, outputs]` on the host, so that no step does it again.
    fn linear(&self, name: &str, inputs: usize, outputs: usize) -> Result<Linear, CheckpointError> {
        let rows = self.values(&format!("{name}.weight"), &[outputs, inputs])?;
        let transposed =
            (0..inputs * outputs).map(|i| rows[(i % outputs) * inputs + i / outputs]).collect::<Vec<f32>>();
        let weight = Tensor::from_data(TensorData::new(transposed, [inputs, outputs]), self.device);
        Ok(Linear { weight: Param::from_tensor(weight), bias: self.vector(&format!("{name}.bias"), outputs)? })
    }

    fn vector(&self, name: &str, d: usize) -> Result<Param<Tensor<1>>, CheckpointError> {
        let values = self.values(name, &[d])?;
        Ok(Param::from_tensor(Tensor::from_data(TensorData::new(values, [d]), self.device)))
    }

    fn matrix(&self, name: &str, shape: [usize; 2]) -> Result<Param<Tensor<2>>, CheckpointError> {
        let values = self.values(name, &shape)?;
        Ok(Param::from_tensor(Tensor::from_data(TensorData::new(values, shape), self.device)))
    }

    /// OPT's tensors: under `decoder.` where the file was written without a head.
    fn values(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, CheckpointError> {
        let headless = self.file.tensor("decoder.embed_tokens.weight").is_ok();
        self.read(&format!("{}decoder.{name}", if headless { "" } else { "model." }), shape)
    }

    fn read(&self, key: &str, shape: &[usize]) -> Result<Vec<f32>, CheckpointError> {
        let key = key.to_string();
        let view = self.file.tensor(&key).map_err(|_| CheckpointError::Missing(key.clone()))?;
        if view.shape() != shape {
            return Err(CheckpointError::Shape { key, found: view.shape().to_vec(), expected: shape.to_vec() });
        }
        let values = floats(&view).map_err(|found| CheckpointError::Type { key: key.clone(), found })?;
        match values.iter().all(|x| x.is_finite()) {
            true => Ok(values),
            false => Err(CheckpointError::NotFinite(key)),
        }
    }
}

/// The numbers of a tensor at full or half precision; the name of its type where it is another.
pub(crate) fn floats(view: &TensorView<'_>) -> Result<Vec<f32>, String> {
    let bytes = view.data();
    match view.dtype() {
        Dtype::F32 => Ok(bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()),
        Dtype::F16 => Ok(bytes.chunks_exact(2).map(|b| half::f16::from_le_bytes([b[0], b[1]]).to_f32()).collect()),
        Dtype::BF16 => Ok(bytes.chunks_exact(2).map(|b| half::bf16::from_le_bytes([b[0], b[1]]).to_f32()).collect()),
        other => Err(format!("{other:?}")),
    }
}
