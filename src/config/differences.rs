//! What tells two runs apart, in the words of the address.

use super::RunConfig;
use super::key::Key;
use super::keys::{OPTIMIZER, WORDING};

/// Where a run trains and what it measures besides changes nothing of its curve.
const SAME_CURVE: [&str; 4] = ["device", "workers", "forgetting", "scored"];

impl RunConfig {
    /// The keys under which this configuration has another value than `other`, with its value. Base, task and
    /// methods are not among them: where those differ, so do the names of the runs.
    pub fn differences(&self, other: &RunConfig) -> Vec<(&'static str, String)> {
        let knobs = self.methods().flat_map(|method| method.info().knobs).map(|knob| knob.name);
        let knobs = knobs.filter_map(|name| {
            let value = self.knob(name)?;
            (other.knob(name)? != value).then_some((name, value))
        });
        let keys = WORDING.into_iter().chain(OPTIMIZER).filter(|key| !SAME_CURVE.contains(&key.name));
        let keys = keys.filter_map(|key| {
            let value = value(key, self);
            (value != self::value(key, other)).then_some((key.name, value))
        });
        knobs.chain(keys).collect()
    }
}

/// What holds, set or not.
fn value(key: &Key, config: &RunConfig) -> String {
    key.get(config).unwrap_or_else(|| (key.default)(config))
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;

    fn between(one: &str, other: &str) -> Vec<String> {
        let config = |hash| RunConfig::from_hash(hash).0;
        let found = config(one).differences(&config(other));
        found.into_iter().map(|(name, value)| format!("{name} {value}")).collect()
    }

    #[test]
    fn runs_differ_in_what_changes_a_curve() {
        assert_eq!(between("seed=3&lr=0.1", ""), ["lr 0.1", "seed 3"]);
        assert_eq!(between("", "seed=3&lr=0.1"), ["lr 0.02", "seed 0"]);
        assert_eq!(between("rank=8&target_modules=q_proj", "rank=8"), ["target_modules q_proj"]);
        assert_eq!(between("examples=64&steps=20", ""), ["steps 20", "examples 64"]);
        assert!(between("device=cpu&workers=2&forgetting=true&scored=300", "").is_empty());
        // A rate that is written out is no other rate.
        assert!(between("lr=0.02", "").is_empty());
    }
}
