//! The form: what the run will cost, and the knobs in their groups.

use super::Page;
use super::branch;
use super::knob::KnobField;
use super::own_text::own_text;
use super::tip::Tip;
use crate::app::beside::drafted;
use crate::app::{Action, State, parts, terms, words};
use crate::knobs::{Group, Knob, Knobs};
use crate::plot::number::{grouped, significant};
use gloo::utils::window;
use yew::prelude::*;

const GROUPS: [(Group, &str); 4] = [
    (Group::Model, "Model"),
    (Group::Data, "Data"),
    (Group::Training, "Training"),
    (Group::Sampler, "Sampler"),
];

/// The form.
#[component]
pub fn Setup(page: &Page) -> Html {
    let state = &page.state;
    // On a phone the form is a drawer, closed at first.
    let wide = use_memo((), |()| {
        window()
            .inner_width()
            .ok()
            .and_then(|w| w.as_f64())
            .is_none_or(|w| w >= 760.0)
    });
    let knobs = &state.link.knobs;
    let draft = drafted(state);
    // A branch changes some settings of its parent, and only those are its form.
    let base = |k: &Knob| draft.and_then(|b| b.parent.get(k.key)).unwrap_or(k.default);
    let there = |k: &&Knob| knobs.applies(k) && (k.then || draft.is_none());
    html! {
        <>
            <p class="cost"><span data-test="cost">{ cost(state) }</span>{" "}<Tip about="the cost">{ terms::of("cost") }</Tip></p>
            { branch::banner(page) }
            if state.stale() && drafted(state).is_none() {
                <div class="stale" role="status" data-test="stale">
                    <p>{"Settings changed: the curves are still of the run before."}</p>
                    <button type="button" class="primary" onclick={page.on(Action::Start)}>{"Restart with these"}</button>
                    <button type="button" onclick={page.on(Action::UndoKnobs)}>{"Undo the changes"}</button>
                </div>
            }
            <details class="setup" open={*wide}>
                <summary>{"Settings"}</summary>
                { for GROUPS.iter().map(|(group, name)| {
                    let fields: Vec<Html> = knobs.schema().iter().filter(there).filter(|k| k.group == *group).map(|knob| {
                        let value = knobs.get(knob.key).unwrap_or(knob.default);
                        let groups = if knob.key == "part" { parts::groups(knobs) } else { Vec::new() };
                        html! { <KnobField key={knob.key} knob={*knob} help={terms::told("knob", page.state.card().id, knob.key)} {groups} text={words::value(value)} changed={value != base(knob)} samples={samples(knobs)} send={page.send.clone()} /> }
                    }).collect();
                    if fields.is_empty() {
                        Html::default()
                    } else {
                        html! { <fieldset><legend>{ *name }</legend>{ for fields }if *group == Group::Data { { own_text(page) } }</fieldset> }
                    }
                }) }
            </details>
        </>
    }
}

/// n, where the run has a fixed data set; none for streaming data.
fn samples(knobs: &Knobs) -> Option<i64> {
    let pairs = || {
        let p = knobs.int("p");
        (p > 0).then(|| ((p * p) as f64 * knobs.float("frac")).round() as i64)
    };
    let n = knobs.schema().iter().find(|k| k.key == "n");
    n.filter(|k| knobs.applies(k))
        .map(|_| knobs.int("n"))
        .or_else(pairs)
}

/// What the run costs: by arithmetic at once, in seconds once it was measured here.
fn cost(state: &State) -> String {
    let cost = state.cost();
    if cost.steps + cost.points == 0 {
        return String::new();
    }
    let total = cost.flops_per_step * cost.steps as f64 + cost.flops_per_point * cost.points as f64;
    let mut parts = vec![
        match cost.params {
            1 => "1 parameter".into(),
            n => format!("{} parameters", grouped(n)),
        },
        match state.chain_steps() {
            Some((_, all)) => format!("{} chain steps", grouped(all)),
            None => format!("{} steps", grouped(cost.steps)),
        },
        match (cost.points, &state.link.course.zoom) {
            (1, None) => "1 λ̂ point".into(),
            (n, None) => format!("{} λ̂ points", grouped(n)),
            // Some of them may be checkpoints already.
            (n, Some(z)) => format!(
                "{} λ̂ points and up to {} of the zoom",
                grouped(n),
                z.steps().len()
            ),
        },
        format!("{} GFLOP", significant(total / 1e9, 2)),
        words::bytes(state.estimate().map_or(cost.bytes, |e| e.bytes.max(1))),
    ];
    let time = match (state.estimate(), &state.measuring) {
        (Some(e), _) => format!("{} here", words::about(e.seconds)),
        (None, Some(_)) => "measuring how long that takes here".into(),
        (None, None) => String::new(),
    };
    parts.insert(0, time);
    parts.retain(|p| !p.is_empty());
    parts.join(" · ")
}
