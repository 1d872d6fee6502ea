//! The three charts of every experiment, from plain numbers: the page, `run --record` and the
//! tests build them here, so that a recorded picture and a live one differ only in their class.

use super::line::{Level, Line, LineChart};
use super::number;
use super::path::PathChart;
use super::settled::settled;

/// Classes of the losses of a chart, in order; that of λ̂ is too like the first.
const LOSSES: [&str; 6] = ["s0", "s1", "s2", "s3", "s6", "s5"];

/// A curve of the loss chart.
#[derive(Clone, Copy, Debug)]
pub struct Curve<'a> {
    /// Name at its end; empty for one among many.
    pub label: &'a str,
    /// Steps.
    pub x: &'a [f64],
    /// Values.
    pub y: &'a [f64],
    /// Class of a curve among many, such as the k-gon a replica ends in.
    pub class: &'a str,
}

/// What all three charts share.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Pixels.
    pub width: f64,
    /// Pixels.
    pub height: f64,
    /// Steps of the whole run.
    pub x_max: f64,
    /// The steps shown, where that is not the whole run.
    pub window: Option<[f64; 2]>,
    /// Logarithmic time.
    pub log_x: bool,
    /// Logarithmic values, where a chart offers that.
    pub log_y: bool,
    /// A recorded trace: grey.
    pub recorded: bool,
}

impl Look {
    pub(super) fn class(&self, class: &str) -> String {
        if self.recorded {
            "recorded".into()
        } else {
            class.into()
        }
    }
}

/// Loss over training. Named curves get the colours in order; the others are drawn behind them.
#[must_use]
pub fn loss<'a>(
    look: &Look,
    unit: &str,
    curves: &[Curve<'a>],
    levels: Vec<Level>,
) -> LineChart<'a> {
    let mut lines: Vec<Line> = Vec::with_capacity(curves.len());
    let many = curves.iter().filter(|c| c.label.is_empty());
    let named = curves.iter().filter(|c| !c.label.is_empty());
    lines.extend(many.map(|c| Line {
        class: look.class(&format!("member {}", c.class)),
        x: c.x,
        y: c.y,
        ..Line::default()
    }));
    lines.extend(named.enumerate().map(|(i, c)| Line {
        label: c.label.into(),
        class: look.class(LOSSES[i % LOSSES.len()]),
        x: c.x,
        y: c.y,
        ..Line::default()
    }));
    LineChart {
        width: look.width,
        height: look.height,
        label: "Loss over training steps".into(),
        y_title: titled("loss", unit),
        x_max: look.x_max,
        window: look.window,
        log_x: look.log_x,
        log_y: look.log_y,
        lines,
        levels,
        ..LineChart::default()
    }
}

/// λ̂ over training with its standard error.
#[derive(Clone, Copy, Debug)]
pub struct LlcCurve<'a> {
    /// Checkpoint steps.
    pub x: &'a [f64],
    /// λ̂.
    pub y: &'a [f64],
    /// λ̂ − SE.
    pub lo: &'a [f64],
    /// λ̂ + SE.
    pub hi: &'a [f64],
}

/// λ̂ and what it is compared with, under the chart of λ̂: the same points set both axes.
#[must_use]
pub fn nulls<'a>(look: &Look, llc: LlcCurve<'_>, lines: Vec<Line<'a>>) -> LineChart<'a> {
    LineChart {
        settled: settled(llc.x, llc.y),
        ..lower(look, "λ̂ and its nulls", lines)
    }
}

/// λ̂ over training; 0 belongs to the axis, so that a value below it is seen as negative.
#[must_use]
pub fn llc<'a>(look: &Look, curve: LlcCurve<'a>) -> LineChart<'a> {
    LineChart {
        width: look.width,
        height: look.height,
        label: "Local learning coefficient estimate over training steps, with its standard error"
            .into(),
        y_title: "λ̂ ± 1 SE".into(),
        x_max: look.x_max,
        window: look.window,
        log_x: look.log_x,
        log_y: false,
        from_zero: true,
        settled: settled(curve.x, curve.y),
        lines: vec![Line {
            label: "λ̂".into(),
            class: look.class("s4"),
            x: curve.x,
            y: curve.y,
            lo: curve.lo,
            hi: curve.hi,
            dots: true,
            ..Line::default()
        }],
        ..LineChart::default()
    }
}

/// The mean loss under the chains beside L(w*): where it no longer follows w*, the chains have left.
#[must_use]
pub fn locality<'a>(
    look: &Look,
    unit: &str,
    x: &'a [f64],
    under: &'a [f64],
    at: &'a [f64],
) -> LineChart<'a> {
    let line = |label: &str, class: &str, y| Line {
        label: label.into(),
        class: look.class(class),
        x,
        y,
        dots: true,
        ..Line::default()
    };
    LineChart {
        width: look.width,
        height: look.height,
        label: "Mean loss under the chains, and the loss at the checkpoint".into(),
        y_title: titled("loss at w*, under chains", unit),
        x_max: look.x_max,
        window: look.window,
        log_x: look.log_x,
        log_y: false,
        lines: vec![line("w*", "s0 thin", at), line("chains", "s1 thin", under)],
        ..LineChart::default()
    }
}

/// A second panel under the loss chart or under λ̂, over the same steps, with a scale of its own.
#[must_use]
pub fn lower<'a>(look: &Look, title: &str, lines: Vec<Line<'a>>) -> LineChart<'a> {
    LineChart {
        width: look.width,
        height: look.height,
        label: format!("Over training steps: {title}"),
        y_title: title.into(),
        x_max: look.x_max,
        window: look.window,
        log_x: look.log_x,
        log_y: false,
        from_zero: true,
        lines: lines
            .into_iter()
            .map(|line| Line {
                class: look.class(&line.class),
                ..line
            })
            .collect(),
        ..LineChart::default()
    }
}

/// Values as shares of the largest; none where nothing is positive.
#[must_use]
pub fn of_peak(y: &[f64]) -> Vec<f64> {
    let top = y
        .iter()
        .copied()
        .filter(|y| y.is_finite())
        .fold(0.0, f64::max);
    if top > 0.0 {
        y.iter().map(|y| y / top).collect()
    } else {
        Vec::new()
    }
}

/// Which components stand at the axes. They may be exchanged, to keep the picture still: their names go by
/// their shares.
#[must_use]
pub fn order(explained: [f64; 3]) -> [u32; 2] {
    if explained[1] > explained[0] {
        [2, 1]
    } else {
        [1, 2]
    }
}

/// The trajectory on PC1 and PC2, with the share of each and what a random walk would give.
#[must_use]
pub fn pca<'a>(
    look: &Look,
    steps: &'a [f64],
    pcs: &[[f64; 3]],
    explained: [f64; 3],
) -> PathChart<'a> {
    let [x, y] = order(explained);
    PathChart {
        width: look.width,
        height: look.height,
        label: "Principal components of the logits over training, coloured by step".into(),
        x_title: share(x, explained[0], steps.len()),
        y_title: share(y, explained[1], steps.len()),
        steps,
        points: pcs.iter().map(|p| [p[0], p[1]]).collect(),
        x_max: look.x_max,
        log_x: look.log_x,
        window: look.window,
        equal: false,
        recorded: look.recorded,
        kinks: Vec::new(),
        apart: None,
        paths: Vec::new(),
        faint: 0,
        smooth: false,
        pinned: None,
    }
}

/// `PC1 74 %, random walks 61 %`: the share of one of several models' components, and that of as many walks.
#[must_use]
pub fn common(k: u32, explained: f64, walk: [f64; 3]) -> String {
    let [own, walk] = [explained, walk[k as usize - 1]].map(|s| number::fixed(100.0 * s, 0));
    format!("PC{k} {own} %, random walks {walk} %")
}

/// `PC1 74 %, random walk 61 %` of so many points: the walk's shares are the eigenvalues of its
/// centred steps, 3/(2(n² − 1) sin²(πk/2n)), which tend to 6/(π²k²) (Antognini and Sohl-Dickstein,
/// 2018). Of fewer than ten points none is told: the first component of any few is most of them.
#[must_use]
pub fn share(component: u32, explained: f64, points: usize) -> String {
    let n = points as f64;
    let sine = (std::f64::consts::PI * f64::from(component) / (2.0 * n)).sin();
    let walk = 150.0 / ((n * n - 1.0) * sine * sine);
    let own = number::fixed(explained * 100.0, 0);
    match (explained > 0.0, points >= 10) {
        (false, _) => format!("PC{component}"),
        (true, false) => format!("PC{component} {own} %"),
        (true, true) => format!(
            "PC{component} {own} %, random walk {} %",
            number::fixed(walk, 0)
        ),
    }
}

fn titled(name: &str, unit: &str) -> String {
    if unit.is_empty() {
        name.into()
    } else {
        format!("{name} ({unit})")
    }
}
