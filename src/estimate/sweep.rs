//! A grid of sampler settings at one checkpoint: where λ̂ does not depend on the step size.

/// λ̂ at one setting, with what says whether to believe it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Judged {
    /// ε.
    pub eps: f64,
    /// nβ.
    pub nbeta: f64,
    /// γ.
    pub gamma: f64,
    /// λ̂; NaN if every chain ran away.
    pub value: f64,
    /// Its standard error.
    pub se: f64,
    /// ε·a_max/4; NaN where the curvature is not known.
    pub index: f64,
    /// Fraction of chains that ran away.
    pub failed: f64,
}

/// Share of λ̂ by which neighbours on a plateau may differ beyond their errors.
const FLAT: f64 = 0.05;
/// Largest ε·a_max/4 a cell on the plateau may have: a bias of 18 % along one direction.
const INDEX: f64 = 0.15;

impl Judged {
    fn stands(&self) -> bool {
        self.value.is_finite() && self.failed == 0.0
    }
    fn agrees(&self, other: &Self) -> bool {
        let error = if self.se.is_finite() && other.se.is_finite() {
            self.se.hypot(other.se)
        } else {
            0.0
        };
        (self.value - other.value).abs()
            <= FLAT * self.value.abs().max(other.value.abs()) + 2.0 * error
    }
}

/// Which cells lie on the plateau: every chain stood, the step is small enough, and λ̂ agrees with
/// the neighbours in ε at the same nβ and γ that stand (the smaller one must, the larger one may
/// have left the plateau). A cell without a smaller neighbour is judged by the larger one.
#[must_use]
pub fn plateau(cells: &[Judged]) -> Vec<bool> {
    let neighbour = |of: &Judged, smaller: bool| -> Option<&Judged> {
        cells
            .iter()
            .filter(|c| c.nbeta == of.nbeta && c.gamma == of.gamma)
            .filter(|c| {
                if smaller {
                    c.eps < of.eps
                } else {
                    c.eps > of.eps
                }
            })
            .min_by(|a, b| {
                let far = |c: &Judged| (c.eps / of.eps).ln().abs();
                far(a).total_cmp(&far(b))
            })
    };
    cells
        .iter()
        .map(|cell| {
            let judge = neighbour(cell, true).or_else(|| neighbour(cell, false));
            let steep = cell.index.is_finite() && cell.index > INDEX;
            cell.stands() && !steep && judge.is_some_and(|n| n.stands() && cell.agrees(n))
        })
        .collect()
}

/// The cell to adopt: on the plateau, at the nβ and γ asked for if any of theirs is (else the
/// nearest in nβ), the largest ε, since it explores most in the same number of draws.
#[must_use]
pub fn recommended(cells: &[Judged], nbeta: f64, gamma: f64) -> Option<usize> {
    let on = plateau(cells);
    let far = |c: &Judged| {
        let ratio = |a: f64, b: f64| {
            if a > 0.0 && b > 0.0 {
                (a / b).ln().abs()
            } else {
                (a - b).abs()
            }
        };
        ratio(c.nbeta, nbeta) + ratio(c.gamma, gamma)
    };
    (0..cells.len()).filter(|&i| on[i]).min_by(|&i, &j| {
        far(&cells[i])
            .total_cmp(&far(&cells[j]))
            .then(cells[j].eps.total_cmp(&cells[i].eps))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(nbeta: f64, values: [f64; 5]) -> Vec<Judged> {
        values
            .iter()
            .enumerate()
            .map(|(i, &value)| Judged {
                eps: 1e-6 * 10f64.powi(i as i32),
                nbeta,
                gamma: 1.0,
                value,
                se: 0.1,
                index: 0.01 * 2f64.powi(i as i32),
                failed: if value.is_finite() { 0.0 } else { 1.0 },
            })
            .collect()
    }

    #[test]
    fn the_flat_part_is_the_plateau() {
        // Too small a step has not left w* yet; too large a one is biased, then runs away.
        let cells = row(100.0, [1.0, 5.0, 5.1, 8.0, f64::NAN]);
        let on = plateau(&cells);
        assert_eq!(on, [false, false, true, false, false]);
        assert_eq!(recommended(&cells, 100.0, 1.0), Some(2));
        // Without its smaller neighbour the cell at 5.0 is judged by the larger one.
        assert!(plateau(&cells[1..])[0]);
    }

    #[test]
    fn noise_alone_is_no_plateau_and_a_steep_step_none_either() {
        let climbing = row(100.0, [1.0, 2.0, 4.0, 8.0, 16.0]);
        assert!(plateau(&climbing).iter().all(|on| !on));
        assert_eq!(recommended(&climbing, 100.0, 1.0), None);
        let mut steep = row(100.0, [5.0; 5]);
        steep[4].index = 0.3;
        assert_eq!(plateau(&steep), [true, true, true, true, false]);
    }

    #[test]
    fn the_nearest_temperature_is_adopted() {
        let mut cells = row(100.0, [1.0, 2.0, 4.0, 8.0, 16.0]);
        cells.extend(row(1000.0, [5.0; 5]));
        cells.extend(row(1e5, [5.0; 5]));
        assert_eq!(recommended(&cells, 200.0, 1.0), Some(8));
    }
}
