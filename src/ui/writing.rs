//! Completions: a checkpoint goes on from a text of the reader's.

use super::Page;
use super::heads::definition;
use crate::app::Action;
use crate::experiments::heads::TEXT;
use crate::knobs::{Digest, Value};
use crate::plot::number::grouped;
use crate::protocol::{Ask, Prompt};
use wasm_bindgen::JsCast;
use web_sys::{HtmlInputElement, HtmlTextAreaElement};
use yew::prelude::*;

/// What is shown.
#[derive(Clone, PartialEq, Properties)]
pub struct CompletionsProps {
    /// State and actions.
    pub page: Page,
    /// The checkpoint.
    pub step: u64,
}

/// The section.
#[component]
pub fn Completions(props: &CompletionsProps) -> Html {
    let first = Prompt::default();
    // Stories begin so; what another text begins with nobody knows.
    let own = props.page.state.link.knobs.get("text") != Some(Value::Digest(Digest(0)));
    let text = use_state(|| {
        if own {
            String::new()
        } else {
            first.text.clone()
        }
    });
    let numbers = use_state(|| (first.temperature, first.seed));
    let Some(run) = &props.page.state.run else {
        return Html::default();
    };
    let (temperature, seed) = *numbers;
    let ask = |length: usize| {
        props.page.on(Action::Ask(Ask::Complete(Prompt {
            step: props.step,
            text: (*text).clone(),
            temperature,
            seed,
            length,
        })))
    };
    let typed = {
        let text = text.clone();
        Callback::from(move |e: InputEvent| {
            let field = e
                .target()
                .and_then(|t| t.dyn_into::<HtmlTextAreaElement>().ok());
            text.set(field.map(|f| f.value()).unwrap_or_default());
        })
    };
    let number = |first: bool| {
        let numbers = numbers.clone();
        Callback::from(move |e: Event| {
            let field = e
                .target()
                .and_then(|t| t.dyn_into::<HtmlInputElement>().ok());
            let Some(to) = field.and_then(|f| f.value().parse::<f64>().ok()) else {
                return;
            };
            numbers.set(if first {
                (to.clamp(0.0, 5.0), seed)
            } else {
                (temperature, to.clamp(0.0, 4e9) as u32)
            });
        })
    };
    let written = run.written.as_deref();
    let busy = written.is_some_and(|w| w.done < w.all);
    html! {
        <div data-test="writing" data-done={written.map(|w| w.done.to_string())}>
            <h3>{"Let it write "}{ definition(&TEXT[5]) }</h3>
            <p><label>{"begins with "}<textarea rows="2" data-test="prompt" placeholder="nothing: behind the end of a line" value={(*text).clone()} oninput={typed} /></label></p>
            <p class="jobs">
                <label title="Tokens are drawn from softmax(logits/τ); 0 takes the likeliest">{"temperature τ "}<input type="number" data-test="temperature" min="0" max="5" step="0.1" value={temperature.to_string()} onchange={number(true)} /></label>
                <label title="Of the draws: the same seed writes the same text">{"seed "}<input type="number" min="0" step="1" value={seed.to_string()} onchange={number(false)} /></label>
                <button type="button" class="small" data-test="write" disabled={busy} onclick={ask(first.length)}>{ format!("Write {} tokens at step {}", first.length, grouped(props.step)) }</button>
                if busy { <button type="button" class="small" data-test="stop-writing" onclick={ask(0)}>{"Stop"}</button> }
            </p>
            if let Some(w) = written {
                <p class="small-print" role="status">{ format!("Step {}, {} of {} tokens.", grouped(w.step), w.done, w.all) }
                    if w.outside > 0 { { format!(" {} characters of the beginning are no token of this model and were read as one for all others.", w.outside) } }</p>
                { for w.texts.iter().map(|t| html! { <pre class="written">{ t }</pre> }) }
            }
        </div>
    }
}
