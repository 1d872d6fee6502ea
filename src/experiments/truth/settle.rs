//! Knobs of the gallery that constrain each other, and what would run away.

use super::Target;
use crate::experiments::{chains, limits};
use crate::knobs::{Knobs, Value};
use crate::protocol::Notice;

/// Settles knobs that constrain each other.
pub fn settle(knobs: &mut Knobs) -> Vec<Notice> {
    let mut notices = Vec::new();
    let target = knobs.word("target");
    let mut put = |knobs: &mut Knobs, key: &str, value: Value, why: String| {
        knobs.put(key, value);
        notices.push(Notice::about(key, format!("{key}: {why}")));
    };
    if target == "power" && knobs.int("p") % 2 == 1 {
        let p = knobs.int("p") + 1;
        put(
            knobs,
            "p",
            Value::Int(p),
            format!("an odd power has no minimum; using {p}."),
        );
    }
    if target == "crossing" && knobs.int("a") + knobs.int("b") == 0 {
        let why = "with both exponents 0 the loss is a constant; using 1.";
        put(knobs, "b", Value::Int(1), why.into());
    }
    let narrowest = knobs.list("widths").iter().copied().fold(8.0, f64::min) as i64;
    if target == "dln" && knobs.int("rank") > narrowest {
        let why = format!("the narrowest layer has width {narrowest}; using {narrowest}.");
        put(knobs, "rank", Value::Int(narrowest), why);
    }
    if target == "tms" && knobs.int("gon") > knobs.int("features") {
        let c = knobs.int("features");
        put(
            knobs,
            "gon",
            Value::Int(c),
            format!("there are {c} features; using {c}."),
        );
    }
    if target == "linreg" && knobs.int("mbatch") > knobs.int("n") {
        let n = knobs.int("n");
        put(
            knobs,
            "mbatch",
            Value::Int(n),
            format!("there are {n} samples; using {n}."),
        );
    }
    let whole = (target == "linreg").then(|| knobs.int("n"));
    chains::settle(knobs, whole, |_| true, &mut notices);
    // MALA rejects what would run away, and a preconditioned step is not ε alone.
    let h = Target::of(knobs).curvature(knobs.int("seed") as u32);
    if knobs.word("sampler") == "sgld" {
        limits::stable(knobs, h, &mut notices);
    }
    limits::preconditioned(knobs, h, &mut notices);
    notices
}
