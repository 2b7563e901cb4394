//! Checkpoints of families other than the project's own, as folders and as GGUF files, on the built page.

use crate::bring::{drop_folder, fixture};
use e2e::Lab;
use serde_json::json;

/// Uses what is offered, trains and looks at answers: those of the base and those with φ.
async fn use_and_train(lab: &Lab, title: &str, parts: &[&str], steps: usize) {
    lab.wait(&format!("document.querySelector('dialog[open] h3')?.innerText === {}", json!(title))).await;
    lab.press("Use this base").await;
    lab.wait("!document.querySelector('dialog[open]')").await;
    // What was asked for stays, whatever the base is.
    let hash = lab.wait("location.hash.includes('base=own-') && location.hash").await.to_string();
    assert!(hash.contains("batch_size=3") && hash.contains(&format!("steps={steps}")), "{hash}");
    let drawn =
        lab.eval("[...document.querySelectorAll('.network g.part')].map(e => e.getAttribute('aria-label'))").await;
    for part in parts {
        let drawn = drawn.to_string();
        assert!(drawn.contains(part), "{part} is not among {drawn}");
    }
    lab.press("Train").await;
    let finished = lab.event("finished").await;
    assert_eq!(finished["step"], steps, "{finished}");
    let of_steps = lab.eval("labEvents.filter(e => e.event === 'step').every(e => Number.isFinite(e.loss))").await;
    assert_eq!(of_steps, json!(true));
    let there = "labEvents.some(e => e.event === 'loading' && e.of > 0 && e.done === e.of)";
    assert_eq!(lab.eval(there).await, json!(true));
    let answers = lab.eval("labEvents.filter(e => e.event === 'examples').pop().items").await;
    let answers = answers.as_array().unwrap();
    assert!(!answers.is_empty());
    for item in answers {
        let text = |who: &str| item[who]["text"].as_str().unwrap_or_default().to_string();
        assert!(!text("base").is_empty() && !text("adapted").is_empty(), "{item}");
    }
    let shown = lab.eval("document.querySelectorAll('.examples .row').length").await.as_u64();
    assert!(shown.unwrap() > 1);
    lab.assert_clean().await;
}

/// Small numbers for a tensor, in four bytes each. Norms keep what they scale.
fn numbers(name: &str, count: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut number = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        0.2 * ((state >> 8) as f32 / (1 << 24) as f32 - 0.5)
    };
    let is_norm = name.contains("norm") && name.ends_with("weight");
    (0..count).flat_map(|_| if is_norm { 1.0_f32 } else { number() }.to_le_bytes()).collect()
}

/// A checkpoint of small numbers, with the tokenizer of the fixtures: what transformers would have written.
fn made(config: &serde_json::Value, tensors: &[(String, Vec<usize>)]) -> Vec<(&'static str, Vec<u8>)> {
    let (mut header, mut data) = (serde_json::Map::new(), Vec::new());
    for (name, shape) in tensors {
        let from = data.len();
        data.extend(numbers(name, shape.iter().product()));
        header.insert(name.clone(), json!({"dtype": "F32", "shape": shape, "data_offsets": [from, data.len()]}));
    }
    let header = serde_json::Value::Object(header).to_string().into_bytes();
    let weights = [&(header.len() as u64).to_le_bytes()[..], &header, &data].concat();
    vec![
        ("config.json", config.to_string().into_bytes()),
        ("model.safetensors", weights),
        ("tokenizer.json", fixture("opt/tokenizer.json")),
    ]
}

/// A Llama of two blocks, two heads of queries to one of keys and values.
pub fn llama(vocabulary: u64) -> Vec<(&'static str, Vec<u8>)> {
    let config = json!({
        "model_type": "llama", "vocab_size": vocabulary, "max_position_embeddings": 128, "hidden_size": 16,
        "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
        "tie_word_embeddings": true,
    });
    let mut tensors = vec![
        ("model.embed_tokens.weight".to_string(), vec![vocabulary as usize, 16]),
        ("model.norm.weight".to_string(), vec![16]),
    ];
    for block in 0..2 {
        for (name, shape) in [
            ("input_layernorm", vec![16]),
            ("post_attention_layernorm", vec![16]),
            ("self_attn.q_proj", vec![16, 16]),
            ("self_attn.k_proj", vec![8, 16]),
            ("self_attn.v_proj", vec![8, 16]),
            ("self_attn.o_proj", vec![16, 16]),
            ("mlp.gate_proj", vec![24, 16]),
            ("mlp.up_proj", vec![24, 16]),
            ("mlp.down_proj", vec![16, 24]),
        ] {
            tensors.push((format!("model.layers.{block}.{name}.weight"), shape));
        }
    }
    made(&config, &tensors)
}

/// A GPT-NeoX of two blocks, attention and MLP beside each other, with a head of its own.
fn neox(vocabulary: u64) -> Vec<(&'static str, Vec<u8>)> {
    let config = json!({
        "model_type": "gpt_neox", "vocab_size": vocabulary, "max_position_embeddings": 128, "hidden_size": 16,
        "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
    });
    let mut tensors = vec![
        ("gpt_neox.embed_in.weight".to_string(), vec![vocabulary as usize, 16]),
        ("embed_out.weight".to_string(), vec![vocabulary as usize, 16]),
    ];
    let norms = ["layers.0.input_layernorm", "layers.0.post_attention_layernorm", "layers.1.input_layernorm"];
    for norm in norms.into_iter().chain(["layers.1.post_attention_layernorm", "final_layer_norm"]) {
        tensors.push((format!("gpt_neox.{norm}.weight"), vec![16]));
        tensors.push((format!("gpt_neox.{norm}.bias"), vec![16]));
    }
    for block in 0..2 {
        for (name, outputs, inputs) in [
            ("attention.query_key_value", 48, 16),
            ("attention.dense", 16, 16),
            ("mlp.dense_h_to_4h", 32, 16),
            ("mlp.dense_4h_to_h", 16, 32),
        ] {
            tensors.push((format!("gpt_neox.layers.{block}.{name}.weight"), vec![outputs, inputs]));
            tensors.push((format!("gpt_neox.layers.{block}.{name}.bias"), vec![outputs]));
        }
    }
    made(&config, &tensors)
}

#[tokio::test]
async fn folders_of_other_families_are_dropped_and_trained_on() {
    let opt: serde_json::Value = serde_json::from_slice(&fixture("opt/config.json")).unwrap();
    let vocabulary = opt["vocab_size"].as_u64().unwrap();
    for (files, title, parts) in [
        (llama(vocabulary), "Llama-3.2-tiny", ["SiLU, the MLP's gate", "rotary positions of the queries", "down"]),
        (neox(vocabulary), "pythia.tiny-x", ["GELU", "rotary positions of the queries", "LayerNorm before the MLP"]),
    ] {
        let lab = Lab::start(false).await;
        lab.open("task=authors&method=lora&steps=3&batch_size=3&device=cpu").await;
        drop_folder(&lab, title, &files, 0).await;
        let found = lab.wait("document.querySelector('dialog[open] h3')?.innerText").await;
        let found = found.as_str().unwrap();
        assert!(found.starts_with(&format!("{title} · ")), "{found}");
        use_and_train(&lab, found, &parts, 3).await;
        lab.close().await;
    }
}

/// A text as GGUF has it.
fn text(text: &str) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat()
}

/// A Llama of two blocks in one GGUF file, with the tokenizer of the fixtures.
fn gguf() -> Vec<u8> {
    let tokenizer: serde_json::Value = serde_json::from_slice(&fixture("opt/tokenizer.json")).unwrap();
    let vocab = tokenizer["model"]["vocab"].as_object().unwrap();
    let mut tokens = vec![String::new(); vocab.len()];
    vocab.iter().for_each(|(token, id)| tokens[id.as_u64().unwrap() as usize] = token.clone());
    let merges = tokenizer["model"]["merges"].as_array().unwrap().iter();
    let merges: Vec<String> =
        merges.map(|pair| format!("{} {}", pair[0].as_str().unwrap(), pair[1].as_str().unwrap())).collect();

    let key = |name: &str, kind: u32, value: Vec<u8>| [text(name), kind.to_le_bytes().to_vec(), value].concat();
    let size = |name: &str, n: u32| key(name, 4, n.to_le_bytes().to_vec());
    let word = |name: &str, value: &str| key(name, 8, text(value));
    let words = |name: &str, list: &[String]| {
        let head = [&8_u32.to_le_bytes()[..], &(list.len() as u64).to_le_bytes()].concat();
        key(name, 9, [head, list.iter().flat_map(|word| text(word)).collect()].concat())
    };
    let metadata = [
        word("general.architecture", "llama"),
        size("llama.context_length", 128),
        size("llama.embedding_length", 16),
        size("llama.feed_forward_length", 24),
        size("llama.block_count", 2),
        size("llama.attention.head_count", 4),
        size("llama.attention.head_count_kv", 2),
        key("llama.attention.layer_norm_rms_epsilon", 6, 1e-5_f32.to_le_bytes().to_vec()),
        word("tokenizer.ggml.model", "gpt2"),
        word("tokenizer.ggml.pre", "smollm"),
        words("tokenizer.ggml.tokens", &tokens),
        words("tokenizer.ggml.merges", &merges),
        size("tokenizer.ggml.bos_token_id", 2),
        size("tokenizer.ggml.eos_token_id", 2),
    ];
    // Sizes in GGUF's order, inputs first.
    let mut tensors = vec![("token_embd".to_string(), vec![16, tokens.len()]), ("output_norm".to_string(), vec![16])];
    for block in 0..2 {
        for (name, sizes) in [
            ("attn_norm", vec![16]),
            ("ffn_norm", vec![16]),
            ("attn_q", vec![16, 16]),
            ("attn_k", vec![16, 8]),
            ("attn_v", vec![16, 8]),
            ("attn_output", vec![16, 16]),
            ("ffn_gate", vec![16, 24]),
            ("ffn_up", vec![16, 24]),
            ("ffn_down", vec![24, 16]),
        ] {
            tensors.push((format!("blk.{block}.{name}"), sizes));
        }
    }
    let (mut listed, mut data) = (Vec::new(), Vec::new());
    for (name, sizes) in &tensors {
        let name = format!("{name}.weight");
        listed.extend(text(&name));
        listed.extend((sizes.len() as u32).to_le_bytes());
        sizes.iter().for_each(|size| listed.extend((*size as u64).to_le_bytes()));
        listed.extend(0_u32.to_le_bytes());
        listed.extend((data.len() as u64).to_le_bytes());
        data.extend(numbers(&name, sizes.iter().product()));
        data.resize(data.len().next_multiple_of(32), 0);
    }
    let mut file = [&b"GGUF"[..], &3_u32.to_le_bytes()].concat();
    file.extend((tensors.len() as u64).to_le_bytes());
    file.extend((metadata.len() as u64).to_le_bytes());
    file.extend(metadata.concat());
    file.extend(listed);
    file.resize(file.len().next_multiple_of(32), 0);
    file.extend(data);
    file
}

#[tokio::test]
async fn one_gguf_file_is_dropped_and_trained_on() {
    let lab = Lab::start(false).await;
    // From the string rules, which no visitor's base reads: the task gives way and says so.
    lab.open("rule=cipher&method=lora&steps=4&batch_size=3&device=cpu").await;
    lab.drop_files(&[("Qwen2.5-0.5B.Q4_1.gguf", gguf())]).await;
    lab.wait("document.querySelector('dialog[open]')?.innerText.includes('GGUF: ')").await;
    lab.wait("document.querySelector('dialog[open]')?.innerText.includes('The task is now')").await;
    let title = lab.eval("document.querySelector('dialog[open] h3').innerText").await;
    let title = title.as_str().unwrap();
    assert!(title.starts_with("Qwen2.5-0.5B.Q4_1 · "), "{title}");
    let parts = ["SiLU, the MLP's gate", "rotary positions of the keys", "RMSNorm before attention"];
    use_and_train(&lab, title, &parts, 4).await;
    assert!(lab.eval("location.hash").await.to_string().contains("base=own-qwen2-5-0-5b-q4-1-"));
    lab.close().await;
}

#[tokio::test]
async fn workers_share_the_steps_of_a_base_that_a_visitor_brought() {
    let opt: serde_json::Value = serde_json::from_slice(&fixture("opt/config.json")).unwrap();
    let lab = Lab::start(false).await;
    // Enough for parts that are worth a worker.
    lab.open("task=authors&method=lora&batch_size=512&steps=200&device=cpu&workers=2").await;
    drop_folder(&lab, "my-llama", &llama(opt["vocab_size"].as_u64().unwrap()), 0).await;
    lab.press("Use this base").await;
    lab.wait("!document.querySelector('dialog[open]')").await;
    lab.press("Train").await;
    lab.wait("labEvents.some(e => e.event === 'step' && e.workers === 2)").await;
    lab.press("Stop").await;
    lab.event("stopped").await;
    lab.assert_clean().await;
}
