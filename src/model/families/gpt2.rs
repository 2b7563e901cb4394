//! GPT-2's layout of `model.safetensors`: `Conv1D` holds matrices as `[inputs, outputs]`, and W_Q, W_K, W_V stand side by side in one.

use crate::base::Failure;
use crate::base::read as to_host;
use crate::model::ModelConfig;
use crate::model::files::{CheckpointError, CheckpointReader};
use crate::model::layers::{LayerNorm, Linear};
use crate::model::{Block, Model, Weights};
use burn::module::Param;
use burn::tensor::Tensor;
use safetensors::Dtype;
use safetensors::tensor::TensorView;

/// What transformers puts in front of the names in a model with a head.
const PREFIX: &str = "transformer.";

/// Reads the tensors, with or without the prefix.
pub fn read(reader: &CheckpointReader<'_>, config: ModelConfig) -> Result<Model, CheckpointError> {
    let prefix = if reader.file.tensor("wte.weight").is_ok() { "" } else { PREFIX };
    let (d, f) = (config.hidden_size, config.ffn_dim);
    let vector = |name: String, n: usize| reader.tensor(&format!("{prefix}{name}"), [n]);
    let matrix = |name: String, shape: [usize; 2]| reader.tensor(&format!("{prefix}{name}"), shape);
    let norm = |name: String| {
        Ok::<_, CheckpointError>(LayerNorm {
            scale: vector(format!("{name}.weight"), d)?,
            bias: vector(format!("{name}.bias"), d)?,
        })
    };
    let linear = |name: String, inputs: usize, outputs: usize| {
        let weight = matrix(format!("{name}.weight"), [inputs, outputs])?;
        Ok::<_, CheckpointError>(Linear { weight, bias: vector(format!("{name}.bias"), outputs)? })
    };
    let blocks = (0..config.num_hidden_layers).map(|i| {
        let at = |name: &str| format!("h.{i}.{name}");
        let joined = linear(at("attn.c_attn"), d, 3 * d)?;
        let part = |n: usize| Linear {
            weight: Param::from_tensor(joined.weight.val().slice([0..d, n * d..(n + 1) * d])),
            bias: Param::from_tensor(joined.bias.val().narrow(0, n * d, d)),
        };
        Ok::<_, CheckpointError>(Block {
            attention_norm: norm(at("ln_1"))?,
            q: part(0),
            k: part(1),
            v: part(2),
            out: linear(at("attn.c_proj"), d, d)?,
            mlp_norm: norm(at("ln_2"))?,
            fc1: linear(at("mlp.c_fc"), d, f)?,
            fc2: linear(at("mlp.c_proj"), f, d)?,
        })
    });
    let weights = Weights {
        blocks: blocks.collect::<Result<_, _>>()?,
        tokens: matrix("wte.weight".into(), [config.vocab_size, d])?,
        positions: matrix("wpe.weight".into(), [config.position_rows(), d])?,
        final_norm: norm("ln_f".into())?,
    };
    Ok(Model { config, weights })
}

/// A tensor on its way into a file: name, shape, little-endian bytes.
type Entry = (String, Vec<usize>, Vec<u8>);

/// Writes the tensors at full precision; the tied head is left out, as transformers does.
pub async fn write(model: &Model) -> Result<Vec<u8>, Failure> {
    let weights = &model.weights;
    let mut entries =
        vec![matrix("wte.weight", weights.tokens.val()).await?, matrix("wpe.weight", weights.positions.val()).await?];
    entries.extend(norm("ln_f", &weights.final_norm).await?);
    for (i, block) in weights.blocks.iter().enumerate() {
        let at = |name: &str| format!("h.{i}.{name}");
        entries.extend(norm(&at("ln_1"), &block.attention_norm).await?);
        entries.extend(norm(&at("ln_2"), &block.mlp_norm).await?);
        let parts = [&block.q, &block.k, &block.v];
        let joined = Linear {
            weight: Param::from_tensor(Tensor::cat(parts.map(|part| part.weight.val()).to_vec(), 1)),
            bias: Param::from_tensor(Tensor::cat(parts.map(|part| part.bias.val()).to_vec(), 0)),
        };
        entries.extend(linear(&at("attn.c_attn"), &joined).await?);
        entries.extend(linear(&at("attn.c_proj"), &block.out).await?);
        entries.extend(linear(&at("mlp.c_fc"), &block.fc1).await?);
        entries.extend(linear(&at("mlp.c_proj"), &block.fc2).await?);
    }
    let views = entries.iter().filter_map(|(name, shape, bytes)| {
        // Shape and bytes are of the same tensor: they fit.
        Some((name.as_str(), TensorView::new(Dtype::F32, shape.clone(), bytes).ok()?))
    });
    // transformers asks for the framework that wrote a file.
    let told = std::collections::HashMap::from([("format".to_string(), "pt".to_string())]);
    safetensors::serialize(views, Some(told)).map_err(|e| Failure {
        reason: crate::base::FailureReason::Input,
        message: format!("The checkpoint cannot be written: {e}."),
    })
}

async fn matrix(name: &str, tensor: Tensor<2>) -> Result<Entry, Failure> {
    let shape = tensor.dims().to_vec();
    let n = shape.iter().product::<usize>();
    let values = to_host(tensor.reshape([n])).await?;
    Ok((format!("{PREFIX}{name}"), shape, values.into_iter().flat_map(f32::to_le_bytes).collect()))
}

async fn vector(name: &str, tensor: Tensor<1>) -> Result<Entry, Failure> {
    let shape = tensor.dims().to_vec();
    let values = to_host(tensor).await?;
    Ok((format!("{PREFIX}{name}"), shape, values.into_iter().flat_map(f32::to_le_bytes).collect()))
}

async fn linear(name: &str, linear: &Linear) -> Result<[Entry; 2], Failure> {
    Ok([
        matrix(&format!("{name}.weight"), linear.weight.val()).await?,
        vector(&format!("{name}.bias"), linear.bias.val()).await?,
    ])
}

async fn norm(name: &str, norm: &LayerNorm) -> Result<[Entry; 2], Failure> {
    Ok([
        vector(&format!("{name}.weight"), norm.scale.val()).await?,
        vector(&format!("{name}.bias"), norm.bias.val()).await?,
    ])
}
