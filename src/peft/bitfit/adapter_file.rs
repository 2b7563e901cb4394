//! PEFT has no file for it alone; in others' it is what stands beside them.

use super::BitFit;
use crate::model::{ModelConfig, ModulePath, ParamKind, Target};
use crate::peft::adapter_file::{OwnTensors, not_in_peft};
use crate::peft::{AdapterError, AdapterFile, AdapterSettings};
use serde_json::Value;

impl AdapterFile for BitFit {
    fn keys(&self, _model: &ModelConfig) -> Result<Value, AdapterError> {
        Err(not_in_peft(self))
    }

    fn from_settings(_settings: &AdapterSettings<'_>) -> Option<Result<Self, AdapterError>> {
        None
    }

    /// PEFT's `bias`. Norms whose scale is trained too are another method's.
    fn beside(own: &OwnTensors) -> Option<Self> {
        let has = |target: Target| {
            own.any(|path, kind| kind == ParamKind::Bias && matches!(path, ModulePath::Linear(_, t) if t == target))
        };
        let targets: Vec<Target> = Target::ALL.into_iter().filter(|target| has(*target)).collect();
        let norm = own.any(|path, kind| kind == ParamKind::Bias && !matches!(path, ModulePath::Linear(..)));
        let norms = norm && !own.any(|_, kind| kind == ParamKind::Scale);
        (norms || !targets.is_empty()).then_some(BitFit { targets, norms })
    }
}
