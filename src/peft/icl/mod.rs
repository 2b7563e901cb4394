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
    Count, DemonstrationLabels, Demonstrations, Knob, Method, MethodInfo, MethodKind, Range, Shape, Term, Value,
};

/// f_θ([x₁, y₁, …, x_k, y_k, x]): training examples of the task with their answers, then the question.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Icl(pub Demonstrations);

const LABELS: [(&str, &str); 2] = [("true", "true ones"), ("random", "random ones")];

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
            name: "demonstration_labels",
            formerly: Some("labels"),
            label: "Labels",
            help: "Random ones show the form of an answer, not the rule (Min et al. 2022).",
            range: Range::Choice(&LABELS),
            ..Knob::PLAIN
        },
    ],
    in_peft: false,
    merges: Err("there is no φ: the demonstrations are read again with every input"),
    dial: Err("there is no φ to scale"),
    checked: "its tokens",
};

impl Method for Icl {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn get(&self, knob: &str) -> Option<Value> {
        match knob {
            "shots" => Some(Value::Integer(self.0.shots)),
            "demonstrations" => Some(Value::Integer(self.0.drawn_by)),
            "order" => Some(Value::Integer(self.0.order)),
            "demonstration_labels" => Some(Value::Choice(LABELS[self.0.labels as usize].0.into())),
            _ => None,
        }
    }

    fn set(&mut self, knob: &str, value: Value) {
        match (knob, value) {
            ("shots", Value::Integer(n)) => self.0.shots = n,
            ("demonstrations", Value::Integer(n)) => self.0.drawn_by = n,
            ("order", Value::Integer(n)) => self.0.order = n,
            ("demonstration_labels", Value::Choice(v)) => {
                self.0.labels = [DemonstrationLabels::True, DemonstrationLabels::Random][place_of(&LABELS, &v)];
            }
            _ => {}
        }
    }

    fn check(&self, _shape: &Shape, _task_tokens: usize) -> Result<(), Fault> {
        // How many fit follows from the task's words: the run tells.
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
