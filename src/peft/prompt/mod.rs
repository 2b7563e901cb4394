//! Prompt tuning (Lester et al. 2021): trained vectors in front of the tokens.

#[cfg(feature = "train")]
mod adapter_file;
mod cost;
mod overlay;
#[cfg(feature = "train")]
pub(crate) mod phi;
mod python;
#[cfg(all(test, feature = "train", not(target_arch = "wasm32")))]
mod tests;

use crate::base::Fault;
use crate::model::{ModelConfig, Site, TensorInfo};
use crate::peft::{
    Count, Knob, Method, MethodInfo, MethodKind, Range, Shape, Term, Value, factors, rates, virtual_tokens,
};

/// f_θ([φ, x]) with φ ∈ ℝ^{n×d} in the place of token vectors; the text moves n positions on.
#[derive(Clone, Debug, PartialEq)]
pub struct Prompt {
    /// n, vectors in front of the text.
    pub num_virtual_tokens: usize,
    /// What they start from.
    pub init: PromptInit,
    /// The text of [`PromptInit::Text`], repeated or cut to the length.
    pub init_text: String,
}

/// Where the virtual tokens start (PEFT's `prompt_tuning_init`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PromptInit {
    /// Normal, spread about as the token embeddings are.
    Random,
    /// Vectors of tokens drawn from the vocabulary.
    Vocab,
    /// Vectors of a text's tokens.
    Text,
}

impl PromptInit {
    const OPTIONS: [(&'static str, &'static str); 3] =
        [("random", "random"), ("vocab", "from the vocabulary"), ("text", "from a text")];
}

impl Default for Prompt {
    fn default() -> Self {
        Prompt { num_virtual_tokens: 20, init: PromptInit::Vocab, init_text: String::new() }
    }
}

static INFO: MethodInfo = MethodInfo {
    name: "prompt",
    title: "Prompt tuning",
    kind: MethodKind::Input,
    paper: "Lester et al., The Power of Scale for Parameter-Efficient Prompt Tuning, 2021",
    formula: "f_θ([⟨φ⟩, x]),  φ ∈ ℝ^{n×d}",
    summary: "Puts trained vectors where the first tokens would be; the network itself stays as it is.",
    knobs: &[
        Knob {
            name: "num_virtual_tokens",
            label: "Prompt length",
            help: "n, the number of virtual tokens; they take positions of the context.",
            range: Range::Integer { min: 1, max: 1024, steps: &[1, 5, 10, 20, 30, 40] },
            ..Knob::PLAIN
        },
        Knob {
            name: "init",
            label: "Start",
            help: "Where the virtual tokens start from.",
            range: Range::Choice(&PromptInit::OPTIONS),
            ..Knob::PLAIN
        },
        Knob {
            name: "init_text",
            label: "Text to start from",
            help: "Its tokens' vectors, repeated or cut to the prompt's length; used when Start is “from a text”.",
            range: Range::Text { max_chars: 200 },
            shown_when: Some(("init", "text")),
            ..Knob::PLAIN
        },
    ],
    in_peft: true,
    merges: Err("the virtual tokens are input, not weights: they are read again with every text"),
    dial: Err("a vector in front of the text is read or not: between no prompt and a prompt there is no half one"),
    checked: "finite differences, PEFT, PyTorch",
};

impl Method for Prompt {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn get(&self, knob: &str) -> Option<Value> {
        match knob {
            "num_virtual_tokens" => Some(Value::Integer(self.num_virtual_tokens)),
            "init" => Some(Value::Choice(PromptInit::OPTIONS[self.init as usize].0.to_string())),
            "init_text" => Some(Value::Text(self.init_text.clone())),
            _ => None,
        }
    }

    fn set(&mut self, knob: &str, value: Value) {
        match (knob, value) {
            ("num_virtual_tokens", Value::Integer(n)) => self.num_virtual_tokens = n,
            ("init", Value::Choice(name)) => {
                self.init = match name.as_str() {
                    "random" => PromptInit::Random,
                    "text" => PromptInit::Text,
                    _ => PromptInit::Vocab,
                }
            }
            ("init_text", Value::Text(text)) => self.init_text = text,
            _ => {}
        }
    }

    fn check(&self, shape: &Shape, task_tokens: usize) -> Result<(), Fault> {
        virtual_tokens::check_room("prompt", self.num_virtual_tokens, shape, task_tokens)?;
        if self.init == PromptInit::Text && self.init_text.trim().is_empty() {
            return Err(Fault::new("init_text", "A prompt that starts from a text needs that text: type a few words."));
        }
        Ok(())
    }

    fn count(&self, shape: &Shape) -> Count {
        let [n, d] = factors([self.num_virtual_tokens, shape.model.hidden_size]);
        Count::new([Term::new("virtual tokens", format!("{n} tokens × {d}"), n * d)])
    }

    fn positions(&self) -> usize {
        self.num_virtual_tokens
    }

    fn sites(&self, _model: &ModelConfig) -> Vec<Site> {
        vec![Site::Prompt]
    }

    fn tensors(&self, shape: &Shape) -> Vec<TensorInfo> {
        vec![TensorInfo::new("prompt_embeddings", [self.num_virtual_tokens, shape.model.hidden_size])]
    }

    fn advice(&self, outside: bool) -> &'static str {
        match outside {
            true => {
                "Virtual tokens steer what the base can already do, and this rule is outside of it. Try LoRA or an adapter, or a rule it never saw but could compose."
            }
            false => virtual_tokens::SLOW,
        }
    }

    fn learning_rate(&self, task: &str, base: &str) -> f64 {
        rates::of(task, base, [1e-1, 1e-1, 3e-2])
    }

    fn label(&self) -> String {
        format!("prompt {}", self.num_virtual_tokens)
    }
}
