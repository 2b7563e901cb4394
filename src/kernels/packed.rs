//! Matrices that stay packed as their file has them: how they lie, and what is computed with them.

use super::{FusedOps, PackedLayout};
use burn::backend::Dispatch;
use burn::tensor::{DType, Device, Int, Tensor, TensorData};

/// A frozen matrix in the form of its file, on a device. It is never trained, so it has no gradient.
#[derive(Clone, Debug)]
pub struct Packed {
    /// The stored rows, four bytes to a number; zeros behind them.
    words: Tensor<1, Int>,
    layout: PackedLayout,
}

impl Packed {
    /// The stored rows' bytes, onto a device without autodiff.
    pub fn new(mut bytes: Vec<u8>, layout: PackedLayout, device: &Device) -> Packed {
        assert_eq!(bytes.len(), layout.rows * layout.row_bytes(), "bytes of {layout:?}");
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        let words = bytes.len() / 4;
        let data = TensorData::from_bytes_vec(bytes, [words], DType::I32);
        Packed { words: Tensor::from_data(data, (device, DType::I32)), layout }
    }

    /// How it lies.
    pub fn layout(&self) -> PackedLayout {
        self.layout
    }

    /// Bytes on the device.
    pub fn bytes(&self) -> usize {
        4 * self.words.dims()[0]
    }

    /// Where it is.
    pub fn device(&self) -> Device {
        self.words.device()
    }

    /// The same matrix turned; nothing moves.
    pub fn transposed(self) -> Packed {
        Packed { layout: self.layout.turned(), ..self }
    }

    /// x·W + b; `x` is `[.., inputs]`, the matrix `[inputs, outputs]`. It is unpacked a panel at a time.
    pub fn linear<const D: usize>(&self, x: Tensor<D>, bias: Option<Tensor<1>>) -> Tensor<D> {
        let (x, words, layout) = (x.into_dispatch(), self.words.clone().into_dispatch(), self.layout);
        Tensor::from_dispatch(match bias {
            Some(bias) => Dispatch::packed_linear_rows(x, words, bias.into_dispatch(), layout),
            None => Dispatch::packed_product_rows(x, words, layout),
        })
    }

    /// x·W of two matrices: on a GPU in one pass where they are packed alike.
    pub fn pair(x: Tensor<3>, [a, b]: [&Packed; 2]) -> [Tensor<3>; 2] {
        let [first, second] = [a, b].map(|packed| packed.words.clone().into_dispatch());
        let (a, b) = Dispatch::packed_pair_rows(x.into_dispatch(), first, second, [a.layout, b.layout]);
        [a, b].map(Tensor::from_dispatch)
    }

    /// x·W of three matrices.
    pub fn triple(x: Tensor<3>, matrices: [&Packed; 3]) -> [Tensor<3>; 3] {
        let [first, second, third] = matrices.map(|packed| packed.words.clone().into_dispatch());
        let layouts = matrices.map(|packed| packed.layout);
        let (a, b, c) = Dispatch::packed_triple_rows(x.into_dispatch(), first, second, third, layouts);
        [a, b, c].map(Tensor::from_dispatch)
    }

    /// The matrix in single precision.
    pub fn dense(&self) -> Tensor<2> {
        let stored = Dispatch::unpacked_rows(self.words.clone().into_dispatch(), self.layout);
        let stored = Tensor::<2>::from_dispatch(stored);
        if self.layout.transposed { stored.transpose() } else { stored }
    }

    /// Some of the stored rows in single precision, `[ids, columns]`.
    pub fn rows(&self, ids: Tensor<1, Int>) -> Tensor<2> {
        let words = self.words.clone().into_dispatch();
        Tensor::from_dispatch(Dispatch::unpacked_chosen_rows(words, ids.into_dispatch(), self.layout))
    }
}
