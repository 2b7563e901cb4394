//! A file that a visitor chose, dropped or is given.

use std::rc::Rc;

/// A file by its name.
#[derive(Clone, Debug, PartialEq)]
pub struct File {
    /// Its name without folders.
    pub name: String,
    /// Empty where the file is only [`at`](Self::at) an address.
    pub bytes: Rc<Vec<u8>>,
    /// Where it can be read, for one that is not held.
    pub at: Option<At>,
}

/// Where a file can be read from: weights are not held twice.
#[derive(Clone, Debug, PartialEq)]
pub struct At {
    /// The address, valid for as long as the page is open.
    pub address: String,
    /// Bytes.
    pub size: usize,
    /// The folder it was chosen with; empty for a file by itself.
    pub folder: String,
    /// As many of its first bytes as are looked at before it is read.
    pub head: Rc<Vec<u8>>,
}

impl File {
    /// A file that is held.
    pub fn new(name: impl Into<String>, bytes: Vec<u8>) -> File {
        File { name: name.into(), bytes: Rc::new(bytes), at: None }
    }

    /// Bytes, held or not.
    pub fn size(&self) -> usize {
        self.at.as_ref().map_or(self.bytes.len(), |at| at.size)
    }

    /// Its first bytes, or all.
    pub fn head(&self) -> &[u8] {
        self.at.as_ref().map_or(&self.bytes, |at| &at.head)
    }

    /// The folder it was chosen with.
    pub fn folder(&self) -> Option<&str> {
        self.at.as_ref().map(|at| at.folder.as_str()).filter(|folder| !folder.is_empty())
    }
}
