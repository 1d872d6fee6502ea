//! A held-out passage with the loss of each token: a colour, a line under it, and its figures under the pointer, on a tap and
//! by the arrow keys.

use super::Page;
use super::heads::definition;
use crate::app::tokens::shown;
use crate::app::{Action, Run, terms};
use crate::experiments::heads::TEXT;
use crate::plot::number::{fixed, grouped};
use crate::protocol::{Ask, Figure, Tokens};
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};
use yew::prelude::*;

/// Sequences that are shown.
const SHOWN: usize = 2;
/// The loss that has the full colour, nats.
const FULL: f32 = 5.0;
/// Losses from which on a token is underlined: with dots, with a line, with two.
const MARKED: [f32; 3] = [1.0, 2.5, 4.0];

/// The section.
pub fn passage(page: &Page, run: &Run, step: u64) -> Html {
    let texts = match run.figure.as_deref() {
        Some(Figure::Attention { texts, .. }) => texts.as_slice(),
        _ => &[],
    };
    html! {
        <div data-test="passage" data-step={run.tokens.as_ref().map(|t| t.step.to_string())}>
            <h3>{"A passage, token by token "}{ definition(&TEXT[4]) }</h3>
            <p class="jobs"><button type="button" class="small" data-test="ask-passage" onclick={page.on(Action::Ask(Ask::Tokens(step)))}>{ format!("Read a passage at step {}", grouped(step)) }</button>
                <span class="small-print">{terms::of("passage")}</span></p>
            if let Some(tokens) = run.tokens.as_deref().filter(|_| !texts.is_empty()) {
                <p class="small-print">{ format!("At step {}. Held-out text.", grouped(tokens.step)) }</p>
                { for windows(tokens).map(|w| window(tokens, w, texts)) }
            }
        </div>
    }
}

/// Where the first windows of text begin: those whose targets are of the first class.
fn windows(all: &Tokens) -> impl Iterator<Item = usize> + '_ {
    let ctx = all.ctx.max(1);
    let starts = (0..all.tokens.len()).step_by(ctx);
    starts
        .filter(|&i| all.classes.get(i) == Some(&2))
        .take(SHOWN)
}

fn window(all: &Tokens, begin: usize, texts: &[String]) -> Html {
    let text = |token: u32| texts.get(token as usize).map_or("", String::as_str);
    let token = |i: usize| {
        let own = text(all.tokens[i]);
        // What the model said of it stands at the token before.
        let Some(at) = i.checked_sub(1).filter(|_| i > begin) else {
            return html! { <span>{ own.to_string() }</span> };
        };
        let loss = all.losses.get(at).copied().unwrap_or(0.0);
        let said =
            (3 * at..3 * at + 3).filter_map(|k| Some((*all.tops.get(k)?, *all.chances.get(k)?)));
        let said: Vec<String> = said
            .map(|(t, p)| format!("{} {} %", shown(texts, t), fixed(100.0 * f64::from(p), 0)))
            .collect();
        let told = format!(
            "{}: {} nats, expected: {}",
            shown(texts, all.tokens[i]),
            fixed(f64::from(loss), 2),
            said.join(", ")
        );
        let level = MARKED.iter().filter(|m| loss >= **m).count();
        let heat = (loss / FULL).clamp(0.0, 1.0) * 60.0;
        let seen = if own == "\n" { "↵\n" } else { own };
        // One stop of the tab key; from there on arrow keys.
        let stop = if i == begin + 1 { "0" } else { "-1" };
        html! { <span class={format!("m{level}")} style={format!("--heat:{heat:.0}")} role="option" tabindex={stop} aria-label={told.clone()} title={told}>{ seen.to_string() }</span> }
    };
    html! { <pre class="passage" role="listbox" aria-label="Tokens and their losses" onkeydown={Callback::from(moved)}>{ for (begin..begin + all.ctx).map(token) }</pre> }
}

/// Arrow keys go from token to token.
fn moved(e: KeyboardEvent) {
    let Some(at) = e.target_dyn_into::<Element>() else {
        return;
    };
    let next = match e.key().as_str() {
        "ArrowRight" => at.next_element_sibling(),
        "ArrowLeft" => at.previous_element_sibling(),
        _ => return,
    };
    // The cursor of the charts stays where it is.
    e.prevent_default();
    if let Some(next) = next.and_then(|n| n.dyn_into::<HtmlElement>().ok()) {
        let _ = next.focus();
    }
}
