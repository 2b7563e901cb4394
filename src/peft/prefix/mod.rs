//! Prefix tuning (Li & Liang 2021): trained keys and values in front of those of every layer.

#[cfg(feature = "train")]
mod adapter_file;
mod cost;
mod overlay;
#[cfg(feature = "train")]
pub(crate) mod phi;
mod python;
#[cfg(all(test, feature = "train", not(target_arch = "wasm32")))]
mod tests;

use crate::base::{Fault, grouped};
use crate::bases::Base;
use crate::model::{ModelConfig, Site, TensorInfo};
use crate::peft::{
    Blocks, Count, Knob, Method, MethodInfo, MethodKind, Range, Shape, Term, Value, factors, virtual_tokens,
};

/// softmax(Q [φ_K, K]ᵀ/√d_h) [φ_V, V] in each chosen layer, φ_K, φ_V ∈ ℝ^{n×d}. The text's positions move n on, as they would
/// behind a text of n tokens. Reparameterised, keys and values come out of W₂ tanh(W₁E), E ∈ ℝ^{n×d}.
#[derive(Clone, Debug, PartialEq)]
pub struct Prefix {
    /// n, keys of a block and as many values.
    pub num_virtual_tokens: usize,
    /// In which blocks.
    pub layers: Blocks,
    /// Whether an MLP writes keys and values.
    pub prefix_projection: bool,
    /// The MLP's width.
    pub encoder_hidden_size: usize,
    /// What keys and values start from.
    pub init: PrefixInit,
    /// The text of [`PrefixInit::Text`], repeated or cut to the length.
    pub init_text: String,
}

/// Where keys and values start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrefixInit {
    /// Normal.
    Random,
    /// Those that θ computes for a text.
    Text,
}

impl PrefixInit {
    const OPTIONS: [(&'static str, &'static str); 2] = [("random", "random"), ("text", "from a text")];
}

impl Default for Prefix {
    fn default() -> Self {
        Prefix {
            num_virtual_tokens: 10,
            layers: Blocks::default(),
            prefix_projection: false,
            encoder_hidden_size: 64,
            init: PrefixInit::Random,
            init_text: String::new(),
        }
    }
}

static INFO: MethodInfo = MethodInfo {
    name: "prefix",
    title: "Prefix tuning",
    kind: MethodKind::Input,
    paper: "Li & Liang, Prefix-Tuning: Optimizing Continuous Prompts for Generation, 2021",
    formula: "softmax(Q [⟨φ_K⟩, K]ᵀ/√d_h) [⟨φ_V⟩, V]",
    summary: "Gives every layer trained keys and values to look at, in front of those of the text.",
    knobs: &[
        Knob {
            name: "num_virtual_tokens",
            label: "Prefix length",
            help: "n, the number of trained keys and values in each layer.",
            range: Range::Integer { min: 1, max: 512, steps: &[1, 5, 10, 16, 20, 32, 40] },
            ..Knob::PLAIN
        },
        Blocks::KNOB,
        Knob {
            name: "prefix_projection",
            label: "Reparameterise",
            help: "Keys and values come out of an MLP, which folds away after training.",
            range: Range::Flag,
            ..Knob::PLAIN
        },
        Knob { shown_when: Some(("prefix_projection", "true")), ..virtual_tokens::HIDDEN },
        Knob {
            name: "init",
            label: "Start",
            help: "Where keys and values start from; from a text, the prefix answers at first as that text in front.",
            range: Range::Choice(&PrefixInit::OPTIONS),
            ..Knob::PLAIN
        },
        Knob {
            name: "init_text",
            label: "Text to start from",
            help: "Its tokens are repeated or cut to the prefix's length; used when Start is “from a text”.",
            range: Range::Text { max_chars: 200 },
            shown_when: Some(("init", "text")),
            ..Knob::PLAIN
        },
    ],
    in_peft: true,
    merges: Err("the keys and values are attended to with every text: they are not part of any weight"),
    dial: Err("keys and values are there to be attended to or are not: scaling them makes other ones, not fewer"),
    checked: "finite differences, PEFT (all blocks)",
};

impl Prefix {
    /// Numbers of keys and values of one virtual token.
    fn width(&self, model: &ModelConfig) -> usize {
        2 * self.layers.list(model.num_hidden_layers).len() * model.key_value_width()
    }
}

impl Method for Prefix {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn get(&self, knob: &str) -> Option<Value> {
        match knob {
            "num_virtual_tokens" => Some(Value::Integer(self.num_virtual_tokens)),
            "layers" => Some(Value::Blocks(self.layers.clone())),
            "prefix_projection" => Some(Value::Flag(self.prefix_projection)),
            "encoder_hidden_size" => Some(Value::Integer(self.encoder_hidden_size)),
            "init" => Some(Value::Choice(PrefixInit::OPTIONS[self.init as usize].0.to_string())),
            "init_text" => Some(Value::Text(self.init_text.clone())),
            _ => None,
        }
    }

    fn set(&mut self, knob: &str, value: Value) {
        match (knob, value) {
            ("num_virtual_tokens", Value::Integer(n)) => self.num_virtual_tokens = n,
            ("layers", Value::Blocks(layers)) => self.layers = layers,
            ("prefix_projection", Value::Flag(on)) => self.prefix_projection = on,
            ("encoder_hidden_size", Value::Integer(h)) => self.encoder_hidden_size = h,
            ("init", Value::Choice(name)) => {
                self.init = if name == "text" { PrefixInit::Text } else { PrefixInit::Random };
            }
            ("init_text", Value::Text(text)) => self.init_text = text,
            _ => {}
        }
    }

    fn check(&self, shape: &Shape, task_tokens: usize) -> Result<(), Fault> {
        virtual_tokens::check_room("prefix", self.num_virtual_tokens, shape, task_tokens)?;
        self.layers.check(shape)?;
        if self.init == PrefixInit::Text && self.prefix_projection {
            let message = "Reparameterised, keys and values come out of an MLP, which no text can start: switch that off, or start at random.";
            return Err(Fault::new("init", message));
        }
        if self.init == PrefixInit::Text && self.init_text.trim().is_empty() {
            return Err(Fault::new("init_text", "A prefix that starts from a text needs that text: type a few words."));
        }
        Ok(())
    }

    fn count(&self, shape: &Shape) -> Count {
        let [n, d, h] = factors([self.num_virtual_tokens, shape.model.key_value_width(), self.encoder_hidden_size]);
        let blocks = self.layers.list(shape.model.num_hidden_layers).len();
        let w = self.width(&shape.model) as u64;
        let unit = if blocks == 1 { "block" } else { "blocks" };
        if !self.prefix_projection {
            return Count::new([Term::new(
                "a key and a value for each virtual token",
                format!("{blocks} {unit} × 2 (K and V) × {n} tokens × {d}"),
                n * w,
            )]);
        }
        let twice = format!("2 (K and V) × {blocks} {unit} × {d}");
        Count::new([
            Term::new("E", format!("{n} tokens × {d}"), n * d),
            Term::new("W₁ and its bias", format!("({d} × {h} + {h})"), d * h + h),
            Term::new("W₂ and its bias", format!("({h} + 1) × {twice}"), (h + 1) * w),
        ])
    }

    fn positions(&self) -> usize {
        self.num_virtual_tokens
    }

    fn sites(&self, model: &ModelConfig) -> Vec<Site> {
        self.layers.list(model.num_hidden_layers).into_iter().map(Site::Prefix).collect()
    }

    fn tensors(&self, shape: &Shape) -> Vec<TensorInfo> {
        let (n, d, h) = (self.num_virtual_tokens, shape.model.key_value_width(), self.encoder_hidden_size);
        let w = self.width(&shape.model);
        if !self.prefix_projection {
            return vec![TensorInfo::new("prompt_embeddings", [n, w])];
        }
        vec![
            TensorInfo::new("prompt_encoder.embedding.weight", [n, d]),
            TensorInfo::transposed("prompt_encoder.transform.0.weight", h, d),
            TensorInfo::new("prompt_encoder.transform.0.bias", [h]),
            TensorInfo::transposed("prompt_encoder.transform.2.weight", w, h),
            TensorInfo::new("prompt_encoder.transform.2.bias", [w]),
        ]
    }

    fn stored(&self, shape: &Shape) -> u64 {
        factors([self.num_virtual_tokens, self.width(&shape.model)]).iter().product()
    }

    fn note(&self, shape: &Shape) -> Option<String> {
        let kept = grouped(self.stored(shape));
        self.prefix_projection.then(|| format!("After training the MLP folds away: {kept} numbers are kept."))
    }

    fn advice(&self, outside: bool) -> &'static str {
        match outside {
            true => {
                "This rule is outside of what the base can do. A prefix hardly moves it: more steps may help; LoRA or an adapter get there sooner."
            }
            false => virtual_tokens::SLOW,
        }
    }

    fn learning_rate(&self, _task: &str, base: &str) -> f64 {
        match (self.prefix_projection, base) {
            // Keys and values of words are where the network looks for them: large steps would lead them away.
            (false, Base::PRETRAINED) if self.init == PrefixInit::Text => 3e-3,
            (true, Base::PRETRAINED) => 1e-3,
            (false, Base::PRETRAINED) => 1e-2,
            (true, _) => 1e-2,
            // The smallest base loses itself at the rate that serves the others.
            (false, "prose-nano") => 3e-2,
            (false, _) => 1e-1,
        }
    }

    fn label(&self) -> String {
        let n = self.num_virtual_tokens;
        if self.layers.is_all() { format!("prefix {n}") } else { format!("prefix {n} in {}", self.layers) }
    }
}
