//! Adapters of Hugging Face PEFT: `adapter_config.json` and `adapter_model.safetensors`, written and read for every method that
//! PEFT has for OPT, with its keys and orientation (peft 0.21).

use super::phi_file::{StoredPhi, push_shared, read_shared, values};
use crate::base::Failure;
use crate::base::Fault;
use crate::base::read;
use crate::config::RunConfig;
use crate::model::ModelConfig;
use crate::model::Target;
use crate::model::TensorInfo;
use crate::model::files::{Reader, TensorFileError, Writer};
use crate::peft::Phi;
use crate::peft::{Blocks, Dora, Ia3, LnTuning, Lora, MethodConfig, Prefix, Prompt, Shape, Vera};
use burn::tensor::Tensor;
use serde_json::{Map, Value, json};

pub const CONFIG_FILE: &str = "adapter_config.json";
pub const MODEL_FILE: &str = "adapter_model.safetensors";

/// An adapter that cannot be used, or a φ that PEFT has no file for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdapterError {
    #[error("{CONFIG_FILE} is not readable: {0}")]
    Json(String),
    #[error("{CONFIG_FILE}: {key} is {found}, this lab knows {expected}")]
    Unsupported { key: String, found: String, expected: String },
    #[error("{CONFIG_FILE}: {}: {}", .0.key, .0.message)]
    Fault(Fault),
    #[error(transparent)]
    Tensors(#[from] TensorFileError),
    #[error("{0}")]
    NotInPeft(String),
    #[error("{}", .0.message)]
    Device(Failure),
}

impl From<Failure> for AdapterError {
    fn from(failure: Failure) -> Self {
        AdapterError::Device(failure)
    }
}

/// The two files.
#[derive(Clone, Debug, PartialEq)]
pub struct AdapterFiles {
    pub config: String,
    pub weights: Vec<u8>,
}

/// Module names of chosen targets, all the same in every block, as PEFT's `target_modules`.
fn modules(targets: &[Target]) -> Value {
    targets.iter().map(|t| t.module()).collect()
}

/// `layers_to_transform`: null for all blocks.
fn layers(layers: &Blocks, model: &ModelConfig) -> Value {
    if layers.is_all() { Value::Null } else { json!(layers.list(model.num_hidden_layers)) }
}

/// `adapter_config.json` of a method on a base of this name; the reason where PEFT cannot hold it.
pub fn config_json(method: &MethodConfig, model: &ModelConfig, base: &str) -> Result<Value, AdapterError> {
    let mut json = json!({
        "base_model_name_or_path": base, "task_type": "CAUSAL_LM", "inference_mode": true,
        "auto_mapping": null, "revision": null, "modules_to_save": null,
    });
    let virtual_tokens = |n: usize| {
        json!({"num_virtual_tokens": n, "token_dim": model.hidden_size, "num_layers": model.num_hidden_layers,
               "num_attention_heads": model.num_attention_heads, "num_transformer_submodules": 1})
    };
    let lora = |m: &Lora, dora: bool| {
        json!({"peft_type": "LORA", "r": m.rank, "lora_alpha": m.alpha(), "lora_dropout": m.lora_dropout,
               "target_modules": modules(&m.target_modules), "layers_to_transform": layers(&m.layers, model),
               "layers_pattern": null, "use_rslora": m.use_rslora, "use_dora": dora, "bias": "none",
               "fan_in_fan_out": false, "init_lora_weights": true, "rank_pattern": {}, "alpha_pattern": {}})
    };
    let own = match method {
        MethodConfig::Lora(m) if model.is_gpt2() => gpt2::config(m, lora(m, false)),
        MethodConfig::Dora(_) | MethodConfig::Vera(_) | MethodConfig::Ia3(_) | MethodConfig::LnTuning(_)
            if model.is_gpt2() =>
        {
            let message =
                format!("Of GPT-2's modules only LoRA is written, not {}: save the run.", method.info().title);
            return Err(AdapterError::NotInPeft(message));
        }
        MethodConfig::Lora(m) => lora(m, false),
        MethodConfig::Dora(m) => lora(&m.lora(), true),
        MethodConfig::Vera(m) => {
            json!({"peft_type": "VERA", "r": m.rank, "target_modules": modules(&m.target_modules),
                   "layers_to_transform": layers(&m.layers, model), "layers_pattern": null, "projection_prng_key": 0,
                   "save_projection": true, "d_initial": 0.1, "vera_dropout": 0.0, "bias": "none",
                   "fan_in_fan_out": false, "init_weights": true})
        }
        MethodConfig::Ia3(m) => {
            // (IA)³'s configuration has no list of layers: chosen blocks are named module by module.
            let named = |target: &Target| -> Vec<String> {
                let blocks = m.layers.list(model.num_hidden_layers).into_iter();
                if m.layers.is_all() {
                    return vec![target.module().to_string()];
                }
                blocks
                    .map(|layer| {
                        let key = crate::model::ModulePath::Linear(layer, *target).key();
                        key.trim_start_matches("model.decoder.").to_string()
                    })
                    .collect()
            };
            let all: Vec<String> = m.target_modules.iter().flat_map(&named).collect();
            let inner = m.target_modules.iter().filter(|t| **t == Target::Fc2);
            let inner: Vec<String> = inner.flat_map(&named).collect();
            json!({"peft_type": "IA3", "target_modules": all, "feedforward_modules": inner, "fan_in_fan_out": false,
                   "init_ia3_weights": true})
        }
        MethodConfig::LnTuning(_) => {
            json!({"peft_type": "LN_TUNING", "target_modules": ["self_attn_layer_norm", "final_layer_norm"]})
        }
        MethodConfig::Prompt(m) => {
            let mut json = virtual_tokens(m.num_virtual_tokens);
            json["peft_type"] = "PROMPT_TUNING".into();
            json["prompt_tuning_init"] = "RANDOM".into();
            json
        }
        MethodConfig::PTuning(m) => {
            let mut json = virtual_tokens(m.num_virtual_tokens);
            json["peft_type"] = "P_TUNING".into();
            json["encoder_reparameterization_type"] = "MLP".into();
            json["encoder_hidden_size"] = m.encoder_hidden_size.into();
            json["encoder_num_layers"] = 2.into();
            json["encoder_dropout"] = 0.0.into();
            json
        }
        MethodConfig::Prefix(m) => {
            if !m.layers.is_all() {
                let message = "PEFT's prefix stands in every layer: one of chosen blocks has no file there.";
                return Err(AdapterError::NotInPeft(message.into()));
            }
            let mut json = virtual_tokens(m.num_virtual_tokens);
            json["peft_type"] = "PREFIX_TUNING".into();
            // The MLP has folded away: what is stored are the keys and values themselves.
            json["prefix_projection"] = false.into();
            json["encoder_hidden_size"] = model.hidden_size.into();
            json
        }
        other => {
            let message = format!("PEFT has no file for {}: save the run, which holds φ too.", other.info().title);
            return Err(AdapterError::NotInPeft(message));
        }
    };
    if let (Value::Object(json), Value::Object(own)) = (&mut json, own) {
        json.extend(own);
    }
    Ok(json)
}

/// PEFT's key of one of φ's tensors.
fn key(info: &TensorInfo) -> String {
    if info.name.starts_with("model.") { format!("base_model.model.{}", info.name) } else { info.name.clone() }
}

/// A run's φ as PEFT writes it.
pub async fn export(config: &RunConfig, phi: &Phi) -> Result<AdapterFiles, AdapterError> {
    if !config.also.is_empty() {
        let message = "A PEFT adapter holds one method: train the methods apart to export them, or save the run.";
        return Err(AdapterError::NotInPeft(message.into()));
    }
    write_adapter(&config.method, &config.shape(), config.base.id, phi).await
}

/// A trained φ of one method as PEFT writes it. A reparameterised prompt or prefix is folded first.
pub async fn write_adapter(
    method: &MethodConfig,
    shape: &Shape,
    base: &str,
    phi: &Phi,
) -> Result<AdapterFiles, AdapterError> {
    let json = config_json(method, &shape.model, base)?;
    let mut writer = Writer::default();
    let phi = phi.frozen();
    let folded = match method {
        MethodConfig::PTuning(_) => phi.prompt(),
        MethodConfig::Prefix(_) => {
            let parts = phi.prefixes().into_iter().flat_map(|p| [p.keys, p.values]).collect();
            Some(Tensor::cat(parts, 1))
        }
        _ => None,
    };
    match folded {
        Some(folded) => {
            let [n, w] = folded.dims();
            writer.push_floats("prompt_embeddings", &[n, w], &read(folded.reshape([n * w])).await?);
        }
        None if shape.model.is_gpt2() => {
            if let MethodConfig::Lora(lora) = method {
                gpt2::write(&mut writer, lora, &shape.model, &values(&phi).await?);
            }
        }
        None => {
            let infos = method.method().tensors(shape);
            for (info, values) in infos.iter().zip(values(&phi).await?) {
                writer.push(key(info), info, &values);
            }
        }
    }
    for part in phi.compositions() {
        if let Some(shared) = part.shared() {
            push_shared(&mut writer, shared).await?;
        }
    }
    let text = serde_json::to_string_pretty(&json).map_err(|e| AdapterError::Json(e.to_string()))?;
    Ok(AdapterFiles { config: text, weights: writer.finish() })
}

/// Reads an adapter for the base and task of `config`: the run it belongs to, and φ's values. Everything is checked before
/// anything is used.
pub fn import(config: &RunConfig, files: &AdapterFiles) -> Result<(RunConfig, StoredPhi), AdapterError> {
    let (method, phi) = read_adapter(files, &config.shape())?;
    let config = RunConfig { method, also: Vec::new(), lr: None, ..config.clone() };
    config.check().map_err(AdapterError::Fault)?;
    Ok((config, phi))
}

/// Reads an adapter for a base of this shape.
pub fn read_adapter(files: &AdapterFiles, shape: &Shape) -> Result<(MethodConfig, StoredPhi), AdapterError> {
    if shape.model.is_gpt2() && files.config.contains("\"LORA\"") {
        return gpt2::read(files, shape);
    }
    let method = read_config(&files.config, &shape.model)?;
    method.method().check(shape, 0).map_err(AdapterError::Fault)?;
    let mut reader = Reader::new(MODEL_FILE, &files.weights)?;
    let infos = method.method().tensors(shape);
    let values = infos.iter().map(|info| reader.tensor(&key(info), info)).collect::<Result<_, _>>()?;
    if matches!(method, MethodConfig::Vera(_)) && !reader.has(super::phi_file::SHARED[0]) {
        return Err(unsupported(
            "save_projection",
            &Value::Bool(false),
            "true: without A and B in the file only PyTorch's generator could draw them again",
        ));
    }
    let shared = read_shared(&mut reader, std::iter::once(&method), shape)?;
    reader.finish()?;
    Ok((method, StoredPhi { values, scores: None, shared }))
}

fn unsupported(key: &str, found: &Value, expected: &str) -> AdapterError {
    let found = crate::base::shorten(&found.to_string());
    AdapterError::Unsupported { key: key.into(), found, expected: expected.into() }
}

/// Settings of PEFT that would change what is computed, with the values under which they do not.
const NEUTRAL: [(&str, &[&str]); 20] = [
    ("bias", &["\"none\""]),
    ("modules_to_save", &["null", "[]"]),
    ("fan_in_fan_out", &["false"]),
    ("rank_pattern", &["{}", "null"]),
    ("alpha_pattern", &["{}", "null"]),
    ("layers_pattern", &["null", "[]", "\"layers\"", "[\"layers\"]"]),
    ("exclude_modules", &["null", "[]"]),
    ("layer_replication", &["null"]),
    ("lora_bias", &["false"]),
    ("target_parameters", &["null", "[]"]),
    ("trainable_token_indices", &["null"]),
    ("alora_invocation_tokens", &["null"]),
    ("arrow_config", &["null"]),
    ("kasa_config", &["null"]),
    ("use_qalora", &["false"]),
    ("use_bdlora", &["null", "false"]),
    ("velora_config", &["null"]),
    ("monteclora_config", &["null"]),
    ("num_transformer_submodules", &["null", "1"]),
    ("encoder_reparameterization_type", &["\"MLP\"", "\"LSTM\""]),
];

/// Refuses settings that would change what is computed, but for those that the caller reads itself.
fn check_neutral(json: &Map<String, Value>, reads: impl Fn(&str) -> bool) -> Result<(), AdapterError> {
    for (key, neutral) in NEUTRAL.into_iter().filter(|(key, _)| !reads(key)) {
        if let Some(found) = json.get(key)
            && !neutral.contains(&found.to_string().as_str())
        {
            return Err(unsupported(key, found, neutral[0]));
        }
    }
    Ok(())
}

/// The method of an `adapter_config.json`.
pub fn read_config(text: &str, model: &ModelConfig) -> Result<MethodConfig, AdapterError> {
    let json: Map<String, Value> = serde_json::from_str(text).map_err(|e| AdapterError::Json(e.to_string()))?;
    check_neutral(&json, |_| false)?;
    let settings = Settings { json: &json, model };
    let flag = |key: &str| json.get(key).and_then(Value::as_bool).unwrap_or(false);
    let method = match json.get("peft_type").and_then(Value::as_str) {
        Some("LORA") => {
            let (rank, alpha) = (settings.integer("r")?, Some(settings.number("lora_alpha")?));
            let (target_modules, layers) = (settings.targets()?, settings.layers()?);
            match flag("use_dora") {
                true if flag("use_rslora") => {
                    return Err(unsupported("use_rslora", &Value::Bool(true), "false together with use_dora"));
                }
                true => MethodConfig::Dora(Dora { rank, alpha, target_modules, layers }),
                false => MethodConfig::Lora(Lora {
                    rank,
                    alpha,
                    target_modules,
                    layers,
                    use_rslora: flag("use_rslora"),
                    lora_dropout: json.get("lora_dropout").and_then(Value::as_f64).unwrap_or(0.0).clamp(0.0, 0.9),
                }),
            }
        }
        Some("VERA") => MethodConfig::Vera(Vera {
            rank: settings.integer("r")?,
            target_modules: settings.targets()?,
            layers: settings.layers()?,
        }),
        Some("IA3") => settings.ia3()?,
        Some("LN_TUNING") => {
            let named = settings.names("target_modules")?;
            let all = ["final_layer_norm", "self_attn_layer_norm"];
            match all.iter().all(|norm| named.iter().any(|n| n == norm)) && named.len() == 2 {
                true => MethodConfig::LnTuning(LnTuning),
                false => {
                    return Err(unsupported(
                        "target_modules",
                        &json!(named),
                        "self_attn_layer_norm and final_layer_norm together",
                    ));
                }
            }
        }
        // An MLP that wrote the prompt has folded away: what is left is a prompt.
        Some("PROMPT_TUNING" | "P_TUNING") => {
            MethodConfig::Prompt(Prompt { num_virtual_tokens: settings.virtual_tokens()?, ..Prompt::default() })
        }
        Some("PREFIX_TUNING") => {
            MethodConfig::Prefix(Prefix { num_virtual_tokens: settings.virtual_tokens()?, ..Prefix::default() })
        }
        _ => {
            let found = json.get("peft_type").cloned().unwrap_or(Value::Null);
            let known = "LORA, VERA, IA3, LN_TUNING, PROMPT_TUNING, P_TUNING and PREFIX_TUNING";
            return Err(unsupported("peft_type", &found, known));
        }
    };
    // The limits of knobs are those of the page.
    for knob in method.info().knobs {
        if let Some(value) = method.get(knob.name) {
            knob.parse(&value).map_err(AdapterError::Fault)?;
        }
    }
    Ok(method)
}

struct Settings<'a> {
    json: &'a Map<String, Value>,
    model: &'a ModelConfig,
}

impl Settings<'_> {
    fn value(&self, key: &str) -> &Value {
        self.json.get(key).unwrap_or(&Value::Null)
    }

    fn integer(&self, key: &str) -> Result<usize, AdapterError> {
        let value = self.value(key);
        let integer = value.as_u64().and_then(|n| usize::try_from(n).ok());
        integer.ok_or_else(|| unsupported(key, value, "a whole number"))
    }

    fn number(&self, key: &str) -> Result<f64, AdapterError> {
        self.value(key).as_f64().ok_or_else(|| unsupported(key, self.value(key), "a number"))
    }

    fn virtual_tokens(&self) -> Result<usize, AdapterError> {
        let width = self.value("token_dim");
        if !width.is_null() && width.as_u64() != Some(self.model.hidden_size as u64) {
            let expected =
                format!("{}, the width of this base: the adapter was made for another", self.model.hidden_size);
            return Err(unsupported("token_dim", width, &expected));
        }
        self.integer("num_virtual_tokens")
    }

    fn names(&self, key: &str) -> Result<Vec<String>, AdapterError> {
        let value = self.value(key);
        let names = match value {
            Value::String(name) => Some(vec![name.clone()]),
            Value::Array(items) => items.iter().map(|v| v.as_str().map(String::from)).collect(),
            _ => None,
        };
        names.filter(|n| !n.is_empty()).ok_or_else(|| unsupported(key, value, "a list of module names"))
    }

    /// `target_modules` in [`Target`]'s order.
    fn targets(&self) -> Result<Vec<Target>, AdapterError> {
        let names = self.names("target_modules")?;
        if let Some(other) = names.iter().find(|n| Target::from_module(n).is_none()) {
            let known = Target::ALL.map(Target::module).join(", ");
            return Err(unsupported("target_modules", &json!(other), &known));
        }
        Ok(Target::ALL.into_iter().filter(|t| names.iter().any(|n| n == t.module())).collect())
    }

    fn layers(&self) -> Result<Blocks, AdapterError> {
        let value = self.value("layers_to_transform");
        let list = match value {
            Value::Null => return Ok(Blocks::default()),
            Value::Number(_) => vec![value.clone()],
            Value::Array(items) => items.clone(),
            _ => Vec::new(),
        };
        let blocks: Option<Vec<usize>> =
            list.iter().map(|v| v.as_u64().and_then(|n| usize::try_from(n).ok())).collect();
        let text = blocks.unwrap_or_default().iter().map(usize::to_string).collect::<Vec<_>>().join(",");
        Blocks::parse(&text)
            .ok_or_else(|| unsupported("layers_to_transform", value, "null, a block or a list of blocks"))
    }

    /// (IA)³ names modules with their blocks where it leaves some out.
    fn ia3(&self) -> Result<MethodConfig, AdapterError> {
        let names = self.names("target_modules")?;
        let wrong =
            |name: &str| unsupported("target_modules", &json!(name), "module names of an OPT, all in the same blocks");
        let mut places: Vec<(Option<usize>, Target)> = Vec::new();
        for name in &names {
            let module = name.rsplit('.').next().unwrap_or(name);
            let target = Target::from_module(module).ok_or_else(|| wrong(name))?;
            let block = match name.split_once("layers.") {
                Some((_, rest)) => {
                    let number = rest.split('.').next().unwrap_or_default();
                    Some(number.parse::<usize>().ok().filter(|b| *b < 1024).ok_or_else(|| wrong(name))?)
                }
                None if name == module => None,
                None => return Err(wrong(name)),
            };
            places.push((block, target));
        }
        let of = |target: Target| {
            let mut blocks: Vec<Option<usize>> = places.iter().filter(|p| p.1 == target).map(|p| p.0).collect();
            blocks.sort_unstable();
            blocks.dedup();
            blocks
        };
        let target_modules: Vec<Target> = Target::ALL.into_iter().filter(|t| !of(*t).is_empty()).collect();
        let blocks = of(target_modules[0]);
        if target_modules.iter().any(|t| of(*t) != blocks) {
            return Err(wrong(&names.join(", ")));
        }
        let layers = match blocks.iter().copied().collect::<Option<Vec<usize>>>() {
            Some(blocks) => Blocks::of(blocks, self.model.num_hidden_layers),
            None if blocks == [None] => Blocks::default(),
            None => return Err(wrong(&names.join(", "))),
        };
        // Factors in front of fc2, behind all others: that is what `feedforward_modules` must say.
        let inner = self.names("feedforward_modules").unwrap_or_default();
        let is_inner = |name: &String| inner.iter().any(|i| name.ends_with(i.as_str()));
        for name in &names {
            if is_inner(name) != name.ends_with("fc2") {
                let expected = "fc2 where it is a target, and nothing else";
                return Err(unsupported("feedforward_modules", &json!(inner), expected));
            }
        }
        Ok(MethodConfig::Ia3(Ia3 { target_modules, layers }))
    }
}

/// LoRA on GPT-2, whose W_Q, W_K, W_V are one matrix `c_attn` there: updates of k of them become one of rank k·r, whose A holds
/// theirs one below the other and whose B is zero outside their blocks. The product is the same.
mod gpt2 {
    use super::{AdapterError, AdapterFiles, MODEL_FILE, Settings, unsupported};
    use crate::base::Fault;
    use crate::interchange::phi_file::StoredPhi;
    use crate::model::ModelConfig;
    use crate::model::Target;
    use crate::model::files::{Reader, Writer};
    use crate::peft::{Lora, MethodConfig, Shape};
    use serde_json::{Map, Value, json};

    /// The matrices that a module of GPT-2 holds, side by side.
    const MODULES: [(&str, &[Target]); 4] = [
        ("attn.c_attn", &[Target::Q, Target::K, Target::V]),
        ("attn.c_proj", &[Target::O]),
        ("mlp.c_fc", &[Target::Fc1]),
        ("mlp.c_proj", &[Target::Fc2]),
    ];

    fn key(block: usize, module: &str) -> String {
        format!("base_model.model.transformer.h.{block}.{module}")
    }

    /// The chosen ones of a module's matrices, by their place in it.
    fn chosen(lora: &Lora, of: &[Target]) -> Vec<usize> {
        (0..of.len()).filter(|i| lora.target_modules.contains(&of[*i])).collect()
    }

    pub fn config(lora: &Lora, mut json: Value) -> Value {
        let (mut modules, mut ranks, mut alphas) = (Vec::new(), Map::new(), Map::new());
        for (module, of) in MODULES {
            let k = chosen(lora, of).len();
            if k > 0 {
                modules.push(module);
            }
            if k > 1 {
                ranks.insert(module.into(), json!(k * lora.rank));
                // The factor stays: α/r, or α/√r.
                let k = k as f64;
                alphas.insert(module.into(), json!(lora.alpha() * if lora.use_rslora { k.sqrt() } else { k }));
            }
        }
        json["target_modules"] = json!(modules);
        json["rank_pattern"] = Value::Object(ranks);
        json["alpha_pattern"] = Value::Object(alphas);
        json["fan_in_fan_out"] = true.into();
        json
    }

    /// `values` are A `[inputs, rank]` and B `[rank, outputs]` of each chosen matrix of each chosen block.
    pub fn write(writer: &mut Writer, lora: &Lora, model: &ModelConfig, values: &[Vec<f32>]) {
        let r = lora.rank;
        for (i, block) in lora.layers.list(model.num_hidden_layers).into_iter().enumerate() {
            for (module, of) in MODULES {
                let chosen = chosen(lora, of);
                let ((inputs, outputs), rank) = (of[0].shape(model), chosen.len() * r);
                let (mut a, mut b) = (vec![0.0; rank * inputs], vec![0.0; of.len() * outputs * rank]);
                for (n, place) in chosen.iter().enumerate() {
                    let among = lora.target_modules.iter().position(|t| *t == of[*place]).unwrap_or(0);
                    let at = 2 * (i * lora.target_modules.len() + among);
                    for x in 0..r {
                        for y in 0..inputs {
                            a[(n * r + x) * inputs + y] = values[at][y * r + x];
                        }
                        for y in 0..outputs {
                            b[(place * outputs + y) * rank + n * r + x] = values[at + 1][x * outputs + y];
                        }
                    }
                }
                if rank > 0 {
                    let key = key(block, module);
                    writer.push_floats(format!("{key}.lora_A.weight"), &[rank, inputs], &a);
                    writer.push_floats(format!("{key}.lora_B.weight"), &[of.len() * outputs, rank], &b);
                }
            }
        }
    }

    /// An adapter of any ranks: each matrix gets the whole A of its module and its rows of B, with zeros up to the highest rank
    /// and the module's factor in B.
    pub fn read(files: &AdapterFiles, shape: &Shape) -> Result<(MethodConfig, StoredPhi), AdapterError> {
        let json: Map<String, Value> =
            serde_json::from_str(&files.config).map_err(|e| AdapterError::Json(e.to_string()))?;
        let allowed = ["fan_in_fan_out", "rank_pattern", "alpha_pattern"];
        super::check_neutral(&json, |key| allowed.contains(&key))?;
        let model = &shape.model;
        let settings = Settings { json: &json, model };
        for key in ["use_dora"] {
            if settings.value(key) == &Value::Bool(true) {
                return Err(unsupported(key, settings.value(key), "false on GPT-2"));
            }
        }
        let names = settings.names("target_modules")?;
        let is = |module: &str, name: &str| module == name || module.ends_with(&format!(".{name}"));
        if let Some(other) = names.iter().find(|name| !MODULES.iter().any(|(module, _)| is(module, name))) {
            return Err(unsupported("target_modules", &json!(other), "c_attn, c_fc and c_proj"));
        }
        let of_pattern = |pattern: &str, module: &str| {
            let entries = settings.value(pattern).as_object();
            entries.and_then(|map| map.iter().find(|(name, _)| is(module, name)).map(|(_, v)| v.clone()))
        };
        let (rank, alpha) = (settings.integer("r")?, settings.number("lora_alpha")?);
        let mut modules = Vec::new();
        for (module, of) in MODULES {
            if names.iter().any(|name| is(module, name)) {
                let r = match of_pattern("rank_pattern", module) {
                    Some(v) => v.as_u64().ok_or_else(|| unsupported("rank_pattern", &v, "whole numbers"))? as usize,
                    None => rank,
                };
                let a = match of_pattern("alpha_pattern", module) {
                    Some(v) => v.as_f64().ok_or_else(|| unsupported("alpha_pattern", &v, "numbers"))?,
                    None => alpha,
                };
                if r == 0 || r > 3 * model.hidden_size {
                    return Err(unsupported("rank_pattern", &json!(r), "ranks up to three times the width"));
                }
                let root = settings.value("use_rslora") == &Value::Bool(true);
                modules.push((module, of, r, a / if root { (r as f64).sqrt() } else { r as f64 }));
            }
        }
        let highest = modules.iter().map(|(_, _, r, _)| *r).max().unwrap_or(rank);
        let lora = Lora {
            rank: highest,
            // The factors are in B.
            alpha: Some(highest as f64),
            target_modules: modules.iter().flat_map(|(_, of, ..)| of.iter().copied()).collect(),
            layers: settings.layers()?,
            use_rslora: false,
            lora_dropout: 0.0,
        };
        lora.layers.check(shape).map_err(AdapterError::Fault)?;
        if highest > 1024 {
            return Err(AdapterError::Fault(Fault::new("rank", "A rank above 1024 is not a low one.")));
        }
        let mut reader = Reader::new(MODEL_FILE, &files.weights)?;
        let mut values = Vec::new();
        for block in lora.layers.list(model.num_hidden_layers) {
            for (module, of, r, factor) in &modules {
                let (inputs, outputs) = of[0].shape(model);
                let key = key(block, module);
                let a = reader.floats(&format!("{key}.lora_A.weight"), &[*r, inputs])?;
                let b = reader.floats(&format!("{key}.lora_B.weight"), &[of.len() * outputs, *r])?;
                for place in 0..of.len() {
                    let (mut ours_a, mut ours_b) = (vec![0.0; inputs * highest], vec![0.0; highest * outputs]);
                    for x in 0..*r {
                        (0..inputs).for_each(|y| ours_a[y * highest + x] = a[x * inputs + y]);
                        (0..outputs).for_each(|y| {
                            ours_b[x * outputs + y] = (*factor * f64::from(b[(place * outputs + y) * r + x])) as f32;
                        });
                    }
                    values.extend([ours_a, ours_b]);
                }
            }
        }
        reader.finish()?;
        Ok((MethodConfig::Lora(lora), StoredPhi { values, scores: None, shared: None }))
    }
}
