//! Stages as bands behind the curves. Each has a letter and a pattern, so that colour is never the
//! only sign.

use super::scene::{Anchor, Mark};

/// How a band is filled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pattern {
    /// A tint.
    Plain,
    /// A tint under slanted lines.
    Hatched,
    /// Nothing: only its ends are drawn.
    #[default]
    Open,
    /// Lines both ways.
    Crossed,
}

/// A stretch of steps.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Band {
    /// First step.
    pub from: f64,
    /// Last step.
    pub to: f64,
    /// What stands in it, where there is room.
    pub letter: String,
    /// Its fill.
    pub pattern: Pattern,
    /// Its end was set by hand.
    pub hand: bool,
    /// Tooltip.
    pub title: String,
}

/// Pixels between two lines of a hatching.
const SPACING: f64 = 7.0;

/// The bands in a plot of that rectangle (left, top, width, height), `px` giving the pixel of a step.
#[must_use]
pub fn marks(
    bands: &[Band],
    px: &dyn Fn(f64) -> f64,
    [left, top, width, height]: [f64; 4],
) -> Vec<Mark> {
    let mut out = Vec::new();
    let inside = |x: f64| x.clamp(left, left + width);
    for (i, band) in bands.iter().enumerate() {
        let (from, to) = (inside(px(band.from)), inside(px(band.to)));
        if !(from.is_finite() && to > from) {
            continue;
        }
        let (class, opacity, slants) = match band.pattern {
            Pattern::Plain => ("stage rises", 0.09, &[1.0][..0]),
            Pattern::Hatched => ("stage falls", 0.12, &[1.0][..]),
            Pattern::Open => ("stage", 0.0, &[][..]),
            Pattern::Crossed => ("stage", 0.05, &[1.0, -1.0][..]),
        };
        let rect = [from, top, to - from, height];
        out.push(Mark::Rect {
            class: class.into(),
            rect,
            opacity,
            title: band.title.clone(),
        });
        for slant in slants {
            out.push(Mark::Clip {
                rect,
                marks: vec![hatching(rect, *slant)],
            });
        }
        if i > 0 {
            let class = if bands[i - 1].hand {
                "stage-end hand"
            } else {
                "stage-end"
            };
            out.push(Mark::line(class, [from, top], [from, top + height]));
        }
        if to - from > 5.0 + 7.0 * band.letter.chars().count() as f64 {
            out.push(Mark::text(
                "stage-letter",
                [(from + to) / 2.0, top + 11.0],
                Anchor::Middle,
                &band.letter,
            ));
        }
    }
    out
}

/// Slanted lines over a rectangle and beyond, as one path; `slant` 1 rises to the right.
fn hatching([left, top, width, height]: [f64; 4], slant: f64) -> Mark {
    let first = ((left - height) / SPACING).floor() as i64;
    let last = ((left + width) / SPACING).ceil() as i64;
    let points = (first..=last).flat_map(|i| {
        let x = i as f64 * SPACING;
        let ends = [x, x + height];
        let [a, b] = if slant > 0.0 {
            ends
        } else {
            [ends[1], ends[0]]
        };
        [[a, top + height], [b, top], [f64::NAN, f64::NAN]]
    });
    Mark::Path {
        class: "hatching".into(),
        points: points.collect(),
        area: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(pattern: Pattern) -> Vec<Mark> {
        let band = |from, to, letter: &str| Band {
            from,
            to,
            letter: letter.into(),
            pattern,
            title: "a".into(),
            hand: false,
        };
        let bands = [
            band(-10.0, 40.0, "A"),
            band(40.0, 40.5, "B"),
            band(40.5, 300.0, "A/B"),
        ];
        marks(&bands, &|x| 2.0 * x, [20.0, 5.0, 200.0, 50.0])
    }

    #[test]
    fn bands_are_told_apart_without_colour() {
        let hatchings = |p| {
            let lines = |m: &&Mark| matches!(m, Mark::Clip { .. });
            drawn(p).iter().filter(lines).count()
        };
        let all = [
            Pattern::Plain,
            Pattern::Hatched,
            Pattern::Open,
            Pattern::Crossed,
        ];
        assert_eq!(all.map(hatchings), [0, 3, 0, 6]);
        // What stands beyond the plot is cut at its edge; a narrow band has no room for its letter.
        let rects: Vec<[f64; 4]> = drawn(Pattern::Plain)
            .iter()
            .filter_map(|m| match m {
                Mark::Rect { rect, .. } => Some(*rect),
                _ => None,
            })
            .collect();
        assert_eq!(rects[0], [20.0, 5.0, 60.0, 50.0]);
        assert_eq!(rects[2], [81.0, 5.0, 139.0, 50.0]);
        let letters: Vec<String> = drawn(Pattern::Plain)
            .into_iter()
            .filter_map(|m| match m {
                Mark::Text { text, .. } => Some(text),
                _ => None,
            })
            .collect();
        assert_eq!(letters, ["A", "A/B"]);
    }
}
