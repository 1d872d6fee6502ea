//! What the page is shown: at most one frame unacknowledged, and in it only what changed.

use super::host::Host;
use super::session::Session;
use crate::protocol::{Event, Frame, Phase, RunId};
use web_time::{Duration, Instant};

/// Frames are at least this far apart.
const FRAME: Duration = Duration::from_millis(33);
/// The run being served.
pub(super) struct Live {
    pub(super) id: RunId,
    pub(super) text: String,
    pub(super) session: Session,
    pub(super) shown: Shown,
    /// The last checkpoint that was kept, and how many studies and answers were whole.
    pub(super) kept_step: Option<(u64, u32)>,
    pub(super) kept_at: Instant,
    /// Bytes of the last record's file besides its numbers.
    pub(super) around: u64,
    /// How long the last record took to write.
    pub(super) keeping: Duration,
}

impl Live {
    pub(super) fn new(id: RunId, text: String, session: Session) -> Self {
        Self {
            id,
            text,
            session,
            shown: Shown {
                step: u64::MAX,
                ..Shown::default()
            },
            kept_step: None,
            kept_at: Instant::now(),
            around: 0,
            keeping: Duration::ZERO,
        }
    }
}

/// What the page has seen, to send only what changed.
#[derive(Default)]
pub(super) struct Shown {
    pub(super) phase: Phase,
    pub(super) step: u64,
    pub(super) llc: usize,
    pub(super) llc_step: u64,
    pub(super) rows: usize,
    pub(super) jumps: usize,
    pub(super) stages: u32,
    /// Which study, its cells done, how far it is in steps of half a per cent, and whether it is over.
    pub(super) study: Option<(u32, usize, u32, bool)>,
    pub(super) rows_follow: usize,
    /// Checkpoints that waited for their probes.
    pub(super) unprobed: usize,
    /// Whether the run was over: its path is then sent once more, for good.
    pub(super) over: bool,
    pub(super) figure_step: Option<u64>,
    /// Steps of the live trace.
    pub(super) chain_step: u64,
}

impl Host {
    /// Does one portion of work and prepares a frame if one is due. False when there is nothing to
    /// do before the next command.
    pub async fn pump(&mut self) -> bool {
        let busy = self.work().await;
        self.frame(!busy);
        busy
    }

    /// Prepares a frame if one is due; `idle` makes it due now.
    pub(super) fn frame(&mut self, idle: bool) {
        let Some(live) = &mut self.live else { return };
        let (run, looked) = (live.id, live.session.looks.take());
        let answers = looked.map(|(step, figure)| Event::Look { run, step, figure });
        self.events.extend(answers);
        live.session.stage();
        let turned = live.session.turns.found.take();
        self.events.extend(turned.map(|t| Event::Gauged(run, t)));
        let told = live.session.answers().into_iter();
        self.events
            .extend(told.map(|t| Event::Told(run, Box::new(t))));
        let due = self.sent.is_none_or(|t| t.elapsed() >= FRAME) || idle;
        let (s, shown) = (&mut live.session, &mut live.shown);
        let changed = shown.phase != s.phase()
            || shown.step != s.step()
            || shown.llc != s.history.llc.len()
            || live_trace(s).is_some_and(|t| t.1 != shown.chain_step)
            || shown.study != studied(s)
            || s.studies.any_unseen()
            || shown.stages != s.staging.version
            || shown.rows_follow != s.follow()
            || shown.unprobed != s.following.waiting()
            || fresh(s, shown);
        if !self.acked || !due || !changed && s.notices.is_empty() {
            return;
        }
        let mut frame = Frame {
            run: live.id,
            phase: s.phase(),
            step: s.step(),
            steps: s.steps(),
            rate: s.rate(),
            left_s: s.left_s(),
            whole: s.history.whole(s.parts.moments.len()),
            series: s.history.deltas(),
            counters: s.exec.counters(),
            per_step: s.per_step(),
            notices: std::mem::take(&mut s.notices),
            ..Frame::default()
        };
        frame.point_s = s.point_s();
        frame.unprobed = s.following.waiting();
        shown.unprobed = frame.unprobed;
        if shown.study != studied(s) {
            frame.study = s.study.as_ref().map(|t| t.view.clone());
            shown.study = studied(s);
        } else {
            frame.study = s.studies.unseen();
        }
        let newest = s.history.llc.last().map_or(0, |p| p.step);
        let followed = shown.rows_follow != s.follow();
        if (s.history.llc.len(), newest) != (shown.llc, shown.llc_step) || followed {
            frame.llc = Some(s.history.llc.clone());
            (shown.llc, shown.llc_step) = (s.history.llc.len(), newest);
        }
        let rows = s.history.pca.len();
        let over = frame.phase == Phase::Done;
        if (rows, over) != (shown.rows, shown.over) || followed {
            frame.pca = Some(s.history.pca.update());
            frame.beside = s.history.pca.beside();
            frame.looked = s.looked();
            frame.gone = s.history.gone();
            (shown.rows, shown.over) = (rows, over);
            shown.rows_follow = s.follow();
        }
        if let Some((at, steps)) = live_trace(s)
            && steps != shown.chain_step
        {
            frame.trace = Some(Box::new(s.trace(at)));
            shown.chain_step = steps;
        }
        if shown.stages != s.staging.version {
            frame.stages = Some(s.staging.view.clone());
            shown.stages = s.staging.version;
        }
        if shown.jumps != s.history.jumps.len() {
            frame.jumps = Some(s.history.jumps.clone());
            shown.jumps = s.history.jumps.len();
        }
        // The picture of another model follows when it is drawn.
        if followed {
            shown.figure_step = None;
        }
        if fresh(s, shown) {
            frame.figure.clone_from(&s.history.figure);
            shown.figure_step = Some(s.step());
        }
        (shown.phase, shown.step) = (s.phase(), s.step());
        self.events.push(Event::Frame(Box::new(frame)));
        self.acked = false;
        self.sent = Some(Instant::now());
    }
}

/// Whether there is a picture that the page has not seen.
fn fresh(s: &Session, shown: &Shown) -> bool {
    s.history.figure.is_some() && shown.figure_step != Some(s.step())
}

impl Shown {
    /// The page knows how the run and its newest study stand.
    pub(super) fn all(&self, s: &Session) -> bool {
        self.phase == s.phase() && self.study == studied(s)
    }
}

/// How far the newest study is.
fn studied(s: &Session) -> Option<(u32, usize, u32, bool)> {
    let view = s.study.as_ref().map(|t| &t.view)?;
    let far = (200.0 * view.share) as u32;
    Some((s.studies.begun, view.done.len(), far, view.over))
}

/// Where nothing is trained, the chains are what there is to watch: the checkpoint and the steps of
/// the newest trace.
fn live_trace(s: &Session) -> Option<(u64, u64)> {
    let newest = s.sampling.as_ref().map(|s| &s.trace);
    let newest = newest.or(s.history.traces.last())?;
    (s.parts.steps == 0).then(|| (newest.step, newest.steps()))
}
