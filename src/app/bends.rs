//! The bends of a path, in words.

pub use crate::instruments::bends::{Bend, Bends, bends, bends_within, figure};
use crate::plot::number::{fixed, grouped};

/// The kinks of the path through `steps` as a chart marks them: the point, the path's first being `first`,
/// and its label.
#[must_use]
pub fn marks(bends: &Bends, steps: &[f64], first: usize) -> Vec<(usize, String)> {
    let label = |b: &Bend| format!("{}: {}°", place(b, "–"), fixed(b.angle, 0));
    let point = |b: &Bend| Some(first + steps.iter().position(|s| *s == b.step)?);
    let all = bends.kinks();
    all.filter_map(|b| Some((point(b)?, label(b)))).collect()
}

/// Its step, or the first and the last where the path rested there.
fn place(b: &Bend, and: &str) -> String {
    let [from, to] = b.rest.unwrap_or([b.step; 2]).map(|s| grouped(s as u64));
    match b.rest {
        Some(_) => format!("{from}{and}{to}"),
        None => from,
    }
}

/// The kinks, each with its step and angle; empty without.
#[must_use]
pub fn listed(bends: &Bends) -> String {
    let one = |b: &Bend| {
        let kind = if b.cusp() { "cusp" } else { "kink" };
        let at = match b.rest {
            Some(_) => "between steps",
            None => "at step",
        };
        format!("{kind} {at} {}, {}°", place(b, " and "), fixed(b.angle, 0))
    };
    bends.kinks().map(one).collect::<Vec<_>>().join("; ")
}

/// What stands beside a path: its kinks, or that it bends as drift does, and how much that is.
#[must_use]
pub fn told(bends: &Bends) -> String {
    let sharpest = bends.all.iter().max_by(|a, b| a.angle.total_cmp(&b.angle));
    let Some(top) = sharpest else {
        // Paths of too few points have no arc to be compared with.
        return if bends.arc > 0.0 {
            "its points scatter too much to tell bends".into()
        } else {
            String::new()
        };
    };
    let drift = format!("(drift: {}°)", fixed(bends.arc, 0));
    let all = listed(bends);
    if all.is_empty() {
        let angle = fixed(top.angle, 0);
        // Upwards, lest a bend short of it reads as if it were one.
        let needed = fixed(bends.needed(top).ceil(), 0);
        let arc = fixed(bends.arc, 0);
        return format!("no kink; sharpest bend {angle}° (drift: {arc}°, a kink: from {needed}°)");
    }
    format!("{all} {drift}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinks_are_told_with_their_step_and_angle() {
        let bend = |step, angle, kink| Bend {
            step,
            angle,
            noise: 2.0,
            rest: (step == 950.0).then_some([900.0, 3900.0]),
            kink,
        };
        let mut bends = Bends {
            all: vec![
                bend(500.0, 40.0, false),
                bend(900.0, 83.4, true),
                bend(950.0, 170.0, true),
            ],
            arc: 34.2,
        };
        let said =
            "kink at step 900, 83°; cusp between steps 900 and 3\u{202f}900, 170° (drift: 34°)";
        assert_eq!(told(&bends), said);
        let found = marks(&bends, &[0.0, 500.0, 900.0, 950.0], 40);
        assert_eq!(found.iter().map(|k| k.0).collect::<Vec<_>>(), [42, 43]);
        assert_eq!(found[1].1, "900–3\u{202f}900: 170°");
        bends.all.truncate(1);
        assert!(
            marks(&bends, &[500.0], 0).is_empty()
                && told(&bends) == "no kink; sharpest bend 40° (drift: 34°, a kink: from 55°)"
        );
        assert_eq!(told(&Bends::default()), "");
        bends.all.clear();
        assert!(told(&bends).contains("scatter"));
    }
}
