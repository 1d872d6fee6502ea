//! Run and Step as they are pressed. A press that comes before the engine is up waits for it, and the
//! button says so; whatever arrives meanwhile, it is kept until the engine answers or Reset takes it back.

use super::action::Effect;
use super::reduce::start;
use super::run::Run;
use super::state::State;
use crate::protocol::{Command, Phase};

/// Run was asked for, and waits for the engine.
#[must_use]
pub fn waits(state: &State) -> bool {
    state.link.run && state.device.is_none()
}

/// What stands on the button that begins, goes on or begins again, and whether it can be pressed.
#[must_use]
pub fn label(state: &State) -> (&'static str, bool) {
    match state.phase() {
        // An engine that died is started by the button beside its fault.
        _ if waits(state) => ("Starting", false),
        _ if state.device.is_none() && state.fault.is_some() => ("Run", false),
        Phase::Paused => ("Continue", true),
        Phase::Done | Phase::Failed => ("Run again", true),
        _ => ("Run", true),
    }
}

/// Run, Pause, Continue.
pub(super) fn run_or_pause(state: &mut State) -> Vec<Effect> {
    match &state.run {
        Some(run) if run.active() => vec![Effect::Send(Command::Pause(run.id))],
        Some(run) if run.phase == Phase::Paused => vec![Effect::Send(Command::Resume(run.id))],
        _ => start(state, false, false),
    }
}

/// Step.
pub(super) fn step_once(state: &mut State) -> Vec<Effect> {
    match &state.run {
        Some(run) if run.phase == Phase::Paused => vec![Effect::Send(Command::Step(run.id))],
        Some(run) if run.active() => vec![Effect::Send(Command::Pause(run.id))],
        Some(_) => Vec::new(),
        // A step is watched, so it does not wait for the engine; a whole run in its place is no step.
        None if state.device.is_none() => Vec::new(),
        None => {
            let mut effects = start(state, false, true);
            let id = state.run.as_ref().map(|r: &Run| r.id);
            effects.extend(id.map(|id| Effect::Send(Command::Step(id))));
            effects
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::reduce::reduce;
    use crate::app::{Action, state::Theme};
    use crate::protocol::{DeviceInfo, DeviceKind, Event, Fault, Stored, WhyCpu};

    fn opened(link: &str) -> State {
        State::new(link, true, Theme::default())
    }

    fn ready() -> Action {
        Action::Worker(Event::Ready {
            device: DeviceInfo {
                kind: DeviceKind::Cpu,
                name: "a CPU".into(),
                software: false,
            },
            why_cpu: None,
            stored: None,
            keeps: true,
        })
    }

    fn starts(effects: &[Effect]) -> usize {
        let start = |e: &&Effect| matches!(e, Effect::Send(Command::Start { .. }));
        effects.iter().filter(start).count()
    }

    /// Everything that can arrive between the press and the engine, in the unlucky order.
    fn unlucky(link: &str) -> Vec<Action> {
        vec![
            Action::Opened(link.into()),
            Action::Worker(Event::Fault {
                run: None,
                fault: Fault::NoGpu(WhyCpu::NoAdapter),
            }),
            Action::Worker(Event::Shelf(Vec::<Stored>::new())),
            Action::Knob("seed".into(), "5".into()),
            Action::Hover(Some(3.0)),
            Action::RunOrPause,
            Action::Drawn,
        ]
    }

    #[test]
    fn the_button_can_be_pressed_before_the_engine_is_up() {
        let mut s = opened("#/text?preset=tiny");
        assert_eq!(label(&s), ("Run", true));
        reduce(&mut s, Action::RunOrPause);
        assert_eq!(label(&s), ("Starting", false));
        assert_eq!(starts(&reduce(&mut s, ready())), 1);
        assert!(!waits(&s) && s.run.is_some());
    }

    #[test]
    fn a_press_outlives_all_that_comes_before_the_engine_does() {
        // The second link has a remark: its own address, opened once more, changes nothing.
        for link in ["#/text?preset=tiny", "#/tms?nonsense=1"] {
            let mut s = opened(link);
            reduce(&mut s, Action::RunOrPause);
            for action in unlucky(link) {
                assert_eq!(starts(&reduce(&mut s, action.clone())), 0);
                assert!(waits(&s), "{link}: lost with {action:?}");
            }
            assert_eq!(starts(&reduce(&mut s, ready())), 1, "{link}");
            // It is told once.
            assert_eq!(starts(&reduce(&mut s, ready())), 0);
        }
        // An engine that dies first is replaced, and the new one begins.
        let mut s = opened("#/tms");
        reduce(&mut s, Action::RunOrPause);
        reduce(&mut s, Action::WorkerDied("gone".into()));
        reduce(&mut s, Action::NewEngine);
        assert_eq!(starts(&reduce(&mut s, ready())), 1);
    }

    #[test]
    fn reset_takes_the_press_back_and_a_step_is_no_run() {
        let mut s = opened("#/tms");
        reduce(&mut s, Action::RunOrPause);
        reduce(&mut s, Action::Reset);
        assert!(!waits(&s));
        reduce(&mut s, Action::StepOnce);
        assert_eq!(starts(&reduce(&mut s, ready())), 0);
        // An address that says something else is another link.
        let mut s = opened("#/tms");
        reduce(&mut s, Action::RunOrPause);
        reduce(&mut s, Action::Opened("#/tms?seed=9".into()));
        assert!(!waits(&s));
    }
}
