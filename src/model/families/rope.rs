//! The keys of rotary positions, as transformers' `RotaryEmbeddingConfigMixin` reads them: in `rope_parameters`, in
//! the older `rope_scaling`, or beside the sizes.

use crate::model::{ConfigKeys, ModelConfigError};

/// What is in force: `rope_scaling` where it stands, else `rope_parameters`. Refuses angles that are scaled.
fn parameters(keys: &ConfigKeys) -> Result<ConfigKeys, ModelConfigError> {
    let key = if keys.there("rope_scaling").is_some() { "rope_scaling" } else { "rope_parameters" };
    let inner = keys.inner(key)?;
    let kind = if inner.has("rope_type") { inner.text("rope_type")? } else { inner.text("type")? };
    match kind {
        None | Some("default") => Ok(inner),
        Some(kind) => {
            let known = "default: angles that are scaled for longer texts have no place in this lab";
            Err(ModelConfigError::unsupported(key, kind, known))
        }
    }
}

/// The base of the angles, 10,000 where the file does not say; `beside` is its name beside the sizes.
pub fn base(keys: &ConfigKeys, beside: &'static str) -> Result<f64, ModelConfigError> {
    let own = keys.number(beside, 10_000.0)?;
    parameters(keys)?.number("rope_theta", own)
}

/// How many numbers of a head are turned: a share of its width; `beside` is the share's name beside the sizes.
pub fn dims(keys: &ConfigKeys, beside: &'static str, default: f64, head_dim: usize) -> Result<usize, ModelConfigError> {
    let share = parameters(keys)?.number("partial_rotary_factor", keys.number(beside, default)?)?;
    let dims = (head_dim as f64 * share) as usize;
    match dims >= 2 && dims <= head_dim && dims.is_multiple_of(2) {
        true => Ok(dims),
        false => {
            let known = format!("a share that turns an even number of a head's {head_dim} numbers");
            Err(ModelConfigError::unsupported(beside, share, known))
        }
    }
}

/// Refuses a share other than the whole of a head, where the family turns all of it.
pub fn whole(keys: &ConfigKeys) -> Result<(), ModelConfigError> {
    let share = parameters(keys)?.number("partial_rotary_factor", keys.number("partial_rotary_factor", 1.0)?)?;
    match share == 1.0 {
        true => Ok(()),
        false => {
            let known = "1: every number of a head is turned in this family";
            Err(ModelConfigError::unsupported("partial_rotary_factor", share, known))
        }
    }
}
