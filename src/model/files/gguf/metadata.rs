//! The keys and values in front of a file's tensors.

use super::cursor::{Cursor, Stop};
use std::collections::BTreeMap;

/// A value. Lists of which nothing is read are left as their length.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// An integer of any width.
    Integer(i128),
    /// A number of either precision.
    Float(f64),
    /// A flag.
    Flag(bool),
    /// A text.
    Text(String),
    /// Several of one type.
    List(List),
}

/// The values of a list.
#[derive(Clone, Debug, PartialEq)]
pub enum List {
    /// Texts.
    Texts(Vec<String>),
    /// Integers of 32 bits.
    Integers(Vec<i64>),
    /// So many of another type.
    Others(u64),
}

impl Value {
    /// As a sentence shows it.
    pub fn shown(&self) -> String {
        match self {
            Value::Integer(n) => n.to_string(),
            Value::Float(x) => x.to_string(),
            Value::Flag(flag) => flag.to_string(),
            Value::Text(text) => text.clone(),
            Value::List(List::Texts(texts)) => format!("a list of {} texts", texts.len()),
            Value::List(List::Integers(all)) => format!("a list of {} numbers", all.len()),
            Value::List(List::Others(n)) => format!("a list of {n}"),
        }
    }

    /// A size.
    pub fn size(&self) -> Option<usize> {
        match self {
            Value::Integer(n) => usize::try_from(*n).ok(),
            _ => None,
        }
    }
}

/// The types of values, by their numbers in the file.
const TEXT: u32 = 8;
const LIST: u32 = 9;
/// Lists in lists: nothing that is read has more than one.
const DEEPEST: usize = 4;

/// Reads so many keys with their values.
pub(super) fn read(cursor: &mut Cursor<'_>, count: u64) -> Result<BTreeMap<String, Value>, Stop> {
    // A key's length, its value's type and a byte.
    cursor.room(count, 13, "the list of its metadata")?;
    let mut metadata = BTreeMap::new();
    for _ in 0..count {
        let key = cursor.text("a key of its metadata")?;
        let kind = cursor.u32(key)?;
        let value = value(cursor, kind, key)?;
        if metadata.insert(key.to_string(), value).is_some() {
            return Err(Stop::Broken(format!("{} stands there twice", shown(key))));
        }
    }
    Ok(metadata)
}

fn value(cursor: &mut Cursor<'_>, kind: u32, key: &str) -> Result<Value, Stop> {
    let key = shown(key);
    let key = key.as_str();
    Ok(match kind {
        0 => Value::Integer(u8::from_le_bytes(cursor.array(key)?).into()),
        1 => Value::Integer(i8::from_le_bytes(cursor.array(key)?).into()),
        2 => Value::Integer(u16::from_le_bytes(cursor.array(key)?).into()),
        3 => Value::Integer(i16::from_le_bytes(cursor.array(key)?).into()),
        4 => Value::Integer(cursor.u32(key)?.into()),
        5 => Value::Integer(i32::from_le_bytes(cursor.array(key)?).into()),
        6 => Value::Float(f32::from_le_bytes(cursor.array(key)?).into()),
        7 => match cursor.array(key)? {
            [0] => Value::Flag(false),
            [1] => Value::Flag(true),
            [other] => return Err(Stop::Broken(format!("{key} is {other}, and true or false is expected"))),
        },
        TEXT => Value::Text(cursor.text(key)?.to_string()),
        LIST => Value::List(list(cursor, key, 0)?),
        10 => Value::Integer(cursor.u64(key)?.into()),
        11 => Value::Integer(i64::from_le_bytes(cursor.array(key)?).into()),
        12 => Value::Float(f64::from_le_bytes(cursor.array(key)?)),
        other => return Err(Stop::Broken(format!("{key} is of type {other}, which is not known"))),
    })
}

fn list(cursor: &mut Cursor<'_>, key: &str, depth: usize) -> Result<List, Stop> {
    let (kind, count) = (cursor.u32(key)?, cursor.u64(key)?);
    let width = match kind {
        0 | 1 | 7 => 1,
        2 | 3 => 2,
        4..=6 => 4,
        10..=12 => 8,
        TEXT => 8,
        LIST if depth < DEEPEST => 12,
        other => return Err(Stop::Broken(format!("{key} holds type {other}, which is not known"))),
    };
    cursor.room(count, width, key)?;
    match kind {
        TEXT => {
            let mut texts = Vec::with_capacity(cursor.at_hand(count, 8));
            for _ in 0..count {
                texts.push(cursor.text(key)?.to_string());
            }
            Ok(List::Texts(texts))
        }
        LIST => {
            for _ in 0..count {
                list(cursor, key, depth + 1)?;
            }
            Ok(List::Others(count))
        }
        4 | 5 => {
            let (numbers, _) = cursor.bytes(count * width, key)?.as_chunks::<4>();
            let signed =
                |b: &[u8; 4]| if kind == 4 { u32::from_le_bytes(*b).into() } else { i32::from_le_bytes(*b).into() };
            Ok(List::Integers(numbers.iter().map(signed).collect()))
        }
        _ => cursor.bytes(count * width, key).map(|_| List::Others(count)),
    }
}

/// A name of the file's in a sentence.
pub(super) fn shown(name: &str) -> String {
    format!("“{}”", crate::base::shorten(name))
}
