//! Which cells of a study share a job: estimates of the same weights run side by side.

use crate::protocol::{Cell, StudySpec};
use std::collections::VecDeque;

/// Whether two cells are of the same weights. Each part has its own where it is polished first.
fn together(a: &Cell, b: &Cell, polishes: bool) -> bool {
    (a.step, a.replica) == (b.step, b.replica) && (!polishes || a.part == b.part)
}

/// Most cells that are of the same weights: no job needs room for more.
pub(super) fn widest(spec: &StudySpec, polishes: bool) -> usize {
    let same = |cell: &Cell| {
        let of = |c: &&Cell| together(c, cell, polishes);
        spec.cells.iter().filter(of).count()
    };
    spec.cells.iter().map(same).max().unwrap_or(1)
}

/// Which cells share a job of at most `chains` chains: those of the same weights.
pub(super) fn groups(spec: &StudySpec, chains: usize, polishes: bool) -> VecDeque<Vec<u32>> {
    let most = (chains / spec.chains.max(1) as usize).max(1);
    let mut out: VecDeque<Vec<u32>> = VecDeque::new();
    for (i, cell) in spec.cells.iter().enumerate() {
        let first = |g: &[u32]| &spec.cells[g[0] as usize];
        let group = out
            .iter_mut()
            .find(|g| g.len() < most && together(first(g), cell, polishes));
        match group {
            Some(group) => group.push(i as u32),
            None => out.push_back(vec![i as u32]),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_of_one_checkpoint_share_a_job() {
        let cell = |step| Cell {
            step,
            ..Cell::default()
        };
        let of = |step, replica| Cell {
            replica: Some(replica),
            ..cell(step)
        };
        let spec = StudySpec {
            cells: [0, 0, 0, 5, 5, 0].map(cell).to_vec(),
            chains: 2,
            ..StudySpec::default()
        };
        let shared: Vec<Vec<u32>> = groups(&spec, 4, false).into();
        assert_eq!(shared, [vec![0, 1], vec![2, 5], vec![3, 4]]);
        assert_eq!(widest(&spec, true), 4);
        // Weights of different replicas are different weights.
        let cells = vec![of(0, 0), of(0, 1), of(0, 0)];
        let two = StudySpec {
            cells,
            ..spec.clone()
        };
        assert_eq!(Vec::from(groups(&two, 8, false)), [vec![0, 2], vec![1]]);
        // A job too small for a cell is given one all the same.
        assert_eq!(groups(&spec, 1, false).len(), 6);
    }

    #[test]
    fn parts_share_a_job_unless_each_is_polished() {
        let cell = |part: &str| Cell {
            part: part.into(),
            ..Cell::default()
        };
        let spec = StudySpec {
            cells: ["W", "b", "W"].map(cell).to_vec(),
            chains: 2,
            ..StudySpec::default()
        };
        assert_eq!(Vec::from(groups(&spec, 8, false)), [vec![0, 1, 2]]);
        assert_eq!(Vec::from(groups(&spec, 8, true)), [vec![0, 2], vec![1]]);
        assert_eq!((widest(&spec, false), widest(&spec, true)), (3, 2));
    }
}
