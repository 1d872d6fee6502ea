//! What studies ask for, from a run's settings: pure, and counted before it is started.

use super::run::Run;
pub use crate::experiments::again::{Setting, second, thinned};
use crate::experiments::again::{all, query, times};
use crate::knobs::Knobs;
use crate::protocol::{Cell, Study, StudyKind, StudySpec};
use std::rc::Rc;

/// The study of this kind, if it was asked for, of the model that is followed.
#[must_use]
pub fn of(run: &Run, kind: StudyKind) -> Option<&Rc<Study>> {
    let member = u32::try_from(run.knobs.int("member")).ok();
    let own = |s: &&Rc<Study>| s.spec.cells.first().is_some_and(|c| c.replica == member);
    let all = run.kept.iter();
    all.filter(|s| s.spec.kind == kind).find(own)
}

/// What is under way: a study that was asked for, or the check of the types.
#[must_use]
pub fn under_way(run: &Run) -> Option<&Rc<Study>> {
    let asked = run.study.as_ref().filter(|s| !s.over);
    asked.or_else(|| of(run, StudyKind::Second).filter(|s| !s.over))
}

/// Factors of a sweep's five rows and columns around the run's own setting, half a decade apart.
pub const SWEEP: [f64; 5] = [
    0.1,
    0.316_227_766_016_837_94,
    1.0,
    3.162_277_660_168_379_5,
    10.0,
];

/// Factors of the lens on nβ and on γ.
const LENS: ([f64; 4], [f64; 3]) = ([0.01, 0.1, 1.0, 10.0], [0.1, 1.0, 10.0]);

impl Setting {
    /// This setting at another nβ and γ, times these factors, with an ε that keeps ε·a/4, the index
    /// of discretisation at the greatest curvature a = nβ·h + γ, where it is: `steep` is h, if it was
    /// measured. Else ε is as small as the stiffer of the two asks: a is at most that much larger,
    /// whatever h is. Without a spring the axis of γ is around 1.
    fn moved(self, nbeta: f64, gamma: f64, steep: Option<f64>) -> Self {
        let own = if self.gamma > 0.0 { self.gamma } else { 1.0 };
        let to = (times(self.nbeta, nbeta), times(own, gamma));
        let follows = match steep.filter(|h| *h > 0.0) {
            Some(h) => (self.nbeta * h + own) / (to.0 * h + to.1),
            None => 1.0 / (to.0 / self.nbeta).max(to.1 / own),
        };
        Self {
            nbeta: to.0,
            gamma: to.1,
            eps: times(self.eps, follows.min(10.0)),
        }
    }
}

/// A grid around the run's setting at one checkpoint: row by row, nβ rising.
fn grid(kind: StudyKind, step: u64, cell: impl Fn(f64, f64) -> Setting) -> StudySpec {
    let all = SWEEP
        .iter()
        .flat_map(|&row| SWEEP.map(|column| cell(row, column).cell(step)));
    StudySpec {
        kind,
        cells: all.collect(),
        chains: 2,
        burnin: 20,
        draws: 30,
        query: String::new(),
    }
}

/// nβ × ε around the run's setting at one checkpoint: row by row, nβ rising, ε rising in each.
#[must_use]
pub fn sweep(at: Setting, step: u64) -> StudySpec {
    grid(StudyKind::Sweep, step, |row, column| Setting {
        nbeta: times(at.nbeta, row),
        eps: times(at.eps, column),
        ..at
    })
}

/// nβ × γ likewise, γ rising in each row. ε follows, so that no cell is less stable than the run:
/// `steep` is the greatest eigenvalue of the Hessian at the checkpoint, if it was measured.
#[must_use]
pub fn spring(at: Setting, step: u64, steep: Option<f64>) -> StudySpec {
    grid(StudyKind::Spring, step, |row, column| {
        at.moved(row, column, steep)
    })
}

/// nβ over four values and γ over three, a decade apart, at every checkpoint given, ε following:
/// `steep` is the greatest eigenvalue of the Hessian over the checkpoints, if it was measured.
#[must_use]
pub fn lens(at: Setting, steps: &[u64], steep: Option<f64>) -> StudySpec {
    let settings = LENS
        .0
        .iter()
        .flat_map(|&nbeta| LENS.1.map(|gamma| at.moved(nbeta, gamma, steep)));
    let cells = settings.flat_map(|s| steps.iter().map(move |&step| s.cell(step)));
    StudySpec {
        kind: StudyKind::Lens,
        cells: cells.collect(),
        chains: 2,
        burnin: 30,
        draws: 50,
        query: String::new(),
    }
}

/// The form's setting at every checkpoint given: the curve again, without training again.
#[must_use]
pub fn again(knobs: &Knobs, steps: &[u64]) -> StudySpec {
    all(knobs, Setting::of(knobs), steps)
}

/// ε and ε/4 at up to three checkpoints: the first, the one given (the middle one, if that is an
/// end), the last. The second runs four
/// times as many steps, to go as far.
#[must_use]
pub fn richardson(knobs: &Knobs, steps: &[u64], middle: u64) -> StudySpec {
    let ends = [steps.first().copied(), steps.last().copied()];
    let middle = if ends.contains(&Some(middle)) {
        steps.get(steps.len() / 2).copied()
    } else {
        Some(middle)
    };
    let mut wanted: Vec<u64> = [ends[0], middle, ends[1]].into_iter().flatten().collect();
    wanted.sort_unstable();
    wanted.dedup();
    let at = Setting::of(knobs);
    let cells = wanted.iter().flat_map(|&step| {
        [1.0, 0.25].map(|f| {
            Setting {
                eps: at.eps * f,
                ..at
            }
            .cell(step)
        })
    });
    StudySpec {
        kind: StudyKind::Richardson,
        cells: cells.collect(),
        chains: knobs.size("chains").max(2) as u32,
        burnin: 4 * knobs.size("burnin") as u64,
        draws: 4 * knobs.size("draws") as u64,
        query: query(knobs),
    }
}

/// λ̂ of parts of the model at every checkpoint given, the rest frozen.
#[must_use]
pub fn parts(knobs: &Knobs, steps: &[u64], names: &[String]) -> StudySpec {
    let at = Setting::of(knobs);
    let cells = names.iter().flat_map(|name| {
        steps.iter().map(move |&step| Cell {
            part: name.clone(),
            ..at.cell(step)
        })
    });
    StudySpec {
        kind: StudyKind::Parts,
        cells: cells.collect(),
        chains: 2,
        burnin: knobs.size("burnin") as u64,
        draws: knobs.size("draws") as u64,
        query: query(knobs),
    }
}

/// The run's own setting at every checkpoint given, for each of its models.
#[must_use]
pub fn members(knobs: &Knobs, steps: &[u64]) -> StudySpec {
    let models = 0..u32::try_from(knobs.size("replicas")).unwrap_or(1);
    let mut spec = again(knobs, steps);
    let of = |replica| {
        let own = |cell: &Cell| Cell {
            replica: Some(replica),
            ..cell.clone()
        };
        spec.cells.iter().map(own).collect::<Vec<_>>()
    };
    (spec.kind, spec.cells) = (StudyKind::Members, models.flat_map(of).collect());
    spec
}

/// Chain steps of a study: what it costs, in units of one chain's step.
#[must_use]
pub fn chain_steps(spec: &StudySpec) -> u64 {
    spec.cells.len() as u64 * u64::from(spec.chains) * (spec.burnin + spec.draws)
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Setting = Setting {
        nbeta: 300.0,
        gamma: 1000.0,
        eps: 1e-4,
    };

    #[test]
    fn a_sweep_has_the_runs_own_setting_in_its_middle() {
        let spec = sweep(AT, 600);
        assert_eq!(spec.cells.len(), 25);
        assert_eq!(spec.cells[12], AT.cell(600));
        assert!(
            spec.cells[0].eps < spec.cells[4].eps && spec.cells[0].nbeta < spec.cells[24].nbeta
        );
        assert_eq!(chain_steps(&spec), 25 * 2 * 50);
    }

    #[test]
    fn a_sweep_offers_numbers_that_read_well_and_leaves_the_runs_own() {
        let own = Setting {
            nbeta: 144.765,
            gamma: 100.0,
            eps: 3e-4,
        };
        let spec = sweep(own, 0);
        let nbeta: Vec<f64> = spec.cells.iter().step_by(5).map(|c| c.nbeta).collect();
        assert_eq!(nbeta, [14.5, 45.8, 144.765, 458.0, 1450.0]);
        // In binary a tenth of 3e-4 is not 3e-5.
        assert_ne!(3e-4 * 0.1, 3e-5);
        let eps: Vec<f64> = spec.cells[..5].iter().map(|c| c.eps).collect();
        assert_eq!(eps, [3e-5, 9.49e-5, 3e-4, 9.49e-4, 3e-3]);
    }

    /// The largest ε(nβ·h + γ) of a study's cells beside the run's own at this curvature.
    fn stiffest(spec: &StudySpec, h: f64) -> f64 {
        let stiff = |s: &Cell| s.eps * (s.nbeta * h + s.gamma);
        let all = spec.cells.iter().map(stiff);
        all.fold(0.0, f64::max) / stiff(&AT.cell(0))
    }

    #[test]
    fn no_cell_of_lens_or_spring_is_less_stable_than_the_run() {
        let steps = [0, 100];
        assert_eq!(lens(AT, &steps, None).cells.len(), 4 * 3 * 2);
        for h in [0.0, 0.4, 16.8, 1e4] {
            // Numbers are rounded to three digits.
            assert!(stiffest(&lens(AT, &steps, None), h) < 1.01, "{h}");
            assert!(stiffest(&spring(AT, 0, None), h) < 1.01, "{h}");
            let known = spring(AT, 0, Some(h));
            assert!((stiffest(&known, h) - 1.0).abs() < 0.01, "{h}");
            // ε goes as far as stability lets it, but no more than tenfold.
            let most = known.cells.iter().map(|c| c.eps).fold(0.0, f64::max);
            assert!(most > 5e-4 && most < 1.01e-3, "{most}");
        }
        // Planted fault: an ε that stays is not stable where nβ and γ rise.
        let mut fixed = spring(AT, 0, None);
        fixed.cells.iter_mut().for_each(|c| c.eps = AT.eps);
        assert!(stiffest(&fixed, 16.8) > 5.0);
        assert_eq!(spring(AT, 600, Some(3.0)).cells[12], AT.cell(600));
        assert!(lens(AT, &steps, Some(3.0)).cells.contains(&AT.cell(100)));
        // Without a spring the axis of γ has numbers all the same, rising.
        let none = Setting { gamma: 0.0, ..AT };
        let gammas: Vec<f64> = spring(none, 0, None).cells[..5]
            .iter()
            .map(|c| c.gamma)
            .collect();
        assert_eq!(gammas, [0.1, 0.316, 1.0, 3.16, 10.0]);
    }

    #[test]
    fn richardson_looks_at_both_ends_and_between() {
        let knobs = crate::app::link::parse("#/tms").knobs;
        let steps = [0, 10, 20, 30, 40];
        let at = |steps: &[u64], middle| -> Vec<u64> {
            let spec = richardson(&knobs, steps, middle);
            spec.cells.iter().step_by(2).map(|c| c.step).collect()
        };
        assert_eq!(at(&steps, 10), [0, 10, 40]);
        assert_eq!(at(&steps, 40), [0, 20, 40]);
        assert_eq!(at(&steps[..1], 0), [0]);
    }

    #[test]
    fn every_model_costs_what_the_run_did_at_each_point() {
        let text = "#/tms?replicas=4&chains=6&burnin=20&draws=30&part=W";
        let knobs = crate::app::link::parse(text).knobs;
        let spec = members(&knobs, &[0, 10]);
        // A point is 6·50 chain steps, and the seconds of one are those of its curvature too.
        assert_eq!(chain_steps(&spec), 4 * 2 * 6 * 50);
        assert_eq!(
            crate::app::words::chain_cost(Some(3.0), &knobs, chain_steps(&spec)),
            crate::app::words::about(24.0)
        );
        assert!(spec.cells.iter().all(|c| c.part == "W"));
    }
}
