//! What a step takes of a tab's memory, told before it is trained.

use crate::config::RunConfig;
use crate::ledger::{Setting, bytes};
use crate::model::Storage;

/// All that a trainer of the page can have: WebAssembly counts bytes in 32 bits.
const OF_A_TAB: u64 = 1 << 32;
/// From here on a step may find no room: what is freed lies in pieces between what is held.
const MAY_NOT_FIT: u64 = 3 << 30;
/// Less than this is short on no laptop.
const WORTH_SAYING: u64 = 3 << 29;

/// What a step of a run takes, beside what a tab has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepMemory {
    /// The most bytes at one moment, as the ledger has them.
    peak: u64,
}

impl StepMemory {
    /// What the ledger says of a run; nothing where nothing is trained.
    pub fn of(config: &RunConfig) -> StepMemory {
        StepMemory { peak: Setting::of(config).ledger().training.map_or(0, |training| training.memory.peak.bytes) }
    }

    /// The most bytes at one moment, in words: `3.88 GB`.
    pub fn written(self) -> String {
        bytes(self.peak)
    }

    /// What a tab has, in words.
    pub fn of_a_tab() -> String {
        bytes(OF_A_TAB)
    }

    /// Whether no tab can have so much: such a run is not begun.
    pub fn is_too_much(self) -> bool {
        self.peak >= OF_A_TAB
    }

    /// Whether it is doubtful that a step finds its memory.
    pub fn is_doubtful(self) -> bool {
        self.peak >= MAY_NOT_FIT
    }

    /// What a visitor should know before Train; `config` is the run's.
    pub fn told(self, config: &RunConfig) -> Option<String> {
        let takes = format!("A step takes about {} of memory", self.written());
        let tab = StepMemory::of_a_tab();
        if self.peak < WORTH_SAYING {
            return None;
        }
        if !self.is_doubtful() {
            return Some(format!("{takes}, of the {tab} that a tab has at most."));
        }
        let end = match self.is_too_much() {
            true => format!("{takes}, and a tab has {tab} at most: it cannot be trained here."),
            false => format!("{takes}. A tab has {tab} at most: training may end early."),
        };
        let ways = ways(config);
        let ways = if ways.is_empty() { String::new() } else { format!(" What fits: {}.", ways.join(", or ")) };
        Some(format!("{end}{ways} `peft-lab train` on the command line has no such limit."))
    }
}

/// Changes of a run, each of which alone lets a step find its memory, with what it takes then.
fn ways(config: &RunConfig) -> Vec<String> {
    let room = |config: &RunConfig| Some(StepMemory::of(config)).filter(|memory| !memory.is_doubtful());
    let mut ways = Vec::new();
    let halves = std::iter::successors(Some(config.batch_size() / 2), |n| Some(n / 2)).take_while(|n| *n > 0);
    let smaller = halves.map(|n| RunConfig { batch_size: Some(n), ..config.clone() });
    ways.extend(
        smaller
            .filter(|config| config.check().is_ok())
            .find_map(|config| Some(format!("batches of {} ({})", config.batch_size(), room(&config)?.written()))),
    );
    let less = RunConfig { method: RunConfig::default().method, also: Vec::new(), ..config.clone() };
    if less.methods().ne(config.methods())
        && let Some(memory) = room(&less)
    {
        ways.push(format!("a method that trains less, such as {} ({})", less.label(), memory.written()));
    }
    let held = Storage::ALL.into_iter().filter(|storage| storage.packing().is_some());
    let mut held = held.map(|storage| RunConfig { theta: Some(storage), ..config.clone() });
    ways.extend(held.find_map(|held| {
        let (storage, smaller) = (held.storage(), held.theta_bytes() < config.theta_bytes());
        let memory = room(&held).filter(|_| smaller && held.check().is_ok())?;
        Some(format!("θ held as {} (`theta={}`, {})", storage.title(), storage.name(), memory.written()))
    }));
    ways
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bases::{Base, OwnBase};

    /// A run on SmolLM2's shape, with so many blocks.
    fn run(blocks: usize, hash: &str) -> RunConfig {
        let config = format!(
            "{{\"model_type\":\"llama\",\"vocab_size\":49152,\"max_position_embeddings\":8192,\"hidden_size\":576,\"intermediate_size\":1536,\"num_hidden_layers\":{blocks},\"num_attention_heads\":9,\"num_key_value_heads\":3,\"tie_word_embeddings\":true}}"
        );
        let id = format!("own-smol-5301{blocks:012x}");
        let (weights, tokenizer) = (Vec::new(), Vec::new());
        let base =
            Base::register(&OwnBase { id, title: "smol".into(), config, weights, tokenizer, matrices: 0 }).unwrap();
        let (config, faults, _) = RunConfig::from_hash(&format!("#base={}&task=authors&{hash}", base.id));
        assert!(faults.is_empty(), "{faults:?}");
        config
    }

    /// What is told of it.
    fn told(blocks: usize, hash: &str) -> Option<String> {
        let config = run(blocks, hash);
        StepMemory::of(&config).told(&config)
    }

    #[test]
    fn what_a_step_takes_is_told_before_it_is_trained() {
        assert_eq!(told(30, "method=lora&batch_size=8"), None);
        assert_eq!(told(30, "method=icl"), None);
        let full = StepMemory::of(&run(30, "method=full&batch_size=8"));
        let said = told(30, "method=full&batch_size=8").unwrap();
        let begins = format!("A step takes about {} of memory. A tab has 4.29 GB at most", full.written());
        assert!(full.is_doubtful() && !full.is_too_much() && said.starts_with(&begins), "{said}");
        let half = StepMemory::of(&run(12, "method=full&batch_size=8"));
        let said = told(12, "method=full&batch_size=8").unwrap();
        assert!(!half.is_doubtful() && said.ends_with("of the 4.29 GB that a tab has at most."), "{said}");
    }

    #[test]
    fn what_no_tab_has_is_told_with_what_fits() {
        let config = run(60, "method=full&batch_size=8");
        let memory = StepMemory::of(&config);
        let (lora, said) = (run(60, "method=lora&batch_size=8"), memory.told(&config).unwrap());
        assert!(memory.is_too_much());
        assert_eq!(
            said,
            format!(
                "A step takes about {} of memory, and a tab has 4.29 GB at most: it cannot be trained here. What fits: a method that trains less, such as {} ({}). `peft-lab train` on the command line has no such limit.",
                memory.written(),
                lora.label(),
                StepMemory::of(&lora).written(),
            )
        );
        // Where the batch is what is large, a smaller one is the way on, and where θ is, its form.
        let said = told(30, "method=lora&batch_size=256").unwrap();
        assert!(said.contains("What fits: batches of ") && !said.contains("trains less"), "{said}");
        let said = told(250, "method=prompt&batch_size=1&theta=f32").unwrap();
        assert!(said.contains("What fits: θ held as F16 (`theta=f16`, "), "{said}");
    }
}
