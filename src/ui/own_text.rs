//! The person's own text: where it is pasted, picked and forgotten.

use super::{Page, import, kept};
use crate::app::{Action, own};
use crate::experiments::text::own::LEAST;
use wasm_bindgen::JsValue;
use web_sys::HtmlTextAreaElement;
use yew::prelude::*;

/// Where it is kept in this browser.
const KEY: &str = "lambdahat.text";

/// The text that this browser has kept; empty if there is none.
pub fn text() -> Vec<u8> {
    kept::get(KEY).unwrap_or_default().into_bytes()
}

/// Keeps a text; an empty one is forgotten. False where the browser refuses, which then has it until the page
/// is left.
pub fn keep(bytes: &[u8]) -> bool {
    // What is kept of another text goes first: it may be in the way.
    kept::forget(KEY);
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    text.is_empty() || kept::set(KEY, text)
}

/// Picks a file.
pub fn pick(page: &Page) -> Html {
    let send = page.send.clone();
    let picked = Callback::from(move |e: Event| {
        import::take(e.target().map(JsValue::from), &send);
    });
    html! { <input type="file" accept="text/*,.txt,.md" data-test="own-file" aria-label="Pick a text file" onchange={picked} /> }
}

/// The field, where a text is read.
pub fn own_text(page: &Page) -> Html {
    let state = &page.state;
    if state.link.knobs.get("text").is_none() {
        return Html::default();
    }
    // A text that is long enough is taken as it is pasted; one that is not, when the field is left.
    let take = |area: Option<HtmlTextAreaElement>, least: usize, send: &Callback<Action>| {
        let found = area.map(|area| (area.value(), area));
        if let Some((text, area)) = found.filter(|(text, _)| text.len() > least) {
            send.emit(Action::Text(text.into_bytes()));
            area.set_value("");
        }
    };
    let pasted = {
        let send = page.send.clone();
        Callback::from(move |e: InputEvent| take(e.target_dyn_into(), LEAST, &send))
    };
    let left = {
        let send = page.send.clone();
        Callback::from(move |e: Event| take(e.target_dyn_into(), 0, &send))
    };
    let (told, asks) = own::told(state);
    let set = |text: String| page.on(Action::Knob("text".into(), text));
    let read = state.link.knobs.digest("text");
    let other = state.own.filter(|(name, _)| *name != read);
    html! {
        <div class="own-text" data-test="own-text">
            <p class={if asks { "stale" } else { "small-print" }} role="status" data-test="own-told">{ told }</p>
            if state.unkept {
                <p class="stale" data-test="own-unkept">{"This browser does not keep it, for want of room or by its settings: the text is here until the page is left or loaded again. Links and stored runs will ask for it."}</p>
            }
            <p class="small-print">{"Your own text, 10 kB to 2 MB: paste it here, pick a file, or drop one on the page. It is read and kept in this browser and sent nowhere; a link holds its name alone."}</p>
            <textarea rows="2" data-test="own-paste" aria-label="Paste a text" placeholder="Paste a text" oninput={pasted} onchange={left} />
            <p class="jobs">
                { pick(page) }
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
