//! Walks folders that were dropped: they come as entries, which are asked for what is in them until they have no
//! more to give.

use crate::base::grouped;
use std::collections::VecDeque;

/// Files that dropped folders may hold: a checkpoint in shards has some tens.
pub const MAX_FILES: usize = 1000;
/// Folders within each other that are looked into, the dropped one among them.
pub const MAX_DEPTH: usize = 5;
/// Files that are counted before counting ends.
pub const COUNTED: usize = 20_000;

/// A file or a folder, as the browser hands it over.
#[allow(async_fn_in_trait, reason = "one thread walks")]
pub trait Entry: Sized {
    /// What a file is read from.
    type File;
    /// Its name without folders.
    fn name(&self) -> String;
    /// Whether it is a folder.
    fn is_folder(&self) -> bool;
    /// The next entries of a folder; none where all were given, or it cannot be read. Chromium gives 100 at a time.
    async fn more(&mut self) -> Vec<Self>;
    /// The file; `None` where it cannot be read.
    async fn file(&self) -> Option<Self::File>;
}

/// All files of some entries with their paths (`folder/sub/name`, as the folder picker gives them; none for a file by
/// itself). Folders whose names begin with a dot are not looked into.
///
/// # Errors
/// A sentence with the number of files, where there are too many.
pub async fn walk<E: Entry>(dropped: Vec<E>) -> Result<Vec<(E::File, Option<String>)>, String> {
    let mut files = Vec::new();
    let mut count = 0;
    let named = dropped.iter().find(|entry| entry.is_folder()).map(E::name).unwrap_or_default();
    let mut waiting: VecDeque<(E, String, usize)> =
        dropped.into_iter().map(|entry| (entry, String::new(), 0)).collect();
    while let Some((mut entry, above, depth)) = waiting.pop_front() {
        let name = entry.name();
        if !entry.is_folder() {
            count += 1;
            // What is too much is only counted.
            if count > COUNTED {
                break;
            }
            if count <= MAX_FILES
                && let Some(file) = entry.file().await
            {
                files.push((file, (depth > 0).then(|| above + &name)));
            }
            continue;
        }
        if depth >= MAX_DEPTH || (depth > 0 && name.starts_with('.')) {
            continue;
        }
        let path = format!("{above}{name}/");
        loop {
            let more = entry.more().await;
            if more.is_empty() || waiting.len() > COUNTED {
                break;
            }
            waiting.extend(more.into_iter().map(|entry| (entry, path.clone(), depth + 1)));
        }
    }
    if count <= MAX_FILES {
        return Ok(files);
    }
    let n = if count > COUNTED { format!("more than {}", grouped(COUNTED)) } else { grouped(count) };
    Err(format!(
        "“{named}” holds {n} files, and at most {} are looked at: drop the folder of the checkpoint or of the adapter itself.",
        grouped(MAX_FILES)
    ))
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

    use super::*;

    /// A folder that gives 100 entries at a time, or a file.
    #[derive(Clone)]
    struct Fake(&'static str, Option<Vec<Fake>>);

    impl Entry for Fake {
        type File = String;

        fn name(&self) -> String {
            self.0.into()
        }

        fn is_folder(&self) -> bool {
            self.1.is_some()
        }

        async fn more(&mut self) -> Vec<Fake> {
            let entries = self.1.as_mut().unwrap();
            entries.drain(..entries.len().min(100)).collect()
        }

        async fn file(&self) -> Option<String> {
            (self.0 != "gone").then(|| self.0.to_uppercase())
        }
    }

    fn file(name: &'static str) -> Fake {
        Fake(name, None)
    }

    fn folder(name: &'static str, entries: Vec<Fake>) -> Fake {
        Fake(name, Some(entries))
    }

    fn walked(dropped: Vec<Fake>) -> Result<Vec<(String, Option<String>)>, String> {
        pollster::block_on(walk(dropped))
    }

    #[test]
    fn files_come_with_the_paths_that_the_folder_picker_gives() {
        let hidden = folder(".git", vec![file("config")]);
        let deep = (0..MAX_DEPTH).fold(file("too-deep"), |within, _| folder("d", vec![within]));
        let snapshot = folder("abc", vec![file("config.json"), file("gone")]);
        let dropped =
            vec![folder("opt", vec![hidden, deep, folder("snapshots", vec![snapshot]), file("a.txt")]), file("b.csv")];
        assert_eq!(
            walked(dropped).unwrap(),
            [
                ("B.CSV".to_string(), None),
                ("A.TXT".to_string(), Some("opt/a.txt".to_string())),
                ("CONFIG.JSON".to_string(), Some("opt/snapshots/abc/config.json".to_string())),
            ]
        );
    }

    #[test]
    fn a_folder_is_asked_until_it_has_no_more() {
        for n in [0, 99, 100, 101, 250, MAX_FILES] {
            assert_eq!(walked(vec![folder("shards", vec![file("x"); n])]).unwrap().len(), n);
        }
    }

    #[test]
    fn too_many_files_are_refused_with_their_number() {
        for (n, said) in
            [(MAX_FILES + 1, "“home” holds 1,001 files"), (COUNTED + 500, "“home” holds more than 20,000 files")]
        {
            let within = folder("within", vec![file("x"); n - 1]);
            let refused = walked(vec![folder("home", vec![within, file("y")])]).unwrap_err();
            assert!(refused.starts_with(said) && refused.contains("at most 1,000"), "{refused}");
        }
    }
}
