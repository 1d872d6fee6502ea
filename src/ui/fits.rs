//! The lines through λ̂, and under it what the curvature alone would give.

use super::Page;
use super::plot::{Strip, strip};
use crate::app::State;
use crate::app::run::Llc;
use crate::plot::fits::Fits;
use crate::plot::line::Line;
use crate::plot::panels::{self, LlcCurve, Look};

/// Of what is on the screen.
pub fn fits(state: &State) -> Fits {
    state
        .stages()
        .map_or(Fits::default(), |all| Fits::of(&all.line, &all.smooth))
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
    let curve = LlcCurve {
        x: &llc.x,
        y: &llc.y,
        lo: &llc.lo,
        hi: &llc.hi,
    };
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
    (!known.is_empty()).then(|| strip(page, panels::nulls(look, curve, lines)))
}
