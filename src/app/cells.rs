//! The study on the screen as rows for files. Pure.

use super::commitment::{self, Point};
use crate::protocol::{CellResult, Study, StudyKind};
use serde_json::{Value, json};

/// Each cell that is done: its settings, its numbers, and what the study makes of it; of commitment, in a
/// run of so many steps, what came of the branches.
#[must_use]
pub fn cells(study: &Study, end: u64) -> Vec<Value> {
    if study.spec.kind == StudyKind::Commitment {
        return committed(study, end);
    }
    let spec = &study.spec;
    let row = |(i, result): (usize, &CellResult)| {
        let mut row = json!(spec.cells.get(result.cell as usize)?);
        let (row_map, Value::Object(numbers)) = (row.as_object_mut()?, json!(result)) else {
            return None;
        };
        row_map.extend(numbers);
        row["kind"] = json!(spec.kind);
        row["chains"] = json!(spec.chains);
        row["burnin"] = json!(spec.burnin);
        row["draws"] = json!(spec.draws);
        row["plateau"] = json!(study.plateau.contains(&(i as u32)));
        row["recommended"] = json!(study.recommended == Some(i as u32));
        Some(row)
    };
    study.done.iter().enumerate().filter_map(row).collect()
}

/// A checkpoint of commitment: it has branches and no chains.
fn committed(study: &Study, end: u64) -> Vec<Value> {
    let row = |p: Point| {
        let [share, lo, hi] = [0, 1, 2].map(|i| p.share.map(|s| s[i]));
        json!({"step": p.step, "share": share, "lo": lo, "hi": hi, "branches": study.spec.chains, "told": p.told, "kind": study.spec.kind})
    };
    commitment::points(study, end)
        .into_iter()
        .map(row)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Cell, StudySpec};

    #[test]
    fn commitment_has_branches_and_no_chains() {
        let cell = |step| Cell {
            step,
            ..Cell::default()
        };
        let done = |cell, value| CellResult {
            cell,
            value: Some(value),
            ..CellResult::default()
        };
        let mut study = Study {
            spec: StudySpec {
                kind: StudyKind::Commitment,
                cells: vec![cell(0), cell(600)],
                chains: 2,
                ..StudySpec::default()
            },
            done: vec![done(0, 0.5), done(1, 1.0)],
            told: vec!["the run: a".into(), "the run: b".into()],
            ..Study::default()
        };
        let rows = cells(&study, 600);
        assert_eq!(
            (&rows[0]["share"], &rows[0]["branches"]),
            (&json!(0.5), &json!(2))
        );
        assert!(rows[0]["lo"].as_f64() < Some(0.2) && rows[0]["told"] == "the run: a");
        // At the end nothing is left to train: no sample, no interval.
        assert_eq!((&rows[1]["lo"], &rows[1]["hi"]), (&json!(1.0), &json!(1.0)));
        assert!(
            rows.iter()
                .all(|r| r.get("nbeta").is_none() && r.get("se").is_none())
        );
        // Planted: as a sweep it has settings of chains, and before the end an interval.
        assert!(cells(&study, 700)[1]["lo"].as_f64() < Some(0.5));
        study.spec.kind = StudyKind::Sweep;
        assert!(cells(&study, 600)[0].get("nbeta").is_some());
    }
}
