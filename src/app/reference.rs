//! A reference on request: λ̂ by long MALA chains, for a target of the gallery that has no exact value
//! and none on record at these settings. As a study: the run's nβ and γ, at three step sizes, of which
//! the best is taken; MALA has no bias of ε at any of them.

use super::study::Setting;
use crate::knobs::Knobs;
use crate::plot::number::significant;
use crate::protocol::{Cell, CellResult, Study, StudyKind, StudySpec, Truth, TruthKind};

/// Step sizes tried, in units of the run's.
const FACTORS: [f64; 3] = [4.0, 1.0, 0.25];
/// Above it the chains do not agree.
const RHAT: f64 = 1.05;
/// Standard errors between two step sizes from which on they differ.
const APART: f64 = 4.0;
/// Below it MALA stands still too often for its errors to be believed.
const ACCEPT: f64 = 0.2;

/// What to ask for.
#[must_use]
pub fn study(knobs: &Knobs) -> StudySpec {
    let at = Setting::of(knobs);
    let cell = |factor| Cell {
        replica: None,
        step: 0,
        nbeta: at.nbeta,
        gamma: at.gamma,
        eps: at.eps * factor,
        part: "all".into(),
    };
    StudySpec {
        kind: StudyKind::Reference,
        cells: FACTORS.map(cell).to_vec(),
        chains: 8,
        burnin: 5000,
        draws: 40_000,
        query: "sampler=mala".into(),
    }
}

/// What a study says of the target.
#[derive(Clone, Debug, PartialEq)]
pub enum Reference {
    /// λ̂ and its standard error.
    Found(f64, f64),
    /// None, and why.
    Missing(String),
}

impl Reference {
    /// Makes it the target, where it was found; what to say of it.
    pub fn fill(&self, truth: &mut Truth) -> String {
        match self {
            Self::Found(value, se) => {
                (truth.value, truth.se, truth.kind) = (Some(*value), *se, TruthKind::Mala);
                truth.bias = 0.0;
                "The target is that of MALA chains run for it: 8 chains of 40 000 draws at the best of three step sizes. What ε adds to λ̂ is not in it.".into()
            }
            Self::Missing(why) => format!("MALA found no target: {why}."),
        }
    }
}

/// The reference of a study; none while it runs, or where it is of another kind.
#[must_use]
pub fn found(study: &Study) -> Option<Reference> {
    if study.spec.kind != StudyKind::Reference || !study.over {
        return None;
    }
    let moves = |r: &&CellResult| r.accept.is_some_and(|a| a >= ACCEPT) && r.failed_chains == 0;
    let moving: Vec<&CellResult> = study.done.iter().filter(moves).collect();
    let below = moving.iter().map(|r| r.below).fold(0.0, f64::max);
    let agrees = |r: &&CellResult| r.rhat.is_some_and(|r| r <= RHAT) && r.se > 0.0;
    let least = |a: &&CellResult, b: &&CellResult| a.se.total_cmp(&b.se);
    let best = moving.iter().copied().filter(agrees).min_by(least);
    // The posterior is one and the same at every step size.
    let apart = |a: &CellResult, b: &CellResult| {
        let gap = a.value.zip(b.value).map(|(a, b)| (a - b).abs());
        gap.is_none_or(|gap| gap > APART * a.se.hypot(b.se))
    };
    let why = match best {
        _ if study.done.len() < study.spec.cells.len() => "it was stopped".into(),
        _ if moving.is_empty() => "MALA refuses nearly every step; lower ε".into(),
        _ if below > 0.5 => format!(
            "the chains leave this point, {} % of their draws lie below L(w*), and λ̂ depends on how long they run",
            significant(100.0 * below, 2)
        ),
        Some(best) if !moving.iter().any(|r| apart(r, best)) => {
            return best.value.map(|value| Reference::Found(value, best.se));
        }
        _ => "the chains do not agree, and λ̂ depends on how long they run".into(),
    };
    Some(Reference::Missing(why))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn result(value: f64, se: f64, rhat: f64, accept: f64) -> CellResult {
        CellResult {
            value: Some(value),
            se,
            rhat: Some(rhat),
            accept: Some(accept),
            ..CellResult::default()
        }
    }

    #[test]
    fn the_best_of_the_chains_that_move_and_agree() {
        let card = crate::experiments::card("truth").unwrap();
        let spec = study(&Knobs::defaults(card.knobs));
        assert!(spec.cells[0].eps > spec.cells[1].eps && spec.cells[1].eps == 1e-4);
        let of = |done: [CellResult; 3]| Study {
            spec: spec.clone(),
            done: done.to_vec(),
            over: true,
            ..Study::default()
        };
        // The least error of all belongs to chains that stand still.
        let still = result(3.9, 0.001, 1.01, 0.02);
        let good = result(5.0, 0.02, 1.001, 0.6);
        let slow = result(5.1, 0.08, 1.2, 0.97);
        let all = of([still.clone(), good.clone(), slow.clone()]);
        assert_eq!(found(&all), Some(Reference::Found(5.0, 0.02)));
        let missing = |done: [CellResult; 3]| match found(&of(done)) {
            Some(Reference::Missing(why)) => why,
            other => panic!("{other:?}"),
        };
        let with = |r: &CellResult, value: f64, below: f64| CellResult {
            value: Some(value),
            below,
            ..r.clone()
        };
        let two = [still.clone(), slow.clone(), slow.clone()];
        assert!(missing(two).contains("do not agree"), "R̂ is too high");
        let other = [still.clone(), good.clone(), with(&slow, 4.0, 0.0)];
        assert!(missing(other).contains("do not agree"), "one is elsewhere");
        let gone = [still.clone(), good.clone(), with(&slow, 5.0, 0.9)];
        assert!(missing(gone).contains("leave this point"));
        assert!(missing([(); 3].map(|()| still.clone())).contains("lower ε"));
        // What is found is the target; what is not leaves it open, and says why.
        let mut truth =
            crate::experiments::truth_of("truth", &Knobs::defaults(card.knobs)).unwrap();
        (truth.value, truth.bias) = (None, 1.0);
        assert!(
            Reference::Missing("x".into())
                .fill(&mut truth)
                .contains("no target: x")
        );
        assert_eq!((truth.value, truth.bias), (None, 1.0));
        let told = found(&all).unwrap().fill(&mut truth);
        assert!(told.contains("ε"), "{told}");
        let kept = (truth.value, truth.se, truth.bias, truth.kind);
        assert_eq!(kept, (Some(5.0), 0.02, 0.0, TruthKind::Mala));
        let mut early = all;
        early.over = false;
        assert_eq!(found(&early), None);
        (early.over, early.done) = (true, vec![good]);
        assert!(matches!(found(&early), Some(Reference::Missing(why)) if why.contains("stopped")));
    }
}
