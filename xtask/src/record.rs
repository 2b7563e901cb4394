//! `cargo xtask record`.
use crate::Options;
use anyhow::Result;
pub fn record(_options: &Options) -> Result<()> { anyhow::bail!("not yet") }
