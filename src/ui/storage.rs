//! What of the run is kept in the browser's storage, and how much of it may be.

use super::tip::Tip;
use super::{Page, kept};
use crate::app::state::{BUDGETS, MB};
use crate::app::{Action, terms, words};
use crate::plot::number::grouped;
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// Where the budget is kept, in MB.
const BUDGET: &str = "lambdahat.budget";

/// The budget this person has set, in MB.
pub fn remembered() -> Option<u64> {
    let mb: u64 = kept::get(BUDGET)?.parse().ok()?;
    Some(mb.clamp(BUDGETS.0, BUDGETS.1))
}

/// Remembers the budget for the next visit; where that is refused, it holds for this one.
pub fn remember(mb: u64) {
    let _ = kept::set(BUDGET, &mb.to_string());
}

/// The budget, to be set.
pub fn budget(page: &Page) -> Html {
    let set = {
        let send = page.send.clone();
        Callback::from(move |e: Event| {
            let input = e.target_dyn_into::<HtmlInputElement>();
            if let Some(mb) = input.and_then(|i| i.value().trim().parse().ok()) {
                send.emit(Action::Budget(mb));
            }
        })
    };
    html! {
        <label><input type="text" inputmode="numeric" size="5" autocomplete="off" data-test="budget" aria-label="Budget in MB"
            value={page.state.budget.to_string()} onchange={set} />{" MB"}</label>
    }
}

/// The line under the timeline.
pub fn storage(page: &Page) -> Html {
    let state = &page.state;
    let Some((bytes, [kept, all, whole])) = state.run.as_ref().and_then(|r| r.record) else {
        return Html::default();
    };
    let over = bytes > state.budget * MB;
    html! {
        <p class="small-print" data-test="storage" data-kept={kept.to_string()}>
            { format!("Kept in this browser: {} of ", words::bytes(bytes)) }
            { budget(page) }
            { format!(", {} of {} checkpoints", grouped(kept), grouped(all)) }
            if whole < kept { { format!("; {} can be trained on from", grouped(whole)) } }{"."}
            if over { {" What has to stay takes more than that."} }
            {" "}<Tip about="the storage">{ terms::of("storage") }</Tip>
        </p>
    }
}
