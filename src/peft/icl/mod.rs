//! In-context learning: demonstrations in front of every input, and nothing trained.

#[cfg(feature = "train")]
pub(crate) mod phi;

use super::knob::place_of;
use super::{Count, Knob, Method, MethodInfo, MethodKind, Range, Shape, Term, Value};
use crate::base::Fault;
use crate::base::shorten;
use crate::model::ModelConfig;
use crate::model::Site;

/// f_θ([x₁, y₁, …, x_k, y_k, x]): training examples of the task with their answers, then the question.
#[derive(Clone, Debug, PartialEq)]
pub struct Icl {
    /// k.
    pub shots: usize,
    /// Seed that draws them from the training examples.
    pub demonstrations: usize,
    /// Seed of their order; 0 leaves them as drawn.
    pub order: usize,
    pub labels: DemonstrationLabels,
    /// Text and label in the visitor's words; empty for the task's own form.
    pub template: String,
}

/// What stands behind a demonstration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DemonstrationLabels {
    True,
    /// Drawn uniformly (Min et al. 2022).
    Random,
}

/// A template, read: what stands before the text, between it and the label, and behind a demonstration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    pub before: String,
    pub between: String,
    pub after: String,
}

impl Template {
    /// Reads `{text} means {label}.\n`; `\n` is a line break.
    pub fn parse(text: &str) -> Result<Template, Fault> {
        let text = text.replace("\\n", "\n");
        let parts = text.split_once("{text}").and_then(|(before, rest)| {
            let (between, after) = rest.split_once("{label}")?;
            Some(Template { before: before.into(), between: between.into(), after: after.into() })
        });
        let whole = |t: &Template| {
            [&t.before, &t.between, &t.after].iter().all(|p| !p.contains("{text}") && !p.contains("{label}"))
        };
        parts.filter(|t| whole(t) && !t.between.is_empty()).ok_or_else(|| {
            let message = format!(
                "A template holds {{text}} and {{label}}, once each, in this order, with something between: “{}” does not.",
                shorten(&text)
            );
            Fault::new("template", message)
        })
    }
}

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
    merges: Err("there is no φ: the demonstrations are read again with every input"),
    dial: Err("there is no φ to scale"),
};

impl Default for Icl {
    fn default() -> Self {
        Icl { shots: 4, demonstrations: 0, order: 0, labels: DemonstrationLabels::True, template: String::new() }
    }
}

impl Icl {
    /// The template, where there is one. It has been checked.
    pub fn template(&self) -> Option<Template> {
        if self.template.is_empty() { None } else { Template::parse(&self.template).ok() }
    }
}

impl Method for Icl {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn get(&self, knob: &str) -> Option<Value> {
        match knob {
            "shots" => Some(Value::Integer(self.shots)),
            "demonstrations" => Some(Value::Integer(self.demonstrations)),
            "order" => Some(Value::Integer(self.order)),
            "labels" => Some(Value::Choice(LABELS[self.labels as usize].0.into())),
            "template" => Some(Value::Text(self.template.clone())),
            _ => None,
        }
    }

    fn set(&mut self, knob: &str, value: Value) {
        match (knob, value) {
            ("shots", Value::Integer(n)) => self.shots = n,
            ("demonstrations", Value::Integer(n)) => self.demonstrations = n,
            ("order", Value::Integer(n)) => self.order = n,
            ("labels", Value::Choice(v)) => {
                self.labels = [DemonstrationLabels::True, DemonstrationLabels::Random][place_of(&LABELS, &v)];
            }
            ("template", Value::Text(text)) => self.template = text,
            _ => {}
        }
    }

    fn check(&self, shape: &Shape, task_tokens: usize) -> Result<(), Fault> {
        if !self.template.is_empty() {
            Template::parse(&self.template)?;
        }
        // Strings are all of one length: a demonstration is an example with its answer's last letter and `;`. Of texts only the
        // tokenizer can tell how many fit.
        let (context, letters) = (shape.model.max_position_embeddings, shape.model.vocab_size <= 64);
        let fit = context.saturating_sub(task_tokens) / (task_tokens + 1).max(1);
        if letters && self.template.is_empty() && self.shots > fit {
            let message = format!("{fit} demonstrations fit into the context of {context}, not {}.", self.shots);
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

    fn learning_rate(&self, _task: &str, _base: &str) -> f64 {
        // Never used.
        1e-3
    }

    fn label(&self) -> String {
        let random = if self.labels == DemonstrationLabels::Random { ", random labels" } else { "" };
        format!("in context, {} shot{}{random}", self.shots, if self.shots == 1 { "" } else { "s" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_has_a_text_and_a_label() {
        let template = Template::parse("Q: {text}\\nA: {label}\\n").unwrap();
        assert_eq!(
            (template.before.as_str(), template.between.as_str(), template.after.as_str()),
            ("Q: ", "\nA: ", "\n")
        );
        for bad in ["{text}", "{label}{text}", "{text}{label}", "{text} {text} {label}", "{text}={label}={label}"] {
            assert!(Template::parse(bad).unwrap_err().message.contains("once each"), "{bad}");
        }
    }
}
