//! Several models of one run: when each changes, and which indicators give notice of it. Pure.

use super::run::{Run, Series};
use crate::estimate::lead::{self, Lead, Transition};
use crate::experiments::{Card, Indicator};
use crate::protocol::StudyKind;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::OnceLock;

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

/// The models of a run.
#[must_use]
pub fn members(run: &Run, card: &Card) -> Vec<Member> {
    let seed = u32::try_from(run.knobs.int("seed")).unwrap_or(0);
    let count = u32::try_from(run.knobs.int("replicas")).unwrap_or(1).max(1);
    let member = |replica| {
        let curve = series(run, replica, card.behaviour);
        Member {
            replica,
            seed: seed.wrapping_add(replica),
            transition: curve.and_then(|s| Transition::of(&s.x, &s.y)),
            last: curve.and_then(|s| s.y.last().copied()),
        }
    };
    (0..count).map(member).collect()
}

/// The curve of an indicator: of `a.*.b`, the greatest of all `a.….b` at each step.
#[must_use]
pub fn curve(run: &Run, replica: u32, id: &str) -> Option<(Vec<f64>, Vec<f64>)> {
    if id == "llc" {
        return llc(run, replica);
    }
    let Some((start, end)) = id.split_once('*') else {
        let s = series(run, replica, id)?;
        return Some((s.x.clone(), s.y.clone()));
    };
    let start = match replica {
        0 => start.to_string(),
        r => format!("replicas/{r}/{start}"),
    };
    let mut all = run
        .series
        .iter()
        .filter(|(key, _)| key.starts_with(&start) && key.ends_with(end))
        .map(|(_, s)| s);
    let first = all.next()?;
    let (x, mut y) = (first.x.clone(), first.y.clone());
    for other in all {
        for (best, new) in y.iter_mut().zip(&other.y) {
            *best = best.max(*new);
        }
    }
    Some((x, y))
}

/// λ̂ of a replica: the run's own curve for the one that is followed, else what a study has found.
#[must_use]
pub fn llc(run: &Run, replica: u32) -> Option<(Vec<f64>, Vec<f64>)> {
    if i64::from(replica) == run.knobs.int("member") {
        return Some((run.llc.x.clone(), run.llc.y.clone()));
    }
    let kind = StudyKind::Members;
    let study = run.kept.iter().find(|s| s.spec.kind == kind)?;
    let mut points: Vec<(f64, f64)> = study
        .done
        .iter()
        .filter_map(|r| {
            let cell = study.spec.cells.get(r.cell as usize)?;
            (cell.replica == Some(replica)).then_some((cell.step as f64, r.value?))
        })
        .collect();
    crate::math::order::sort_by(&mut points, |a, b| a.0.total_cmp(&b.0));
    (!points.is_empty()).then(|| points.into_iter().unzip())
}

/// Runs in which nothing happens, recorded by the program: for each indicator the greatest departure
/// from its own past that lasted, a number a run.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Nulls {
    /// The links they replay.
    pub links: Vec<String>,
    /// By indicator.
    pub departures: BTreeMap<String, Vec<f64>>,
}

/// The recorded null runs.
#[must_use]
pub fn nulls() -> &'static Nulls {
    static READ: OnceLock<Nulls> = OnceLock::new();
    READ.get_or_init(|| crate::json::read(include_str!("../../www/nulls.json")).unwrap_or_default())
}

/// A row of the table: who leads.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// What.
    pub indicator: Indicator,
    /// Its threshold, in deviations of its own past, and the null runs behind it; none where no null
    /// run is recorded.
    pub threshold: Option<(f64, usize)>,
    /// How it did; over the models whose curve is there.
    pub lead: Lead,
}

/// Each indicator of the card over the models that have changed.
#[must_use]
pub fn rows(run: &Run, card: &Card, members: &[Member], nulls: &Nulls) -> Vec<Row> {
    let row = |indicator: &Indicator| {
        let quiet = nulls.departures.get(indicator.id);
        let threshold = quiet.filter(|d| !d.is_empty()).map(|d| {
            let greatest = d.iter().copied().fold(0.0, f64::max);
            (greatest, d.len())
        });
        let runs: Vec<(f64, Option<f64>)> = members
            .iter()
            .filter_map(|m| {
                let (x, y) = curve(run, m.replica, indicator.id)?;
                let alarm = threshold.and_then(|(h, _)| lead::alarm(&x, &y, h));
                Some((m.transition?.t50, alarm))
            })
            .collect();
        Row {
            indicator: *indicator,
            threshold,
            lead: lead::lead(&runs, 1),
        }
    };
    card.leads.iter().map(row).collect()
}

/// Of a run in which nothing happens: for each indicator of the card its greatest departure that
/// lasted. What [`Nulls`] holds.
#[must_use]
pub fn departures(run: &Run, card: &Card, replica: u32) -> Vec<(&'static str, f64)> {
    let of = |i: &Indicator| {
        let (_, y) = curve(run, replica, i.id)?;
        Some((i.id, lead::threshold(&[&y])))
    };
    card.leads.iter().filter_map(of).collect()
}
