//! Reading of bytes in order, never past their end.

/// Why nothing more can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The bytes at hand end here; the file goes on.
    Early,
    /// What is wrong.
    Broken(String),
}

/// A place among the first bytes of a file of `size` bytes.
pub(super) struct Cursor<'a> {
    head: &'a [u8],
    at: usize,
    size: u64,
}

impl<'a> Cursor<'a> {
    pub fn new(head: &'a [u8], size: u64) -> Cursor<'a> {
        Cursor { head, at: 0, size }
    }

    /// Bytes that were read.
    pub fn at(&self) -> u64 {
        self.at as u64
    }

    /// The next `n` bytes. What is longer than the file is broken, whatever is at hand of it.
    pub fn bytes(&mut self, n: u64, what: &str) -> Result<&'a [u8], Stop> {
        self.room(n, 1, what)?;
        let end = self.at + usize::try_from(n).map_err(|_| Stop::Early)?;
        let bytes = self.head.get(self.at..end).ok_or(Stop::Early)?;
        self.at = end;
        Ok(bytes)
    }

    /// Refuses a count of things that the rest of the file has no room for, each of so many bytes at least.
    pub fn room(&self, count: u64, least: u64, what: &str) -> Result<(), Stop> {
        match count.checked_mul(least).is_some_and(|n| n <= self.size.saturating_sub(self.at as u64)) {
            true => Ok(()),
            false => Err(Stop::Broken(format!("{what} would go on past its end"))),
        }
    }

    /// How many things of so many bytes at least the bytes at hand can hold: what is set aside for a count.
    pub fn at_hand(&self, count: u64, least: usize) -> usize {
        usize::try_from(count).unwrap_or(usize::MAX).min((self.head.len() - self.at) / least)
    }

    pub fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N], Stop> {
        let bytes = self.bytes(N as u64, what)?;
        bytes.try_into().map_err(|_| Stop::Early)
    }

    pub fn u32(&mut self, what: &str) -> Result<u32, Stop> {
        self.array(what).map(u32::from_le_bytes)
    }

    pub fn u64(&mut self, what: &str) -> Result<u64, Stop> {
        self.array(what).map(u64::from_le_bytes)
    }

    /// A text behind its length.
    pub fn text(&mut self, what: &str) -> Result<&'a str, Stop> {
        let length = self.u64(what)?;
        let bytes = self.bytes(length, what)?;
        std::str::from_utf8(bytes).map_err(|_| Stop::Broken(format!("{what} is not text")))
    }
}
