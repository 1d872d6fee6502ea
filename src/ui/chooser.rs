//! Which experiment, which preset, and the experiment's claim.

use super::Page;
use crate::app::link::apply_query;
use crate::app::{Action, State, terms};
use crate::experiments::{CARDS, Preset};
use crate::knobs::Knobs;
use web_sys::HtmlSelectElement;
use yew::prelude::*;

/// What a menu was set to.
pub fn chosen(e: &Event) -> Option<String> {
    e.target_dyn_into::<HtmlSelectElement>().map(|s| s.value())
}

/// The preset that the form holds, if it is one.
fn current(state: &State) -> Option<&'static Preset> {
    let card = state.card();
    // The seed and the replica followed belong to no preset, so they do not hide which one it is.
    let same = |query: &str| {
        let mut knobs = Knobs::defaults(card.knobs);
        let _ = apply_query(&mut knobs, query);
        let _ = (card.settle)(&mut knobs);
        for key in ["seed", "member"] {
            if let Some(value) = state.link.knobs.get(key) {
                knobs.put(key, value);
            }
        }
        knobs == state.link.knobs
    };
    card.presets.iter().find(|p| same(p.query))
}

/// The two menus.
pub fn pickers(page: &Page) -> Html {
    let state = &page.state;
    let card = state.card();
    let experiment = {
        let send = page.send.clone();
        Callback::from(move |e: Event| {
            if let Some(id) = chosen(&e) {
                send.emit(Action::Experiment(id));
            }
        })
    };
    let preset = {
        let send = page.send.clone();
        Callback::from(move |e: Event| {
            if let Some(id) = chosen(&e).filter(|id| !id.is_empty()) {
                send.emit(Action::Preset(id));
            }
        })
    };
    let current = current(state).map(|p| p.id);
    html! {
        <div class="pickers">
            <label>
                <select aria-label="Experiment" data-test="experiment" onchange={experiment}>
                    { for CARDS.iter().map(|c| html! {
                        <option value={c.id} selected={c.id == card.id}>{ c.title }</option>
                    }) }
                </select>
            </label>
            <label>
                <select aria-label="Preset" data-test="preset" onchange={preset}>
                    <option value="" selected={current.is_none()} disabled=true>{"own settings"}</option>
                    { for card.presets.iter().map(|p| html! {
                        <option value={p.id} selected={current == Some(p.id)}>{ p.title }</option>
                    }) }
                </select>
            </label>
        </div>
    }
}

/// The claim, in one sentence.
pub fn claim(page: &Page) -> Html {
    let card = page.state.card();
    let preset = current(&page.state);
    html! {
        <>
            <h2 class="title">{ card.title }</h2>
            <p class="claim">{ terms::told("claim", card.id, "claim") }</p>
            if let Some(p) = preset {
                <p class="muted"><b>{ p.title }</b>{": "}{ terms::told("preset", card.id, p.id) }</p>
            }
        </>
    }
}
