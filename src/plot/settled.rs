//! Points that come before a curve has settled: they set no axis, and what of them falls beyond it is
//! marked at the edge.
//!
//! λ̂ is below 0 where w* is no minimum of the loss, as in the first steps of training, and may be so by
//! any amount: the chains go downhill, and how far says nothing of the model.

use super::line::{Frame, LineChart, inner};
use super::number::{fixed, significant};
use super::scene::{Anchor, Mark};

/// Points below 0 by less than this share of what the settled ones span do not stretch an axis.
const SHARE: f64 = 0.25;

/// Least distance of two arrows, in pixels: of those that would cover each other the last one stands.
const APART: f64 = 9.0;

/// The step of the first point of λ̂ that is not below 0, where those before it would stretch the axis;
/// else 0.
#[must_use]
pub fn settled(x: &[f64], y: &[f64]) -> f64 {
    let Some(at) = y.iter().position(|y| *y >= 0.0) else {
        return 0.0;
    };
    let finite = |v: &[f64], most: fn(f64, f64) -> f64| {
        let all = v.iter().copied().filter(|y| y.is_finite());
        all.fold(0.0, most)
    };
    let (before, after) = y.split_at(at);
    let (low, high) = (finite(after, f64::min), finite(after, f64::max));
    let stretches = finite(before, f64::min) < low - SHARE * (high - low);
    x.get(at).copied().filter(|_| stretches).unwrap_or(0.0)
}

impl LineChart<'_> {
    /// Where points begin to set the value axis: not behind the window, which would leave it none.
    pub(super) fn counts_from(&self) -> f64 {
        match self.window {
            Some([_, last]) if last < self.settled => 0.0,
            _ => self.settled,
        }
    }

    /// An arrow at the edge for each point of a named curve that is cut off before it has settled.
    pub(super) fn cut_off(&self, frame: &Frame) -> Vec<Mark> {
        let [_, top, _, height] = inner(frame);
        let mut marks = Vec::new();
        for line in self.lines.iter().filter(|l| !l.label.is_empty()) {
            let mut right = f64::INFINITY;
            let early = self.seen(line).filter(|&i| line.x[i] < self.counts_from());
            for i in early.rev() {
                let (y, told) = (frame.y.px(line.y[i]), line.y[i]);
                let (arrow, at) = match y {
                    y if y > top + height => ("↓", top + height - 3.0),
                    y if y < top => ("↑", top + 11.0),
                    _ => continue,
                };
                let x = self.step_px(frame, line.x[i]);
                if right - x < APART {
                    continue;
                }
                right = x;
                marks.push(Mark::Text {
                    class: "tick".into(),
                    at: [x, at],
                    anchor: Anchor::Middle,
                    text: arrow.into(),
                    title: format!(
                        "{} {} at step {}, beyond the axis",
                        line.label,
                        significant(told, 3),
                        fixed(line.x[i], 0)
                    ),
                });
            }
        }
        marks
    }
}

#[cfg(test)]
mod tests {
    use super::super::line::Line;
    use super::*;

    const X: [f64; 6] = [0.0, 3.0, 10.0, 20.0, 30.0, 40.0];
    const Y: [f64; 6] = [-900.0, -200.0, 4.0, 6.0, -1.0, 8.0];

    fn chart(settled: f64, window: Option<[f64; 2]>) -> LineChart<'static> {
        LineChart {
            width: 400.0,
            height: 300.0,
            x_max: 40.0,
            window,
            from_zero: true,
            settled,
            lines: vec![Line {
                label: "λ̂".into(),
                x: &X,
                y: &Y,
                ..Line::default()
            }],
            ..LineChart::default()
        }
    }

    #[test]
    fn the_axis_is_that_of_the_settled_points_and_the_others_are_marked() {
        assert_eq!(settled(&X, &Y), 10.0);
        let drawn = chart(10.0, None).draw();
        assert!(
            drawn.frame.y.min > -2.0 && drawn.frame.y.max < 9.0,
            "{:?}",
            drawn.frame.y
        );
        let svg = drawn.scene.svg();
        assert_eq!(svg.matches('↓').count(), 2);
        assert!(svg.contains("λ̂ −900 at step 0, beyond the axis"), "{svg}");
        // A point below 0 that comes later is on the axis: only what has not settled is cut off.
        assert!(drawn.frame.y.px(-1.0) < drawn.frame.y.from);
        // Planted: every point sets the axis, and the curve is flat.
        let flat = chart(0.0, None).draw();
        assert!(flat.frame.y.min < -800.0 && !flat.scene.svg().contains('↓'));
    }

    #[test]
    fn the_nulls_under_it_have_their_axis_from_the_same_points() {
        use super::super::panels::{LlcCurve, Look, lower, nulls};
        let look = Look {
            width: 400.0,
            height: 130.0,
            x_max: 40.0,
            log_x: false,
            log_y: false,
            recorded: false,
            window: None,
        };
        let curve = LlcCurve {
            x: &X,
            y: &Y,
            lo: &Y,
            hi: &Y,
        };
        let lines = || {
            vec![Line {
                label: "λ̂".into(),
                x: &X,
                y: &Y,
                ..Line::default()
            }]
        };
        let drawn = nulls(&look, curve, lines()).draw();
        assert!(drawn.frame.y.min > -2.0, "{:?}", drawn.frame.y);
        assert_eq!(drawn.scene.svg().matches('↓').count(), 2);
        // Planted: a panel that knows nothing of the curve above it.
        let other = lower(&look, "λ̂ and its nulls", lines()).draw();
        assert!(other.frame.y.min < -800.0);
    }

    #[test]
    fn a_window_before_it_has_settled_shows_what_is_there() {
        let drawn = chart(10.0, Some([0.0, 5.0])).draw();
        assert!(drawn.frame.y.min < -800.0 && !drawn.scene.svg().contains('↓'));
    }

    #[test]
    fn what_does_not_stretch_the_axis_stays_on_it() {
        let a_little = [-1.0, -0.5, 4.0, 6.0, 7.0, 8.0];
        assert_eq!(settled(&X, &a_little), 0.0);
        assert_eq!(settled(&X, &[-9.0; 6]), 0.0);
        assert_eq!(settled(&X, &[f64::NAN, -900.0, 4.0, 6.0, 7.0, 8.0]), 10.0);
        assert_eq!(settled(&[], &[]), 0.0);
    }
}
