//! Gradients of every φ against finite differences, and its first losses against those on record.

use crate::shared;
use burn::tensor::Device;
use std::path::Path;

macro_rules! tests {
    ($($method:ident)*) => {
        $(mod $method {
            #[test]
            fn gradients_are_slopes_of_the_loss() {
                for method in crate::shared::named(stringify!($method)) {
                    pollster::block_on(crate::shared::check_gradients(&method, &super::Device::flex())).unwrap();
                }
            }
        })*

        #[test]
        fn every_method_is_tested() {
            shared::check_all_are_named(&[$(stringify!($method)),*]);
        }
    };
}
peft_lab::each_method!(tests);

/// The trainers in the browser are compared with the same record. Where a change of the start or the optimizer is meant, the record is
/// written anew from what this test leaves.
#[test]
fn losses_are_those_on_record() {
    let (mut apart, mut record) = (Vec::new(), String::from("[\n"));
    for method in shared::methods() {
        let found = pollster::block_on(shared::losses(&method, &Device::flex(), shared::STEPS));
        record += &format!("    {found:?},\n");
        apart.extend(pollster::block_on(shared::check_losses(&method, &Device::flex())).err());
    }
    if !apart.is_empty() {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("losses.in");
        std::fs::write(&path, record + "]\n").unwrap();
        panic!("{}\n{} holds what was found, for tests/shared/losses.in", apart.join("\n"), path.display());
    }
}
