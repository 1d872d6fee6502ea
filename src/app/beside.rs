//! A run that leaves another one: where it begins, what of the other is shown beside it, and what the
//! form may change.

use super::action::Effect;
use super::aim::address;
use super::link::course::{Course, Stays, fit};
use super::link::{Branch, Link, parse};
use super::reduce::{drop_run, measure, start};
use super::run::Run;
use super::state::State;
use super::words::about;
use crate::experiments::Card;
use crate::protocol::{Notice, Phase};
use std::rc::Rc;

/// A run that is left, or run again on a finer grid.
#[derive(Clone, Debug)]
pub struct Beside {
    /// What its curves are called.
    pub name: &'static str,
    /// It.
    pub run: Rc<Run>,
}

/// The form is a branch that was not started yet.
#[must_use]
pub fn drafted(state: &State) -> Option<&Branch> {
    let branch = state.link.course.branch.as_ref();
    branch.filter(|_| state.run.is_none() || state.stale())
}

/// The link a branch from that step begins as, of the run on the screen; or why there is none.
///
/// # Errors
/// A sentence.
pub fn branched(state: &State, step: u64) -> Result<Link, &'static str> {
    let Some(run) = &state.run else {
        return Err("Run something first: a branch leaves a run.");
    };
    let mut link = parse(&run.link);
    if step == 0 {
        return Err("Nothing is trained at step 0: change the settings and run.");
    }
    let (knobs, zoom) = (link.knobs.clone(), None);
    let parent = match link.course.branch.take() {
        Some(b) if step > b.from => {
            return Err(
                "This run is a branch itself behind that step: branch where it does, or before.",
            );
        }
        Some(b) => b.parent,
        None => knobs,
    };
    link.knobs = parent.clone();
    let branch = Some(Branch { from: step, parent });
    link.course = Course { branch, zoom };
    link.engine = state.link.engine;
    link.notices.clear();
    Ok(link)
}

/// The form becomes a branch of the run from that step on; or none, and the run's own settings again.
pub(super) fn branch(state: &mut State, step: Option<u64>) -> Vec<Effect> {
    let engine = state.link.engine;
    let link = match step {
        Some(step) => branched(state, step).ok(),
        None => state.run.as_ref().map(|r| parse(&r.link)),
    };
    match link {
        Some(link) => state.link = Link { engine, ..link },
        None if step.is_none() => {
            let course = std::mem::take(&mut state.link.course);
            state.link.knobs = course.first(&state.link.knobs).clone();
        }
        None => {}
    }
    measure(state)
}

/// The link of the run that this one leaves.
#[must_use]
pub fn parent(link: &Link) -> Option<Link> {
    let mut parent = link.clone();
    parent.knobs = parent.course.branch.take()?.parent;
    parent.course.zoom = None;
    Some(parent)
}

/// Runs the parent of the form's branch to its end; the branch begins then, and is drawn beside it.
pub(super) fn with_parent(state: &mut State) -> Vec<Effect> {
    let Some(first) = parent(&state.link) else {
        return Vec::new();
    };
    // What cannot begin now must not leave the parent's settings in the form.
    if state.device.is_none() || super::own::asks(state) {
        return Vec::new();
    }
    let branch = std::mem::replace(&mut state.link, first);
    let effects = start(state, false, false);
    state.awaits = Some(branch);
    effects.into_iter().chain([address(state)]).collect()
}

/// Begins the branch that waits for the run on the screen, if that is done. What was begun or set
/// meanwhile comes before it.
pub(super) fn awaited(state: &mut State) -> Vec<Effect> {
    let Some(branch) = state.awaits.take() else {
        return Vec::new();
    };
    let own = parent(&branch).map(|p| p.text(true));
    let here = state.run.as_ref().filter(|r| Some(&r.link) == own.as_ref());
    match here.map(|r| r.phase) {
        None | Some(Phase::Failed) => Vec::new(),
        Some(Phase::Done) if state.stale() => Vec::new(),
        Some(Phase::Done) => {
            let engine = state.link.engine;
            state.link = Link { engine, ..branch };
            start(state, false, false)
        }
        Some(_) => {
            state.awaits = Some(branch);
            Vec::new()
        }
    }
}

/// Says why nothing happens, once.
pub(super) fn said(state: &mut State, why: &str) -> Vec<Effect> {
    let notice = Notice::new(why);
    if !state.link.notices.contains(&notice) {
        state.link.notices.push(notice);
    }
    Vec::new()
}

/// The charts show these steps, in either order; the whole run where those are none.
pub(super) fn window(state: &mut State, steps: Option<(u64, u64)>) -> Vec<Effect> {
    let end = state.steps() as u64;
    let within = steps.map(|(a, b)| (a.min(b), a.max(b).min(end)));
    state.view.window = within.filter(|(a, b)| a < b && (*a, *b) != (0, end));
    Vec::new()
}

/// The run on the screen again, with this many λ̂ points between two steps; none: as it was.
pub(super) fn zoom(state: &mut State, window: Option<(u64, u64, u64)>) -> Vec<Effect> {
    let engine = state.link.engine;
    let Some(run) = &state.run else {
        return Vec::new();
    };
    let mut link = parse(&run.link);
    let card = state.card();
    // What a run of a file has to begin with is its first checkpoint.
    let first = run.llc.x.first().map_or(0.0, |x| *x) as u64;
    if link.file.is_some() && window.is_some_and(|(a, b, _)| a.min(b) <= first) {
        let why = "This run begins with a file: zoom in on steps behind its first checkpoint.";
        return said(state, why);
    }
    link.course.zoom = window.map(|(a, b, n)| fit(a, b, n, card, &link.knobs));
    state.link = Link { engine, ..link };
    start(state, false, false)
}

/// What the finer points would cost: those of the window that the run does not have, each like its own so
/// far. None before there was one, and where a field holds no number.
#[must_use]
pub fn finer_cost(run: &Run, card: &Card, [a, b, n]: [u64; 3]) -> Option<String> {
    let zoom = fit(a, b, n, card, &run.knobs);
    let new = |step: &u64| {
        run.llc
            .x
            .binary_search_by(|x| x.total_cmp(&(*step as f64)))
            .is_err()
    };
    let new = zoom.steps().iter().filter(|s| new(s)).count();
    let seconds = run.point_s? * new as f64;
    if new == 0 {
        return Some("These points of λ̂ are there".into());
    }
    let points = if new == 1 { "point" } else { "points" };
    Some(format!(
        "{new} more {points} of λ̂ from step {} to {}: {}, and the steps up to them",
        zoom.from,
        zoom.to,
        about(seconds)
    ))
}

/// The run on the screen gives way to the next. What both share is not computed again: the engine keeps
/// the old run until it has the new one.
pub(super) fn left(state: &mut State, resume: bool) -> Vec<Effect> {
    let leaves = !resume && leave(state);
    let (other, window) = (state.beside.take(), state.view.window);
    let effects = drop_run(state);
    if leaves {
        (state.beside, state.view.window) = (other, window);
        return Vec::new();
    }
    effects
}

/// Whether the engine can take over what the form's run and the one on the screen share; that one then
/// stays on the screen beside the new one.
fn leave(state: &mut State) -> bool {
    let before = state.beside.take();
    let Some(run) = &state.run else { return false };
    let (old, new) = (parse(&run.link), &state.link);
    if old.file != new.file || old.experiment != new.experiment {
        return false;
    }
    state.beside = match Stays::of((&old.course, &old.knobs), (&new.course, &new.knobs)) {
        Stays::Nothing => return false,
        Stays::Third => before,
        Stays::Other(name) => Some(Beside {
            name,
            run: Rc::new(run.clone()),
        }),
    };
    true
}

/// What is drawn beside the run: its parent, or its branch; or, until it is done, what it was before the zoom.
#[must_use]
pub fn shown(state: &State) -> Option<&Beside> {
    let run = state.run.as_ref()?;
    let beside = state.beside.as_ref();
    // Its λ̂ and its path are of the model that it followed.
    let alike = |b: &&Beside| b.run.knobs.int("member") == run.knobs.int("member");
    let beside = beside.filter(alike);
    beside.filter(|b| b.name != "before" || !run.over())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::action::{Action, Effect};
    use super::super::reduce::reduce;
    use super::*;
    use crate::protocol::{Command, DeviceInfo, DeviceKind, Event, Frame, RunId};

    /// A page whose run of `link` is over.
    fn done(link: &str) -> State {
        let mut s = State::new(link, true, Default::default());
        let device = DeviceInfo {
            kind: DeviceKind::Cpu,
            name: "a CPU".into(),
            software: false,
        };
        let ready = Event::Ready {
            device,
            why_cpu: None,
            stored: None,
            keeps: true,
        };
        reduce(&mut s, Action::Worker(ready));
        reduce(&mut s, Action::Start);
        over(&mut s);
        s
    }

    fn over(s: &mut State) {
        let frame = Frame {
            run: RunId(s.last_id),
            phase: Phase::Done,
            step: 6000,
            ..Frame::default()
        };
        reduce(s, Action::Worker(Event::Frame(Box::new(frame))));
    }

    fn resets(effects: &[Effect]) -> bool {
        let reset = |e: &Effect| matches!(e, Effect::Send(Command::Reset(_)));
        effects.iter().any(reset)
    }

    #[test]
    fn a_branch_is_drafted_started_and_its_parent_stays() {
        let mut s = done("#/tms?seed=4");
        reduce(&mut s, Action::Branch(Some(300)));
        assert!(s.stale() && drafted(&s).is_some_and(|b| b.from == 300));
        // What a branch cannot change stays; what it can is in the link.
        reduce(&mut s, Action::Knob("features".into(), "5".into()));
        assert_eq!(s.link.knobs.int("features"), 6);
        assert!(
            s.link.notices[0].text.contains("keeps"),
            "{:?}",
            s.link.notices
        );
        reduce(&mut s, Action::Knob("lr".into(), "0.01".into()));
        let effects = reduce(&mut s, Action::Start);
        assert!(!resets(&effects) && drafted(&s).is_none() && !s.stale());
        let link = "#/tms?v=1&seed=4&from=300&then.lr=0.01";
        assert_eq!(s.shown_link(), link);
        let name = |s: &State| shown(s).map(|b| (b.name, b.run.id.0));
        assert_eq!(name(&s), Some(("parent", 1)));
        over(&mut s);
        assert_eq!(name(&s), Some(("parent", 1)));
        // Another branch of the same run: the parent is still that run.
        assert!(branched(&s, 400).is_err() && branched(&s, 0).is_err());
        reduce(&mut s, Action::Branch(Some(200)));
        assert_eq!(s.link.knobs.float("lr"), 0.03);
        assert!(!resets(&reduce(&mut s, Action::Start)));
        assert_eq!((name(&s), s.last_id), (Some(("parent", 1)), 3));
        // Another model has nothing in common with it.
        reduce(&mut s, Action::Branch(None));
        let first = s.card().presets[0].id;
        reduce(&mut s, Action::Preset(first.into()));
        assert!(s.link.course == Course::default());
        reduce(&mut s, Action::Knob("features".into(), "5".into()));
        assert!(resets(&reduce(&mut s, Action::Start)) && shown(&s).is_none());
    }

    #[test]
    fn a_branch_from_a_link_can_have_its_parent_beside_it() {
        let link = "#/tms?v=1&seed=4&from=300&then.lr=0.01";
        let mut s = done(link);
        // Before the engine is up nothing changes.
        let mut early = State::new(link, true, Default::default());
        assert!(reduce(&mut early, Action::WithParent).is_empty());
        assert!(early.awaits.is_none() && early.link.text(true) == link);
        // Run alone, it has no parent to show.
        assert!(shown(&s).is_none());
        reduce(&mut s, Action::WithParent);
        assert_eq!(s.shown_link(), "#/tms?v=1&seed=4");
        let held = reduce(&mut s, Action::View(super::super::action::Toggle::LogX));
        assert!(held.is_empty() && s.awaits.is_some());
        over(&mut s);
        assert_eq!(s.shown_link(), link);
        assert!(s.awaits.is_none() && shown(&s).is_some_and(|b| b.name == "parent"));
        // Planted: something else was run meanwhile, so the branch does not begin.
        reduce(&mut s, Action::WithParent);
        reduce(&mut s, Action::Knob("seed".into(), "5".into()));
        reduce(&mut s, Action::Start);
        over(&mut s);
        assert_eq!(s.shown_link(), "#/tms?v=1&seed=5");
        assert!(s.awaits.is_none());
    }

    #[test]
    fn a_draft_can_be_left() {
        let mut s = done("#/tms?seed=4");
        reduce(&mut s, Action::Branch(Some(300)));
        reduce(&mut s, Action::Branch(None));
        assert!(!s.stale() && drafted(&s).is_none());
        // A link of a branch that nobody has run: its parent's settings are left.
        let mut s = State::new(
            "#/tms?seed=4&from=300&then.lr=0.01",
            true,
            Default::default(),
        );
        assert!(drafted(&s).is_some());
        reduce(&mut s, Action::Branch(None));
        assert_eq!(s.link.text(true), "#/tms?v=1&seed=4");
    }

    #[test]
    fn a_finer_window_costs_what_it_adds() {
        let mut s = done("#/tms?seed=4");
        let card = s.card();
        let run = s.run.as_mut().unwrap();
        assert_eq!(finer_cost(run, card, [300, 500, 5]), None);
        run.point_s = Some(10.0);
        let five = finer_cost(run, card, [300, 500, 5]).unwrap();
        assert!(
            five.starts_with("5 more points") && five.contains("about 50 s"),
            "{five}"
        );
        // It follows every field, and counts nothing twice: 400 is there.
        let mut llc = (*run.llc).clone();
        llc.x = vec![0.0, 400.0];
        run.llc = Rc::new(llc);
        let four = finer_cost(run, card, [500, 300, 5]).unwrap();
        assert!(
            four.starts_with("4 more points") && four.contains("about 40 s"),
            "{four}"
        );
        assert_ne!(four, finer_cost(run, card, [300, 501, 5]).unwrap());
        assert!(
            finer_cost(run, card, [300, 500, 3])
                .unwrap()
                .starts_with("2 more")
        );
    }

    #[test]
    fn a_zoom_starts_at_once_and_shows_the_run_before_until_it_is_done() {
        let mut s = done("#/tms?seed=4");
        let effects = reduce(&mut s, Action::Finer(Some((500, 300, 5))));
        assert!(!resets(&effects));
        assert_eq!(s.shown_link(), "#/tms?v=1&seed=4&zoom=300-500:5");
        assert_eq!(shown(&s).map(|b| b.name), Some("before"));
        over(&mut s);
        assert!(shown(&s).is_none());
        reduce(&mut s, Action::Finer(None));
        assert_eq!(s.shown_link(), "#/tms?v=1&seed=4");
    }
}
