//! At which steps a run is looked at, from its knobs.

use super::{grok, tms, transformer};
use crate::knobs::Knobs;

/// Steps at which a run is evaluated, and those of them at which a checkpoint is kept, without a zoom.
/// None where nothing may give notice of anything.
#[must_use]
pub fn cadence(experiment: &str, knobs: &Knobs) -> Option<[Vec<u64>; 2]> {
    use transformer::sizes::{checkpoints, evals};
    Some(match experiment {
        "tms" => {
            let s = tms::settings::Settings::of(knobs);
            [s.evals(), s.checkpoints()]
        }
        "grok" => {
            let s = grok::settings::Settings::of(knobs);
            [s.evals(), s.checkpoints()]
        }
        "induction" | "markov" | "text" => [evals(knobs), checkpoints(knobs)],
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::experiments::{CARDS, build};

    #[test]
    fn a_run_is_looked_at_when_it_is_said_to_be() {
        for card in CARDS.iter().filter(|c| !c.leads.is_empty()) {
            let knobs = Knobs::defaults(card.knobs);
            let parts = build(card.id, &knobs).unwrap();
            let said = cadence(card.id, &knobs).unwrap();
            assert_eq!(said, [parts.evals, parts.checkpoints], "{}", card.id);
        }
    }
}
