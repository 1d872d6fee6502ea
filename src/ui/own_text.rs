//! The person's own text: where it is pasted, picked and forgotten.

use super::{Page, import, kept};
use crate::app::{Action, own, terms};
use crate::experiments::text::own::{LEAST, check};
use crate::knobs::Digest;
use wasm_bindgen::JsValue;
use web_sys::HtmlTextAreaElement;
use yew::prelude::*;

/// Where they are kept in this browser, the last that was given first.
const KEYS: [&str; own::KEPT] = ["lambdahat.text", "lambdahat.text.before"];

/// The texts that this browser has kept, and their names.
pub fn texts(names: &mut Vec<(Digest, usize)>) -> Vec<Vec<u8>> {
    let all = KEYS.iter().filter_map(|key| kept::get(key));
    let mut texts: Vec<Vec<u8>> = all.map(String::into_bytes).collect();
    texts.retain(|text| match check(text) {
        Ok((name, _)) => {
            names.push((name, text.len()));
            true
        }
        Err(_) => false,
    });
    texts
}

/// Puts a text before the others and keeps them; where it is empty, all are forgotten. False where the
/// browser refuses to keep it, and then has it until the page is left. Of the one before nothing is said:
/// it may have to make room.
pub fn keep(texts: &mut Vec<Vec<u8>>, bytes: &[u8]) -> bool {
    texts.retain(|text| text != bytes && !bytes.is_empty());
    if !bytes.is_empty() {
        texts.insert(0, bytes.to_vec());
    }
    texts.truncate(own::KEPT);
    // What is kept goes first: it may be in the way.
    KEYS.iter().for_each(|key| kept::forget(key));
    let mut kept = KEYS
        .iter()
        .zip(texts)
        .map(|(key, text)| std::str::from_utf8(text).is_ok_and(|text| kept::set(key, text)));
    let first = kept.next();
    kept.for_each(drop);
    first.unwrap_or(true)
}

/// Picks a file.
pub fn pick(page: &Page) -> Html {
    let send = page.send.clone();
    let picked =
        Callback::from(move |e: Event| import::picked(e.target().map(JsValue::from), &send));
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
            // What is refused stays there, to be mended.
            if check(text.as_bytes()).is_ok() {
                area.set_value("");
            }
            send.emit(Action::Text(text.into_bytes()));
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
    let other = state.own.iter().find(|(name, _)| *name != read);
    html! {
        <div class="own-text" data-test="own-text">
            <p class={if asks { "stale" } else { "small-print" }} role="status" data-test="own-told">{ told }</p>
            if state.unkept {
                <p class="stale" data-test="own-unkept">{terms::of("own: unkept")}</p>
            }
            <p class="small-print">{terms::of("own: give")}</p>
            <textarea rows="2" data-test="own-paste" aria-label="Paste a text" placeholder="Paste a text" oninput={pasted} onchange={left} />
            <p class="jobs">
                { pick(page) }
                if read.0 != 0 {
                    <button type="button" class="small" title="Train on the built-in stories" data-test="own-stories" onclick={set("none".into())}>{"Read the stories"}</button>
                }
                if let Some((name, bytes)) = other {
                    <button type="button" class="small" title={format!("Train on the text {}, of {bytes} bytes, which is still here", name.text())} data-test="own-other" onclick={set(name.text())}>
                        { if asks || read.0 == 0 { "Read my text" } else { "Read the text before" } }
                    </button>
                }
                if !state.own.is_empty() {
                    <button type="button" class="small" title="Delete my texts, two at most, from this browser" data-test="own-forget" onclick={page.on(Action::Text(Vec::new()))}>{"Forget my text"}</button>
                }
            </p>
        </div>
    }
}
