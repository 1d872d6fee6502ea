//! The person's own text: where it is pasted, picked and forgotten.

use super::{Page, import};
use crate::app::{Action, own};
use gloo::storage::{LocalStorage, Storage};
use wasm_bindgen::JsValue;
use web_sys::HtmlTextAreaElement;
use yew::prelude::*;

/// Where it is kept in this browser.
const KEY: &str = "lambdahat.text";

/// The text that this browser has kept; empty if there is none.
pub fn kept() -> Vec<u8> {
    let text: String = LocalStorage::get(KEY).unwrap_or_default();
    text.into_bytes()
}

/// Keeps a text; an empty one is forgotten. A browser that keeps nothing has it until the page is left.
pub fn keep(bytes: &[u8]) {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.is_empty() => drop(LocalStorage::set(KEY, text)),
        _ => LocalStorage::delete(KEY),
    }
}

/// The field, where a text is read.
pub fn own_text(page: &Page) -> Html {
    let state = &page.state;
    if state.link.knobs.get("text").is_none() {
        return Html::default();
    }
    let pasted = {
        let send = page.send.clone();
        Callback::from(move |e: Event| {
            if let Some(area) = e.target_dyn_into::<HtmlTextAreaElement>() {
                send.emit(Action::Text(area.value().into_bytes()));
                area.set_value("");
            }
        })
    };
    let picked = {
        let send = page.send.clone();
        Callback::from(move |e: Event| {
            import::take(e.target().map(JsValue::from), &send);
        })
    };
    let (told, asks) = own::told(state);
    let set = |text: String| page.on(Action::Knob("text".into(), text));
    let read = state.link.knobs.digest("text");
    let other = state.own.filter(|(name, _)| *name != read);
    html! {
        <div class="own-text" data-test="own-text">
            <p class={if asks { "stale" } else { "small-print" }} role="status" data-test="own-told">{ told }</p>
            <p class="small-print">{"Your own text, 10 kB to 2 MB: paste it here, pick a file, or drop one on the page. It is read and kept in this browser and sent nowhere; a link holds its name alone."}</p>
            <textarea rows="2" data-test="own-paste" aria-label="Paste a text" placeholder="Paste a text" onchange={pasted} />
            <p class="jobs">
                <input type="file" accept="text/*,.txt,.md" data-test="own-file" aria-label="Pick a text file" onchange={picked} />
                if read.0 != 0 {
                    <button type="button" class="small" title="Train on the built-in stories" data-test="own-stories" onclick={set("none".into())}>{"Read the stories"}</button>
                }
                if let Some((name, _)) = other {
                    <button type="button" class="small" title="Train on the text that this browser has kept" onclick={set(name.text())}>{"Read my text"}</button>
                }
                if state.own.is_some() {
                    <button type="button" class="small" title="Delete the text from this browser" data-test="own-forget" onclick={page.on(Action::Text(Vec::new()))}>{"Forget my text"}</button>
                }
            </p>
        </div>
    }
}
