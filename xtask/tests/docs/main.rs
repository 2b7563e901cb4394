//! The pages for people: their links lead somewhere, the files they name exist, they stay short enough to be read, and
//! what they list is what there is.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails where it unwraps")]

mod lists;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Component, Path, PathBuf};

/// Pages that a newcomer meets first, with the bytes that they may have.
const AT_MOST: [(&str, usize); 2] = [("README.md", 7_000), ("ARCHITECTURE.md", 9_000)];
/// Characters of a line of prose.
const LINE: usize = 110;
/// Words of a sentence: on average over a page, and at most.
const AVERAGE: f64 = 18.0;
const LONGEST: usize = 35;
/// Shorter ones (captions, table heads written as text) say nothing about how a page reads.
const SHORTEST: usize = 4;

/// Folders whose files prose names in code spans.
const NAMED: [&str; 11] =
    ["src/", "tests/", "xtask/", "tools/", "docs/", "www/", "recipes/", "sweeps/", "bench/", "data/", ".ci/"];
/// What a build writes, and git does not keep.
const MADE: [&str; 2] = ["www/data/", "data/pretraining/corpus.json"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A page: its path below the root, and its text.
struct Page {
    path: String,
    text: String,
}

/// What the parser finds in a page.
#[derive(Default)]
struct Contents {
    /// Destinations of links and images, those in HTML included.
    links: Vec<String>,
    /// Anchors of headings, as GitHub makes them.
    anchors: BTreeSet<String>,
    /// Code in running text.
    code: Vec<String>,
    /// Each paragraph, list item and heading as plain text.
    prose: Vec<String>,
    /// Bytes that are not prose: code blocks, tables, HTML.
    other: Vec<Range<usize>>,
}

fn pages() -> Vec<Page> {
    let root = root();
    let mut files: Vec<PathBuf> =
        ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(|name| root.join(name)).into();
    let mut folders = vec![root.join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false if path.extension().is_some_and(|e| e == "md") => files.push(path),
                false => {}
            }
        }
    }
    files.sort();
    let page = |path: PathBuf| {
        let parts = path.strip_prefix(&root).unwrap().iter().map(|part| part.to_string_lossy());
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        Page { path: parts.collect::<Vec<_>>().join("/"), text }
    };
    files.into_iter().map(page).collect()
}

fn contents(text: &str) -> Contents {
    let mut found = Contents::default();
    let mut repeated: BTreeMap<String, usize> = BTreeMap::new();
    // Of the block that is open: its text, and whether it is prose.
    let (mut block, mut aside) = (String::new(), 0);
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    for (event, range) in Parser::new_ext(text, options).into_offset_iter() {
        match event {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                found.links.push(dest_url.into_string());
            }
            Event::Start(Tag::Table(_) | Tag::HtmlBlock | Tag::CodeBlock(_)) => {
                aside += 1;
                found.other.push(range);
            }
            Event::End(TagEnd::Table | TagEnd::HtmlBlock | TagEnd::CodeBlock) => aside -= 1,
            // A tight list item has no paragraph of its own.
            Event::Start(Tag::Paragraph | Tag::Heading { .. } | Tag::Item | Tag::List(_)) => {
                found.prose.push(std::mem::take(&mut block));
            }
            Event::End(TagEnd::Heading(_)) => {
                let anchor = anchor(&block);
                let n = repeated.entry(anchor.clone()).or_default();
                found.anchors.insert(if *n == 0 { anchor } else { format!("{anchor}-{n}") });
                *n += 1;
                found.prose.push(std::mem::take(&mut block));
            }
            Event::End(TagEnd::Paragraph | TagEnd::Item) => found.prose.push(std::mem::take(&mut block)),
            Event::Html(html) | Event::InlineHtml(html) => found.links.extend(html_links(&html)),
            Event::Code(code) => {
                if aside == 0 {
                    block.push_str(&code);
                }
                found.code.push(code.into_string());
            }
            Event::Text(words) if aside == 0 => block.push_str(&words),
            Event::SoftBreak | Event::HardBreak => block.push(' '),
            _ => {}
        }
    }
    found.prose.retain(|block| !block.trim().is_empty());
    found
}

/// GitHub's anchor of a heading: letters, digits, hyphens and underscores of it in lower case, spaces as hyphens. `³` is no digit.
fn anchor(heading: &str) -> String {
    let is_kept = |c: &char| c.is_alphabetic() || c.is_ascii_digit() || [' ', '-', '_'].contains(c);
    let kept = heading.trim().chars().filter(is_kept);
    kept.map(|c| if c == ' ' { '-' } else { c }).collect::<String>().to_lowercase()
}

/// What `src`, `srcset` and `href` of a piece of HTML lead to.
fn html_links(html: &str) -> Vec<String> {
    let value = |name: &str| {
        let start = format!("{name}=\"");
        html.split(&start).skip(1).filter_map(|rest| rest.split('"').next()).map(String::from).collect::<Vec<_>>()
    };
    ["src", "srcset", "href"].into_iter().flat_map(value).collect()
}

/// The file that a link of a page means, below the root and without `..`.
fn target(page: &str, link: &str) -> PathBuf {
    let mut path = Path::new(page).parent().unwrap_or(Path::new("")).to_path_buf();
    for part in Path::new(link).components() {
        match part {
            Component::ParentDir => drop(path.pop()),
            Component::Normal(name) => path.push(name),
            _ => {}
        }
    }
    path
}

fn is_elsewhere(link: &str) -> bool {
    link.contains("://") || link.starts_with("mailto:")
}

/// Sentences of a block, each as its number of words.
fn sentences(block: &str) -> Vec<usize> {
    let (mut lengths, mut words) = (Vec::new(), 0);
    for word in block.split_whitespace() {
        words += 1;
        if word.ends_with(['.', '!', '?']) {
            lengths.push(std::mem::take(&mut words));
        }
    }
    lengths.push(words);
    lengths.retain(|n| *n >= SHORTEST);
    lengths
}

/// A line without the destinations of its links, which cannot be broken.
fn without_destinations(line: &str) -> String {
    let mut parts = line.split("](");
    let first = parts.next().unwrap_or_default().to_string();
    parts.fold(first, |line, part| line + "]" + part.split_once(')').map_or(part, |(_, rest)| rest))
}

fn none_of(faults: Vec<String>) {
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn every_link_leads_to_a_file_and_an_anchor_that_exist() {
    let pages = pages();
    let read: BTreeMap<&str, Contents> = pages.iter().map(|p| (p.path.as_str(), contents(&p.text))).collect();
    let mut faults = Vec::new();
    for (page, found) in &read {
        for link in found.links.iter().filter(|link| !is_elsewhere(link)) {
            let (file, anchor) = link.split_once('#').map_or((link.as_str(), None), |(file, a)| (file, Some(a)));
            let path = if file.is_empty() { PathBuf::from(page) } else { target(page, file) };
            if !root().join(&path).exists() {
                faults.push(format!("{page}: {link} leads to no file"));
            } else if let Some(anchor) = anchor
                && let Some(there) = read.get(path.to_string_lossy().as_ref())
                && !there.anchors.contains(anchor)
            {
                faults.push(format!("{page}: {link} leads to no heading"));
            }
        }
    }
    none_of(faults);
}

#[test]
fn every_file_that_a_page_names_exists() {
    let mut faults = Vec::new();
    for page in pages() {
        // What changed in an earlier version had the names of then.
        for code in contents(&page.text).code.iter().filter(|_| page.path != "CHANGELOG.md") {
            let is_path = code.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
            let named = NAMED.iter().any(|folder| code.starts_with(folder));
            let made = MADE.iter().any(|path| code.starts_with(path));
            if is_path && named && !made && !root().join(code).exists() {
                faults.push(format!("{}: there is no {code}", page.path));
            }
        }
    }
    none_of(faults);
}

#[test]
fn the_first_pages_stay_short() {
    for (path, limit) in AT_MOST {
        let bytes = std::fs::metadata(root().join(path)).unwrap().len() as usize;
        assert!(bytes <= limit, "{path} has {bytes} bytes, at most {limit}: move what is not for everybody to docs/");
    }
}

#[test]
fn lines_of_prose_fit_beside_a_diff() {
    let mut faults = Vec::new();
    for page in pages() {
        let other = contents(&page.text).other;
        let mut start = 0;
        for (i, line) in page.text.split_inclusive('\n').enumerate() {
            let length = without_destinations(line.trim_end()).chars().count();
            let end = start + line.len();
            // An indented block begins behind its indentation.
            if length > LINE && !other.iter().any(|range| range.start < end && start < range.end) {
                faults.push(format!("{}:{}: {length} characters, at most {LINE}", page.path, i + 1));
            }
            start = end;
        }
    }
    none_of(faults);
}

#[test]
fn sentences_are_short() {
    let mut faults = Vec::new();
    for page in pages() {
        let mut all = Vec::new();
        for block in contents(&page.text).prose {
            let lengths = sentences(&block);
            if let Some(longest) = lengths.iter().max().filter(|n| **n > LONGEST) {
                let words: Vec<&str> = block.split_whitespace().take(12).collect();
                faults.push(format!("{}: {longest} words in one sentence: {} …", page.path, words.join(" ")));
            }
            all.extend(lengths);
        }
        let average = all.iter().sum::<usize>() as f64 / all.len().max(1) as f64;
        if average > AVERAGE {
            faults.push(format!("{}: {average:.1} words a sentence on average, at most {AVERAGE}", page.path));
        }
    }
    none_of(faults);
}

#[test]
fn a_page_is_read_as_github_reads_it() {
    let page = "# A `b`, c!\n\n<img src=\"x.png\">\n\nOne two three four. Five [six](seven.md#eight) nine ten.\n\n\
                | a | b |\n|---|---|\n| no | prose |\n\n    no prose\n\n# A `b`, c!\n";
    let found = contents(page);
    assert_eq!(found.links, ["x.png", "seven.md#eight"]);
    assert_eq!(found.anchors.iter().map(String::as_str).collect::<Vec<_>>(), ["a-b-c", "a-b-c-1"]);
    assert_eq!(found.prose, ["A b, c!", "One two three four. Five six nine ten.", "A b, c!"]);
    assert_eq!(found.prose.iter().flat_map(|block| sentences(block)).collect::<Vec<_>>(), [4, 4]);
    assert_eq!(found.other.len(), 3);
    assert_eq!(anchor("(IA)³ _2_"), "ia-_2_");
    assert_eq!(target("docs/decisions/a.md", "../../src/lib.rs#L3"), Path::new("src/lib.rs#L3"));
    assert_eq!(without_destinations("a [b](c) d [e](f)"), "a [b] d [e]");
}
