//! What tells one checkpoint from another: the digest of all bytes of its files.

use super::OwnBase;
use sha2::{Digest, Sha256};

/// A digest on its way, file after file, in the order of [`Checkpoint::files`](super::Checkpoint::files).
#[derive(Default)]
pub struct Identity(Sha256);

impl Identity {
    /// Begins a file. Name and size are part of the digest, so that no bytes can move from one file to the next.
    pub fn file(&mut self, name: &str, size: u64) {
        self.0.update((name.len() as u64).to_le_bytes());
        self.0.update(name);
        self.0.update(size.to_le_bytes());
    }

    /// Takes in the next bytes of the file.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest as ids hold it: the first 64 bits of SHA-256, in hexadecimal.
    pub fn digest(self) -> String {
        let digits = self.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        digits[..OwnBase::DIGITS].to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(files: &[(&str, &[u8])]) -> String {
        let mut identity = Identity::default();
        for (name, bytes) in files {
            identity.file(name, bytes.len() as u64);
            bytes.chunks(3).for_each(|part| identity.bytes(part));
        }
        identity.digest()
    }

    #[test]
    fn a_digest_tells_every_byte_and_where_it_stands() {
        let one = of(&[("a", b"1234567"), ("b", b"89")]);
        assert_eq!(one.len(), OwnBase::DIGITS);
        assert_eq!(one, of(&[("a", b"1234567"), ("b", b"89")]));
        for other in [
            of(&[("a", b"1234568"), ("b", b"89")]),
            of(&[("a", b"1234567"), ("b", b"88")]),
            of(&[("a", b"12345678"), ("b", b"9")]),
            of(&[("c", b"1234567"), ("b", b"89")]),
            of(&[("a", b"1234567")]),
        ] {
            assert_ne!(one, other);
        }
    }
}
