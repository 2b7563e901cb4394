//! Whether a device can use the tensors of a run: a GPU binds no more than so many bytes at once.

use crate::base::{Failure, FailureReason, grouped};
use crate::config::RunConfig;
use crate::kernels::most_bytes;
use crate::ledger::{Batch, Largest, Place, Setting};
use crate::model::{Compositions, Model, ModelConfig};
use crate::peft::{Mask, MethodConfig, Phi};
use crate::trace::NUMBER;

/// Refuses a run with a tensor that a device cannot use, which binds `most` bytes at once: φ's moments, or anything
/// that a step makes. An `answer` has so many tokens where that is known.
pub(super) fn check(config: &RunConfig, answer: Option<usize>, most: Option<u64>) -> Result<(), Failure> {
    let Some(most) = most.filter(|_| config.trains()) else { return Ok(()) };
    let mut run = Setting::of_whole(config);
    if let Some(answer) = answer {
        run.batch.predicted = run.batch.sequences * answer;
    }
    let everything = MethodConfig::everything();
    if config.methods().any(|m| m.method().scores() == Some(Mask::Change)) {
        step_fits(&Setting { methods: vec![&everything], shown: 0, ..run.clone() }, most)?;
    }
    step_fits(&run, most)
}

/// Whether a step has no tensor of more bytes. The moments are a pair for each number of φ, and all in one.
fn step_fits(run: &Setting<'_>, most: u64) -> Result<(), Failure> {
    let moments = run.ledger().training.map_or(0, |training| training.memory.optimizer);
    if moments > most {
        let has = format!("φ has {} numbers, whose moments take {} bytes", grouped(moments / 8), grouped(moments));
        return Err(refused(&has, most, "take a method that trains fewer, or "));
    }
    let Batch { sequences, predicted, .. } = run.batch;
    let of = |n: usize| {
        let batch = Batch { sequences: n, predicted: n * (predicted / sequences), ..run.batch };
        Setting { batch, ..run.clone() }.largest()
    };
    let largest = of(sequences);
    if largest.bytes <= most {
        return Ok(());
    }
    // The most sequences that fit, and the fewest that do not.
    let (mut fit, mut too_many) = (0, sequences);
    while too_many - fit > 1 {
        let middle = fit + (too_many - fit) / 2;
        *(if of(middle).bytes <= most { &mut fit } else { &mut too_many }) = middle;
    }
    let way = if fit > 0 { format!("take batch_size={fit} or less, or ") } else { String::new() };
    Err(refused(&format!("a step has {}", told(largest)), most, &way))
}

/// Sequences of a pass forward that θ's device can use at once, of `asked`, where each reads `length` tokens and
/// predicts `predicted`.
pub(super) fn at_once(
    theta: &Model,
    phi: &Phi,
    length: usize,
    predicted: usize,
    asked: usize,
) -> Result<usize, Failure> {
    let Some(most) = most_bytes(&theta.weights.tokens.device()) else { return Ok(asked) };
    Ok(fitting(&theta.config, length + in_front(phi), predicted, most)?.min(asked))
}

/// Positions that φ puts in front of a text.
pub(super) fn in_front(phi: &Phi) -> usize {
    let text = (phi as &dyn Compositions).text().map_or(0, |text| text.tokens.len());
    let prompt = phi.prompt().map_or(0, |prompt| prompt.dims()[0]);
    let prefix = phi.prefixes().first().map_or(0, |prefix| prefix.keys.dims()[0]);
    text + prompt + prefix
}

/// Bytes of keys and values that are kept at once, but for those of a single text.
const MOST_KEPT: u64 = 64 << 20;

/// Texts of so many tokens that are read on together: their keys and values are kept meanwhile.
pub(super) fn kept_at_once(theta: &Model, phi: &Phi, length: usize) -> usize {
    let positions = length + in_front(phi);
    let position = 2 * NUMBER * (theta.config.key_value_width() * theta.config.num_hidden_layers) as u64;
    (MOST_KEPT / (positions as u64 * position).max(1)).max(1) as usize
}

/// Sequences of so many positions that fit.
fn fitting(model: &ModelConfig, length: usize, predicted: usize, most: u64) -> Result<usize, Failure> {
    let batch = Batch { sequences: 1, length, predicted, past: 0 };
    let largest = Setting { batch, ..Setting::of_theta(model) }.largest();
    // A sum is read back behind the scores.
    match most.saturating_sub(4) / largest.bytes.max(1) {
        0 => Err(refused(&format!("a text of {length} positions has {}", told(largest)), most, "")),
        n => Ok(n as usize),
    }
}

fn told(largest: Largest) -> String {
    let what = match largest.place {
        None => "a tensor of φ",
        Some(Place::Embedding) => "vectors of tokens",
        Some(Place::Attention) => "a tensor of attention",
        Some(Place::Mlp) => "activations of an MLP",
        Some(Place::Logits) => "logits",
    };
    format!("{what} of {} bytes", grouped(largest.bytes))
}

fn refused(has: &str, most: u64, way: &str) -> Failure {
    let mut message =
        format!("{has}, and this device can use {} at once: {way}train on the CPU (device=cpu).", grouped(most));
    if let Some(first) = message.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    Failure { reason: FailureReason::Device, message }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;

    /// What is told of a run where a device can use one byte less than `bytes`; nothing is where it can use them.
    fn told(address: &str, bytes: u64) -> String {
        let config = RunConfig::from_hash(address).0;
        assert_eq!(check(&config, None, None), Ok(()), "the CPU has no such limit");
        assert_eq!(check(&config, None, Some(bytes)), Ok(()), "{address}");
        let Err(refused) = check(&config, None, Some(bytes - 1)) else { panic!("{address} is not refused") };
        assert_eq!(refused.reason, FailureReason::Device);
        for figure in [grouped(bytes), grouped(bytes - 1), "device=cpu".into()] {
            assert!(refused.message.contains(&figure), "{figure}: {}", refused.message);
        }
        refused.message
    }

    #[test]
    fn a_step_whose_logits_a_device_cannot_use_is_refused_with_the_batch_that_it_can() {
        // 96 predicted tokens of each of 32 windows, among 1,024.
        let message = told("#base=prose-nano&task=style&method=bitfit&batch_size=32", 4 * 32 * 96 * 1024);
        assert!(message.starts_with("A step has logits of") && message.contains("batch_size=31 or less"), "{message}");
    }

    #[test]
    fn a_step_whose_activations_a_device_cannot_use_is_refused() {
        // Four times as wide as the network: 9 positions of each of 512 strings.
        let message = told("#base=rules&task=rules&method=bitfit&batch_size=512", 4 * 512 * 9 * 256);
        assert!(message.starts_with("A step has activations of an MLP of"), "{message}");
    }

    #[test]
    fn a_phi_whose_moments_a_device_cannot_use_is_refused() {
        let full = RunConfig::from_hash("#base=rules&task=rules&method=full&batch_size=1").0;
        let numbers = full.trainable();
        let message = told("#base=rules&task=rules&method=full&batch_size=1", 8 * numbers);
        assert!(message.starts_with(&format!("φ has {} numbers", grouped(numbers))), "{message}");
        // What is pruned is trained till then, and a first pass trains all.
        for address in [
            "#base=rules&task=rules&method=pruning&batch_size=1",
            "#base=rules&task=rules&method=sparse&mask=change&batch_size=1",
        ] {
            let config = RunConfig::from_hash(address).0;
            assert!(config.trainable() < numbers, "{address}");
            told(address, 8 * numbers);
        }
    }

    #[test]
    fn as_many_texts_are_read_at_once_as_fit() {
        let model = RunConfig::from_hash("#base=prose-nano&task=style").0.shape().model;
        let logits = 4 * 96 * 1024;
        assert_eq!(fitting(&model, 96, 96, 7 * logits + 4), Ok(7));
        assert_eq!(fitting(&model, 96, 96, 7 * logits), Ok(6));
        let refused = fitting(&model, 96, 96, logits).unwrap_err().message;
        assert!(refused.starts_with("A text of 96 positions has logits of 393,216 bytes"), "{refused}");
    }
}
