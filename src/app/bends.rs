//! The bends of a path, in words.

pub use crate::instruments::bends::{Bend, Bends, bends};
use crate::plot::number::{fixed, grouped};

/// The kinks as a chart marks them: the step, and its label.
#[must_use]
pub fn marks(bends: &Bends) -> Vec<(f64, String)> {
    let label = |b: &Bend| format!("{}: {}°", grouped(b.step as u64), fixed(b.angle, 0));
    bends.kinks().map(|b| (b.step, label(b))).collect()
}

/// What stands beside a path: its kinks, or that it bends as drift does, and how much that is.
#[must_use]
pub fn told(bends: &Bends) -> String {
    let sharpest = bends.all.iter().max_by(|a, b| a.angle.total_cmp(&b.angle));
    let Some(top) = sharpest else {
        return String::new();
    };
    let drift = format!("(drift: {}°)", fixed(bends.arc, 0));
    let one = |b: &Bend| {
        let kind = if b.cusp() { "cusp" } else { "kink" };
        let (step, angle) = (grouped(b.step as u64), fixed(b.angle, 0));
        format!("{kind} at step {step}, {angle}°")
    };
    let all: Vec<String> = bends.kinks().map(one).collect();
    if all.is_empty() {
        let angle = fixed(top.angle, 0);
        let needed = fixed(bends.needed(top), 0);
        let arc = fixed(bends.arc, 0);
        return format!("no kink; sharpest bend {angle}° (drift: {arc}°, a kink: from {needed}°)");
    }
    format!("{} {drift}", all.join("; "))
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
        let said = "kink at step 900, 83°; cusp at step 950, 170° (drift: 34°)";
        assert_eq!(told(&bends), said);
        assert_eq!(marks(&bends).len(), 2);
        bends.all.truncate(1);
        assert!(
            marks(&bends).is_empty()
                && told(&bends) == "no kink; sharpest bend 40° (drift: 34°, a kink: from 54°)"
        );
        assert_eq!(told(&Bends::default()), "");
    }
}
