//! Matrices on their way from a file into memory, in the file's packing or in another.

use super::TensorFileError;
use crate::base::packing::{Packing, finite, pack, unpack};
use crate::kernels::{Packed, PackedLayout};
use crate::model::{Matrix, Storage};
use burn::tensor::{Device, Tensor, TensorData};
use std::ops::Range;

/// A matrix of a file, row after row: its bytes stay where they are.
pub struct StoredMatrix<'a> {
    /// Its name, for messages.
    pub key: &'a str,
    /// How its numbers are packed.
    pub packing: Packing,
    /// All rows, one after the other.
    pub bytes: &'a [u8],
    /// Numbers of a row.
    pub columns: usize,
    /// Bytes of the largest tensor that the device can use.
    pub most: Option<u64>,
    /// Where a row stands, by its place in the family's own checkpoints.
    pub place: &'a dyn Fn(usize) -> usize,
}

/// Part of a stored matrix that is a matrix of its own.
pub struct Piece {
    /// Its rows, in order.
    pub rows: Vec<usize>,
    /// Its columns, in order; whole rows where it is empty.
    pub columns: Vec<Range<usize>>,
    /// Whether θ holds it turned: `[columns, rows]`.
    pub transposed: bool,
}

impl Piece {
    /// Every row, whole.
    pub fn whole(rows: usize, transposed: bool) -> Piece {
        Piece { rows: (0..rows).collect(), columns: Vec::new(), transposed }
    }

    /// Those matrices that share a module of these widths, which lie in so many turns: rows of what is stored
    /// where it is turned, else columns.
    pub fn of_module(inputs: usize, widths: &[usize], turns: usize, transposed: bool) -> Vec<Piece> {
        let whole = widths.iter().sum::<usize>() / turns;
        let starts = widths.iter().scan(0, |next, width| Some(std::mem::replace(next, *next + width / turns)));
        let pieces = starts.zip(widths).map(|(start, width)| {
            let ranges = (0..turns).map(|turn| turn * whole + start..turn * whole + start + width / turns);
            match transposed {
                true => Piece { rows: ranges.flatten().collect(), columns: Vec::new(), transposed },
                false if widths.len() == 1 => Piece::whole(inputs, transposed),
                false => Piece { rows: (0..inputs).collect(), columns: ranges.collect(), transposed },
            }
        });
        pieces.collect()
    }
}

impl StoredMatrix<'_> {
    /// A piece of it in memory.
    ///
    /// # Errors
    /// Where a number is not finite, a row cannot be packed in blocks, or the device cannot use so large a matrix.
    pub fn load(&self, piece: &Piece, storage: Storage, device: &Device) -> Result<Matrix, TensorFileError> {
        let packing = storage.packing().unwrap_or(self.packing);
        let columns = match piece.columns.is_empty() {
            true => self.columns,
            false => piece.columns.iter().map(Range::len).sum(),
        };
        let unequal = || TensorFileError::Blocks { key: self.key.into(), packing: packing.name(), columns };
        let width = packing.bytes(1, columns as u64).ok_or_else(unequal)? as usize;
        let needed = (piece.rows.len() * width) as u64;
        if let Some(most) = self.most.filter(|most| needed > *most) {
            let (key, packing) = (self.key.into(), packing.name());
            return Err(TensorFileError::TooLarge { key, packing, bytes: needed, most });
        }
        if packing == Packing::F32 {
            return self.dense(piece, columns, device);
        }
        let mut bytes = Vec::with_capacity(piece.rows.len() * width + 3);
        let mut numbers = Vec::new();
        for row in &piece.rows {
            for part in self.parts(*row, piece)? {
                if packing == self.packing {
                    bytes.extend_from_slice(part);
                } else {
                    let first = numbers.len();
                    numbers.resize(first + part.len() / self.packing.block().1 * self.packing.block().0, 0.0);
                    unpack(self.packing, part, &mut numbers[first..]);
                }
            }
            if packing != self.packing {
                bytes.extend(pack(packing, &numbers));
                numbers.clear();
            }
        }
        let layout = PackedLayout { packing, rows: piece.rows.len(), columns, transposed: piece.transposed };
        Ok(Matrix::Packed(Packed::new(bytes, layout, device)))
    }

    /// A piece in single precision, as θ holds it: no step has to turn it again.
    fn dense(&self, piece: &Piece, columns: usize, device: &Device) -> Result<Matrix, TensorFileError> {
        let rows = piece.rows.len();
        let (mut numbers, mut row) = (vec![0.0; rows * columns], vec![0.0; columns]);
        for (to, from) in piece.rows.iter().enumerate() {
            let mut first = 0;
            for part in self.parts(*from, piece)? {
                let n = part.len() / self.packing.block().1 * self.packing.block().0;
                unpack(self.packing, part, &mut row[first..first + n]);
                first += n;
            }
            match piece.transposed {
                true => numbers[to..].iter_mut().step_by(rows).zip(&row).for_each(|(number, x)| *number = *x),
                false => numbers[to * columns..][..columns].copy_from_slice(&row),
            }
        }
        let shape = if piece.transposed { [columns, rows] } else { [rows, columns] };
        Ok(Matrix::Full(Tensor::from_data(TensorData::new(numbers, shape), device)))
    }

    /// The bytes of a row that belong to a piece.
    fn parts<'b>(&'b self, row: usize, piece: &'b Piece) -> Result<impl Iterator<Item = &'b [u8]>, TensorFileError> {
        let not_whole =
            || TensorFileError::Blocks { key: self.key.into(), packing: self.packing.name(), columns: self.columns };
        let width = self.packing.bytes(1, self.columns as u64).ok_or_else(not_whole)? as usize;
        let bytes = &self.bytes[(self.place)(row) * width..][..width];
        if !finite(self.packing, bytes) {
            return Err(TensorFileError::NotFinite(self.key.into()));
        }
        let (numbers, packed) = self.packing.block();
        if piece.columns.iter().any(|c| c.start % numbers != 0 || c.end % numbers != 0) {
            return Err(not_whole());
        }
        let whole = 0..if piece.columns.is_empty() { width } else { 0 };
        let ranges = piece.columns.iter().map(move |c| c.start / numbers * packed..c.end / numbers * packed);
        Ok(std::iter::once(whole).chain(ranges).filter(|range| !range.is_empty()).map(|range| &bytes[range]))
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_larger_than_a_device_can_use_is_refused_with_its_bytes_and_the_way_on() {
        let (rows, columns, device) = (5, 64, Device::flex());
        let bytes = pack(Packing::F16, &[0.5; 5 * 64]);
        for (storage, packing, needed) in
            [(Storage::F32, "F32", 1280), (Storage::File, "F16", 640), (Storage::Q8_0, "Q8_0", 340)]
        {
            let load = |most| {
                let place = |row| row;
                let packing = Packing::F16;
                let stored = StoredMatrix { key: "embed", packing, bytes: &bytes, columns, most, place: &place };
                stored.load(&Piece::whole(rows, false), storage, &device)
            };
            assert!(load(None).is_ok() && load(Some(needed)).is_ok(), "{packing}");
            let most = needed - 1;
            let refused = load(Some(most)).unwrap_err();
            assert_eq!(
                refused,
                TensorFileError::TooLarge { key: "embed".into(), packing, bytes: needed, most },
                "{refused}"
            );
            for part in ["“embed”", packing, "theta=file", "device=cpu"] {
                assert!(refused.to_string().contains(part), "{part}: {refused}");
            }
        }
    }
}
