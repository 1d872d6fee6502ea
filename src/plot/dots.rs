//! A dot for every model along one quantity, stacked where they would cover each other; under them the
//! median with its interval. With few models it is a strip, with many a histogram.

use super::scale::{Scale, padded, range};
use super::scene::{Anchor, Mark, Scene};

/// A dot.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dot {
    /// Where.
    pub x: f64,
    /// Tooltip.
    pub title: String,
    /// The model that is followed.
    pub followed: bool,
}

/// Pixels of a dot, across.
const SIZE: f64 = 7.0;
const LEFT: f64 = 12.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 6.0;
/// Room under the axis: the median's, and the ticks'.
const BOTTOM: f64 = 46.0;

/// The picture, `width` pixels wide, `axis` being its quantity; `median` with its interval, where there
/// is one.
#[must_use]
pub fn dots(
    all: &[Dot],
    median: Option<(f64, Option<(f64, f64)>)>,
    axis: &str,
    width: f64,
) -> Scene {
    let values = || all.iter().map(|d| d.x);
    let (min, max) = padded(range(values(), false).unwrap_or((0.0, 1.0)), false, 0.06);
    let scale = Scale {
        log: false,
        min,
        max,
        from: LEFT,
        to: (width - RIGHT).max(LEFT + 20.0),
    };
    // Dots stand in columns of their own width, so that what is stacked is what is close.
    let column = |x: f64| ((scale.px(x) - LEFT) / SIZE).floor();
    let height = |i: usize| {
        all[..i]
            .iter()
            .filter(|d| column(d.x) == column(all[i].x))
            .count()
    };
    let most = (0..all.len()).map(height).max().unwrap_or(0);
    let floor = TOP + SIZE * (most + 1) as f64;
    let mut marks = vec![Mark::line("axis", [scale.from, floor], [scale.to, floor])];
    for (x, text) in scale.ticks(((scale.to - scale.from) / 62.0) as usize + 1) {
        let at = scale.px(x);
        marks.push(Mark::line("grid", [at, TOP], [at, floor + 12.0]));
        marks.push(Mark::text("tick", [at, floor + 26.0], Anchor::Middle, text));
    }
    for (i, dot) in all.iter().enumerate() {
        let x = LEFT + SIZE * (column(dot.x) + 0.5);
        marks.push(Mark::Dot {
            class: format!("dot {}", if dot.followed { "s0" } else { "s1" }),
            at: [x, floor - SIZE * (height(i) as f64 + 0.5)],
            r: SIZE / 2.0 - 0.5,
            title: dot.title.clone(),
        });
    }
    if let Some((middle, interval)) = median {
        let (y, at) = (floor + 7.0, scale.px(middle));
        if let Some((a, b)) = interval {
            marks.push(Mark::line("line s4", [scale.px(a), y], [scale.px(b), y]));
        }
        marks.push(Mark::line("line s4", [at, y - 5.0], [at, y + 5.0]));
    }
    marks.push(Mark::text(
        "axis-title",
        [scale.to, floor + 40.0],
        Anchor::End,
        axis,
    ));
    Scene {
        width,
        height: floor + BOTTOM,
        label: format!("Distribution over the models: {axis}"),
        marks,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(x: &[f64]) -> Vec<[f64; 2]> {
        let all: Vec<Dot> = x
            .iter()
            .map(|&x| Dot {
                x,
                ..Dot::default()
            })
            .collect();
        let at = |m: &Mark| match m {
            Mark::Dot { at, .. } => Some(*at),
            _ => None,
        };
        let scene = dots(&all, Some((500.0, Some((400.0, 700.0)))), "step", 400.0);
        scene.marks.iter().filter_map(at).collect()
    }

    #[test]
    fn every_model_has_a_dot_of_its_own() {
        let at = drawn(&[500.0, 501.0, 900.0, 500.0, 100.0]);
        assert_eq!(at.len(), 5);
        // Close ones are stacked, none covers another.
        assert_eq!(at[0][0], at[3][0]);
        for (i, a) in at.iter().enumerate() {
            for b in &at[..i] {
                assert!(
                    (a[0] - b[0]).abs() >= SIZE || (a[1] - b[1]).abs() >= SIZE,
                    "{at:?}"
                );
            }
        }
        assert!(at[4][0] < at[0][0] && at[0][0] < at[2][0]);
        // One alone, none at all: there is a picture.
        assert_eq!(drawn(&[0.0]).len(), 1);
        assert!(drawn(&[]).is_empty());
    }
}
