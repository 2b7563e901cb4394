//! Lines on standard output.

use std::io::{ErrorKind, Write};
use std::process::exit;

/// Writes a part of a line, at once.
pub(super) fn print_part(text: &str) {
    let mut out = std::io::stdout();
    ended(write!(out, "{text}").and_then(|()| out.flush()));
}

/// Writes a line. Who has read enough closes the pipe: the command then ends, and says nothing of it.
pub(super) fn write_line(line: std::fmt::Arguments<'_>) {
    ended(writeln!(std::io::stdout(), "{line}"));
}

fn ended(written: std::io::Result<()>) {
    if let Err(e) = written {
        if e.kind() == ErrorKind::BrokenPipe {
            exit(0);
        }
        eprintln!("peft-lab: standard output cannot be written: {e}");
        exit(1);
    }
}

/// The same for work that others wait for: it goes on, whoever listens.
pub(super) fn tell(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// `println!` for a command whose only result is what it prints.
macro_rules! print_line {
    ($($text:tt)*) => { $crate::cli::output::write_line(format_args!($($text)*)) };
}
pub(super) use print_line;
