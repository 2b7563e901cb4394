//! What was taken of data of one's own, and what its base does not read.

use super::disk::Disk;
use super::user_data::{Taken, taken_data};
use crate::base::grouped;
use crate::config::RunConfig;
use crate::task::Labelled;
use crate::task::user_data::cut_texts;
use crate::train::library::{Files, LoadedBase};
use std::io::Write;

/// What was taken of `--data-file`, what was left out and what its base does not read, a sentence a line; nothing
/// where there was none. What cannot be read of the base is for the trainer to tell.
pub(super) async fn report(config: &RunConfig) -> Vec<String> {
    let Some(Taken { file, mut notes, line }) =
        taken_data().filter(|taken| config.task.file().as_ref() == Some(&taken.file))
    else {
        return Vec::new();
    };
    let disk = Disk::default();
    let text = async |name: String| disk.read(&name).await.ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let tokenizer = LoadedBase::tokenizer(config.base, &disk).await.ok();
    let (Some(line), Some(limit)) = (line, config.longest_text()) else { return notes };
    let data = text(file).await.and_then(|text| Labelled::from_json(&text).ok());
    let cut = data.zip(tokenizer).map(|(data, tokenizer)| {
        let longer = tokenizer.longer(data.texts(), limit);
        (data.texts().count(), longer)
    });
    notes.push(match cut {
        Some((_, longer)) => format!("{line}, {} cut", grouped(longer)),
        None => line,
    });
    notes.extend(cut.and_then(|(texts, longer)| cut_texts(texts, longer, limit)));
    notes
}

/// Writes lines to standard error, which is not for results; whoever closed it does not want them.
pub(super) fn say(lines: &[String]) {
    for line in lines {
        let _ = writeln!(std::io::stderr(), "{line}");
    }
}
