//! Byte-pair encoding: merges neighbours, the pair that training merged earliest first.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

/// Two neighbours → (rank, what they become). The lowest rank is merged first.
pub type Merges = HashMap<(u32, u32), (u32, u32)>;

/// Merges, with the ids of the single bytes that they start from.
#[derive(Clone, Debug)]
pub struct Bpe {
    /// By byte. Vocabularies lack those that their texts had not, and some that no text has.
    pub bytes: [Option<u32>; 256],
    /// What stands for a byte without a token; nothing does where it is `None`.
    pub unknown: Option<u32>,
    /// Whether one stands for several in a row.
    pub fuse: bool,
    /// Of characters that are tokens: merging starts from these, and from bytes where a character is none. Empty
    /// where it starts from bytes alone.
    pub characters: HashMap<char, u32>,
    /// By two neighbours.
    pub merges: Merges,
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
        let ids = self.start(piece);
        let n = ids.len();
        let link =
            |(i, id)| Link { id, previous: usize::checked_sub(i, 1), next: (i + 1 < n).then_some(i + 1), gone: false };
        let mut links: Vec<Link> = ids.into_iter().enumerate().map(link).collect();
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

    /// What merging starts from.
    fn start(&self, piece: &str) -> Vec<u32> {
        let mut ids = Vec::with_capacity(piece.len());
        let mut behind_unknown = false;
        let mut push = |id: Option<u32>| {
            if !(id.is_none() && behind_unknown && self.fuse) {
                ids.extend(id.or(self.unknown));
            }
            behind_unknown = id.is_none();
        };
        if self.characters.is_empty() {
            piece.bytes().for_each(|b| push(self.bytes[b as usize]));
            return ids;
        }
        for c in piece.chars() {
            match self.characters.get(&c) {
                Some(id) => push(Some(*id)),
                None => c.encode_utf8(&mut [0; 4]).bytes().for_each(|b| push(self.bytes[b as usize])),
            }
        }
        ids
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
        let bytes = std::array::from_fn(|b| Some(b as u32));
        Bpe { bytes, unknown: None, fuse: false, characters: HashMap::new(), merges: merges.into() }
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
    fn what_is_no_character_of_the_vocabulary_is_its_bytes() {
        let characters = [('a', 300), ('é', 301), ('▁', 302)].into();
        let merges = [((302, 300), (0, 303)), ((0xe6, 0x9d), (1, 304))].into();
        let bpe = Bpe { characters, merges, ..bpe() };
        let encode = |piece: &str| {
            let mut out = Vec::new();
            bpe.encode(piece, &mut out);
            out
        };
        assert_eq!(encode("▁aéb"), [303, 301, 98]);
        assert_eq!(encode("東a\n"), [304, 0xb1, 300, 10]);
    }

    #[test]
    fn a_byte_without_a_token_is_unknown_or_nothing() {
        let encode = |unknown, fuse| {
            let mut bytes = bpe().bytes;
            (bytes[4], bytes[6]) = (None, None);
            let mut out = Vec::new();
            Bpe { bytes, unknown, fuse, ..bpe() }.encode("a\u{4}\u{6}b\u{4}c", &mut out);
            out
        };
        assert_eq!(encode(Some(9), false), [97, 9, 9, 98, 9, 99]);
        assert_eq!(encode(Some(9), true), [97, 9, 98, 9, 99]);
        assert_eq!(encode(None, false), [257, 99]);
    }

    #[test]
    fn a_megabyte_without_a_blank_takes_no_time_to_speak_of() {
        assert_eq!(encode(&"a".repeat(1 << 20)).len(), 1 << 19);
    }
}
