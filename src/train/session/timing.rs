//! What steps take, and which of them have not been reported yet.

/// Milliseconds beyond which a machine may have slept.
const ASLEEP: f64 = 60_000.0;

/// A step whose loss has not been read back.
pub(super) struct Stepped {
    /// Steps done, this one included.
    pub step: usize,
    pub lr: f64,
    /// Tokens that the network read, virtual ones included.
    pub tokens: usize,
    /// Workers that shared it.
    pub workers: usize,
}

/// A run's clock. All times are milliseconds.
pub(super) struct Timing {
    /// From any origin.
    clock: fn() -> f64,
    /// Steps since the last read-back, the time of those that are over, and when that was.
    unreported: Vec<Stepped>,
    unreported_ms: f64,
    reported: f64,
    /// Of a step, when steps were last reported.
    usual: Option<f64>,
    /// Spent training and evaluating.
    active: f64,
}

impl Timing {
    pub fn new(clock: fn() -> f64) -> Timing {
        Timing { clock, unreported: Vec::new(), unreported_ms: 0.0, reported: clock(), usual: None, active: 0.0 }
    }

    pub fn now(&self) -> f64 {
        (self.clock)()
    }

    /// Takes note of a step; how long ago steps were last reported.
    pub fn stepped(&mut self, step: Stepped) -> f64 {
        self.unreported.push(step);
        self.now() - self.reported
    }

    /// Ends a step that is reported later.
    pub fn unreported_since(&mut self, start: f64) {
        self.unreported_ms += self.now() - start;
    }

    /// The steps since the last report, now that their losses have been read back, and what one of them took.
    /// The last of them began at `start`.
    pub fn reported(&mut self, start: f64) -> (Vec<Stepped>, f64) {
        self.reported = self.now();
        let ms = std::mem::take(&mut self.unreported_ms) + self.reported - start;
        let steps = std::mem::take(&mut self.unreported);
        let ms = awake(ms / steps.len() as f64, self.usual);
        self.usual = Some(ms);
        (steps, ms)
    }

    /// Counts a step and what was due after it as time of the run.
    pub fn spent_since(&mut self, start: f64) {
        // An evaluation may take longer than a step, but not that much longer.
        self.active += awake(self.now() - start, self.usual);
    }

    /// Counts time whatever it was.
    pub fn spent(&mut self, ms: f64) {
        self.active += ms;
    }

    /// Whether a step has not been reported.
    pub fn waits(&self) -> bool {
        !self.unreported.is_empty()
    }

    /// Seconds spent training and evaluating.
    pub fn seconds(&self) -> f64 {
        self.active / 1e3
    }
}

/// Milliseconds that something took, unless the machine slept meanwhile: then what a step usually takes. On
/// some systems a browser's clock goes on in sleep.
fn awake(ms: f64, usual: Option<f64>) -> f64 {
    match usual {
        Some(usual) if ms > ASLEEP && ms > 50.0 * usual => usual,
        _ => ms,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_night_is_not_a_step() {
        assert_eq!(awake(8.0 * 3.6e6, Some(20.0)), 20.0);
        // Slow devices, first steps, and evaluations take their time.
        for (ms, usual) in [(90_000.0, Some(80_000.0)), (90_000.0, None), (30_000.0, Some(20.0))] {
            assert_eq!(awake(ms, usual), ms);
        }
    }
}
