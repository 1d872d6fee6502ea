//! What the cells of a study say together: the plateau, what to adopt, λ over temperatures.

use crate::estimate::slope::{Temperature, slope};
use crate::estimate::sweep::{Judged, plateau, recommended};
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
    let sweep = spec.kind == StudyKind::Sweep;
    let on = if sweep { plateau(&judged) } else { Vec::new() };
    let adopt = if sweep {
        recommended(&judged, own.0, own.1)
    } else {
        None
    };
    let slopes = slopes(spec, done);
    view.plateau = (0..on.len()).filter(|&i| on[i]).map(|i| i as u32).collect();
    view.recommended = adopt.map(|i| i as u32);
    view.slopes = slopes;
}

/// λ over temperatures at every checkpoint that has three or more, the largest ε of each.
fn slopes(spec: &StudySpec, done: &[CellResult]) -> Vec<SlopeFit> {
    let mut steps: Vec<u64> = spec.cells.iter().map(|c| c.step).collect();
    steps.sort_unstable();
    steps.dedup();
    let at = |step: u64| -> Option<SlopeFit> {
        let mut points: Vec<Temperature> = Vec::new();
        for r in done {
            let cell = &spec.cells[r.cell as usize];
            if cell.step != step || r.failed_chains > 0 {
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
        StudyKind::Sweep | StudyKind::Lens => steps.into_iter().filter_map(at).collect(),
        _ => Vec::new(),
    }
}
