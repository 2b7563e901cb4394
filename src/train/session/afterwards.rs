//! What a run's φ is asked for beside training: scores, answers, files, a merged network; and how one comes
//! back from a file.

use super::run::Session;
use super::setup::{SHOWN, input};
use crate::base::{Failure, read};
use crate::config::RunConfig;
use crate::interchange::Made;
use crate::interchange::hf_adapter;
use crate::interchange::hf_adapter::AdapterFiles;
use crate::interchange::phi_file;
use crate::interchange::phi_file::StoredPhi;
use crate::model::Model;
use crate::peft::Phi;
use crate::protocol::{Around, CutText, Event, Prediction, Writing};
use crate::task::Example;
use crate::train::data::{Batch, Typed, behind_answers, said};
use crate::train::evaluate::{Evaluation, evaluate};
use crate::train::room::in_front;
use crate::train::writer::Writer;

/// The highest temperature: tokens are then nearly alike.
const MOST_TEMPERATURE: f64 = 5.0;

impl Session {
    /// The run as a file, but for the line that holds φ: what made it and what it has reported; φ's bytes
    /// beside it.
    ///
    /// # Errors
    /// Where the device is lost.
    pub async fn run_file(&self, hardware: String) -> Result<Event, Failure> {
        Ok(Event::RunFile { run: self.run(), text: self.text(hardware)?, tensors: self.save().await? })
    }

    /// What made the run and what it has reported, as lines of a run file.
    pub(super) fn text(&self, hardware: String) -> Result<String, Failure> {
        let mut text = String::new();
        for event in std::iter::once(Made::here(hardware).event()).chain(self.log.events()) {
            text += &serde_json::to_string(&event).map_err(input)?;
            text.push('\n');
        }
        Ok(text)
    }

    /// φ as Hugging Face PEFT writes it.
    ///
    /// # Errors
    /// Where PEFT has no such method, or the device is lost.
    pub async fn export(&self) -> Result<AdapterFiles, Failure> {
        hf_adapter::export(self.config(), self.theta(), &self.phi).await.map_err(input)
    }

    /// A network with φ folded into θ.
    ///
    /// # Errors
    /// The reason where the method cannot be.
    pub fn merged(&self) -> Result<Model, Failure> {
        self.config().merges().map_err(|why| input(format!("This cannot be merged into θ. {why}.")))?;
        Ok(self.theta().merged(&self.phi.frozen()))
    }

    /// φ folded into θ, as a file, with the largest difference that it makes to a logit of the shown
    /// examples.
    ///
    /// # Errors
    /// Where the method cannot be merged, or the device is lost.
    pub async fn merge(&self) -> Result<Event, Failure> {
        let merged = self.merged()?;
        let examples: Vec<&Example> = self.data().held_out.iter().take(SHOWN).collect();
        let batch = Batch::new(examples);
        let logits = async |theta: &Model, phi: &Phi| {
            let logits = theta.logits(phi, &batch.tokens, &batch.rows);
            let n = logits.shape().num_elements();
            read(logits.reshape([n])).await
        };
        let (beside, inside) = (logits(self.theta(), &self.phi.frozen()).await?, logits(&merged, &Phi::none()).await?);
        let difference = beside.iter().zip(inside).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        Ok(Event::Merged { run: self.run(), difference, weights: merged.to_safetensors().await? })
    }

    /// Takes a φ that was trained elsewhere, in place of its own; the run is then at its end.
    pub fn restore(&mut self, stored: StoredPhi) {
        self.phi = stored.phi(self.setup.config.methods(), self.setup.context());
        (self.preparation, self.step) = (None, self.setup.steps());
    }

    /// Takes the φ of a run file: the bytes of a safetensors file.
    ///
    /// # Errors
    /// Where they are not this configuration's.
    pub fn restore_saved(&mut self, tensors: &[u8]) -> Result<(), Failure> {
        let stored = phi_file::parse(self.config(), &self.config().shape(), tensors).map_err(input)?;
        self.restore(stored);
        Ok(())
    }

    /// Scores all held-out examples at θ ⊕ λφ.
    ///
    /// # Errors
    /// Where the device is lost.
    pub async fn evaluate(&self, lambda: f64) -> Result<Evaluation, Failure> {
        evaluate(self.theta(), &self.phi.frozen().dialled(lambda), self.data(), usize::MAX).await
    }

    /// Live evaluation and answers at θ ⊕ λφ.
    ///
    /// # Errors
    /// Where there is no such λ, or the device is lost.
    pub async fn dialled(&self, lambda: f64) -> Result<(Evaluation, Vec<Prediction>), Failure> {
        RunConfig::check_lambda(lambda).map_err(input)?;
        self.live_and_shown(&self.phi.frozen().dialled(lambda)).await
    }

    /// Begins to go on with a text, θ alone and θ ⊕ λφ. `clock` tells milliseconds from any origin.
    ///
    /// # Errors
    /// Where there is no such λ or temperature, or the text is empty or longer than the base reads.
    pub fn writer(&self, writing: Writing, clock: fn() -> f64) -> Result<Writer, Failure> {
        RunConfig::check_lambda(writing.lambda).map_err(input)?;
        if !(0.0..=MOST_TEMPERATURE).contains(&writing.temperature) || writing.tokens == 0 {
            return Err(input(format!("The temperature is 0 to {MOST_TEMPERATURE}, and a token is written at least.")));
        }
        let tokenizer = &self.setup.base.tokenizer;
        let begin = tokenizer.begin();
        let behind = |tokens: Vec<u32>| begin.iter().copied().chain(tokens).collect::<Vec<u32>>();
        let (prompt, ends) = match writing.around {
            Around::Task => {
                let asked = self.data().typed(&writing.text, tokenizer).map_err(|fault| input(fault.message))?;
                if let Some(CutText { tokens, read }) = asked.cut {
                    return Err(input(format!(
                        "This text has {tokens} tokens, and the task reads {read}: shorten it."
                    )));
                }
                (asked.prompt, self.data().ends())
            }
            Around::Chat if writing.text.trim().is_empty() => return Err(input("Type what you say.")),
            Around::Chat => {
                let prompt = said(tokenizer, begin, &writing.text).map_err(|fault| input(fault.message))?;
                let answered = tokenizer.chat().map(behind_answers).unwrap_or_default();
                (behind(prompt), tokenizer.encode(&answered).into_iter().take(1).collect())
            }
            Around::Nothing => {
                let text = behind(tokenizer.encode(&writing.text));
                // Without a word it begins where another text ends.
                (if text.is_empty() { tokenizer.end().into_iter().collect() } else { text }, Vec::new())
            }
        };
        if prompt.is_empty() {
            return Err(input("Type how a text begins."));
        }
        let phi = self.phi.frozen().dialled(writing.lambda);
        let (context, front) = (self.theta().config.max_position_embeddings, in_front(&phi));
        if prompt.len() + front > context {
            let behind = if front > 0 { format!(" behind the {front} that φ puts in front") } else { String::new() };
            let has = prompt.len();
            return Err(input(format!(
                "This text has {has} tokens{behind}, and the base reads {context}: shorten it."
            )));
        }
        Ok(Writer::new(self.run(), self.setup.base.clone(), phi, &prompt, &ends, writing, clock))
    }

    /// Answers what a visitor typed, with θ alone and at θ ⊕ λφ.
    ///
    /// # Errors
    /// Where there is no such λ, it is no question of the task, or the device is lost.
    pub async fn predict(&self, text: &str, lambda: f64) -> Result<Prediction, Failure> {
        RunConfig::check_lambda(lambda).map_err(input)?;
        let typed = self.data().typed(text, &self.setup.base.tokenizer);
        let Typed { text, prompt, right, cut } = typed.map_err(|fault| input(fault.message))?;
        let prompts = [prompt];
        let base = self.setup.answers(&Phi::none(), &prompts).await?.swap_remove(0);
        let adapted = self.setup.answers(&self.phi.frozen().dialled(lambda), &prompts).await?.swap_remove(0);
        Ok(Prediction { index: None, input: text, base, adapted, right, cut })
    }
}
