//! Models that are there already, and which of their checkpoints is meant.
//!
//! A model is known by its link without what cannot change its weights: the sampler, and how many others
//! trained beside it. So a run on the page serves a comparison, whatever was sampled around it.

use crate::app::link::Link;
use crate::estimate::lead::Transition;
use crate::experiments;
use crate::knobs::{Group, Value};
use crate::protocol::{At, Fault, Series, SeriesDelta};
use std::rc::Rc;

/// When checkpoints are kept: this changes no weights, but it decides where before and after are.
const CADENCE: [&str; 2] = ["every", "log"];

/// A checkpoint that was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// Its step.
    pub step: u64,
    /// What it was trained on.
    pub device: String,
    /// `[params]`.
    pub weights: Rc<Vec<f32>>,
    /// The behaviour of its run, to be drawn.
    pub drawn: SeriesDelta,
}

/// Checkpoints of one run.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// What they were trained on.
    pub device: String,
    /// Each with its weights `[params]`, rising.
    pub checkpoints: Vec<(u64, Rc<Vec<f32>>)>,
    /// The behaviour over the whole run, from where its points count on ([`turning`]).
    pub curve: Option<Series>,
    /// The behaviour over the whole run, to be drawn.
    pub drawn: SeriesDelta,
}

/// A curve of these points.
pub(super) fn drawn(of: Option<&Series>) -> SeriesDelta {
    of.map_or_else(SeriesDelta::default, |s| SeriesDelta {
        x: s.x.clone(),
        y: s.y.clone(),
        ..SeriesDelta::default()
    })
}

/// The name of a card's behaviour among the series of a run, of that replica.
pub(super) fn behaviour_id(experiment: &str, replica: usize) -> String {
    let id = experiments::card(experiment).map_or("", |c| c.behaviour);
    match replica {
        0 => id.into(),
        r => format!("replicas/{r}/{id}"),
    }
}

/// The model that a link trains, as a link of its own: replica `member` alone, with nothing sampled.
#[must_use]
pub fn model(link: &Link, member: i64) -> Link {
    let mut alone = Link {
        run: false,
        notices: Vec::new(),
        ..link.clone()
    };
    let parent = alone.course.branch.as_mut().map(|b| &mut b.parent);
    for knobs in parent.into_iter().chain([&mut alone.knobs]) {
        for knob in link.knobs.schema() {
            if knob.group == Group::Sampler && !CADENCE.contains(&knob.key) {
                knobs.put(knob.key, knob.default);
            }
        }
        // As seeds wrap around in the lab.
        let seed = (knobs.int("seed") as u32).wrapping_add(member as u32);
        knobs.put("seed", Value::Int(i64::from(seed)));
        knobs.put("replicas", Value::Int(1));
        knobs.put("chains", Value::Int(0));
    }
    alone
}

/// Whether a run whose first checkpoint is of that step has come from what its link says: weights from a
/// file begin elsewhere than at step 0, and their link names the file.
pub(super) fn from_link(first: Option<u64>, link: &Link) -> bool {
    link.file.is_some() || first == Some(0)
}

/// Whether two such models have the same weights; with `cadence`, at the same checkpoints.
pub(super) fn same(a: &Link, b: &Link, cadence: bool) -> bool {
    let equal = |key: &str| a.knobs.get(key) == b.knobs.get(key);
    let counts = |key: &&str| cadence || !CADENCE.contains(key);
    let keys = a.knobs.schema().iter().map(|k| k.key);
    let [ours, theirs] = [&a.course, &b.course];
    let course = ours.branch == theirs.branch && (!cadence || ours.zoom == theirs.zoom);
    a.experiment == b.experiment && a.file == b.file && course && keys.filter(counts).all(equal)
}

/// The behaviour of an experiment from where its points count on, out of the series of a model; empty
/// before it has come there.
pub fn turning(experiment: &str, of: impl Fn(&str) -> Option<Series>) -> Option<Series> {
    let card = experiments::card(experiment)?;
    let all = of(card.behaviour)?;
    let Some(clock) = card.event.after else {
        return Some(all);
    };
    let step = of(clock.id).and_then(|s| clock.step(&s.x, &s.y));
    let from = step.map_or(all.x.len(), |step| all.x.partition_point(|x| *x < step));
    Some(Series {
        x: all.x[from..].to_vec(),
        y: all.y[from..].to_vec(),
        ..Series::default()
    })
}

/// The checkpoint asked for among those of a run of `steps` steps; none while it is not there.
///
/// # Errors
/// `BadLink` for one that this run will never have.
pub(super) fn pick(at: At, steps: u64, known: &Known) -> Result<Option<u64>, Fault> {
    let there = |step: u64| known.checkpoints.iter().any(|c| c.0 == step);
    let wanted = match at {
        At::Last => steps,
        At::Step(step) if step > steps => {
            let why = format!("the run has {steps} steps, and no checkpoint at step {step}");
            return Err(Fault::BadLink(why));
        }
        At::Step(step) => step,
        At::Before | At::After => {
            let Some(curve) = known.curve.as_ref().filter(|_| there(steps)) else {
                return Ok(None);
            };
            let none = || {
                let why = "the run makes no transition that could be told from its jitter, so there is no before and after";
                Fault::BadLink(why.into())
            };
            let turn = Transition::of(&curve.x, &curve.y).ok_or_else(none)?;
            let mut all = known.checkpoints.iter().map(|c| c.0);
            let found = match at {
                At::Before => all.rfind(|&s| (s as f64) < turn.t10),
                _ => all.find(|&s| s as f64 >= turn.t90),
            };
            return found.ok_or_else(none).map(Some);
        }
    };
    Ok(there(wanted).then_some(wanted))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::app::link::parse;

    #[test]
    fn a_shelf_is_waited_for() {
        let line = |y: &[f64]| Series {
            x: (0..y.len()).map(|i| i as f64).collect(),
            y: y.to_vec(),
            ..Series::default()
        };
        let to_shelf = line(&[0.5, 0.2, 0.04, 0.03, 0.2]);
        let loss = line(&[1.1, 1.0, 0.97, 0.97, 0.9]);
        let of = |kl: &Series| {
            let (kl, loss) = (kl.clone(), loss.clone());
            turning("markov", move |id| match id {
                "kl.unigram" => Some(kl.clone()),
                _ => Some(loss.clone()),
            })
        };
        assert_eq!(of(&to_shelf).unwrap().x, [2.0, 3.0, 4.0]);
        // Planted: a shelf that is never reached leaves nothing, and no transition.
        assert!(of(&line(&[0.5, 0.4])).unwrap().x.is_empty());
        let induction = turning("induction", |_| Some(loss.clone()));
        assert_eq!(induction.unwrap().x.len(), 5);
    }

    #[test]
    fn a_model_is_known_by_what_decides_its_weights() {
        let of = |text: &str| model(&parse(text), 0);
        let plain = of("#/induction?seed=5");
        let equal = |text: &str, cadence| same(&plain, &of(text), cadence);
        assert!(equal(
            "#/induction?seed=5&chains=0&nbeta=77&member=3&replicas=8",
            true
        ));
        // The third of eight seeds is the run of its own seed alone.
        assert!(same(
            &plain,
            &model(&parse("#/induction?seed=3&replicas=8"), 2),
            true
        ));
        assert!(equal("#/induction?seed=5&every=100", false));
        assert!(!equal("#/induction?seed=5&every=100", true));
        for other in [
            "seed=6",
            "seed=5&layers=1",
            "seed=5&lr=0.002",
            "seed=5&steps=1000",
            "seed=5&from=400",
        ] {
            assert!(!equal(&format!("#/induction?{other}"), false), "{other}");
        }
    }

    #[test]
    fn the_checkpoint_that_is_meant() {
        let steps: Vec<u64> = (0..=20).map(|i| 50 * i).collect();
        let x: Vec<f64> = (0..=100).map(|i| 10.0 * f64::from(i)).collect();
        // From 4 to 0 between steps 400 and 600, a tenth done at 420, nine tenths at 580.
        let y = x
            .iter()
            .map(|x| 4.0 - (x - 400.0).clamp(0.0, 200.0) / 50.0)
            .collect();
        let curve = Some(Series {
            x,
            y,
            ..Series::default()
        });
        let known = Known {
            checkpoints: steps.iter().map(|&s| (s, Rc::default())).collect(),
            curve,
            ..Known::default()
        };
        let of = |at| pick(at, 1000, &known).unwrap();
        assert_eq!(
            [At::Last, At::Before, At::After].map(of),
            [Some(1000), Some(400), Some(600)]
        );
        assert_eq!((of(At::Step(350)), of(At::Step(351))), (Some(350), None));
        assert!(pick(At::Step(1001), 1000, &known).is_err());
        // Half a run has no transition yet, and one without any never will.
        let half = Known {
            checkpoints: known.checkpoints[..10].to_vec(),
            ..known.clone()
        };
        assert_eq!(pick(At::Before, 1000, &half).unwrap(), None);
        assert_eq!(pick(At::Last, 1000, &half).unwrap(), None);
        let mut flat = known.clone();
        let curve = flat.curve.as_mut().unwrap();
        curve.y = curve.x.iter().map(|x| 4.0 + (x * 7.0).sin()).collect();
        assert!(pick(At::Before, 1000, &flat).is_err());
    }
}
