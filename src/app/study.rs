//! What studies ask for, from a run's settings: pure, and counted before it is started.

use crate::knobs::{Kind, Knobs};
use crate::protocol::{Cell, StudyKind, StudySpec};

/// The sampler's setting of a run, as studies vary it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Setting {
    /// nβ.
    pub nbeta: f64,
    /// γ.
    pub gamma: f64,
    /// ε.
    pub eps: f64,
}

impl Setting {
    /// Of a run.
    #[must_use]
    pub fn of(knobs: &Knobs) -> Self {
        Self {
            nbeta: knobs.float("nbeta"),
            gamma: knobs.float("gamma"),
            eps: knobs.float("eps"),
        }
    }
    fn cell(self, step: u64) -> Cell {
        Cell {
            step,
            nbeta: self.nbeta,
            gamma: self.gamma,
            eps: self.eps,
            part: "all".into(),
        }
    }
}

/// Factors of a sweep's five rows and columns around the run's own setting, half a decade apart.
pub const SWEEP: [f64; 5] = [
    0.1,
    0.316_227_766_016_837_94,
    1.0,
    3.162_277_660_168_379_5,
    10.0,
];

/// A number times a factor, to three digits, so that what is adopted reads well in form and link.
fn times(x: f64, factor: f64) -> f64 {
    if factor == 1.0 {
        return x;
    }
    format!("{:.2e}", x * factor).parse().unwrap_or(x * factor)
}

/// nβ × ε around the run's setting at one checkpoint: row by row, nβ rising, ε rising in each.
#[must_use]
pub fn sweep(at: Setting, step: u64) -> StudySpec {
    let cells = SWEEP.iter().flat_map(|&row| {
        SWEEP.iter().map(move |&column| {
            Setting {
                nbeta: times(at.nbeta, row),
                eps: times(at.eps, column),
                ..at
            }
            .cell(step)
        })
    });
    StudySpec {
        kind: StudyKind::Sweep,
        cells: cells.collect(),
        chains: 2,
        burnin: 20,
        draws: 30,
    }
}

/// nβ over four decades at every checkpoint given, with a step that stays as stable as the run's:
/// ε falls as nβ rises. The spring is the run's times `gamma_factor`.
#[must_use]
pub fn lens(at: Setting, steps: &[u64], gamma_factor: f64) -> StudySpec {
    let gamma = at.gamma * gamma_factor;
    let stiff = |nbeta: f64, gamma: f64| nbeta / at.nbeta + gamma / at.gamma.max(f64::MIN_POSITIVE);
    let cells = [0.01, 0.1, 1.0, 10.0].iter().flat_map(|&factor| {
        let nbeta = at.nbeta * factor;
        // Twice the stiffness of the run's own setting is stable if that is.
        let eps = at.eps * (2.0 / stiff(nbeta, gamma)).min(10.0);
        steps
            .iter()
            .map(move |&step| Setting { nbeta, gamma, eps }.cell(step))
    });
    StudySpec {
        kind: StudyKind::Lens,
        cells: cells.collect(),
        chains: 2,
        burnin: 30,
        draws: 50,
    }
}

/// The form's setting at every checkpoint given: the curve again, without training again.
#[must_use]
pub fn again(knobs: &Knobs, steps: &[u64]) -> StudySpec {
    let at = Setting::of(knobs);
    StudySpec {
        kind: StudyKind::Again,
        cells: steps.iter().map(|&step| at.cell(step)).collect(),
        chains: knobs.size("chains").max(1) as u32,
        burnin: knobs.size("burnin") as u64,
        draws: knobs.size("draws") as u64,
    }
}

/// ε and ε/4 at up to three checkpoints: the first, the one given, the last. The second runs four
/// times as many steps, to go as far.
#[must_use]
pub fn richardson(knobs: &Knobs, steps: &[u64], middle: u64) -> StudySpec {
    let mut wanted: Vec<u64> = [steps.first().copied(), Some(middle), steps.last().copied()]
        .into_iter()
        .flatten()
        .collect();
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
    }
}

/// The parts of this model that are worth a curve each: whole tensors, and each head alone.
#[must_use]
pub fn part_names(knobs: &Knobs) -> Vec<String> {
    let schema = knobs.schema().iter().find(|k| k.key == "part");
    let Some(Kind::Choice { options }) = schema.map(|k| k.kind) else {
        return Vec::new();
    };
    let (layers, heads) = (knobs.size("layers"), knobs.size("heads"));
    let mlp = knobs.get("mlp").is_none() || knobs.int("mlp") > 0;
    let wanted = |part: &str| match part.split('.').collect::<Vec<_>>()[..] {
        ["all" | "attn"] => false,
        ["mlp"] => mlp,
        [_] => true,
        ["blocks", layer, "attn", "head", head] => {
            let below = |text: &str, n: usize| text.parse::<usize>().is_ok_and(|i| i < n);
            below(layer, layers) && below(head, heads)
        }
        _ => false,
    };
    let named = options.iter().filter(|part| wanted(part));
    named.map(|part| (*part).to_string()).collect()
}

/// Chain steps of a study: what it costs, in units of one chain's step.
#[must_use]
pub fn chain_steps(spec: &StudySpec) -> u64 {
    spec.cells.len() as u64 * u64::from(spec.chains) * (spec.burnin + spec.draws)
}

/// Thins a rising list of steps to at most `most`, ends kept.
#[must_use]
pub fn thinned(steps: &[u64], most: usize) -> Vec<u64> {
    if steps.len() <= most || most < 2 {
        return steps.to_vec();
    }
    (0..most)
        .map(|i| steps[i * (steps.len() - 1) / (most - 1)])
        .collect()
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

    #[test]
    fn the_lens_stays_as_stable_as_the_run() {
        let spec = lens(AT, &[0, 100], 1.0);
        assert_eq!(spec.cells.len(), 8);
        // ε(nβ·h + γ) for any curvature h up to γ/nβ is at most twice the run's.
        for cell in &spec.cells {
            let stiff = |s: &Cell| s.eps * (s.nbeta * 1000.0 / 300.0 + s.gamma);
            assert!(stiff(cell) <= 2.0 * stiff(&AT.cell(0)) + 1e-12, "{cell:?}");
        }
        assert!(
            spec.cells
                .iter()
                .any(|c| c.nbeta == 300.0 && (c.eps - 1e-4).abs() < 1e-12)
        );
    }

    #[test]
    fn each_head_is_a_part() {
        let card = crate::experiments::card("induction").unwrap();
        let names = part_names(&Knobs::defaults(card.knobs));
        assert!(names.contains(&"blocks.1.attn.head.3".into()));
        assert!(
            !names
                .iter()
                .any(|n| n.starts_with("blocks.2") || n == "all" || n == "mlp")
        );
        let tms = crate::experiments::card("tms").unwrap();
        assert_eq!(part_names(&Knobs::defaults(tms.knobs)), ["W", "b"]);
    }

    #[test]
    fn thinning_keeps_the_ends() {
        let steps: Vec<u64> = (0..100).collect();
        let kept = thinned(&steps, 7);
        assert_eq!((kept.len(), kept[0], kept[6]), (7, 0, 99));
        assert_eq!(thinned(&[1, 2], 7), [1, 2]);
    }
}
