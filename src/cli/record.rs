//! `run --record`: the small trace the page shows before a run, made by the program itself.

use crate::app::bends::{bends, marks};
use crate::app::link::Link;
use crate::app::recorded::{Recorded, Trace};
use crate::app::stages::bands;
use crate::app::still::Still;
use crate::engine::Session;
use crate::engine::staging::stages_of;
use crate::experiments::{Card, heads::heads};
use crate::plot::decimate::decimate;
use crate::plot::export::export;
use crate::plot::fits::Fits;
use crate::plot::panels::{self, Curve, LlcCurve, Look};
use crate::protocol::{LlcPoint, Series, Stages};
use std::io::{Error, Result};
use std::path::Path;

/// Columns of a small chart; each keeps up to four points of a curve.
const POINTS: usize = 60;

/// Writes `<experiment>.json` and `<experiment>.<chart>.svg` into `folder`.
///
/// # Errors
/// What the disk refuses.
pub fn record(folder: &Path, card: &Card, link: &Link, session: &Session) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    let trace = trace(card, link, session);
    let json = serde_json::to_vec(&trace).map_err(Error::other)?;
    std::fs::write(folder.join(format!("{}.json", card.id)), json)?;
    for (chart, svg) in pictures(card, &trace) {
        std::fs::write(folder.join(format!("{}.{chart}.svg", card.id)), svg)?;
    }
    Ok(())
}

fn trace(card: &Card, link: &Link, session: &Session) -> Recorded {
    let history = &session.history;
    let shown = |id: &str| {
        card.losses
            .iter()
            .any(|s| id == s.id || id.ends_with(&format!("/{}", s.id)))
    };
    let series = history
        .series
        .iter()
        .filter(|(id, _)| shown(id))
        .map(|(id, s)| {
            // Members of a crowd are background: fewer points do.
            let points = if id.starts_with("replicas/") {
                POINTS / 4
            } else {
                POINTS
            };
            let pixels: Vec<f64> =
                s.x.iter()
                    .map(|x| x / session.parts.steps.max(1) as f64 * points as f64)
                    .collect();
            let keep = decimate(&pixels, &s.y);
            let pick = |v: &[f64]| keep.iter().map(|&i| rounded(v[i])).collect();
            (
                id.clone(),
                Trace {
                    x: pick(&s.x),
                    y: pick(&s.y),
                },
            )
        });
    let mut pca = history.pca.update();
    for p in pca.pcs.iter_mut().flatten() {
        *p = rounded(*p);
    }
    // The rest belongs to a run of one's own.
    let point = |p: &LlcPoint| LlcPoint {
        step: p.step,
        value: rounded(p.value),
        se: rounded(p.se),
        init_loss: rounded(p.init_loss),
        mean_loss: rounded(p.mean_loss),
        distance: rounded(p.distance),
        failed_chains: p.failed_chains,
        ..LlcPoint::default()
    };
    let trace = Recorded {
        link: link.text(true),
        version: crate::VERSION.into(),
        device: session.exec.device().name,
        steps: session.parts.steps as f64,
        series: series.collect(),
        llc: history.llc.iter().map(point).collect(),
        pca,
        still: history.figure.as_ref().map(Still::of),
        heads: heads(|id| history.series.get(id)?.y.last().copied())
            .into_iter()
            .map(|h| h.label.into())
            .collect(),
        second: session.second_setting().map(|row| {
            let steps = |i: usize| i > 2 && i.is_multiple_of(3);
            let all = row.into_iter().enumerate();
            all.map(|(i, x)| if steps(i) { x } else { rounded(x) })
                .collect()
        }),
        stages: None,
    };
    let stages = stages(&trace);
    Recorded { stages, ..trace }
}

/// The stages of a trace, from the numbers that are in it alone: who holds the trace can find them
/// again. None where there are too few λ̂ points.
#[must_use]
pub fn stages(trace: &Recorded) -> Option<Stages> {
    let drawn = trace.series.iter();
    let drawn = drawn.filter(|(id, _)| !id.starts_with("replicas/"));
    let curves: Vec<(&str, Series)> = drawn
        .map(|(id, t)| {
            let series = Series {
                x: t.x.clone(),
                y: t.y.clone(),
                ..Series::default()
            };
            (id.as_str(), series)
        })
        .collect();
    let curves: Vec<(&str, &Series)> = curves.iter().map(|(id, s)| (*id, s)).collect();
    let mut all = stages_of(&trace.llc, trace.second.as_deref(), &curves);
    for s in &mut all.stages {
        (s.dllc, s.se, s.dloss) = (rounded(s.dllc), rounded(s.se), s.dloss.map(rounded));
        if let Some(c) = &mut s.second {
            (c.dllc, c.se) = (rounded(c.dllc), rounded(c.se));
        }
        for m in &mut s.moved {
            (m.from, m.to) = (rounded(m.from), rounded(m.to));
        }
    }
    let [line, smooth] = [all.line.as_flattened_mut(), all.smooth.as_flattened_mut()];
    for x in line.iter_mut().chain(smooth) {
        *x = rounded(*x);
    }
    (!all.stages.is_empty()).then_some(all)
}

/// Five significant digits: more than a picture shows.
fn rounded(x: f64) -> f64 {
    format!("{x:.4e}").parse().unwrap_or(x)
}

/// The three charts of a trace, by name: a function of the trace alone, so that a test can tell
/// whether pictures and trace are of one recording.
#[must_use]
pub fn pictures(card: &Card, trace: &Recorded) -> Vec<(&'static str, String)> {
    let look = Look {
        width: 420.0,
        height: 260.0,
        x_max: trace.steps,
        window: None,
        log_x: false,
        log_y: false,
        recorded: true,
    };
    let mut curves = Vec::new();
    for spec in card.losses.iter().filter(|l| l.panel.main()) {
        for (id, t) in &trace.series {
            let own = id == spec.id;
            if own || id.ends_with(&format!("/{}", spec.id)) {
                curves.push(Curve {
                    label: if own { spec.label } else { "" },
                    x: &t.x,
                    y: &t.y,
                    class: "",
                });
            }
        }
    }
    let unit = card.losses.first().map_or("", |s| s.unit);
    let column = |f: fn(&LlcPoint) -> f64| trace.llc.iter().map(f).collect::<Vec<_>>();
    let (x, y) = (column(|p| p.step as f64), column(|p| p.value));
    let (lo, hi) = (column(|p| p.value - p.se), column(|p| p.value + p.se));
    let llc = LlcCurve {
        x: &x,
        y: &y,
        lo: &lo,
        hi: &hi,
    };
    let mut loss = panels::loss(&look, unit, &curves, Vec::new());
    let mut llc = panels::llc(&look, llc);
    let fits = trace.stages.as_ref().map(|all| {
        (loss.bands, llc.bands) = (bands(card, all), bands(card, all));
        Fits::of(&all.line, &all.smooth)
    });
    let fits = fits.unwrap_or_default();
    llc.lines.splice(0..0, fits.lines(&look));
    let pca = &trace.pca;
    let mut path = panels::pca(&look, &pca.steps, &pca.pcs, pca.explained);
    path.kinks = marks(&bends(&pca.steps, &pca.pcs), &pca.steps, 0);
    let scenes = [
        ("loss", loss.draw()),
        ("llc", llc.draw()),
        ("pca", path.draw()),
    ];
    scenes
        .into_iter()
        .map(|(chart, drawn)| (chart, export(&drawn.scene.svg(), &trace.origin())))
        .collect()
}
