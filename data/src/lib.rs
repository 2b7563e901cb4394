//! Nothing to compile: this package only names crates that carry text (see its Cargo.toml).
