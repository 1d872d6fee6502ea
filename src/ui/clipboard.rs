//! Copying the link. Where there is no clipboard (an insecure address) it stands as text to select.

use super::Page;
use crate::plot::qr::qr;
use gloo::timers::callback::Timeout;
use gloo::utils::window;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// How the last copy went.
#[derive(Clone, Copy, PartialEq)]
enum Copied {
    No,
    Yes,
    Select,
}

/// The button and the link itself.
#[component]
pub fn CopyLink(page: &Page) -> Html {
    let copied = use_state(|| Copied::No);
    let node = use_node_ref();
    let location = window().location();
    let base = location.href().unwrap_or_default();
    let base = base.split('#').next().unwrap_or_default();
    let link = format!("{base}{}", page.state.shown_link());
    let secure = page.state.secure;
    let press = {
        let (copied, node, link) = (copied.clone(), node.clone(), link.clone());
        Callback::from(move |_: MouseEvent| {
            let (copied, node, link) = (copied.clone(), node.clone(), link.clone());
            let select = move || {
                if let Some(field) = node.cast::<HtmlInputElement>() {
                    let _ = field.focus();
                    field.select();
                }
            };
            if !secure {
                copied.set(Copied::Select);
                select();
                return;
            }
            spawn_local(async move {
                let done = JsFuture::from(window().navigator().clipboard().write_text(&link)).await;
                if done.is_err() {
                    select();
                }
                copied.set(if done.is_ok() {
                    Copied::Yes
                } else {
                    Copied::Select
                });
                Timeout::new(2500, move || copied.set(Copied::No)).forget();
            });
        })
    };
    let code = match qr(&link) {
        Some(scene) => Html::from_html_unchecked(scene.svg().into()),
        None => html! { <p>{"The link is too long for a QR code."}</p> },
    };
    let text = match *copied {
        Copied::No => "Copy link",
        Copied::Yes => "Copied",
        Copied::Select => "Select and copy",
    };
    html! {
        <span class="copy">
            <button type="button" data-test="copy-link" onclick={press}>
                <span aria-live="polite">{ text }</span>
            </button>
            <input data-test="link" class={classes!("link", (!secure).then_some("shown"))} ref={node} readonly=true value={link}
                aria-label="Link of this run" />
            <details class="menu" data-test="qr">
                <summary>{"QR"}</summary>
                <div class="sheet"><p class="muted">{"The link replays this run: experiment, settings, seed."}</p>{ code }</div>
            </details>
        </span>
    }
}
