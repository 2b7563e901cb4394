//! What a piece of Rust mentions: paths, imports and string literals, read from its tokens.
//!
//! Tokens rather than syntax trees, because code inside macros and `macro_rules!` counts as well.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Item, ItemUse, UseTree, Visibility};

/// A path in code: `crate::a::b`, `super::x`, `Name`, `module::function`.
#[derive(Debug, PartialEq)]
pub struct Mention {
    pub segments: Vec<String>,
    pub line: usize,
}

/// One name that a `use` brings in.
#[derive(Clone, Debug, PartialEq)]
pub struct Import {
    pub segments: Vec<String>,
    /// The name in scope; `None` for a glob and for `as _`.
    pub name: Option<String>,
    pub glob: bool,
    /// `pub`, `pub(crate)`, …: others may import it from here.
    pub exported: bool,
    pub line: usize,
}

#[derive(Debug, Default)]
pub struct Scan {
    pub mentions: Vec<Mention>,
    pub imports: Vec<Import>,
    /// String literals outside doc comments.
    pub literals: Vec<(String, usize)>,
    /// Every identifier, for names of other crates.
    pub identifiers: Vec<(String, usize)>,
}

impl Scan {
    pub fn of(tokens: TokenStream) -> Scan {
        let mut scan = Scan::default();
        scan.read(tokens);
        scan
    }

    fn read(&mut self, tokens: TokenStream) {
        let trees: Vec<TokenTree> = tokens.into_iter().collect();
        let mut i = 0;
        while i < trees.len() {
            match &trees[i] {
                TokenTree::Group(group) => self.read(group.stream()),
                TokenTree::Literal(literal) => self.literal(literal, &trees[..i]),
                TokenTree::Ident(word) if word == "use" && !is_punct(trees.get(i + 1), '<') => {
                    let end = (i..trees.len()).find(|n| is_punct(trees.get(*n), ';')).unwrap_or(trees.len() - 1);
                    // `$crate` is `crate` for whoever reads.
                    let kept = trees[i..=end].iter().filter(|t| !is_punct(Some(t), '$')).cloned();
                    if let Ok(item) = syn::parse2::<ItemUse>(kept.collect()) {
                        self.imports.extend(imports(&item));
                    }
                    i = end;
                }
                TokenTree::Ident(_) => {
                    i = self.path(&trees, i);
                    continue;
                }
                TokenTree::Punct(_) => {}
            }
            i += 1;
        }
    }

    fn literal(&mut self, literal: &proc_macro2::Literal, before: &[TokenTree]) {
        let documents = is_punct(before.last(), '=')
            && matches!(before.iter().rev().nth(1), Some(TokenTree::Ident(word)) if word == "doc");
        if let (false, syn::Lit::Str(text)) = (documents, syn::Lit::new(literal.clone())) {
            let line = literal.span().start().line;
            // Attributes name functions in strings: `#[serde(with = "crate::…")]`.
            if ["crate::", "super::"].iter().any(|head| text.value().starts_with(head))
                && let Ok(tokens) = text.parse::<TokenStream>()
            {
                self.read(tokens);
            }
            self.literals.push((text.value(), line));
        }
    }

    /// Reads a path that starts at `start`; the index after it.
    fn path(&mut self, trees: &[TokenTree], start: usize) -> usize {
        let mut segments = Vec::new();
        let mut i = start;
        let line = trees[start].span().start().line;
        while let Some(TokenTree::Ident(word)) = trees.get(i) {
            segments.push(word.to_string().trim_start_matches("r#").to_string());
            self.identifiers.push((segments[segments.len() - 1].clone(), word.span().start().line));
            i += 1;
            let goes_on = is_punct(trees.get(i), ':') && is_punct(trees.get(i + 1), ':');
            if !goes_on || !matches!(trees.get(i + 2), Some(TokenTree::Ident(_))) {
                break;
            }
            i += 2;
        }
        let before = |n: usize| start.checked_sub(n).and_then(|at| trees.get(at));
        let field = is_punct(before(1), '.') && !is_punct(before(2), '.');
        let continued = is_punct(before(1), ':') && is_punct(before(2), ':');
        let variable = is_punct(before(1), '$') && segments[0] != "crate";
        let alone = segments.len() == 1;
        let declared = alone
            && matches!(before(1), Some(TokenTree::Ident(word)) if
                ["fn", "struct", "enum", "trait", "type", "mod", "let", "const", "static", "union"].contains(&word.to_string().as_str()));
        // A lower-case name alone is a variable or a field unless it is called.
        let called = matches!(trees.get(i), Some(TokenTree::Group(g)) if g.delimiter() == Delimiter::Parenthesis)
            || is_punct(trees.get(i), '!');
        let variable = variable || alone && !called && !segments[0].starts_with(char::is_uppercase);
        if !(field || continued || variable || declared) {
            self.mentions.push(Mention { segments, line });
        }
        i
    }
}

fn is_punct(tree: Option<&TokenTree>, char: char) -> bool {
    matches!(tree, Some(TokenTree::Punct(punct)) if punct.as_char() == char)
}

/// The names that a `use` brings in.
pub fn imports(item: &ItemUse) -> Vec<Import> {
    let mut out = Vec::new();
    let exported = !matches!(item.vis, Visibility::Inherited);
    leaves(&item.tree, &mut Vec::new(), exported, &mut out);
    out
}

fn leaves(tree: &UseTree, path: &mut Vec<String>, exported: bool, out: &mut Vec<Import>) {
    let mut leaf = |segments: Vec<String>, name: Option<String>, glob: bool, span: proc_macro2::Span| {
        out.push(Import { segments, name, glob, exported, line: span.start().line });
    };
    let with = |path: &[String], name: &proc_macro2::Ident| {
        let mut segments = path.to_vec();
        if name != "self" || segments.is_empty() {
            segments.push(name.to_string());
        }
        segments
    };
    match tree {
        UseTree::Path(inner) => {
            path.push(inner.ident.to_string());
            leaves(&inner.tree, path, exported, out);
            path.pop();
        }
        UseTree::Name(inner) => {
            let segments = with(path, &inner.ident);
            leaf(segments.clone(), segments.last().cloned(), false, inner.ident.span());
        }
        UseTree::Rename(inner) => {
            let name = (inner.rename != "_").then(|| inner.rename.to_string());
            leaf(with(path, &inner.ident), name, false, inner.ident.span());
        }
        UseTree::Glob(inner) => leaf(path.clone(), None, true, inner.star_token.spans[0]),
        UseTree::Group(inner) => inner.items.iter().for_each(|tree| leaves(tree, path, exported, out)),
    }
}

/// Whether an item is there in tests only.
pub fn is_test(attributes: &[syn::Attribute]) -> bool {
    fn needs_test(meta: &syn::Meta) -> bool {
        match meta {
            syn::Meta::Path(path) => path.is_ident("test"),
            syn::Meta::List(list) if list.path.is_ident("all") => {
                let parse = syn::punctuated::Punctuated::<syn::Meta, syn::Token![,]>::parse_terminated;
                list.parse_args_with(parse).is_ok_and(|all| all.iter().any(needs_test))
            }
            _ => false,
        }
    }
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("test")
            || attribute.path().is_ident("cfg")
                && attribute.parse_args::<syn::Meta>().is_ok_and(|condition| needs_test(&condition))
    })
}

/// An item's tokens without what is there in tests only.
pub fn tokens(item: &Item) -> TokenStream {
    let mut item = item.clone();
    match &mut item {
        Item::Impl(inner) => inner.items.retain(|member| match member {
            syn::ImplItem::Fn(function) => !is_test(&function.attrs),
            syn::ImplItem::Const(constant) => !is_test(&constant.attrs),
            _ => true,
        }),
        Item::Trait(inner) => inner.items.retain(|member| match member {
            syn::TraitItem::Fn(function) => !is_test(&function.attrs),
            _ => true,
        }),
        _ => {}
    }
    item.into_token_stream()
}

/// An item's attributes.
pub fn attributes(item: &Item) -> &[syn::Attribute] {
    match item {
        Item::Const(i) => &i.attrs,
        Item::Enum(i) => &i.attrs,
        Item::ExternCrate(i) => &i.attrs,
        Item::Fn(i) => &i.attrs,
        Item::ForeignMod(i) => &i.attrs,
        Item::Impl(i) => &i.attrs,
        Item::Macro(i) => &i.attrs,
        Item::Mod(i) => &i.attrs,
        Item::Static(i) => &i.attrs,
        Item::Struct(i) => &i.attrs,
        Item::Trait(i) => &i.attrs,
        Item::TraitAlias(i) => &i.attrs,
        Item::Type(i) => &i.attrs,
        Item::Union(i) => &i.attrs,
        Item::Use(i) => &i.attrs,
        _ => &[],
    }
}

/// The name that an item defines, where it defines one.
pub fn name(item: &Item) -> Option<String> {
    let ident = match item {
        Item::Const(i) => &i.ident,
        Item::Enum(i) => &i.ident,
        Item::Fn(i) => &i.sig.ident,
        Item::Macro(i) => i.ident.as_ref()?,
        Item::Static(i) => &i.ident,
        Item::Struct(i) => &i.ident,
        Item::Trait(i) => &i.ident,
        Item::TraitAlias(i) => &i.ident,
        Item::Type(i) => &i.ident,
        Item::Union(i) => &i.ident,
        _ => return None,
    };
    Some(ident.to_string())
}
