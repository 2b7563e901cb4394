//! θ held packed: the same network as the numbers that it unpacks to, for every method; and what a run says of it.

use crate::every_family::{answers, rounding, shape, trained};
use crate::fixtures::largest_difference;
use crate::shared;
use crate::tables::check;
use burn::tensor::Device;
use peft_lab::base::stream;
use peft_lab::config::RunConfig;
use peft_lab::model::{Model, ModelConfig, Storage};
use peft_lab::peft::Phi;

/// Of every kind that the forward pass knows, with rows of whole blocks: biases or none, a head of its own, shared
/// keys, gates, matrices with as many inputs as outputs or others.
const SHAPES: [&str; 3] = [
    r#"{"model_type": "llama", "vocab_size": 23, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 64, "tie_word_embeddings": true}"#,
    r#"{"model_type": "gpt_neox", "vocab_size": 23, "hidden_size": 32, "intermediate_size": 96, "num_hidden_layers": 2,
        "num_attention_heads": 4, "max_position_embeddings": 64}"#,
    r#"{"model_type": "gpt2", "vocab_size": 23, "n_embd": 32, "n_layer": 2, "n_head": 2, "n_positions": 64}"#,
];

/// The forms in which matrices are packed.
const PACKED: [Storage; 3] = [Storage::F16, Storage::Q8_0, Storage::Q4_1];

fn model(json: &str, storage: Storage) -> Model {
    Model::random_held(ModelConfig::from_json(json).unwrap(), storage, &mut stream(1, "packed"), &Device::flex())
}

/// The same numbers in single precision.
fn unpacked(theta: &Model) -> Model {
    let file = pollster::block_on(theta.to_safetensors()).unwrap();
    Model::load(theta.config.clone(), &file, &Device::flex()).unwrap()
}

#[test]
fn every_method_learns_on_packed_matrices_what_it_learns_on_what_they_unpack_to() {
    let device = Device::flex();
    for (json, storage) in SHAPES.iter().zip(PACKED.iter().cycle().skip(1)) {
        let theta = model(json, *storage);
        let dense = unpacked(&theta);
        for method in shared::methods() {
            if method.method().check(&shape(&theta), 7).is_err() {
                continue;
            }
            let name = format!("{} {}: {method:?}", theta.config.model_type, storage.name());
            let [ours, theirs] =
                [&theta, &dense].map(|theta| pollster::block_on(shared::losses_on(theta, &method, &device, 3)));
            for (a, b) in ours.iter().zip(&theirs) {
                assert!((a - b).abs() <= 1e-4 * b.abs().max(1.0), "{name}: {ours:?} {theirs:?}");
            }
            let (phi, other) = (trained(&theta, &method), trained(&dense, &method));
            let ours = answers(&theta, &phi);
            assert!(largest_difference(&ours, &answers(&dense, &other)) < 10.0 * rounding(&ours), "{name}");
            if method.method().merges().is_ok() {
                let merged = answers(&theta.merged(&phi), &Phi::none());
                assert!(largest_difference(&ours, &merged) < 10.0 * rounding(&ours), "{name} merged");
            }
        }
    }
}

#[test]
fn a_form_takes_the_bytes_that_are_told_and_changes_the_numbers_as_little_as_its_bits_allow() {
    for json in SHAPES {
        let full = model(json, Storage::F32);
        let exact = answers(&full, &Phi::none());
        let size = exact.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
        let (mut before, mut bytes) = (0.0, u64::MAX);
        for storage in [Storage::F32, Storage::F16, Storage::Q8_0, Storage::Q4_1] {
            let theta = model(json, storage);
            // A matrix of an odd number of rows ends in part of a word.
            assert!(theta.bytes() - storage.bytes(&theta.config, None) < 8, "{}", storage.name());
            assert!(theta.bytes() < bytes, "{}", storage.name());
            let apart = largest_difference(&answers(&theta, &Phi::none()), &exact) / size;
            println!("{} {}: {apart:.1e}", theta.config.model_type, storage.name());
            assert!(apart >= before && apart < 0.5, "{}: {apart}", storage.name());
            (before, bytes) = (apart, theta.bytes());
        }
    }
}

#[test]
fn a_file_is_packed_on_loading_as_it_is_in_memory() {
    for json in SHAPES {
        let full = model(json, Storage::F32);
        let file = pollster::block_on(full.to_safetensors()).unwrap();
        let half = pollster::block_on(full.to_half_safetensors()).unwrap();
        for storage in PACKED {
            let load = |file: &[u8], storage| {
                let files = [("model.safetensors", file)];
                let theta = Model::load_files(full.config.clone(), &files, None, storage, &Device::flex());
                answers(&theta.unwrap(), &Phi::none())
            };
            // Matrices of GPT-2's own files lie the other way round, so their blocks are others.
            if full.config.model_type != "gpt2" || storage == Storage::F16 {
                assert_eq!(load(&file, storage), answers(&model(json, storage), &Phi::none()), "{}", storage.name());
            }
            // What is in the file stays as it is.
            assert_eq!(load(&half, Storage::File), load(&half, Storage::F16));
            assert!(largest_difference(&load(&half, Storage::File), &load(&half, Storage::F32)) < 1e-4);
        }
    }
}

#[test]
fn a_run_says_how_theta_is_held_and_what_it_takes() {
    let run = |address: &str| RunConfig::from_hash(address).0;
    // A small base is held in single precision unless somebody wants it otherwise.
    let plain = run("#base=prose-micro&task=authors");
    assert_eq!((plain.storage(), plain.theta_bytes()), (Storage::F32, 4 * plain.shape().model.parameters()));
    for (theta, storage) in [("file", Storage::File), ("f16", Storage::F16), ("q4_1", Storage::Q4_1)] {
        let config = run(&format!("#base=prose-micro&task=authors&theta={theta}"));
        assert_eq!(config.storage(), storage);
        assert!(config.to_hash().contains(&format!("theta={theta}")), "{}", config.to_hash());
        assert!(config.theta_bytes() < plain.theta_bytes());
    }
    // What was shipped is in half precision.
    let [file, half] = ["file", "f16"].map(|theta| run(&format!("#base=rules&theta={theta}")).theta_bytes());
    assert_eq!(file, half);
    let narrow = ModelConfig { hidden_size: 48, ..plain.shape().model };
    let refusal = Storage::Q8_0.refusal(&narrow).unwrap();
    assert!(refusal.contains("rows of 48") && refusal.ends_with("take file, f32 or f16."), "{refusal}");
    assert_eq!(Storage::F16.refusal(&narrow), None);
}

/// The table of forms in docs/families.md: names and bits are the code's, what they are is said by the page.
/// `RECORD_RESULTS=1` writes it anew.
#[test]
fn the_table_of_forms_is_the_code_s() {
    check("docs/families.md", |table| {
        (table.header[0] == "`theta`").then(|| {
            let rows = Storage::ALL.into_iter().filter_map(|storage| {
                let (numbers, bytes) = storage.packing()?.block();
                let name = format!("`{}`", storage.name());
                let said = table.rows.iter().find(|row| row[0] == name).map(|row| row[2].clone());
                Some(vec![name, (8.0 * bytes as f64 / numbers as f64).to_string(), said.unwrap_or_default()])
            });
            rows.collect()
        })
    });
}
