//! Refined λ̂ of the head that wins in each model of a run, the rest of the model frozen: the study that
//! estimates it, and its curves. Pure.

use super::run::Run;
use super::{estimated, leads, refined, study};
use crate::knobs::Knobs;
use crate::protocol::{Cell, StudyKind, StudySpec};

/// Most checkpoints of a model, as many as in [`study::members`] of the page.
const MOST: usize = 64;

/// The study: every model's own winner at every checkpoint with λ̂, thinned; none where no head wins.
#[must_use]
pub fn spec(run: &Run, models: u32) -> Option<StudySpec> {
    let steps: Vec<u64> = run.llc.points.iter().map(|p| p.step).collect();
    let steps = study::thinned(&steps, MOST);
    cells(
        &run.knobs,
        &steps,
        (0..models).map(|r| leads::winning(run, r)),
    )
}

/// The same of parts that are given, one a model or none. The cells have the chains of
/// [`refined::spec`], so each curve is the one that has for the same part, bit for bit.
#[must_use]
pub fn cells(
    knobs: &Knobs,
    steps: &[u64],
    parts: impl Iterator<Item = Option<String>>,
) -> Option<StudySpec> {
    let mut all: Vec<Cell> = Vec::new();
    for (replica, part) in (0..).zip(parts) {
        for cell in part
            .into_iter()
            .flat_map(|p| study::parts(knobs, steps, &[p]).cells)
        {
            all.push(Cell {
                replica: Some(replica),
                ..cell
            });
        }
    }
    (!all.is_empty()).then(|| StudySpec {
        kind: StudyKind::Winners,
        cells: all,
        ..study::parts(knobs, &[], &[])
    })
}

/// Refined λ̂ of the head that wins in a model: of this study, else, of the model that is followed, of
/// the study of all its heads. None where the head that wins is another one than was estimated.
#[must_use]
pub fn curve(run: &Run, replica: u32) -> Option<leads::Curve> {
    let part = leads::winning(run, replica)?;
    let kept = run.kept.iter();
    let own = kept.filter(|s| s.spec.kind == StudyKind::Winners);
    let all = refined::of(run).filter(|_| estimated::follows(run, replica));
    let from = |study: &crate::protocol::Study| {
        let (mut x, mut y) = (Vec::new(), Vec::new());
        for r in &study.done {
            let cell = study.spec.cells.get(r.cell as usize);
            let is = cell.filter(|c| c.part == part && c.replica == Some(replica));
            if let (Some(cell), Some(value)) = (is, r.value) {
                x.push(cell.step as f64);
                y.push(value);
            }
        }
        (!x.is_empty()).then_some((x, y))
    };
    own.chain(all).find_map(|s| from(s))
}
