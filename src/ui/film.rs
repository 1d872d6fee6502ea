//! The buttons under the timeline: a checkpoint back and on, the film, a step to compare with.

use super::Page;
use super::branch;
use super::tip::Tip;
use crate::app::scrub::{SPEEDS, Scrub};
use crate::app::{Action, terms};
use crate::plot::number::grouped;
use web_sys::HtmlSelectElement;
use yew::prelude::*;

/// The buttons; `none` where there is no checkpoint yet.
pub fn buttons(page: &Page, none: bool, looked: Option<u64>, held: Option<u64>) -> Html {
    let film = page.state.film;
    let does = |scrub| page.on(Action::Scrub(scrub));
    let place = looked.map_or_else(
        || {
            if page.state.run.is_none() {
                String::new()
            } else {
                "following the run".into()
            }
        },
        |s| format!("at step {}", grouped(s)),
    );
    let pick = {
        let send = page.send.clone();
        Callback::from(move |e: Event| {
            let picked = e.target_dyn_into::<HtmlSelectElement>();
            if let Some(speed) = picked.and_then(|s| s.value().parse().ok()) {
                send.emit(Action::Scrub(Scrub::Speed(speed)));
            }
        })
    };
    let on = none || looked.is_none();
    let to_hold = if held.is_some() {
        None
    } else {
        looked.map(|s| s as f64)
    };
    let film_name = if film.playing {
        "Stop the film"
    } else {
        "Play as a film"
    };
    let hold_name = if held.is_some() {
        "Unpin"
    } else {
        "Pin to compare"
    };
    html! {
        <div class="buttons film">
            { button("back", "←", "One checkpoint back", none, None, does(Scrub::By(-1))) }
            { button("film", film_name, "", none, Some(film.playing), does(Scrub::Play)) }
            { button("forth", "→", "One checkpoint on", none, None, does(Scrub::By(1))) }
            <select aria-label="Checkpoints a second" data-test="film-speed" onchange={pick}>
                { for SPEEDS.map(|s| html! { <option value={s.to_string()} selected={s == film.speed}>{ format!("{s} a second") }</option> }) }
            </select>
            { button("hold", hold_name, "", on && held.is_none(), Some(held.is_some()), does(Scrub::Hold(to_hold))) }
            { button("live", "Live", "Back to the latest (esc)", looked.is_none(), None, page.on(Action::Free)) }
            { branch::here(page, looked) }
            <span class="muted" role="status">{ place }</span>
            <Tip about="the timeline">{ terms::of("timeline") }</Tip>
        </div>
    }
}

fn button(
    id: &'static str,
    name: &'static str,
    told: &'static str,
    disabled: bool,
    pressed: Option<bool>,
    press: Callback<MouseEvent>,
) -> Html {
    let label = (!told.is_empty()).then_some(told);
    html! {
        <button type="button" class="small" data-test={id} {disabled} title={label} aria-label={label}
            aria-pressed={pressed.map(|p| p.to_string())} onclick={press}>{ name }</button>
    }
}
