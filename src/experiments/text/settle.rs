//! Knobs that constrain each other.

use crate::experiments::induction;
use crate::experiments::transformer::settle::{self, replace};
use crate::knobs::Knobs;
use crate::protocol::Notice;

/// Greatest curvature of the loss along the default run, by power iteration.
const CURVATURE: f64 = 20.0;

/// Makes the knobs possible together. Settling twice changes nothing more.
pub fn settle(knobs: &mut Knobs) -> Vec<Notice> {
    settle::settle(knobs, data, CURVATURE)
}

/// A batch holds a window of text and a sequence that repeats.
fn data(knobs: &mut Knobs, notices: &mut Vec<Notice>) {
    if knobs.int("batch") < 2 {
        let why = "leaves no room for text beside a repeat";
        replace(knobs, "batch", 2, why, notices);
    }
    induction::settle::periods(knobs, notices);
}
