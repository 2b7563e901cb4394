//! How what is trained moves while a run steps.

/// Milliseconds of a step from which on each is drawn as one beat. Breathing between slow steps would take a processor
/// without a GPU from the trainer: a quarter of its speed on two cores.
const SLOW: f64 = 400.0;

/// What gets a gradient breathes while steps are quick, and beats once a step where they are slow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Motion {
    /// Nothing is trained.
    #[default]
    Still,
    /// Without end.
    Breathing,
    /// Once; the next is the other one.
    Beat {
        /// Of a step with an odd number.
        is_odd: bool,
    },
}

impl Motion {
    /// That of a run behind so many steps, each of so many milliseconds.
    pub fn of(step: usize, ms: f64) -> Motion {
        if step > 0 && ms < SLOW { Motion::Breathing } else { Motion::Beat { is_odd: step % 2 == 1 } }
    }

    /// The class of what moves.
    pub fn class(self) -> Option<&'static str> {
        match self {
            Motion::Still => None,
            Motion::Breathing => Some("breathing"),
            Motion::Beat { is_odd: false } => Some("even-beat"),
            Motion::Beat { is_odd: true } => Some("odd-beat"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_steps_beat_in_turns_and_quick_ones_breathe() {
        assert_eq!(Motion::of(7, 12.0), Motion::Breathing);
        let beats = [0, 1, 2].map(|step| Motion::of(step, 2_400.0).class());
        assert_eq!(beats, [Some("even-beat"), Some("odd-beat"), Some("even-beat")]);
        assert_eq!(Motion::of(0, 0.0), Motion::Beat { is_odd: false }, "nobody knows yet how quick it is");
        assert_eq!(Motion::default().class(), None);
    }
}
