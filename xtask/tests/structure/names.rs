//! Where a method or a family of models is named outside its own folder.

use crate::scan::Scan;
use crate::tree::Tree;
use std::collections::BTreeSet;

/// Contract names that also mean something else: where, which, what else they mean.
const OTHER_MEANINGS: [(&str, &str, &str); 8] = [
    ("src/cli", "adapter", "`--adapter`: a folder that holds an adapter of PEFT"),
    ("src/cli", "layers", "the number of blocks in `bases --json`"),
    ("src/experiments/bench.rs", "layers", "the same knob, by its name"),
    ("src/model/families", "layers", "what a family calls its list of blocks"),
    ("src/model/files/gguf/tokenizer.rs", "gpt2", "what llama.cpp calls byte-level BPE"),
    ("src/model/files/gguf/tokenizer.rs", "llama", "what llama.cpp calls SentencePiece"),
    ("src/peft/blocks.rs", "layers", "the knob that says in which blocks φ stands"),
    ("src/peft/knob.rs", "layers", "that knob's description"),
];

/// A group of folders that keep what is theirs: the methods, or the families of models.
#[derive(Debug, Default)]
pub struct Kept {
    /// Each folder's path (`src/peft/lora`) and the name in the contract (`lora`), where it gives one.
    pub folders: Vec<(String, Option<String>)>,
    /// The file that lists them.
    pub registry: String,
    /// Enums whose variants are the list, and these variants.
    pub enums: BTreeSet<String>,
    pub variants: BTreeSet<String>,
    /// Words that must not be part of an identifier elsewhere: `is_gpt2`.
    pub words: Vec<String>,
}

impl Kept {
    pub fn labels(&self) -> Vec<&str> {
        self.folders.iter().map(|(path, name)| name.as_deref().unwrap_or(path)).collect()
    }

    fn owns(&self, path: &str) -> bool {
        self.folders.iter().any(|(folder, _)| {
            path.strip_prefix(folder.as_str()).is_some_and(|rest| rest.starts_with('/') || rest == ".rs")
        })
    }
}

/// The methods, from the registry's list.
pub fn methods(tree: &Tree) -> Option<Kept> {
    let registry = ["src/peft/registry.rs", "src/peft/mod.rs"]
        .into_iter()
        .find(|path| tree.file(path).is_some_and(|file| !tree.files[file].calls.is_empty()))?;
    let file = &tree.files[tree.file(registry)?];
    let mut kept = Kept { registry: registry.to_string(), ..Kept::default() };
    for words in &file.calls {
        for word in words {
            let folder = format!("src/peft/{word}");
            if word.starts_with(char::is_uppercase) {
                kept.variants.insert(word.clone());
            } else if [format!("{folder}.rs"), format!("{folder}/mod.rs")].iter().any(|p| tree.file(p).is_some()) {
                kept.folders.push((folder, None));
            }
        }
    }
    kept.folders.sort();
    kept.folders.dedup();
    let words: Vec<&str> = file.identifiers.iter().map(|(word, _)| word.as_str()).collect();
    kept.enums = words.windows(2).filter(|w| w[0] == "enum").map(|w| w[1].to_string()).collect();
    let named: Vec<Option<String>> = kept.folders.iter().map(|(folder, _)| contract_name(tree, folder)).collect();
    kept.folders.iter_mut().zip(named).for_each(|(folder, name)| folder.1 = name);
    (!kept.folders.is_empty()).then_some(kept)
}

/// The literal after `name:` in a folder's `MethodInfo { … }`.
fn contract_name(tree: &Tree, folder: &str) -> Option<String> {
    let inside = |path: &str| path == format!("{folder}.rs") || path.starts_with(&format!("{folder}/"));
    tree.files.iter().filter(|file| inside(&file.path)).find_map(|file| file.info_name.clone())
}

/// Families of models: what stands in `src/model/families`.
pub fn families(tree: &Tree) -> Option<Kept> {
    const FOLDER: &str = "src/model/families/";
    let inside = tree.files.iter().filter_map(|file| file.path.strip_prefix(FOLDER));
    let names: BTreeSet<&str> = inside
        .filter(|path| *path != "mod.rs")
        .map(|path| path.split('/').next().unwrap_or(path).trim_end_matches(".rs"))
        .collect();
    let folders = names.iter().map(|name| (format!("{FOLDER}{name}"), Some(name.to_string()))).collect();
    let words = names.iter().map(|name| name.to_string()).collect();
    let kept = Kept { folders, registry: format!("{FOLDER}mod.rs"), words, ..Kept::default() };
    (!kept.folders.is_empty()).then_some(kept)
}

/// Where a file outside names what belongs to one of the folders.
pub fn strangers(tree: &Tree, kept: &Kept) -> Vec<String> {
    let mut out = BTreeSet::new();
    for (at, file) in tree.files.iter().enumerate() {
        if kept.owns(&file.path) || file.path == kept.registry {
            continue;
        }
        let mut add = |line: usize, what: String| {
            out.insert((file.path.clone(), line, what));
        };
        for ((from, to), reasons) in tree.arrows.iter().chain(&tree.passed_on) {
            if *from == at && kept.owns(&tree.files[*to].path) {
                reasons.iter().for_each(|(name, line)| add(*line, format!("{name} of {}", tree.files[*to].path)));
            }
        }
        for (segments, line) in &file.mentions {
            for pair in segments.windows(2) {
                if kept.enums.contains(&pair[0]) && kept.variants.contains(&pair[1]) {
                    add(*line, pair.join("::"));
                }
            }
        }
        for (text, line) in &file.literals {
            let named = kept.folders.iter().any(|(_, name)| name.as_deref() == Some(text));
            if named && !OTHER_MEANINGS.iter().any(|(place, name, _)| file.path.starts_with(place) && name == text) {
                add(*line, format!("{text:?}"));
            }
        }
        for (word, line) in &file.identifiers {
            let parts = parts(word);
            if kept.words.iter().any(|word| parts.contains(word)) {
                add(*line, word.clone());
            }
        }
        let declared = file.declares.iter().filter(|(name, _)| {
            let beside = file.path.trim_end_matches("mod.rs").trim_end_matches(".rs").trim_end_matches('/');
            kept.folders.iter().any(|(folder, _)| *folder == format!("{beside}/{name}"))
        });
        declared.for_each(|(name, line)| add(*line, format!("mod {name}")));
    }
    out.into_iter().map(|(path, line, what)| format!("{path}:{line} {what}")).collect()
}

/// Words of an identifier in lower case: `is_gpt2` and `IsGpt2` are `is`, `gpt2`.
fn parts(identifier: &str) -> Vec<String> {
    let mut out = vec![String::new()];
    for c in identifier.chars() {
        let last = out.len() - 1;
        if c == '_' || c.is_uppercase() && out[last].ends_with(|c: char| c.is_lowercase() || c.is_numeric()) {
            out.push(String::new());
        }
        if c != '_' {
            let last = out.len() - 1;
            out[last].extend(c.to_lowercase());
        }
    }
    out
}

/// The literal after `name:` of a `MethodInfo { … }` among an item's tokens.
pub fn info_name(tokens: proc_macro2::TokenStream) -> Option<String> {
    use proc_macro2::TokenTree;
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    trees.iter().enumerate().find_map(|(i, tree)| {
        let TokenTree::Group(group) = tree else { return None };
        let info = i > 0 && matches!(&trees[i - 1], TokenTree::Ident(word) if word == "MethodInfo");
        if !info {
            return info_name(group.stream());
        }
        let inner: Vec<TokenTree> = group.stream().into_iter().collect();
        let name = inner.windows(3).find(|w| matches!(&w[0], TokenTree::Ident(word) if word == "name"))?;
        let literal = Scan::of(name[2].clone().into()).literals;
        literal.into_iter().map(|(text, _)| text).next()
    })
}
