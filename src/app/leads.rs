//! Which indicators give notice of what a run comes to: their curves, the recorded null runs, and the
//! table of who leads. Pure.

use super::coarse::Coarse;
use super::run::Run;
use super::seeds::{self, Member, series};
use super::{estimated, link, terms, winners};
pub use crate::estimate::lead::Lead;
use crate::estimate::lead::{self, Transition};
use crate::experiments::{Card, Indicator, heads};
use crate::knobs::Knob;
use crate::math::stats;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// Steps and values.
pub type Curve = (Vec<f64>, Vec<f64>);

/// The curve of an indicator: of `a.*.b`, the greatest of all `a.….b` at each step.
#[must_use]
pub fn curve(run: &Run, replica: u32, id: &str) -> Option<Curve> {
    let of = |id: &str| series(run, replica, id).map(|s| (s.x.clone(), s.y.clone()));
    match id {
        "llc" => return estimated(run, replica, id),
        "trace" => return estimated(run, replica, "llc.trace"),
        "winner.refined" => return winners::curve(run, replica),
        "winner.k" => return paired(run, replica),
        _ => {}
    }
    let Some((start, end)) = id.split_once('*') else {
        return of(id);
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

fn estimated(run: &Run, replica: u32, id: &str) -> Option<Curve> {
    estimated::curve(run, replica, id).map(|s| (s.x, s.y))
}

/// The heads of a replica by their last scores.
fn last(run: &Run, replica: u32) -> Vec<heads::Head> {
    heads::heads(|id| series(run, replica, id)?.y.last().copied())
}

/// Of the heads that are called this, the one with the greatest score.
fn best<'a>(
    all: &'a [heads::Head],
    label: &str,
    score: fn(&heads::Head) -> Option<f64>,
) -> Option<&'a heads::Head> {
    let own = all.iter().filter(|h| h.label == label);
    own.max_by(|a, b| score(a).unwrap_or(0.0).total_cmp(&score(b).unwrap_or(0.0)))
}

/// The head that wins: the induction head with the greatest prefix-matching score in the end.
fn winner(all: &[heads::Head]) -> Option<&heads::Head> {
    best(all, heads::LABELS[0], |h| h.prefix_matching)
}

/// The part of the model that is its winner, as links name it.
#[must_use]
pub fn winning(run: &Run, replica: u32) -> Option<String> {
    let all = last(run, replica);
    let winner = winner(&all)?;
    Some(format!("blocks.{}.attn.head.{}", winner.layer, winner.head))
}

/// K-composition of the winner with the previous-token head that has the greatest score in the end, of
/// those in earlier layers.
fn paired(run: &Run, replica: u32) -> Option<Curve> {
    let all = last(run, replica);
    let winner = winner(&all)?;
    let earlier = all.iter().filter(|h| h.layer < winner.layer).cloned();
    let earlier: Vec<heads::Head> = earlier.collect();
    let from = best(&earlier, heads::LABELS[1], |h| h.prev_token)?;
    let [l, h, m, g] = [from.layer, from.head, winner.layer, winner.head];
    let s = series(run, replica, &format!("composition.k.{l}.{h}.{m}.{g}"))?;
    Some((s.x.clone(), s.y.clone()))
}

/// The curve of an indicator from where points count on, without those that a zoom added; none before the
/// run has come there.
fn counted(
    run: &Run,
    card: &Card,
    replica: u32,
    id: &str,
    coarse: Option<&Coarse>,
) -> Option<Curve> {
    let all = curve(run, replica, id)?;
    let (x, y) = match coarse {
        Some(coarse) => coarse.curve(all),
        None => all,
    };
    let from = seeds::from(run, card, replica, &x)?;
    Some((x[from..].to_vec(), y[from..].to_vec()))
}

/// Runs in which nothing happens, recorded by the program at one setting: for each indicator the greatest
/// departure from its own past that lasted, a number a run.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Nulls {
    /// The program that made them.
    pub version: String,
    /// The links they are of.
    pub links: Vec<String>,
    /// Of those that set the thresholds, by indicator.
    pub quiet: BTreeMap<String, Vec<f64>>,
    /// Of those held out.
    pub held: BTreeMap<String, Vec<f64>>,
}

impl Nulls {
    /// Departures of the runs that set the thresholds, or of those held out.
    #[must_use]
    pub fn of(&self, id: &str, held: bool) -> &[f64] {
        let all = if held { &self.held } else { &self.quiet };
        all.get(id).map_or(&[], Vec::as_slice)
    }

    /// Whether they are of this experiment.
    #[must_use]
    pub fn about(&self, card: &Card) -> bool {
        let own = format!("#/{}?", card.id);
        self.links.first().is_some_and(|l| l.starts_with(&own))
    }
}

static READ: OnceLock<Vec<Nulls>> = OnceLock::new();

/// Takes the null runs that came with the page, the text of `www/nulls.json`. Only the first call counts;
/// without one there are none.
#[cfg(target_arch = "wasm32")]
pub fn hand_over(text: &str) {
    let _ = READ.set(crate::json::read(text).unwrap_or_default());
}

/// The recorded null runs, setting by setting. In the page they are data of `index.html` and no part of the program.
#[must_use]
pub fn nulls() -> &'static [Nulls] {
    #[cfg(target_arch = "wasm32")]
    let text = "[]";
    #[cfg(not(target_arch = "wasm32"))]
    let text = include_str!("../../www/nulls.json");
    READ.get_or_init(|| crate::json::read(text).unwrap_or_default())
}

/// Labels of the settings in which a run differs from null runs, but for how many there are, their
/// seeds, and what makes them null: it was left out, or differs among them too.
#[must_use]
pub fn apart(run: &Run, card: &Card, nulls: &Nulls) -> Vec<&'static str> {
    let Some(null) = nulls.links.first() else {
        return Vec::new();
    };
    let null = link::parse(null).knobs;
    let differs = |k: &&Knob| {
        !["seed", "replicas", "member", "second", card.event.null].contains(&k.key)
            && run.knobs.get(k.key) != null.get(k.key)
    };
    let all = run.knobs.schema().iter().filter(differs);
    all.map(|k| k.label).collect()
}

/// The null runs of the experiment that differ from a run in the fewest settings, if there are any.
#[must_use]
pub fn near<'a>(run: &Run, card: &Card, all: &'a [Nulls]) -> Option<&'a Nulls> {
    let own = all.iter().filter(|n| n.about(card));
    own.min_by_key(|n| apart(run, card, n).len())
}

/// When an indicator gives an alarm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Threshold {
    /// In deviations of its own past.
    pub level: f64,
    /// Null runs it was set on.
    pub nulls: usize,
    /// False alarms at it, of how many null runs that are held out.
    pub held: [usize; 2],
}

impl Threshold {
    fn of(id: &str, nulls: &Nulls) -> Option<Self> {
        let (quiet, held) = (nulls.of(id, false), nulls.of(id, true));
        let level = lead::threshold(quiet);
        level.is_finite().then(|| Self {
            level,
            nulls: quiet.len(),
            held: [held.iter().filter(|d| **d > level).count(), held.len()],
        })
    }
}

/// A row of the table: who leads.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// What.
    pub indicator: Indicator,
    /// None where no null run has it.
    pub threshold: Option<Threshold>,
    /// How its alarms did, over the models that have changed and whose curve is there.
    pub lead: Lead,
    /// The same of the step at which it has done half of its own way, which takes the whole run to tell.
    pub half: Lead,
    /// Steps from one point of it to the next, the median; 0 without any.
    pub apart: f64,
}

/// Each indicator of the card over the models that have changed, by the nearest of these null runs.
#[must_use]
pub fn rows(run: &Run, card: &Card, members: &[Member], nulls: &[Nulls]) -> Vec<Row> {
    let near = near(run, card, nulls);
    let coarse = Coarse::of(&run.link);
    let least = (card.event.least)(&run.knobs);
    let counted = |replica, id| counted(run, card, replica, id, coarse.as_ref());
    // Leads are of the run as it is without its zoom, and so is the step that they lead to.
    let event = |m: &Member| {
        if coarse.is_none() {
            return m.transition;
        }
        let (x, y) = counted(m.replica, card.behaviour)?;
        Transition::at_least(&x, &y, least)
    };
    let events: Vec<Option<Transition>> = members.iter().map(event).collect();
    let row = |indicator: &Indicator| {
        let threshold = near.and_then(|n| Threshold::of(indicator.id, n));
        let (mut alarms, mut halves, mut apart) = (Vec::new(), Vec::new(), 0.0);
        for (m, event) in members.iter().zip(&events) {
            let (Some(event), Some((x, y))) = (event, counted(m.replica, indicator.id)) else {
                continue;
            };
            let alarm = threshold.and_then(|t| lead::alarm(&x, &y, t.level));
            alarms.push((event.t50, alarm));
            halves.push((event.t50, Transition::of(&x, &y).map(|t| t.t50)));
            let gaps: Vec<f64> = x.windows(2).map(|w| w[1] - w[0]).collect();
            apart = stats::median(&gaps);
        }
        Row {
            indicator: *indicator,
            threshold,
            lead: lead::lead(&alarms, 1),
            half: lead::lead(&halves, 1),
            apart,
        }
    };
    card.leads.iter().map(row).collect()
}

/// That the change itself gives no alarm, where it gives none in any model: it is too slow for one.
#[must_use]
pub fn slow(rows: &[Row], card: &Card) -> Option<&'static str> {
    let own = rows.iter().find(|r| r.indicator.id == card.behaviour)?;
    let silent = own.threshold.is_some() && own.lead.runs > 0 && own.lead.given == 0;
    silent.then_some(terms::of("leads: slow"))
}

/// Of a run in which nothing happens: for each indicator of the card its greatest departure that
/// lasted. What [`Nulls`] holds.
#[must_use]
pub fn departures(run: &Run, card: &Card, replica: u32) -> Vec<(&'static str, f64)> {
    let coarse = Coarse::of(&run.link);
    let of = |i: &Indicator| {
        let (_, y) = counted(run, card, replica, i.id, coarse.as_ref())?;
        Some((i.id, lead::departure(&y)))
    };
    card.leads.iter().filter_map(of).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_change_too_slow_for_an_alarm_is_told() {
        let card = crate::experiments::card("text").unwrap();
        let mut run = Run::new(
            crate::protocol::RunId(1),
            String::new(),
            link::parse("#/text?layers=2").knobs,
            2000,
        );
        // The loss on repeats falls by 4 nats: at once, or over a hundred points.
        let mut told = |points: f64| {
            let fall = |i: f64| 4.0 * (1.0 - (i - 100.0) / points).clamp(0.0, 1.0);
            let jitter = |i: i32| 0.01 * f64::from(i * 7 % 5);
            let s = crate::protocol::Series {
                x: (0..250).map(|i| 10.0 * f64::from(i)).collect(),
                y: (0..250).map(|i| fall(f64::from(i)) + jitter(i)).collect(),
                ..Default::default()
            };
            run.series.insert(card.behaviour.into(), s.into());
            let members = seeds::members(&run, card);
            assert!(members[0].transition.is_some());
            slow(&rows(&run, card, &members, nulls()), card)
        };
        assert_eq!(told(1.0), None);
        assert!(told(100.0).is_some());
    }

    /// A run of "light" settings whose losses fall at step 500, at these steps.
    fn looked_at(link: &str, steps: &[u64]) -> Vec<Row> {
        let card = crate::experiments::card("induction").unwrap();
        let knobs = link::parse(link).knobs;
        let mut run = Run::new(crate::protocol::RunId(1), link.into(), knobs, 2000);
        for leads in card.leads.iter().filter(|i| i.id.starts_with("loss")) {
            let fall = |s: f64| 4.8 / (1.0 + ((s - 500.0) / 15.0).exp());
            let s = crate::protocol::Series {
                x: steps.iter().map(|s| *s as f64).collect(),
                y: steps
                    .iter()
                    .map(|s| fall(*s as f64) + 0.01 * (*s * 7 % 5) as f64)
                    .collect(),
                ..Default::default()
            };
            run.series.insert(leads.id.into(), s.into());
        }
        rows(&run, card, &seeds::members(&run, card), nulls())
    }

    #[test]
    fn a_zoom_changes_no_lead() {
        let (plain, zoomed) = ("#/induction?v=1", "#/induction?v=1&zoom=440-560:61");
        let link = link::parse(zoomed);
        let [evals, _] = crate::experiments::cadence("induction", &link.knobs).unwrap();
        let mut with = evals.clone();
        with.extend(link.course.zoom.unwrap().steps());
        with.sort_unstable();
        with.dedup();
        let own = looked_at(plain, &evals);
        assert!(own.iter().any(|r| r.lead.given == 1));
        assert_eq!(looked_at(zoomed, &with), own);
        // Planted: with the points of the zoom among them the alarms and halves are others.
        assert_ne!(looked_at(plain, &with), own);
    }
}
