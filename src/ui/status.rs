//! Remarks above the charts: notices about the link and the run, why the CPU engine runs, and the
//! offer to go on with a stored run.

use super::Page;
use super::tip::hint;
use crate::app::shelf::shortly;
use crate::app::{Action, words};
use crate::plot::number::grouped;
use crate::protocol::{Notice, WhyCpu};
use yew::prelude::*;

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
    // What is kept of another experiment is no first choice here.
    let own = format!("#/{}?", state.link.experiment);
    let here = state
        .stored
        .as_ref()
        .is_some_and(|s| s.link.starts_with(&own));
    html! {
        <>
            <div data-test="notices" class="notices" role="status">
                if !notices.is_empty() {
                    <ul>{ for notices.iter().map(|n| html! { <li>{ &n.text }</li> }) }</ul>
                }
            </div>
            if let Some(stored) = &state.stored {
                <div class="offer" data-test="resume-offer">
                    <p>
                        { if stored.step == stored.steps { "A finished run is kept here: " } else { "A run was under way here: " } }
                        { hint(&shortly(&stored.link), &stored.link) }
                        if stored.step < stored.steps { { format!(" at step {} of {}", grouped(stored.step), grouped(stored.steps)) } }{"."}
                    </p>
                    <button type="button" class={here.then_some("primary")} data-test="resume" onclick={page.on(Action::TakeStored)}>{ if stored.step == stored.steps { "Show it" } else { "Resume it" } }</button>
                    <button type="button" data-test="forget" onclick={page.on(Action::Forget)}>{"Forget it"}</button>
                </div>
            }
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
