//! The lines through λ̂: the broken one that stages are read from, and a smooth that decides nothing.

use super::line::Line;
use super::panels::Look;

/// Their columns.
#[derive(Clone, Debug, Default)]
pub struct Fits {
    broken: [Vec<f64>; 2],
    /// Steps, values, and both ends of the band.
    smooth: [Vec<f64>; 4],
}

impl Fits {
    /// From the points of the broken line, and step, value and standard deviation of the smooth.
    #[must_use]
    pub fn of(broken: &[[f64; 2]], smooth: &[[f64; 3]]) -> Self {
        let of = |f: &dyn Fn(&[f64; 3]) -> f64| smooth.iter().map(f).collect();
        Self {
            broken: [0, 1].map(|k| broken.iter().map(|p| p[k]).collect()),
            smooth: [
                of(&|p| p[0]),
                of(&|p| p[1]),
                of(&|p| p[1] - p[2]),
                of(&|p| p[1] + p[2]),
            ],
        }
    }

    /// Whether there are any.
    #[must_use]
    pub fn there(&self) -> bool {
        !self.smooth[0].is_empty() || !self.broken[0].is_empty()
    }

    /// As curves, to be drawn behind the points.
    #[must_use]
    pub fn lines(&self, look: &Look) -> [Line<'_>; 2] {
        let [x, y, lo, hi] = &self.smooth;
        let line = |label: &str, class: &str, x, y| Line {
            label: label.into(),
            class: look.class(class) + " thin",
            x,
            y,
            ..Line::default()
        };
        let smooth = Line {
            lo,
            hi,
            aside: true,
            ..line("smooth", "s3", &x[..], &y[..])
        };
        let [x, y] = &self.broken;
        [smooth, line("fit", "s1", x, y)].map(|l| Line {
            label: if l.x.is_empty() {
                String::new()
            } else {
                l.label.clone()
            },
            ..l
        })
    }
}
