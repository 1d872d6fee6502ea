//! Refined λ̂ of every head and every layer over training (Wang et al. 2024): the study that estimates
//! it, its curves, which heads go together, and whether composing goes before it. Pure.

use super::run::Run;
use super::{parts, seeds, study};
use crate::estimate::cluster;
pub use crate::estimate::cluster::{Groups, REASONABLE};
use crate::estimate::lagged::{self, Curves};
use crate::knobs::Knobs;
use crate::protocol::{Study, StudyKind, StudySpec};
use std::rc::Rc;

/// Most checkpoints of the study.
const MOST: usize = 120;
/// Most checkpoints of a lag.
pub const LAGS: i64 = 8;
/// What a later head composes with an earlier one: keys, queries or values.
pub const KINDS: [&str; 3] = ["k", "q", "v"];

/// λ̂ of each head and of each layer, the rest frozen, at every checkpoint given, thinned to 120; none
/// for a model without heads.
#[must_use]
pub fn spec(knobs: &Knobs, steps: &[u64]) -> Option<StudySpec> {
    let names = parts::circuits(knobs);
    let steps = study::thinned(steps, MOST);
    (!names.is_empty()).then(|| {
        let mut spec = study::parts(knobs, &steps, &names);
        spec.kind = StudyKind::Refined;
        let member = u32::try_from(knobs.int("member")).ok();
        spec.cells.iter_mut().for_each(|c| c.replica = member);
        spec
    })
}

/// The study of a run, if it was asked for, of the model that is followed.
#[must_use]
pub fn of(run: &Run) -> Option<&Rc<Study>> {
    study::of(run, StudyKind::Refined)
}

/// λ̂ of a part over training.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curve {
    /// Its name in links.
    pub part: String,
    /// Layer.
    pub layer: usize,
    /// Head; none, the whole layer.
    pub head: Option<usize>,
    /// Checkpoints.
    pub x: Vec<f64>,
    /// λ̂.
    pub y: Vec<f64>,
    /// λ̂ − SE.
    pub lo: Vec<f64>,
    /// λ̂ + SE.
    pub hi: Vec<f64>,
}

impl Curve {
    /// Its series in files.
    #[must_use]
    pub fn id(&self) -> String {
        format!("refined.{}", self.part)
    }

    /// Its name.
    #[must_use]
    pub fn label(&self) -> String {
        format!("λ̂ of {} alone (± 1 SE)", parts::short(&self.part))
    }
}

/// The curves of the study so far, heads before layers; what ran away is not in them.
#[must_use]
pub fn curves(study: &Study) -> Vec<Curve> {
    let mut all: Vec<Curve> = Vec::new();
    for cell in &study.spec.cells {
        if let Some((layer, head)) =
            parts::circuit(&cell.part).filter(|_| !all.iter().any(|c| c.part == cell.part))
        {
            all.push(Curve {
                part: cell.part.clone(),
                layer,
                head,
                ..Curve::default()
            });
        }
    }
    for result in &study.done {
        let Some(cell) = study.spec.cells.get(result.cell as usize) else {
            continue;
        };
        let (Some(curve), Some(y)) = (all.iter_mut().find(|c| c.part == cell.part), result.value)
        else {
            continue;
        };
        let se = if result.se.is_finite() {
            result.se
        } else {
            0.0
        };
        curve.x.push(cell.step as f64);
        curve.y.push(y);
        curve.lo.push(y - se);
        curve.hi.push(y + se);
    }
    let place = |c: &Curve| (c.head.is_none(), c.layer, c.head);
    crate::math::order::sort_by(&mut all, |a, b| place(a).cmp(&place(b)));
    all
}

/// A curve's values at some steps; NaN where it has none.
fn at(steps: &[f64], x: &[f64], y: &[f64]) -> Vec<f64> {
    let value = |s: &f64| {
        x.iter()
            .position(|x| x == s)
            .and_then(|i| y.get(i).copied())
    };
    steps.iter().map(|s| value(s).unwrap_or(f64::NAN)).collect()
}

/// The heads' curves in groups.
#[must_use]
pub fn grouped(heads: &[&Curve]) -> Groups {
    let longest = heads.iter().max_by_key(|c| c.x.len());
    let steps = longest.map_or(&[][..], |c| &c.x);
    let all: Vec<Vec<f64>> = heads.iter().map(|c| at(steps, &c.x, &c.y)).collect();
    cluster::groups(&all)
}

/// A pair of heads that may compose: earlier layer and head, later layer and head.
pub type Pair = [usize; 4];

/// What goes into the lagged scatter.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scatter {
    /// The pairs, in the order of the drivers.
    pub pairs: Vec<Pair>,
    /// The common steps.
    pub steps: Vec<f64>,
    /// Composition of the pairs, and refined λ̂ of later heads.
    pub curves: Curves,
}

impl Scatter {
    /// Steps from one checkpoint to the next.
    #[must_use]
    pub fn apart(&self) -> f64 {
        let ends = self.steps.get(1).zip(self.steps.first());
        ends.map_or(0.0, |(b, a)| b - a)
    }
}

/// Composition (`k`, `q` or `v`, as z) of every pair and refined λ̂ of its later head, at the steps at
/// which both were measured: those of the regular grid of checkpoints, so that a lag is as many steps
/// everywhere. `changes`: how both change from step to step instead. `only`: one pair alone.
#[must_use]
pub fn scatter(run: &Run, kind: &str, changes: bool, only: Option<Pair>) -> Scatter {
    let mut out = Scatter::default();
    let Some(study) = of(run) else { return out };
    let parts = curves(study);
    let heads: Vec<&Curve> = parts.iter().filter(|c| c.head.is_some()).collect();
    let start = format!("composition.{kind}.");
    let pair = |id: &str| -> Option<Pair> {
        let numbers: Vec<usize> = id
            .strip_prefix(&start)?
            .split('.')
            .filter_map(|n| n.parse().ok())
            .collect();
        numbers.try_into().ok()
    };
    let all: Vec<Pair> = run.series.keys().filter_map(|id| pair(id)).collect();
    let every = run.knobs.int("every").max(0) as f64;
    let regular = |s: &f64| every == 0.0 || s % every == 0.0;
    let made: Vec<f64> = heads
        .iter()
        .max_by_key(|c| c.x.len())
        .map_or(Vec::new(), |c| c.x.clone());
    let of_pair =
        |p: &Pair| seeds::followed(run, &format!("{start}{}.{}.{}.{}", p[0], p[1], p[2], p[3]));
    let known = all.first().and_then(of_pair).map_or(&[][..], |s| &s.x);
    out.steps = made
        .iter()
        .copied()
        .filter(|s| regular(s) && known.contains(s))
        .collect();
    let shown = |y: Vec<f64>| if changes { lagged::changes(&y) } else { y };
    for p in &all {
        let whose = heads
            .iter()
            .position(|c| (c.layer, c.head) == (p[2], Some(p[3])));
        let (Some(series), Some(whose)) =
            (of_pair(p).filter(|_| only.is_none_or(|o| o == *p)), whose)
        else {
            continue;
        };
        let z: Vec<f64> = (0..series.y.len())
            .map(|i| z(series, i).unwrap_or(f64::NAN))
            .collect();
        out.pairs.push(*p);
        out.curves
            .drivers
            .push((shown(at(&out.steps, &series.x, &z)), whose));
    }
    let response = |c: &&Curve| (shown(at(&out.steps, &c.x, &c.y)), c.layer);
    out.curves.responders = heads.iter().map(response).collect();
    out
}

/// How many standard deviations of its null a composition score lies above it.
#[must_use]
pub fn z(series: &crate::protocol::Series, i: usize) -> Option<f64> {
    let (lo, hi) = (*series.lo.get(i)?, *series.hi.get(i)?);
    Some((series.y.get(i)? - (lo + hi) / 2.0) / ((hi - lo) / 2.0))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::app::link::parse;
    use crate::protocol::Series;
    use crate::protocol::{CellResult, RunId};

    fn studied() -> Run {
        let link = parse("#/induction?heads=2&every=50&log=3");
        let steps = [0, 1, 50, 100, 150, 200];
        let spec = spec(&link.knobs, &steps).unwrap();
        // Six parts: four heads, two layers.
        assert_eq!(spec.cells.len(), 6 * 6);
        let value = |i: usize| (i != 9).then_some(i as f64);
        let done = (0..36).map(|i| CellResult {
            cell: i as u32,
            value: value(i),
            se: 0.5,
            ..CellResult::default()
        });
        let study = Study {
            done: done.collect(),
            spec,
            ..Study::default()
        };
        let mut run = Run::new(RunId(1), String::new(), link.knobs, 200);
        run.kept.push(Rc::new(study));
        for (a, b) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let x: Vec<f64> = steps.map(|s| s as f64).into();
            let y: Vec<f64> = x.iter().map(|x| 1.0 + x / 100.0).collect();
            let series = Series {
                lo: vec![0.5; 6],
                hi: vec![1.5; 6],
                x,
                y,
            };
            run.series
                .insert(format!("composition.k.0.{a}.1.{b}"), Rc::new(series));
        }
        run
    }

    #[test]
    fn curves_are_of_heads_then_of_layers() {
        let run = studied();
        let all = curves(of(&run).unwrap());
        let places: Vec<_> = all.iter().map(|c| (c.layer, c.head)).collect();
        assert_eq!(
            places,
            [
                (0, Some(0)),
                (0, Some(1)),
                (1, Some(0)),
                (1, Some(1)),
                (0, None),
                (1, None)
            ]
        );
        // What ran away is not there, and the rest is where it was estimated.
        assert_eq!(
            (all[0].x.as_slice(), all[0].y[3]),
            (&[0.0, 1.0, 50.0, 150.0, 200.0][..], 10.0)
        );
        assert_eq!((all[1].lo[0], all[1].hi[0]), (11.5, 12.5));
        assert_eq!(spec(&parse("#/tms").knobs, &[0]), None);
    }

    #[test]
    fn a_pair_meets_the_curve_of_its_later_head() {
        let run = studied();
        let all = scatter(&run, "k", false, None);
        assert_eq!(all.steps, [0.0, 50.0, 100.0, 150.0, 200.0]);
        assert_eq!(all.pairs.len(), 4);
        // Head 1.1 is the fourth responder, of layer 1; at step 100 it has the fourth of its six cells.
        let (driver, whose) = &all.curves.drivers[1];
        let (response, layer) = &all.curves.responders[*whose];
        let place = parts::circuit(&curves(of(&run).unwrap())[*whose].part);
        assert_eq!(
            (all.pairs[1], place, *layer),
            ([0, 0, 1, 1], Some((1, Some(1))), 1)
        );
        assert_eq!((driver[2], response[2] - response[1]), (2.0, 1.0));
        let one = scatter(&run, "k", true, Some([0, 1, 1, 0]));
        assert_eq!((one.pairs.len(), one.curves.drivers[0].0[0]), (1, 1.0));
        assert_eq!(scatter(&run, "q", false, None).pairs.len(), 0);
    }
}
