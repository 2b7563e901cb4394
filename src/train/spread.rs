//! How much in-context learning depends on its prompt: the same questions after other orders, choices,
//! wordings and labels of the demonstrations.

use super::data::TaskData;
use super::evaluate::{evaluate, evaluate_free};
use super::library::{LoadedBase, Materials};
use crate::base::stream;
use crate::base::{Failure, FailureReason};
use crate::config::RunConfig;
use crate::peft::{DemonstrationLabels, Demonstrations};
use crate::peft::{InitContext, Phi};
use crate::protocol::Event;
use crate::protocol::SpreadKind;
use crate::task::Template;
use burn::tensor::Device;
use std::collections::VecDeque;
use std::rc::Rc;

/// Questions after each prompt.
pub const QUERIES: usize = 512;
const ORDERS: usize = 20;
const CHOICES: usize = 12;
const RANDOM: usize = 6;

/// Other words around text and label.
const WORDINGS_OF_STRINGS: [&str; 4] = ["{text};{label}>", "{text}>>{label};", "{text}>{label}", ";{text}>{label};"];
const WORDINGS_OF_TEXTS: [&str; 4] = [
    "{text} => {label}\\n",
    "{text} ({label})\\n",
    "Text: {text}\\nLabel: {label}\\n\\n",
    "{text}\\nAnswer: {label}\\n\\n",
];

/// What is put in front of the questions: demonstrations, and the words of all where they are others than the run's.
type Prompt = (SpreadKind, Demonstrations, Option<Template>);

/// A measurement under way, one prompt a turn.
pub struct Spread {
    run: u32,
    config: RunConfig,
    base: Rc<LoadedBase>,
    /// Its own: what the trainer loads meanwhile, for an answer on another task, is not for it.
    materials: Rc<Materials>,
    device: Device,
    queue: VecDeque<Prompt>,
    of: usize,
}

impl Spread {
    /// What is measured around a configuration of in-context learning.
    ///
    /// # Errors
    /// Where the configuration is at fault or of another method.
    pub fn new(
        run: u32,
        config: RunConfig,
        base: Rc<LoadedBase>,
        materials: Rc<Materials>,
        device: &Device,
    ) -> Result<Spread, Failure> {
        config.check().map_err(input)?;
        let Some(own) = config.method.method().demonstrations() else {
            return Err(input("The spread is measured for in-context learning: choose it as the method."));
        };
        let wordings = if config.task.is_strings() { WORDINGS_OF_STRINGS } else { WORDINGS_OF_TEXTS };
        let with = |change: &dyn Fn(&mut Demonstrations)| {
            let mut shown = own.clone();
            change(&mut shown);
            shown
        };
        let nothing = with(&|shown| shown.shots = 0);
        let mut queue = VecDeque::from([(SpreadKind::Own, own.clone(), None), (SpreadKind::Nothing, nothing, None)]);
        let random = |seed: usize| {
            with(&|shown| (shown.labels, shown.drawn_by) = (DemonstrationLabels::Random, own.drawn_by + seed))
        };
        queue.extend((0..RANDOM).map(|seed| (SpreadKind::RandomLabels, random(seed), None)));
        // One demonstration has one order.
        let orders = if own.shots > 1 { ORDERS } else { 0 };
        queue.extend((1..=orders).map(|seed| (SpreadKind::Order, with(&|shown| shown.order = seed), None)));
        let other = |seed: usize| with(&|shown| shown.drawn_by = own.drawn_by + seed);
        queue.extend((1..=CHOICES).map(|seed| (SpreadKind::Choice, other(seed), None)));
        for template in wordings {
            queue.push_back((SpreadKind::Wording, own.clone(), Some(Template::parse(template).map_err(input)?)));
        }
        Ok(Spread { run, config, base, materials, device: device.clone(), of: queue.len(), queue })
    }

    /// Whether every prompt is scored.
    pub fn done(&self) -> bool {
        self.queue.is_empty()
    }

    /// Scores the next prompt. One whose wording takes too much room is left out, and its event says so by no
    /// score.
    ///
    /// # Errors
    /// Where the run's own prompt does not fit, or the device is lost.
    pub async fn advance(&mut self) -> Result<Option<Event>, Failure> {
        let Some((kind, shown, template)) = self.queue.pop_front() else { return Ok(None) };
        let (theta, tokenizer, seed) = (&self.base.theta, &self.base.tokenizer, self.config.seed);
        let what = what(kind, &shown, template.as_ref());
        let worded = template.map_or_else(|| self.config.clone(), |template| self.config.with_template(template));
        let context = theta.config.max_position_embeddings;
        let (task, wording) = (&worded.task, worded.wording());
        let data = TaskData::on(context, task, &self.materials.file, tokenizer, &wording, seed).map_err(input)?;
        let room = context.saturating_sub(data.longest());
        let demonstrations = match (data.demonstrations(&shown, room), kind) {
            (Ok(tokens), _) => Some(tokens),
            (Err(fault), SpreadKind::Own) => return Err(input(fault)),
            (Err(_), _) => None,
        };
        let mut scores = (None, None);
        if let Some(demonstrations) = demonstrations {
            let mut method = self.config.method.clone();
            method.method_mut().set_demonstrations(shown.clone());
            let mut context = InitContext::new(theta, &self.device, stream(seed, "phi"))
                .labels(&data.labels)
                .encode(|text| tokenizer.encode(text))
                .begins(data.begins())
                .demonstrations(&demonstrations);
            let phi = Phi::init([&method], &mut context);
            let accuracy = evaluate(theta, &phi, &data, QUERIES).await?.accuracy;
            // Answers from the whole vocabulary tell what labels give besides the rule: the form of an
            // answer.
            let free = match kind {
                SpreadKind::Own | SpreadKind::Nothing | SpreadKind::RandomLabels => {
                    Some(evaluate_free(theta, &phi, &data, QUERIES).await?.accuracy)
                }
                _ => None,
            };
            scores = (Some(accuracy), free);
        }
        Ok(Some(Event::Spread {
            run: self.run,
            kind,
            what,
            accuracy: scores.0,
            free: scores.1,
            n: QUERIES.min(data.held_out.len()),
            done: self.of - self.queue.len(),
            of: self.of,
        }))
    }
}

fn what(kind: SpreadKind, shown: &Demonstrations, template: Option<&Template>) -> String {
    match kind {
        SpreadKind::Own => format!("{} demonstrations", shown.shots),
        SpreadKind::Nothing => "no demonstrations".into(),
        SpreadKind::Order => format!("order {}", shown.order),
        SpreadKind::Choice => format!("demonstrations drawn by {}", shown.drawn_by),
        SpreadKind::RandomLabels => format!("random labels, drawn by {}", shown.drawn_by),
        SpreadKind::Wording => template.map(Template::to_string).unwrap_or_default(),
    }
}

fn input(message: impl ToString) -> Failure {
    Failure { reason: FailureReason::Input, message: message.to_string() }
}
