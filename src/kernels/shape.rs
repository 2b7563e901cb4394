//! How heads lie in rows and are turned, and how packed matrices lie in bytes.

use crate::base::packing::Packing;

/// Heads of an attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heads {
    /// Of queries.
    pub queries: usize,
    /// Of keys and of values: a divisor of those of queries.
    pub keys: usize,
}

impl Heads {
    /// As many heads of keys as of queries.
    pub const fn alike(heads: usize) -> Heads {
        Heads { queries: heads, keys: heads }
    }

    /// Heads of queries that one head of keys serves.
    pub fn group(&self) -> usize {
        self.queries / self.keys
    }
}

/// Rotary positions (Su et al. 2021): in every head the pair (i, i + dims/2) is turned by position ·
/// base^(−2i/dims), as transformers' `rotate_half` pairs them. What lies behind the first `dims` numbers stays.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rotation {
    /// Width of a head.
    pub head_dim: usize,
    /// Numbers of a head that are turned; even, at most its width.
    pub dims: usize,
    /// `rope_theta`
    pub base: f32,
    /// Position of the first row.
    pub first: usize,
}

impl Rotation {
    /// Cosine and sine for each pair of each of `length` positions. Angles are products of single precision, as
    /// in transformers.
    pub fn angles(&self, length: usize) -> Vec<[f32; 2]> {
        let half = self.dims / 2;
        let step = |i: usize| f64::from(self.base).powf(-(2.0 * i as f64) / self.dims as f64) as f32;
        let steps: Vec<f32> = (0..half).map(step).collect();
        let positions = self.first..self.first + length;
        positions
            .flat_map(|position| {
                steps.iter().map(move |step| {
                    let (sine, cosine) = f64::from(position as f32 * step).sin_cos();
                    [cosine as f32, sine as f32]
                })
            })
            .collect()
    }
}

/// How a packed matrix lies in its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackedLayout {
    /// How its numbers are packed, along a row.
    pub packing: Packing,
    /// Rows as they are stored, one after the other.
    pub rows: usize,
    /// Numbers of a stored row: whole blocks.
    pub columns: usize,
    /// Whether the matrix is what is stored, turned: `[columns, rows]`.
    pub transposed: bool,
}

impl PackedLayout {
    /// Bytes of a stored row.
    pub fn row_bytes(&self) -> usize {
        let (numbers, bytes) = self.packing.block();
        self.columns / numbers * bytes
    }

    /// The same rows as the matrix turned.
    pub fn turned(self) -> PackedLayout {
        PackedLayout { transposed: !self.transposed, ..self }
    }

    /// Rows and columns of the matrix.
    pub fn dims(&self) -> [usize; 2] {
        if self.transposed { [self.columns, self.rows] } else { [self.rows, self.columns] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_turn_lies_where_the_formula_says() {
        let rotation = Rotation { head_dim: 4, dims: 4, base: 100.0, first: 1 };
        // Position 1: 1 radian for the first pair, a tenth for the second.
        let [[c, s], [cosine, sine]] = rotation.angles(1)[..] else { panic!("two pairs") };
        assert!((c - 1f32.cos()).abs() < 1e-7 && (s - 1f32.sin()).abs() < 1e-7);
        assert!((cosine - 0.1f32.cos()).abs() < 1e-7 && (sine - 0.1f32.sin()).abs() < 1e-7);
    }
}
