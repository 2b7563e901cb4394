//! Byte-pair encoding: merges neighbours, the pair that training merged earliest first.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

/// Merges, with the ids of the single bytes that they start from.
#[derive(Clone, Debug)]
pub struct Bpe {
    /// By byte.
    pub bytes: [u32; 256],
    /// Two neighbours → (rank, what they become). The lowest rank is merged first.
    pub merges: HashMap<(u32, u32), (u32, u32)>,
}

/// One token of a piece while it is merged: a link in a list, so that a merge moves nothing.
struct Link {
    id: u32,
    previous: Option<usize>,
    next: Option<usize>,
    /// Swallowed by the link before it.
    gone: bool,
}

impl Bpe {
    /// Appends the ids of a piece. Of two pairs of one rank the left is merged first, as Hugging Face does
    /// it.
    pub fn encode(&self, piece: &str, out: &mut Vec<u32>) {
        let n = piece.len();
        let mut links: Vec<Link> = piece
            .bytes()
            .enumerate()
            .map(|(i, b)| Link {
                id: self.bytes[b as usize],
                previous: i.checked_sub(1),
                next: (i + 1 < n).then_some(i + 1),
                gone: false,
            })
            .collect();
        // A heap rather than a search at each merge: a visitor may paste a megabyte without a blank.
        let mut queue: BinaryHeap<Reverse<(u32, usize, u32)>> =
            (0..n).filter_map(|at| self.candidate(&links, at)).map(Reverse).collect();
        while let Some(Reverse((rank, at, becomes))) = queue.pop() {
            // A neighbour may have been merged since: then this pair is no longer there.
            if links[at].gone || self.candidate(&links, at) != Some((rank, at, becomes)) {
                continue;
            }
            let Some(right) = links[at].next else { continue };
            links[right].gone = true;
            let after = links[right].next;
            links[at].id = becomes;
            links[at].next = after;
            if let Some(after) = after {
                links[after].previous = Some(at);
            }
            queue.extend(links[at].previous.and_then(|before| self.candidate(&links, before)).map(Reverse));
            queue.extend(self.candidate(&links, at).map(Reverse));
        }
        out.extend(links.iter().filter(|link| !link.gone).map(|link| link.id));
    }

    /// The merge of the link at `at` with the next: (rank, at, what they become).
    fn candidate(&self, links: &[Link], at: usize) -> Option<(u32, usize, u32)> {
        let next = links[at].next?;
        let (rank, becomes) = self.merges.get(&(links[at].id, links[next].id))?;
        Some((*rank, at, *becomes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// a = 97, b = 98, …; `aa` = 256 (rank 1), `ab` = 257 (rank 0), `aaab` = 258 (rank 2).
    fn bpe() -> Bpe {
        let merges = [((97, 97), (1, 256)), ((97, 98), (0, 257)), ((256, 257), (2, 258))];
        Bpe { bytes: std::array::from_fn(|b| b as u32), merges: merges.into() }
    }

    fn encode(piece: &str) -> Vec<u32> {
        let mut out = Vec::new();
        bpe().encode(piece, &mut out);
        out
    }

    #[test]
    fn lower_ranks_come_first_then_the_left() {
        assert_eq!(encode("aab"), [97, 257]);
        assert_eq!(encode("aaaab"), [256, 97, 257]);
        assert_eq!(encode("aaab"), [258]);
        assert_eq!(encode("aaa"), [256, 97]);
        assert_eq!(encode("c"), [99]);
        assert_eq!(encode(""), [0_u32; 0]);
    }

    #[test]
    fn a_megabyte_without_a_blank_takes_no_time_to_speak_of() {
        assert_eq!(encode(&"a".repeat(1 << 20)).len(), 1 << 19);
    }
}
