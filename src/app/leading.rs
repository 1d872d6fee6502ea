//! The table "Who leads?" for files: in the page and behind `run --leads`.

use super::leads::{self, Lead, Row};
use super::run::Run;
use super::seeds;
use crate::experiments::Card;
use serde::Serialize;
use serde_json::{Value, json};

/// How long before the behaviour is half done, in steps, over the models that have changed.
#[derive(Clone, Debug, Serialize)]
pub struct Ahead {
    /// The median; negative where it comes later, null where no model gives one.
    pub median: Option<f64>,
    /// Its 95 % bootstrap interval over models; null of fewer than three.
    pub lo: Option<f64>,
    /// See `lo`.
    pub hi: Option<f64>,
    /// Models that have changed and have the indicator's curve.
    pub n: usize,
    /// Those of them that give one.
    pub given: usize,
    /// Those of them in which it came before.
    pub before: usize,
}

impl Ahead {
    fn of(lead: &Lead) -> Self {
        Self {
            median: lead.median,
            lo: lead.interval.map(|i| i.0),
            hi: lead.interval.map(|i| i.1),
            n: lead.runs,
            given: lead.given,
            before: lead.before,
        }
    }
}

/// A row of "Who leads?".
#[derive(Clone, Debug, Serialize)]
pub struct Leading {
    /// Its series, or `llc` and the like.
    pub indicator: &'static str,
    /// Its name.
    pub label: &'static str,
    /// What gives an alarm, in deviations of its own past; null where no null run is recorded.
    pub threshold: Option<f64>,
    /// Null runs that the threshold was set on.
    pub set_on: usize,
    /// Of its alarm, which sounds at the second of two points and uses nothing that comes later.
    pub lead: Ahead,
    /// Of the step at which it has done half of its own way, which takes the whole run to tell.
    pub half: Ahead,
    /// Steps between two of its points, the median: a lead of less than two of these is none.
    pub apart: f64,
    /// Null runs held out that give an alarm at the threshold.
    pub false_alarms: usize,
    /// Null runs held out.
    pub null_runs: usize,
    /// It takes the end of the run to know where to look.
    pub hindsight: bool,
}

/// The rows of "Who leads?" of a run.
#[must_use]
pub fn leading(rows: &[Row]) -> Vec<Leading> {
    let of = |row: &Row| Leading {
        indicator: row.indicator.id,
        label: row.indicator.label,
        threshold: row.threshold.map(|t| t.level),
        set_on: row.threshold.map_or(0, |t| t.nulls),
        lead: Ahead::of(&row.lead),
        half: Ahead::of(&row.half),
        apart: row.apart,
        false_alarms: row.threshold.map_or(0, |t| t.held[0]),
        null_runs: row.threshold.map_or(0, |t| t.held[1]),
        hindsight: row.indicator.hindsight(),
    };
    rows.iter().map(of).collect()
}

/// Each indicator of a run: how far ahead it is, and what that was told by.
#[must_use]
pub fn rows(run: &Run, card: &Card) -> Vec<Value> {
    let members = seeds::members(run, card);
    let rows = leads::rows(run, card, &members, leads::nulls());
    leading(&rows).iter().map(|row| json!(row)).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::app::State;
    use crate::app::tables::What;
    use crate::protocol::RunId;

    #[test]
    fn a_file_has_a_line_an_indicator() {
        let mut state = State::new("#/tms?v=1&replicas=4", true, Default::default());
        assert!(!What::Leads.there(&state));
        let (link, knobs) = (state.link.text(true), state.link.knobs.clone());
        state.run = Some(Run::new(RunId(1), link, knobs, 10));
        assert!(What::Leads.there(&state));
        let csv = What::Leads.text(&state, true).unwrap();
        let mut lines = csv.lines().skip(1);
        let header = lines.next().unwrap();
        // Indicators have no step.
        assert!(
            header.contains("lead.median") && !header.starts_with("step"),
            "{header}"
        );
        let own: Vec<&str> = state.card().leads.iter().map(|i| i.id).collect();
        let named: Vec<&str> = lines
            .map(|l| {
                own.iter()
                    .find(|id| l.split(',').any(|f| f == **id))
                    .unwrap()
            })
            .copied()
            .collect();
        assert_eq!(named, own);
        // One model alone leads nothing.
        let alone = State::new("#/tms?v=1&replicas=1", true, Default::default());
        let (link, knobs) = (alone.link.text(true), alone.link.knobs.clone());
        state.run = Some(Run::new(RunId(1), link, knobs, 10));
        assert!(!What::Leads.there(&state));
    }
}
