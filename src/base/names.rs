//! Names and numbers as files, addresses and people write them.

/// A file's name without its ending: up to eight letters and digits behind the last dot, a letter first. What stands
/// there in `Llama-3.2-1B` is none.
pub fn stem(file: &str) -> &str {
    let ends = |ending: &str| {
        (1..=8).contains(&ending.len())
            && ending.starts_with(|c: char| c.is_ascii_alphabetic())
            && ending.chars().all(|c| c.is_ascii_alphanumeric())
    };
    file.rsplit_once('.').filter(|(_, ending)| ends(ending)).map_or(file, |(stem, _)| stem)
}

/// Letters, digits and hyphens of a name, so many at most; `pasted` for none.
pub fn slug(name: &str, most: usize) -> String {
    let words: Vec<String> = name
        .to_ascii_lowercase()
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(String::from)
        .collect();
    let joined: String = words.join("-").chars().take(most).collect();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ending_is_cut_and_a_version_is_not() {
        for (file, kept) in [
            ("SmolLM2-135M-Instruct.Q4_1.gguf", "SmolLM2-135M-Instruct.Q4_1"),
            ("SmolLM2-135M-Instruct.Q4_1", "SmolLM2-135M-Instruct.Q4_1"),
            ("Llama-3.2-1B", "Llama-3.2-1B"),
            ("Qwen2.5-0.5B", "Qwen2.5-0.5B"),
            ("reviews.2024.csv", "reviews.2024"),
            ("notes.txt", "notes"),
            ("archive.", "archive."),
        ] {
            assert_eq!(stem(file), kept, "{file}");
        }
        assert_eq!(slug(stem("SmolLM2-135M-Instruct.Q4_1.gguf"), 32), "smollm2-135m-instruct-q4-1");
        assert_eq!(slug("Qwen2.5-0.5B", 32), "qwen2-5-0-5b");
        assert_eq!(slug("a very long name of a file indeed", 11), "a-very-long");
        assert_eq!(slug("…", 24), "pasted");
    }
}
