//! Commitment: from a stored checkpoint, models that share its weights and its optimiser's state are
//! trained on, each with the data of another seed. Where they all end alike, the run was committed by
//! then; where each ends elsewhere, what it was to become was still open.
//!
//! They are replicas of the run's own training program. The first of them has the run's own data, and
//! is the run; all are evaluated on its held-out data.

use super::history::{Checkpoint, History};
use super::known::model;
use super::open::Source;
use super::session::Session;
use super::study::{Studying, progress};
use crate::app::link::Link;
use crate::exec::Batch;
use crate::experiments::heads::{Head, LABELS, heads};
use crate::experiments::{self, Of, Probes};
use crate::knobs::Value;
use crate::protocol::{CellResult, Fault, Figure, Study, StudySpec};
use web_time::Instant;

/// The branches of one checkpoint after the other.
#[derive(Debug)]
pub(super) struct Branches {
    /// Whose checkpoints they are of.
    follow: usize,
    /// What all are evaluated on, in the run's words.
    held: Vec<u32>,
    /// The step at which they end.
    end: u64,
    /// The cell under way.
    now: Option<u32>,
    /// Steps of cells that are over.
    done: u64,
    started: Instant,
}

/// A study of the branches of a run, ready to begin: `spec.chains` beside the run itself, or as many as
/// fit.
///
/// # Errors
/// Device lost, out of memory, or a link that cannot be built.
pub(super) async fn begin(
    source: &Source,
    link: &Link,
    mut spec: StudySpec,
) -> Result<Studying, Fault> {
    let member = link.knobs.int("member");
    let mut alone = model(link, member);
    let wanted = i64::from(spec.chains) + 1;
    alone.knobs.put("replicas", Value::Int(wanted));
    if let Some(card) = experiments::card(link.experiment) {
        let _ = (card.settle)(&mut alone.knobs);
    }
    let mut parts = experiments::build(link.experiment, &alone.knobs)?;
    spec.chains = (parts.train.replicas.len() as u32).saturating_sub(1);
    let mut held = Vec::new();
    parts.lab.feed(Of::Eval, 0, &mut held);
    held.truncate(parts.eval.as_ref().map_or(0, |e| e.feed_len));
    let end = parts.steps;
    parts.probes = Probes::default();
    parts.evals = vec![end];
    parts.checkpoints = vec![end];
    let exec = source.exec(&parts.plan).await?;
    let branches = Branches {
        follow: usize::try_from(member).unwrap_or(0),
        held,
        end,
        now: None,
        done: 0,
        started: Instant::now(),
    };
    Ok(Studying::branching(
        spec,
        Session::new(parts, exec),
        branches,
    ))
}

impl Branches {
    /// Does one portion of work: the next checkpoint, or some steps of its branches.
    ///
    /// # Errors
    /// Device lost or out of memory.
    pub(super) async fn pump(
        &mut self,
        engine: &mut Session,
        view: &mut Study,
        history: &History,
    ) -> Result<(), Fault> {
        let Some(cell) = self.now else {
            let next = view.done.len();
            let Some(wanted) = view.spec.cells.get(next) else {
                view.over = true;
                view.left_s = None;
                return Ok(());
            };
            let found = history.checkpoints.iter().find(|c| c.step == wanted.step);
            self.now = Some(next as u32);
            match found.filter(|c| c.state.len() == engine.parts.moments.len()) {
                Some(c) => self.place(engine, c).await?,
                // The state of its optimiser is no longer kept: the cell stays empty.
                None => self.take(view, Vec::new()),
            }
            return Ok(());
        };
        // The weights at step 0 are those of the checkpoint, and nothing waits to be seen of others.
        engine.owed = false;
        let busy = match engine.pump().await {
            Err(Fault::Diverged { .. }) => false,
            other => other?,
        };
        let from = view.spec.cells[cell as usize].step;
        if !busy {
            self.done += self.end.saturating_sub(from);
            let all = (0..engine.parts.train.replicas.len())
                .map(|r| outcome(engine, r))
                .collect();
            self.take(view, all);
        }
        let cells = view.spec.cells.iter();
        let steps: u64 = cells.map(|c| self.end.saturating_sub(c.step)).sum();
        let here = engine.step().saturating_sub(from);
        let did = self.done + if busy { here } else { 0 };
        // Cells that begin earlier are longer: a cell is worth its steps.
        let cells = did as f64 / steps.max(1) as f64 * view.spec.cells.len() as f64;
        progress(view, cells, self.started);
        Ok(())
    }

    /// Puts every branch where the checkpoint is.
    async fn place(&self, engine: &mut Session, at: &Checkpoint) -> Result<(), Fault> {
        let (n, all) = (engine.parts.arena.len(), engine.parts.train.replicas.len());
        let own = self.follow * n..(self.follow + 1) * n;
        let copies = |from: &[f32]| from.get(own.clone()).unwrap_or_default().repeat(all);
        let state: Vec<_> = at.state.iter().map(|s| copies(s).into()).collect();
        engine.restart(at.step);
        engine.load(copies(&at.weights), &state)?;
        engine.loaded().await?;
        if let Some(eval) = &engine.parts.eval {
            let words = vec![(eval.feed, 0, self.held.repeat(eval.rows))];
            let batch = Batch {
                words,
                ..Batch::default()
            };
            engine.at_once(&batch).await?;
        }
        Ok(())
    }

    /// Takes in how the branches of a cell have ended, the run itself first.
    fn take(&mut self, view: &mut Study, all: Vec<Option<String>>) {
        let cell = self.now.take().unwrap_or(0);
        let (own, others) = all
            .split_first()
            .map_or((None, &[][..]), |(own, others)| (own.clone(), others));
        let same = others.iter().filter(|o| o.is_some() && **o == own).count();
        view.done.push(CellResult {
            cell,
            value: own
                .is_some()
                .then(|| same as f64 / others.len().max(1) as f64),
            failed_chains: all.iter().filter(|o| o.is_none()).count() as u32,
            ..CellResult::default()
        });
        view.told.push(tally(own.as_deref(), others));
        view.over = view.done.len() == view.spec.cells.len();
    }
}

/// How a branch has ended: its strongest previous-token head and its induction heads, by their labels
/// (`head 0.1 before 1.0 and 1.3`), or the corners of its polygon. None for one
/// that has diverged.
fn outcome(session: &Session, replica: usize) -> Option<String> {
    if session.lost.get(replica).is_some_and(Option::is_some) {
        return None;
    }
    if let Some(Figure::Superposition { gons, .. }) = &session.history.figure {
        return gons
            .get(replica)
            .map(|g| format!("{}-gon", g.trim_end_matches('+')));
    }
    let prefix = match replica {
        0 => String::new(),
        r => format!("replicas/{r}/"),
    };
    let series = &session.history.series;
    let last = |id: &str| series.get(&format!("{prefix}{id}"))?.y.last().copied();
    let all = heads(last);
    let won = all.iter().filter(|h| h.label == LABELS[0]);
    let names: Vec<String> = won.map(|h| format!("{}.{}", h.layer, h.head)).collect();
    // Of heads that look one token back the first of them: the later heads read from it.
    let score = |h: &&Head| h.prev_token.unwrap_or(0.0);
    let back = all.iter().filter(|h| h.label == LABELS[1]);
    let back = back.max_by(|a, b| score(a).total_cmp(&score(b)));
    let back = back.map_or("no head".into(), |h| format!("head {}.{}", h.layer, h.head));
    (!all.is_empty()).then(|| match names.is_empty() {
        true => "no induction head".into(),
        false => format!("{back} before {}", names.join(" and ")),
    })
}

/// `the run head 1.2; others: 6 head 1.2, 2 head 1.0`.
fn tally(own: Option<&str>, others: &[Option<String>]) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for o in others {
        let o = o.as_deref().unwrap_or("diverged");
        match counts.iter_mut().find(|c| c.0 == o) {
            Some(c) => c.1 += 1,
            None => counts.push((o, 1)),
        }
    }
    let told: Vec<String> = counts.iter().map(|(o, n)| format!("{n} × {o}")).collect();
    match own {
        Some(own) => format!("the run: {own}; the others: {}", told.join(", ")),
        None => "its optimiser’s state is no longer kept, or the run diverges".into(),
    }
}

impl Session {
    /// As if nothing had been done beyond this step: a load follows.
    fn restart(&mut self, step: u64) {
        self.history = History::default();
        self.notices.clear();
        self.queue.clear();
        self.flying.clear();
        self.lost.fill(None);
        self.running.fill((0.0, 0));
        (self.submitted, self.done) = (step, step);
        (self.evaluated, self.owed, self.failed) = (false, false, false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_counted_in_words() {
        let others = ["head 1.2", "head 1.0", "head 1.2"].map(|o| Some(o.to_string()));
        let told = tally(Some("head 1.2"), &others);
        assert_eq!(
            told,
            "the run: head 1.2; the others: 2 × head 1.2, 1 × head 1.0"
        );
        assert!(tally(Some("4-gon"), &[None]).ends_with("1 × diverged"));
    }
}
