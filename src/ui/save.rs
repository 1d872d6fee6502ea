//! Saving: a chart as SVG or PNG, texts and checkpoints as files. Nothing leaves the device.

use super::Page;
use crate::app::State;
use crate::app::export::file_name;
use crate::plot::Scene;
use crate::plot::export::{export, stack};
use gloo::timers::callback::Timeout;
use gloo::utils::document;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;
use web_sys::{Blob, BlobPropertyBag, CanvasRenderingContext2d, HtmlAnchorElement};
use web_sys::{HtmlCanvasElement, HtmlImageElement, Url};
use yew::prelude::*;

/// How a CSV is read.
pub const CSV: &str = "Its first line names the link; pandas reads the rest with comment=\"#\".";

/// Milliseconds between two files.
const APART: u32 = 250;

/// Pixels of a saved PNG for each pixel of the chart.
const SHARP: f64 = 3.0;

/// What is saved of a chart.
#[derive(Clone, PartialEq, Properties)]
pub struct SaveProps {
    /// State and actions.
    pub page: Page,
    /// The chart's name.
    pub name: AttrValue,
    /// The picture and its lower panels.
    pub scenes: Vec<Scene>,
    /// Where the picture comes from, where that is not the run on the page.
    #[prop_or_default]
    pub own: Option<AttrValue>,
    /// Buttons of its own.
    #[prop_or_default]
    pub children: Html,
}

/// The buttons of a chart.
#[component]
pub fn SaveChart(props: &SaveProps) -> Html {
    let state = &props.page.state;
    let origin = match (&state.run, state.recorded()) {
        _ if props.own.is_some() => props.own.as_deref().unwrap_or_default().to_string(),
        (Some(run), _) => format!("lambdahat {}, {}", crate::VERSION, run.link),
        (None, Some(recorded)) => recorded.origin(),
        (None, None) => return Html::default(),
    };
    let save = |ending: &'static str| {
        let name = match &props.own {
            Some(_) => format!("lambdahat-{}.{ending}", props.name),
            None => file_name(state, &props.name, ending),
        };
        let (scenes, origin) = (props.scenes.clone(), origin.clone());
        Callback::from(move |_: MouseEvent| {
            let (svg, width, height) = stack(&scenes);
            let svg = export(&svg, &origin);
            // What a browser refuses to save stays on the screen.
            let _ = if ending == "svg" {
                as_file(&name, "image/svg+xml", &svg)
            } else {
                as_png(&name, &svg, width, height)
            };
        })
    };
    html! {
        <span class="toggles save">
            <button type="button" class="small" data-test={format!("save-svg-{}", props.name)} onclick={save("svg")}>{"save SVG"}</button>
            <button type="button" class="small" data-test={format!("save-png-{}", props.name)} onclick={save("png")}>{"save PNG"}</button>
            { props.children.clone() }
        </span>
    }
}

/// Hands an address to the browser as a file of that name.
fn hand_over(name: &str, address: &str) -> Result<(), JsValue> {
    let link: HtmlAnchorElement = document().create_element("a")?.unchecked_into();
    link.set_href(address);
    link.set_download(name);
    link.click();
    Ok(())
}

fn as_file(name: &str, kind: &str, text: &str) -> Result<(), JsValue> {
    let options = BlobPropertyBag::new();
    options.set_type(kind);
    let parts = js_sys::Array::of1(&text.into());
    blob_as_file(
        name,
        &Blob::new_with_str_sequence_and_options(&parts, &options)?,
    )
}

/// A text as a file. What a browser refuses to save stays on the screen.
pub fn text_as_file(name: &str, kind: &str, text: &str) {
    let _ = as_file(name, kind, text);
}

/// The bytes of a checkpoint as a file. What a browser refuses to save is asked for again.
pub fn checkpoint(state: &State, step: u64, bytes: &[u8]) {
    let parts = js_sys::Array::of1(&js_sys::Uint8Array::from(bytes).into());
    let name = file_name(state, &format!("step{step}"), "safetensors");
    let blob = Blob::new_with_u8_array_sequence(&parts);
    let _ = blob.and_then(|blob| blob_as_file(&name, &blob));
}

/// Asks for the next of several checkpoints once the browser can take another file: it drops those that
/// come faster.
pub fn next(state: &State, ask: Callback<u64>) {
    let next = state.run.as_ref().and_then(|r| r.files.0.first().copied());
    if let Some(step) = next {
        Timeout::new(APART, move || ask.emit(step)).forget();
    }
}

fn blob_as_file(name: &str, blob: &Blob) -> Result<(), JsValue> {
    let address = Url::create_object_url_with_blob(blob)?;
    hand_over(name, &address)?;
    // The browser has begun to read by then.
    Timeout::new(10_000, move || {
        let _ = Url::revoke_object_url(&address);
    })
    .forget();
    Ok(())
}

/// Draws the SVG on a canvas once the browser has read it, and saves that.
fn as_png(name: &str, svg: &str, width: f64, height: f64) -> Result<(), JsValue> {
    let image = HtmlImageElement::new()?;
    let (name, drawn) = (name.to_string(), image.clone());
    let ready = Closure::once_into_js(move || {
        let draw = || -> Result<(), JsValue> {
            let canvas: HtmlCanvasElement = document().create_element("canvas")?.unchecked_into();
            let (w, h) = (width * SHARP, height * SHARP);
            canvas.set_width(w as u32);
            canvas.set_height(h as u32);
            let context: CanvasRenderingContext2d = canvas
                .get_context("2d")?
                .ok_or("no canvas")?
                .unchecked_into();
            context.draw_image_with_html_image_element_and_dw_and_dh(&drawn, 0.0, 0.0, w, h)?;
            hand_over(&name, &canvas.to_data_url()?)
        };
        let _ = draw();
    });
    image.set_onload(Some(ready.unchecked_ref()));
    let text = String::from(js_sys::encode_uri_component(svg));
    image.set_src(&format!("data:image/svg+xml;charset=utf-8,{text}"));
    Ok(())
}
