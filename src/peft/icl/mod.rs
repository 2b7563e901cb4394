//! In-context learning: demonstrations in front of every input, and nothing trained.

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
use crate::model::{ModelConfig, Site};
use crate::peft::knob::place_of;
use crate::peft::{
    Count, DemonstrationLabels, Demonstrations, Knob, Method, MethodInfo, MethodKind, Range, Shape, Template, Term,
    Value,
};

/// f_θ([x₁, y₁, …, x_k, y_k, x]): training examples of the task with their answers, then the question.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Icl(pub Demonstrations);

const LABELS: [(&str, &str); 2] = [("true", "true ones"), ("random", "random ones")];
/// Characters of a template.
const MAX_CHARS: usize = 80;

static INFO: MethodInfo = MethodInfo {
    name: "icl",
    title: "In-context learning",
    kind: MethodKind::Input,
    paper: "Brown et al., Language Models are Few-Shot Learners, 2020; Min et al., Rethinking the Role of Demonstrations, 2022",
    formula: "f_θ([x₁, y₁, …, x_k, y_k, x])",
    summary: "Shows examples with their answers in front of every question and trains nothing: the rival of all the others, which reads its prompt again each time.",
    knobs: &[
        Knob {
            name: "shots",
            label: "Demonstrations",
            help: "How many training examples stand in front, with their answers.",
            range: Range::Integer { min: 0, max: 32, steps: &[0, 1, 2, 3, 4, 5, 8, 12, 16, 24, 32] },
            ..Knob::PLAIN
        },
        Knob {
            name: "demonstrations",
            label: "Drawn by seed",
            help: "Which examples they are.",
            range: Range::Integer { min: 0, max: 9999, steps: &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9] },
            ..Knob::PLAIN
        },
        Knob {
            name: "order",
            label: "Order by seed",
            help: "The order of the same examples; 0 leaves them as drawn.",
            range: Range::Integer { min: 0, max: 9999, steps: &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9] },
            ..Knob::PLAIN
        },
        Knob {
            name: "labels",
            label: "Labels",
            help: "Random ones show the form of an answer, not the rule (Min et al. 2022).",
            range: Range::Choice(&LABELS),
            ..Knob::PLAIN
        },
        Knob {
            name: "template",
            label: "Template",
            help: "Your own words around {text} and {label}; \\n is a line break. Empty: the task's own form.",
            range: Range::Text { max_chars: MAX_CHARS },
            ..Knob::PLAIN
        },
    ],
    in_peft: false,
    merges: Err("there is no φ: the demonstrations are read again with every input"),
    dial: Err("there is no φ to scale"),
    checked: "its tokens",
};

impl Icl {
    /// Tokens of the longest demonstration, where the task's longest example reads `length`: its answer's last
    /// token, which no example reads, and what stands between two demonstrations.
    ///
    /// In a visitor's own words it is a bound: the tokenizer alone knows how many tokens they are.
    pub fn longest_demonstration(&self, length: usize) -> usize {
        let own = self.0.template().map_or(0, |t| t.before.len() + t.between.len() + t.after.len());
        // `<s>` gives way to the answer's last token, and the form's own separators to the visitor's.
        if own == 0 { length + 1 } else { length - 1 + own }
    }
}

impl Method for Icl {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn get(&self, knob: &str) -> Option<Value> {
        match knob {
            "shots" => Some(Value::Integer(self.0.shots)),
            "demonstrations" => Some(Value::Integer(self.0.drawn_by)),
            "order" => Some(Value::Integer(self.0.order)),
            "labels" => Some(Value::Choice(LABELS[self.0.labels as usize].0.into())),
            "template" => Some(Value::Text(self.0.template.clone())),
            _ => None,
        }
    }

    fn set(&mut self, knob: &str, value: Value) {
        match (knob, value) {
            ("shots", Value::Integer(n)) => self.0.shots = n,
            ("demonstrations", Value::Integer(n)) => self.0.drawn_by = n,
            ("order", Value::Integer(n)) => self.0.order = n,
            ("labels", Value::Choice(v)) => {
                self.0.labels = [DemonstrationLabels::True, DemonstrationLabels::Random][place_of(&LABELS, &v)];
            }
            ("template", Value::Text(text)) => self.0.template = text,
            _ => {}
        }
    }

    fn check(&self, shape: &Shape, task_tokens: usize) -> Result<(), Fault> {
        if !self.0.template.is_empty() {
            Template::parse(&self.0.template)?;
        }
        // Strings are all of one length: a demonstration is an example with its answer's last letter and `;`. Of texts only the
        // tokenizer can tell how many fit.
        let (context, letters) = (shape.model.max_position_embeddings, shape.model.vocab_size <= 64);
        let fit = context.saturating_sub(task_tokens) / self.longest_demonstration(task_tokens).max(1);
        if letters && self.0.template.is_empty() && self.0.shots > fit {
            let message = format!("{fit} demonstrations fit into the context of {context}, not {}.", self.0.shots);
            return Err(Fault::new("shots", message));
        }
        Ok(())
    }

    fn count(&self, _shape: &Shape) -> Count {
        Count::new([Term::new("nothing is trained", "0", 0)])
    }

    fn sites(&self, _model: &ModelConfig) -> Vec<Site> {
        vec![Site::Prompt]
    }

    fn trains(&self) -> bool {
        false
    }

    fn note(&self, _shape: &Shape) -> Option<String> {
        Some("Nothing is trained: Train scores the base with these demonstrations in front, once.".into())
    }

    fn demonstrations(&self) -> Option<&Demonstrations> {
        Some(&self.0)
    }

    fn set_demonstrations(&mut self, demonstrations: Demonstrations) {
        self.0 = demonstrations;
    }

    fn advice(&self, outside: bool) -> &'static str {
        match outside {
            true => {
                "Demonstrations remind a base of what it can do, and this rule is outside of it. Try LoRA or an adapter."
            }
            false => "Nothing is trained here. Try more demonstrations, others, or a method that trains.",
        }
    }

    fn learning_rate(&self, _task: &str, _base: &str) -> f64 {
        // Never used.
        1e-3
    }

    fn label(&self) -> String {
        let random = if self.0.labels == DemonstrationLabels::Random { ", random labels" } else { "" };
        format!("in context, {} shot{}{random}", self.0.shots, if self.0.shots == 1 { "" } else { "s" })
    }
}
