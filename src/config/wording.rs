//! The words around texts and labels: what holds where none are asked for, how many tokens they may take, and what
//! was the case before there were any.

use super::RunConfig;
use crate::base::Fault;
use crate::bases::Base;
use crate::model::ModelConfig;
use crate::peft::{MethodConfig, Shape};
use crate::task::{Template, TemplateChoice, Verbalizer, Wording};

impl RunConfig {
    /// The words around the task's texts and labels: as asked for, else what suits base and task.
    pub fn wording(&self) -> Wording {
        if self.template.is_none() && self.labels.is_none() {
            return self.suited();
        }
        let (template, labels) = self.default_wording();
        let template = self.template.clone().unwrap_or(template);
        Wording { template: template.template().cloned(), labels: self.labels.as_deref().cloned().unwrap_or(labels) }
    }

    /// What holds where template and labels are not asked for.
    pub fn default_wording(&self) -> (TemplateChoice, Verbalizer) {
        let Wording { template, labels } = self.suited();
        (template.map_or(TemplateChoice::Plain, |template| TemplateChoice::Words(Box::new(template))), labels)
    }

    /// A base that knows words gets words, where they take at most half of its context: methods put something in front,
    /// too.
    fn suited(&self) -> Wording {
        let has_words = self.task.label_count().is_some() || self.task.is_answered();
        if !has_words || !self.base.knows_words() {
            return Wording::default();
        }
        let words = self.task.wording();
        if 2 * self.tokens_in(&words) <= self.context() { words } else { Wording::default() }
    }

    /// Positions that the base reads.
    fn context(&self) -> usize {
        self.base.config().map_or(0, |model| model.max_position_embeddings)
    }

    /// Tokens of a text at most, where the task has texts; of longer ones the last are read.
    pub fn longest_text(&self) -> Option<usize> {
        self.task.longest_text(self.context())
    }

    /// Positions that the longest example needs, at most.
    pub fn max_tokens(&self) -> usize {
        self.tokens_in(&self.wording())
    }

    /// The same in some words. A base that is not of our own making may begin every text with a token of its own.
    fn tokens_in(&self, wording: &Wording) -> usize {
        self.task.max_tokens(wording, self.context()) + usize::from(self.base.knows_words())
    }

    /// Tokens of the longest demonstration, at most.
    pub fn longest_demonstration(&self) -> usize {
        let wording = self.wording();
        // What begins a text gives way to the answer's last token, which no example reads.
        self.tokens_in(&wording) + wording.tokens_behind()
    }

    /// Whether a method fits the base, and beside the task's longest example.
    ///
    /// # Errors
    /// The fault, under the knob's own name.
    pub fn check_method(&self, method: &MethodConfig, shape: &Shape, tokens: usize) -> Result<(), Fault> {
        method.method().check(shape, tokens)?;
        let Some(shown) = method.method().demonstrations() else { return Ok(()) };
        // Strings are all of one length. Of texts and of a template only the tokenizer can tell how many fit.
        let is_known = self.task.is_strings() && self.wording().template.is_none();
        let context = shape.model.max_position_embeddings;
        let fit = context.saturating_sub(tokens) / self.longest_demonstration().max(1);
        if is_known && shown.shots > fit {
            let message = format!("{fit} demonstrations fit into the context of {context}, not {}.", shown.shots);
            return Err(Fault::new("shots", message));
        }
        Ok(())
    }

    /// Whether the words are for this task, as many as it has labels, and leave the base room for its texts.
    pub(super) fn check_wording(&self) -> Result<(), Fault> {
        if self.template.is_none() && self.labels.is_none() {
            return Ok(());
        }
        let key = if self.template.is_some() { "template" } else { "labels" };
        if self.task.is_written() {
            let message =
                format!("The task {} goes on with a text: it has no labels, and no template.", self.task.name());
            return Err(Fault::new(key, message));
        }
        match (self.labels.as_deref(), self.task.label_count()) {
            (None, _) => {}
            (Some(_), None) => return Err(self.task.lacks("labels")),
            (Some(Verbalizer::Words(words)), Some(n)) if words.len() != n => {
                let message = format!(
                    "The task {} has {n} labels: {} words are not one for each.",
                    self.task.name(),
                    words.len()
                );
                return Err(Fault::new("labels", message));
            }
            _ => {}
        }
        let context = self.context();
        let (tokens, plain) = (self.max_tokens(), self.tokens_in(&Wording::default()));
        if tokens > context && plain <= context {
            let message = format!(
                "The base {} reads {context} positions, the task {} in these words needs up to {tokens}: take shorter ones.",
                self.base.called(),
                self.task.name()
            );
            return Err(Fault::new(key, message));
        }
        Ok(())
    }

    /// The same run with another template.
    pub fn with_template(&self, template: Template) -> RunConfig {
        RunConfig { template: Some(TemplateChoice::Words(Box::new(template))), ..self.clone() }
    }

    /// Makes a configuration that an earlier version wrote what it was then: on a visitor's base labels were letters,
    /// and a large base had the rate and the batch of any other.
    pub(super) fn as_before_words(&mut self) {
        if self.task.label_count().is_some() {
            self.template.get_or_insert(TemplateChoice::Plain);
            self.labels.get_or_insert_with(|| Box::new(Verbalizer::Letters));
        }
        if self.is_on_large_base() {
            let former = self.rate_as_on(self.base.id);
            self.lr.get_or_insert(former);
            let former = self.task.default_batch_size();
            self.batch_size.get_or_insert(former);
        }
    }

    /// Whether its base is so large that a step takes seconds.
    pub(super) fn is_on_large_base(&self) -> bool {
        self.base.config().is_ok_and(|model: ModelConfig| model.is_large())
    }
}

/// Steps of a run on a base where none are asked for.
pub(super) fn default_steps(base: &Base) -> usize {
    match base.config() {
        Ok(model) if model.is_large() => 50,
        _ => 300,
    }
}

#[cfg(test)]
mod tests;
