//! Remarks above the charts: notices about the link and the run, why the CPU engine runs, and the
//! offer to go on with a stored run.

use super::Page;
use super::tip::hint;
use crate::app::shelf::shortly;
use crate::app::{Action, words};
use crate::plot::number::grouped;
use crate::protocol::{Notice, WhyCpu};
use yew::prelude::*;

/// The offer to go on with a stored run: one of this experiment above its charts, one of another on a
/// quiet line under them.
pub fn offer(page: &Page, here: bool) -> Html {
    let state = &page.state;
    let Some(stored) = state
        .stored
        .as_ref()
        .filter(|s| s.is_for(state.link.experiment) == here)
    else {
        return Html::default();
    };
    let over = stored.step == stored.steps;
    let told = match (here, over) {
        (true, true) => "A finished run is kept here: ",
        (true, false) => "A run was under way here: ",
        (false, _) => "Kept in this browser, of another experiment: ",
    };
    let [class, first, second] = match here {
        true => ["offer", "primary", ""],
        false => ["elsewhere small-print", "small", "small"],
    };
    html! {
        <div {class} data-test="resume-offer">
            <p>{ told }{ hint(&shortly(&stored.link), &stored.link) }
                if !over { { format!(" at step {} of {}", grouped(stored.step), grouped(stored.steps)) } }{". "}</p>
            <button type="button" class={first} data-test="resume" onclick={page.on(Action::TakeStored)}>{ if over { "Show it" } else { "Resume it" } }</button>
            <button type="button" class={second} data-test="forget" onclick={page.on(Action::Forget)}>{"Forget it"}</button>
        </div>
    }
}

/// The remarks.
pub fn remarks(page: &Page) -> Html {
    let state = &page.state;
    let run: &[Notice] = state.run.as_ref().map_or(&[], |r| &r.notices);
    let notices: Vec<&Notice> = state.link.notices.iter().chain(run).collect();
    let told = state
        .why_cpu
        .as_ref()
        .filter(|w| **w != WhyCpu::Asked)
        .map(words::why_cpu);
    html! {
        <>
            <div data-test="notices" class="notices" role="status">
                if !notices.is_empty() {
                    <ul>{ for notices.iter().map(|n| html! { <li>{ &n.text }</li> }) }</ul>
                }
            </div>
            { offer(page, true) }
            if let Some(told) = told {
                <details class="why" data-test="why-cpu">
                    <summary>{ told.title }</summary>
                    <p>{ told.what }{" "}{ told.safe }</p>
                </details>
            }
            if state.device.is_some() && !state.keeps && state.secure && state.run.is_none() {
                <p class="muted">{"This browser keeps no runs here: a reload begins anew."}</p>
            }
        </>
    }
}
