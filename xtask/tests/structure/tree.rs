//! The crate's modules, what each name in them means, and the arrows from file to file.

use crate::names;
use crate::scan::{self, Import, Mention, Scan};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::Path;
use syn::Item;

/// The library's name in binaries.
const CRATE: &str = "peft_lab";

/// Texts of files by path from the repository's root.
pub type Texts = BTreeMap<String, String>;

/// Every `.rs` file below some folders of the repository.
pub fn read(root: &Path, folders: &[&str]) -> Texts {
    let entries = folders.iter().flat_map(|folder| walkdir::WalkDir::new(root.join(folder)).into_iter().flatten());
    let files = entries.filter(|entry| entry.path().extension().is_some_and(|e| e == "rs"));
    let texts = files.filter_map(|entry| {
        let path = entry.path().strip_prefix(root).ok()?.to_string_lossy().replace('\\', "/");
        Some((path, std::fs::read_to_string(entry.path()).ok()?))
    });
    texts.collect()
}

/// What a file says outside its tests.
#[derive(Debug, Default)]
pub struct File {
    pub path: String,
    pub literals: Vec<(String, usize)>,
    pub identifiers: Vec<(String, usize)>,
    /// Paths as they are written, with their lines.
    pub mentions: Vec<(Vec<String>, usize)>,
    /// Modules that it declares.
    pub declares: Vec<(String, usize)>,
    /// Calls of macros between its items: where a list of methods stands.
    pub calls: Vec<Vec<String>>,
    /// The contract name of a method, where its `MethodInfo` stands here.
    pub info_name: Option<String>,
}

#[derive(Debug, Default)]
struct Module {
    parent: Option<usize>,
    file: Option<usize>,
    name: String,
    children: HashMap<String, usize>,
    items: HashMap<String, usize>,
    imports: HashMap<String, Import>,
    globs: Vec<Vec<String>>,
    scans: Vec<Scan>,
}

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Target {
    Item(usize),
    Module(usize),
    /// Another crate.
    Outside,
}

/// Names that are being looked up, and where: imports can go in circles.
type Seen = HashSet<(usize, String)>;

/// Why one file needs another: the names and the lines where they stand.
pub type Reasons = BTreeMap<String, usize>;

#[derive(Debug, Default)]
pub struct Tree {
    pub files: Vec<File>,
    /// From file to file, both as indices into [`Tree::files`].
    pub arrows: BTreeMap<(usize, usize), Reasons>,
    /// Re-exports of what stands below a module: no arrows, but they name what they pass on.
    pub passed_on: BTreeMap<(usize, usize), Reasons>,
    /// Files that cannot be read as Rust, and files that no `mod` declares.
    pub faults: Vec<String>,
    modules: Vec<Module>,
}

impl Tree {
    /// Reads a crate whose files stand under `src/`.
    pub fn of(texts: &Texts) -> Tree {
        let mut tree = Tree::default();
        let mut parsed = BTreeMap::new();
        for (path, text) in texts.iter().filter(|(path, _)| path.starts_with("src/")) {
            match syn::parse_file(text) {
                Ok(file) => {
                    parsed.insert(path.clone(), file);
                }
                Err(error) => tree.faults.push(format!("{path}:{}: {error}", error.span().start().line)),
            }
        }
        let hidden = tests_only(&parsed);
        let library = tree.module(None, "crate");
        for (path, parsed) in &parsed {
            let (binary, names) = place(path);
            if is_test_path(path) || hidden.iter().any(|h| binary.is_none() && names.starts_with(h)) {
                continue;
            }
            let file = tree.files.len();
            tree.files.push(File { path: path.clone(), ..File::default() });
            let root = if binary.is_some() { tree.module(None, "crate") } else { library };
            let module = names.iter().fold(root, |at, name| tree.child(at, name));
            tree.modules[module].file = Some(file);
            tree.items(module, file, &parsed.items);
        }
        tree.find_arrows();
        tree.find_orphans();
        tree
    }

    pub fn file(&self, path: &str) -> Option<usize> {
        self.files.iter().position(|file| file.path == path)
    }

    fn module(&mut self, parent: Option<usize>, name: &str) -> usize {
        self.modules.push(Module { parent, name: name.to_string(), ..Module::default() });
        self.modules.len() - 1
    }

    fn child(&mut self, parent: usize, name: &str) -> usize {
        if let Some(child) = self.modules[parent].children.get(name) {
            return *child;
        }
        let child = self.module(Some(parent), name);
        self.modules[parent].children.insert(name.to_string(), child);
        child
    }

    fn items(&mut self, module: usize, file: usize, items: &[Item]) {
        for item in items.iter().filter(|item| !scan::is_test(scan::attributes(item))) {
            if let Some(name) = scan::name(item) {
                self.modules[module].items.insert(name, file);
            }
            let found = match item {
                Item::Mod(inner) => {
                    let name = inner.ident.to_string();
                    match &inner.content {
                        Some((_, items)) => {
                            let child = self.child(module, &name);
                            self.modules[child].file = Some(file);
                            self.items(child, file, items);
                        }
                        None => self.files[file].declares.push((name, inner.ident.span().start().line)),
                    }
                    continue;
                }
                Item::Use(inner) => Scan { imports: scan::imports(inner), ..Scan::default() },
                other => Scan::of(scan::tokens(other)),
            };
            if let Item::Macro(call) = item
                && call.ident.is_none()
                && !call.mac.path.is_ident("thread_local")
            {
                let words = Scan::of(call.mac.tokens.clone()).identifiers;
                self.files[file].calls.push(words.into_iter().map(|(word, _)| word).collect());
            }
            for import in &found.imports {
                match &import.name {
                    Some(name) => {
                        self.modules[module].imports.entry(name.clone()).or_insert_with(|| import.clone());
                    }
                    None if import.glob => self.modules[module].globs.push(import.segments.clone()),
                    None => {}
                }
            }
            let data = &mut self.files[file];
            if data.info_name.is_none() && !matches!(item, Item::Use(_)) {
                data.info_name = names::info_name(scan::tokens(item));
            }
            data.literals.extend(found.literals.iter().cloned());
            data.identifiers.extend(found.identifiers.iter().cloned());
            data.mentions.extend(found.mentions.iter().map(|m| (m.segments.clone(), m.line)));
            data.mentions.extend(found.imports.iter().map(|i| (i.segments.clone(), i.line)));
            data.identifiers.extend(found.imports.iter().flat_map(|i| i.segments.iter().map(|s| (s.clone(), i.line))));
            self.modules[module].scans.push(found);
        }
    }

    /// What a path means in a module; `None` for a name that the module does not know, such as another crate's.
    /// With it the segment that led there: `Kind` of `crate::peft::Kind::ALL`.
    fn resolve<'a>(&self, module: usize, segments: &'a [String]) -> Option<(Target, &'a str)> {
        let (target, left) = self.follow(module, segments, &mut HashSet::new())?;
        Some((target, segments[..segments.len() - left].last().map_or("", String::as_str)))
    }

    /// What a path means, and how many of its segments stand after what was found.
    fn follow(&self, module: usize, segments: &[String], seen: &mut Seen) -> Option<(Target, usize)> {
        let (head, rest) = segments.split_first()?;
        let (mut at, mut left) = match head.as_str() {
            "crate" => (self.root(module), rest),
            "self" => (module, rest),
            "super" => (self.modules[module].parent?, rest),
            "Self" => return None,
            head if head == CRATE => (0, rest),
            head => match self.lookup(module, head, rest.is_empty(), seen)? {
                Target::Module(next) => (next, rest),
                other => return Some((other, rest.len())),
            },
        };
        while let Some((name, rest)) = left.split_first() {
            if name == "super" {
                at = self.modules[at].parent?;
                left = rest;
                continue;
            }
            match self.lookup(at, name, rest.is_empty(), seen) {
                Some(Target::Module(next)) => (at, left) = (next, rest),
                Some(other) => return Some((other, rest.len())),
                // A macro defines it there.
                None => return self.modules[at].file.map(|file| (Target::Item(file), rest.len())),
            }
        }
        Some((Target::Module(at), 0))
    }

    fn root(&self, mut module: usize) -> usize {
        while let Some(parent) = self.modules[module].parent {
            module = parent;
        }
        module
    }

    /// A name in a module: its item, what it imports, a module in it, what its globs bring.
    fn lookup(&self, module: usize, name: &str, last: bool, seen: &mut Seen) -> Option<Target> {
        let here = &self.modules[module];
        let child = here.children.get(name).map(|child| Target::Module(*child));
        // `mod app; pub use app::app;`: within a path the module, at its end what is imported.
        if let (false, Some(child)) = (last, child) {
            return Some(child);
        }
        if let Some(file) = here.items.get(name) {
            return Some(Target::Item(*file));
        }
        let first = seen.insert((module, name.to_string()));
        if let (true, Some(import)) = (first, here.imports.get(name)) {
            return Some(self.follow(module, &import.segments, seen).map_or(Target::Outside, |found| found.0));
        }
        if child.is_some() || !first {
            return child;
        }
        here.globs.iter().find_map(|glob| match self.follow(module, glob, seen)?.0 {
            Target::Module(other) if other != module => {
                self.lookup(other, name, last, seen).filter(|target| *target != Target::Outside)
            }
            _ => None,
        })
    }

    fn find_arrows(&mut self) {
        let (mut arrows, mut passed_on) = (BTreeMap::new(), BTreeMap::new());
        let add = |map: &mut BTreeMap<(usize, usize), Reasons>, from: usize, to: usize, name: &str, line: usize| {
            if from != to {
                map.entry((from, to)).or_default().entry(name.to_string()).or_insert(line);
            }
        };
        for (id, module) in self.modules.iter().enumerate() {
            let Some(file) = module.file else { continue };
            let mentions: Vec<&Mention> = module.scans.iter().flat_map(|scan| &scan.mentions).collect();
            // Heads of longer paths: whoever imports a module means what stands in it.
            let heads: HashSet<&str> =
                mentions.iter().filter(|m| m.segments.len() > 1).map(|m| m.segments[0].as_str()).collect();
            for mention in &mentions {
                if let Some((Target::Item(to), name)) = self.resolve(id, &mention.segments) {
                    add(&mut arrows, file, to, name, mention.line);
                }
            }
            for import in module.scans.iter().flat_map(|scan| &scan.imports) {
                let Some((target, name)) = self.resolve(id, &import.segments) else { continue };
                match target {
                    Target::Item(to) => {
                        let facade = import.exported && self.is_below(to, id);
                        add(if facade { &mut passed_on } else { &mut arrows }, file, to, name, import.line);
                    }
                    // The names that come in by a glob are found where they are used.
                    Target::Module(_) if import.glob || import.exported => {}
                    Target::Module(to) if !heads.contains(import.name.as_deref().unwrap_or("")) => {
                        if let Some(to) = self.modules[to].file {
                            add(&mut arrows, file, to, name, import.line);
                        }
                    }
                    _ => {}
                }
            }
        }
        // A list of modules that a macro of the same file reads: `methods! { Lora in lora }`.
        for (id, module) in self.modules.iter().enumerate() {
            let Some(file) = module.file else { continue };
            for word in self.files[file].calls.iter().flatten() {
                let near = [Some(id), module.parent].into_iter().flatten();
                let named = near.filter_map(|near| self.modules[near].children.get(word)).next();
                if let Some(to) = named.and_then(|named| self.modules[*named].file) {
                    add(&mut arrows, file, to, word, 0);
                }
            }
        }
        (self.arrows, self.passed_on) = (arrows, passed_on);
    }

    /// Whether a file's module stands below a module.
    fn is_below(&self, file: usize, module: usize) -> bool {
        let own = self.modules.iter().position(|m| m.file == Some(file));
        let mut at = own.and_then(|own| self.modules[own].parent);
        while let Some(parent) = at {
            if parent == module {
                return true;
            }
            at = self.modules[parent].parent;
        }
        false
    }

    /// Files that no `mod` declares are compiled by nobody.
    fn find_orphans(&mut self) {
        let mut orphans = Vec::new();
        for module in &self.modules {
            let (Some(file), Some(parent)) = (module.file, module.parent) else { continue };
            let above = self.modules[parent].file;
            if above == Some(file) {
                continue;
            }
            let declared = above.is_some_and(|above| {
                let above = &self.files[above];
                above.declares.iter().any(|(name, _)| *name == module.name)
                    || above.identifiers.iter().any(|(word, _)| *word == module.name)
            });
            // A list of modules that a macro beside it declares, by `#[path]`.
            let beside =
                self.modules.iter().filter(|other| other.parent == Some(parent)).filter_map(|other| other.file);
            let listed =
                beside.into_iter().any(|file| self.files[file].calls.iter().flatten().any(|w| *w == module.name));
            if !declared && !listed {
                orphans.push(format!("{}: no `mod {};` declares it", self.files[file].path, module.name));
            }
        }
        self.faults.extend(orphans.into_iter().collect::<BTreeSet<_>>());
    }
}

/// The binary, where it is one, and the modules of a file from its path.
fn place(path: &str) -> (Option<String>, Vec<String>) {
    let inner = path.trim_start_matches("src/").trim_end_matches(".rs");
    let mut names: Vec<String> = inner.split('/').map(str::to_string).collect();
    if names[0] == "bin" {
        let binary = names.get(1).cloned();
        let below = names.into_iter().skip(2).filter(|name| name != "main").collect();
        return (binary, below);
    }
    if names.last().is_some_and(|name| name == "mod") || names == ["lib"] {
        names.pop();
    }
    let main = names == ["main"];
    (main.then(|| "main".to_string()), if main { Vec::new() } else { names })
}

fn is_test_path(path: &str) -> bool {
    path.split('/').any(|part| part == "tests" || part == "tests.rs")
}

/// Modules that are declared under `#[cfg(test)]`.
fn tests_only(parsed: &BTreeMap<String, syn::File>) -> Vec<Vec<String>> {
    let mut out = Vec::new();
    for (path, file) in parsed {
        for item in &file.items {
            if let Item::Mod(module) = item
                && module.content.is_none()
                && scan::is_test(&module.attrs)
            {
                let (_, mut names) = place(path);
                names.push(module.ident.to_string());
                out.push(names);
            }
        }
    }
    out
}
