//! What a finished run that learnt nothing has to say, and what to try instead.

use super::run::{Phase, Run, half_width, percent};
use crate::task::TaskConfig;
use crate::task::rules::Origin;

/// On many examples the 95 % band gets very narrow.
/// A run can leave it and still have learnt nothing worth the name.
const LEAST_GAIN: f64 = 0.03;

/// A sentence or two about a finished run whose accuracy stayed at the majority baseline.
/// `None` for one that learnt.
pub fn verdict(run: &Run) -> Option<String> {
    let evaluation = run.evaluation.filter(|_| run.phase == Phase::Finished)?;
    let majority = run.baselines?.majority;
    let band = half_width(evaluation.accuracy.max(majority), evaluation.n).max(LEAST_GAIN);
    (evaluation.accuracy <= majority + band).then(|| {
        format!(
            "{} stayed at the majority baseline: {} ± {} where always guessing the commonest answer gets {}. {}",
            capitalized(&run.label()),
            percent(evaluation.accuracy),
            percent(evaluation.half_width()),
            percent(majority),
            advice(run)
        )
    })
}

fn advice(run: &Run) -> &'static str {
    if run.rising_loss().is_some() {
        return "The loss has grown far beyond its start: the rate is too high. Try a tenth of it.";
    }
    let outside = matches!(&run.config.task, TaskConfig::Rules { rule, .. } if rule.origin() == Origin::Outside);
    run.config.method.method().advice(outside)
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|c| c.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
