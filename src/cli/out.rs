//! The one door for printing: a pipe that was closed, as by `head`, takes no more, and that is no fault.

use std::fmt::Display;
use std::io::Write;

/// A line of what was asked for.
pub fn line(text: impl Display) {
    // Whoever reads has read enough; there is nobody else to be told.
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// A remark beside it.
pub fn remark(text: impl Display) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
