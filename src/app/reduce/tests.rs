//! The page as a machine: every way through it that a visitor can take, without a browser.

use super::*;
use crate::protocol::{DeviceInfo, DeviceKind, EngineChoice, Estimate, Frame, SeriesDelta, Stored};

fn ready(stored: Option<Stored>) -> Action {
    let device = DeviceInfo {
        kind: DeviceKind::Gpu,
        name: "a GPU".into(),
        software: false,
    };
    Action::Worker(Event::Ready {
        device,
        why_cpu: None,
        stored,
        keeps: true,
    })
}

fn opened(link: &str) -> State {
    State::new(link, true, Default::default())
}

fn commands(effects: &[Effect]) -> Vec<&Command> {
    effects
        .iter()
        .filter_map(|e| {
            if let Effect::Send(c) = e {
                Some(c)
            } else {
                None
            }
        })
        .collect()
}

fn frame(run: u32, phase: Phase, step: u64) -> Action {
    let series = vec![SeriesDelta {
        id: "loss".into(),
        from: 0,
        x: vec![0.0, 10.0, 20.0],
        y: vec![3.0, 2.0, 1.0],
        ..Default::default()
    }];
    let frame = Frame {
        run: RunId(run),
        phase,
        step,
        steps: 100,
        series,
        ..Frame::default()
    };
    Action::Worker(Event::Frame(Box::new(frame)))
}

/// A page whose run 1 trains.
fn training() -> State {
    let mut s = opened("#/tms");
    reduce(&mut s, ready(None));
    reduce(&mut s, Action::RunOrPause);
    reduce(&mut s, frame(1, Phase::Training, 20));
    s
}

#[test]
fn nothing_trains_until_asked() {
    let mut s = opened("#/tms");
    let effects = reduce(&mut s, ready(None));
    assert!(
        matches!(commands(&effects)[..], [Command::Measure { .. }]),
        "{effects:?}"
    );
    assert_eq!(s.phase(), Phase::Idle);
}

#[test]
fn a_link_can_start_by_itself_once() {
    let mut s = opened("#/tms?run=1");
    let effects = reduce(&mut s, ready(None));
    assert!(
        matches!(
            commands(&effects)[..],
            [Command::Start {
                resume: false,
                paused: false,
                ..
            }]
        ),
        "{effects:?}"
    );
    assert!(!s.link.run);
    let address = effects.iter().find_map(|e| {
        if let Effect::Address(a) = e {
            Some(a.clone())
        } else {
            None
        }
    });
    assert!(address.is_some_and(|a| !a.contains("run=")));
}

#[test]
fn run_pressed_too_early_is_kept() {
    let mut s = opened("#/tms");
    assert!(reduce(&mut s, Action::RunOrPause).is_empty());
    assert!(matches!(
        commands(&reduce(&mut s, ready(None)))[..],
        [Command::Start { .. }]
    ));
}

#[test]
fn run_pauses_and_goes_on() {
    let mut s = training();
    assert_eq!(
        commands(&reduce(&mut s, Action::RunOrPause)),
        [&Command::Pause(RunId(1))]
    );
    reduce(&mut s, frame(1, Phase::Paused, 20));
    assert_eq!(
        commands(&reduce(&mut s, Action::StepOnce)),
        [&Command::Step(RunId(1))]
    );
    assert_eq!(
        commands(&reduce(&mut s, Action::RunOrPause)),
        [&Command::Resume(RunId(1))]
    );
}

#[test]
fn step_from_rest_starts_paused() {
    let mut s = opened("#/tms");
    reduce(&mut s, ready(None));
    let effects = reduce(&mut s, Action::StepOnce);
    assert!(matches!(
        commands(&effects)[..],
        [Command::Start { paused: true, .. }, Command::Step(RunId(1))]
    ));
}

#[test]
fn each_frame_is_acknowledged_once_and_only_ours() {
    let mut s = training();
    assert_eq!(
        commands(&reduce(&mut s, Action::Drawn)),
        [&Command::Ack(RunId(1))]
    );
    assert!(reduce(&mut s, Action::Drawn).is_empty());
    reduce(&mut s, frame(7, Phase::Done, 100));
    assert_eq!(
        s.phase(),
        Phase::Training,
        "a frame of another run was taken in"
    );
    assert!(reduce(&mut s, Action::Drawn).is_empty());
}

#[test]
fn a_restart_has_a_new_name_and_drops_late_frames() {
    let mut s = training();
    let effects = reduce(&mut s, Action::Start);
    assert!(matches!(
        commands(&effects)[..],
        [
            Command::Reset(RunId(1)),
            Command::Start { run: RunId(2), .. }
        ]
    ));
    reduce(&mut s, frame(1, Phase::Training, 30));
    assert!(s.run.as_ref().is_some_and(|r| r.series.is_empty()));
}

#[test]
fn the_cursor_moves_along_the_evaluations() {
    let mut s = training();
    reduce(&mut s, Action::Move(-1));
    assert_eq!(s.cursor.step, Some(20.0));
    reduce(&mut s, Action::Move(-1));
    reduce(&mut s, Action::Hover(Some(3.0)));
    assert_eq!(s.cursor.step, Some(10.0), "a pinned cursor stays");
    reduce(&mut s, Action::Move(-9));
    assert_eq!(s.cursor.step, Some(0.0));
    reduce(&mut s, Action::Pin(0.0));
    reduce(&mut s, Action::Hover(Some(3.0)));
    assert_eq!(s.cursor.step, Some(3.0), "a second click frees it");
}

#[test]
fn a_lost_device_comes_back() {
    let mut s = training();
    reduce(
        &mut s,
        Action::Worker(Event::Fault {
            run: Some(RunId(1)),
            fault: Fault::DeviceLost("gone".into()),
        }),
    );
    assert!(s.fault.is_some() && s.phase() == Phase::Training);
    reduce(&mut s, frame(1, Phase::Training, 10));
    assert!(s.fault.is_none() && s.phase() == Phase::Training);
}

#[test]
fn other_faults_end_the_run_and_reset_clears_them() {
    let mut s = training();
    reduce(
        &mut s,
        Action::Worker(Event::Fault {
            run: Some(RunId(1)),
            fault: Fault::Diverged { step: 9 },
        }),
    );
    assert_eq!(s.phase(), Phase::Failed);
    reduce(&mut s, Action::Reset);
    assert!(s.fault.is_none() && s.run.is_none());
}

#[test]
fn a_dead_worker_is_replaced() {
    let mut s = training();
    reduce(&mut s, Action::WorkerDied("unreachable".into()));
    assert!(matches!(s.fault, Some(Fault::WorkerPanic(_))) && s.device.is_none());
    assert!(reduce(&mut s, Action::NewEngine).contains(&Effect::NewWorker));
    assert!(s.run.is_none() && s.fault.is_none());
}

#[test]
fn a_stored_run_is_offered_and_taken() {
    let stored = Stored {
        link: "#/induction?v=1".into(),
        step: 40,
        steps: 100,
        ..Stored::default()
    };
    let mut s = opened("#/tms");
    reduce(&mut s, ready(Some(stored)));
    assert!(s.stored.is_some());
    let effects = reduce(&mut s, Action::TakeStored);
    assert!(
        commands(&effects)
            .iter()
            .any(|c| matches!(c, Command::Start { resume: true, .. }))
    );
    assert_eq!(s.link.experiment, "induction");
}

#[test]
fn another_engine_is_another_worker() {
    let mut s = training();
    let effects = reduce(&mut s, Action::Engine(EngineChoice::Cpu));
    assert!(effects.contains(&Effect::NewWorker));
    assert!(
        effects
            .iter()
            .any(|e| matches!(e, Effect::Address(a) if a.ends_with("engine=cpu")))
    );
    assert!(!s.shown_link().contains("engine"));
    assert!(
        reduce(&mut s, Action::Engine(EngineChoice::Cpu))
            .iter()
            .all(|e| *e != Effect::NewWorker)
    );
}

#[test]
fn an_estimate_of_another_form_is_not_shown() {
    let mut s = opened("#/tms");
    reduce(&mut s, ready(None));
    let cost = |link: &str| {
        Action::Worker(Event::Cost {
            link: link.into(),
            estimate: Estimate {
                seconds: 5.0,
                ..Default::default()
            },
        })
    };
    let effects = reduce(&mut s, cost("#/tms?v=1&other=1"));
    assert!(s.estimate().is_none());
    assert!(matches!(commands(&effects)[..], [Command::Measure { .. }]));
    let link = s.link.text(true);
    assert!(reduce(&mut s, cost(&link)).is_empty());
    assert_eq!(s.estimate().map(|e| e.seconds), Some(5.0));
}

/// These need an experiment with knobs.
#[test]
fn a_changed_knob_makes_the_run_stale_and_mixes_nothing() {
    let mut s = training();
    let Some(knob) = s.card().knobs.iter().find(|k| k.key == "seed") else {
        return;
    };
    let before = s.run.as_ref().map(|r| r.link.clone());
    let effects = reduce(&mut s, Action::Knob(knob.key.into(), "77".into()));
    assert!(s.stale() && effects.is_empty(), "{effects:?}");
    assert_eq!(s.run.as_ref().map(|r| r.link.clone()), before);
    reduce(&mut s, Action::UndoKnobs);
    assert!(!s.stale());
    reduce(&mut s, Action::Follow(3));
    assert!(!s.stale(), "following another replica is no other run");
}

#[test]
fn a_replica_that_cannot_be_followed_is_not() {
    let mut s = training();
    reduce(&mut s, Action::Follow(3));
    assert_eq!((s.follow(), s.stale()), (3, false));
    let refused = |run, replica| Action::Worker(Event::Follows { run, replica });
    reduce(&mut s, refused(RunId(9), 1));
    assert_eq!(s.follow(), 3);
    reduce(&mut s, refused(RunId(1), 0));
    assert_eq!((s.follow(), s.stale()), (0, false));
    // The run has 16 replicas; the form may have come to hold fewer.
    assert!(reduce(&mut s, Action::Follow(16)).is_empty());
    reduce(&mut s, Action::Knob("replicas".into(), "2".into()));
    reduce(&mut s, Action::Follow(5));
    assert_eq!(s.link.knobs.int("member"), 0);
    assert_eq!(s.run.as_ref().map(|r| r.knobs.int("member")), Some(5));
}

#[test]
fn slow_steps_until_something_else_is_pressed() {
    let mut s = opened("#/truth?target=crossing");
    reduce(&mut s, ready(None));
    let effects = reduce(&mut s, Action::Slow);
    assert!(s.slow && matches!(commands(&effects)[..], [.., Command::Step(RunId(1))]));
    assert_eq!(s.chain_steps(), Some((0, 12_000)));
    assert!(reduce(&mut s, Action::Slow).is_empty() && !s.slow);
    // At full speed the run is stopped first, and Run ends it.
    reduce(&mut s, frame(1, Phase::Sampling { at: 0 }, 0));
    let effects = reduce(&mut s, Action::Slow);
    assert!(s.slow && matches!(commands(&effects)[..], [Command::Pause(_)]));
    reduce(&mut s, frame(1, Phase::Paused, 0));
    reduce(&mut s, Action::RunOrPause);
    assert!(!s.slow);
    // Where something is trained there is no such thing.
    let mut s = training();
    assert!(reduce(&mut s, Action::Slow).is_empty() && !s.slow);
    assert_eq!(s.chain_steps(), None);
}

#[test]
fn the_run_of_a_file_is_left_by_other_settings_and_begins_only_where_it_is() {
    let mut s = opened("#/tms?seed=3");
    reduce(&mut s, ready(None));
    reduce(&mut s, Action::Import("a.safetensors".into(), Vec::new()));
    let link = "#/tms?v=1&seed=3&file=00000000000000ab";
    let came = Event::Imported {
        run: RunId(1),
        link: link.into(),
        step: 20,
        steps: 100,
    };
    let effects = reduce(&mut s, Action::Worker(came));
    assert!(effects.contains(&Effect::Address(link.into())) && !s.stale());
    assert!(s.link.notices[0].text.contains("come from a file"));
    reduce(&mut s, Action::Knob("lr".into(), "0.002".into()));
    assert!(s.stale() && s.link.file.is_none());
    reduce(&mut s, Action::UndoKnobs);
    assert!(!s.stale() && s.link.file.is_some());
    // A branch of it is one of the file's, whatever it changes.
    reduce(&mut s, frame(1, Phase::Done, 100));
    reduce(&mut s, Action::Branch(Some(20)));
    reduce(&mut s, Action::Knob("lr".into(), "0.002".into()));
    let begun = |effects: &[Effect]| match commands(effects)[..] {
        [.., Command::Start { link, .. }] => link.contains("&file="),
        _ => panic!("{effects:?}"),
    };
    assert!(begun(&reduce(&mut s, Action::Start)));
    // Planted: where the file is not, its settings begin at the beginning.
    let mut fresh = opened(link);
    reduce(&mut fresh, ready(None));
    assert!(!begun(&reduce(&mut fresh, Action::Start)));
    let stored = Stored {
        link: link.into(),
        ..Stored::default()
    };
    let mut again = opened("#/tms?seed=3");
    reduce(&mut again, ready(Some(stored)));
    assert!(begun(&reduce(&mut again, Action::TakeStored)));
}
