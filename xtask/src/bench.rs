//! `cargo xtask bench`.
use crate::Options;
use anyhow::Result;
pub fn bench(_options: &Options) -> Result<()> {
    anyhow::bail!("not yet")
}
