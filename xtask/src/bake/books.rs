//! What is baked of the seven books: `authors`, `style` and `prose`.

use super::{
    crates::{Crates, not_as_pinned},
    labelled::{Labelled, draw, separate},
};
use crate::corpus::{self, Parts};
use anyhow::{Context, Result};
use serde::Serialize;

/// Sentences of each book to train on and to test on.
const SENTENCES: Parts<usize> = Parts { training: 600, held_out: 150 };
/// Bytes of each book for `style`, at most.
const STYLE: Parts<usize> = Parts { training: 60_000, held_out: 16_000 };
/// Bytes of `prose`, at most.
const PROSE: usize = 40_000;

/// Where a book lies and what the page calls it.
pub struct Source {
    pub title: &'static str,
    pub author: &'static str,
    pub krate: &'static str,
    pub file: &'static str,
}

impl Source {
    pub fn contents(&self, crates: &Crates) -> Result<Vec<u8>> {
        crates.read(self.krate, self.file, self.title)
    }
}

const fn source(title: &'static str, author: &'static str, file: &'static str) -> Source {
    Source { title, author, krate: "scrunch", file }
}

/// The order is that of the labels.
const BOOKS: [Source; 7] = [
    source("A Tale of Two Cities", "Charles Dickens", "resources/gutenberg/A.Tale.of.Two.Cities.txt"),
    source("Dracula", "Bram Stoker", "resources/gutenberg/Dracula.txt"),
    source(
        "The Adventures of Sherlock Holmes",
        "Arthur Conan Doyle",
        "resources/gutenberg/The.Adventures.of.Sherlock.Holmes.txt",
    ),
    source("The Adventures of Tom Sawyer", "Mark Twain", "resources/gutenberg/The.Adventures.of.Tom.Sawyer.txt"),
    source("The Count of Monte Cristo", "Alexandre Dumas", "resources/gutenberg/The.Count.of.Monte.Cristo.txt"),
    source("The Iliad", "Homer, translated by Alexander Pope", "resources/gutenberg/The.Iliad.txt"),
    Source {
        title: "Around the World in Eighty Days",
        author: "Jules Verne",
        krate: "esaxx-rs",
        file: "data/eighty.txt",
    },
];

/// A book, cleaned up and cut into blocks of paragraphs.
pub struct Book {
    pub source: &'static Source,
    pub blocks: Vec<Vec<String>>,
}

pub fn read(crates: &Crates) -> Result<Vec<Book>> {
    let book = |source: &'static Source| Ok(Book { source, blocks: corpus::in_blocks(&source.contents(crates)?) });
    BOOKS.iter().map(book).collect()
}

/// Where something of the seven books comes from.
pub fn cite(what: &str, crates: &Crates) -> String {
    let (six, one) = (crates.cite("scrunch"), crates.cite("esaxx-rs"));
    format!(
        "{what} of seven books of Project Gutenberg, as the crates {six} and {one} carry them; the books are in the public \
         domain."
    )
}

/// Columns of texts, one for each book: what `texts` finds in the paragraphs of the blocks kept for tasks.
pub fn columns<'a, T, I>(books: &'a [Book], texts: T) -> Parts<Vec<Vec<String>>>
where
    T: Fn(&'a str) -> I,
    I: IntoIterator<Item = &'a str>,
{
    let column = |blocks: Vec<&'a [String]>| -> Vec<String> {
        blocks.into_iter().flatten().flat_map(|p| texts(p)).map(String::from).collect()
    };
    let kept: Vec<_> = books.iter().map(|book| corpus::kept(&book.blocks).map(column)).collect();
    let (training, held_out) = kept.into_iter().map(|parts| (parts.training, parts.held_out)).unzip();
    Parts { training, held_out }
}

/// `authors`: which book is this sentence from?
pub fn authors(books: &[Book], crates: &Crates) -> Result<Labelled> {
    let columns = separate(columns(books, corpus::sentences));
    let short = |needed: usize| move |i: usize, has: usize| not_as_pinned(BOOKS[i].title, BOOKS[i].krate, has, needed);
    let texts = Parts {
        training: draw(columns.training, SENTENCES.training, 1, short(SENTENCES.training))?,
        held_out: draw(columns.held_out, SENTENCES.held_out, 2, short(SENTENCES.held_out))?,
    };
    let labels = BOOKS.each_ref().map(|book| (book.title, book.author));
    Ok(Labelled::new(&labels, texts, cite("Sentences", crates)))
}

/// `style`: running text of each author.
#[derive(Serialize)]
pub struct Style {
    authors: Vec<Author>,
    source: String,
}

#[derive(Serialize)]
struct Author {
    title: &'static str,
    about: &'static str,
    training: String,
    held_out: String,
}

pub fn style(books: &[Book], crates: &Crates) -> Style {
    let author = |Book { source, blocks }: &Book| {
        let kept = corpus::kept(blocks);
        let (training, held_out) = (shares(&kept.training, STYLE.training), shares(&kept.held_out, STYLE.held_out));
        Author { title: source.title, about: source.author, training, held_out }
    };
    Style { authors: books.iter().map(author).collect(), source: cite("Paragraphs", crates) }
}

/// `prose`: text of the kind that the prose bases were pretrained on, but which they never saw.
#[derive(Debug, Serialize)]
pub struct Prose {
    held_out: String,
    source: String,
}

/// `held_out` gives the numbers of blocks by book.
pub fn prose(books: &[Book], held_out: &[(String, Vec<usize>)], crates: &Crates) -> Result<Prose> {
    let mut blocks = Vec::new();
    for (title, number) in held_out.iter().flat_map(|(title, numbers)| numbers.iter().map(move |n| (title, n))) {
        let book = books.iter().find(|book| book.source.title == title);
        let found = book.and_then(|book| corpus::pretraining(&book.blocks).find(|(i, _)| i == number));
        let (_, block) = found.with_context(|| {
            format!(
                "{} holds out block {number} of “{title}”, but no such block is there to be pretrained on: correct \
                 data.prose.held_out in it.",
                super::RECIPE
            )
        })?;
        blocks.push(block);
    }
    Ok(Prose { held_out: shares(&blocks, PROSE), source: cite("Paragraphs", crates) })
}

/// The first paragraphs of each block, about as much of each, as many as fit into `limit` bytes.
fn shares(blocks: &[&[String]], limit: usize) -> String {
    // Bytes and paragraphs taken of each.
    let mut taken = vec![(0, 0); blocks.len()];
    let mut left = limit;
    loop {
        // The newline counts.
        let next = |i: usize| blocks[i].get(taken[i].1).map(|paragraph| paragraph.len() + 1);
        let fitting = (0..blocks.len()).filter_map(|i| Some((i, next(i).filter(|bytes| *bytes <= left)?)));
        let Some((i, bytes)) = fitting.min_by_key(|(i, _)| taken[*i].0) else { break };
        taken[i] = (taken[i].0 + bytes, taken[i].1 + 1);
        left -= bytes;
    }
    let paragraphs: Vec<String> = blocks.iter().zip(&taken).flat_map(|(block, (_, n))| block[..*n].to_vec()).collect();
    if paragraphs.is_empty() { String::new() } else { corpus::text(&paragraphs) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paragraphs(lengths: &[usize]) -> Vec<String> {
        lengths.iter().map(|n| "é".repeat(n / 2)).collect()
    }

    #[test]
    fn blocks_share_a_text_which_ends_with_a_paragraph() {
        let blocks = [paragraphs(&[20, 20, 20, 20]), paragraphs(&[100, 20]), paragraphs(&[30, 10, 40])];
        let blocks: Vec<&[String]> = blocks.iter().map(Vec::as_slice).collect();
        // Taken in this order: 20 of the first, 100, 30; 20, 10; nothing else fits.
        let text = shares(&blocks, 200);
        assert_eq!(text, corpus::text(&[&blocks[0][..2], &blocks[1][..1], &blocks[2][..2]].concat()));
        assert_eq!(text.len(), 2 * 21 + 101 + 31 + 11);
        // One that does not fit leaves its share to the others.
        assert_eq!(shares(&blocks, 95), corpus::text(&[&blocks[0][..2], &blocks[2][..2]].concat()));
        assert_eq!(shares(&blocks, 10), "");
        assert_eq!(shares(&[], 10), "");
        assert_eq!(shares(&[&blocks[0][..1]], 21).len(), 21);
    }

    #[test]
    fn prose_takes_the_blocks_that_the_recipe_names_and_refuses_those_of_tasks() {
        let blocks = (0..40).map(|i| vec![format!("Paragraph {i}.")]).collect();
        let books = [Book { source: &BOOKS[1], blocks }];
        let crates = Crates::in_folder("scrunch", "");
        let prose = |title: &str, numbers: &[usize]| prose(&books, &[(title.into(), numbers.to_vec())], &crates);
        assert_eq!(prose("Dracula", &[12, 8]).unwrap().held_out, "Paragraph 12.\nParagraph 8.\n");
        for (title, number) in [("Dracula", 5), ("Dracula", 40), ("Emma", 2)] {
            let error = prose(title, &[number]).unwrap_err().to_string();
            assert!(error.contains(&format!("block {number} of “{title}”")), "{error}");
        }
    }

    #[test]
    fn a_short_book_is_named() {
        let books = [Book { source: &BOOKS[0], blocks: vec![Vec::new(); 40] }];
        let error = authors(&books, &Crates::in_folder("scrunch", "")).err().unwrap().to_string();
        assert!(error.contains("A Tale of Two Cities") && error.contains("gives 0"), "{error}");
    }
}
