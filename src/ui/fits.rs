//! The lines through λ̂: the broken one that stages are read from, and a smooth that decides nothing;
//! and under it what the curvature alone would give.

use super::Page;
use super::plot::{Strip, strip};
use crate::app::State;
use crate::app::run::Llc;
use crate::plot::line::Line;
use crate::plot::panels::{self, Look};

/// Their columns.
#[derive(Default)]
pub struct Fits {
    broken: [Vec<f64>; 2],
    /// Steps, values, and both ends of the band.
    smooth: [Vec<f64>; 4],
}

impl Fits {
    /// Of the run on the screen.
    pub fn of(state: &State) -> Self {
        let Some(all) = state.run.as_ref().and_then(|r| r.stages.as_ref()) else {
            return Self::default();
        };
        let of = |f: &dyn Fn(&[f64; 3]) -> f64| all.smooth.iter().map(f).collect();
        Self {
            broken: [0, 1].map(|k| all.line.iter().map(|p| p[k]).collect()),
            smooth: [
                of(&|p| p[0]),
                of(&|p| p[1]),
                of(&|p| p[1] - p[2]),
                of(&|p| p[1] + p[2]),
            ],
        }
    }

    /// Whether there are any.
    pub fn there(&self) -> bool {
        !self.smooth[0].is_empty() || !self.broken[0].is_empty()
    }

    /// As curves, to be drawn behind the points.
    pub fn lines(&self) -> [Line<'_>; 2] {
        let [x, y, lo, hi] = &self.smooth;
        let smooth = Line {
            label: "smooth".into(),
            class: "s3 thin".into(),
            x,
            y,
            lo,
            hi,
            ..Line::default()
        };
        let [x, y] = &self.broken;
        let broken = Line {
            label: "fit".into(),
            class: "s1 thin".into(),
            x,
            y,
            ..Line::default()
        };
        [smooth, broken].map(|l| Line {
            label: if l.x.is_empty() {
                String::new()
            } else {
                l.label.clone()
            },
            ..l
        })
    }
}

/// λ̂ beside what it would be by the curvature alone, and what an unfinished descent takes from it.
pub fn flat(page: &Page, llc: &Llc, look: &Look) -> Option<Strip> {
    let knobs = &page.state.run.as_ref()?.knobs;
    let (nbeta, gamma) = (knobs.float("nbeta"), knobs.float("gamma"));
    let known: Vec<_> = llc
        .points
        .iter()
        .filter_map(|p| Some((p, p.curvature?)))
        .filter(|_| gamma > 0.0)
        .collect();
    let x: Vec<f64> = known.iter().map(|(p, _)| p.step as f64).collect();
    let columns = [
        (
            "λ̂",
            "s4",
            known.iter().map(|(p, _)| p.value).collect::<Vec<f64>>(),
        ),
        (
            "spring",
            "s1 thin",
            known
                .iter()
                .map(|(_, c)| nbeta / (2.0 * gamma) * c.trace)
                .collect(),
        ),
        (
            "descent",
            "s2 thin",
            known
                .iter()
                .map(|(_, c)| -nbeta * nbeta * c.gradient_sq / gamma)
                .collect(),
        ),
    ];
    let lines = columns
        .iter()
        .map(|(label, class, y)| Line {
            label: (*label).into(),
            class: (*class).into(),
            x: &x,
            y,
            ..Line::default()
        })
        .collect();
    (!known.is_empty()).then(|| strip(page, panels::lower(look, "λ̂ and its nulls", lines)))
}
