//! Several models of one run, and when each changes. Pure.

use super::run::Run;
use super::state::State;
use super::words;
use crate::estimate::lead::Transition;
use crate::experiments::Card;
use crate::knobs::Value;
use crate::math::stats;
use crate::plot::number::{grouped, significant};
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
    /// It has changed so soon that nothing lies before, from which it could be told when.
    pub unclear: bool,
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
        let counted = curve.and_then(|s| {
            let from = from(run, card, replica, &s.x)?;
            Some((&s.x[from..], &s.y[from..]))
        });
        Member {
            replica,
            seed: seed.wrapping_add(replica),
            transition: counted.and_then(|(x, y)| Transition::at_least(x, y, least)),
            unclear: counted.is_some_and(|(x, y)| Transition::unclear(x, y, least)),
            last: curve.and_then(|s| s.y.last().copied()),
        }
    };
    (0..count).map(member).collect()
}

/// What is said in place of a step where a model shows no transition; `over`, at the end of its run.
#[must_use]
pub fn lacking(m: &Member, over: bool) -> &'static str {
    match (over, m.unclear) {
        (false, _) => "not so far",
        (true, false) => "not by the end",
        (true, true) => "too early to tell when",
    }
}

/// When the models of a run have changed, in a sentence.
#[must_use]
pub fn summary(members: &[Member], over: bool) -> String {
    let half = |m: &Member| Some(m.transition?.t50);
    let done: Vec<f64> = members.iter().filter_map(half).collect();
    let step = |x: f64| grouped(x.max(0.0).round() as u64);
    let unclear = members.iter().filter(|m| over && m.unclear).count();
    let early = match unclear {
        0 => String::new(),
        n => format!(" {n} had changed too early to tell when."),
    };
    if done.is_empty() {
        let none = match (over, unclear > 0) {
            (false, _) => "None of the models has made its transition so far.",
            (true, false) => "None of the models has made its transition by the end.",
            (true, true) => "Of none of the models can it be told when it made its transition.",
        };
        return format!("{none}{early}");
    }
    format!(
        "{} of {} models have made it{}, half done between steps {} and {}, median {}.{early}",
        done.len(),
        members.len(),
        if done.len() < members.len() {
            "; of those"
        } else {
            ""
        },
        step(done.iter().copied().fold(f64::INFINITY, f64::min)),
        step(done.iter().copied().fold(0.0, f64::max)),
        step(stats::median(&done))
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::app::link;
    use crate::protocol::RunId;

    #[test]
    fn too_early_is_not_the_same_as_never() {
        let card = crate::experiments::card("induction").unwrap();
        let knobs = link::parse("#/induction?layers=2&replicas=3").knobs;
        let mut run = Run::new(RunId(1), String::new(), knobs, 2000);
        // Repeats fall by 4.8 nats at once at point 100, by point 10, or never; the fourth curve below is
        // over with the second point.
        let mut put = |replica: u32, at: f64| {
            let y =
                |i: i32| 4.8 * f64::from(u8::from(f64::from(i) < at)) + 0.01 * f64::from(i * 7 % 5);
            let s = Series {
                x: (0..250).map(|i| 10.0 * f64::from(i)).collect(),
                y: (0..250).map(y).collect(),
                ..Default::default()
            };
            let start = match replica {
                0 => String::new(),
                r => format!("replicas/{r}/"),
            };
            run.series
                .insert(format!("{start}{}", card.behaviour), s.into());
            members(&run, card)
        };
        put(0, 100.0);
        put(1, 10.0);
        let all = put(2, 1e9);
        let half = |m: &Member| m.transition.map(|t| t.t50);
        assert_eq!(
            all.iter().map(half).collect::<Vec<_>>(),
            [Some(1000.0), Some(100.0), None]
        );
        assert_eq!(
            [true, false].map(|over| lacking(&all[2], over)),
            ["not by the end", "not so far"]
        );
        assert!(summary(&all, true).starts_with("2 of 3 models have made it; of those"));
        // Planted: it was over before the third point, so it did change.
        let all = put(2, 2.0);
        assert_eq!(
            (all[2].transition, lacking(&all[2], true)),
            (None, "too early to tell when")
        );
        assert!(summary(&all, true).ends_with(" 1 had changed too early to tell when."));
    }
}
