//! The form: presets, single settings, settings taken from elsewhere. Whatever changes, settings that
//! exclude each other are settled, and what that changed is said.

use super::action::{Action, Effect};
use super::aim::address;
use super::link::{Course, Link, apply_query, parse};
use super::own;
use super::reduce::{drop_run, measure};
use super::run::Run;
use super::state::State;
use crate::knobs::{Digest, Knobs, Value};
use crate::protocol::{Command, Fault, Notice, RunId, Upload};

/// Changes the form.
pub(super) fn act(state: &mut State, action: Action) -> Vec<Effect> {
    let (mut knobs, mut notices) = (state.link.knobs.clone(), Vec::new());
    match action {
        Action::Preset(id) => {
            let card = state.card();
            let Some(preset) = card.presets.iter().find(|p| p.id == id) else {
                return Vec::new();
            };
            let before = std::mem::replace(&mut knobs, Knobs::defaults(card.knobs));
            // A preset reads what was read before: a text of one's own, with its characters.
            if before
                .get("text")
                .is_some_and(|t| t != Value::Digest(Digest(0)))
            {
                for key in ["text", "vocab"] {
                    before.get(key).into_iter().for_each(|v| knobs.put(key, v));
                }
            }
            notices = apply_query(&mut knobs, preset.query);
            state.link.course = Course::default();
        }
        Action::Knob(key, text) => notices.extend(knobs.set(&key, &text)),
        Action::UndoKnobs => {
            let Some(run) = &state.run else {
                return Vec::new();
            };
            let link = parse(&run.link);
            (knobs, state.link.course) = (link.knobs, link.course);
        }
        Action::Adopt { nbeta, gamma, eps } => {
            for (key, x) in [("nbeta", nbeta), ("gamma", gamma), ("eps", eps)] {
                notices.extend(knobs.set(key, &Value::Float(x).text()));
            }
        }
        _ => return Vec::new(),
    }
    formed(state, knobs, notices)
}

/// The form has new knobs: settle them, say what was changed, measure anew.
pub(super) fn formed(state: &mut State, mut knobs: Knobs, mut notices: Vec<Notice>) -> Vec<Effect> {
    notices.extend(state.link.course.settle(state.card(), &mut knobs));
    state.link.knobs = knobs;
    state.link.notices = notices;
    // With other settings it is no longer the run of a file, unless they hold from a branch on.
    let own = state.link.course.first(&state.link.knobs);
    state.link.file = state.run.as_ref().and_then(|r| {
        let run = parse(&r.link);
        run.file.filter(|_| run.course.first(&run.knobs) == own)
    });
    // A link that could not be run is another one now, unless it still asks for its text.
    if matches!(state.fault, Some(Fault::BadLink(_))) && !own::told(state).1 {
        state.fault = None;
    }
    let mut effects = Vec::new();
    if state.run.is_none() {
        effects.push(address(state));
    }
    effects.extend(measure(state));
    effects
}

/// Asks the engine for a run with the weights of a file; the one on the screen stays until it has it.
pub(super) fn import(state: &mut State, name: String, bytes: Vec<u8>) -> Vec<Effect> {
    state.refused.clear();
    // Where a text is read, any other file is one.
    if state.link.knobs.get("text").is_some() && !name.ends_with(".safetensors") {
        return own::given(state, bytes);
    }
    if state.device.is_none() {
        return Vec::new();
    }
    state.last_id += 1;
    vec![Effect::Send(Command::Import(Upload {
        run: RunId(state.last_id),
        link: state.link.text(true),
        name,
        bytes,
    }))]
}

/// The run of a file takes the place of the one on the screen.
pub(super) fn imported(state: &mut State, id: RunId, text: &str, at: [u64; 2]) -> Vec<Effect> {
    // Something else was started meanwhile.
    if id.0 != state.last_id {
        return Vec::new();
    }
    // The engine has dropped the other one already.
    let _ = drop_run(state);
    let engine = state.link.engine;
    state.link = Link {
        engine,
        ..parse(text)
    };
    let mut run = Run::new(id, text.into(), state.link.knobs.clone(), at[1]);
    run.step = at[0];
    state.run = Some(run);
    state.stored = None;
    vec![address(state)]
}
