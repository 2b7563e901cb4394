//! Demonstrations: examples with their answers that stand in front of a question.

use crate::base::{Fault, shorten};

/// Which demonstrations, in which order, under which labels, in which words.
#[derive(Clone, Debug, PartialEq)]
pub struct Demonstrations {
    /// k.
    pub shots: usize,
    /// Seed that draws them from the training examples.
    pub drawn_by: usize,
    /// Seed of their order; 0 leaves them as drawn.
    pub order: usize,
    /// Right labels or random ones.
    pub labels: DemonstrationLabels,
    /// Text and label in the visitor's words; empty for the task's own form.
    pub template: String,
}

impl Default for Demonstrations {
    fn default() -> Self {
        Demonstrations { shots: 4, drawn_by: 0, order: 0, labels: DemonstrationLabels::True, template: String::new() }
    }
}

impl Demonstrations {
    /// The template, where there is one. It has been checked.
    pub fn template(&self) -> Option<Template> {
        if self.template.is_empty() { None } else { Template::parse(&self.template).ok() }
    }
}

/// What stands behind a demonstration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DemonstrationLabels {
    /// The example's own label.
    True,
    /// Drawn uniformly (Min et al. 2022).
    Random,
}

/// The words around a demonstration's text and label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// In front of the text.
    pub before: String,
    /// Between text and label; not empty.
    pub between: String,
    /// Behind the label, up to the next demonstration.
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
