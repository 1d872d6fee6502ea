//! The window of steps that the charts show, by numbers as well as by a drag on a chart; and more λ̂
//! points in it.

use super::Page;
use super::tip::Tip;
use crate::app::link::{course::MOST_POINTS, parse};
use crate::app::{Action, State, beside, terms};
use crate::plot::number::grouped;
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// λ̂ points offered.
const POINTS: u64 = 20;

/// Where the run on the screen has more λ̂ points: marks on its chart.
pub fn events(state: &State) -> Vec<(f64, String)> {
    let run = state.run.as_ref();
    let zoom = run.and_then(|r| parse(&r.link).course.zoom);
    let ends = zoom.map(|z| {
        [
            (z.from as f64, "finer".into()),
            (z.to as f64, "finer ends".into()),
        ]
    });
    ends.into_iter().flatten().collect()
}

/// A whole number typed into a field.
fn typed(node: &NodeRef) -> Option<u64> {
    let input = node.cast::<HtmlInputElement>()?;
    input.value().trim().parse().ok()
}

/// The fields and buttons.
#[component]
pub fn Zoom(page: &Page) -> Html {
    let nodes = [use_node_ref(), use_node_ref(), use_node_ref()];
    let state = &page.state;
    let window = state.view.window;
    let end = state.steps() as u64;
    let (from, to) = window.unwrap_or((0, end));
    // What stands in the fields, for as long as the window is the one it was typed in.
    let typing = use_state(|| (window, None::<[String; 3]>));
    let count = {
        let (typing, nodes) = (typing.clone(), nodes.clone());
        Callback::from(move |_: InputEvent| {
            let text = |n: &NodeRef| {
                n.cast::<HtmlInputElement>()
                    .map_or(String::new(), |i| i.value())
            };
            typing.set((window, Some(nodes.each_ref().map(text))));
        })
    };
    let mut texts = [from, to, POINTS.min(MOST_POINTS)].map(|n| n.to_string());
    if let (then, Some(typed)) = &*typing {
        texts[2].clone_from(&typed[2]);
        if *then == window {
            texts.clone_from(typed);
        }
    }
    let show = {
        let (send, [a, b, _]) = (page.send.clone(), nodes.clone());
        Callback::from(move |_: Event| {
            // While one of the two is still to be typed they are no window, and stay as they are.
            let steps = typed(&a).zip(typed(&b)).filter(|(a, b)| a < b);
            if steps.is_some() {
                send.emit(Action::Window(steps));
            }
        })
    };
    let finer = {
        let (send, [a, b, n]) = (page.send.clone(), nodes.clone());
        Callback::from(move |_: MouseEvent| {
            if let (Some(a), Some(b), Some(n)) = (typed(&a), typed(&b), typed(&n)) {
                send.emit(Action::Window(Some((a, b))));
                send.emit(Action::Finer(Some((a, b, n))));
            }
        })
    };
    let run = state.run.as_ref();
    let zoom = run.and_then(|r| parse(&r.link).course.zoom);
    let (off, told) = match run {
        None => (true, "Run something first"),
        Some(r) if r.knobs.int("chains") == 0 => (true, "chains = 0: λ̂ is not estimated"),
        Some(r) if r.step == 0 => (true, "Nothing is trained yet"),
        Some(_) => (
            false,
            "Run again from the last checkpoint before these steps, with this many λ̂ points in them",
        ),
    };
    let cost = run.filter(|_| !off).and_then(|r| {
        let number = |i: usize| texts[i].trim().parse().ok();
        beside::finer_cost(r, state.card(), [number(0)?, number(1)?, number(2)?])
    });
    let field = |i: usize,
                 label: &'static str,
                 id: &'static str,
                 change: Option<Callback<Event>>| {
        html! {
            <label>{ label }{" "}<input ref={nodes[i].clone()} type="text" inputmode="numeric" autocomplete="off" size="6"
                data-test={id} value={texts[i].clone()} onchange={change} /></label>
        }
    };
    let summary = match window {
        Some((a, b)) => format!("Steps {} to {}", grouped(a), grouped(b)),
        None => "Zoom".into(),
    };
    // Of a link that is not run yet.
    let asked = state.link.course.zoom.as_ref().filter(|_| zoom.is_none());
    html! {
        <details class="zoom" open={window.is_some() || zoom.is_some() || asked.is_some()} data-test="zoom" data-window={window.map(|(a, b)| format!("{a}-{b}"))}>
            <summary>{ summary }</summary>
            <div class="buttons" oninput={count}>
                { field(0, "steps", "zoom-from", Some(show.clone())) }
                { field(1, "to", "zoom-to", Some(show)) }
                <button type="button" class="small" data-test="zoom-all" disabled={window.is_none()} onclick={page.on(Action::Window(None))}>{"Whole run"}</button>
                { field(2, "λ̂ points", "zoom-points", None) }
                <button type="button" class="small" data-test="zoom-finer" disabled={off} title={told} onclick={finer}>{"Finer λ̂ here"}</button>
                <span class="small-print" data-test="zoom-cost">{ cost.unwrap_or_default() }</span>
                if let Some(z) = zoom {
                    <span class="muted" data-test="zoomed">{ format!("This run has λ̂ at {} steps from {} to {}.", z.steps().len(), grouped(z.from), grouped(z.to)) }</span>
                    <button type="button" class="small" data-test="zoom-none" onclick={page.on(Action::Finer(None))}>{"Without them"}</button>
                }
                if let Some(z) = asked {
                    <span class="muted" data-test="zoom-asked">{ format!("The link asks for λ̂ at {} steps from {} to {} besides.", z.steps().len(), grouped(z.from), grouped(z.to)) }</span>
                }
                <Tip about="zoom">{ terms::of("zoom") }</Tip>
            </div>
        </details>
    }
}
