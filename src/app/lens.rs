//! The curves of a study, setting by setting or part by part, as the page draws and judges them.

use super::parts;
use super::words::value;
use crate::knobs::Value;
use crate::protocol::{LlcPoint, Study, StudyKind};

/// λ̂ over training at one setting of a study.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Traced {
    /// The part that moves, or the setting in words.
    pub name: String,
    /// nβ.
    pub nbeta: f64,
    /// γ.
    pub gamma: f64,
    /// ε.
    pub eps: f64,
    /// Checkpoints.
    pub x: Vec<f64>,
    /// λ̂.
    pub y: Vec<f64>,
    /// The same as points, with the curvature where the run measured it.
    pub points: Vec<LlcPoint>,
}

/// The curves of a study, in the order of its cells; what ran away is not in them.
#[must_use]
pub fn curves(study: &Study, run: &[LlcPoint]) -> Vec<Traced> {
    let mut all: Vec<Traced> = Vec::new();
    for (result, llc) in study.done.iter().filter_map(|r| Some((r, r.value?))) {
        let Some(cell) = study.spec.cells.get(result.cell as usize) else {
            continue;
        };
        let name = match study.spec.kind {
            StudyKind::Parts | StudyKind::Refined | StudyKind::Winners => parts::short(&cell.part),
            _ => format!(
                "nβ {} · γ {}",
                value(Value::Float(cell.nbeta)),
                value(Value::Float(cell.gamma))
            ),
        };
        let at = all.iter().position(|t| t.name == name).unwrap_or(all.len());
        if at == all.len() {
            all.push(Traced {
                name,
                nbeta: cell.nbeta,
                gamma: cell.gamma,
                eps: cell.eps,
                ..Traced::default()
            });
        }
        let curve = &mut all[at];
        curve.x.push(cell.step as f64);
        curve.y.push(llc);
        curve.points.push(LlcPoint {
            step: cell.step,
            value: llc,
            se: result.se,
            init_loss: result.init_loss,
            mean_loss: result.mean_loss,
            curvature: run
                .iter()
                .find(|p| p.step == cell.step)
                .and_then(|p| p.curvature),
            ..LlcPoint::default()
        });
    }
    all
}

/// The values of one setting over the curves, rising, each once: the stops of a slider.
#[must_use]
pub fn stops(all: &[Traced], of: fn(&Traced) -> f64) -> Vec<f64> {
    let mut values: Vec<f64> = all.iter().map(of).collect();
    crate::math::order::ascending(&mut values);
    values.dedup();
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Cell, CellResult, Curved, StudySpec};

    fn study(kind: StudyKind, cells: Vec<Cell>, lost: u32) -> Study {
        let done = (0..cells.len() as u32).map(|cell| CellResult {
            cell,
            value: (cell != lost).then_some(f64::from(cell)),
            ..CellResult::default()
        });
        Study {
            done: done.collect(),
            spec: StudySpec {
                kind,
                cells,
                ..StudySpec::default()
            },
            ..Study::default()
        }
    }

    #[test]
    fn each_setting_has_its_own_curve_and_what_ran_away_is_in_none() {
        let cell = |step, nbeta, gamma| Cell {
            step,
            nbeta,
            gamma,
            ..Cell::default()
        };
        // Two settings share nβ: by nβ alone they would be one curve.
        let cells = vec![
            cell(0, 3.0, 10.0),
            cell(50, 3.0, 10.0),
            cell(0, 3.0, 100.0),
            cell(50, 3.0, 100.0),
        ];
        let run = [LlcPoint {
            step: 50,
            curvature: Some(Curved::default()),
            ..LlcPoint::default()
        }];
        let all = curves(&study(StudyKind::Lens, cells, 2), &run);
        let drawn: Vec<_> = all.iter().map(|t| (t.gamma, &t.x[..], &t.y[..])).collect();
        assert_eq!(
            drawn,
            [
                (10.0, &[0.0, 50.0][..], &[0.0, 1.0][..]),
                (100.0, &[50.0][..], &[3.0][..])
            ]
        );
        assert_eq!(all[0].points[0].curvature, None);
        assert!(all[0].points[1].curvature.is_some());
        assert_eq!(stops(&all, |t| t.nbeta), [3.0]);
        assert_eq!(stops(&all, |t| t.gamma), [10.0, 100.0]);
    }

    #[test]
    fn parts_go_by_their_names() {
        let cell = |part: &str| Cell {
            part: part.into(),
            ..Cell::default()
        };
        let all = curves(
            &study(StudyKind::Parts, vec![cell("embed"), cell("b")], 9),
            &[],
        );
        let names: Vec<_> = all.iter().map(|t| t.name.as_str()).collect();
        assert_eq!(names, ["embed", "b"]);
    }
}
