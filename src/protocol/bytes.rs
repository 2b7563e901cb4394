//! Bytes of files, which travel beside the JSON of a message.

/// A message that may carry the bytes of a file. They are no part of its JSON: whoever writes a message as
/// text hands them on beside it, and whoever reads it puts them back.
pub trait Bytes {
    /// The bytes, under the name of their field; `None` where a message of this kind carries none.
    fn bytes(&self) -> Option<(&'static str, &Vec<u8>)>;

    /// The place that they are put back into.
    fn bytes_mut(&mut self) -> Option<&mut Vec<u8>>;
}
