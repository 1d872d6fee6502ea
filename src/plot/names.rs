//! Names of curves and reference lines: placed together, so that none covers another.

use super::labels::spread;
use super::line::{Frame, LineChart, inner};
use super::scene::{Anchor, Mark};

/// Least distance of two baselines, in pixels.
const GAP: f64 = 13.0;
/// Width of a character of a name, about, at 12 px.
const CHARACTER: f64 = 6.4;
/// A name moved further than this gets a line to what it names.
const FAR: f64 = 4.0;

/// Width of a name in pixels, about.
pub(super) fn width(text: &str) -> f64 {
    text.chars().count() as f64 * CHARACTER
}

/// A name and its place.
#[derive(Clone, Debug)]
pub(super) struct Name {
    text: String,
    class: String,
    title: String,
    curve: bool,
    /// What it names ends here.
    from: [f64; 2],
    /// Middle of its left edge.
    at: [f64; 2],
}

impl Name {
    /// The text, and a line to what it names if it stands far from it. The names of curves are left
    /// out where a cursor names them.
    pub(super) fn marks(&self, quiet: bool) -> Vec<Mark> {
        if quiet && self.curve {
            return Vec::new();
        }
        let mut marks = Vec::new();
        if (self.at[1] - self.from[1]).abs() > FAR {
            let to = [self.at[0] - 1.5, self.at[1]];
            marks.push(Mark::line(&format!("leader {}", self.class), self.from, to));
        }
        marks.push(Mark::Text {
            class: self.class.clone(),
            at: [self.at[0], self.at[1] + 4.0],
            anchor: Anchor::Start,
            text: self.text.clone(),
            title: self.title.clone(),
        });
        marks
    }
}

impl LineChart<'_> {
    /// Every name that finds room, curves first, then the levels in the order given: the last ones
    /// are the first to go, and stand in the chart's list of terms only.
    pub(super) fn names(&self, frame: &Frame) -> Vec<Name> {
        let [left, top, width, height] = inner(frame);
        let right = left + width;
        let curves = self
            .lines
            .iter()
            .filter(|l| !l.label.is_empty())
            .filter_map(|l| {
                let last = self
                    .seen(l)
                    .rev()
                    .find(|&i| frame.y.px(l.y[i]).is_finite())?;
                let x = self.step_px(frame, l.x[last]).min(right);
                Some(Name {
                    text: l.label.clone(),
                    class: format!("end {}", l.class),
                    title: String::new(),
                    curve: true,
                    from: [x + 1.0, frame.y.px(l.y[last]).clamp(top, top + height)],
                    at: [x + 8.0, 0.0],
                })
            });
        let levels = self.shown_levels(frame).map(|(level, y)| Name {
            text: level.label.clone(),
            class: "level-label".into(),
            title: level.help.clone(),
            curve: false,
            from: [right, y],
            at: [right + 8.0, 0.0],
        });
        let (low, high) = (top + 2.0, (top + height - 2.0).max(top + 2.0));
        let room = ((high - low) / GAP) as usize + 1;
        let mut names: Vec<Name> = curves.chain(levels).take(room).collect();
        let wanted: Vec<f64> = names.iter().map(|n| n.from[1]).collect();
        for (name, y) in names.iter_mut().zip(spread(&wanted, GAP, low, high)) {
            name.at[1] = y;
        }
        names
    }

    /// The reference lines themselves.
    pub(super) fn level_lines(&self, frame: &Frame) -> Vec<Mark> {
        let [left, _, width, _] = inner(frame);
        self.shown_levels(frame)
            .map(|(_, y)| Mark::line("level", [left, y], [left + width, y]))
            .collect()
    }

    fn shown_levels<'a>(
        &'a self,
        frame: &Frame,
    ) -> impl Iterator<Item = (&'a super::line::Level, f64)> {
        let [_, top, _, height] = inner(frame);
        let y = frame.y;
        self.levels
            .iter()
            .map(move |l| (l, y.px(l.y)))
            .filter(move |(_, y)| (top..=top + height).contains(y))
    }
}

#[cfg(test)]
mod tests {
    use super::super::line::{Level, Line};
    use super::*;

    /// The least distance between two of these heights.
    fn closest(mut y: Vec<f64>) -> f64 {
        crate::math::order::ascending(&mut y);
        y.windows(2).map(|p| p[1] - p[0]).fold(f64::MAX, f64::min)
    }

    #[test]
    fn names_of_curves_and_levels_never_touch() {
        let x = [0.0, 100.0];
        let (a, b) = ([3.6, 3.47], [3.5, 3.46]);
        let line = |label: &str, y| Line {
            label: label.into(),
            x: &x,
            y,
            ..Line::default()
        };
        let level = |y, label: &str| Level {
            y,
            label: label.into(),
            help: String::new(),
        };
        let mut chart = LineChart {
            width: 380.0,
            height: 300.0,
            x_max: 100.0,
            lines: vec![line("first", &a), line("all", &b)],
            levels: vec![
                level(3.466, "uniform"),
                level(3.45, "floor"),
                level(3.44, "unigram"),
            ],
            ..LineChart::default()
        };
        let drawn = chart.draw();
        let names = chart.names(&drawn.frame);
        assert_eq!(names.len(), 5);
        assert!(closest(names.iter().map(|n| n.at[1]).collect()) >= GAP - 1e-9);
        // Planted fault: where they wanted to stand, they would have overlapped.
        assert!(closest(names.iter().map(|n| n.from[1]).collect()) < GAP);
        let leaders = drawn.scene.svg().matches("leader").count();
        assert!((1..5).contains(&leaders), "{leaders}");
        // More levels than there is room for: the curves keep their names, none touches another.
        chart.levels = (0..60)
            .map(|i| level(3.4 + f64::from(i) * 0.004, "x"))
            .collect();
        let names = chart.names(&chart.draw().frame);
        assert!(names.len() < 25 && names[..2].iter().all(|n| n.curve));
        assert!(closest(names.iter().map(|n| n.at[1]).collect()) >= GAP - 1e-9);
    }
}
