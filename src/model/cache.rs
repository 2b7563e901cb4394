//! What attention keeps of texts that are read on: their keys and values, so that a token more is read alone.

use super::Prefixed;
use crate::kernels::{Heads, Rotation, attention, rotate};
use burn::tensor::{Int, Tensor, TensorData};

/// Keys and values of every block, as queries meet them: normed and turned where the model does so. Texts may have
/// different lengths.
#[derive(Clone, Debug, Default)]
pub struct Cache {
    /// In the order of the texts.
    groups: Vec<Group>,
}

/// Texts that stand beside each other and are of one length.
#[derive(Clone, Debug)]
struct Group {
    span: Span,
    /// Keys and values of each block, `[sequences, keys, key width]`.
    blocks: Vec<[Tensor<3>; 2]>,
}

/// So many sequences, and the position at which each of them begins, or goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub sequences: usize,
    pub first: usize,
}

impl Cache {
    /// Whether nothing has been read.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// For each text the position of its next token, what φ puts in front included.
    pub fn positions(&self) -> Vec<usize> {
        let of = |group: &Group| std::iter::repeat_n(group.span.first, group.span.sequences);
        self.groups.iter().flat_map(of).collect()
    }

    /// Leaves out the texts that are not `kept`; one answer for each.
    pub fn keep(&mut self, kept: &[bool]) {
        let mut kept = kept.iter();
        self.groups.retain_mut(|group| {
            let of_group = kept.by_ref().take(group.span.sequences).enumerate();
            let rows: Vec<i32> = of_group.filter(|(_, kept)| **kept).map(|(row, _)| row as i32).collect();
            let n = rows.len();
            if n > 0 && n < group.span.sequences {
                for [keys, values] in &mut group.blocks {
                    let rows = Tensor::<1, Int>::from_data(TensorData::new(rows.clone(), [n]), &keys.device());
                    *keys = keys.clone().select(0, rows.clone());
                    *values = values.clone().select(0, rows);
                }
            }
            group.span.sequences = n;
            n > 0
        });
    }

    /// Makes room for texts that begin there.
    pub(super) fn begin(&mut self, span: Span) {
        self.groups = vec![Group { span, blocks: Vec::new() }];
    }

    pub(super) fn spans(&self) -> Vec<Span> {
        self.groups.iter().map(|group| group.span).collect()
    }

    /// Attention of a block's queries to all keys so far, their own included, which are kept. Those of a prefix stand
    /// in front of a text that begins. `rotation` tells how queries and keys are turned from a position on.
    pub(super) fn attend(
        &mut self,
        block: usize,
        [q, k, v]: [Tensor<3>; 3],
        heads: Heads,
        prefix: Option<&Prefixed>,
        rotation: impl Fn(usize) -> Option<Rotation>,
    ) -> Tensor<3> {
        let (mut from, all) = (0, q.dims()[0]);
        let attended = self.groups.iter_mut().map(|group| {
            let Span { sequences, first } = group.span;
            let of = |x: &Tensor<3>| {
                if sequences == all { x.clone() } else { x.clone().narrow(0, from, sequences) }
            };
            let turned = |x: Tensor<3>| match rotation(first) {
                Some(rotation) => rotate(x, rotation),
                None => x,
            };
            let (q, own) = (turned(of(&q)), [turned(of(&k)), of(&v)]);
            let [k, v] = match (group.blocks.get(block), prefix) {
                (Some([keys, values]), _) => {
                    let [k, v] = own;
                    [Tensor::cat(vec![keys.clone(), k], 1), Tensor::cat(vec![values.clone(), v], 1)]
                }
                (None, Some(prefix)) => prefix.in_front_of(own),
                (None, None) => own,
            };
            let kept = [k.clone(), v.clone()];
            match group.blocks.get_mut(block) {
                Some(before) => *before = kept,
                // Blocks come in their order.
                None => group.blocks.push(kept),
            }
            from += sequences;
            attention(q, k, v, heads)
        });
        let mut attended: Vec<Tensor<3>> = attended.collect();
        if attended.len() == 1 { attended.swap_remove(0) } else { Tensor::cat(attended, 0) }
    }

    /// So many positions have been read in all blocks, the last of them padding: for each text so many.
    pub(super) fn passed(&mut self, read: usize, padding: &[usize]) {
        let mut padding = padding.iter().copied();
        let groups = std::mem::take(&mut self.groups);
        for Group { span: Span { sequences, first }, blocks } in groups {
            let of_group: Vec<usize> = padding.by_ref().take(sequences).collect();
            let mut from = 0;
            for run in of_group.chunk_by(|a, b| a == b) {
                let (rows, cut) = (from..from + run.len(), run[0]);
                let part = |x: &Tensor<3>| {
                    let keys = x.dims()[1];
                    if cut == 0 && rows.len() == sequences {
                        x.clone()
                    } else {
                        x.clone().slice([rows.clone(), 0..keys - cut])
                    }
                };
                let blocks = blocks.iter().map(|[keys, values]| [part(keys), part(values)]).collect();
                self.groups.push(Group { span: Span { sequences: run.len(), first: first + read - cut }, blocks });
                from += run.len();
            }
        }
    }
}
