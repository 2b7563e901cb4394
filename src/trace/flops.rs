//! How much is computed.

/// Floating-point operations. A multiplication with its addition counts as two.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub struct Flops {
    /// In products of matrices.
    pub matrices: f64,
    /// Everything else, an exponential or a root counted as one.
    pub other: f64,
}

impl Flops {
    /// All of them.
    pub fn total(self) -> f64 {
        self.matrices + self.other
    }

    /// So many times as much.
    pub fn times(self, n: usize) -> Flops {
        Flops { matrices: n as f64 * self.matrices, other: n as f64 * self.other }
    }
}

/// Operations of AdamW for each trained number, with the clip of the gradient's norm before it.
pub const OPTIMIZER_FLOPS: f64 = 18.0;
