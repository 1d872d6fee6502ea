//! A run as its link has it: a branch is trained as its parent up to its step, by the parent's own
//! programs, and from there on by its own, with the weights and the optimiser's state of that step. A
//! zoom is the same run with more checkpoints.
//!
//! What another run has computed up to a step that both share is taken over instead of computed again:
//! the numbers are the same.

use super::open::Source;
use super::record;
use super::rejoining::Ahead;
use super::session::Session;
use crate::app::link::course::{Stays, estimate_alike, train_alike};
use crate::app::link::{Link, Zoom};
use crate::experiments::{self, Of, Parts};
use crate::instruments::pca::Pca;
use crate::knobs::Knobs;
use crate::protocol::{Fault, LlcPoint, Notice};

/// A session of a link's run, not yet begun.
///
/// # Errors
/// Device lost, out of memory, a link that cannot be built.
pub async fn open(source: &Source, link: &Link) -> Result<Session, Fault> {
    let own = part(source, link, &link.knobs, None).await?;
    let Some(branch) = &link.course.branch else {
        return Ok(own);
    };
    let before = branch.before(&link.knobs);
    let mut session = part(source, link, &before, Some(branch.from)).await?;
    session.then = Some(Box::new(own));
    Ok(session)
}

/// The stretch of a run that has these settings; `end`, if it is not their own.
async fn part(
    source: &Source,
    link: &Link,
    knobs: &Knobs,
    end: Option<u64>,
) -> Result<Session, Fault> {
    let mut parts = experiments::build(link.experiment, knobs)?;
    if let Some(zoom) = &link.course.zoom {
        finer(&mut parts, zoom);
    }
    if let Some(end) = end {
        cut(&mut parts, end);
    }
    let exec = source.exec(&parts.plan).await?;
    Ok(Session::new(parts, exec))
}

/// Adds steps to a grid.
pub(super) fn join(grid: &mut Vec<u64>, steps: &[u64]) {
    grid.extend(steps);
    grid.sort_unstable();
    grid.dedup();
}

/// Checkpoints stand closer in a window.
fn finer(parts: &mut Parts, zoom: &Zoom) {
    let mut steps = zoom.steps();
    steps.retain(|s| *s <= parts.steps);
    join(&mut parts.evals, &steps);
    join(&mut parts.checkpoints, &steps);
}

/// The run ends at a step, with a checkpoint.
fn cut(parts: &mut Parts, end: u64) {
    parts.steps = end;
    for grid in [&mut parts.evals, &mut parts.checkpoints] {
        grid.retain(|s| *s < end);
        grid.push(end);
    }
    parts.probes.at.retain(|s| *s <= end);
}

/// Whether two stretches of a run are evaluated on the same data.
fn measured_alike(a: &Parts, b: &Parts) -> bool {
    let held_out = |p: &Parts| {
        let mut words = Vec::new();
        p.lab.feed(Of::Eval, 0, &mut words);
        words
    };
    held_out(a) == held_out(b)
}

/// Up to which step two runs train, evaluate and keep checkpoints alike: in all, and but for a zoom of
/// one that the other lacks. None where they have no step in common.
fn common(a: &Link, b: &Link) -> Option<[u64; 2]> {
    let [first, second] = [a, b].map(|l| l.course.first(&l.knobs));
    let [from, other] = [a, b].map(|l| l.course.branch.as_ref().map_or(u64::MAX, |b| b.from));
    if a.experiment != b.experiment || !train_alike(first, second) {
        return None;
    }
    let whole = if from == other && train_alike(&a.knobs, &b.knobs) {
        u64::MAX
    } else {
        from.min(other)
    };
    let zooms = [a.course.zoom, b.course.zoom];
    let coarse = zooms
        .iter()
        .flatten()
        .map(|z| z.from.saturating_sub(1))
        .min();
    let coarse = coarse.filter(|_| zooms[0] != zooms[1]);
    Some([whole.min(coarse.unwrap_or(whole)), whole])
}

/// Begins a session of `link` where `old`, a run of another link, has come to the last step they share;
/// false where they share none that is stored: it is then begun at step 0. What they share behind the
/// window of a zoom is kept until the session comes there.
///
/// # Errors
/// Device lost or out of memory.
pub fn graft(
    session: &mut Session,
    link: &Link,
    mut old: Session,
    was: &Link,
) -> Result<bool, Fault> {
    let Some([upto, alike]) = common(link, was).filter(|_| old.follow() == session.follow()) else {
        return Ok(false);
    };
    session.history.pca = beside(session, link, &old, was);
    let kept = old.history.checkpoints.iter().rev();
    let mut taken = kept
        .filter(|c| c.step > 0 && c.step <= upto)
        .filter_map(|c| record::capture_at(&old, &link.text(true), c.step));
    let taken = taken.next();
    let begun = taken.is_some();
    let same = estimate_alike(&link.knobs, &was.knobs);
    let said = record::said(&old);
    if let Some(mut taken) = taken {
        if !same {
            taken.llc.clear();
        }
        // What was found out about the old run as a whole need not hold of this one.
        taken.extra.retain(|name, _| !said.contains_key(name));
        record::restore(session, &taken)?;
        let theirs = &mut old.history.checkpoints;
        for c in &mut session.history.checkpoints {
            if let Some(from) = theirs.iter_mut().find(|o| o.step == c.step) {
                c.reads = std::mem::take(&mut from.reads);
                c.state = std::mem::take(&mut from.state);
            }
        }
    }
    if same {
        let new =
            |p: &LlcPoint| p.step <= alike && session.history.llc.iter().all(|q| q.step != p.step);
        let points = std::mem::take(&mut old.history.llc);
        session.known = points.into_iter().filter(new).collect();
        session.history.traces = std::mem::take(&mut old.history.traces);
        session.history.traces.retain(|t| t.step <= alike);
    }
    if same && alike == u64::MAX {
        record::hear(session, &said, &link.knobs);
    }
    // Behind the windows in which they differ, two runs that train alike to the end are one.
    if same && alike == u64::MAX && upto < alike {
        let zooms = [link.course.zoom, was.course.zoom];
        let window = zooms.iter().flatten().map(|z| z.to).max().unwrap_or(0);
        let moments = session.parts.moments.len();
        session.ahead = Ahead::of(old.history, old.lost, window, moments);
    }
    Ok(begun)
}

/// Outputs that what begins has beside it, for a plane in common: those of the run it leaves, or of the one
/// that stood beside that. None of a run before its zoom, and where other inputs were looked at.
fn beside(session: &Session, link: &Link, old: &Session, was: &Link) -> Pca {
    let pca = &old.history.pca;
    let from = [link, was].map(|l| l.course.branch.as_ref().map(|b| b.from));
    let found = match Stays::of((&was.course, &was.knobs), (&link.course, &link.knobs)) {
        Stays::Third => pca.emptied(from[0].unwrap_or(0)),
        Stays::Other("parent" | "branch") => pca.left(from[0].or(from[1]).unwrap_or(0)),
        _ => return Pca::default(),
    };
    let alike = old.looked() == session.looked();
    if alike { found } else { Pca::default() }
}

impl Session {
    /// What logit-PCA looks at, in a word: rows of runs with the same can be joined. 0 where there is none.
    #[must_use]
    pub fn looked(&self) -> u32 {
        let words = self.parts.lab.looked(self.follow);
        crc32fast::hash(bytemuck::cast_slice(&words))
    }

    /// Steps of the whole run, the branch included.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.then
            .as_ref()
            .map_or(self.parts.steps, |t| t.parts.steps)
    }

    /// The run ends at a step, with a checkpoint there; false where it is over before. What is trained up
    /// to it stays what it is.
    pub fn end_at(&mut self, step: u64) -> bool {
        if step <= self.parts.steps {
            self.then = None;
            cut(&mut self.parts, step);
        } else if let Some(then) = &mut self.then {
            return then.end_at(step);
        }
        step <= self.parts.steps
    }

    /// A run that is beyond its branch needs its parent no longer.
    pub(super) fn past(&mut self, step: u64) {
        if step > self.parts.steps
            && let Some(then) = self.then.take()
        {
            *self = *then;
        }
    }

    /// The parent has come to the branch: goes on with what the branch changes. False where there is no
    /// branch.
    pub(super) fn branch_off(&mut self) -> Result<bool, Fault> {
        let Some(mut then) = self.then.take() else {
            return Ok(false);
        };
        let Some(last) = self.history.checkpoints.last() else {
            return Ok(false);
        };
        let step = last.step;
        then.load(last.weights.to_vec(), &last.state)?;
        then.at(step);
        then.history = std::mem::take(&mut self.history);
        then.notices = std::mem::take(&mut self.notices);
        if measured_alike(&self.parts, &then.parts) {
            then.faceless = false;
        } else {
            then.notices.push(Notice::new(format!(
                "The branch changes the data that losses and outputs are measured on: curves before step {step} are on those of its parent, and logit-PCA begins there."
            )));
            then.history.pca = Pca::default();
            // Looked at again, they are evaluated on the new ones.
            for c in &mut then.history.checkpoints {
                c.reads.clear();
            }
        }
        (then.follow, then.paused, then.single) = (self.follow, self.paused, self.single);
        then.lost = std::mem::take(&mut self.lost);
        then.known = std::mem::take(&mut self.known);
        then.ahead = self.ahead.take();
        then.spent = self.spent;
        then.study = self.study.take();
        then.studies = std::mem::take(&mut self.studies);
        then.asks = std::mem::take(&mut self.asks);
        then.looks = std::mem::take(&mut self.looks);
        then.staging = std::mem::take(&mut self.staging);
        then.turns = std::mem::take(&mut self.turns);
        *self = *then;
        Ok(true)
    }
}
