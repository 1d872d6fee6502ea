//! Limits that experiments share: how far a chain may step, how many checkpoints a run may keep.

use super::grid;
use crate::knobs::{Knobs, Value};
use crate::optim::Sampler;
use crate::protocol::Notice;

/// SGLD on a quadratic of curvature a multiplies the distance by 1 − ε·a/2 a step: from ε·a = 4 on
/// it runs away.
const RUNS_AWAY: f64 = 4.0;

/// Replaces an ε at which chains run away where the loss has the curvature `h`: there the sampled
/// potential nβ·L + γ/2·‖w−w*‖² has nβ·h + γ. The new ε is a quarter of the limit, or a little less.
pub fn stable(knobs: &mut Knobs, h: f64, notices: &mut Vec<Notice>) {
    let (was, stiffness) = (
        knobs.float("eps"),
        knobs.float("nbeta") * h + knobs.float("gamma"),
    );
    if knobs.int("chains") == 0 || was * stiffness < RUNS_AWAY {
        return;
    }
    let eps = round_down(1.0 / stiffness);
    knobs.put("eps", Value::Float(eps));
    notices.push(Notice::about(
        "eps",
        format!(
            "eps: at {was:e} the chains run away, as they do where ε(nβ·h + γ) reaches {RUNS_AWAY}, with curvatures h up to about {h}; using {eps:e}."
        ),
    ));
}

/// From this ε·a/4 on an estimate is flagged for its bias.
const BIASED: f64 = 0.15;

/// Says where RMSprop's steps may be so long that λ̂ is inflated: its G is at most 1/0.1, at weights
/// whose gradient is small, and then ε·G·a/4 is ten times SGLD's index. Nothing is replaced, as G is
/// not known before the chains have run.
pub fn preconditioned(knobs: &mut Knobs, h: f64, notices: &mut Vec<Notice>) {
    let sampler = Sampler::parse(knobs.word("sampler"));
    let stiffness = knobs.float("nbeta") * h + knobs.float("gamma");
    let index = 0.25 * knobs.float("eps") * sampler.most_gain() * stiffness;
    if sampler != Sampler::Rmsprop || knobs.int("chains") == 0 || index <= BIASED {
        return;
    }
    let eps = round_down(0.4 / (sampler.most_gain() * stiffness));
    notices.push(Notice::about(
        "eps",
        format!(
            "eps: RMSprop's steps are up to {:.0} times as long as SGLD's, and ε·a/4 may reach {index:.2} (healthy: below 0.1; chains run away at 1); at {eps:e} it cannot pass 0.1.",
            sampler.most_gain()
        ),
    ));
}

/// The greatest of 1, 2 and 5 times a power of ten that is at most `x`.
fn round_down(x: f64) -> f64 {
    let k = x.log10().floor();
    // Parsed rather than multiplied, so that a link shows it in one digit.
    let candidate = |m: u32| format!("{m}e{k}").parse().ok();
    let fits = [5, 2, 1].into_iter().filter_map(candidate);
    fits.into_iter().find(|&c: &f64| c <= x).unwrap_or(x)
}

/// Spaces checkpoints so that a run makes at most `most`, the log-spaced ones counted.
pub fn cadence(knobs: &mut Knobs, most: usize, notices: &mut Vec<Notice>) {
    let steps = knobs.size("steps") as u64;
    let made = |every: i64, log: i64| grid(steps, every.unsigned_abs(), log.unsigned_abs()).len();
    let (mut every, mut log) = (knobs.int("every"), knobs.int("log"));
    let asked = made(every, log);
    // Half of them at most are log-spaced, unless there are no others.
    let share = if every > 0 { most / 2 } else { most };
    while asked > most && log > 0 && made(0, log) > share {
        log -= 1;
    }
    while every > 0 && made(every, log) > most {
        let least = i64::try_from(steps.div_ceil(most as u64)).unwrap_or(i64::MAX);
        every = if every < least {
            least
        } else {
            every + every / 500 + 1
        };
    }
    for (key, value) in [("log", log), ("every", every)] {
        if knobs.int(key) != value {
            notices.push(Notice::about(
                key,
                format!("{key}: {} would make {asked} checkpoints, more than the {most} that can be kept; using {value}.", knobs.int(key)),
            ));
            knobs.put(key, Value::Int(value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiments::{CARDS, Card};

    #[test]
    fn an_unstable_step_is_replaced_by_a_stable_one_and_a_stable_one_is_left() {
        for card in CARDS {
            let mut knobs = Knobs::defaults(card.knobs);
            let (h, mut notices) = (2.0, Vec::new());
            stable(&mut knobs, h, &mut notices);
            assert!(notices.is_empty(), "{}: {notices:?}", card.id);
            knobs.put("eps", Value::Float(0.5));
            stable(&mut knobs, h, &mut notices);
            let stiffness = knobs.float("nbeta") * h + knobs.float("gamma");
            let now = knobs.float("eps") * stiffness;
            assert!((0.4..=1.0).contains(&now), "{now}");
            assert_eq!(notices.len(), 1);
            stable(&mut knobs, h, &mut notices);
            assert_eq!(notices.len(), 1, "settled twice");
            // γ alone, and nβ alone, are enough.
            for (key, other) in [("gamma", "nbeta"), ("nbeta", "gamma")] {
                let mut knobs = Knobs::defaults(card.knobs);
                knobs.put(key, Value::Float(1e6));
                knobs.put(other, Value::Float(1e-3));
                knobs.put("eps", Value::Float(1e-4));
                stable(&mut knobs, h, &mut notices);
                assert!(knobs.float("eps") < 1e-5);
            }
            knobs.put("chains", Value::Int(0));
            knobs.put("eps", Value::Float(0.5));
            let before = notices.len();
            stable(&mut knobs, h, &mut notices);
            assert_eq!(notices.len(), before, "no chains, nothing to run away");
        }
    }

    #[test]
    fn no_settings_make_more_checkpoints_than_can_be_kept() {
        let spaced = |c: &&&Card| c.knobs.iter().any(|k| k.key == "every");
        for card in CARDS.iter().filter(spaced) {
            for (steps, every, log) in [(6000, 1, 20), (200_000, 1, 0), (50, 1, 12), (9000, 31, 12)]
            {
                for most in [3, 40, 300] {
                    let mut knobs = Knobs::defaults(card.knobs);
                    for (key, value) in [("steps", steps), ("every", every), ("log", log)] {
                        knobs.put(key, Value::Int(value));
                    }
                    let mut notices = Vec::new();
                    cadence(&mut knobs, most, &mut notices);
                    let [every, log] = ["every", "log"].map(|k| knobs.size(k) as u64);
                    let made = grid(steps as u64, every, log).len();
                    assert!(made <= most, "{made} of {most}");
                    assert!(made * 2 >= most.min(steps as usize) / 2, "{made} of {most}");
                    let told = notices.len();
                    cadence(&mut knobs, most, &mut notices);
                    assert_eq!(notices.len(), told, "settled twice");
                }
            }
        }
    }

    #[test]
    fn one_digit() {
        assert_eq!(round_down(6.9e-4), 5e-4);
        assert_eq!(round_down(2e-3), 2e-3);
        assert_eq!(round_down(0.19), 0.1);
    }
}
