//! The keyboard: space runs and pauses, s steps, r resets, arrows move the cursor, ? lists the keys.

use super::Page;
use crate::app::Action;
use crate::app::action::Toggle;
use gloo::events::{EventListener, EventListenerOptions};
use gloo::utils::document;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, KeyboardEvent};
use yew::prelude::*;

/// Listens for as long as the listener is held.
pub fn listen(send: Callback<Action>) -> EventListener {
    let options = EventListenerOptions::enable_prevent_default();
    EventListener::new_with_options(&document(), "keydown", options, move |event| {
        let Some(event) = event.dyn_ref::<KeyboardEvent>() else {
            return;
        };
        // What has keys of its own has taken them.
        if event.default_prevented() || event.ctrl_key() || event.meta_key() || event.alt_key() {
            return;
        }
        let tag = event
            .target()
            .and_then(|t| t.dyn_into::<Element>().ok())
            .map(|e| e.tag_name().to_ascii_lowercase())
            .unwrap_or_default();
        // Fields take their own keys; a focused button takes the space bar.
        if matches!(tag.as_str(), "input" | "select" | "textarea") {
            return;
        }
        let button = matches!(tag.as_str(), "button" | "summary" | "a");
        let far = if event.shift_key() { 10 } else { 1 };
        let action = match event.key().as_str() {
            " " if !button && !event.repeat() => Action::RunOrPause,
            "s" => Action::StepOnce,
            "r" if !event.repeat() => Action::Reset,
            "ArrowLeft" => Action::Move(-far),
            "ArrowRight" => Action::Move(far),
            "Escape" => {
                loosen();
                Action::Free
            }
            "?" => Action::View(Toggle::Keys),
            _ => return,
        };
        event.prevent_default();
        send.emit(action);
    })
}

/// A tooltip that holds the focus lets it go, and closes.
fn loosen() {
    let held = document()
        .active_element()
        .and_then(|e| e.dyn_into::<HtmlElement>().ok());
    if let Some(tip) = held.filter(|e| e.class_list().contains("tip")) {
        let _ = tip.blur();
    }
}

/// The list of keys, when it is open.
pub fn keys(page: &Page) -> Html {
    if !page.state.view.keys {
        return Html::default();
    }
    let row = |key: &str, what: &str| html! { <div><dt><kbd>{ key.to_string() }</kbd></dt><dd>{ what.to_string() }</dd></div> };
    html! {
        <aside class="keys" role="dialog" aria-label="Keys">
            <h2>{"Keys"}</h2>
            <dl>
                { row("space", "run, pause, go on") }
                { row("s", "one training step; where nothing is trained, one chain step") }
                { row("r", "reset") }
                { row("← →", "move the cursor by one evaluation, with shift by ten") }
                { row("click", "pin the cursor, or free it") }
                { row("esc", "free the cursor, close a tooltip") }
                { row("?", "this list") }
            </dl>
            <button type="button" onclick={page.on(Action::View(Toggle::Keys))}>{"Close"}</button>
        </aside>
    }
}
