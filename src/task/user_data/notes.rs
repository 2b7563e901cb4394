//! What was found out about a file and done with it, beside its rows, in sentences for whoever brought it.

use super::below::HeaderRow;
use super::nested::NestedColumn;
use super::separator::Separator;
use crate::base::{grouped, shorten};

/// How a table was read, and what of the file is in no row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// What stands between cells; `None` for JSON.
    pub separator: Option<Separator>,
    /// Whether the first row names the columns; `None` where names come with the values.
    pub header: Option<bool>,
    /// Lines above the table: titles, comments, Excel's `sep=;`.
    pub above: usize,
    /// Rows below the header that are the header once more.
    pub repeated_headers: usize,
    /// Columns without a name in which every cell is empty.
    pub empty_columns: usize,
    /// Whether quotes are letters of their cells, since they do not close where quoted cells would.
    pub quotes_are_letters: bool,
    /// Columns that hold lists or objects.
    pub nested: Vec<NestedColumn>,
    /// Columns that hold lists of one value, which are read as that value.
    pub single_lists: Vec<String>,
    /// Rows below the header that belong to it, in their order.
    pub below: Vec<HeaderRow>,
    /// Whether the first column held names of rows, for which the header has no name.
    pub row_names: bool,
}

impl Notes {
    /// What is said of it, each a sentence; nothing of what goes without saying.
    pub fn sentences(&self) -> Vec<String> {
        let mut said = Vec::new();
        if let Some(separator) = self.separator.filter(|separator| *separator != Separator::COMMA) {
            said.push(format!("A {separator} stands between cells."));
        }
        if self.header == Some(false) {
            said.push("No row is taken for the header.".into());
        }
        match self.above {
            0 => {}
            1 => said.push("1 line above the table is left out.".into()),
            n => said.push(format!("{n} lines above the table are left out.")),
        }
        said.extend(self.below.iter().map(HeaderRow::to_string));
        if self.row_names {
            said.push("The header has a name less than rows have cells: the first column, names of rows as R writes them, is left out.".into());
        }
        match self.repeated_headers {
            0 => {}
            1 => said.push("1 row is the header once more and left out.".into()),
            n => said.push(format!("{} rows are the header once more and left out.", grouped(n))),
        }
        match self.empty_columns {
            0 => {}
            1 => said.push("1 column without name and values is left out.".into()),
            n => said.push(format!("{n} columns without names and values are left out.")),
        }
        if self.quotes_are_letters {
            said.push("Quotes are taken as letters: as quotes they would join lines.".into());
        }
        if !self.single_lists.is_empty() {
            let names: Vec<String> = self.single_lists.iter().map(|key| format!("“{}”", shorten(key))).collect();
            said.push(format!("Lists of one value are read as that value: {}.", names.join(", ")));
        }
        said.extend(self.nested_columns());
        said
    }

    /// What was left out that might be missed where a table cannot be used.
    pub(super) fn missed(&self) -> Vec<String> {
        let below = self.below.iter().map(HeaderRow::to_string);
        below.chain(self.nested_columns()).collect()
    }

    fn nested_columns(&self) -> Option<String> {
        const SHOWN: usize = 3;
        let mut names: Vec<String> = self
            .nested
            .iter()
            .take(SHOWN)
            .map(|column| format!("“{}” (line {})", shorten(&column.key), column.line))
            .collect();
        if self.nested.len() > SHOWN {
            names.push(format!("{} more", self.nested.len() - SHOWN));
        }
        let (holds, are) = if self.nested.len() == 1 { ("holds", "is") } else { ("hold", "are") };
        let names = names.split_last().map(|(last, others)| match others {
            [] => last.clone(),
            others => format!("{} and {last}", others.join(", ")),
        })?;
        Some(format!("{names} {holds} lists or objects and {are} left out."))
    }
}

#[cfg(test)]
mod tests {
    use super::super::nested::Holds;
    use super::*;

    fn nested(key: &str, line: usize) -> NestedColumn {
        NestedColumn { key: key.into(), line, holds: Holds::Object }
    }

    #[test]
    fn what_goes_without_saying_is_not_said() {
        let plain = Notes { separator: Some(Separator::COMMA), header: Some(true), ..Notes::default() };
        assert!(plain.sentences().is_empty() && Notes::default().sentences().is_empty());
    }

    #[test]
    fn all_that_is_left_out_is_counted_and_named() {
        let notes = Notes {
            separator: Some(Separator(b'|')),
            header: Some(false),
            above: 2,
            repeated_headers: 1,
            empty_columns: 3,
            quotes_are_letters: true,
            nested: ["a", "b", "c", "d", "e"].map(|key| nested(key, 7)).into(),
            ..Notes::default()
        };
        assert_eq!(
            notes.sentences(),
            [
                "A vertical bar stands between cells.",
                "No row is taken for the header.",
                "2 lines above the table are left out.",
                "1 row is the header once more and left out.",
                "3 columns without names and values are left out.",
                "Quotes are taken as letters: as quotes they would join lines.",
                "“a” (line 7), “b” (line 7), “c” (line 7) and 2 more hold lists or objects and are left out.",
            ]
        );
        let one = Notes { nested: vec![nested("meta", 1)], ..Notes::default() };
        assert_eq!(one.sentences(), ["“meta” (line 1) holds lists or objects and is left out."]);
    }
}
