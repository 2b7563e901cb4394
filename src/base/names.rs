//! Names and numbers as files, addresses and people write them.

/// Letters, digits and hyphens of a file's name without its ending, 24 at most; `pasted` for none.
pub fn slug(file: &str) -> String {
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let words: Vec<String> = stem
        .to_ascii_lowercase()
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(String::from)
        .collect();
    let joined: String = words.join("-").chars().take(24).collect();
    match joined.trim_end_matches('-') {
        "" => "pasted".into(),
        name => name.into(),
    }
}

/// Eight hexadecimal digits of FNV-1a: enough to tell a visitor's files apart.
pub fn fingerprint(bytes: &[u8]) -> String {
    let hash = bytes.iter().fold(0x811c_9dc5_u32, |h, b| (h ^ u32::from(*b)).wrapping_mul(0x0100_0193));
    format!("{hash:08x}")
}

/// A count with thousands separators: `205,568`.
pub fn grouped(n: impl std::fmt::Display) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}
