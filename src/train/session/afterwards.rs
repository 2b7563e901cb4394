//! What a run's φ is asked for beside training: scores, answers, files, a merged network; and how one comes back from a file.

use super::{LIVE_EXAMPLES, SHOWN, Session, input};
use crate::base::read;
use crate::base::stream;
use crate::base::{Failure, FailureReason};
use crate::interchange::hf_adapter;
use crate::interchange::hf_adapter::AdapterFiles;
use crate::interchange::phi_file;
use crate::interchange::phi_file::StoredPhi;
use crate::interchange::{Made, base64, from_base64};
use crate::model::Model;
use crate::peft::{InitContext, Phi};
use crate::protocol::{Event, Prediction};
use crate::task::Example;
use crate::train::data::Batch;
use crate::train::evaluate::{Evaluation, evaluate};

impl Session {
    /// φ as a file in the event that ends a run file.
    pub async fn save(&self) -> Result<Event, Failure> {
        // A run that was stopped in the midst of pruning has not settled yet.
        let mut phi = self.phi.clone();
        phi.finalize();
        let bytes = phi_file::write(&self.config, &phi).await?;
        Ok(Event::Phi { run: self.run, tensors: base64(&bytes) })
    }

    /// φ as Hugging Face PEFT writes it.
    pub async fn export(&self) -> Result<AdapterFiles, Failure> {
        hf_adapter::export(&self.config, &self.phi).await.map_err(input)
    }

    /// Takes a φ that was trained elsewhere, in place of its own; the run is then at its end.
    pub fn restore(&mut self, stored: StoredPhi) {
        let mut context = InitContext {
            theta: &self.base.theta,
            device: &self.device.clone().autodiff(),
            rng: stream(self.config.seed, "phi"),
            labels: &self.data.labels,
            encode: &|text| self.base.tokenizer.encode(text),
            begins: self.data.begins(),
            demonstrations: &self.demonstrations,
            scores: None,
        };
        self.phi = stored.phi(self.config.methods(), &mut context);
        (self.preparation, self.step) = (None, self.steps());
    }

    /// Reads φ of a run file, in base64.
    pub fn restore_saved(&mut self, tensors: &str) -> Result<(), Failure> {
        let bytes = from_base64(tensors).map_err(|e| input(format!("φ in the run file is {e}")))?;
        let stored = phi_file::parse(&self.config, &self.config.shape(), &bytes).map_err(input)?;
        self.restore(stored);
        Ok(())
    }

    /// Takes up a run from its file: what it reported, and φ.
    pub async fn reopen(&mut self, events: Vec<Event>, tensors: &str) -> Result<(), Failure> {
        self.restore_saved(tensors)?;
        self.log = events;
        self.ask_the_base().await
    }

    /// A network with φ folded into θ; the reason where the method cannot be.
    pub fn merged(&self) -> Result<Model, Failure> {
        self.config.merges().map_err(|why| input(format!("This cannot be merged into θ. {why}.")))?;
        Ok(self.base.theta.merged(&self.phi))
    }

    /// φ folded into θ, as a file, with the largest difference that it makes to a logit of the shown examples.
    pub async fn merge(&self) -> Result<Event, Failure> {
        let merged = self.merged()?;
        let examples: Vec<&Example> = self.data.held_out.iter().take(SHOWN).collect();
        let batch = Batch::new(examples);
        let logits = async |theta: &Model, phi: &Phi| {
            let logits = theta.logits(phi, &batch.tokens, &batch.rows);
            let n = logits.shape().num_elements();
            read(logits.reshape([n])).await
        };
        let (beside, inside) =
            (logits(&self.base.theta, &self.phi.frozen()).await?, logits(&merged, &Phi::none()).await?);
        let difference = beside.iter().zip(inside).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        let weights = base64(&merged.to_safetensors().await?);
        Ok(Event::Merged { run: self.run, difference, weights })
    }

    /// The run as a file: what made it, all it has reported, and φ.
    pub async fn run_file(&self, hardware: String) -> Result<String, Failure> {
        let mut events = vec![Made::here(hardware).event()];
        events.extend(self.log.iter().cloned());
        events.push(self.save().await?);
        let lines = events.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>();
        lines.map(|lines| lines.join("\n") + "\n").map_err(input)
    }

    /// Scores all held-out examples at θ ⊕ λφ.
    pub async fn evaluate(&self, lambda: f64) -> Result<Evaluation, Failure> {
        evaluate(&self.base.theta, &self.phi.frozen().dialled(lambda), &self.data, usize::MAX).await
    }

    /// Live evaluation and answers at θ ⊕ λφ.
    pub async fn dialled(&self, lambda: f64) -> Result<(Evaluation, Vec<Prediction>), Failure> {
        let phi = self.phi.frozen().dialled(lambda);
        let evaluation = evaluate(&self.base.theta, &phi, &self.data, LIVE_EXAMPLES).await?;
        Ok((evaluation, self.shown(&phi).await?))
    }

    /// Answers what a visitor typed.
    pub async fn predict(&self, text: &str) -> Result<Prediction, Failure> {
        let typed = self.data.typed(text, &self.base.tokenizer);
        let (input, prompt, right) =
            typed.map_err(|fault| Failure { reason: FailureReason::Input, message: fault.message })?;
        let prompts = [prompt];
        let base = self.answers(&Phi::none(), &prompts).await?.swap_remove(0);
        let adapted = self.answers(&self.phi.frozen(), &prompts).await?.swap_remove(0);
        Ok(Prediction { index: None, input, base, adapted, right })
    }
}
