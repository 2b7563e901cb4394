//! What a run that fell short has to say, and what to try instead: one function of what was measured.

use super::run::{Phase, Run, percent, significant};
use crate::base::grouped;
use crate::peft::MethodConfig;
use crate::task::TaskConfig;
use crate::task::rules::Origin;

/// On many examples the 95 % band gets very narrow.
/// A run can leave it and still have learnt nothing worth the name.
const LEAST_GAIN: f64 = 0.03;
/// The share of what full fine-tuning reached below which a run fell short.
const SHORT: f64 = 0.9;
/// Rates this far apart are different ones; the tuned ones were found in factors of 2 to 3.
const ANOTHER_RATE: f64 = 1.5;

/// How a finished run ended.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Ending {
    /// At what always guessing the commonest answer gets.
    Nothing {
        /// That baseline, as a share.
        majority: f64,
    },
    /// Below it, by more than chance explains.
    Below {
        /// That baseline, as a share.
        majority: f64,
    },
    /// Above or below it, and chance may explain that.
    Open {
        /// That baseline, as a share.
        majority: f64,
        /// Examples that were scored.
        n: usize,
    },
    /// Above it, and well below what full fine-tuning reached on the task.
    Short {
        /// What that reached, as a share.
        reference: f64,
    },
}

/// A few sentences about a finished run that learnt nothing, or far less than the task allows.
/// `None` for one that learnt.
///
/// `reference` is the recorded accuracy of full fine-tuning on the same base and task, where there is one.
pub fn verdict(run: &Run, reference: Option<f64>) -> Option<String> {
    let evaluation = run.evaluation.filter(|_| run.phase == Phase::Finished)?;
    let reached = format!("{} ± {}", percent(evaluation.accuracy), percent(evaluation.half_width()));
    let name = capitalized(&run.label());
    let said = match ending(run, reference)? {
        Ending::Nothing { majority } => format!(
            "{name} stayed at the majority baseline: {reached} where always guessing the commonest answer gets {}.",
            percent(majority)
        ),
        Ending::Below { majority } => format!(
            "{name} ended below the majority baseline: {reached} where always guessing the commonest answer gets {}.",
            percent(majority)
        ),
        Ending::Open { majority, n } => format!(
            "{name} reached {reached}: {} examples are too few to tell that from the {} of always guessing the commonest answer.",
            grouped(n),
            percent(majority)
        ),
        Ending::Short { reference } if is_full(&run.config.method) => {
            format!("{name} reached {reached}; its recorded run reached {}.", percent(reference))
        }
        Ending::Short { reference } => {
            format!("{name} reached {reached} where full fine-tuning, recorded, reached {}.", percent(reference))
        }
    };
    Some(format!("{said} {}", advice(run)))
}

fn ending(run: &Run, reference: Option<f64>) -> Option<Ending> {
    let evaluation = run.evaluation?;
    let majority = run.baselines?.majority;
    let (gain, margin) = (evaluation.accuracy - majority, evaluation.half_width().max(LEAST_GAIN));
    if gain < -margin {
        return Some(Ending::Below { majority });
    }
    if gain <= margin {
        let n = evaluation.n;
        return Some(if gain.abs() <= LEAST_GAIN {
            Ending::Nothing { majority }
        } else {
            Ending::Open { majority, n }
        });
    }
    let reference = reference?;
    (evaluation.accuracy + evaluation.half_width() < SHORT * reference).then_some(Ending::Short { reference })
}

fn is_full(method: &MethodConfig) -> bool {
    method.info().name == MethodConfig::everything().info().name
}

/// What to try: first what the measured loss says, then the rate beside the tuned one, then what the method
/// itself knows.
fn advice(run: &Run) -> String {
    let config = &run.config;
    let (rate, tuned) = (config.learning_rate(), config.tuned_rate());
    if let Some((first, worst)) = run.rising_loss() {
        return format!(
            "Its held-out loss rose from {} to {}: the rate of {rate} is too high. Try a tenth of it.",
            significant(first),
            significant(worst)
        );
    }
    if config.trains() && rate > ANOTHER_RATE * tuned {
        return format!("Its rate of {rate} is above {tuned}, which was found best for this method: try that first.");
    }
    if config.trains() && ANOTHER_RATE * rate < tuned {
        return format!("Its rate of {rate} is below {tuned}, which was found best for this method: try that first.");
    }
    let outside = matches!(&config.task, TaskConfig::Rules { rule, .. } if rule.origin() == Origin::Outside);
    config.method.method().advice(outside).to_string()
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|c| c.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
