//! Follows a recipe: steps, judgements, checkpoints, and the files at the end.

use super::checkpoint::{self, Checkpoint};
use super::optimizer::Clipped;
use super::prose::Corpus;
use super::recipe::Recipe;
use super::source::Source;
use super::{card, init};
use crate::base::stream;
use crate::bases::{Card, Judged};
use crate::model::Model;
use crate::peft::{InitContext, MethodConfig, Phi};
use crate::train::step::step;
use burn::module::ParamGroup;
use burn::optim::{AdamWConfig, ModuleOptimizer};
use burn::tensor::Device;
use std::path::Path;
use std::time::Instant;

/// Follows a recipe to its end, from the checkpoint in `out` where there is one.
///
/// `say` gets a line of progress now and then. Where it stops early, after `stop_after` steps, it gives
/// `None` and leaves its last checkpoint. The error is a sentence.
pub async fn pretrain(
    recipe: &Recipe,
    corpus: Option<&Corpus>,
    out: &Path,
    stop_after: Option<usize>,
    mut say: impl FnMut(String),
) -> Result<Option<Card>, String> {
    let device = Device::flex();
    let (source, tokenizer) = Source::of(recipe, corpus, &mut say)?;
    let config = recipe.model_config();
    let theta = init::model(recipe, &mut stream(recipe.seed, "pretraining start"), &device);
    let mut state = match Checkpoint::read(out, recipe)? {
        Some(checkpoint) => {
            say(format!("{}: resuming after step {}", recipe.id, checkpoint.step));
            checkpoint
        }
        None => Checkpoint::default(),
    };
    let method = MethodConfig::everything();
    // Copies of θ draw nothing.
    let mut context = InitContext::new(&theta, &device, stream(0, "unused"));
    let mut phi = checkpoint::numbered(Phi::init([&method], &mut context));
    if let Some(values) = state.values.take() {
        phi = phi.filled(values);
    }
    let adam = |decay: f32| AdamWConfig::new().with_beta_2(0.98).with_epsilon(1e-8).with_weight_decay(decay);
    let mut groups = ModuleOptimizer::from(adam(0.0).build()).with_group(
        ParamGroup::from_predicate("matrix"),
        adam(recipe.weight_decay).build(),
        None,
    );
    if let Some(bytes) = state.optimizer.take() {
        groups = groups.from_bytes(bytes).map_err(|e| format!("optimizer.bpk cannot be read: {e:?}"))?;
    }
    let mut optimizer = Clipped::new(groups);

    let (started, before, first) = (Instant::now(), state.seconds, state.step);
    while state.step < recipe.steps {
        let batch = source.batch(recipe, state.step);
        phi = step(&theta, phi, &batch, &mut optimizer, recipe.learning_rate(state.step));
        state.step += 1;
        if state.step.is_multiple_of(recipe.judge_every) || state.step == recipe.steps {
            let losses = optimizer.losses().await.map_err(|f| f.message)?;
            let figures = source.judge(&theta.merged(&phi.frozen())).await?;
            state.seconds = before + started.elapsed().as_secs_f64();
            let judged = Judged { step: state.step, loss: losses.iter().sum::<f32>() / losses.len() as f32, figures };
            let pace = started.elapsed().as_secs_f64() / (state.step - first) as f64;
            let left = pace * (recipe.steps - state.step) as f64 / 60.0;
            say(format!("{} {}", recipe.id, describe(&judged, recipe.steps, pace, left)));
            if !judged.loss.is_finite() {
                return Err(format!("{}: the loss is no longer a number; lower lr in the recipe.", recipe.id));
            }
            state.curve.push(judged);
            state.write(out, recipe, &phi, &optimizer.adam).await?;
        }
        if stop_after.is_some_and(|n| state.step >= first + n) && state.step < recipe.steps {
            return Ok(None);
        }
    }
    let made = theta.merged(&phi.frozen());
    let halves = made.to_half_safetensors().await.map_err(|f| f.message)?;
    // What ships is what the halves say: figures are taken from them.
    let shipped = Model::load(config.clone(), &halves, &device).map_err(|e| e.to_string())?;
    let figures = source.judge(&shipped).await?;
    let card = card::of(recipe, &state, figures);
    let config = serde_json::to_string_pretty(&recipe.hugging_face_config()).map_err(|e| e.to_string())?;
    card::write(out, &[("config.json", config.as_bytes()), ("model.safetensors", &halves)])?;
    card::write(out, &[("tokenizer.json", tokenizer.as_bytes())])?;
    let readme = card.made.as_ref().map(|made| card::markdown(&card, made)).unwrap_or_default();
    card::write(out, &[("card.json", card::json(&card)?.as_bytes()), ("README.md", readme.as_bytes())])?;
    Checkpoint::remove(out);
    Ok(Some(card))
}

/// A line of progress.
fn describe(judged: &Judged, steps: usize, pace: f64, minutes_left: f64) -> String {
    let figures: Vec<String> = judged.figures.rows().iter().map(|(name, value)| format!("{name} {value}")).collect();
    let (step, loss, pace) = (judged.step, judged.loss, pace * 1e3);
    format!(
        "step {step} of {steps}, loss {loss:.3}, {}; {pace:.0} ms a step, {minutes_left:.0} min left",
        figures.join(", ")
    )
}
