//! One step of a chain as arrows, head to tail: the whole step, and beside it the small ones larger.

use super::number::significant;
use super::scene::{Anchor, Mark, Scene};

/// Pixels around the arrows, and between the rows of a step of one parameter.
const MARGIN: f64 = 26.0;
const ROW: f64 = 26.0;

/// What moved the chain.
#[derive(Clone, Copy, Debug)]
pub struct Arrow<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its colour.
    pub class: &'a str,
    /// How far.
    pub by: [f64; 2],
}

/// The arrows of one step, the last one the random kick; of one parameter they stand in rows.
#[must_use]
pub fn step(arrows: &[Arrow; 3], flat: bool, width: f64, height: f64) -> Scene {
    let half = 0.5 * width;
    let mut marks = pane(arrows, flat, [0.0, half, height]);
    marks.push(title(0.0, "the step from w to w′"));
    let drift = &arrows[..2];
    marks.push(Mark::line("grid", [half, 8.0], [half, height - 8.0]));
    marks.push(title(half, "without the kick, larger"));
    marks.extend(pane(drift, flat, [half, width - half, height]));
    Scene {
        width,
        height,
        label: format!(
            "One step as arrows: {}",
            arrows.map(|a| a.name).join(", then ")
        ),
        marks,
    }
}

fn title(left: f64, text: &str) -> Mark {
    Mark::text("axis-title", [left + 8.0, 14.0], Anchor::Start, text)
}

/// Arrows head to tail in a pane `[left, width, height]`, with the bar of its scale.
fn pane(arrows: &[Arrow], flat: bool, [left, width, height]: [f64; 3]) -> Vec<Mark> {
    let mut ends = vec![[0.0, 0.0]];
    for a in arrows {
        let [x, y] = ends.last().copied().unwrap_or_default();
        ends.push([x + a.by[0], y + if flat { 0.0 } else { a.by[1] }]);
    }
    let span = |k: usize| {
        let (low, high) = ends.iter().fold((0.0, 0.0), |(a, b), e: &[f64; 2]| {
            (f64::min(a, e[k]), f64::max(b, e[k]))
        });
        (0.5 * (low + high), high - low)
    };
    let ((x, dx), (y, dy)) = (span(0), span(1));
    let room = [width - 2.0 * MARGIN, height - 2.0 * MARGIN - 26.0].map(|r| r.max(20.0));
    let scale = (room[0] / dx).min(room[1] / dy);
    if !scale.is_finite() || !(dx + dy).is_finite() {
        let at = [left + 0.5 * width, 0.5 * height];
        let text = "nothing pulls at w*";
        return vec![Mark::text("axis-title", at, Anchor::Middle, text)];
    }
    let middle = [left + 0.5 * width, 0.5 * height];
    let rows = 0.5 * (arrows.len() as f64 - 1.0);
    let place = |e: [f64; 2], row: usize| {
        let drop = if flat { (row as f64 - rows) * ROW } else { 0.0 };
        [
            middle[0] + scale * (e[0] - x),
            middle[1] - scale * (e[1] - y) + drop,
        ]
    };
    let mut marks = Vec::new();
    for (i, a) in arrows.iter().enumerate() {
        let (from, to) = (place(ends[i], i), place(ends[i + 1], i));
        if flat && i > 0 {
            marks.push(Mark::line("grid", place(ends[i], i - 1), from));
        }
        marks.extend(arrow(a, from, to, middle));
    }
    let (first, last) = (
        place(ends[0], 0),
        place(ends[arrows.len()], arrows.len() - 1),
    );
    for (at, name) in [
        (first, "w"),
        (last, if arrows.len() > 2 { "w′" } else { "" }),
    ] {
        if !name.is_empty() {
            marks.push(Mark::Dot {
                class: "ring".into(),
                at,
                r: 3.0,
                title: String::new(),
            });
            let at = [at[0], at[1] + 17.0];
            marks.push(Mark::text("end", at, Anchor::Middle, name));
        }
    }
    marks.extend(bar(scale, [left + 10.0, height - 10.0], 0.4 * width));
    marks
}

/// A shaft, a head no longer than half of it, and the name beside it.
fn arrow(a: &Arrow, from: [f64; 2], to: [f64; 2], middle: [f64; 2]) -> Vec<Mark> {
    let d = [to[0] - from[0], to[1] - from[1]];
    let length = d[0].hypot(d[1]);
    let mut marks = vec![Mark::line(&format!("arrow {}", a.class), from, to)];
    if length > 1.0 {
        let (h, u) = ((0.5 * length).min(9.0), [d[0] / length, d[1] / length]);
        let back = [to[0] - h * u[0], to[1] - h * u[1]];
        let side = [-0.4 * h * u[1], 0.4 * h * u[0]];
        marks.push(Mark::Path {
            class: format!("head {}", a.class),
            points: vec![
                to,
                [back[0] + side[0], back[1] + side[1]],
                [back[0] - side[0], back[1] - side[1]],
            ],
            area: true,
        });
    }
    // An arrow too short to be seen has its name in the other pane.
    if length > 14.0 {
        let at = [0.5 * (from[0] + to[0]), 0.5 * (from[1] + to[1]) - 6.0];
        let anchor = if at[0] > middle[0] {
            Anchor::End
        } else {
            Anchor::Start
        };
        marks.push(Mark::text("end", at, anchor, a.name));
    }
    marks
}

/// A bar of a round length, at most `room` pixels.
fn bar(scale: f64, [x, y]: [f64; 2], room: f64) -> Vec<Mark> {
    let power = 10f64.powf((room / scale).log10().floor());
    let fits = [5.0, 2.0, 1.0].map(|m| m * power);
    let length = fits
        .into_iter()
        .find(|l| l * scale <= room)
        .unwrap_or(power);
    let end = x + length * scale;
    vec![
        Mark::line("arrow", [x, y], [end, y]),
        Mark::text(
            "tick",
            [end + 5.0, y + 4.0],
            Anchor::Start,
            significant(length, 1),
        ),
    ]
}
