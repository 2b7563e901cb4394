//! Sizes of models that share Llama's modules, as the `config.json` of each on the Hugging Face Hub has them. The ledger
//! asks for sizes alone: base and scaling of the angles cost nothing.

use super::config::{LLAMA, MISTRAL, QWEN2, QWEN3};
use crate::model::{Activation, Biases, ModelConfig, Norm, NormKind, Positions, RealModel};

/// The sizes in which they differ.
struct Sizes {
    vocabulary: usize,
    context: usize,
    width: usize,
    mlp: usize,
    blocks: usize,
    /// Heads of queries; of keys and values.
    heads: [usize; 2],
    head_dim: usize,
    tied: bool,
}

const fn model(class: &'static str, s: Sizes) -> ModelConfig {
    ModelConfig {
        model_type: class,
        vocab_size: s.vocabulary,
        max_position_embeddings: s.context,
        hidden_size: s.width,
        ffn_dim: s.mlp,
        num_hidden_layers: s.blocks,
        num_attention_heads: s.heads[0],
        num_key_value_heads: s.heads[1],
        head_dim: s.head_dim,
        activation_function: Activation::Silu,
        gated: true,
        positions: Positions::Rotary { base: 10_000.0, dims: s.head_dim },
        norm: Norm { kind: NormKind::Root, epsilon: 1e-6 },
        normed_heads: false,
        biases: Biases::all(false),
        parallel_residual: false,
        tied: s.tied,
    }
}

/// HuggingFaceTB/SmolLM2: 49,152 tokens, a context of 8,192, tied.
const fn smol(id: &'static str, title: &'static str, [width, mlp, blocks]: [usize; 3], heads: [usize; 2]) -> RealModel {
    let sizes = Sizes { vocabulary: 49_152, context: 8192, width, mlp, blocks, heads, head_dim: 64, tied: true };
    RealModel { id, title, config: model(LLAMA, sizes) }
}

/// meta-llama/Llama-3: 128,256 tokens, a context of 131,072.
const fn llama_3(
    id: &'static str,
    title: &'static str,
    [width, mlp, blocks]: [usize; 3],
    heads: [usize; 2],
    tied: bool,
) -> RealModel {
    let head_dim = width / heads[0];
    let sizes = Sizes { vocabulary: 128_256, context: 131_072, width, mlp, blocks, heads, head_dim, tied };
    RealModel { id, title, config: model(LLAMA, sizes) }
}

/// Qwen/Qwen2.5: biases on W_Q, W_K and W_V. The embedding of the largest has more rows.
const fn qwen_2(
    id: &'static str,
    title: &'static str,
    [vocabulary, context]: [usize; 2],
    [width, mlp, blocks]: [usize; 3],
    heads: [usize; 2],
    tied: bool,
) -> RealModel {
    let sizes = Sizes { vocabulary, context, width, mlp, blocks, heads, head_dim: width / heads[0], tied };
    let config = ModelConfig { biases: Biases { inputs: true, output: false, mlp: false }, ..model(QWEN2, sizes) };
    RealModel { id, title, config }
}

/// Qwen/Qwen3: 151,936 tokens, a context of 40,960, heads of 128 that are normed.
const fn qwen_3(
    id: &'static str,
    title: &'static str,
    [width, mlp, blocks]: [usize; 3],
    heads: [usize; 2],
    tied: bool,
) -> RealModel {
    let sizes = Sizes { vocabulary: 151_936, context: 40_960, width, mlp, blocks, heads, head_dim: 128, tied };
    RealModel { id, title, config: ModelConfig { normed_heads: true, ..model(QWEN3, sizes) } }
}

/// SmolLM2, TinyLlama and Llama 3.
pub(super) static OF_LLAMA: [RealModel; 7] = [
    smol("smollm2-135m", "SmolLM2 135 M", [576, 1536, 30], [9, 3]),
    smol("smollm2-360m", "SmolLM2 360 M", [960, 2560, 32], [15, 5]),
    RealModel {
        id: "tinyllama-1.1b",
        title: "TinyLlama 1.1 B",
        config: model(
            LLAMA,
            Sizes {
                vocabulary: 32_000,
                context: 2048,
                width: 2048,
                mlp: 5632,
                blocks: 22,
                heads: [32, 4],
                head_dim: 64,
                tied: false,
            },
        ),
    },
    llama_3("llama-3.2-1b", "Llama 3.2 1 B", [2048, 8192, 16], [32, 8], true),
    smol("smollm2-1.7b", "SmolLM2 1.7 B", [2048, 8192, 24], [32, 32]),
    llama_3("llama-3.2-3b", "Llama 3.2 3 B", [3072, 8192, 28], [24, 8], true),
    llama_3("llama-3.1-8b", "Llama 3.1 8 B", [4096, 14_336, 32], [32, 8], false),
];

/// mistralai/Mistral-7B-v0.3.
pub(super) static OF_MISTRAL: [RealModel; 1] = [RealModel {
    id: "mistral-7b",
    title: "Mistral 7 B v0.3",
    config: model(
        MISTRAL,
        Sizes {
            vocabulary: 32_768,
            context: 32_768,
            width: 4096,
            mlp: 14_336,
            blocks: 32,
            heads: [32, 8],
            head_dim: 128,
            tied: false,
        },
    ),
}];

/// Qwen2.5.
pub(super) static OF_QWEN2: [RealModel; 3] = [
    qwen_2("qwen2.5-0.5b", "Qwen2.5 0.5 B", [151_936, 32_768], [896, 4864, 24], [14, 2], true),
    qwen_2("qwen2.5-1.5b", "Qwen2.5 1.5 B", [151_936, 131_072], [1536, 8960, 28], [12, 2], true),
    qwen_2("qwen2.5-7b", "Qwen2.5 7 B", [152_064, 131_072], [3584, 18_944, 28], [28, 4], false),
];

/// Qwen3.
pub(super) static OF_QWEN3: [RealModel; 3] = [
    qwen_3("qwen3-0.6b", "Qwen3 0.6 B", [1024, 3072, 28], [16, 8], true),
    qwen_3("qwen3-1.7b", "Qwen3 1.7 B", [2048, 6144, 28], [16, 8], true),
    qwen_3("qwen3-8b", "Qwen3 8 B", [4096, 12_288, 36], [32, 8], false),
];
