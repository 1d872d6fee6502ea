//! `run --refined`: refined λ̂ of every head and layer as the tab Heads shows it, which heads go together,
//! and composition against it at every lag.

use crate::app::refined::{self, LAGS};
use crate::app::run::Run;
use crate::engine::report::Curve;
use crate::protocol::Series;
use serde::Serialize;
use std::collections::BTreeMap;

/// ρ of the pairs with later heads exchanged.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Null {
    /// Ways of exchanging them, the one there is not among them.
    pub ways: usize,
    /// The least ρ; null where there is no other way.
    pub low: Option<f64>,
    /// The greatest.
    pub high: Option<f64>,
}

/// Composition of every pair against refined λ̂ of its later head, some time later.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Lag {
    /// `k`, `q` or `v`.
    pub composition: &'static str,
    /// Whether it is changes from checkpoint to checkpoint that are compared.
    pub changes: bool,
    /// Checkpoints that λ̂ is later; earlier, where negative.
    pub lag: i64,
    /// The same in steps.
    pub steps: f64,
    /// Pairs of heads at checkpoints.
    pub points: usize,
    /// Spearman's ρ over them; null of fewer than four, or where nothing varies.
    pub rho: Option<f64>,
    /// The share of ways, the one there is among them, in which |ρ| is at least as great.
    pub p: f64,
    /// Its permutation null.
    pub null: Null,
}

/// What the curves say together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Refined {
    /// Heads by their curves alone, as series; those that are most alike side by side. One group where
    /// none stand out.
    pub groups: Vec<Vec<String>>,
    /// Mean silhouette of the best cut; below 0.5 no groups stand out. Null of fewer than three heads.
    pub silhouette: Option<f64>,
    /// Whether composing goes with it.
    pub lagged: Vec<Lag>,
}

/// The curves of the run's study, by the names that the page's exports have.
#[must_use]
pub fn curves(run: &Run) -> BTreeMap<String, Curve> {
    let all = refined::of(run).map_or(Vec::new(), |s| refined::curves(s));
    let of = |c: refined::Curve| {
        let (id, label) = (c.id(), c.label());
        let refined::Curve { x, y, lo, hi, .. } = c;
        let points = Series { x, y, lo, hi };
        let unit = String::new();
        let curve = Curve {
            label,
            unit,
            points,
        };
        (id, curve)
    };
    all.into_iter().map(of).collect()
}

impl Refined {
    /// Of the run's study.
    #[must_use]
    pub fn of(run: &Run) -> Self {
        let all = refined::of(run).map_or(Vec::new(), |s| refined::curves(s));
        let heads: Vec<&refined::Curve> = all.iter().filter(|c| c.head.is_some()).collect();
        let found = refined::grouped(&heads);
        let mut groups = vec![Vec::new(); found.of.iter().max().map_or(0, |g| g + 1)];
        for &i in &found.order {
            groups[found.of[i]].push(heads[i].id());
        }
        Self {
            groups,
            silhouette: found.silhouette,
            lagged: lagged(run),
        }
    }
}

fn lagged(run: &Run) -> Vec<Lag> {
    let mut out = Vec::new();
    for composition in refined::KINDS {
        for changes in [false, true] {
            let all = refined::scatter(run, composition, changes, None);
            if all.pairs.is_empty() {
                continue;
            }
            for lag in -LAGS..=LAGS {
                let found = all.curves.lagged(lag);
                out.push(Lag {
                    composition,
                    changes,
                    lag,
                    steps: all.apart() * lag as f64,
                    points: found.points.len(),
                    rho: found.rho,
                    p: found.p,
                    null: Null {
                        ways: found.null.len(),
                        low: found.null.first().copied(),
                        high: found.null.last().copied(),
                    },
                });
            }
        }
    }
    out
}
