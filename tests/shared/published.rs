//! What every method costs on every published shape, as lines: the same natively and where `usize` has 32 bits.

use peft_lab::ledger::{Batch, REAL_TOKENS, Residence, Setting, real_models};
use peft_lab::peft::{MethodConfig, Shape};

/// Columns of a line after model and method: elements, bytes, operations, positions.
pub const COLUMNS: &str = "parameters count stored | training: theta phi gradients moments activations in_front peak forward backward optimizer | inference: theta phi cache activations text token positions";

/// One line a model and method, below [`COLUMNS`].
pub fn published() -> String {
    let mut text = format!("model method {COLUMNS}\n");
    for model in real_models() {
        let shape = Shape { model: model.config.clone(), labels: 7 };
        for method in MethodConfig::all() {
            let batch = Batch { sequences: 1, length: REAL_TOKENS, predicted: REAL_TOKENS, past: 0 };
            let shown = method.method().shown(REAL_TOKENS, 100);
            let setting = Setting {
                shape: shape.clone(),
                methods: vec![&method],
                batch,
                parts: 1,
                shown,
                residence: Residence::InPlace,
                theta: None,
            };
            let ledger = setting.ledger();
            let training = ledger.training.as_ref().map_or("nothing is trained".into(), |t| {
                let m = &t.memory;
                let bytes = m.parts().into_iter().chain([m.in_front, m.peak.bytes]);
                let work = [t.forward.total(), t.backward.total(), t.optimizer];
                let bytes: Vec<String> = bytes.map(|n| n.to_string()).collect();
                format!("{} {} {} {}", bytes.join(" "), work[0], work[1], work[2])
            });
            let i = &ledger.inference;
            text += &format!(
                "{} {} {} {} {} | {training} | {} {} {} {} {} {} {}\n",
                model.id,
                method.info().name,
                model.config.parameters(),
                method.method().count(&shape).total(),
                ledger.stored,
                i.theta,
                i.phi,
                i.cache,
                i.activations,
                i.text,
                i.token,
                i.positions
            );
        }
    }
    text
}

/// Compares with `tests/fixtures/published.txt`, line by line.
pub fn check_published() {
    let (found, kept) = (published(), include_str!("../fixtures/published.txt"));
    for (found, kept) in found.lines().zip(kept.lines()) {
        assert_eq!(found, kept);
    }
    assert_eq!(found.lines().count(), kept.lines().count());
}
