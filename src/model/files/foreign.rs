//! Files that are not what their name or place says.

/// What stands in a file's place by its first bytes: a pointer of Git LFS, or a web page about it; a sentence with
/// the way on. Tables, texts and checkpoints are told the same.
pub fn stand_in(file: &str, head: &[u8]) -> Option<String> {
    if head.starts_with(b"version https://git-lfs") {
        return Some(format!(
            "{file} is a pointer of Git LFS, not the file itself: run `git lfs pull` in its folder, or download the file by itself"
        ));
    }
    is_page(head).then(|| format!("{file} is a web page, not the file itself: download it by its download link"))
}

/// Whether a file begins as HTML, behind what browsers and servers put in front: `<?xml …?>`, comments.
fn is_page(head: &[u8]) -> bool {
    let mut text = head.trim_ascii_start();
    for (opens, closes) in [(&b"<?xml"[..], &b"?>"[..]), (b"<!--", b"-->")] {
        if text.starts_with(opens) {
            let end = text.windows(closes.len()).position(|part| part == closes);
            text = end.map_or(text, |end| text[end + closes.len()..].trim_ascii_start());
        }
    }
    let begins = |tag: &[u8]| text.len() >= tag.len() && text[..tag.len()].eq_ignore_ascii_case(tag);
    begins(b"<!doctype html") || begins(b"<html")
}

/// What a file is by its first bytes, where it is nothing that is read here; a sentence with the way on.
pub fn foreign(file: &str, head: &[u8]) -> Option<String> {
    let begins = |start: &[u8]| head.starts_with(start);
    if let Some(told) = stand_in(file, head) {
        return Some(told);
    }
    if begins(b"GGUF") {
        return Some(gguf(file));
    }
    // torch.save writes a zip archive, older versions a bare pickle of protocol 2.
    if begins(b"PK\x03\x04") || begins(b"\x80\x02") {
        return Some(pickle(file));
    }
    begins(b"\x89HDF").then(|| format!("{file} is a file of TensorFlow: {SAVE_AGAIN}"))
}

/// What a Python pickle is told.
pub fn pickle(file: &str) -> String {
    format!("{file} is a Python pickle, which may run any code where it is opened: {SAVE_AGAIN}")
}

/// What a file of llama.cpp is told that stands in another's place.
fn gguf(file: &str) -> String {
    format!("{file} is a GGUF file of llama.cpp under another name: let its name end in .gguf, and bring it alone")
}

const SAVE_AGAIN: &str = "load the model in transformers and write it again with model.save_pretrained(folder), which gives model.safetensors";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_called_what_it_is() {
        for (head, said) in [
            (&b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 9\n"[..], "git lfs pull"),
            (b"\n<!DOCTYPE html><html>", "web page"),
            (b"<HTML>", "web page"),
            (b"<?xml version=\"1.0\"?>\n<!-- saved -->\n<!DOCTYPE html PUBLIC", "web page"),
            (b"<!-- saved from a page -->\n<html>", "web page"),
            (b"GGUF\x03\0\0\0", "GGUF"),
            (b"PK\x03\x04\0\0", "pickle"),
            (b"\x80\x02}q\0.", "pickle"),
            (b"\x89HDF\r\n", "TensorFlow"),
        ] {
            let told = foreign("model.safetensors", head).unwrap();
            assert!(told.starts_with("model.safetensors is a") && told.contains(said), "{told}");
        }
        for head in [&b""[..], b"{}", b"\x10\0\0\0\0\0\0\0{", b"<", b"version 2", b"<!-- <html> ", b"<!doctype book>"] {
            assert_eq!(foreign("x", head), None);
        }
    }
}
