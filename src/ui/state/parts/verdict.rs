//! What a finished run that learnt nothing has to say, and what to try instead.

use super::run::{Phase, Run, half_width, percent};
use crate::peft::MethodConfig;
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
    match &run.config.method {
        MethodConfig::LastLayer(_) => {
            "The last layer can only re-read what the frozen network already computes. Try LoRA or an adapter, which change the computing inside."
        }
        MethodConfig::Prefix(_) if outside => {
            "This rule is outside of what the base can do. A prefix hardly moves it: more steps may help; LoRA or an adapter get there sooner."
        }
        MethodConfig::Prompt(_) if outside => {
            "Virtual tokens steer what the base can already do, and this rule is outside of it. Try LoRA or an adapter, or a rule it never saw but could compose."
        }
        MethodConfig::Prompt(_) | MethodConfig::Prefix(_) => {
            "Virtual tokens learn slowly at first. Try more steps, a higher rate or more of them; LoRA or an adapter get further on a base this small."
        }
        MethodConfig::BitFit(_) if outside => {
            "Biases shift what the matrices compute, and no shift makes this rule. Try LoRA or an adapter."
        }
        MethodConfig::Lora(_) => "Try more steps, a higher rank, more matrices, or a higher rate.",
        MethodConfig::Adapter(_) => "Try more steps, a wider bottleneck, or a higher rate.",
        _ => "Try more steps, or a higher rate.",
    }
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|c| c.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
