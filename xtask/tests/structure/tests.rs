//! The parser on small trees.

use crate::tree::{Texts, Tree};
use crate::{arrows_up, circles, foreign, names};

fn tree(files: &[(&str, &str)]) -> Tree {
    Tree::of(&files.iter().map(|(path, text)| (path.to_string(), text.to_string())).collect::<Texts>())
}

/// `from -> to (names)`, without `src/` and `.rs`.
fn arrows(files: &[(&str, &str)]) -> Vec<String> {
    let tree = tree(files);
    let short = |file: usize| tree.files[file].path.trim_start_matches("src/").trim_end_matches(".rs").to_string();
    let lines = tree.arrows.iter().map(|((from, to), names)| {
        let names: Vec<&str> = names.keys().map(String::as_str).collect();
        format!("{} -> {} ({})", short(*from), short(*to), names.join(", "))
    });
    lines.collect()
}

const LIB: (&str, &str) = ("src/lib.rs", "mod base; mod model; mod peft; mod ui; mod worker;");

#[test]
fn use_trees_lead_to_the_files_they_name() {
    let found = arrows(&[
        LIB,
        ("src/base.rs", "pub struct Fault; pub struct Failure; pub fn stream() {}"),
        ("src/model.rs", "use crate::base::{Fault as Broken, self, stream}; fn f() { base::Failure; }"),
    ]);
    assert_eq!(found, ["model -> base (Failure, Fault, stream)"]);
}

#[test]
fn a_re_export_is_followed_to_the_file_that_defines_it() {
    let files = [
        LIB,
        ("src/model/mod.rs", "mod config; mod theta; pub use config::ModelConfig; pub use theta::*;"),
        ("src/model/config.rs", "pub struct ModelConfig;"),
        ("src/model/theta.rs", "pub struct Model;"),
        ("src/peft.rs", "use crate::model::{Model, ModelConfig};"),
    ];
    assert_eq!(arrows(&files), ["peft -> model/config (ModelConfig)", "peft -> model/theta (Model)"]);
}

#[test]
fn what_a_facade_passes_on_and_uses_itself_is_an_arrow() {
    let found = arrows(&[
        LIB,
        ("src/model/mod.rs", "mod config; pub use config::ModelConfig; pub fn f(c: &ModelConfig) {}"),
        ("src/model/config.rs", "pub struct ModelConfig;"),
    ]);
    assert_eq!(found, ["model/mod -> model/config (ModelConfig)"]);
}

#[test]
fn paths_in_code_are_found() {
    let found = arrows(&[
        LIB,
        ("src/base.rs", "pub fn clock() {} pub struct Fault;"),
        ("src/model/mod.rs", "mod theta; fn own() {}"),
        (
            "src/model/theta.rs",
            "fn f() -> Vec<crate::base::Fault> { super::own(); self::g(); crate::base::clock() } fn g() {}",
        ),
    ]);
    assert_eq!(found, ["model/theta -> base (Fault, clock)", "model/theta -> model/mod (own)"]);
}

#[test]
fn paths_in_macros_are_found() {
    let found = arrows(&[
        LIB,
        ("src/base.rs", "pub fn clock() {} pub fn memory() {} pub struct Fault;"),
        ("src/model.rs", "fn f() { println!(\"{}\", crate::base::clock()); }"),
        (
            "src/peft.rs",
            "macro_rules! m { ($x:ident) => { use $crate::base::{Fault}; $x::y(); $crate::base::memory() } }",
        ),
    ]);
    assert_eq!(found, ["model -> base (clock)", "peft -> base (Fault, memory)"]);
}

#[test]
fn a_list_of_modules_that_a_macro_reads_is_an_arrow_to_each() {
    let found = arrows(&[
        LIB,
        ("src/peft/mod.rs", "mod lora; mod registry;"),
        ("src/peft/registry.rs", "macro_rules! methods { () => {} } methods! { Lora in lora }"),
        ("src/peft/lora/mod.rs", "pub struct Lora;"),
    ]);
    assert_eq!(found, ["peft/registry -> peft/lora/mod (lora)"]);
}

#[test]
fn globs_lead_where_the_names_stand() {
    let found = arrows(&[
        LIB,
        ("src/model/mod.rs", "mod config; pub use config::ModelConfig; pub fn here() {} mod unused { pub fn no() {} }"),
        ("src/model/config.rs", "pub struct ModelConfig;"),
        ("src/peft.rs", "use crate::model::*; mod inner { use super::*; fn f(c: ModelConfig) { ModelConfig::new() } }"),
    ]);
    assert_eq!(found, ["peft -> model/config (ModelConfig)"]);
}

#[test]
fn tests_may_import_anything() {
    let found = arrows(&[
        LIB,
        ("src/base.rs", "#[cfg(all(test, not(x)))] mod tests { use crate::ui::Page; } #[cfg(test)] mod other;"),
        ("src/base/other.rs", "use crate::ui::Page;"),
        ("src/model/tests.rs", "use crate::ui::Page;"),
        ("src/ui.rs", "pub struct Page;"),
    ]);
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn a_binary_knows_the_library_by_its_name() {
    let found =
        arrows(&[LIB, ("src/ui.rs", "pub fn start() {}"), ("src/bin/app.rs", "fn main() { peft_lab::ui::start() }")]);
    assert_eq!(found, ["bin/app -> ui (start)"]);
}

#[test]
fn an_arrow_up_and_an_arrow_between_shells_are_found() {
    let found = arrows_up(&tree(&[
        LIB,
        ("src/base.rs", "use crate::model::Model;"),
        ("src/model.rs", "pub struct Model;"),
        ("src/ui.rs", "use crate::model::Model; use crate::worker::Worker;"),
        ("src/worker.rs", "pub struct Worker;"),
    ]));
    assert_eq!(found, ["src/base.rs -> src/model.rs (Model)", "src/ui.rs -> src/worker.rs (Worker)"]);
}

#[test]
fn a_circle_is_found_with_the_names_that_tie_it() {
    let found = circles(&tree(&[
        LIB,
        ("src/model/mod.rs", "mod a; mod b; mod c;"),
        ("src/model/a.rs", "use super::b::B; pub struct A;"),
        ("src/model/b.rs", "use super::c::C; pub struct B;"),
        ("src/model/c.rs", "use super::a::A; pub struct C;"),
    ]));
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("src/model/a.rs, src/model/b.rs, src/model/c.rs"), "{}", found[0]);
    assert!(found[0].contains("src/model/c.rs -> src/model/a.rs (A)"), "{}", found[0]);
}

#[test]
fn foreign_crates_are_found() {
    let found =
        foreign(&tree(&[LIB, ("src/ui/mod.rs", "\nfn f(x: burn::Tensor) {}"), ("src/peft.rs", "use gloo::x;")]));
    assert_eq!(found, ["src/ui/mod.rs:2 burn"]);
}

#[test]
fn a_method_named_elsewhere_is_found() {
    let tree = tree(&[
        LIB,
        ("src/peft/mod.rs", "mod registry; pub use registry::MethodConfig;"),
        (
            "src/peft/registry.rs",
            "macro_rules! methods { () => { pub enum MethodConfig { A } mod lora; } } methods! { Lora in lora }",
        ),
        (
            "src/peft/lora/mod.rs",
            "pub struct Lora; static INFO: MethodInfo = MethodInfo { name: \"lora\", title: \"LoRA\" };",
        ),
        ("src/peft/lora/phi.rs", "use super::Lora; fn f() { \"lora\" }"),
        (
            "src/ui.rs",
            "use crate::peft::lora::Lora;\nfn f(m: MethodConfig) {\n m == crate::peft::MethodConfig::Lora(x);\n \"lora\";\n }",
        ),
    ]);
    let methods = names::methods(&tree).expect("a registry");
    assert_eq!(methods.labels(), ["lora"]);
    let found = names::strangers(&tree, &methods);
    assert_eq!(
        found,
        ["src/ui.rs:1 Lora of src/peft/lora/mod.rs", "src/ui.rs:3 MethodConfig::Lora", "src/ui.rs:4 \"lora\""]
    );
}

#[test]
fn a_family_named_elsewhere_is_found() {
    let tree = tree(&[
        LIB,
        ("src/model/mod.rs", "mod families; mod config;"),
        ("src/model/families/mod.rs", "mod gpt2; use gpt2::Gpt2;"),
        ("src/model/families/gpt2.rs", "pub struct Gpt2;"),
        ("src/model/config.rs", "fn is_gpt2() { \"gpt2\" } fn option() {}"),
    ]);
    let found = names::strangers(&tree, &names::families(&tree).expect("families"));
    assert_eq!(found, ["src/model/config.rs:1 \"gpt2\"", "src/model/config.rs:1 is_gpt2"]);
}

#[test]
fn a_file_that_nobody_declares_is_found() {
    let tree = tree(&[("src/lib.rs", "mod base;"), ("src/base.rs", ""), ("src/left.rs", "")]);
    assert_eq!(tree.faults, ["src/left.rs: no `mod left;` declares it"]);
}
