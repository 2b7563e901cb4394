use super::*;
use crate::model::{Positions, Target};
use serde_json::Value;

/// A `config.json` with its sizes and nothing else.
const SIZES: [(&str, &str); 7] = [
    (
        "opt",
        r#"{"model_type":"opt","vocab_size":40,"max_position_embeddings":24,"hidden_size":16,"ffn_dim":32,
            "num_hidden_layers":3,"num_attention_heads":2}"#,
    ),
    ("gpt2", r#"{"model_type":"gpt2","vocab_size":40,"n_positions":24,"n_embd":16,"n_layer":3,"n_head":2}"#),
    ("llama", LLAMA),
    ("mistral", MISTRAL),
    ("qwen2", QWEN2),
    ("qwen3", QWEN3),
    (
        "gpt_neox",
        r#"{"model_type":"gpt_neox","vocab_size":40,"max_position_embeddings":24,"hidden_size":16,
            "intermediate_size":32,"num_hidden_layers":3,"num_attention_heads":2}"#,
    ),
];
const LLAMA: &str = r#"{"model_type":"llama","vocab_size":40,"max_position_embeddings":24,"hidden_size":16,
    "intermediate_size":32,"num_hidden_layers":3,"num_attention_heads":4,"num_key_value_heads":2,
    "tie_word_embeddings":true}"#;
const MISTRAL: &str = r#"{"model_type":"mistral","vocab_size":40,"max_position_embeddings":24,"hidden_size":16,
    "intermediate_size":32,"num_hidden_layers":3,"num_attention_heads":4,"num_key_value_heads":1}"#;
const QWEN2: &str = r#"{"model_type":"qwen2","vocab_size":40,"max_position_embeddings":24,"hidden_size":16,
    "intermediate_size":32,"num_hidden_layers":3,"num_attention_heads":4,"num_key_value_heads":2,
    "tie_word_embeddings":true}"#;
const QWEN3: &str = r#"{"model_type":"qwen3","vocab_size":40,"max_position_embeddings":24,"hidden_size":16,"head_dim":8,
    "intermediate_size":32,"num_hidden_layers":3,"num_attention_heads":4,"num_key_value_heads":2}"#;

/// A small model of every family.
pub fn tiny() -> Vec<ModelConfig> {
    SIZES.into_iter().map(|(family, _)| config(family)).collect()
}

fn config(family: &str) -> ModelConfig {
    let (_, json) = SIZES.into_iter().find(|(name, _)| *name == family).unwrap();
    ModelConfig::from_json(json).unwrap()
}

/// A `config.json` with one key more.
fn with(family: &str, key: &str, value: Value) -> Result<ModelConfig, ModelConfigError> {
    let (_, json) = SIZES.into_iter().find(|(name, _)| *name == family).unwrap();
    let mut json: Value = serde_json::from_str(json).unwrap();
    json[key] = value;
    ModelConfig::from_json(&json.to_string())
}

#[test]
fn every_family_s_modules_hold_every_linear_layer_once() {
    for family in all() {
        let mut held: Vec<Target> = family.modules.iter().flat_map(|module| module.holds).copied().collect();
        held.sort_unstable();
        assert_eq!(held, Target::of(&config(family.model_type)), "{}", family.title);
        for module in family.modules {
            assert_eq!(family.modules_named(module.peft).collect::<Vec<_>>(), [module], "{}", family.title);
        }
    }
}

#[test]
fn every_family_is_told_by_its_model_type() {
    for family in all() {
        assert_eq!(config(family.model_type).family().title, family.title);
    }
    assert_eq!(SIZES.len(), all().count());
}

#[test]
fn keys_left_out_have_the_defaults_of_transformers() {
    // OPTConfig() and GPT2Config() of transformers 5.24.
    let bare = |family: &str| ModelConfig::from_json(&format!("{{\"model_type\":\"{family}\"}}")).unwrap();
    let sizes = |c: &ModelConfig| {
        [c.vocab_size, c.max_position_embeddings, c.hidden_size, c.ffn_dim, c.num_hidden_layers, c.num_attention_heads]
    };
    let (opt, gpt2) = (bare("opt"), bare("gpt2"));
    assert_eq!((sizes(&opt), opt.activation_function), ([50_272, 2048, 768, 3072, 12, 12], Activation::Relu));
    assert_eq!((sizes(&gpt2), gpt2.activation_function), ([50_257, 1024, 768, 3072, 12, 12], Activation::GeluNew));
    assert_eq!(config("gpt2").ffn_dim, 64);
    assert_eq!(with("gpt2", "n_inner", 20.into()).unwrap().ffn_dim, 20);
    assert_eq!(with("gpt2", "n_inner", Value::Null).unwrap().ffn_dim, 64);
    assert_eq!(with("opt", "word_embed_proj_dim", Value::Null).unwrap(), config("opt"));
}

/// facebook/opt-125m's and gpt2's, as transformers 4 wrote them: what is at its default is left out, and keys
/// are there that no version reads any more.
#[test]
fn a_config_of_transformers_4_is_read() {
    let opt = r#"{
        "_name_or_path": "facebook/opt-125m", "activation_dropout": 0.0, "activation_function": "relu",
        "architectures": ["OPTForCausalLM"], "attention_dropout": 0.0, "bos_token_id": 2,
        "do_layer_norm_before": true, "dropout": 0.1, "eos_token_id": 2, "ffn_dim": 3072, "hidden_size": 768,
        "init_std": 0.02, "layerdrop": 0.0, "max_position_embeddings": 2048, "model_type": "opt",
        "num_attention_heads": 12, "num_hidden_layers": 12, "pad_token_id": 1, "prefix": "</s>",
        "torch_dtype": "float16", "transformers_version": "4.21.0.dev0", "use_cache": true,
        "vocab_size": 50272, "word_embed_proj_dim": 768
    }"#;
    assert_eq!(ModelConfig::from_json(opt).unwrap().parameters(), 125_239_296);
    let gpt2 = r#"{
        "activation_function": "gelu_new", "architectures": ["GPT2LMHeadModel"], "attn_pdrop": 0.1,
        "bos_token_id": 50256, "embd_pdrop": 0.1, "eos_token_id": 50256, "initializer_range": 0.02,
        "layer_norm_epsilon": 1e-05, "model_type": "gpt2", "n_ctx": 1024, "n_embd": 768, "n_head": 12,
        "n_layer": 12, "n_positions": 1024, "reorder_and_upcast_attn": false, "resid_pdrop": 0.1,
        "scale_attn_by_inverse_layer_idx": false, "scale_attn_weights": true, "summary_activation": null,
        "summary_first_dropout": 0.1, "summary_proj_to_labels": true, "summary_type": "cls_index",
        "summary_use_proj": true, "task_specific_params": {"text-generation": {"do_sample": true}},
        "vocab_size": 50257
    }"#;
    assert_eq!(ModelConfig::from_json(gpt2).unwrap().parameters(), 124_439_808);
}

#[test]
fn keys_that_do_not_change_the_logits_are_passed_over() {
    for (family, key, value) in [
        ("gpt2", "reorder_and_upcast_attn", true.into()),
        ("gpt2", "summary_type", "mean".into()),
        ("gpt2", "resid_pdrop", 0.3.into()),
        ("gpt2", "initializer_range", 0.1.into()),
        ("opt", "dropout", 0.4.into()),
        ("opt", "layerdrop", 0.2.into()),
        ("opt", "init_std", 0.1.into()),
        ("opt", "pad_token_id", Value::Null),
        ("opt", "torch_dtype", "bfloat16".into()),
        ("opt", "use_cache", false.into()),
        ("opt", "quantization_config", Value::Null),
        ("opt", "pruned_heads", serde_json::json!({})),
        ("opt", "n_embd", 8.into()),
    ] {
        assert_eq!(with(family, key, value).unwrap(), config(family), "{key}");
    }
}

#[test]
fn an_activation_has_all_of_transformers_names() {
    for (names, activation) in [
        (&["relu"][..], Activation::Relu),
        (&["gelu_new", "gelu_fast", "gelu_pytorch_tanh", "gelu_python_tanh", "gelu_accurate"], Activation::GeluNew),
        (&["gelu", "gelu_python"], Activation::Gelu),
    ] {
        for family in ["opt", "gpt2"] {
            for name in names {
                let read = with(family, "activation_function", (*name).into()).unwrap();
                assert_eq!(read.activation_function, activation, "{name}");
            }
        }
    }
    for name in ["gelu_10", "quick_gelu", "silu", "swish", "relu2", "tanh", "Relu"] {
        let error = with("gpt2", "activation_function", name.into()).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("config.json: activation_function is {name}, this loader knows relu, ")),
            "{error}"
        );
    }
}

#[test]
fn a_size_of_gpt2_has_two_names_that_may_not_contradict_each_other() {
    for (other, value, read) in [
        ("hidden_size", 8, (|c: &ModelConfig| c.hidden_size) as fn(&ModelConfig) -> usize),
        ("max_position_embeddings", 48, |c| c.max_position_embeddings),
        ("num_attention_heads", 4, |c| c.num_attention_heads),
        ("num_hidden_layers", 1, |c| c.num_hidden_layers),
    ] {
        let alone =
            ModelConfig::from_json(&format!("{{\"model_type\":\"gpt2\",\"{other}\":{value}}}")).map(|c| read(&c));
        assert!(alone == Ok(value) || value == 8, "{other}");
        let error = with("gpt2", other, value.into()).unwrap_err().to_string();
        assert!(error.starts_with(&format!("config.json: {other} is {value}, this loader knows what n_")), "{error}");
    }
}

#[test]
fn every_key_that_would_change_the_result_is_refused_by_its_name() {
    let (yes, no) = (Value::from(true), Value::from(false));
    let bnb = serde_json::json!({"load_in_8bit": true, "quant_method": "bitsandbytes"});
    let gptq = serde_json::json!({"bits": 4, "quant_method": "gptq"});
    let cases = [
        ("opt", "do_layer_norm_before", no.clone(), "false"),
        ("opt", "tie_word_embeddings", no.clone(), "false"),
        ("opt", "enable_bias", no.clone(), "false"),
        ("opt", "layer_norm_elementwise_affine", no.clone(), "false"),
        ("opt", "_remove_final_layer_norm", yes.clone(), "true"),
        ("opt", "word_embed_proj_dim", 8.into(), "8"),
        ("opt", "hidden_size", 15.into(), "15"),
        ("opt", "hidden_size", 16.5.into(), "16.5"),
        ("opt", "ffn_dim", 0.into(), "0"),
        ("opt", "num_hidden_layers", (-1).into(), "-1"),
        ("opt", "num_hidden_layers", Value::Null, "null"),
        ("opt", "vocab_size", "many".into(), "\"many\""),
        ("opt", "enable_bias", "yes".into(), "\"yes\""),
        ("opt", "quantization_config", bnb, "bitsandbytes"),
        ("gpt2", "quantization_config", gptq, "gptq"),
        ("gpt2", "compression_config", serde_json::json!({"bits": 8}), "{\"bits\":8}"),
        ("gpt2", "pruned_heads", serde_json::json!({"0": [1]}), "{\"0\":[1]}"),
        ("gpt2", "activation_function", 7.into(), "7"),
        ("gpt2", "scale_attn_weights", no.clone(), "false"),
        ("gpt2", "scale_attn_by_inverse_layer_idx", yes.clone(), "true"),
        ("gpt2", "add_cross_attention", yes, "true"),
        ("gpt2", "tie_word_embeddings", no, "false"),
        ("gpt2", "layer_norm_epsilon", 0.into(), "0"),
        ("llama", "rms_norm_eps", "small".into(), "\"small\""),
        ("llama", "hidden_act", "gelu".into(), "gelu"),
        ("qwen2", "hidden_act", "relu".into(), "relu"),
        ("llama", "num_key_value_heads", 3.into(), "3"),
        ("mistral", "num_key_value_heads", 0.into(), "0"),
        ("qwen3", "head_dim", 5.into(), "5"),
        ("llama", "rope_theta", (-1).into(), "-1"),
        ("llama", "partial_rotary_factor", 0.5.into(), "0.5"),
        ("llama", "attention_bias", 1.into(), "1"),
        ("gpt_neox", "rotary_pct", 1.5.into(), "1.5"),
        ("gpt_neox", "rotary_pct", 0.1.into(), "0.1"),
        ("gpt_neox", "hidden_act", "silu".into(), "silu"),
        ("gpt_neox", "use_parallel_residual", "no".into(), "\"no\""),
        ("gpt_neox", "hidden_size", 15.into(), "15"),
        ("gpt2", "n_embd", 15.into(), "15"),
        ("gpt2", "n_inner", 0.into(), "0"),
        ("opt", "model_type", 7.into(), "7"),
        ("opt", "model_type", Value::Null, "missing"),
    ];
    for (family, key, value, told) in cases {
        let error = with(family, key, value).unwrap_err().to_string();
        assert!(error.starts_with(&format!("config.json: {key} is {told}, this loader knows ")), "{error}");
        assert!(!error.contains("serde") && !error.contains("invalid type"), "{error}");
    }
}

#[test]
fn what_is_no_config_is_told_in_words_of_our_own() {
    for (text, told) in [
        ("", "config.json is not readable: it is empty"),
        ("[]", "config.json is not readable: it holds a list in place of keys"),
        (
            "{\"model_type\": \"opt\",",
            "config.json is not readable: it ends in line 1, before it is complete: is it cut short?",
        ),
        (
            "{\"model_type\": NaN}",
            "config.json is not readable: “model_type” is NaN, and JSON has finite numbers alone: null stands for none",
        ),
    ] {
        assert_eq!(ModelConfig::from_json(text).unwrap_err().to_string(), told);
    }
}

#[test]
fn another_architecture_is_refused_by_name() {
    for name in ["gemma2", "qwen2_moe"] {
        let error = with("opt", "model_type", name.into()).unwrap_err().to_string();
        let known = "\"opt\", \"gpt2\", \"llama\", \"mistral\", \"qwen2\", \"qwen3\" and \"gpt_neox\"";
        assert_eq!(error, format!("config.json: model_type is {name}, this loader knows {known}"));
    }
}

#[cfg(feature = "train")]
#[test]
fn a_config_that_was_written_reads_as_the_same_model() {
    for family in all() {
        let own = config(family.model_type);
        let activation_function = if own.gated { Activation::Silu } else { Activation::GeluNew };
        let config = ModelConfig { ffn_dim: 20, activation_function, ..own };
        assert_eq!(ModelConfig::from_json(&config.to_json().to_string()).unwrap(), config);
    }
}

#[test]
fn names_of_modules_are_those_of_hugging_face() {
    let q = ModulePath::Linear(1, Target::Q);
    let names = |path: ModulePath| all().map(|family| family.key(path)).collect::<Vec<_>>();
    let llama = |name: &str| [name; 4].map(String::from);
    let of = |opt: &str, gpt2: &str, others: &str, neox: &str| {
        [&[opt.into(), gpt2.into()], &llama(others)[..], &[neox.into()]].concat()
    };
    let neox = "gpt_neox.layers.1.attention.query_key_value";
    let (opt, gpt2) = ("model.decoder.layers.1.self_attn.q_proj", "transformer.h.1.attn.c_attn");
    assert_eq!(names(q), of(opt, gpt2, "model.layers.1.self_attn.q_proj", neox));
    let (opt, after) = ("model.decoder.layers.0.final_layer_norm", "layers.0.post_attention_layernorm");
    let others = (format!("model.{after}"), format!("gpt_neox.{after}"));
    assert_eq!(names(ModulePath::MlpNorm(0)), of(opt, "transformer.h.0.ln_2", &others.0, &others.1));
    let (opt, neox) = ("model.decoder.final_layer_norm", "gpt_neox.final_layer_norm");
    assert_eq!(names(ModulePath::FinalNorm), of(opt, "transformer.ln_f", "model.norm", neox));
    assert_eq!(names(ModulePath::Head), of("lm_head", "lm_head", "lm_head", "embed_out"));
    assert_eq!(native().peft_key(q), "base_model.model.model.decoder.layers.1.self_attn.q_proj");
    let norms: Vec<_> = all().map(Family::norms).collect();
    assert_eq!(norms[..2], [vec!["self_attn_layer_norm", "final_layer_norm"], vec!["ln_1", "ln_2", "ln_f"]]);
    let own = ["input_layernorm", "post_attention_layernorm", "norm"];
    assert_eq!(norms[2], own);
    assert_eq!(norms[5], [&own[..], &["self_attn.q_norm", "self_attn.k_norm"]].concat());
    // PEFT's `c_proj` means two modules of GPT-2.
    let found = config("gpt2").family().modules_named("c_proj").map(|module| module.path).collect::<Vec<_>>();
    assert_eq!(found, ["attn.c_proj", "mlp.c_proj"]);
}

#[test]
fn no_two_modules_have_one_name_unless_their_matrices_lie_side_by_side() {
    for family in all() {
        let mut names: Vec<String> = ModulePath::all(&config(family.model_type)).map(|path| family.key(path)).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        let joined: usize = family.modules.iter().map(|module| module.holds.len() - 1).sum();
        assert_eq!(names.len(), all - 3 * joined, "{}", family.title);
        assert_eq!(family.joins_matrices(), joined > 0);
    }
}

#[test]
fn a_published_model_is_found_by_its_id_and_is_of_its_family() {
    for family in all() {
        for model in family.published {
            assert_eq!(RealModel::named(model.id), Some(model));
            assert_eq!(model.config.model_type, family.model_type);
        }
    }
}

#[test]
fn angles_that_are_scaled_are_refused_under_the_key_that_says_so() {
    for (family, key, kind) in [
        ("llama", "rope_scaling", serde_json::json!({"rope_type": "llama3", "factor": 32.0})),
        ("qwen2", "rope_scaling", serde_json::json!({"type": "yarn", "factor": 4.0})),
        ("gpt_neox", "rope_parameters", serde_json::json!({"rope_type": "linear", "factor": 2.0})),
    ] {
        let name = kind["rope_type"].as_str().or(kind["type"].as_str()).unwrap().to_string();
        let error = with(family, key, kind).unwrap_err().to_string();
        assert!(error.starts_with(&format!("config.json: {key} is {name}, this loader knows default")), "{error}");
    }
}

#[test]
fn the_base_of_the_angles_stands_in_either_place() {
    let base = |config: ModelConfig| match config.positions {
        Positions::Rotary { base, dims } => (base, dims),
        Positions::Learned { .. } => panic!("positions are learned"),
    };
    let inside = |theta: f64| serde_json::json!({"rope_type": "default", "rope_theta": theta});
    assert_eq!(base(config("llama")), (10_000.0, 4));
    assert_eq!(base(with("llama", "rope_theta", 500.into()).unwrap()), (500.0, 4));
    assert_eq!(base(with("qwen3", "rope_parameters", inside(1e6)).unwrap()), (1e6, 8));
    assert_eq!(base(with("llama", "rope_scaling", inside(700.0)).unwrap()), (700.0, 4));
    assert_eq!(base(config("gpt_neox")), (10_000.0, 2));
    assert_eq!(base(with("gpt_neox", "rotary_emb_base", 300.into()).unwrap()), (300.0, 2));
    assert_eq!(base(with("gpt_neox", "rotary_pct", 1.into()).unwrap()), (10_000.0, 8));
}

#[test]
fn texts_are_no_longer_than_a_window() {
    let positions = |config: Result<ModelConfig, _>| config.unwrap().max_position_embeddings;
    assert_eq!(positions(with("mistral", "sliding_window", 16.into())), 16);
    assert_eq!(positions(with("mistral", "sliding_window", Value::Null)), 24);
    assert_eq!(positions(with("mistral", "sliding_window", 4096.into())), 24);
    // Qwen's window is off unless it is switched on.
    assert_eq!(positions(with("qwen2", "sliding_window", 16.into())), 24);
    assert_eq!(positions(with("llama", "sliding_window", 16.into())), 24);
}

/// Parameters of published models as the Hugging Face Hub counts their safetensors (a tied head once), and in
/// Pythia's README as its table of sizes has them. OPT's and GPT-2's are those of transformers' models; of
/// larger OPT the table of Zhang et al. has billions.
const COUNTS: [(&str, u64); 31] = [
    ("opt-125m", 125_239_296),
    ("opt-1.3b", 1_315_758_080),
    ("opt-6.7b", 6_700_000_000),
    ("opt-13b", 13_000_000_000),
    ("opt-66b", 66_000_000_000),
    ("opt-175b", 175_000_000_000),
    ("gpt2", 124_439_808),
    ("gpt2-medium", 354_823_168),
    ("gpt2-large", 774_030_080),
    ("gpt2-xl", 1_557_611_200),
    ("smollm2-135m", 134_515_008),
    ("smollm2-360m", 361_821_120),
    ("tinyllama-1.1b", 1_100_048_384),
    ("llama-3.2-1b", 1_235_814_400),
    ("smollm2-1.7b", 1_711_376_384),
    ("llama-3.2-3b", 3_212_749_824),
    ("llama-3.1-8b", 8_030_261_248),
    ("mistral-7b", 7_248_023_552),
    ("qwen2.5-0.5b", 494_032_768),
    ("qwen2.5-1.5b", 1_543_714_304),
    ("qwen2.5-7b", 7_615_616_512),
    ("qwen3-0.6b", 596_049_920),
    ("qwen3-1.7b", 1_720_574_976),
    ("qwen3-8b", 8_190_735_360),
    ("pythia-70m", 70_426_624),
    ("pythia-160m", 162_322_944),
    ("pythia-410m", 405_334_016),
    ("pythia-1b", 1_011_781_632),
    ("pythia-1.4b", 1_414_647_808),
    ("pythia-6.9b", 6_857_302_016),
    ("pythia-12b", 11_846_072_320),
];

#[test]
fn every_published_model_has_as_many_parameters_as_its_makers_count() {
    for model in real_models() {
        let (_, count) = COUNTS.iter().find(|(id, _)| *id == model.id).unwrap();
        // A round one is compared as it is told.
        let unit = [1_000_000_000, 100_000_000].into_iter().find(|unit| count % unit == 0).unwrap_or(1);
        let found = model.config.parameters();
        assert_eq!((found + unit / 2) / unit * unit, *count, "{}", model.id);
    }
    assert_eq!(real_models().count(), COUNTS.len());
}

#[cfg(feature = "train")]
#[test]
fn published_models_are_such_as_their_family_reads_and_stand_by_size() {
    for family in all() {
        for model in family.published {
            let json = model.config.to_json().to_string();
            assert_eq!(ModelConfig::from_json(&json).unwrap(), model.config, "{}", model.id);
        }
        assert!(family.published.is_sorted_by_key(|model| model.config.parameters()), "{}", family.title);
    }
}
