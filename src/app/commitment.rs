//! How far a run was committed to what it became: the study that trains branches from its checkpoints,
//! and its curve. Pure.

use super::run::Run;
use super::study::thinned;
use super::{link, seeds};
use crate::experiments;
use crate::math::stats;
use crate::plot::number::{fixed, grouped};
use crate::protocol::{Cell, Study, StudyKind, StudySpec};

/// Branches from each checkpoint that the page offers.
pub const BRANCHES: [u32; 3] = [2, 4, 8];
/// Checkpoints they begin at, at most, that the page offers.
pub const CHECKPOINTS: [usize; 3] = [5, 9, usize::MAX];

/// How much of it is done: the share of a few branches has a wide interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Branches from each checkpoint.
    pub branches: u32,
    /// Checkpoints they begin at, at most; five or more.
    pub checkpoints: usize,
}

impl Default for Size {
    fn default() -> Self {
        Self {
            branches: BRANCHES[2],
            checkpoints: CHECKPOINTS[1],
        }
    }
}

/// Of these steps the ends, those nearest to `marks`, and for the rest some spread evenly; all where
/// there are no more than `most`.
fn chosen(steps: &[u64], marks: &[f64], most: usize) -> Vec<u64> {
    if steps.len() <= most {
        return steps.to_vec();
    }
    let far = |s: u64, mark: f64| (s as f64 - mark).abs();
    let nearest = |mark: &f64| {
        let of = |a: &&u64, b: &&u64| far(**a, *mark).total_cmp(&far(**b, *mark));
        steps.iter().min_by(of).copied()
    };
    let mut all = thinned(steps, most - marks.len());
    all.extend(marks.iter().filter_map(nearest));
    all.sort_unstable();
    all.dedup();
    all
}

/// Branches from checkpoints spread over the run, from where a tenth, a half and nine tenths of its
/// transition are done, and from its end; `from` is the step before which it was trained with other
/// settings.
#[must_use]
pub fn spec(run: &Run, from: u64, size: Size) -> StudySpec {
    let known = run.pca.steps.iter().map(|s| *s as u64);
    let steps: Vec<u64> = known.filter(|s| *s >= from).collect();
    let replica = u32::try_from(run.knobs.int("member")).ok();
    let cell = |step| Cell {
        step,
        replica,
        ..Cell::default()
    };
    let card = experiments::card(link::parse(&run.link).experiment);
    let turn = card.and_then(|c| {
        let own = |m: &seeds::Member| Some(m.replica) == replica;
        seeds::members(run, c).into_iter().find(own)?.transition
    });
    let marks = turn.map_or(Vec::new(), |t| vec![t.t10, t.t50, t.t90]);
    let steps = chosen(&steps, &marks, size.checkpoints.max(5));
    StudySpec {
        kind: StudyKind::Commitment,
        cells: steps.into_iter().map(cell).collect(),
        chains: size.branches,
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

/// The checkpoints that are done, of a run of so many steps: at its end nothing is left to train, and the
/// share is 1 without an error.
#[must_use]
pub fn points(study: &Study, end: u64) -> Vec<Point> {
    let point = |(i, r): (usize, &crate::protocol::CellResult)| {
        let cell = study.spec.cells.get(r.cell as usize)?;
        let share = r.value.map(|p| {
            let (low, high) = stats::wilson(p, study.spec.chains);
            if cell.step < end {
                [p, low, high]
            } else {
                [p; 3]
            }
        });
        Some(Point {
            step: cell.step,
            share,
            told: study.told.get(i).cloned().unwrap_or_default(),
        })
    };
    study.done.iter().enumerate().filter_map(point).collect()
}

/// That nothing was seen to be left open from the first checkpoint on, if all branches of all end alike:
/// then the share says nothing of when it was settled; and how low it could be and look the same.
#[must_use]
pub fn nothing_open(study: &Study, points: &[Point]) -> Option<String> {
    let alike = |p: &Point| p.share.is_some_and(|s| s[0] >= 1.0);
    let all = study.over && points.len() > 1 && points.iter().all(alike);
    let branches = study.spec.chains;
    all.then(|| {
        format!(
            "Every branch ended like the run, from the first checkpoint on: this does not show when it was settled. With {branches} branches a share down to {} would look the same.",
            fixed(stats::wilson(1.0, branches).0, 2)
        )
    })
}

/// The last checkpoint at which not every branch ended like the run, and the first from which on all did.
#[must_use]
pub fn settled(study: &Study, points: &[Point], end: u64) -> Option<String> {
    // At the end of the run nothing is left to train.
    let known = |p: &&Point| p.step < end && p.share.is_some();
    let known: Vec<&Point> = points.iter().filter(known).collect();
    let open = known
        .iter()
        .rposition(|p| p.share.is_some_and(|s| s[0] < 1.0));
    let last = known.get(open.filter(|_| study.over)?)?;
    let [share, low, high] = last.share?.map(|s| fixed(s, 2));
    let step = grouped(last.step);
    let told =
        format!("Open at step {step}: a share of {share} ({low} to {high}) ends like the run.");
    let Some(next) = known.get(open? + 1) else {
        return Some(format!(
            "{told} No later checkpoint tells when it was settled."
        ));
    };
    let [step, low] = [
        grouped(next.step),
        fixed(stats::wilson(1.0, study.spec.chains).0, 2),
    ];
    Some(format!(
        "{told} From step {step} on every branch does, as far as {} can tell: a share down to {low} would look the same.",
        study.spec.chains
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::CellResult;

    #[test]
    fn branches_begin_where_it_happens() {
        let steps: Vec<u64> = (0..=50).map(|i| 50 * i).collect();
        let even = chosen(&steps, &[], 8);
        assert_eq!((even.len(), even[0], even[7]), (8, 0, 2500));
        // Planted: evenly spread, none lies within the drop.
        assert!(!even.iter().any(|s| (430..=600).contains(s)), "{even:?}");
        let marks = [430.0, 520.0, 610.0];
        let marked = chosen(&steps, &marks, 8);
        assert_eq!(marked, [0, 450, 500, 600, 1250, 1850, 2500]);
        // Fewer: the ends and the transition are what is left. All: every one that is there.
        assert_eq!(chosen(&steps, &marks, 5), [0, 450, 500, 600, 2500]);
        assert_eq!(chosen(&steps, &marks, usize::MAX), steps);
        assert_eq!(chosen(&steps[..4], &marks, 5), steps[..4]);
    }

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
        let all = points(&study, 90);
        assert_eq!((all[0].share, all[0].told.as_str()), (None, "a"));
        // Eight of eight: the lower end is 8/(8 + 1.96²).
        let [share, low, high] = all[1].share.unwrap_or_default();
        assert!((low - 8.0 / (8.0 + 1.96 * 1.96)).abs() < 1e-3, "{low}");
        assert_eq!((share, high), (1.0, 1.0));
        // One that is not known may be one that was open.
        let over = Study {
            over: true,
            ..study.clone()
        };
        assert_eq!(nothing_open(&over, &all), None);
        let known = vec![all[1].clone(); 2];
        let told = |branches: u32| {
            let mut few = over.clone();
            few.spec.chains = branches;
            nothing_open(&few, &known).unwrap_or_default()
        };
        assert!(told(8).contains("With 8 branches a share down to 0.68 "));
        // Planted: two branches settle far less, and never that nothing was left to settle.
        assert!(told(2).contains("With 2 branches a share down to 0.34 "));
        assert!(!told(2).contains("nothing was left"), "{}", told(2));
        assert_eq!(nothing_open(&study, &known), None);
    }

    #[test]
    fn it_is_told_from_where_on_all_ended_alike() {
        let point = |(step, share): (u64, f64)| Point {
            step,
            share: Some([share, 0.2, 1.0]),
            told: String::new(),
        };
        let mut study = Study {
            over: true,
            ..Study::default()
        };
        study.spec.chains = 8;
        let told = |study: &Study, all: &[(u64, f64)]| {
            let all: Vec<Point> = all.iter().copied().map(point).collect();
            settled(study, &all, 800)
        };
        let said =
            told(&study, &[(0, 1.0), (150, 0.5), (250, 1.0), (800, 1.0)]).unwrap_or_default();
        assert!(
            said.starts_with("Open at step 150: a share of 0.50 (0.20 to 1.00)"),
            "{said}"
        );
        assert!(
            said.contains("From step 250 on") && said.contains("down to 0.68"),
            "{said}"
        );
        // Planted: the end of the run, where nothing is left to train, settles nothing.
        let said = told(&study, &[(0, 0.2), (250, 0.9), (800, 1.0)]).unwrap_or_default();
        assert!(
            said.starts_with("Open at step 250") && said.contains("No later"),
            "{said}"
        );
        assert_eq!(told(&study, &[(0, 1.0), (250, 1.0)]), None);
        study.over = false;
        assert_eq!(told(&study, &[(0, 0.2), (250, 1.0)]), None);
    }
}
