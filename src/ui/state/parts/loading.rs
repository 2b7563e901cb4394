//! What is on its way before a first step, and how much of it is there.

/// Something that a trainer reads.
#[derive(Clone, Debug, PartialEq)]
pub struct Loading {
    /// What it is, in words.
    pub what: String,
    /// Bytes so far.
    pub done: u64,
    /// Bytes in all; 0 where they are not known.
    pub of: u64,
}

impl Loading {
    /// Whether all of it is there.
    pub fn is_there(&self) -> bool {
        self.of > 0 && self.done >= self.of
    }

    /// How much of it is there, from 0 to 1.
    pub fn share(&self) -> f64 {
        self.done as f64 / self.of.max(1) as f64
    }

    /// The line below the buttons.
    pub fn line(&self) -> String {
        let Loading { what, done, of } = self;
        match *of {
            0 => format!("loading {what} …"),
            _ if self.is_there() => "scoring the base before the first step …".into(),
            of if of < 1_000_000 => format!("loading {what}: {} of {} kB", done / 1000, of / 1000),
            of => format!("loading {what}: {} of {} MB", done / 1_000_000, of / 1_000_000),
        }
    }
}
