//! What it costs, as shapes.

use super::{Projection, Subspace};
use crate::model::{Hook, ModelConfig};
use crate::peft::Cost;
use crate::trace::{Tape, Var};

impl Cost for Subspace {
    fn trace(&self, hook: Hook, model: &ModelConfig, tape: &mut Tape) -> Option<Var> {
        let Hook::Weight(place, piece, theta) = hook else { return None };
        let (n, d) = (place.elements(piece, model), self.intrinsic_dimension);
        let phi = tape.phi("φ", d);
        let name = format!("P {} {piece:?}", place.key());
        let moved = match self.projection {
            Projection::Dense => {
                let rows = tape.constant(&name, n * d);
                tape.linear(rows, phi, None, n, (d, 1))
            }
            Projection::Fastfood => {
                let side = d.next_power_of_two();
                let blocks = n.div_ceil(side);
                let all = blocks * side;
                let mut constant = |what: &str, n| tape.constant(&format!("{name} {what}"), n);
                let [signs, _, gauss] = [constant("B", all), constant("Π", all), constant("G", all)];
                let bits = side.trailing_zeros();
                let (r, c) = (1_usize << (bits / 2), 1_usize << (bits - bits / 2));
                let [rows, columns] = [constant("H_r", r * r), constant("H_c", c * c)];
                let transform = |x: Var, tape: &mut Tape| {
                    let x = tape.linear(x, columns, None, blocks * r, (c, c));
                    tape.linear(x, rows, None, blocks * c, (r, r))
                };
                let padded = tape.expand(phi, all as u64);
                let x = tape.multiply(padded, signs);
                let x = transform(x, tape);
                let x = tape.gather(x, all as u64);
                let x = tape.multiply(x, gauss);
                let x = transform(x, tape);
                tape.part(x, n as u64)
            }
        };
        Some(tape.add(theta, moved))
    }
}
