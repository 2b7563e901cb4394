//! The version of what is kept.

/// It stands in all that is kept as JSON. A record of another one is left aside.
pub const SCHEMA: u32 = 1;
