//! What a run under way is told: whom λ̂ and PCA follow.

use super::action::{Action, Effect};
use super::link::Link;
use super::state::State;
use crate::knobs::{Knobs, Value};
use crate::protocol::Command;

/// What is asked of the run itself, if there is one.
pub(super) fn told(state: &State, action: Action) -> Vec<Effect> {
    let Some(id) = state.run.as_ref().map(|r| r.id) else {
        return Vec::new();
    };
    let command = match action {
        Action::OpenPoint(step) => Command::Open(id, step),
        Action::Study(spec) => Command::Study(id, spec),
        Action::StopStudy => Command::StopStudy(id),
        Action::SaveCheckpoint(step) => Command::Save(id, step),
        Action::Cut(cuts) => Command::Cut(id, cuts),
        Action::Ask(ask) => Command::Ask(id, ask),
        Action::Gauge(turn) => Command::Gauge(id, turn),
        _ => return Vec::new(),
    };
    vec![Effect::Send(command)]
}

/// The address bar holds the form; with it the comparison, where the form is its A.
pub(super) fn address(state: &State) -> Effect {
    // Of a branch whose parent runs first, that is what a reload opens.
    let mut link = state.awaits.clone().unwrap_or_else(|| state.link.clone());
    let same = |p: &&Link| p.experiment == link.experiment && p.knobs == link.knobs;
    link.against = state
        .pair
        .as_ref()
        .filter(same)
        .and_then(|p| p.against.clone());
    Effect::Address(link.hash(state.run.is_some()))
}

/// λ̂ and PCA follow another replica, if the run has it.
pub(super) fn follow(state: &mut State, replica: u32) -> Vec<Effect> {
    if !state.run.as_ref().is_none_or(|r| has(&r.knobs, replica)) {
        return Vec::new();
    }
    let mut effects = vec![member(state, replica)];
    let run = state.run.as_ref();
    effects.extend(run.map(|r| Effect::Send(Command::Follow(r.id, replica))));
    effects
}

/// Whether settings have that replica.
fn has(knobs: &Knobs, replica: u32) -> bool {
    i64::from(replica) < knobs.int("replicas")
}

/// The form and the run follow this replica together, so that it makes nothing stale; a form that
/// has come to hold fewer replicas keeps its own.
pub(super) fn member(state: &mut State, replica: u32) -> Effect {
    let value = Value::Int(i64::from(replica));
    if has(&state.link.knobs, replica) {
        state.link.follow(replica);
    }
    if let Some(run) = &mut state.run {
        // Once more where the engine confirms it: an answer may have been under way.
        run.leave();
        run.knobs.put("member", value);
        let mut link = super::link::parse(&run.link);
        link.follow(replica);
        run.link = link.text(true);
    }
    address(state)
}
