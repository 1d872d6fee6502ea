//! When the models of a run make their transition, and how sharp it is: the distribution over them, in
//! numbers and as a table. Pure.

use super::run::Run;
use super::seeds::{Member, members};
use crate::estimate::lead::lead;
use crate::experiments::Card;
use serde_json::{Value, json};

/// A quantity over the models that have made their transition.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Over {
    /// Of each, with its member's place.
    pub values: Vec<(usize, f64)>,
    /// Median, and its 95 % interval by bootstrap over models, from three on.
    pub median: Option<(f64, Option<(f64, f64)>)>,
}

/// What `value` says of each model.
#[must_use]
pub fn over(members: &[Member], value: impl Fn(&Member) -> Option<f64>) -> Over {
    let all = members.iter().enumerate();
    let values: Vec<(usize, f64)> = all
        .filter_map(|(i, m)| Some((i, value(m).filter(|v| v.is_finite())?)))
        .collect();
    let runs: Vec<(f64, Option<f64>)> = values.iter().map(|v| (v.1, Some(0.0))).collect();
    let found = lead(&runs, 1);
    Over {
        median: found.median.map(|m| (m, found.interval)),
        values,
    }
}

/// The step at which the behaviour is half done.
#[must_use]
pub fn half(m: &Member) -> Option<f64> {
    Some(m.transition?.t50)
}

/// How long it takes from a tenth to nine tenths, in decades of steps: log₁₀(t90/t10).
#[must_use]
pub fn decades(m: &Member) -> Option<f64> {
    Some(m.transition?.width())
}

/// A row a model, for files.
#[must_use]
pub fn rows(run: &Run, card: &Card) -> Vec<Value> {
    let row = |m: &Member| {
        let t = m.transition;
        json!({
            "replica": m.replica, "seed": m.seed, "behaviour": card.behaviour,
            "t10": t.map(|t| t.t10), "t50": t.map(|t| t.t50), "t90": t.map(|t| t.t90),
            "decades": decades(m), "last": m.last,
        })
    };
    members(run, card).iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimate::lead::Transition;

    #[test]
    fn models_without_a_transition_are_left_out_and_not_counted_as_early() {
        let member = |replica: u32, at: Option<f64>| Member {
            replica,
            seed: replica + 1,
            transition: at.map(|t| Transition {
                t10: t / 10.0,
                t50: t,
                t90: t * 10.0,
            }),
            unclear: false,
            last: None,
        };
        let at = [Some(100.0), None, Some(300.0), Some(200.0), Some(250.0)];
        let all: Vec<Member> = (0..).zip(at).map(|(r, t)| member(r, t)).collect();
        let found = over(&all, half);
        assert_eq!(
            found.values.iter().map(|v| v.0).collect::<Vec<_>>(),
            [0, 2, 3, 4]
        );
        let (median, interval) = found.median.unwrap_or_default();
        let (low, high) = interval.unwrap_or_default();
        assert_eq!(median, 225.0);
        assert!((100.0..225.0).contains(&low) && high > 225.0 && high <= 300.0);
        // Two decades each, whenever it is.
        let widths = over(&all, decades).median.unwrap_or_default();
        assert!((widths.0 - 2.0).abs() < 1e-12, "{widths:?}");
        assert_eq!(over(&all[1..2], half), Over::default());
        assert_eq!(over(&all[..3], half).median.and_then(|m| m.1), None);
    }
}
