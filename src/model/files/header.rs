//! What a safetensors file says of its tensors, before their numbers are read.

use super::{TensorFileError, foreign};
use crate::base::read_json;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The length of a header stands in front of it.
const LENGTH: usize = 8;
/// The longest header that the format allows.
const LONGEST: u64 = 100_000_000;

/// A tensor in a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// The type as safetensors calls it: `F32`, `BF16`, `I8`.
    pub dtype: String,
    /// Its dimensions.
    pub shape: Vec<usize>,
}

impl Described {
    /// Bytes of its numbers; `None` where the type's width is not known.
    pub fn bytes(&self) -> Option<u64> {
        let elements = self.shape.iter().map(|size| *size as u64).product::<u64>();
        Some(bits(&self.dtype)?.saturating_mul(elements) / 8)
    }
}

/// The header of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The file's name.
    pub file: String,
    /// Its tensors by name.
    pub tensors: BTreeMap<String, Described>,
}

impl Header {
    /// How many of a file's bytes its header takes, by the first eight; no more than the file has.
    pub fn bytes(first: &[u8], size: u64) -> u64 {
        let length = first.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        (LENGTH as u64 + length.min(LONGEST)).min(size)
    }

    /// Reads the header from the beginning of a file of `size` bytes. What the bytes are instead is told, and
    /// so is a file that ends too early.
    pub fn read(file: &str, head: &[u8], size: u64) -> Result<Header, TensorFileError> {
        if let Some(told) = foreign(file, head) {
            return Err(TensorFileError::Foreign(told));
        }
        let broken = |message: String| TensorFileError::Container { file: file.into(), message };
        let first = head.first_chunk().ok_or_else(|| broken(format!("it has {size} bytes")))?;
        let length = u64::from_le_bytes(*first);
        let body =
            usize::try_from(length).ok().filter(|_| length <= LONGEST).and_then(|n| head.get(LENGTH..LENGTH + n));
        let body = body.ok_or_else(|| broken("its header is longer than the file".into()))?;
        let body = std::str::from_utf8(body).map_err(|_| broken("its header is not text".into()))?;
        let keys: Map<String, Value> = read_json(body).map_err(|e| broken(format!("of its header, {e}")))?;
        let mut tensors = BTreeMap::new();
        let mut spans = Vec::with_capacity(keys.len());
        for (name, value) in keys.iter().filter(|(name, _)| *name != "__metadata__") {
            let (described, span) =
                described(value).ok_or_else(|| broken(format!("its header does not describe “{name}”")))?;
            spans.push((span, name));
            tensors.insert(name.clone(), described);
        }
        spans.sort_unstable();
        let mut end = 0;
        for ([from, to], name) in spans {
            if from != end {
                return Err(broken(format!("“{name}” does not begin where the tensor before it ends")));
            }
            end = to;
        }
        let whole = (LENGTH as u64 + length).saturating_add(end);
        if whole > size {
            let whole = usize::try_from(whole).unwrap_or(usize::MAX);
            return Err(TensorFileError::Short { file: file.into(), found: size as usize, described: whole });
        }
        if whole < size {
            return Err(broken(format!("it has {} bytes more than its header describes", size - whole)));
        }
        Ok(Header { file: file.into(), tensors })
    }
}

impl Header {
    /// Bytes of the tensors of some files by type, the most first; types of unknown width are left out.
    pub fn bytes_by_type(headers: &[Header]) -> Vec<(String, u64)> {
        let mut types: BTreeMap<&str, u64> = BTreeMap::new();
        for described in headers.iter().flat_map(|header| header.tensors.values()) {
            *types.entry(&described.dtype).or_default() += described.bytes().unwrap_or(0);
        }
        let mut types: Vec<(String, u64)> = types.into_iter().map(|(name, bytes)| (name.to_string(), bytes)).collect();
        types.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
        types
    }
}

#[cfg(test)]
impl Header {
    /// A file with tensors of these names, types and shapes, all of them zeros.
    pub fn written<'a>(tensors: impl Iterator<Item = (&'a str, &'a str, &'a [usize])> + Clone) -> Vec<u8> {
        let bytes = |(_, dtype, shape): (&str, &str, &[usize])| {
            shape.iter().product::<usize>() as u64 * bits(dtype).unwrap() / 8
        };
        let zeros = tensors.clone().map(bytes).sum::<u64>();
        let mut file = Header::beginning(tensors);
        file.extend(vec![0; zeros as usize]);
        file
    }

    /// Its beginning.
    pub fn beginning<'a>(tensors: impl Iterator<Item = (&'a str, &'a str, &'a [usize])>) -> Vec<u8> {
        let (mut keys, mut end) = (Map::new(), 0);
        for (name, dtype, shape) in tensors {
            let bytes = shape.iter().product::<usize>() as u64 * bits(dtype).unwrap() / 8;
            let described = serde_json::json!({"dtype": dtype, "shape": shape, "data_offsets": [end, end + bytes]});
            keys.insert(name.into(), described);
            end += bytes;
        }
        let keys = serde_json::to_string(&keys).unwrap();
        let mut file = (keys.len() as u64).to_le_bytes().to_vec();
        file.extend(keys.as_bytes());
        file
    }
}

/// A tensor, and where its numbers begin and end behind the header.
fn described(value: &Value) -> Option<(Described, [u64; 2])> {
    let dtype = value["dtype"].as_str()?.to_string();
    let sizes = value["shape"].as_array()?.iter().map(|size| usize::try_from(size.as_u64()?).ok());
    let shape: Vec<usize> = sizes.collect::<Option<_>>()?;
    let offsets: Option<Vec<u64>> = value["data_offsets"].as_array()?.iter().map(Value::as_u64).collect();
    let span: [u64; 2] = offsets?.try_into().ok()?;
    let bytes = span[1].checked_sub(span[0])?;
    let elements = shape.iter().try_fold(1_u64, |all, size| all.checked_mul(*size as u64))?;
    let fits = bits(&dtype).is_none_or(|bits| elements.checked_mul(bits).is_some_and(|all| all.div_ceil(8) == bytes));
    fits.then_some((Described { dtype, shape }, span))
}

/// Bits of a number; `None` for a type that is not known, whose length is left unchecked.
fn bits(dtype: &str) -> Option<u64> {
    match dtype {
        "F64" | "I64" | "U64" => Some(64),
        "F32" | "I32" | "U32" => Some(32),
        "F16" | "BF16" | "I16" | "U16" => Some(16),
        "I8" | "U8" | "BOOL" => Some(8),
        dtype if dtype.starts_with("F8") => Some(8),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file with this header and `bytes` of numbers.
    fn file(header: &str, bytes: usize) -> Vec<u8> {
        let mut file = (header.len() as u64).to_le_bytes().to_vec();
        file.extend(header.as_bytes());
        file.extend(vec![0; bytes]);
        file
    }

    fn read(bytes: &[u8]) -> Result<Header, String> {
        Header::read("w", bytes, bytes.len() as u64).map_err(|e| e.to_string())
    }

    const TWO: &str = r#"{"__metadata__":{"format":"pt"},"b":{"dtype":"F16","shape":[2,3],"data_offsets":[4,16]},"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}"#;

    #[test]
    fn a_header_tells_types_and_shapes() {
        let header = read(&file(TWO, 16)).unwrap();
        assert_eq!(header.tensors["b"], Described { dtype: "F16".into(), shape: vec![2, 3] });
        assert_eq!(header.tensors["a"].shape, [0_usize; 0]);
        // The numbers need not be there.
        let bytes = file(TWO, 16);
        let head = &bytes[..Header::bytes(&bytes[..8], bytes.len() as u64) as usize];
        assert_eq!(head.len(), bytes.len() - 16);
        assert_eq!(Header::read("w", head, bytes.len() as u64).unwrap(), header);
    }

    #[test]
    fn a_header_that_does_not_fit_its_file_is_told() {
        let one = |entry: &str| file(&format!("{{\"a\":{entry}}}"), 4);
        for (bytes, told) in [
            (vec![1, 2], "it has 2 bytes"),
            (u64::MAX.to_le_bytes().to_vec(), "its header is longer than the file"),
            (file("{", 0), "of its header, it ends in line 1"),
            (file("[]", 0), "of its header, it is a list, and an object is expected"),
            (file(TWO, 15), "w is cut short: it has"),
            (file(TWO, 17), "it has 1 bytes more"),
            (one(r#"{"dtype":"F32","shape":[1],"data_offsets":[1,5]}"#), "“a” does not begin where"),
            (one(r#"{"dtype":"F32","shape":[2],"data_offsets":[0,4]}"#), "does not describe “a”"),
            (one(r#"{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}"#), "does not describe “a”"),
            (one(r#"{"dtype":7,"shape":[1],"data_offsets":[0,4]}"#), "does not describe “a”"),
            (one(r#"{"dtype":"F32","shape":[1],"data_offsets":[4,0]}"#), "does not describe “a”"),
            (one(r#"{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}"#), "does not describe “a”"),
            (
                file(
                    r#"{"a":{"dtype":"I8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"I8","shape":[4],"data_offsets":[2,6]}}"#,
                    6,
                ),
                "“b” does not begin",
            ),
        ] {
            let fault = read(&bytes).unwrap_err();
            assert!(fault.contains(told), "{told}: {fault}");
        }
    }
}
