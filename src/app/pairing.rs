//! What is done about a comparison of two models on the page. It has a link of its own, so that it can
//! be handed on whatever run is on the screen.

use super::action::Effect;
use super::against::{Against, MOST};
use super::aim::address;
use super::link::{Link, apply_query};
use super::state::State;
use crate::experiments::versus::{Pair, refusal};
use crate::experiments::{card, versus};
use crate::protocol::{At, Command, EngineChoice, VersusStage, VersusView};
use std::rc::Rc;

/// What a visitor does.
#[derive(Clone, Debug, PartialEq)]
pub enum Versus {
    /// Compares what this link says, in place of the comparison before.
    Compare(Box<Link>),
    /// Compares two checkpoints of the run on the page.
    Steps([u64; 2]),
    /// Compares once more what the comparison's link says.
    Again,
    /// Ends it.
    Stop,
    /// Log-probabilities under this are not told apart from now on, nats.
    Floor(f64),
}

/// A ready-made pair on the settings of the form; `tiny` with the light preset of the experiment.
#[must_use]
pub fn ready(state: &State, pair: &Pair, tiny: bool) -> Link {
    let mut a = state.link.clone();
    a.run = false;
    let mut take = |query: &str| {
        let _ = apply_query(&mut a.knobs, &query.replace(';', "&"));
    };
    if tiny {
        take(state.card().light_query());
    }
    take(pair.a);
    a.notices = (state.card().settle)(&mut a.knobs);
    let at = if pair.bump {
        [At::After, At::Before]
    } else {
        [At::Last; 2]
    };
    against(a, pair.b, at)
}

/// A link with a comparison, written as it was understood.
#[must_use]
pub fn against(mut a: Link, with: &str, at: [At; 2]) -> Link {
    let asked = Against {
        with: with.into(),
        at,
        ..Against::default()
    };
    let b = asked.other(&a);
    let with = Against::between(&a, &b).unwrap_or_default();
    a.notices.extend(b.notices);
    a.against = Some(Against { with, ..asked });
    // What is handed on says what is compared, not on what.
    a.engine = EngineChoice::Auto;
    a
}

/// Why the two of a link cannot be compared.
#[must_use]
pub fn refused(pair: &Link) -> Option<String> {
    let b = pair.against.as_ref()?.other(pair);
    refusal([(pair.experiment, &pair.knobs), (b.experiment, &b.knobs)])
}

/// Floating-point operations that training both takes, were neither there.
#[must_use]
pub fn flops(pair: &Link) -> f64 {
    let Some((against, card)) = pair.against.as_ref().zip(card(pair.experiment)) else {
        return 0.0;
    };
    let of = |link: &Link| {
        let cost = (card.cost)(&link.knobs);
        let replicas = link.knobs.int("replicas").max(1) as f64;
        cost.flops_per_step * cost.steps as f64 / replicas
    };
    let b = against.other(pair);
    let two = b.knobs != pair.knobs;
    of(pair) + if two { of(&b) } else { 0.0 }
}

/// Seconds that training both would take here, from what was measured of the form.
#[must_use]
pub fn seconds(state: &State, pair: &Link) -> Option<f64> {
    let rate = state.estimate()?.steps_per_s * state.cost().flops_per_step;
    (rate > 0.0).then(|| flops(pair) / rate)
}

/// Does what the visitor did.
pub(super) fn act(state: &mut State, what: Versus) -> Vec<Effect> {
    match what {
        Versus::Compare(pair) => {
            // Before a run the form may as well be A; a run is not made stale.
            if state.run.is_none() {
                state.link.knobs = pair.knobs.clone();
            }
            state.pair = Some(*pair);
            begin(state)
        }
        Versus::Steps(steps) => {
            let Some(run) = &state.run else {
                return Vec::new();
            };
            let a = super::link::parse(&run.link);
            let [first, second] = steps;
            let at = [At::Step(second.max(first)), At::Step(second.min(first))];
            state.pair = Some(against(a, "", at));
            begin(state)
        }
        Versus::Again => begin(state),
        Versus::Stop => {
            if let Some(view) = &mut state.versus {
                let stopped = "Stopped. What was trained so far is gone.";
                Rc::make_mut(view).stage = VersusStage::Failed(stopped.into());
            }
            vec![Effect::Send(Command::StopVersus)]
        }
        Versus::Floor(floor) => {
            let pair = state.pair.as_mut().and_then(|p| p.against.as_mut());
            if let Some(against) = pair.filter(|_| floor.is_finite()) {
                against.floor = floor.clamp(MOST.0, MOST.1);
            }
            vec![address(state)]
        }
    }
}

fn begin(state: &mut State) -> Vec<Effect> {
    let Some(pair) = &state.pair else {
        return Vec::new();
    };
    let Some(spec) = pair.against.as_ref().map(|a| a.spec(pair)) else {
        return Vec::new();
    };
    state.versus = Some(Rc::new(VersusView {
        spec: spec.clone(),
        ..VersusView::default()
    }));
    vec![address(state), Effect::Send(Command::Versus(spec))]
}

/// How far a comparison is; one that was stopped or replaced says no more.
pub(super) fn told(state: &mut State, view: VersusView) -> Vec<Effect> {
    let wanted = state.versus.as_ref().is_some_and(|v| {
        let open = !matches!(v.stage, VersusStage::Done | VersusStage::Failed(_));
        open && v.spec == view.spec
    });
    if wanted {
        state.versus = Some(Rc::new(view));
    }
    Vec::new()
}

/// The comparison on the page, as links have it.
pub(super) fn against_of(state: &State) -> Option<Against> {
    state.pair.as_ref()?.against.clone()
}

/// Takes over the comparison of a link that was opened.
pub(super) fn opened(state: &mut State) {
    let pair = Link {
        engine: EngineChoice::Auto,
        ..state.link.clone()
    };
    state.link.against = None;
    state.pair = pair.against.is_some().then_some(pair);
    state.versus = None;
}

/// With the run of a link its comparison begins, once: it waits for the run and takes the run's model,
/// and trains the other. A form that was changed is another run than A.
pub(super) fn with_run(state: &mut State) -> Vec<Effect> {
    let fresh = state.versus.is_none();
    let own = |p: &Link| p.run || (fresh && p.knobs == state.link.knobs);
    let own = state.pair.as_ref().is_some_and(own);
    if let Some(pair) = state.pair.as_mut().filter(|_| own) {
        pair.run = false;
    }
    if own { begin(state) } else { Vec::new() }
}

/// Whether the experiment has models that can be compared.
#[must_use]
pub fn offered(state: &State) -> bool {
    !versus::pairs(state.link.experiment).is_empty()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::app::{Action, reduce};
    use crate::protocol::{DeviceInfo, DeviceKind, Event};

    fn ready_page(link: &str) -> (State, Vec<Effect>) {
        let mut state = State::new(link, true, Default::default());
        let device = DeviceInfo {
            kind: DeviceKind::Gpu,
            name: "a GPU".into(),
            software: false,
        };
        let effects = reduce(
            &mut state,
            Action::Worker(Event::Ready {
                device,
                why_cpu: None,
                stored: None,
                keeps: true,
            }),
        );
        (state, effects)
    }

    fn asked(effects: &[Effect]) -> Vec<[String; 2]> {
        let links = effects.iter().filter_map(|e| match e {
            Effect::Send(Command::Versus(spec)) => Some(spec.sides.clone().map(|s| s.link)),
            _ => None,
        });
        links.collect()
    }

    #[test]
    fn a_link_with_a_comparison_waits_or_begins_with_its_run() {
        let (mut state, effects) = ready_page("#/induction?with=layers=1");
        assert!(asked(&effects).is_empty() && state.versus.is_none());
        assert_eq!(state.link.against, None);
        let effects = reduce(&mut state, Action::Versus(Versus::Again));
        let both = ["#/induction?v=1&seed=1", "#/induction?v=1&layers=1&seed=1"];
        assert_eq!(asked(&effects), [both.map(String::from)]);
        assert!(effects.contains(&Effect::Address("#/induction?v=1&with=layers=1".into())));
        // Run does both: the model of the run, then the other, then the comparison, once.
        let (mut state, _) = ready_page("#/induction?with=layers=1");
        assert_eq!(
            asked(&reduce(&mut state, Action::Start)),
            [both.map(String::from)]
        );
        assert!(asked(&reduce(&mut state, Action::Start)).is_empty());
        // A form that was changed is not A.
        let (mut state, _) = ready_page("#/induction?with=layers=1");
        state.link.knobs.put("layers", crate::knobs::Value::Int(3));
        assert!(asked(&reduce(&mut state, Action::Start)).is_empty());
        // A link that runs by itself compares by itself, once.
        let (mut state, effects) = ready_page("#/induction?with=layers=1&run=1");
        assert_eq!(asked(&effects).len(), 1);
        assert!(asked(&reduce(&mut state, Action::Start)).is_empty());
    }

    #[test]
    fn a_pair_leaves_a_run_alone_and_makes_a_form_its_own() {
        let pair = versus::pairs("induction")
            .iter()
            .find(|p| p.id == "2-3")
            .unwrap();
        let (mut state, _) = ready_page("#/induction?seed=4");
        let link = ready(&state, pair, false);
        assert_eq!(link.text(true), "#/induction?v=1&layers=3&seed=4");
        assert_eq!(link.against.as_ref().unwrap().with, "layers=2");
        assert_eq!(refused(&link), None);
        let tiny = ready(&state, pair, true);
        assert!(flops(&tiny) < flops(&link) / 4.0 && tiny.text(true).contains("vocab=32"));
        reduce(
            &mut state,
            Action::Versus(Versus::Compare(Box::new(link.clone()))),
        );
        assert_eq!(state.link.knobs.int("layers"), 3);
        let (mut state, _) = ready_page("#/induction?seed=4");
        reduce(&mut state, Action::Start);
        let effects = reduce(&mut state, Action::Versus(Versus::Compare(Box::new(link))));
        assert!(!state.stale() && asked(&effects).len() == 1);
        // The address is that of the run, which is none of the two.
        assert!(effects.contains(&Effect::Address("#/induction?v=1&seed=4".into())));
    }

    #[test]
    fn what_was_stopped_or_replaced_says_no_more() {
        let (mut state, _) = ready_page("#/induction?with=layers=1");
        reduce(&mut state, Action::Versus(Versus::Again));
        let stage = |state: &State| state.versus.as_ref().unwrap().stage.clone();
        let news = |state: &State, stage| {
            let mut view = (**state.versus.as_ref().unwrap()).clone();
            view.stage = stage;
            Action::Worker(Event::Versus(Box::new(view)))
        };
        let of_another = {
            let mut view = (**state.versus.as_ref().unwrap()).clone();
            (view.spec.set, view.stage) = (9, VersusStage::Done);
            Action::Worker(Event::Versus(Box::new(view)))
        };
        reduce(&mut state, of_another);
        assert_eq!(stage(&state), VersusStage::Waiting);
        let scoring = news(&state, VersusStage::Scoring);
        reduce(&mut state, scoring.clone());
        assert_eq!(stage(&state), VersusStage::Scoring);
        reduce(&mut state, Action::Versus(Versus::Stop));
        reduce(&mut state, scoring);
        assert!(matches!(stage(&state), VersusStage::Failed(_)));
        // The floor is the page's own, and stays in bounds.
        let effects = reduce(&mut state, Action::Versus(Versus::Floor(500.0)));
        assert!(asked(&effects).is_empty());
        assert_eq!(against_of(&state).unwrap().floor, MOST.1);
    }
}
