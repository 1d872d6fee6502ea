//! The form: presets, single settings, settings taken from elsewhere. Whatever changes, settings that
//! exclude each other are settled, and what that changed is said.

use super::action::{Action, Effect};
use super::link::{Course, apply_query, parse};
use super::reduce::{address, measure};
use super::state::State;
use crate::knobs::{Knobs, Value};
use crate::protocol::Notice;

/// Changes the form.
pub(super) fn act(state: &mut State, action: Action) -> Vec<Effect> {
    let (mut knobs, mut notices) = (state.link.knobs.clone(), Vec::new());
    match action {
        Action::Preset(id) => {
            let card = state.card();
            let Some(preset) = card.presets.iter().find(|p| p.id == id) else {
                return Vec::new();
            };
            knobs = Knobs::defaults(card.knobs);
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
    let mut effects = Vec::new();
    if state.run.is_none() {
        effects.push(address(state));
    }
    effects.extend(measure(state));
    effects
}
