//! A fault: what happened, what is safe, and what to press.

use super::Page;
use super::own_text::pick;
use crate::app::words::{self, Press};
use crate::app::{Action, own};
use crate::protocol::{EngineChoice, Fault};
use yew::prelude::*;

/// The fault on the screen, if there is one.
pub fn faults(page: &Page) -> Html {
    let state = &page.state;
    let Some(fault) = &state.fault else {
        return Html::default();
    };
    let told = words::fault(fault);
    // A text that is not here is no mistake: it is asked for.
    let (asked, asks) = own::told(state);
    if asks && matches!(fault, Fault::BadLink(_)) {
        return html! {
            <section class="fault asks" role="status" data-test="asks-text">
                <h2>{"This link reads a text of its own"}</h2>
                <p>{ asked }</p>
                <p class="small-print">{"Pick the file here, drop it on the page, or paste it under Settings. It stays on this machine."}</p>
                <div class="buttons">
                    { pick(page) }
                    <button type="button" onclick={page.on(Action::Knob("text".into(), "none".into()))}>{"Read the stories instead"}</button>
                </div>
            </section>
        };
    }
    let light = state.card().light.filter(|_| told.press == Press::Light);
    let button = |action: Action, text: String| {
        html! { <button type="button" class="primary" data-test="way-on" onclick={page.on(action)}>{ text }</button> }
    };
    let way = match told.press {
        Press::Wait => html! { <span>{"It goes on by itself."}</span> },
        Press::Again => button(Action::Start, "Run again".into()),
        Press::Cpu => button(
            Action::Engine(EngineChoice::Cpu),
            "Use the CPU engine".into(),
        ),
        Press::NewEngine => button(Action::NewEngine, "Start a new engine".into()),
        Press::Light => match light {
            Some(name) => button(Action::StartLight, format!("Run {name} instead")),
            None => button(
                Action::Preset("default".into()),
                "Back to the defaults".into(),
            ),
        },
        Press::Defaults => button(
            Action::Preset("default".into()),
            "Back to the defaults".into(),
        ),
    };
    html! {
        <section class="fault" role="alert" data-test="fault">
            <h2>{ told.title }</h2>
            <p>{ told.what }{" "}{ told.safe }</p>
            <div class="buttons">
                { way }
                if told.press != Press::Wait && told.press != Press::NewEngine {
                    <button type="button" onclick={page.on(Action::Reset)}>{"Reset"}</button>
                }
            </div>
        </section>
    }
}
