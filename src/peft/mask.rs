//! How single weights are chosen, before training.

/// By what the weights of a mask are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mask {
    /// The largest of θ.
    Magnitude,
    /// Those that a first pass of full fine-tuning changes most, as a lottery ticket (Ansell et al. 2022).
    Change,
    /// Those with the largest squared gradient, the diagonal of the empirical Fisher information (Sung et al. 2021).
    Fisher,
    /// Any, each as likely.
    Random,
}

impl Mask {
    /// In the order of [`OPTIONS`](Self::OPTIONS).
    pub const ALL: [Mask; 4] = [Mask::Magnitude, Mask::Change, Mask::Fisher, Mask::Random];
    /// (value of the knob, label)
    pub const OPTIONS: [(&'static str, &'static str); 4] = [
        ("magnitude", "largest weights"),
        ("change", "largest change in a first pass"),
        ("fisher", "largest Fisher information"),
        ("random", "random"),
    ];
}
