//! The trajectory in the plane of two principal components, coloured by step.

mod ends;

use super::line::{Chart, Frame};
use super::number;
use super::scale::{Scale, padded, range};
use super::scene::{Anchor, Mark, Scene};
use super::{RAMP, ramp_class};

/// A trajectory before it is drawn.
#[derive(Clone, Debug, Default)]
pub struct PathChart<'a> {
    /// Pixels.
    pub width: f64,
    /// Pixels.
    pub height: f64,
    /// What a screen reader says.
    pub label: String,
    /// Name of the horizontal axis, with its explained variance.
    pub x_title: String,
    /// Name of the vertical axis.
    pub y_title: String,
    /// Checkpoint steps.
    pub steps: &'a [f64],
    /// Coordinates.
    pub points: Vec<[f64; 2]>,
    /// Steps of the whole run: the end of the ramp.
    pub x_max: f64,
    /// Colour by the logarithm of the step.
    pub log_x: bool,
    /// Steps whose points the axes are made for; the path beyond is cut off. Two points at least.
    pub window: Option<[f64; 2]>,
    /// Same length per unit on both axes.
    pub equal: bool,
    /// A recorded trace: grey, without the ramp.
    pub recorded: bool,
    /// Points where a path has a kink, and what is written there; rings alone where nothing is.
    pub kinks: Vec<(usize, String)>,
    /// Points that are no path: nothing joins them, and each has a name of its own, told before its step.
    pub apart: Option<Vec<String>>,
    /// Several paths: where each begins, and its name, which stands at its end. None are one path.
    pub paths: Vec<(usize, String)>,
    /// So many points, the first, are a path to compare with: grey.
    pub faint: usize,
    /// A smoothed path is drawn thin over the points.
    pub smooth: bool,
    /// A step that is pinned to compare with: a ring, and its name.
    pub pinned: Option<f64>,
}

pub(super) const LEFT: f64 = 44.0;
pub(super) const TOP: f64 = 22.0;
pub(super) const RIGHT: f64 = 14.0;
const BOTTOM: f64 = 58.0;

impl PathChart<'_> {
    /// Draws it.
    #[must_use]
    pub fn draw(&self) -> Chart {
        let frame = self.frame();
        let mut marks = axes(&frame, &self.x_title, &self.y_title);
        let n = self.steps.len().min(self.points.len());
        let at: Vec<[f64; 2]> = self.points[..n]
            .iter()
            .map(|p| [frame.x.px(p[0]), frame.y.px(p[1])])
            .collect();
        let middle = at.iter().map(|p| p[1]).sum::<f64>() / n.max(1) as f64;
        let mut plot = Vec::new();
        let begins = |i: usize| self.paths.iter().any(|p| p.0 == i);
        for i in (1..if self.apart.is_some() { 0 } else { n }).filter(|i| !begins(*i)) {
            let class = format!("path {}", self.class_of(i));
            plot.push(Mark::Path {
                class,
                points: vec![at[i - 1], at[i]],
                area: false,
            });
        }
        for (i, &at) in at.iter().enumerate() {
            let name = self
                .apart
                .as_ref()
                .map(|names| names.get(i).map_or("", String::as_str));
            let r = if (i + 1 == n || begins(i + 1)) && name.is_none() {
                4.5
            } else {
                2.4
            };
            let step = number::fixed(self.steps[i], 0);
            let kink = self.kinks.iter().find(|k| k.0 == i);
            if let Some((_, label)) = kink {
                plot.push(Mark::Dot {
                    class: "kink".into(),
                    at,
                    r: 6.0,
                    title: String::new(),
                });
                // Above or below, whichever is away from the path, and towards the middle of the picture.
                let above = at[1] < middle;
                let right = at[0] > (frame.x.from + frame.x.to) / 2.0;
                let anchor = if right { Anchor::End } else { Anchor::Start };
                // At the lower edge there is no room below.
                let below = Some(at[1] + 17.0).filter(|y| !above && *y < frame.y.from - 3.0);
                let y = below.unwrap_or(at[1] - 9.0).max(TOP + 10.0);
                if !label.is_empty() {
                    plot.push(Mark::text("kink-step", [at[0], y], anchor, label));
                }
            }
            if self.pinned == Some(self.steps[i]) && i >= self.faint {
                plot.push(Mark::Dot {
                    class: "ring".into(),
                    at,
                    r: 8.5,
                    title: String::new(),
                });
                let y = if at[1] < TOP + 24.0 { 22.0 } else { -13.0 };
                let anchor = if at[0] > self.width * 0.8 {
                    Anchor::End
                } else {
                    Anchor::Start
                };
                let label = format!("pinned {step}");
                plot.push(Mark::text(
                    "cursor-value",
                    [at[0], at[1] + y],
                    anchor,
                    label,
                ));
            }
            let title = match name {
                Some(name) => format!("{name}, step {step}"),
                None => format!(
                    "step {step}{}",
                    if kink.is_some() { ", a kink" } else { "" }
                ),
            };
            plot.push(Mark::Dot {
                class: format!("dot {}", self.class_of(i)),
                at,
                r,
                title,
            });
        }
        plot.extend(self.ends(&frame, &at));
        if self.smooth {
            plot.push(Mark::Path {
                class: "line s3 thin".into(),
                points: smoothed(at.get(self.faint..).unwrap_or_default()),
                area: false,
            });
        }
        marks.push(Mark::Clip {
            rect: [LEFT, TOP, frame.x.to - LEFT, frame.y.from - TOP],
            marks: plot,
        });
        if !self.recorded {
            marks.extend(self.ramp_key());
        }
        let scene = Scene {
            width: self.width,
            height: self.height,
            label: self.label.clone(),
            marks,
        };
        Chart {
            scene,
            frame,
            points: n,
        }
    }

    /// The cursor: a ring around the checkpoint nearest to a step.
    #[must_use]
    pub fn cursor(&self, frame: &Frame, step: f64) -> Scene {
        let mut marks = Vec::new();
        let n = self.steps.len().min(self.points.len());
        // Of several paths each has a point there, and so has every pair of a scatter.
        let off = |i: &usize| (self.steps[*i] - step).abs();
        let nearest = (0..n).min_by(|a, b| off(a).total_cmp(&off(b)));
        let there = |&i: &usize| nearest.is_some_and(|k| self.steps[i] == self.steps[k]);
        let shown = |at: &[f64; 2]| {
            (LEFT..=frame.x.to).contains(&at[0]) && (TOP..=frame.y.from).contains(&at[1])
        };
        for i in (0..n).rev().filter(there) {
            let at = [frame.x.px(self.points[i][0]), frame.y.px(self.points[i][1])];
            if !shown(&at) {
                continue;
            }
            let named = marks.is_empty();
            marks.push(Mark::Dot {
                class: "ring".into(),
                at,
                r: 7.0,
                title: String::new(),
            });
            if !named {
                continue;
            }
            let left = at[0] > self.width * 0.6;
            let (dx, anchor) = if left {
                (-11.0, Anchor::End)
            } else {
                (11.0, Anchor::Start)
            };
            let text = format!("step {}", number::fixed(self.steps[i], 0));
            marks.push(Mark::text(
                "cursor-value",
                [at[0] + dx, at[1] + 4.0],
                anchor,
                text,
            ));
        }
        Scene {
            width: self.width,
            height: self.height,
            label: String::new(),
            marks,
        }
    }

    /// Every point as a row: its path or its own name, the step, both coordinates.
    #[must_use]
    pub fn csv(&self) -> String {
        // The titles of axes have commas.
        let mut out = format!("name,step,\"{}\",\"{}\"\n", self.x_title, self.y_title);
        for (i, (step, [x, y])) in self.steps.iter().zip(&self.points).enumerate() {
            let own = self.apart.as_ref().and_then(|a| a.get(i));
            let path = || self.paths.iter().rev().find(|p| p.0 <= i).map(|p| &p.1);
            let name = own.or_else(path).map_or("", String::as_str);
            out += &format!("{name},{step},{x},{y}\n");
        }
        out
    }

    /// The step whose point is nearest to a pixel.
    pub fn step_at(&self, frame: &Frame) -> impl Fn([f64; 2]) -> Option<f64> + use<> {
        let at = |p: &[f64; 2]| [frame.x.px(p[0]), frame.y.px(p[1])];
        let at: Vec<[f64; 2]> = self.points.iter().map(at).collect();
        let steps = self.steps.to_vec();
        move |px| {
            let far = |p: &[f64; 2]| (p[0] - px[0]).hypot(p[1] - px[1]);
            let nearest = at
                .iter()
                .zip(&steps)
                .min_by(|a, b| far(a.0).total_cmp(&far(b.0)));
            nearest.map(|n| *n.1)
        }
    }

    fn class_of(&self, i: usize) -> String {
        if self.recorded || i < self.faint {
            return "recorded".into();
        }
        let step = self.steps[i];
        let end = self.x_max.max(1.0);
        ramp_class(if self.log_x {
            (1.0 + step).ln() / (1.0 + end).ln()
        } else {
            step / end
        })
    }

    fn frame(&self) -> Frame {
        let inside = |i: &usize| {
            let of = self.window.zip(self.steps.get(*i));
            of.is_none_or(|([a, b], step)| (a..=b).contains(step))
        };
        let mut seen: Vec<usize> = (0..self.points.len()).filter(inside).collect();
        if seen.len() < 2 {
            seen = (0..self.points.len()).collect();
        }
        let axis = |k: usize| {
            let seen = range(seen.iter().map(|&i| self.points[i][k]), false);
            padded(seen.unwrap_or((-1.0, 1.0)), false, 0.08)
        };
        let (mut x, mut y) = (axis(0), axis(1));
        let (right, bottom) = (
            (self.width - RIGHT).max(LEFT + 20.0),
            (self.height - BOTTOM).max(TOP + 20.0),
        );
        if self.equal {
            let per_px = ((x.1 - x.0) / (right - LEFT)).max((y.1 - y.0) / (bottom - TOP));
            let widen = |(a, b): (f64, f64), px: f64| {
                let (middle, half) = ((a + b) / 2.0, per_px * px / 2.0);
                (middle - half, middle + half)
            };
            x = widen(x, right - LEFT);
            y = widen(y, bottom - TOP);
        }
        Frame {
            x: Scale {
                log: false,
                min: x.0,
                max: x.1,
                from: LEFT,
                to: right,
            },
            y: Scale {
                log: false,
                min: y.0,
                max: y.1,
                from: bottom,
                to: TOP,
            },
        }
    }

    fn ramp_key(&self) -> Vec<Mark> {
        let (width, y) = (5.0, self.height - 14.0);
        let end = number::fixed(self.x_max, 0);
        let left =
            self.width - RIGHT - width * RAMP as f64 - 8.0 - 7.0 * end.chars().count() as f64;
        let mut marks: Vec<Mark> = (0..RAMP)
            .map(|i| Mark::Rect {
                class: format!("key ramp-{i}"),
                rect: [left + i as f64 * width, y, width + 0.5, 7.0],
                opacity: 1.0,
                title: String::new(),
            })
            .collect();
        marks.push(Mark::text(
            "tick",
            [left - 5.0, y + 8.0],
            Anchor::End,
            "step 0",
        ));
        marks.push(Mark::text(
            "tick",
            [self.width - RIGHT, y + 8.0],
            Anchor::End,
            end,
        ));
        marks
    }
}

/// A path with each point moved onto a straight line through those around it, by a normal window of
/// one and a half points: unlike a plain mean this does not draw the ends in. Few points are left alone.
fn smoothed(at: &[[f64; 2]]) -> Vec<[f64; 2]> {
    if at.len() < 12 {
        return Vec::new();
    }
    let around = |i: usize| {
        let near = at.iter().enumerate().take(i + 5).skip(i.saturating_sub(4));
        let (mut s, mut t) = ([0.0; 3], [[0.0; 2]; 2]);
        for (j, p) in near.filter(|(_, p)| p[0].is_finite() && p[1].is_finite()) {
            let off = j as f64 - i as f64;
            let w = (-off * off / 4.5).exp();
            s = [s[0] + w, s[1] + w * off, s[2] + w * off * off];
            for k in 0..2 {
                t[k] = [t[k][0] + w * p[k], t[k][1] + w * off * p[k]];
            }
        }
        t.map(|t| (s[2] * t[0] - s[1] * t[1]) / (s[0] * s[2] - s[1] * s[1]))
    };
    (0..at.len()).map(around).collect()
}

/// Grid, ticks and titles of two axes of numbers.
pub(super) fn axes(frame: &Frame, x_title: &str, y_title: &str) -> Vec<Mark> {
    let (left, right, top, bottom) = (LEFT, frame.x.to, TOP, frame.y.from);
    let mut marks = vec![
        Mark::text("axis-title", [2.0, 12.0], Anchor::Start, y_title),
        Mark::text("axis-title", [right, bottom + 32.0], Anchor::End, x_title),
    ];
    for (y, text) in frame.y.ticks(((bottom - top) / 46.0) as usize + 1) {
        let at = frame.y.px(y);
        let class = if y == 0.0 { "axis" } else { "grid" };
        marks.push(Mark::line(class, [left, at], [right, at]));
        marks.push(Mark::text(
            "tick",
            [left - 6.0, at + 4.0],
            Anchor::End,
            text,
        ));
    }
    for (x, text) in frame.x.ticks(((right - left) / 62.0) as usize + 1) {
        let at = frame.x.px(x);
        let class = if x == 0.0 { "axis" } else { "grid" };
        marks.push(Mark::line(class, [at, top], [at, bottom]));
        marks.push(Mark::text(
            "tick",
            [at, bottom + 16.0],
            Anchor::Middle,
            text,
        ));
    }
    marks
}

#[cfg(test)]
mod tests;
