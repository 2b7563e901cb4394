//! A tiny Llama with packed matrices: from a GGUF file, and of any number of blocks.
#![allow(dead_code)] // Each test binary uses its part.

use crate::shared::{LABELS, losses_on, method};
use burn::tensor::Device;
use peft_lab::base::stream;
use peft_lab::model::files::gguf::Gguf;
use peft_lab::model::{Model, ModelConfig, Storage};
use peft_lab::peft::MethodConfig;

/// A file of each packing, as llama.cpp's own library wrote it.
const FILES: [(&str, &[u8]); 5] = [
    ("llama-f16.gguf", include_bytes!("../fixtures/gguf/llama-f16.gguf")),
    ("llama-bf16.gguf", include_bytes!("../fixtures/gguf/llama-bf16.gguf")),
    ("llama-q8_0.gguf", include_bytes!("../fixtures/gguf/llama-q8_0.gguf")),
    ("llama-q4_0.gguf", include_bytes!("../fixtures/gguf/llama-q4_0.gguf")),
    ("llama-q4_1.gguf", include_bytes!("../fixtures/gguf/llama-q4_1.gguf")),
];

/// Steps that are compared.
const STEPS: usize = 4;

/// LoRA on W_Q and W_V.
pub fn lora() -> MethodConfig {
    method("lora", &[("rank", "8"), ("target_modules", "q_proj,v_proj")])
}

/// θ of a file, packed as the file has it.
pub fn of_file(name: &str, bytes: &[u8], device: &Device) -> Model {
    let gguf = Gguf::read(name, bytes, bytes.len() as u64).expect("a GGUF file");
    let (config, _) = gguf.model().expect("a model that is known");
    assert!(config.vocab_size > LABELS[2] as usize, "the tiny batch has these tokens");
    Model::load_files(config, &[(name, bytes)], None, Storage::File, device).expect("a file that is whole")
}

/// Whether training on each file with θ as the file has it gives the losses of the CPU, to 1e-4.
pub async fn check_files_train_like_the_cpu(device: &Device) -> Result<(), String> {
    for (name, bytes) in FILES {
        for method in [lora(), method("full", &[])] {
            let mut losses = Vec::new();
            for device in [device, &Device::flex()] {
                let theta = of_file(name, bytes, device);
                losses.push(losses_on(&theta, &method, device, STEPS).await);
            }
            let [found, expected] = &losses[..] else { unreachable!("two devices") };
            let near = found.iter().zip(expected).all(|(a, b)| (a - b).abs() <= 1e-4);
            if found.len() != STEPS || !near || expected[0] == expected[STEPS - 1] {
                return Err(format!("{name}, {method:?}: losses {found:?}, on the CPU {expected:?}"));
            }
        }
    }
    Ok(())
}

/// A Llama with shared keys of so many blocks, packed.
pub fn of_blocks(blocks: usize, device: &Device) -> Model {
    let json = format!(
        r#"{{"model_type": "llama", "vocab_size": 23, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": {blocks},
            "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 64, "tie_word_embeddings": true}}"#
    );
    let config = ModelConfig::from_json(&json).expect("a configuration that is known");
    Model::random_held(config, Storage::Q8_0, &mut stream(1, "packed"), device)
}

/// Blocks of the first of them: all 30 where there is time, `PEFT_LAB_BLOCKS=30`.
const BLOCKS: &str = match option_env!("PEFT_LAB_BLOCKS") {
    Some(blocks) => blocks,
    None => "1",
};

/// A block of real models with their whole tables: SmolLM2's in 4 bits, and GPT-2's in single precision, whose 154 MB are
/// more than a device lets a program read at once unless it is asked for more.
const REAL: [(&str, Storage); 2] = [
    (
        r#"{"model_type": "llama", "vocab_size": 49152, "hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": BLOCKS,
            "num_attention_heads": 9, "num_key_value_heads": 3, "max_position_embeddings": 64, "tie_word_embeddings": true}"#,
        Storage::Q4_1,
    ),
    (
        r#"{"model_type": "gpt2", "vocab_size": 50257, "n_embd": 768, "n_layer": 1, "n_head": 12, "n_positions": 64}"#,
        Storage::F32,
    ),
];

/// Whether a block of real models with the whole head trains with the losses of the CPU, to 1e-4 of them. Through many
/// blocks the second is compared to 1e-3: AdamW's first step goes by signs, and those of the least gradients are rounding's.
pub async fn check_real_widths_train_like_the_cpu(device: &Device) -> Result<(), String> {
    for (json, storage) in REAL {
        let json = json.replace("BLOCKS", BLOCKS);
        let config = ModelConfig::from_json(&json).expect("a configuration that is known");
        let mut losses = Vec::new();
        for device in [device, &Device::flex()] {
            let theta = Model::random_held(config.clone(), storage, &mut stream(1, "real"), device);
            losses.push(losses_on(&theta, &lora(), device, 2).await);
        }
        let [found, expected] = &losses[..] else { unreachable!("two devices") };
        let limits = if BLOCKS == "1" { [1e-4, 1e-4] } else { [1e-4, 1e-3] };
        let near = found.iter().zip(expected).zip(limits).all(|((a, b), limit)| (a - b).abs() <= limit * b.abs());
        if found.len() != 2 || !near || expected[0] == expected[1] {
            return Err(format!("{json}: losses {found:?}, on the CPU {expected:?}"));
        }
    }
    Ok(())
}
