//! The trainer on the command line.
