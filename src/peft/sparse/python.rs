//! The Python that does the same.

use super::Sparse;
use crate::peft::{Mask, Python, Script, python};

impl Python for Sparse {
    fn python(&self, _script: &Script<'_>) -> String {
        let (score, first, back) = match self.mask {
            Mask::Magnitude => ("p.detach().abs()", "", ""),
            Mask::Random => ("torch.rand_like(p)", "", ""),
            Mask::Fisher => ("fisher[name]", include_str!("fisher.py"), ""),
            Mask::Change => ("(p.detach() - start[name]).abs()", include_str!("change.py"), include_str!("back.py")),
        };
        let start = python::fill(include_str!("python.py"), &[("NUM_WEIGHTS", self.num_weights.to_string())]);
        let mask = python::fill(include_str!("mask.py"), &[("SCORE", score.into())]);
        start + first + &mask + back + "counted = K\n"
    }

    fn python_without_peft(&self, _script: &Script<'_>) -> Option<String> {
        None
    }
}
