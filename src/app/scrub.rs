//! The timeline's side of the state: which stored checkpoint is looked at, the film, and the step
//! that is held for comparison. The pinned cursor is the scrubber: there is one place in time.

use super::action::Effect;
use super::state::{Cursor, State};
use crate::plot::number::grouped;
use crate::protocol::{Command, Figure};
use std::rc::Rc;

/// Figures kept: the largest has a quarter of a megabyte.
const KEPT: usize = 48;

/// Checkpoints of the film a second, as offered.
pub const SPEEDS: [u32; 3] = [2, 5, 10];

/// What is done on the timeline.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scrub {
    /// To the checkpoint nearest to this step.
    To(f64),
    /// By that many checkpoints.
    By(i64),
    /// The film begins, or ends.
    Play,
    /// The film's next picture, if the present one has come.
    Tick,
    /// Pictures a second.
    Speed(u32),
    /// This step is held, to be compared with; or none.
    Hold(Option<f64>),
}

/// Where the timeline stands, beside the shared cursor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Film {
    /// It plays.
    pub playing: bool,
    /// Checkpoints a second.
    pub speed: u32,
    /// The step held for comparison.
    pub held: Option<f64>,
}

impl Default for Film {
    fn default() -> Self {
        Self {
            playing: false,
            speed: SPEEDS[1],
            held: None,
        }
    }
}

/// Figures of checkpoints, as they came.
#[derive(Clone, Debug, Default)]
pub struct Album {
    /// The oldest first.
    pictures: Vec<(u64, Option<Rc<Figure>>)>,
    asked: Vec<u64>,
    /// What was found last, so that there is a picture while the next one is on its way.
    latest: Option<u64>,
}

impl Album {
    /// Takes a figure in; the oldest gives way.
    pub fn put(&mut self, step: u64, figure: Option<Figure>) {
        self.asked.retain(|s| *s != step);
        self.pictures.retain(|(s, _)| *s != step);
        self.pictures.push((step, figure.map(Rc::new)));
        self.latest = Some(step);
        if self.pictures.len() > KEPT {
            self.pictures.remove(0);
        }
    }

    /// The figure of a step, once it has come; within it none where there is none.
    #[must_use]
    pub fn get(&self, step: u64) -> Option<&Option<Rc<Figure>>> {
        let at = self.pictures.iter().find(|(s, _)| *s == step);
        at.map(|(_, figure)| figure)
    }

    /// The figure of a step with that step; while it is on its way, the one that came last.
    #[must_use]
    pub fn shown(&self, step: u64) -> Option<(u64, Option<Rc<Figure>>)> {
        let at = self.get(step).map_or(self.latest, |_| Some(step))?;
        Some((at, self.get(at)?.clone()))
    }
}

/// Steps of the checkpoints, rising: the run's, or before one those of the recorded run.
#[must_use]
pub fn checkpoints(state: &State) -> &[f64] {
    match (&state.run, state.recorded()) {
        (Some(run), _) => &run.pca.steps,
        (None, Some(recorded)) => &recorded.pca.steps,
        (None, None) => &[],
    }
}

/// Why nothing can be asked of the checkpoint of a step.
pub const GONE: &str = "Its weights were thinned away by the budget";

/// Whether the weights of a checkpoint are no longer there; its numbers are.
#[must_use]
pub fn gone(state: &State, step: u64) -> bool {
    let run = state.run.as_ref();
    run.is_some_and(|r| r.gone.contains(&step))
}

/// Asks for the first checkpoint as a file; each that comes asks for the next. Asked again, it stops.
pub fn save_all(state: &mut State) -> Vec<Effect> {
    let mut steps: Vec<u64> = checkpoints(state).iter().map(|s| *s as u64).collect();
    steps.retain(|s| !gone(state, *s));
    let Some(run) = &mut state.run else {
        return Vec::new();
    };
    if !run.files.0.is_empty() {
        run.files = Default::default();
        return Vec::new();
    }
    let first = steps.first().map(|s| Command::Save(run.id, *s));
    let n = steps.len();
    run.files = (steps, n);
    first.map(Effect::Send).into_iter().collect()
}

/// The checkpoint nearest to a step.
#[must_use]
pub fn nearest(steps: &[f64], step: f64) -> Option<usize> {
    let far = |i: &usize| (steps[*i] - step).abs();
    (0..steps.len()).min_by(|a, b| far(a).total_cmp(&far(b)))
}

/// The checkpoint under a step, as a step.
fn under(state: &State, step: f64) -> Option<u64> {
    let steps = checkpoints(state);
    nearest(steps, step).map(|i| steps[i] as u64)
}

/// The stored checkpoint that is looked at: the one nearest to the pinned cursor. None while the
/// page follows the run.
#[must_use]
pub fn looked_at(state: &State) -> Option<u64> {
    let cursor = state.cursor;
    under(state, cursor.step.filter(|_| cursor.pinned)?)
}

/// The checkpoint that is held for comparison.
#[must_use]
pub fn held(state: &State) -> Option<u64> {
    under(state, state.film.held?)
}

/// The mark of the step that is pinned to compare with, on charts over time.
#[must_use]
pub fn pinned(state: &State) -> Option<(f64, String)> {
    let step = held(state)?;
    Some((step as f64, format!("pinned {}", grouped(step))))
}

/// Does what was asked for on the timeline.
pub(super) fn act(state: &mut State, scrub: Scrub) {
    match scrub {
        Scrub::To(step) => {
            state.film.playing = false;
            go(state, |steps, _| nearest(steps, step));
        }
        Scrub::By(by) => {
            state.film.playing = false;
            let by = isize::try_from(by).unwrap_or(0);
            go(state, |steps, at| {
                let last = steps.len().checked_sub(1)?;
                let from = at.unwrap_or(if by < 0 { last + 1 } else { last });
                Some(from.saturating_add_signed(by).min(last))
            });
        }
        Scrub::Play => {
            state.film.playing = !state.film.playing;
            if state.film.playing {
                // From where it stands; from the beginning if it stands at the end, or follows.
                go(state, |steps, at| {
                    let at = at.filter(|i| i + 1 < steps.len()).unwrap_or(0);
                    (!steps.is_empty()).then_some(at)
                });
            }
        }
        Scrub::Tick => {
            let Some(at) = looked_at(state).filter(|_| state.film.playing) else {
                state.film.playing = false;
                return;
            };
            let run = state.run.as_ref();
            if run.is_none_or(|r| r.album.get(at).is_some()) {
                go(state, |_, at| Some(at? + 1));
                state.film.playing = looked_at(state) != Some(at);
            }
        }
        Scrub::Speed(speed) => state.film.speed = speed.clamp(1, 30),
        Scrub::Hold(step) => state.film.held = step.and_then(|s| under(state, s)).map(|s| s as f64),
    }
}

/// Pins the cursor to the checkpoint that `to` picks from the steps and the present one.
fn go(state: &mut State, to: impl FnOnce(&[f64], Option<usize>) -> Option<usize>) {
    let steps = checkpoints(state);
    let now = looked_at(state).and_then(|at| nearest(steps, at as f64));
    if let Some(&step) = to(steps, now).and_then(|i| steps.get(i)) {
        state.cursor = Cursor {
            step: Some(step),
            pinned: true,
        };
    }
}

/// Asks for the figures that the page needs and has not: of the checkpoint looked at, of the one
/// held, and of the film's next.
pub(super) fn wanted(state: &mut State) -> Vec<Effect> {
    let (looked, steps) = (looked_at(state), checkpoints(state));
    let next = || {
        let at = nearest(steps, looked? as f64)?;
        steps.get(at + 1).map(|s| *s as u64)
    };
    let next = if state.film.playing { next() } else { None };
    // What is held is compared with the latest while nothing else is looked at.
    let held = held(state);
    let latest = || steps.last().map(|s| *s as u64);
    let other = looked.or_else(|| held.and_then(|_| latest()));
    let all = [other, held, next];
    let Some(run) = &mut state.run else {
        return Vec::new();
    };
    let (id, album, mut effects) = (run.id, &mut run.album, Vec::new());
    for step in all.into_iter().flatten() {
        if album.get(step).is_none() && !album.asked.contains(&step) {
            album.asked.push(step);
            effects.push(Effect::Send(Command::Look(id, step)));
        }
    }
    effects
}

#[cfg(test)]
mod tests;
