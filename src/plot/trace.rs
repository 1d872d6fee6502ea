//! The two charts of one estimate: the losses of its chains beside the loss at w*, and λ̂ as the draws
//! come in.

use super::line::{Level, Line, LineChart};
use super::panels::Look;

/// Losses over chain steps, less L(w*) on the same batches: every chain, the line of w* at 0, and as a
/// band what the batches alone scatter, one standard deviation of L(w*) either way.
#[must_use]
pub fn losses<'a>(
    look: &Look,
    unit: &str,
    x: &'a [f64],
    chains: &'a [Vec<f64>],
    noise: &'a [Vec<f64>; 3],
) -> LineChart<'a> {
    let [zero, lo, hi] = noise;
    let mut lines = vec![Line {
        label: "L(w*) ± 1 sd".into(),
        class: "anchor".into(),
        x: &x[..zero.len().min(x.len())],
        y: zero,
        lo,
        hi,
        dots: false,
        ..Line::default()
    }];
    lines.extend(each(x, chains));
    let name = "loss above L(w*), same batches";
    LineChart {
        width: look.width,
        height: look.height,
        label: "Loss of each chain over its steps above the loss at w* on the same batches".into(),
        y_title: if unit.is_empty() {
            name.into()
        } else {
            format!("{name} ({unit})")
        },
        x_max: look.x_max,
        lines,
        ..LineChart::default()
    }
}

/// ‖w − w*‖ over chain steps, beside its value for a chain that only the spring holds.
#[must_use]
pub fn distance<'a>(
    look: &Look,
    x: &'a [f64],
    chains: &'a [Vec<f64>],
    free: Option<Level>,
) -> LineChart<'a> {
    LineChart {
        width: look.width,
        height: look.height,
        label: "Distance of each chain from w* over its steps".into(),
        y_title: "‖w − w*‖ (no unit)".into(),
        x_max: look.x_max,
        from_zero: true,
        lines: each(x, chains)
            .enumerate()
            .map(|(c, line)| Line {
                // One name serves them all.
                label: if c == 0 { "chains" } else { "" }.into(),
                ..line
            })
            .collect(),
        levels: free.into_iter().collect(),
        ..LineChart::default()
    }
}

/// A thin line for each chain, in the colours in order.
fn each<'a>(x: &'a [f64], chains: &'a [Vec<f64>]) -> impl Iterator<Item = Line<'a>> {
    chains.iter().enumerate().map(|(c, y)| Line {
        class: format!("s{} thin", c % 6),
        x: &x[..y.len().min(x.len())],
        y,
        ..Line::default()
    })
}

/// The running estimate with the ends of its 95 % interval, as columns, from pairs of λ̂ and SE.
#[must_use]
pub fn columns(running: &[[f64; 2]]) -> [Vec<f64>; 3] {
    [0.0, -1.96, 1.96].map(|z| running.iter().map(|r| r[0] + z * r[1]).collect())
}

/// λ̂ over the draws so far with its 95 % interval, and levels to compare it with.
#[must_use]
pub fn running<'a>(
    look: &Look,
    x: &'a [f64],
    columns: &'a [Vec<f64>; 3],
    levels: Vec<Level>,
) -> LineChart<'a> {
    let [y, lo, hi] = columns;
    LineChart {
        width: look.width,
        height: look.height,
        label: "λ̂ over the draws so far, with its 95 % interval".into(),
        y_title: "running λ̂, 95 % interval".into(),
        x_max: look.x_max,
        from_zero: true,
        lines: vec![Line {
            label: "λ̂".into(),
            class: "s4".into(),
            x,
            y,
            lo,
            hi,
            dots: false,
            ..Line::default()
        }],
        levels,
        ..LineChart::default()
    }
}
