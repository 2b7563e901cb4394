//! What a step takes of a tab's memory, told before it is trained.

use crate::config::RunConfig;
use crate::ledger::{Setting, bytes};

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

    /// Whether it is doubtful that a step finds its memory.
    pub fn is_doubtful(self) -> bool {
        self.peak >= MAY_NOT_FIT
    }

    /// What a visitor should know before Train.
    pub fn told(self) -> Option<String> {
        let takes = format!("A step takes about {} of memory", self.written());
        let tab = StepMemory::of_a_tab();
        let way = "A smaller batch takes less, and so does a method that trains less.";
        match self.peak {
            peak if peak < WORTH_SAYING => None,
            peak if peak < MAY_NOT_FIT => Some(format!("{takes}, of the {tab} that a tab has at most.")),
            peak if peak < OF_A_TAB => Some(format!("{takes}. A tab has {tab} at most: training may end early. {way}")),
            _ => Some(format!("{takes}, and a tab has {tab} at most: it does not fit. {way}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bases::{Base, OwnBase};

    /// A run on SmolLM2's shape, with so many blocks.
    fn memory(blocks: usize, hash: &str) -> StepMemory {
        let config = format!(
            "{{\"model_type\":\"llama\",\"vocab_size\":49152,\"max_position_embeddings\":8192,\"hidden_size\":576,\"intermediate_size\":1536,\"num_hidden_layers\":{blocks},\"num_attention_heads\":9,\"num_key_value_heads\":3,\"tie_word_embeddings\":true}}"
        );
        let id = format!("own-smol-5301{blocks:012x}");
        let (weights, tokenizer) = (Vec::new(), Vec::new());
        let base =
            Base::register(&OwnBase { id, title: "smol".into(), config, weights, tokenizer, matrices: 0 }).unwrap();
        let (config, faults, _) = RunConfig::from_hash(&format!("#base={}&task=authors&{hash}", base.id));
        assert!(faults.is_empty(), "{faults:?}");
        StepMemory::of(&config)
    }

    #[test]
    fn what_a_step_takes_is_told_before_it_is_trained() {
        assert_eq!(memory(30, "method=lora&batch_size=8").told(), None);
        assert_eq!(memory(30, "method=icl").told(), None);
        let full = memory(30, "method=full&batch_size=8");
        let told = full.told().unwrap();
        let said = format!("A step takes about {} of memory. A tab has 4.29 GB at most", full.written());
        assert!(full.is_doubtful() && told.starts_with(&said), "{told}");
        let half = memory(12, "method=full&batch_size=8");
        assert!(!half.is_doubtful() && half.told().unwrap().ends_with("of the 4.29 GB that a tab has at most."));
        let double = memory(60, "method=full&batch_size=8");
        assert!(double.told().unwrap().contains("at most: it does not fit. A smaller batch"), "{double:?}");
    }
}
