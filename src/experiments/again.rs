//! Estimates of checkpoints that are there, with the chains of a run's form: what every study of a run is
//! made of, and the one that a run makes of itself at its end.

use crate::knobs::Knobs;
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
    /// An estimate at it, of all weights of the model that is followed.
    #[must_use]
    pub fn cell(self, step: u64) -> Cell {
        Cell {
            step,
            nbeta: self.nbeta,
            gamma: self.gamma,
            eps: self.eps,
            replica: None,
            part: "all".into(),
        }
    }
}

/// A number times a factor, to three digits, so that what is adopted reads well in form and link.
#[must_use]
pub fn times(x: f64, factor: f64) -> f64 {
    if factor == 1.0 {
        return x;
    }
    format!("{:.2e}", x * factor).parse().unwrap_or(x * factor)
}

/// What the form says of the chains beside their cells' settings.
#[must_use]
pub fn query(knobs: &Knobs) -> String {
    let said = |key| Some(format!("{key}={}", knobs.get(key)?.text()));
    let all = ["sampler", "mbatch", "ebatch", "polish", "on", "part"].into_iter();
    all.filter_map(said).collect::<Vec<_>>().join("&")
}

/// One setting at every checkpoint given, the form's chains and part.
#[must_use]
pub fn all(knobs: &Knobs, at: Setting, steps: &[u64]) -> StudySpec {
    let part = match knobs.word("part") {
        "" => "all",
        part => part,
    };
    let cell = |&step: &u64| Cell {
        part: part.into(),
        ..at.cell(step)
    };
    StudySpec {
        kind: StudyKind::Again,
        cells: steps.iter().map(cell).collect(),
        chains: knobs.size("chains").max(1) as u32,
        burnin: knobs.size("burnin") as u64,
        draws: knobs.size("draws") as u64,
        query: query(knobs),
    }
}

/// Checkpoints of a second setting, at most.
const CHECKED: usize = 60;

/// A third of the run's nβ at the checkpoints given, thinned to 60: whether stages have the same types
/// there. The run's ε is at least as stable then.
#[must_use]
pub fn second(knobs: &Knobs, steps: &[u64]) -> StudySpec {
    let own = Setting::of(knobs);
    let at = Setting {
        nbeta: times(own.nbeta, 1.0 / 3.0),
        ..own
    };
    let mut spec = all(knobs, at, &thinned(steps, CHECKED));
    let member = u32::try_from(knobs.int("member")).ok();
    spec.kind = StudyKind::Second;
    spec.cells.iter_mut().for_each(|c| c.replica = member);
    spec
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

    #[test]
    fn a_second_setting_differs_in_temperature_alone() {
        let Some(card) = crate::experiments::card("induction") else {
            return;
        };
        let mut knobs = Knobs::defaults(card.knobs);
        knobs.set("part", "attn");
        let spec = second(&knobs, &[0, 50]);
        let own = Setting::of(&knobs);
        assert_eq!(
            (spec.kind, spec.cells.len(), spec.chains),
            (StudyKind::Second, 2, 4)
        );
        let cell = &spec.cells[1];
        assert_eq!((cell.step, cell.nbeta, cell.gamma), (50, 100.0, own.gamma));
        assert_eq!((cell.eps, cell.part.as_str()), (own.eps, "attn"));
    }

    #[test]
    fn thinning_keeps_the_ends() {
        let steps: Vec<u64> = (0..100).collect();
        let kept = thinned(&steps, 7);
        assert_eq!((kept.len(), kept[0], kept[6]), (7, 0, 99));
        assert_eq!(thinned(&[1, 2], 7), [1, 2]);
    }
}
