//! What the cells of a study say together: the plateau, what to adopt, λ over temperatures.

use crate::estimate::slope::{Temperature, slope};
use crate::estimate::sweep::{Along, Judged, plateau, recommended};
use crate::protocol::{CellResult, SlopeFit, Study, StudyKind, StudySpec};

/// Fills in the plateau, what to adopt for the nβ and γ of the run, and λ over temperatures.
pub(super) fn judge(view: &mut Study, own: (f64, f64)) {
    let Study { spec, done, .. } = &*view;
    let judged: Vec<Judged> = done
        .iter()
        .map(|r| {
            let cell = &spec.cells[r.cell as usize];
            Judged {
                eps: cell.eps,
                nbeta: cell.nbeta,
                gamma: cell.gamma,
                value: r.value.unwrap_or(f64::NAN),
                se: r.se,
                index: r.index.unwrap_or(f64::NAN),
                failed: f64::from(r.failed_chains) / f64::from(spec.chains.max(1)),
            }
        })
        .collect();
    let along = match spec.kind {
        StudyKind::Sweep => Some(Along::Step),
        StudyKind::Spring => Some(Along::Spring),
        _ => None,
    };
    let on = along.map_or_else(Vec::new, |a| plateau(&judged, a));
    let adopt = along.and_then(|a| recommended(&judged, a, own.0, own.1));
    let slopes = slopes(spec, done, own.1);
    view.plateau = (0..on.len()).filter(|&i| on[i]).map(|i| i as u32).collect();
    view.recommended = adopt.map(|i| i as u32);
    view.slopes = slopes;
}

/// λ over temperatures under the run's own spring, at every checkpoint that has three or more, the
/// largest ε of each.
fn slopes(spec: &StudySpec, done: &[CellResult], gamma: f64) -> Vec<SlopeFit> {
    let mut steps: Vec<u64> = spec.cells.iter().map(|c| c.step).collect();
    steps.sort_unstable();
    steps.dedup();
    let at = |step: u64| -> Option<SlopeFit> {
        let mut points: Vec<Temperature> = Vec::new();
        for r in done {
            let cell = &spec.cells[r.cell as usize];
            if cell.step != step || cell.gamma != gamma || r.failed_chains > 0 {
                continue;
            }
            let found = Temperature {
                nbeta: cell.nbeta,
                mean_loss: r.mean_loss,
                se: r.se / cell.nbeta,
            };
            match points.iter_mut().find(|p| p.nbeta == cell.nbeta) {
                Some(p) => *p = found,
                None => points.push(found),
            }
        }
        slope(&points).map(|s| SlopeFit {
            step,
            lambda: s.lambda,
            se: s.se,
            misfit: s.misfit,
        })
    };
    match spec.kind {
        StudyKind::Sweep | StudyKind::Spring | StudyKind::Lens => {
            steps.into_iter().filter_map(at).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Cell;

    /// Three values of γ at each of three nβ, λ̂ by this function of both.
    fn judged(kind: StudyKind, value: impl Fn(f64, f64) -> f64) -> Study {
        let mut view = Study::default();
        view.spec.kind = kind;
        view.spec.chains = 2;
        for nbeta in [10.0, 100.0, 1000.0] {
            for gamma in [1.0, 10.0, 100.0] {
                let cell = view.done.len() as u32;
                view.spec.cells.push(Cell {
                    nbeta,
                    gamma,
                    eps: 1e-3 / nbeta,
                    ..Cell::default()
                });
                view.done.push(CellResult {
                    cell,
                    value: Some(value(nbeta, gamma)),
                    se: 0.01,
                    mean_loss: 1.0 + value(nbeta, gamma) / nbeta,
                    ..CellResult::default()
                });
            }
        }
        judge(&mut view, (100.0, 10.0));
        view
    }

    #[test]
    fn a_sweep_of_the_spring_is_judged_along_it() {
        // Where the spring outweighs the loss it decides.
        let felt = |nbeta: f64, gamma: f64| if gamma < nbeta { 5.0 } else { 5.0 / gamma };
        let view = judged(StudyKind::Spring, felt);
        // At nβ 100: γ 1 and 10; at nβ 1000 all three; at nβ 10 two differ.
        assert_eq!(view.plateau, [3, 4, 6, 7, 8]);
        assert_eq!(view.recommended, Some(4));
        // Planted fault: judged along ε, which is one at each nβ, nothing is flat.
        assert!(judged(StudyKind::Sweep, felt).plateau.is_empty());
    }

    #[test]
    fn temperatures_are_compared_under_one_spring() {
        let view = judged(
            StudyKind::Spring,
            |_, gamma| if gamma == 10.0 { 5.0 } else { 50.0 },
        );
        assert_eq!(view.slopes.len(), 1);
        assert!(
            (view.slopes[0].lambda - 5.0).abs() < 1e-6,
            "{:?}",
            view.slopes
        );
    }
}
