//! How far a run was committed to what it became: the study that trains branches from its checkpoints,
//! and its curve. Pure.

use super::run::Run;
use super::study::thinned;
use crate::math::stats;
use crate::protocol::{Cell, Study, StudyKind, StudySpec};
use std::rc::Rc;

/// Branches from each checkpoint.
pub const BRANCHES: u32 = 8;
/// Checkpoints they begin at.
const CHECKPOINTS: usize = 6;

/// Branches from checkpoints spread over the run, the last of them its end; `from` is the step before
/// which it was trained with other settings.
#[must_use]
pub fn spec(run: &Run, from: u64) -> StudySpec {
    let known = run.pca.steps.iter().map(|s| *s as u64);
    let steps: Vec<u64> = known.filter(|s| *s >= from).collect();
    let replica = u32::try_from(run.knobs.int("member")).ok();
    let cell = |step| Cell {
        step,
        replica,
        ..Cell::default()
    };
    StudySpec {
        kind: StudyKind::Commitment,
        cells: thinned(&steps, CHECKPOINTS).into_iter().map(cell).collect(),
        chains: BRANCHES,
        ..StudySpec::default()
    }
}

/// Steps that all branches of a study train to the end of a run, those of the run itself among them:
/// as many runs of one model.
#[must_use]
pub fn runs(spec: &StudySpec, steps: u64) -> f64 {
    let each = spec.cells.iter().map(|c| steps.saturating_sub(c.step));
    each.sum::<u64>() as f64 * f64::from(spec.chains + 1) / steps.max(1) as f64
}

/// The study of the model that is followed, if it was asked for.
#[must_use]
pub fn of(run: &Run) -> Option<&Rc<Study>> {
    let member = u32::try_from(run.knobs.int("member")).ok();
    let own = |s: &&Rc<Study>| s.spec.cells.first().is_some_and(|c| c.replica == member);
    run.kept
        .iter()
        .find(|s| s.spec.kind == StudyKind::Commitment)
        .filter(own)
}

/// A checkpoint whose branches have ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Its step.
    pub step: u64,
    /// The share of the branches that ended like the run, with its 95 % interval (Wilson 1927); none
    /// where the state of its optimiser is no longer kept.
    pub share: Option<[f64; 3]>,
    /// How they ended, in words.
    pub told: String,
}

/// The checkpoints that are done.
#[must_use]
pub fn points(study: &Study) -> Vec<Point> {
    let point = |(i, r): (usize, &crate::protocol::CellResult)| {
        let cell = study.spec.cells.get(r.cell as usize)?;
        let share = r.value.map(|p| {
            let (low, high) = stats::wilson(p, study.spec.chains);
            [p, low, high]
        });
        Some(Point {
            step: cell.step,
            share,
            told: study.told.get(i).cloned().unwrap_or_default(),
        })
    };
    study.done.iter().enumerate().filter_map(point).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::CellResult;

    #[test]
    fn branches_are_counted_in_runs() {
        let cell = |step| Cell {
            step,
            ..Cell::default()
        };
        let spec = StudySpec {
            cells: [0, 500, 1000].map(cell).to_vec(),
            chains: 8,
            ..StudySpec::default()
        };
        assert!((runs(&spec, 1000) - 13.5).abs() < 1e-12);
    }

    #[test]
    fn a_share_has_its_interval_and_an_empty_cell_none() {
        let cell = |step| Cell {
            step,
            ..Cell::default()
        };
        let done = |cell, value| CellResult {
            cell,
            value,
            ..CellResult::default()
        };
        let study = Study {
            spec: StudySpec {
                cells: vec![cell(0), cell(60)],
                chains: 8,
                ..StudySpec::default()
            },
            done: vec![done(0, None), done(1, Some(1.0))],
            told: vec!["a".into(), "b".into()],
            ..Study::default()
        };
        let all = points(&study);
        assert_eq!((all[0].share, all[0].told.as_str()), (None, "a"));
        // Eight of eight: the lower end is 8/(8 + 1.96²).
        let [share, low, high] = all[1].share.unwrap_or_default();
        assert!((low - 8.0 / (8.0 + 1.96 * 1.96)).abs() < 1e-3, "{low}");
        assert_eq!((share, high), (1.0, 1.0));
    }
}
