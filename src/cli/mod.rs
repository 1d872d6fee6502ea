//! The native command line.

pub mod list;

/// Runs the command line and returns its exit code.
#[must_use]
pub fn main() -> std::process::ExitCode {
    std::process::ExitCode::SUCCESS
}
