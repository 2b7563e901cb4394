//! How much a visitor may bring, and how little is enough.

/// Bytes of a file, at most.
pub const MAX_BYTES: usize = 10 * 1024 * 1024;
/// Cells of a table, at most: more would fill a browser's memory.
pub const MAX_CELLS: usize = 4_000_000;
/// Labels that can be learnt, at most.
pub const MAX_LABELS: usize = 20;
/// Usable rows, at least.
pub const MIN_ROWS: usize = 4;
/// Held-out rows in all, at most.
pub const MAX_HELD_OUT: usize = 1000;
