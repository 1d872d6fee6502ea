//! What this browser keeps under a name from one visit to the next. A browser may refuse, by its settings or
//! for want of room; then nothing is kept, and the page works all the same.

use gloo::utils::window;
use js_sys::JSON;
use wasm_bindgen::JsValue;
use web_sys::Storage;

/// The place, unless it is closed to this page.
fn place() -> Option<Storage> {
    window().local_storage().ok().flatten()
}

/// What is kept under a name, a text or a number.
pub fn get(key: &str) -> Option<String> {
    let value = JSON::parse(&place()?.get_item(key).ok()??).ok()?;
    let number = || value.as_f64().map(|n| n.to_string());
    value.as_string().or_else(number)
}

/// Keeps a text under a name; false where the browser refuses.
pub fn set(key: &str, text: &str) -> bool {
    let json = JSON::stringify(&JsValue::from_str(text)).ok();
    let put = |(at, json): (Storage, js_sys::JsString)| at.set_item(key, &String::from(json)).ok();
    place().zip(json).and_then(put).is_some()
}

/// Keeps nothing under a name.
pub fn forget(key: &str) {
    if let Some(at) = place() {
        let _ = at.remove_item(key);
    }
}
