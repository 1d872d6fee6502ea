//! The one door to JSON that has a type. In the page the browser parses and prints it, and the values pass
//! through serde-wasm-bindgen as messages do: code for a second format would cost the page 40 kB.
//! Elsewhere it is serde_json.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

/// Reads a value.
///
/// # Errors
/// What is wrong with the text, in the words of the parser.
#[cfg(not(target_arch = "wasm32"))]
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|e| e.to_string())
}

/// Prints a value.
///
/// # Errors
/// For values JSON has no words for, such as maps whose keys are no strings.
#[cfg(not(target_arch = "wasm32"))]
pub fn write<T: Serialize + ?Sized>(value: &T) -> Result<String, String> {
    serde_json::to_string(value).map_err(|e| e.to_string())
}

/// Reads a value.
///
/// # Errors
/// What is wrong with the text, in the words of the parser.
#[cfg(target_arch = "wasm32")]
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let value = js_sys::JSON::parse(text).map_err(|e| format!("{e:?}"))?;
    serde_wasm_bindgen::from_value(value).map_err(|e| e.to_string())
}

/// Prints a value.
///
/// # Errors
/// For values JSON has no words for, such as maps whose keys are no strings.
#[cfg(target_arch = "wasm32")]
pub fn write<T: Serialize + ?Sized>(value: &T) -> Result<String, String> {
    let plain = serde_wasm_bindgen::Serializer::json_compatible();
    let value = value.serialize(&plain).map_err(|e| e.to_string())?;
    let text = js_sys::JSON::stringify(&value).map_err(|e| format!("{e:?}"))?;
    Ok(text.into())
}

/// An object of these members. Collecting them would sort them first, with code of its own (`math::order`).
#[must_use]
pub fn object(members: &mut dyn Iterator<Item = (String, Value)>) -> Map<String, Value> {
    let mut all = Map::new();
    for (name, value) in members {
        all.insert(name, value);
    }
    all
}
