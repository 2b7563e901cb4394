use super::*;
use crate::model::Target;

/// A `config.json` with its sizes and nothing else.
const SIZES: [(&str, &str); 2] = [
    (
        "opt",
        r#"{"model_type":"opt","vocab_size":40,"max_position_embeddings":24,"hidden_size":16,"ffn_dim":32,
            "num_hidden_layers":3,"num_attention_heads":2}"#,
    ),
    ("gpt2", r#"{"model_type":"gpt2","vocab_size":40,"n_positions":24,"n_embd":16,"n_layer":3,"n_head":2}"#),
];

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
        assert_eq!(held, Target::ALL, "{}", family.title);
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
    let opt = config("opt");
    assert_eq!((opt.activation_function, opt.ffn_dim), (Activation::Relu, 32));
    let gpt2 = config("gpt2");
    assert_eq!((gpt2.activation_function, gpt2.ffn_dim), (Activation::GeluNew, 64));
    assert_eq!(with("gpt2", "n_inner", 20.into()).unwrap().ffn_dim, 20);
}

#[test]
fn every_key_that_would_change_the_result_is_refused_by_its_name() {
    let (yes, no) = (Value::from(true), Value::from(false));
    let cases = [
        ("opt", "do_layer_norm_before", no.clone(), "false"),
        ("opt", "tie_word_embeddings", no.clone(), "false"),
        ("opt", "enable_bias", no.clone(), "false"),
        ("opt", "layer_norm_elementwise_affine", no.clone(), "false"),
        ("opt", "_remove_final_layer_norm", yes.clone(), "true"),
        ("opt", "word_embed_proj_dim", 8.into(), "Some(8)"),
        ("opt", "hidden_size", 15.into(), "15"),
        ("opt", "ffn_dim", 0.into(), "0"),
        ("gpt2", "scale_attn_weights", no.clone(), "false"),
        ("gpt2", "scale_attn_by_inverse_layer_idx", yes.clone(), "true"),
        ("gpt2", "add_cross_attention", yes, "true"),
        ("gpt2", "tie_word_embeddings", no, "false"),
        ("gpt2", "layer_norm_epsilon", 1e-6.into(), "0.000001"),
        ("gpt2", "n_embd", 15.into(), "15"),
        ("gpt2", "n_inner", 0.into(), "0"),
    ];
    for (family, key, value, told) in cases {
        let error = with(family, key, value).unwrap_err().to_string();
        assert!(error.starts_with(&format!("config.json: {key} is {told}, this loader knows ")), "{error}");
    }
}

#[test]
fn another_architecture_is_refused_by_name() {
    let error = with("opt", "model_type", "llama".into()).unwrap_err().to_string();
    assert_eq!(error, "config.json: model_type is llama, this loader knows \"opt\" and \"gpt2\"");
}

#[cfg(feature = "train")]
#[test]
fn a_config_that_was_written_reads_as_the_same_model() {
    for family in all() {
        let config = ModelConfig { ffn_dim: 20, activation_function: Activation::Gelu, ..config(family.model_type) };
        assert_eq!(ModelConfig::from_json(&config.to_json().to_string()).unwrap(), config);
    }
}

#[test]
fn names_of_modules_are_those_of_hugging_face() {
    let q = ModulePath::Linear(1, Target::Q);
    let names = |path: ModulePath| all().map(|family| family.key(path)).collect::<Vec<_>>();
    assert_eq!(names(q), ["model.decoder.layers.1.self_attn.q_proj", "transformer.h.1.attn.c_attn"]);
    assert_eq!(names(ModulePath::MlpNorm(0)), ["model.decoder.layers.0.final_layer_norm", "transformer.h.0.ln_2"]);
    assert_eq!(names(ModulePath::FinalNorm), ["model.decoder.final_layer_norm", "transformer.ln_f"]);
    assert_eq!(native().peft_key(q), "base_model.model.model.decoder.layers.1.self_attn.q_proj");
    let norms: Vec<_> = all().map(Family::norms).collect();
    assert_eq!(norms, [vec!["self_attn_layer_norm", "final_layer_norm"], vec!["ln_1", "ln_2", "ln_f"]]);
    // PEFT's `c_proj` means two modules of GPT-2.
    let found = config("gpt2").family().modules_named("c_proj").map(|module| module.path).collect::<Vec<_>>();
    assert_eq!(found, ["attn.c_proj", "mlp.c_proj"]);
}

#[test]
fn no_two_modules_have_one_name_unless_their_matrices_lie_side_by_side() {
    for family in all() {
        let mut names: Vec<String> = ModulePath::all(3).map(|path| family.key(path)).collect();
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
