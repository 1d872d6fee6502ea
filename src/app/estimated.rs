//! What was estimated of each model of a run: of the one that is followed, the run's own points; of the
//! others, as far as a study of all of them has come. Pure.

use super::export::Column;
use super::run::Run;
use super::spread;
use crate::protocol::{Cell, CellResult, Curved, Series, StudyKind};

/// Curves: their names in files, and in words.
pub const CURVES: [(&str, &str); 4] = [
    ("llc", "λ̂ at this nβ, γ, ε (± 1 SE)"),
    (
        "llc.trace",
        "tr H, the trace of the Hessian at w*, by Hutchinson's probes (± 1 SE)",
    ),
    (
        "llc.h_max",
        "greatest eigenvalue of the Hessian at w*, by Lanczos",
    ),
    (
        "llc.gradient_sq",
        "‖∇L(w*)‖², without the noise of the batches",
    ),
];

/// The number of a curve in an estimate, and its standard error where it has one.
fn number(id: &str, llc: Option<[f64; 2]>, c: Option<Curved>) -> Option<[f64; 2]> {
    match id {
        "llc" => llc,
        "llc.trace" => c.map(|c| [c.trace, c.trace_se]),
        "llc.h_max" => c.map(|c| [c.h_max, 0.0]),
        _ => c.map(|c| [c.gradient_sq, 0.0]),
    }
}

/// Whether this is the model that is followed.
#[must_use]
pub fn follows(run: &Run, replica: u32) -> bool {
    i64::from(replica) == run.knobs.int("member")
}

/// One of [`CURVES`] of a model over its checkpoints, with one standard error down and up; none where
/// nothing was estimated.
#[must_use]
pub fn curve(run: &Run, replica: u32, id: &str) -> Option<Series> {
    let mut out = Series::default();
    let mut add = |step: u64, known: Option<[f64; 2]>| {
        let Some([y, se]) = known else { return };
        let se = if se.is_finite() { se } else { 0.0 };
        out.x.push(step as f64);
        out.y.push(y);
        out.lo.push(y - se);
        out.hi.push(y + se);
    };
    if follows(run, replica) {
        for p in &run.llc.points {
            add(p.step, number(id, Some([p.value, p.se]), p.curvature));
        }
    } else {
        let mut all = run.kept.iter();
        let study = all.find(|s| s.spec.kind == StudyKind::Members)?;
        let own = |r: &&CellResult| {
            let cell: Option<&Cell> = study.spec.cells.get(r.cell as usize);
            cell.filter(|c| c.replica == Some(replica)).map(|c| c.step)
        };
        // Results stand in the order of their cells, and these in that of their steps.
        for r in &study.done {
            if let Some(step) = own(&r) {
                let llc = r.value.map(|value| [value, r.se]);
                add(step, number(id, llc, r.curvature));
            }
        }
    }
    (!out.x.is_empty()).then_some(out)
}

/// For files: the curves of every model that is not followed, and those of the one that is, but for λ̂
/// itself.
#[must_use]
pub fn columns(run: &Run) -> Vec<Column> {
    let mut out = Vec::new();
    for replica in 0..spread::count(run) {
        for (id, label) in CURVES {
            let own = follows(run, replica);
            let known = curve(run, replica, id).filter(|_| !own || id != "llc");
            let Some(mut points) = known else {
                continue;
            };
            if points.lo == points.hi {
                // It has no error.
                (points.lo, points.hi) = (Vec::new(), Vec::new());
            }
            out.push(Column {
                id: if own {
                    id.into()
                } else {
                    format!("replicas/{replica}/{id}")
                },
                label: label.into(),
                unit: String::new(),
                points,
            });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::app::run::Llc;
    use crate::app::{link, study};
    use crate::protocol::{LlcPoint, RunId, Study};
    use std::rc::Rc;

    fn curved(trace: f64) -> Option<Curved> {
        Some(Curved {
            h_max: 2.0,
            trace,
            trace_se: 0.5,
            gradient_sq: 0.25,
        })
    }

    /// Three models, the second followed, whose study has come to the last checkpoint of the last one.
    fn run(curvature: bool) -> Run {
        let link = link::parse("#/tms?replicas=3&member=1");
        let mut run = Run::new(RunId(1), link.text(true), link.knobs, 10);
        let point = |step: u64| LlcPoint {
            step,
            value: step as f64,
            se: 0.1,
            curvature: curved(100.0 + step as f64),
            ..LlcPoint::default()
        };
        run.llc = Rc::new(Llc::of(vec![point(5), point(10)]));
        let done = |cell: u32| CellResult {
            cell,
            value: (cell != 1).then_some(f64::from(cell)),
            se: f64::NAN,
            curvature: curved(f64::from(cell)).filter(|_| curvature),
            ..CellResult::default()
        };
        run.kept.push(Rc::new(Study {
            spec: study::members(&run.knobs, &[5, 10]),
            done: (0..5).map(done).collect(),
            ..Study::default()
        }));
        run
    }

    #[test]
    fn each_model_has_its_own_curves() {
        let run = run(true);
        let of = |replica, id| {
            let s = curve(&run, replica, id).unwrap();
            (s.x, s.y)
        };
        // The run's own points of the model that is followed, the study's of the others.
        assert_eq!(of(1, "llc.trace"), (vec![5.0, 10.0], vec![105.0, 110.0]));
        assert_eq!(of(0, "llc.trace"), (vec![5.0, 10.0], vec![0.0, 1.0]));
        // Chains that ran away leave no λ̂; what is not done yet is not there.
        assert_eq!(of(0, "llc"), (vec![5.0], vec![0.0]));
        assert_eq!(of(2, "llc"), (vec![5.0], vec![4.0]));
        let with_error = curve(&run, 2, "llc.trace").unwrap();
        assert_eq!((with_error.lo, with_error.hi), (vec![3.5], vec![4.5]));
        let all = columns(&run);
        let named = |id: &str| all.iter().find(|c| c.id == id);
        assert!(named("llc").is_none() && named("replicas/1/llc.trace").is_none());
        assert_eq!(named("llc.trace").unwrap().points.hi, [105.5, 110.5]);
        assert_eq!(named("replicas/2/llc").unwrap().points.y, [4.0]);
        assert!(named("replicas/0/llc.h_max").unwrap().points.lo.is_empty());
    }

    #[test]
    fn a_study_of_before_has_no_curvature() {
        let run = run(false);
        assert!(curve(&run, 0, "llc").is_some() && curve(&run, 0, "llc.trace").is_none());
        assert!(curve(&run, 1, "llc.trace").is_some());
    }
}
