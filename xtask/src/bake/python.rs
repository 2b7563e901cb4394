//! Packages of PyPI, which scripts in Python download. Where that does not work, the reason is kept beside what is
//! missing: it is not tried again until the reason is deleted, or this program is a newer one.

use anyhow::{Context, Result, bail, ensure};
use std::{
    fs,
    io::Read,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// Python on a script.
pub fn python(script: &Path) -> Command {
    let mut command = Command::new(std::env::var("PEFT_LAB_PYTHON").unwrap_or_else(|_| "python3".into()));
    command.arg(script);
    command
}

/// Runs a command that downloads, within a time. Its error is the last line that the command complains with.
pub fn download(command: &mut Command, out: Stdio, limit: Duration) -> Result<()> {
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

/// Tells that something is left out, on the screen and in the file that keeps the reason.
pub fn leave_out(what: &str, error: &anyhow::Error, missing: &Path) -> Result<()> {
    let reason = format!("{error:#}");
    println!("{what} is left out: {reason}. To try again, delete {}.", missing.display());
    fs::write(missing, reason + "\n").with_context(|| format!("cannot write {}", missing.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_download_says_why_in_one_line() {
        let limit = Duration::from_secs(60);
        let run = |script: &str, limit| download(Command::new("sh").args(["-c", script]), Stdio::null(), limit);
        run("echo it is here", limit).unwrap();
        let error = run("echo first >&2; echo no network. >&2; exit 1", limit).unwrap_err().to_string();
        assert_eq!(error, "sh could not download it: no network");
        assert!(run("exec sleep 30", Duration::from_millis(50)).unwrap_err().to_string().contains("after 0 seconds"));
        let none = download(&mut Command::new("/nowhere/python3"), Stdio::null(), limit).unwrap_err();
        assert!(format!("{none:#}").starts_with("it is downloaded by Python 3, and /nowhere/python3"), "{none:#}");
    }

    #[test]
    fn what_is_left_out_says_how_to_try_again() {
        let missing = std::env::temp_dir().join(format!("peft-lab-missing-{}", std::process::id()));
        leave_out("The task", &anyhow::anyhow!("no network").context("it is not there"), &missing).unwrap();
        assert_eq!(fs::read_to_string(&missing).unwrap(), "it is not there: no network\n");
        fs::remove_file(&missing).unwrap();
    }
}
