//! How the state changes, and what it asks of the world. Pure: the page carries the effects out.

use super::action::{Action, Effect, Toggle};
use super::aim::{address, follow, member, told};
use super::beside;
use super::cursor;
use super::form;
use super::link::{Link, apply_query, parse};
use super::pairing;
use super::press::{run_or_pause, step_once};
use super::run::Run;
use super::scrub;
use super::shelf;
use super::state::{BUDGETS, State};
use crate::experiments::card;
use crate::protocol::{Command, Event, Fault, Notice, Phase, RunId};
use std::rc::Rc;

/// Takes an action in; what the page then lacks to be drawn is asked for.
pub fn reduce(state: &mut State, action: Action) -> Vec<Effect> {
    let mut effects = take(state, action);
    effects.extend(scrub::wanted(state));
    effects
}

fn take(state: &mut State, action: Action) -> Vec<Effect> {
    use Action::{Experiment, Reset, RunOrPause, Start, StartLight, TakeStored};
    if let RunOrPause | Start | StartLight | TakeStored | Reset | Experiment(_) = action {
        state.slow = false;
    }
    match action {
        Action::Worker(event) => worker(state, event),
        Action::WorkerDied(why) => {
            state.device = None;
            state.measuring = None;
            fail(state, Fault::WorkerPanic(why));
            Vec::new()
        }
        Action::Opened(text) => {
            // The page's own changes of the address come back here; they change nothing.
            let link = parse(&text);
            if link.experiment == state.link.experiment
                && link.knobs == state.link.knobs
                && link.course == state.link.course
                && link.file == state.link.file
                && link.engine == state.link.engine
                && !link.run
                && link.against == pairing::against_of(state)
            {
                // What is wrong with it is said all the same.
                if !link.notices.is_empty() {
                    state.link.notices = link.notices;
                }
                return Vec::new();
            }
            state.slow = false;
            let engine = state.link.engine;
            let mut effects = drop_run(state);
            if link.experiment != state.link.experiment {
                state.view.locality = card(link.experiment).is_some_and(|c| c.locality);
            }
            state.link = link;
            pairing::opened(state);
            effects.extend(change_engine(state, engine));
            effects.extend(if state.link.run {
                start(state, false, false)
            } else {
                measure(state)
            });
            effects
        }
        Action::Experiment(id) => match card(&id) {
            Some(card) => {
                let mut effects = drop_run(state);
                let engine = state.link.engine;
                state.link = Link {
                    engine,
                    ..Link::of(card)
                };
                state.view.locality = card.locality;
                effects.push(address(state));
                effects.extend(measure(state));
                effects
            }
            None => Vec::new(),
        },
        Action::Preset(_) | Action::Knob(..) | Action::UndoKnobs | Action::Adopt { .. } => {
            form::act(state, action)
        }
        Action::Branch(step) => beside::branch(state, step),
        Action::WithParent => beside::with_parent(state),
        Action::Import(name, bytes) => form::import(state, name, bytes),
        Action::Text(_) | Action::Unkept => super::own::act(state, action),
        Action::Budget(mb) => {
            state.budget = mb.clamp(BUDGETS.0, BUDGETS.1);
            vec![Effect::Budget(state.budget)]
        }
        Action::Dismiss => {
            state.refused.clear();
            Vec::new()
        }
        Action::Window(steps) => beside::window(state, steps),
        Action::Finer(window) => beside::zoom(state, window),
        Action::RunOrPause => run_or_pause(state),
        Action::Start => start(state, false, false),
        Action::StartLight => {
            // Only what makes it light changes: the control and the seed stay what they are. What
            // forming asks for (a new measurement) is overtaken by the start.
            let mut knobs = state.link.knobs.clone();
            let notices = apply_query(&mut knobs, state.card().light_query());
            let _ = form::formed(state, knobs, notices);
            start(state, false, false)
        }
        Action::StepOnce => step_once(state),
        Action::Slow => {
            state.slow = !state.slow && !state.trains();
            // A step is at once on the screen; what runs at full speed is stopped first.
            if state.slow {
                step_once(state)
            } else {
                Vec::new()
            }
        }
        Action::Reset => {
            state.link.run = false;
            let mut effects = drop_run(state);
            effects.push(address(state));
            effects.extend(measure(state));
            effects
        }
        Action::TakeStored => match state.stored.take_if(|_| state.device.is_some()) {
            Some(stored) => {
                let engine = state.link.engine;
                state.link = Link {
                    engine,
                    ..parse(&stored.link)
                };
                start(state, true, false)
            }
            None => Vec::new(),
        },
        Action::Forget => {
            state.stored = None;
            vec![Effect::Send(Command::Forget)]
        }
        Action::Follow(replica) => follow(state, replica),
        Action::Hover(_) | Action::Pin(_) | Action::Free | Action::Move(_) | Action::Scrub(_) => {
            cursor::point(state, &action);
            Vec::new()
        }
        Action::Engine(engine) => {
            let old = std::mem::replace(&mut state.link.engine, engine);
            let mut effects = change_engine(state, old);
            effects.push(address(state));
            effects
        }
        Action::Drill(drill) => {
            let id = state.run.as_ref().map_or(RunId(0), |r| r.id);
            vec![Effect::Send(Command::Drill(id, drill))]
        }
        Action::Check => vec![Effect::Send(Command::Check)],
        Action::OpenPoint(_)
        | Action::Study(_)
        | Action::StopStudy
        | Action::Cut(_)
        | Action::SaveCheckpoint(_)
        | Action::Ask(_)
        | Action::Gauge(_) => told(state, action),
        Action::SaveAll => scrub::save_all(state),
        Action::Shelf(what) => shelf::act(state, what),
        Action::Versus(what) => pairing::act(state, what),
        Action::NewEngine => new_engine(state),
        Action::View(toggle) => {
            let view = &mut state.view;
            match toggle {
                Toggle::LogX => view.log_x = !view.log_x,
                Toggle::LogY => view.log_y = !view.log_y,
                Toggle::Locality => view.locality = !view.locality,
                Toggle::Projector => view.projector = !view.projector,
                Toggle::Bends => view.bends = !view.bends,
                Toggle::Spread(shown) => view.spread = shown,
                Toggle::Nulls => view.nulls = !view.nulls,
                Toggle::Classes => view.classes = !view.classes,
                Toggle::Theme => view.theme = view.theme.next(),
                Toggle::Keys => view.keys = !view.keys,
            }
            Vec::new()
        }
        Action::Drawn => match state.run.as_mut().filter(|r| r.undrawn) {
            Some(run) => {
                run.undrawn = false;
                vec![Effect::Send(Command::Ack(run.id))]
            }
            None => Vec::new(),
        },
    }
}

fn worker(state: &mut State, event: Event) -> Vec<Effect> {
    match event {
        Event::Ready {
            device,
            why_cpu,
            stored,
            keeps,
        } => {
            state.device = Some(device);
            state.why_cpu = why_cpu;
            state.keeps = keeps;
            if state.run.is_some() {
                // The engine changed under a run (a lost device came back as another one).
                return Vec::new();
            }
            state.stored = stored;
            if state.link.run {
                start(state, false, false)
            } else {
                measure(state)
            }
        }
        Event::Cost { link, estimate } => {
            state.measuring = None;
            state.estimate = Some((link, estimate));
            if state.estimate().is_none() {
                measure(state)
            } else {
                Vec::new()
            }
        }
        Event::Checked(rows) => {
            state.checked = Some(rows);
            Vec::new()
        }
        Event::Frame(frame) => {
            let Some(run) = state.run.as_mut().filter(|r| r.id == frame.run) else {
                return Vec::new();
            };
            run.take(*frame);
            if matches!(state.fault, Some(Fault::DeviceLost(_))) && !run.over() {
                // The engine says in a notice where it went on.
                state.fault = None;
            }
            beside::awaited(state)
        }
        Event::Trace { run, trace } => ours(state, run, |r| r.trace = Some(Rc::new(*trace))),
        Event::Look { run, step, figure } => ours(state, run, |r| r.album.put(step, figure)),
        Event::Shelf(rows) => shelf::told(state, rows),
        Event::Versus(view) => pairing::told(state, *view),
        Event::Told(run, answer) => ours(state, run, |r| r.answered(*answer)),
        Event::Gauged(run, turned) => ours(state, run, |r| r.turned = Some(turned)),
        Event::Imported {
            run,
            link,
            step,
            steps,
        } => form::imported(state, run, &link, [step, steps]),
        Event::Kept {
            run,
            bytes,
            checkpoints: [kept, all],
            whole,
        } => ours(state, run, |r| r.record = Some((bytes, [kept, all, whole]))),
        Event::Refused(why) => {
            state.refused = why;
            Vec::new()
        }
        Event::File { run, step, bytes } => {
            ours(state, run, |r| r.files.0.retain(|s| *s != step));
            vec![Effect::File(step, bytes)]
        }
        Event::Follows { run, replica } => {
            let ours = state.run.as_ref().is_some_and(|r| r.id == run);
            ours.then(|| member(state, replica)).into_iter().collect()
        }
        Event::Fault { run, fault } => {
            let current = state.run.as_ref().map(|r| r.id);
            if run.is_none() || run == current {
                if matches!(fault, Fault::WorkerPanic(_)) {
                    state.device = None;
                }
                fail(state, fault);
            }
            Vec::new()
        }
    }
}

fn fail(state: &mut State, fault: Fault) {
    if let Some(run) = &mut state.run
        && !matches!(fault, Fault::DeviceLost(_))
    {
        run.phase = Phase::Failed;
    }
    state.measuring = None;
    state.fault = Some(fault);
}

/// What came for a run, if it is this one.
fn ours(state: &mut State, id: RunId, take: impl FnOnce(&mut Run)) -> Vec<Effect> {
    if let Some(run) = state.run.as_mut().filter(|r| r.id == id) {
        take(run);
    }
    Vec::new()
}

pub(super) fn start(state: &mut State, resume: bool, paused: bool) -> Vec<Effect> {
    if super::own::asks(state) {
        return Vec::new();
    }
    if state.device.is_none() {
        // Pressed before the engine was up: it starts as soon as it is.
        state.link.run = true;
        return Vec::new();
    }
    // Only what a run on the screen has of a file goes on; else it begins at the beginning.
    let known = |r: &Run| parse(&r.link).file == state.link.file;
    if !resume && !state.run.as_ref().is_some_and(known) {
        state.link.file = None;
        let of_file = |n: &Notice| n.key.as_deref() == Some("file");
        state.link.notices.retain(|n| !of_file(n));
    }
    // The file itself is not kept: its run cannot begin anew.
    let text = state.link.text(true);
    if !resume && state.link.file.is_some() && state.run.as_ref().is_some_and(|r| r.link == text) {
        return beside::said(
            state,
            "This run begins with a file: open the file again, or change a setting.",
        );
    }
    let mut effects = beside::left(state, resume);
    state.last_id += 1;
    let (id, link) = (RunId(state.last_id), state.link.text(true));
    state.link.run = false;
    state.stored = None;
    state.measuring = None;
    state.run = Some(Run::new(
        id,
        link.clone(),
        state.link.knobs.clone(),
        state.cost().steps,
    ));
    effects.push(address(state));
    effects.push(Effect::Send(Command::Start {
        run: id,
        link,
        resume,
        paused,
    }));
    effects.extend(pairing::with_run(state));
    effects
}

pub(super) fn drop_run(state: &mut State) -> Vec<Effect> {
    state.fault = None;
    (state.beside, state.view.window, state.awaits) = (None, None, None);
    state.measuring = None;
    state.cursor = super::state::Cursor::default();
    state.film = scrub::Film::default();
    state
        .run
        .take()
        .map(|run| Effect::Send(Command::Reset(run.id)))
        .into_iter()
        .collect()
}

fn change_engine(state: &mut State, old: crate::protocol::EngineChoice) -> Vec<Effect> {
    if state.link.engine == old {
        Vec::new()
    } else {
        new_engine(state)
    }
}

fn new_engine(state: &mut State) -> Vec<Effect> {
    let mut effects = drop_run(state);
    state.versus = None;
    state.device = None;
    state.why_cpu = None;
    state.estimate = None;
    state.measuring = None;
    effects.push(Effect::NewWorker);
    effects
}

pub(super) fn measure(state: &mut State) -> Vec<Effect> {
    let busy = state.measuring.is_some()
        || state.device.is_none()
        || state.run.as_ref().is_some_and(|r| !r.over());
    if busy || state.estimate().is_some() {
        return Vec::new();
    }
    let link = state.link.text(true);
    state.measuring = Some(link.clone());
    vec![Effect::Send(Command::Measure { link })]
}

#[cfg(test)]
mod tests;
