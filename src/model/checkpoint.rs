//! Reads `model.safetensors` as transformers' OPT and GPT-2 write it, at full or half precision.

use super::gpt2;
use super::layers::{LayerNorm, Linear};
use super::theta::{Block, Model, Weights};
use super::{ModelConfig, ModelConfigError};
use crate::interchange::phi_file;
use crate::peft::phi::{InitContext, Phi};
use crate::peft::{Full, MethodConfig, Shape, TensorInfo};
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
        let reader = Reader { file, device };
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
    pub async fn to_safetensors(&self) -> Result<Vec<u8>, crate::train::Failure> {
        if self.config.is_gpt2() {
            return gpt2::write(self).await;
        }
        let (infos, phi) = self.as_phi();
        phi_file::write_tensors(&infos, &phi).await
    }

    /// The same at half precision.
    pub async fn to_half_safetensors(&self) -> Result<Vec<u8>, crate::train::Failure> {
        let (infos, phi) = self.as_phi();
        phi_file::write_halves(&infos, &phi).await
    }

    /// Every tensor as full fine-tuning's φ, with its name and orientation in a file.
    fn as_phi(&self) -> (Vec<TensorInfo>, Phi) {
        let full = MethodConfig::Full(Full);
        let shape = Shape { model: self.config.clone(), labels: 0 };
        let mut context = InitContext {
            theta: self,
            device: &self.weights.tokens.val().device().autodiff(),
            rng: crate::task::stream(0, "unused"),
            labels: &[],
            encode: &|_| Vec::new(),
            begins: 0,
            demonstrations: &[],
            scores: None,
        };
        (full.method().tensors(&shape), Phi::init([&full], &mut context))
    }
}

pub(super) struct Reader<'a> {
    pub file: SafeTensors<'a>,
    device: &'a Device,
}

impl Reader<'_> {
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
