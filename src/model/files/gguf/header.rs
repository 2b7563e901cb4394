//! What a file says of itself in front of its numbers.

use super::cursor::{Cursor, Stop};
use super::kind::numbered;
use super::metadata::{self, Value, shown};
use crate::base::packing::Packing;
use crate::model::files::{TensorFileError, stand_in};
use std::collections::BTreeMap;

/// A tensor in a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GgufTensor {
    /// Its type, or what a type that is not read is called.
    pub kind: Result<Packing, String>,
    /// Its dimensions as PyTorch has them, rows first. The file lists them the other way round.
    pub shape: Vec<usize>,
    /// Where its numbers begin in the file.
    pub start: u64,
    /// Bytes of its numbers; 0 for a type that is not read.
    pub bytes: u64,
}

/// A GGUF file without its numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Gguf {
    /// The file's name.
    pub file: String,
    /// Keys and values.
    pub metadata: BTreeMap<String, Value>,
    /// Tensors by name.
    pub tensors: BTreeMap<String, GgufTensor>,
}

/// How many bytes are asked for first.
const FIRST: u64 = 1 << 20;
/// The longest header that is read: the largest vocabularies take some 20 MB.
const LONGEST: u64 = 64 << 20;
/// Where numbers begin at multiples of, unless the metadata say otherwise.
const ALIGNMENT: u64 = 32;

impl Gguf {
    /// The first bytes of every file of this format.
    pub const MAGIC: &[u8] = b"GGUF";

    /// Whether a file's name says that it is of this format.
    pub fn claims(name: &str) -> bool {
        name.to_ascii_lowercase().ends_with(".gguf")
    }

    /// How many of a file's bytes are to be looked at, where these are the first of them. A header does not say
    /// how long it is: the answer grows until it is all there.
    pub fn seen(head: &[u8], size: u64) -> u64 {
        let have = head.len() as u64;
        if have >= 8 && !head.starts_with(Gguf::MAGIC) {
            return size.min(256);
        }
        match described(head, size) {
            Ok((_, end)) => end,
            Err(Stop::Early) if have < LONGEST => size.min((2 * have).clamp(FIRST, LONGEST)),
            Err(_) => have,
        }
    }

    /// Reads the header from the beginning of a file of `size` bytes.
    ///
    /// # Errors
    /// A sentence: what the bytes are instead, where the header breaks off or contradicts itself, or that the file
    /// ends before its last tensor.
    pub fn read(file: &str, head: &[u8], size: u64) -> Result<Gguf, TensorFileError> {
        if let Some(told) = stand_in(file, head) {
            return Err(TensorFileError::Foreign(told));
        }
        let broken = |message: String| TensorFileError::Gguf { file: file.into(), message };
        let (header, end) = described(head, size).map_err(|stop| match stop {
            Stop::Early if head.len() as u64 >= size => {
                broken(format!("it ends inside its header, after {size} bytes"))
            }
            Stop::Early => broken(format!("its header is longer than {} MB", LONGEST >> 20)),
            Stop::Broken(message) => broken(message),
        })?;
        let (metadata, listed) = header;
        let alignment = match metadata.get("general.alignment") {
            None => ALIGNMENT,
            Some(value) => match value.size().filter(|n| n.is_power_of_two()) {
                Some(n) => n as u64,
                None => return Err(broken(format!("general.alignment is {}, and no power of two", value.shown()))),
            },
        };
        let data =
            end.checked_next_multiple_of(alignment).ok_or_else(|| broken("its alignment is too large".into()))?;
        let mut tensors = BTreeMap::new();
        let (mut spans, mut last) = (Vec::with_capacity(listed.len()), data);
        for Listed { name, kind, shape, offset } in listed {
            if !offset.is_multiple_of(alignment) {
                return Err(broken(format!(
                    "{} begins at {offset}, which is no multiple of {alignment}",
                    shown(&name)
                )));
            }
            let bytes = bytes_of(&name, &kind, &shape).map_err(broken)?;
            let span = data.checked_add(offset).and_then(|start| Some((start, start.checked_add(bytes)?)));
            let (start, end) = span.ok_or_else(|| broken(format!("{} begins past all files", shown(&name))))?;
            last = last.max(end);
            spans.push((start, end, name.clone()));
            let tensor = GgufTensor { kind, shape, start, bytes };
            if tensors.insert(name.clone(), tensor).is_some() {
                return Err(broken(format!("{} stands there twice", shown(&name))));
            }
        }
        if last > size {
            let whole = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
            return Err(TensorFileError::Short { file: file.into(), found: whole(size), described: whole(last) });
        }
        spans.sort_unstable();
        for pair in spans.windows(2) {
            if pair[1].0 < pair[0].1 {
                return Err(broken(format!("{} begins inside {}", shown(&pair[1].2), shown(&pair[0].2))));
            }
        }
        Ok(Gguf { file: file.into(), metadata, tensors })
    }

    /// A text of the metadata.
    pub fn text(&self, key: &str) -> Option<&str> {
        match self.metadata.get(key) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// Bytes of its tensors by type, the most first.
    pub fn bytes_by_type(&self) -> Vec<(String, u64)> {
        let mut types: BTreeMap<&str, u64> = BTreeMap::new();
        for tensor in self.tensors.values() {
            let name = tensor.kind.as_ref().map_or_else(String::as_str, |kind| kind.name());
            *types.entry(name).or_default() += tensor.bytes;
        }
        let mut types: Vec<(String, u64)> = types.into_iter().map(|(name, bytes)| (name.to_string(), bytes)).collect();
        types.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
        types
    }
}

/// A tensor as it is listed.
struct Listed {
    name: String,
    kind: Result<Packing, String>,
    shape: Vec<usize>,
    offset: u64,
}

/// Bytes of a tensor's numbers.
fn bytes_of(name: &str, kind: &Result<Packing, String>, shape: &[usize]) -> Result<u64, String> {
    let rows = shape.split_last().map_or(&[][..], |(_, rows)| rows);
    let many = |sizes: &[usize]| sizes.iter().try_fold(1_u64, |all, size| all.checked_mul(*size as u64));
    let (Some(rows), Some(_)) = (many(rows), many(shape)) else {
        return Err(format!("{} has more numbers than any file", shown(name)));
    };
    let Ok(kind) = kind else { return Ok(0) };
    let columns = shape.last().map_or(1, |columns| *columns as u64);
    kind.bytes(rows, columns).ok_or_else(|| {
        let (block, kind) = (kind.block().0, kind.name());
        format!("{} has rows of {columns} numbers, and {kind} packs {block} together", shown(name))
    })
}

type Described = (BTreeMap<String, Value>, Vec<Listed>);

/// What stands in front of the numbers, and where it ends.
fn described(head: &[u8], size: u64) -> Result<(Described, u64), Stop> {
    let mut cursor = Cursor::new(head, size);
    let broken = |message: &str| Err(Stop::Broken(message.into()));
    if cursor.bytes(4, "its first word")? != Gguf::MAGIC {
        return broken("it does not begin with “GGUF”");
    }
    match cursor.u32("its version")? {
        2 | 3 => {}
        1 => return broken("it is of version 1, which llama.cpp itself reads no more: convert the model again"),
        // A small number in a large one's place.
        turned if turned.swap_bytes() < 1 << 16 => {
            return broken("its numbers are big-endian: convert the model again, for a little-endian machine");
        }
        other => return broken(&format!("it is of version {other}, and versions 2 and 3 are known")),
    }
    let (tensors, keys) = (cursor.u64("its count of tensors")?, cursor.u64("its count of metadata")?);
    // A name's length, no dimensions, type and offset.
    cursor.room(tensors, 24, "the list of its tensors")?;
    let metadata = metadata::read(&mut cursor, keys)?;
    let mut listed = Vec::with_capacity(cursor.at_hand(tensors, 24));
    for _ in 0..tensors {
        let name = cursor.text("a tensor's name")?;
        let told = shown(name);
        let n = cursor.u32(&told)?;
        if n > 4 {
            return broken(&format!("{told} has {n} dimensions, and no more than 4 are known"));
        }
        let mut shape = Vec::new();
        for _ in 0..n {
            let size = usize::try_from(cursor.u64(&told)?).map_err(|_| Stop::Broken(format!("{told} is too large")))?;
            shape.insert(0, size);
        }
        let kind = numbered(cursor.u32(&told)?);
        listed.push(Listed { name: name.to_string(), kind, shape, offset: cursor.u64(&told)? });
    }
    Ok(((metadata, listed), cursor.at()))
}
