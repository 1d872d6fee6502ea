//! Knobs that constrain each other: each replacement is named to the reader.

use crate::experiments::transformer::settle::{self, replace};
use crate::knobs::Knobs;
use crate::protocol::Notice;

/// Greatest curvature of the loss along the tiny run, by power iteration on 64 sequences: 0.5 before
/// the drop, 14 in the middle of it, 6 after it.
const CURVATURE: f64 = 14.0;

/// Makes the knobs possible together. Settling twice changes nothing more.
pub fn settle(knobs: &mut Knobs) -> Vec<Notice> {
    settle::settle(knobs, periods, CURVATURE)
}

/// The first period is drawn without replacement, and at least one repeat target must follow it.
pub(in crate::experiments) fn periods(knobs: &mut Knobs, notices: &mut Vec<Notice>) {
    let (vocab, ctx) = (knobs.int("vocab"), knobs.int("ctx"));
    let most = vocab.min(ctx - 2);
    if knobs.int("pmax") > most {
        let why = format!("is more than a vocabulary of {vocab} and a context of {ctx} allow");
        replace(knobs, "pmax", most, &why, notices);
    }
    let pmax = knobs.int("pmax");
    if knobs.int("pmin") > pmax {
        replace(
            knobs,
            "pmin",
            pmax,
            &format!("is above pmax {pmax}"),
            notices,
        );
    }
}
