//! What it costs, as shapes.

use super::{Projection, Subspace};
use crate::model::{Hook, ModelConfig};
use crate::peft::Cost;
use crate::trace::{Tape, Var};

impl Cost for Subspace {
    fn trace(&self, hook: Hook, model: &ModelConfig, tape: &mut Tape) -> Option<Var> {
        let Hook::Weight(place, piece, theta) = hook else { return None };
        let (n, d) = (place.elements(piece, model), self.intrinsic_dimension);
        let phi = tape.phi("φ", d as u64);
        let name = format!("P {} {piece:?}", place.key());
        let moved = match self.projection {
            Projection::Dense => {
                let rows = tape.constant(&name, n * d as u64);
                tape.linear(rows, phi, None, n as usize, (d, 1))
            }
            Projection::Fastfood => {
                let side = d.next_power_of_two() as u64;
                let blocks = n.div_ceil(side);
                let all = blocks * side;
                let mut constant = |what: &str, n| tape.constant(&format!("{name} {what}"), n);
                let [signs, _, gauss] = [constant("B", all), constant("Π", all), constant("G", all)];
                let bits = side.trailing_zeros();
                let (r, c) = (1_usize << (bits / 2), 1_usize << (bits - bits / 2));
                let [rows, columns] = [constant("H_r", (r * r) as u64), constant("H_c", (c * c) as u64)];
                let transform = |x: Var, tape: &mut Tape| {
                    let x = tape.linear(x, columns, None, blocks as usize * r, (c, c));
                    tape.linear(x, rows, None, blocks as usize * c, (r, r))
                };
                let padded = tape.expand(phi, all);
                let x = tape.multiply(padded, signs);
                let x = transform(x, tape);
                let x = tape.gather(x, all);
                let x = tape.multiply(x, gauss);
                let x = transform(x, tape);
                tape.part(x, n)
            }
        };
        Some(tape.add(theta, moved))
    }
}
