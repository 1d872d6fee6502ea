//! Curves over training steps: linear or logarithmic axes, direct labels at the line ends, bands
//! for standard errors, reference lines, and a cursor drawn as a second scene on top.

use super::bands::{self, Band};
use super::decimate::decimate;
use super::names;
use super::scale::{LOG_ZERO, Scale, padded, range};
use super::scene::{Anchor, Mark, Scene};

/// One curve. `x` rises; `lo` and `hi` are either empty or as long as `y`.
#[derive(Clone, Debug, Default)]
pub struct Line<'a> {
    /// Name at its end; a curve without a name is a faint one among many.
    pub label: String,
    /// CSS classes: which colour, dashes, `recorded`.
    pub class: String,
    /// Steps.
    pub x: &'a [f64],
    /// Values.
    pub y: &'a [f64],
    /// Lower end of the band.
    pub lo: &'a [f64],
    /// Upper end of the band.
    pub hi: &'a [f64],
    /// A dot at each point, as for sparse estimates.
    pub dots: bool,
    /// It sets no value axis, and leaves the chart where it goes beyond.
    pub aside: bool,
}

/// A horizontal line with a name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Level {
    /// Its value.
    pub y: f64,
    /// Its name.
    pub label: String,
    /// One sentence for the tooltip.
    pub help: String,
}

/// A chart before it is drawn.
#[derive(Clone, Debug, Default)]
pub struct LineChart<'a> {
    /// Pixels.
    pub width: f64,
    /// Pixels.
    pub height: f64,
    /// What a screen reader says.
    pub label: String,
    /// Name and unit of y, over the axis.
    pub y_title: String,
    /// Steps of the whole run: where the time axis ends.
    pub x_max: f64,
    /// The steps shown, where that is not the whole run.
    pub window: Option<[f64; 2]>,
    /// Logarithmic time.
    pub log_x: bool,
    /// Logarithmic values.
    pub log_y: bool,
    /// Whether 0 belongs to the value axis.
    pub from_zero: bool,
    /// A value that belongs to the axis besides.
    pub upto: Option<f64>,
    /// What the other axis counts, where that is not steps.
    pub along: &'static str,
    /// Another one: with `upto`, one scale for several charts.
    pub downto: Option<f64>,
    /// Without names at the line ends, as the cursor's own labels name the curves.
    pub quiet: bool,
    /// Points before this step set no value axis.
    pub settled: f64,
    /// Curves, back to front.
    pub lines: Vec<Line<'a>>,
    /// Reference lines.
    pub levels: Vec<Level>,
    /// Stages, behind everything.
    pub bands: Vec<Band>,
    /// Steps at which something happened, with a word for it.
    pub events: Vec<(f64, String)>,
}

/// Where the data stand in a drawn chart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frame {
    /// Steps, or the first principal component.
    pub x: Scale,
    /// Values.
    pub y: Scale,
}

/// A drawn chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// The picture.
    pub scene: Scene,
    /// Its axes.
    pub frame: Frame,
    /// Points drawn of the first named curve that is not drawn in grey.
    pub points: usize,
}

const TOP: f64 = 22.0;
const BOTTOM: f64 = 40.0;
const LEFT: f64 = 44.0;
/// Radius of a dot.
const DOT: f64 = 2.6;

impl LineChart<'_> {
    /// Draws it.
    #[must_use]
    pub fn draw(&self) -> Chart {
        let frame = self.frame();
        let mut marks = bands::marks(&self.bands, &|s| self.step_px(&frame, s), inner(&frame));
        marks.extend(self.axes(&frame));
        marks.extend(self.happened(&frame));
        let names = self.names(&frame);
        marks.extend(self.level_lines(&frame));
        let (plot, points) = self.curves(&frame);
        let [left, top, width, height] = inner(&frame);
        // Of the whole run nothing stands beyond: a dot at its first or last step is seen whole.
        let [first, last] = self.window.unwrap_or([0.0, self.x_max]);
        let all = first <= 0.0 && last >= self.x_max;
        let side = if all { DOT } else { 0.0 };
        marks.push(Mark::Clip {
            rect: [left - side, top, width + 2.0 * side, height],
            marks: plot,
        });
        marks.extend(self.cut_off(&frame));
        marks.extend(names.iter().flat_map(|n| n.marks(self.quiet)));
        let scene = Scene {
            width: self.width,
            height: self.height,
            label: self.label.clone(),
            marks,
        };
        Chart {
            scene,
            frame,
            points,
        }
    }

    fn frame(&self) -> Frame {
        let longest = self
            .lines
            .iter()
            .map(|l| &l.label)
            .chain(self.levels.iter().map(|l| &l.label))
            .map(|l| names::width(l))
            .fold(0.0, f64::max);
        let right = (longest + 14.0).clamp(12.0, (self.width * 0.3).max(12.0));
        let values = || {
            let counted = self.lines.iter().filter(|l| !l.aside);
            counted.flat_map(|l| {
                let seen = self.seen(l);
                let n = l.x.partition_point(|x| *x < self.counts_from());
                let seen = seen.start.max(n).min(seen.end)..seen.end;
                let part = |v: &'_ [f64]| v.get(seen.clone()).unwrap_or_default().to_vec();
                [part(l.y), part(l.lo), part(l.hi)].into_iter().flatten()
            })
        };
        let zero = if self.from_zero { Some(0.0) } else { None };
        let seen = range(values(), self.log_y).and_then(|(low, high)| {
            range(
                [low, high]
                    .into_iter()
                    .chain(zero)
                    .chain(self.upto)
                    .chain(self.downto),
                self.log_y,
            )
        });
        let levels = || self.levels.iter().map(|l| l.y);
        let (low, high) = match seen {
            // A level far outside the data is not worth squeezing the data for.
            Some((low, high)) => {
                let near = levels().filter(|y| {
                    let room = if self.log_y {
                        2.0 * low.max(f64::MIN_POSITIVE)
                    } else {
                        0.6 * (high - low)
                    };
                    *y > low - room && *y < high + room && (!self.log_y || *y > low / 3.0)
                });
                range(near.chain([low, high]), self.log_y).unwrap_or((low, high))
            }
            None => {
                range(levels(), self.log_y).unwrap_or((if self.log_y { 0.1 } else { 0.0 }, 1.0))
            }
        };
        let (low, high) = padded((low, high), self.log_y, 0.06);
        let [first, last] = self.window.unwrap_or([0.0, self.x_max]);
        let least = if self.log_x { LOG_ZERO } else { 0.0 };
        Frame {
            x: Scale {
                log: self.log_x,
                min: first.max(least),
                max: if last.is_finite() { last.max(1.0) } else { 1.0 },
                from: LEFT,
                to: (self.width - right).max(LEFT + 20.0),
            },
            y: Scale {
                log: self.log_y,
                min: low,
                max: high,
                from: (self.height - BOTTOM).max(TOP + 20.0),
                to: TOP,
            },
        }
    }

    fn axes(&self, frame: &Frame) -> Vec<Mark> {
        let [left, top, width, height] = inner(frame);
        let (right, bottom) = (left + width, top + height);
        let mut marks = vec![Mark::text(
            "axis-title",
            [2.0, 12.0],
            Anchor::Start,
            &self.y_title,
        )];
        for (y, text) in frame.y.ticks((height / 42.0) as usize + 1) {
            let py = frame.y.px(y);
            marks.push(Mark::line("grid", [left, py], [right, py]));
            marks.push(Mark::text(
                "tick",
                [left - 6.0, py + 4.0],
                Anchor::End,
                text,
            ));
        }
        let mut ticks = frame.x.ticks((width / 62.0) as usize + 1);
        if self.log_x && frame.x.min == LOG_ZERO {
            ticks.insert(0, (LOG_ZERO, "0".into()));
        }
        for (x, text) in ticks {
            let at = frame.x.px(x);
            marks.push(Mark::line("axis", [at, bottom], [at, bottom + 4.0]));
            marks.push(Mark::text(
                "tick",
                [at, bottom + 16.0],
                Anchor::Middle,
                text,
            ));
        }
        marks.push(Mark::line("axis", [left, bottom], [right, bottom]));
        marks.push(Mark::text(
            "axis-title",
            [frame.x.to, self.height - 6.0],
            Anchor::End,
            self.along(),
        ));
        marks
    }

    /// The title of the axis across.
    pub(super) fn along(&self) -> &'static str {
        match self.along {
            "" => "step",
            along => along,
        }
    }

    fn curves(&self, frame: &Frame) -> (Vec<Mark>, usize) {
        let mut marks = Vec::new();
        let mut points = None;
        for line in &self.lines {
            let n = line.x.len().min(line.y.len());
            // A curve that leaves the window goes on to its edge.
            let seen = self.seen(line);
            let drawn = seen.start.saturating_sub(1)..(seen.end + 1).min(n);
            let cut = |v: &'_ [f64]| v.get(drawn.clone()).unwrap_or_default().to_vec();
            let [x, y, lo, hi] = [line.x, line.y, line.lo, line.hi].map(cut);
            let x: Vec<f64> = x.iter().map(|x| self.step_px(frame, *x)).collect();
            let y: Vec<f64> = y.iter().map(|y| frame.y.px(*y)).collect();
            let n = x.len();
            let kept = decimate(&x, &y);
            if lo.len() >= n && hi.len() >= n && n > 0 {
                let edge = |v: &[f64], i: usize| [x[i], frame.y.px(v[i])];
                let band = kept
                    .iter()
                    .map(|i| edge(&hi, *i))
                    .chain(kept.iter().rev().map(|i| edge(&lo, *i)));
                let points = band
                    .filter(|p| p[0].is_finite() && p[1].is_finite())
                    .collect();
                marks.push(Mark::Path {
                    class: format!("band {}", line.class),
                    points,
                    area: true,
                });
            }
            let drawn: Vec<[f64; 2]> = kept.iter().map(|i| [x[*i], y[*i]]).collect();
            let beside = ["recorded", "thin"].map(|c| line.class.contains(c));
            let main = !line.label.is_empty() && beside == [false; 2];
            if main && points.is_none() {
                points = Some(
                    drawn
                        .iter()
                        .filter(|p| p[0].is_finite() && p[1].is_finite())
                        .count(),
                );
            }
            // One point makes no line.
            let dots = line.dots || drawn.len() == 1;
            let dots = if dots { drawn.clone() } else { Vec::new() };
            marks.push(Mark::Path {
                class: format!("line {}", line.class),
                points: drawn,
                area: false,
            });
            marks.extend(dots.into_iter().map(|at| Mark::Dot {
                class: format!("dot {}", line.class),
                at,
                r: DOT,
                title: String::new(),
            }));
        }
        (marks, points.unwrap_or(0))
    }

    /// The points of a curve that stand in the window, by index.
    pub(super) fn seen(&self, line: &Line) -> std::ops::Range<usize> {
        let n = line.x.len().min(line.y.len());
        let Some([first, last]) = self.window else {
            return 0..n;
        };
        let x = &line.x[..n];
        let from = x.partition_point(|x| *x < first);
        from..x.partition_point(|x| *x <= last).max(from)
    }

    /// The events: a line each, its word at the foot.
    fn happened(&self, frame: &Frame) -> Vec<Mark> {
        let [left, top, width, height] = inner(frame);
        let place = |(step, word): &(f64, String)| {
            let x = self.step_px(frame, *step);
            let foot = [x + 3.0, top + height - 4.0];
            (x >= left && x <= left + width).then(|| {
                let line = Mark::line("stage-end", [x, top], [x, top + height]);
                [line, Mark::text("tick", foot, Anchor::Start, word)]
            })
        };
        self.events.iter().filter_map(place).flatten().collect()
    }

    pub(super) fn step_px(&self, frame: &Frame, step: f64) -> f64 {
        frame
            .x
            .px(if self.log_x { step.max(LOG_ZERO) } else { step })
    }
}

/// Left, top, width, height of the plot itself.
pub(super) fn inner(frame: &Frame) -> [f64; 4] {
    [
        frame.x.from,
        frame.y.to,
        frame.x.to - frame.x.from,
        frame.y.from - frame.y.to,
    ]
}

#[cfg(test)]
mod tests;
