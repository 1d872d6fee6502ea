//! What a reader of a λ̂ curve must know before believing it. Pure.

use super::health::COARSE;
use crate::knobs::{Knobs, Value};
use crate::plot::number::significant;
use crate::protocol::LlcPoint;

/// Two digits, as a link has them.
fn rounded(x: f64) -> String {
    let of = format!("{x:.1e}").parse();
    Value::Float(of.unwrap_or(x)).text()
}

/// λ̂ over what the spring and tr H alone give, where the two count as one.
const ALIKE: [f64; 2] = [0.85, 1.15];

/// What a reader of the curve must know before believing it: how many of its points a step too large
/// inflates, and whether λ̂ at its end is more than the trace of the Hessian under the spring, which
/// nβ/(2γ)·tr H − nβ²‖∇L‖²/γ tells without any chain. None where neither is so.
#[must_use]
pub fn beware(points: &[LlcPoint], knobs: &Knobs) -> Option<String> {
    let [nbeta, gamma, eps] = ["nbeta", "gamma", "eps"].map(|key| knobs.float(key));
    let mut out = Vec::new();
    let coarse = points
        .iter()
        .filter_map(|p| p.index.filter(|i| *i >= COARSE));
    let (n, worst) = coarse.fold((0, 0.0f64), |(n, worst), i| (n + 1, worst.max(i)));
    if n > 0 {
        let by = match worst < 1.0 {
            true => format!(
                "up to {} times too large along its stiffest direction, λ̂ by less",
                significant(1.0 / (1.0 - worst), 3)
            ),
            false => "chains can run away".into(),
        };
        out.push(format!(
            "At {n} of {} points ε is too large for the curvature (ε·a/4 up to {}: {by}); ε {} would do.",
            points.len(),
            significant(worst, 2),
            rounded(0.1 * eps / worst)
        ));
    }
    let known = |p: &LlcPoint| Some((p.step, p.value, p.curvature?));
    let last = points.iter().rev().find_map(known).filter(|_| gamma > 0.0);
    if let Some((step, value, c)) = last {
        let alone = nbeta / gamma * (0.5 * c.trace - nbeta * c.gradient_sq);
        if alone > 0.0 && (ALIKE[0]..ALIKE[1]).contains(&(value / alone)) {
            out.push(format!(
                "At step {step} λ̂ is {} and the spring and the descent alone give {}: at this γ it says little more than the trace of H does.",
                significant(value, 3),
                significant(alone, 3)
            ));
        }
    }
    (!out.is_empty()).then(|| out.join(" "))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::app::link::parse;
    use crate::protocol::Curved;

    #[test]
    fn coarse_steps_and_a_bare_trace_are_told_and_a_good_curve_is_not() {
        let knobs = parse("#/induction?nbeta=100&gamma=1000&eps=1e-4").knobs;
        let point = |index, value, trace| LlcPoint {
            step: 40,
            index: Some(index),
            value,
            curvature: Some(Curved {
                trace,
                ..Curved::default()
            }),
            ..LlcPoint::default()
        };
        // The spring alone: nβ/2γ·tr H = 0.05·tr H.
        let good = [point(0.05, 40.0, 300.0), point(0.1, 30.0, 300.0)];
        assert_eq!(beware(&good, &knobs), None);

        let coarse = beware(&[good[0].clone(), point(0.2, 30.0, 300.0)], &knobs).unwrap();
        assert!(
            coarse.starts_with("At 1 of 2 points ε is too large"),
            "{coarse}"
        );
        assert!(
            coarse.contains("up to 1.25 times") && coarse.ends_with("ε 5e-5 would do."),
            "{coarse}"
        );
        let bare = beware(&[point(0.05, 15.5, 300.0)], &knobs).unwrap();
        assert!(
            bare.contains("λ̂ is 15.5 and the spring and the descent alone give 15"),
            "{bare}"
        );
        // A descent that is not over takes from what the trace gives.
        let mut falling = point(0.05, 15.5, 300.0);
        falling.curvature.as_mut().unwrap().gradient_sq = 1.0;
        assert_eq!(beware(&[falling], &knobs), None);
    }
}
