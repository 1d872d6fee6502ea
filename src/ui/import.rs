//! A checkpoint from a file, picked in the menu or dropped on the page. Nothing leaves the device.

use super::Page;
use super::tip::Tip;
use crate::app::{Action, terms};
use gloo::events::{EventListener, EventListenerOptions};
use gloo::utils::window;
use js_sys::{Reflect, Uint8Array};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::Blob;
use yew::prelude::*;

/// Bytes of the largest file that is read.
const MOST: f64 = 1e9;

/// A property of an object, unless it is nothing.
fn field(of: &JsValue, key: &str) -> Option<JsValue> {
    let value = Reflect::get(of, &key.into()).ok()?;
    (!value.is_null() && !value.is_undefined()).then_some(value)
}

/// Reads the first file of `from.files`, and hands it on. Whether there was one.
pub fn take(from: Option<JsValue>, send: &Callback<Action>) -> bool {
    let file = from.and_then(|f| field(&field(&f, "files")?, "0"));
    let Some(file) = file.and_then(|f| f.dyn_into::<Blob>().ok()) else {
        return false;
    };
    let name = field(&file, "name").and_then(|n| n.as_string());
    let (name, send) = (name.unwrap_or_default(), send.clone());
    spawn_local(async move {
        let bytes = match file.size() <= MOST {
            true => JsFuture::from(file.array_buffer()).await.ok(),
            false => None,
        };
        // What cannot be read is no checkpoint, and the engine says so.
        let bytes = bytes.map_or_else(Vec::new, |b| Uint8Array::new(&b).to_vec());
        send.emit(Action::Import(name, bytes));
    });
    true
}

/// Reads what was picked in a field, and empties the field: it would go on naming a file that was refused,
/// and the same file can be picked again.
pub fn picked(input: Option<JsValue>, send: &Callback<Action>) {
    take(input.clone(), send);
    let _ = input.map(|i| Reflect::set(&i, &"value".into(), &"".into()));
}

/// Hears files that are dropped anywhere on the page.
pub fn listen(send: Callback<Action>) -> [EventListener; 2] {
    let options = EventListenerOptions::enable_prevent_default();
    let over = EventListener::new_with_options(&window(), "dragover", options, |e| {
        if field(e, "dataTransfer").is_some() {
            e.prevent_default();
        }
    });
    let drop = EventListener::new_with_options(&window(), "drop", options, move |e| {
        if take(field(e, "dataTransfer"), &send) {
            e.prevent_default();
        }
    });
    [over, drop]
}

/// The row of the menu.
pub fn row(page: &Page) -> Html {
    let picked = {
        let send = page.send.clone();
        Callback::from(move |e: Event| picked(e.target().map(JsValue::from), &send))
    };
    html! {
        <p class="row">
            <label>{"Open a checkpoint "}<input type="file" accept=".safetensors" data-test="import"
                disabled={page.state.device.is_none()} onchange={picked} /></label>
            <Tip about="opening a checkpoint">{ terms::of("import") }</Tip>
        </p>
    }
}

/// What is wrong with the file that was given last.
pub fn refused(page: &Page) -> Html {
    let why = &page.state.refused;
    if why.is_empty() {
        return Html::default();
    }
    html! {
        <div class="fault refused" role="alert" data-test="refused">
            <p>{"What was given cannot be used; everything here is as it was."}</p>
            <ul>{ for why.iter().map(|w| html! { <li>{ w }</li> }) }</ul>
            <button type="button" data-test="dismiss" onclick={page.on(Action::Dismiss)}>{"Close"}</button>
        </div>
    }
}
