//! The posterior around a minimum w* of one or two parameters, and the chains that walk on it.

use super::line::{Frame, inner};
use super::path::{LEFT, RIGHT, TOP, axes};
use super::scale::Scale;
use super::scene::{Anchor, Mark, Scene};

/// Pixels below the axes.
const BOTTOM: f64 = 42.0;
/// Energy at the outermost contour, where the density is e⁻⁶ = 1/400 of its peak.
const EDGE: f64 = 6.0;
/// Filled contours.
const LEVELS: usize = 8;
/// Directions between two half-axes.
const RAYS: i32 = 40;
/// Pieces of a path, each fainter than the next.
const FADES: usize = 5;
/// Steps of a path that are shown.
const STEPS: f64 = 100.0;

/// The density, up to its factor: exp(−energy).
pub struct Posterior<'a> {
    /// Pixels.
    pub width: f64,
    /// Pixels.
    pub height: f64,
    /// Names of the parameters, one or two.
    pub names: &'a [&'a str],
    /// w*.
    pub center: [f64; 2],
    /// nβ(L − L(w*)) + (γ/2)‖w − w*‖²: 0 at w*, rising along every ray from there.
    pub energy: &'a dyn Fn([f64; 2]) -> f64,
}

/// One chain.
#[derive(Clone, Copy, Debug)]
pub struct Walk<'a> {
    /// Its colour.
    pub class: &'a str,
    /// The one whose last step is shown.
    pub chosen: bool,
    /// Where it was at each of the last steps.
    pub path: &'a [[f64; 2]],
}

impl Posterior<'_> {
    /// Where numbers stand: of one parameter, y is the density as a share of its peak.
    #[must_use]
    pub fn frame(&self) -> Frame {
        let scale = |min: f64, max: f64, from: f64, to: f64| Scale {
            log: false,
            min,
            max,
            from,
            to,
        };
        let around = |k: usize| {
            let half = 1.08 * self.reach(k);
            (self.center[k] - half, self.center[k] + half)
        };
        let (right, bottom) = (
            (self.width - RIGHT).max(LEFT + 20.0),
            (self.height - BOTTOM).max(TOP + 20.0),
        );
        let (low, high) = around(0);
        let x = scale(low, high, LEFT, right);
        let y = if self.flat() {
            scale(0.0, 1.0, TOP + 0.55 * (bottom - TOP), TOP)
        } else {
            let (low, high) = around(1);
            scale(low, high, bottom, TOP)
        };
        Frame { x, y }
    }

    /// The density with its axes and w*.
    #[must_use]
    pub fn ground(&self) -> Scene {
        let frame = self.frame();
        let (mut marks, filled) = if self.flat() {
            (self.flat_axes(&frame), vec![self.hill(&frame)])
        } else {
            (
                axes(&frame, &weight(self.names[0]), &weight(self.names[1])),
                self.contours(&frame),
            )
        };
        marks.push(Mark::Clip {
            rect: inner(&frame),
            marks: filled,
        });
        let at = self.star(&frame);
        for (dx, dy) in [(4.0, 4.0), (4.0, -4.0)] {
            let (from, to) = ([at[0] - dx, at[1] - dy], [at[0] + dx, at[1] + dy]);
            marks.push(Mark::line("star", from, to));
        }
        let name = [at[0] + 7.0, at[1] - 6.0];
        marks.push(Mark::text("star-name", name, Anchor::Start, "w*"));
        Scene {
            width: self.width,
            height: self.height,
            label: format!(
                "Posterior density over {}, with the paths of the chains",
                self.names.join(" and ")
            ),
            marks,
        }
    }

    /// The paths, to be laid over it; the last point of each is where the chain stands.
    #[must_use]
    pub fn walks(&self, walks: &[Walk]) -> Scene {
        let frame = self.frame();
        let mut marks = Vec::new();
        for walk in walks {
            let from = walk.path.len().saturating_sub(STEPS as usize + 1);
            let shown = &walk.path[from..];
            let points: Vec<[f64; 2]> = shown
                .iter()
                .enumerate()
                .map(|(i, w)| self.place(&frame, *w, shown.len() - 1 - i))
                .collect();
            let piece = points.len().div_ceil(FADES).max(1);
            let chosen = if walk.chosen { "chosen" } else { "" };
            // The newest pieces are whole: what is left over is the oldest's.
            for (k, start) in (0..points.len()).step_by(piece).enumerate() {
                let end = (start + piece + 1).min(points.len());
                let fade = FADES - points.len().div_ceil(piece) + k;
                marks.push(Mark::Path {
                    class: format!("line walk {} {chosen} fade-{fade}", walk.class),
                    points: points[start..end].to_vec(),
                    area: false,
                });
            }
            if let Some(&at) = points.last() {
                let mut dot = |class: String, r: f64| {
                    marks.push(Mark::Dot {
                        class,
                        at,
                        r,
                        title: String::new(),
                    });
                };
                dot(format!("dot {}", walk.class), 3.6);
                if walk.chosen {
                    dot("ring".into(), 7.0);
                }
            }
        }
        let [left, top, width, _] = inner(&frame);
        let bottom = (self.height - BOTTOM).max(TOP + 20.0);
        Scene {
            width: self.width,
            height: self.height,
            label: String::new(),
            marks: vec![Mark::Clip {
                rect: [left, top, width, bottom - top],
                marks,
            }],
        }
    }

    fn flat(&self) -> bool {
        self.names.len() < 2
    }

    /// How far from w* the energy reaches the edge along one axis; 1 where it never does.
    fn reach(&self, k: usize) -> f64 {
        let mut way = [0.0; 2];
        way[k] = 1.0;
        self.along(way, EDGE, 1e9).unwrap_or(1.0)
    }

    /// How many times `way` from w* the energy reaches a level; none within `most`.
    fn along(&self, way: [f64; 2], level: f64, most: f64) -> Option<f64> {
        let energy =
            |s: f64| (self.energy)([self.center[0] + s * way[0], self.center[1] + s * way[1]]);
        let mut high = 1e-9 * most.min(1.0);
        while energy(high) < level {
            high *= 2.0;
            if high > most {
                return None;
            }
        }
        let mut low = 0.5 * high;
        for _ in 0..40 {
            let middle = 0.5 * (low + high);
            if energy(middle) < level {
                low = middle;
            } else {
                high = middle;
            }
        }
        Some(high)
    }

    /// Filled contours, the outermost first. A contour is a function of the direction, as the energy
    /// rises along every ray; rays are densest near the axes, where a crossing has its long arms.
    fn contours(&self, frame: &Frame) -> Vec<Mark> {
        let half = [self.reach(0), self.reach(1)];
        let far = 4.0;
        let mut ways: Vec<[f64; 2]> = Vec::new();
        for turn in 0..4 {
            let [c, s] = [[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]][turn];
            ways.push([c, s]);
            ways.extend((-RAYS / 2..=RAYS / 2).map(|i| {
                let slope = f64::exp(f64::from(i) * 14.0 / f64::from(RAYS));
                let [x, y] = [1.0, slope].map(|way| way / slope.hypot(1.0));
                [c * x - s * y, s * x + c * y]
            }));
        }
        (1..=LEVELS)
            .rev()
            .map(|j| {
                let level = EDGE * (j as f64 / LEVELS as f64).powi(2);
                let edge = ways.iter().map(|w| {
                    let way = [w[0] * half[0], w[1] * half[1]];
                    let s = self.along(way, level, far).unwrap_or(far);
                    let [x, y] = [0, 1].map(|k| self.center[k] + s * way[k]);
                    [frame.x.px(x), frame.y.px(y)]
                });
                Mark::Path {
                    class: "density".into(),
                    points: edge.collect(),
                    area: true,
                }
            })
            .collect()
    }

    /// The density of one parameter, as a share of its peak.
    fn hill(&self, frame: &Frame) -> Mark {
        let [left, _, width, _] = inner(frame);
        let n = 160;
        let mut points: Vec<[f64; 2]> = (0..=n)
            .map(|i| {
                let px = left + width * f64::from(i) / f64::from(n);
                let w = [frame.x.at(px), self.center[1]];
                [px, frame.y.px((-(self.energy)(w)).exp())]
            })
            .collect();
        points.push([left + width, frame.y.from]);
        points.push([left, frame.y.from]);
        Mark::Path {
            class: "density hill".into(),
            points,
            area: true,
        }
    }

    fn flat_axes(&self, frame: &Frame) -> Vec<Mark> {
        let [left, top, width, _] = inner(frame);
        let (right, floor) = (left + width, self.height - BOTTOM);
        let mut marks = vec![
            Mark::text(
                "axis-title",
                [2.0, 12.0],
                Anchor::Start,
                "density, as a share of its peak; below, steps ago",
            ),
            Mark::text(
                "axis-title",
                [right, floor + 32.0],
                Anchor::End,
                weight(self.names[0]),
            ),
        ];
        for (x, text) in frame.x.ticks((width / 62.0) as usize + 1) {
            let at = frame.x.px(x);
            marks.push(Mark::line("grid", [at, top], [at, floor]));
            let at = [at, floor + 16.0];
            marks.push(Mark::text("tick", at, Anchor::Middle, text));
        }
        let shares = [(1.0, "1"), (0.5, "0.5")].map(|(y, text)| (frame.y.px(y), text));
        let ago = [(0.0, "now"), (0.5, "50"), (1.0, "100")]
            .map(|(share, text)| (self.since(frame, share * STEPS), text));
        for (y, text) in shares.into_iter().chain(ago) {
            marks.push(Mark::line("grid", [left, y], [right, y]));
            let at = [left - 6.0, y + 4.0];
            marks.push(Mark::text("tick", at, Anchor::End, text));
        }
        let y = frame.y.from;
        marks.push(Mark::line("axis", [left, y], [right, y]));
        marks
    }

    /// Height in the strip below the density at which a chain stood so many steps ago.
    fn since(&self, frame: &Frame, ago: f64) -> f64 {
        let (top, bottom) = (frame.y.from + 12.0, self.height - BOTTOM);
        top + (bottom - top) * ago / STEPS
    }

    fn place(&self, frame: &Frame, w: [f64; 2], ago: usize) -> [f64; 2] {
        let y = if self.flat() {
            self.since(frame, ago as f64)
        } else {
            frame.y.px(w[1])
        };
        [frame.x.px(w[0]), y]
    }

    fn star(&self, frame: &Frame) -> [f64; 2] {
        let y = if self.flat() { 0.0 } else { self.center[1] };
        [frame.x.px(self.center[0]), frame.y.px(y)]
    }
}

/// Weights have no unit.
fn weight(name: &str) -> String {
    format!("weight {name} (no unit)")
}
