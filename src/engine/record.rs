//! A session to a record and back. A record stands at a checkpoint: what came after is computed
//! again, with the same bits.

use super::history::Checkpoint;
use super::session::Session;
use super::staging::Chosen;
use crate::knobs::Knobs;
use crate::protocol::{Fault, Jump, Series, SeriesDelta};
use crate::store::{CHECKPOINT, LOOKED, Named, Record};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Where a record keeps the jumps.
const JUMPS: &str = "jumps";

/// Where a record keeps which replicas have diverged, and when.
const LOST: &str = "lost";

/// Where a record keeps boundaries of stages set by hand, and λ̂ at a second setting.
const STAGES: &str = "stages";

/// The run at its last checkpoint; none before the first.
#[must_use]
pub fn capture(session: &Session, link: &str) -> Option<Record> {
    capture_at(session, link, session.history.checkpoints.last()?.step)
}

/// The run at the checkpoint of that step; none where there is none, or no state of its optimiser.
#[must_use]
pub fn capture_at(session: &Session, link: &str, step: u64) -> Option<Record> {
    let history = &session.history;
    let at = history.checkpoints.iter().find(|c| c.step == step)?;
    if at.state.len() != session.parts.moments.len() {
        return None;
    }
    let upto = |x: &[f64]| x.partition_point(|&x| x <= step as f64);
    let series = history
        .series
        .iter()
        .map(|(id, s)| {
            let n = upto(&s.x);
            let part = |v: &Vec<f64>| v.iter().take(n).copied().collect();
            SeriesDelta {
                id: id.clone(),
                from: 0,
                x: part(&s.x),
                y: part(&s.y),
                lo: part(&s.lo),
                hi: part(&s.hi),
            }
        })
        .collect();
    let named = |name: String, data: &Rc<Vec<f32>>| Named {
        name,
        shape: vec![data.len()],
        data: Rc::clone(data),
    };
    let mut tensors: Vec<Named> = history
        .checkpoints
        .iter()
        .filter(|c| c.step <= step)
        .map(|c| named(format!("{CHECKPOINT}{}", c.step), &c.weights))
        .collect();
    let moments = session.parts.moments.iter().zip(&at.state);
    tensors.extend(moments.map(|((name, _), data)| named((*name).into(), data)));
    let jumps: Vec<&Jump> = history.jumps.iter().filter(|j| j.step <= step).collect();
    let lost: Vec<_> = session
        .lost
        .iter()
        .map(|at| at.filter(|&at| at < step))
        .collect();
    let mut extra = said(session);
    let text = crate::json::write(&jumps).unwrap_or_default();
    extra.insert(JUMPS.to_string(), text);
    let text = crate::json::write(&lost).unwrap_or_default();
    extra.insert(LOST.to_string(), text);
    extra.insert(LOOKED.to_string(), session.looked().to_string());
    Some(Record {
        link: link.into(),
        version: crate::VERSION.into(),
        step,
        steps: session.steps(),
        device: session.exec.device(),
        follow: session.follow() as u32,
        tensors,
        series,
        llc: history
            .llc
            .iter()
            .filter(|p| p.step <= step)
            .cloned()
            .collect(),
        pca: history.pca.rows().filter(|(s, _)| *s <= step).collect(),
        notices: history.origin.clone(),
        extra,
    })
}

/// Adds the optimiser's state at every checkpoint where the session has it: after a reload the run can be
/// trained on from there without being computed again.
pub fn add_states(record: &mut Record, session: &Session) {
    for c in &session.history.checkpoints {
        if c.step >= record.step {
            continue;
        }
        let names = session.parts.moments.iter();
        let named = names.zip(&c.state).map(|((name, _), data)| Named {
            name: state(c.step, name),
            shape: vec![data.len()],
            data: Rc::clone(data),
        });
        record.tensors.extend(named);
    }
}

/// What the names of the optimiser's states begin with.
const STATE: &str = "state.";

/// The name of what the optimiser knows at a checkpoint that is not the last.
fn state(step: u64, name: &str) -> String {
    format!("{STATE}{step}.{name}")
}

/// Where a record keeps λ̂ at other settings.
const STUDIES: &str = "studies";

/// Where a record keeps what was asked of stored checkpoints.
const ANSWERS: &str = "answers";

/// What was found out about the run as a whole, or set by hand, by the names a record has for it.
pub(super) fn said(session: &Session) -> BTreeMap<String, String> {
    let (staging, mut out) = (&session.staging, BTreeMap::new());
    let rows = |c: &Chosen| crate::json::write(&c.rows()).unwrap_or_default();
    for (replica, chosen) in staging.others() {
        out.insert(format!("{STAGES}.{replica}"), rows(chosen));
    }
    for (name, text) in [
        (STAGES, rows(staging.chosen())),
        (STUDIES, session.studies.text(session.study())),
        (ANSWERS, session.asks.text().unwrap_or_default()),
    ] {
        out.insert(name.to_string(), text);
    }
    out
}

/// Takes that in, for a run with these settings.
pub(super) fn hear(session: &mut Session, said: &BTreeMap<String, String>, knobs: &Knobs) {
    let text = |name: &str| said.get(name).map_or("", String::as_str);
    let rows = |text: &str| Chosen::of(crate::json::read(text).unwrap_or_default());
    session.staging.choose(rows(text(STAGES)));
    for replica in 0..session.lost.len() as u32 {
        if let Some(text) = said.get(&format!("{STAGES}.{replica}")) {
            session.staging.know(replica, rows(text));
        }
    }
    let own = (knobs.float("nbeta"), knobs.float("gamma"));
    session.studies.restore(text(STUDIES), own);
    session.asks.restore(text(ANSWERS));
}

/// The step of a tensor that is the weights of a checkpoint.
fn step_of(t: &Named) -> Option<u64> {
    t.name.strip_prefix(CHECKPOINT)?.parse().ok()
}

/// Steps of the checkpoints in a record, rising.
#[must_use]
pub fn checkpoints(record: &Record) -> Vec<u64> {
    let mut all: Vec<u64> = record.tensors.iter().filter_map(step_of).collect();
    all.sort_unstable();
    all
}

/// The step of a tensor that is the optimiser's state at a checkpoint before the last.
fn state_of(t: &Named) -> Option<u64> {
    let (step, _) = t.name.strip_prefix(STATE)?.split_once('.')?;
    step.parse().ok()
}

/// Steps and bytes of the optimiser's states in a record, but for the last.
#[must_use]
pub fn states(record: &Record) -> Vec<(u64, u64)> {
    let mut all: Vec<(u64, u64)> = Vec::new();
    for t in &record.tensors {
        let Some(step) = state_of(t) else { continue };
        // Those of a step stand together.
        if all.last().is_none_or(|l| l.0 != step) {
            all.push((step, 0));
        }
        if let Some(last) = all.last_mut() {
            last.1 += 4 * t.data.len() as u64;
        }
    }
    all
}

/// Leaves checkpoints out: of `weights` all that there is, of `states` what the optimiser knew.
pub fn leave_out(record: &mut Record, weights: &[u64], states: &[u64]) {
    let of = |all: &[u64], step: Option<u64>| step.is_some_and(|s| all.contains(&s));
    record.tensors.retain(|t| {
        !of(weights, step_of(t)) && !of(weights, state_of(t)) && !of(states, state_of(t))
    });
}

/// Puts a fresh session where the record stands.
///
/// # Errors
/// `Internal` for a record of another shape, `DeviceLost`, `OutOfMemory`.
pub fn restore(session: &mut Session, record: &Record) -> Result<(), Fault> {
    session.past(record.step);
    let wrong =
        |what: &str| Fault::Internal(format!("the stored run does not fit its link: {what}"));
    let params = session.parts.plan.buffers[session.parts.params.0].len;
    let mut checkpoints = Vec::new();
    for t in &record.tensors {
        if let Some(step) = step_of(t) {
            if t.data.len() != params {
                return Err(wrong("other weights"));
            }
            checkpoints.push(Checkpoint {
                step,
                weights: t.data.clone(),
                ..Checkpoint::default()
            });
        }
    }
    crate::math::order::sort_by(&mut checkpoints, |a, b| a.step.cmp(&b.step));
    let last = checkpoints
        .last()
        .filter(|c| c.step == record.step)
        .ok_or_else(|| wrong("no weights"))?;
    let moments = session
        .parts
        .moments
        .iter()
        .map(|(name, buf)| {
            let len = session.parts.plan.buffers[buf.0].len;
            let found = record.tensor(name).filter(|t| t.data.len() == len);
            found
                .map(|t| t.data.clone())
                .ok_or_else(|| wrong("other optimiser state"))
        })
        .collect::<Result<Vec<_>, _>>()?;
    session.load(last.weights.to_vec(), &moments)?;
    session.follow = record.follow as usize;
    for c in &mut checkpoints {
        let known = session.parts.moments.iter().zip(&moments);
        let found = known.map(|((name, _), last)| {
            let own = record.tensor(&state(c.step, name))?;
            (own.data.len() == last.len()).then(|| own.data.clone())
        });
        c.state = found.collect::<Option<_>>().unwrap_or_default();
    }
    let history = &mut session.history;
    if let Some(last) = checkpoints.last_mut() {
        last.state = moments;
    }
    history.checkpoints = checkpoints;
    history.llc.clone_from(&record.llc);
    let extra = |name| record.extra.get(name).map_or("", String::as_str);
    history.jumps = crate::json::read(extra(JUMPS)).unwrap_or_default();
    let lost = crate::json::read::<Vec<Option<u64>>>(extra(LOST)).ok();
    if let Some(lost) = lost.filter(|lost| lost.len() == session.lost.len()) {
        session.lost = lost;
    }
    let knobs = crate::app::link::parse(&record.link).knobs;
    hear(session, &record.extra, &knobs);
    let history = &mut session.history;
    for d in &record.series {
        let series = Series {
            x: d.x.clone(),
            y: d.y.clone(),
            lo: d.lo.clone(),
            hi: d.hi.clone(),
        };
        history.series.insert(d.id.clone(), series);
    }
    for (step, row) in &record.pca {
        history.pca.push(*step, row);
    }
    for said in &record.notices {
        session.history.origin.push(said.clone());
        session.notices.push(said.clone());
    }
    session.at(record.step);
    session.queue_missing();
    session.queue_probes();
    Ok(())
}
