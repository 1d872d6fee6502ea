//! Two models compared token by token: the ready-made pairs, how far it is, and the way in.

use super::Page;
use super::found::Found;
use super::pairs::{Own, curves, ready};
use super::size::use_width;
use super::tip::Tip;
use crate::app::pairing::{self, Versus as Do};
use crate::app::versus::names;
use crate::app::{Action, terms, words};
use crate::experiments::versus::pairs;
use crate::plot::number::grouped;
use crate::protocol::VersusStage;
use yew::prelude::*;

/// The section.
#[component]
pub fn Versus(page: &Page) -> Html {
    let state = &page.state;
    let tiny = use_state(|| None::<bool>);
    let node = use_node_ref();
    let width = use_width(&node).min(760.0);
    if !pairing::offered(state) {
        return Html::default();
    }
    // Small models where the full ones would take long.
    let small = tiny.unwrap_or_else(|| state.light_first());
    let toggle = {
        let tiny = tiny.clone();
        Callback::from(move |_: MouseEvent| tiny.set(Some(!small)))
    };
    let open = state.pair.is_some();
    html! {
        <details class="versus" data-test="versus" open={open} ref={node}>
            <summary>{"Compare two models, token by token"}</summary>
            <p>{"Which tokens does one model predict better than another, and which of its heads does it? "}<Tip about="the comparison">{ terms::of("versus") }</Tip></p>
            <p class="jobs">
                { for pairs(state.link.experiment).iter().map(|pair| ready(page, pair, small)) }
                <button type="button" class="small" data-test="versus-tiny" aria-pressed={small.to_string()} onclick={toggle}
                    title="Smaller models on a smaller task (the light preset), for slow devices">{"tiny models"}</button>
            </p>
            <Own ..page.clone() />
            { stands(page) }
            if let Some(view) = state.versus.as_ref() {
                { curves(page, view, width) }
                if view.found.is_some() {
                    <Found page={page.clone()} {width} />
                }
            }
        </details>
    }
}

/// Where the comparison stands, its link, and what to press.
fn stands(page: &Page) -> Html {
    let state = &page.state;
    let Some((pair, against)) = state
        .pair
        .as_ref()
        .and_then(|p| Some((p, p.against.as_ref()?)))
    else {
        return Html::default();
    };
    let view = state.versus.as_deref();
    let steps = view
        .and_then(|v| v.found.as_ref())
        .map(|f| [0, 1].map(|i| f.sides[i].step));
    let [a, b] = names(against, pair, steps);
    let (told, busy) = match view.map(|v| &v.stage) {
        None => (
            "Run trains A, then B, and compares them.".to_string(),
            false,
        ),
        Some(VersusStage::Waiting) => (
            "Waits until the run on this page stands still.".into(),
            true,
        ),
        Some(VersusStage::Training { side, step, steps }) => {
            let left = view
                .and_then(|v| v.left_s)
                .map(|s| format!(", {} left of it", words::about(s)));
            let which = ["A", "B"][(*side).min(1)];
            let (step, steps) = (grouped(*step), grouped(*steps));
            (
                format!(
                    "Trains {which}: step {step} of {steps}{}.",
                    left.unwrap_or_default()
                ),
                true,
            )
        }
        Some(VersusStage::Scoring) => (
            "Asks both about every token, whole and without each head.".into(),
            true,
        ),
        Some(VersusStage::Done) => (String::new(), false),
        Some(VersusStage::Failed(why)) => (why.clone(), false),
    };
    let (done, of) = match view.map(|v| &v.stage) {
        Some(VersusStage::Training { step, steps, .. }) => (*step, *steps),
        _ => (0, 0),
    };
    let stage = match view.map(|v| &v.stage) {
        None => "none",
        Some(VersusStage::Done) => "done",
        Some(VersusStage::Failed(_)) => "failed",
        Some(_) => "busy",
    };
    // What is told stays when another run begins: then it says of which one it is.
    let elsewhere = view
        .map(|v| &v.spec.sides[0].link)
        .filter(|of| state.run.as_ref().is_some_and(|r| &r.link != *of));
    let again = if matches!(view.map(|v| &v.stage), Some(VersusStage::Failed(_))) {
        "Try again"
    } else {
        "Train both and compare"
    };
    html! {
        <div class="stands" data-test="versus-stage" data-stage={stage}>
            <h3>{ format!("A: {a}. B: {b}.") }</h3>
            if let Some(of) = elsewhere { <p class="muted" data-test="versus-of">{ "Of " }<a href={of.clone()}>{ of.clone() }</a></p> }
            { for pair.notices.iter().map(|n| html! { <p class="muted">{ &n.text }</p> }) }
            <p role="status" class="progress">
                if of > 0 { <progress max={of.to_string()} value={done.to_string()} /> }
                { format!(" {told} ") }
                if busy {
                    <button type="button" class="small" data-test="versus-stop" onclick={page.on(Action::Versus(Do::Stop))}>{"Stop"}</button>
                } else if stage != "done" {
                    <button type="button" data-test="versus-again" disabled={state.device.is_none()} onclick={page.on(Action::Versus(Do::Again))}>{ again }</button>
                }
            </p>
        </div>
    }
}
