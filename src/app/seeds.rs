//! Several models of one run, and when each changes. Pure.

use super::run::Run;
use super::state::State;
use super::words;
use crate::estimate::lead::Transition;
use crate::experiments::Card;
use crate::knobs::Value;
use crate::plot::number::significant;
use crate::protocol::Series;
use std::rc::Rc;

/// A model of the run.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// Its number.
    pub replica: u32,
    /// Its seed: the run of that seed alone trains with the same bits.
    pub seed: u32,
    /// When its behaviour changes, if it does.
    pub transition: Option<Transition>,
    /// The behaviour's last value.
    pub last: Option<f64>,
}

/// What the form's run would cost with so many seeds, in words.
#[must_use]
pub fn cost(state: &State, seeds: i64) -> String {
    let card = state.card();
    let with = |n: i64| {
        let mut knobs = state.link.knobs.clone();
        knobs.put("replicas", Value::Int(n));
        let _ = (card.settle)(&mut knobs);
        (card.cost)(&knobs)
    };
    let (one, all) = (with(1), with(seeds));
    let gflop = |flops: f64| significant(flops / 1e9, 2);
    let trains = |c: &crate::experiments::Cost| c.flops_per_step * c.steps as f64;
    let whole = |c: &crate::experiments::Cost| trains(c) + c.flops_per_point * c.points as f64;
    format!(
        "With {seeds} seeds training takes {} GFLOP instead of {}, λ̂ stays that of one model, and all together is {:.1} times the work; {} of memory. It takes fewer dispatches than {seeds} runs, so that a GPU with room to spare is done sooner than the work says.",
        gflop(trains(&all)),
        gflop(trains(&one)),
        whole(&all) / whole(&one),
        words::bytes(all.bytes)
    )
}

/// A series of a replica.
#[must_use]
pub fn series<'a>(run: &'a Run, replica: u32, id: &str) -> Option<&'a Rc<Series>> {
    match replica {
        0 => run.series.get(id),
        r => run.series.get(&format!("replicas/{r}/{id}")),
    }
}

/// A series of the replica that is followed.
#[must_use]
pub fn followed<'a>(run: &'a Run, id: &str) -> Option<&'a Rc<Series>> {
    series(run, u32::try_from(run.knobs.int("member")).unwrap_or(0), id)
}

/// The first of these steps from which points of a replica count ([`Clock`]); none before it has come
/// there.
///
/// [`Clock`]: crate::experiments::Clock
#[must_use]
pub fn from(run: &Run, card: &Card, replica: u32, x: &[f64]) -> Option<usize> {
    let Some(clock) = card.event.after else {
        return Some(0);
    };
    let of = series(run, replica, clock.id)?;
    let step = clock.step(&of.x, &of.y)?;
    Some(x.partition_point(|x| *x < step))
}

/// Every series of a replica, under its own name. What was measured of another is not among them.
pub fn own(run: &Run, replica: u32) -> impl Iterator<Item = (&str, &Rc<Series>)> {
    let start = format!("replicas/{replica}/");
    run.series.iter().filter_map(move |(id, s)| match replica {
        0 => (!id.starts_with("replicas/")).then_some((id.as_str(), s)),
        _ => Some((id.strip_prefix(&start)?, s)),
    })
}

/// The models of a run.
#[must_use]
pub fn members(run: &Run, card: &Card) -> Vec<Member> {
    let seed = u32::try_from(run.knobs.int("seed")).unwrap_or(0);
    let count = u32::try_from(run.knobs.int("replicas")).unwrap_or(1).max(1);
    let least = (card.event.least)(&run.knobs);
    let member = |replica| {
        let curve = series(run, replica, card.behaviour);
        Member {
            replica,
            seed: seed.wrapping_add(replica),
            transition: curve.and_then(|s| {
                let from = from(run, card, replica, &s.x)?;
                Transition::at_least(&s.x[from..], &s.y[from..], least)
            }),
            last: curve.and_then(|s| s.y.last().copied()),
        }
    };
    (0..count).map(member).collect()
}
