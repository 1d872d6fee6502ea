//! The held-out tokens that the model predicts worst and best, each in its context.

use super::Page;
use super::tip::Tip;
use crate::app::tokens::{Predicted, ranked, shown, texts};
use crate::app::{Action, scrub, terms};
use crate::plot::number::{fixed, grouped};
use crate::protocol::Ask;
use yew::prelude::*;

/// Tokens of a list.
const SHOWN: usize = 8;

fn row(p: &Predicted, texts: &[String]) -> Html {
    let named = |t: &u32| shown(texts, *t);
    html! {
        <tr>
            <td class="context">{ for p.context.iter().enumerate().map(|(i, t)| html! { <>{ if p.copies.contains(&i) { html! { <u>{ named(t) }</u> } } else { html! { { named(t) } } } }{ if texts.is_empty() { " " } else { "" } }</> }) }<b>{ named(&p.token) }</b></td>
            <td>{ fixed(p.loss, 2) }</td>
            <td>{ format!("{}, {}", p.at.0, p.at.1) }</td>
        </tr>
    }
}

/// The section.
#[component]
pub fn TokensView(page: &Page) -> Html {
    let Some(run) = page.state.run.as_ref() else {
        return Html::default();
    };
    let last = scrub::checkpoints(&page.state).last().map(|s| *s as u64);
    let Some(step) = scrub::looked_at(&page.state).or(last) else {
        return Html::default();
    };
    let gone = scrub::gone(&page.state, step);
    let texts = run.figure.as_deref().map_or(&[][..], texts);
    let list = |worst: bool| {
        let all = run
            .tokens
            .as_deref()
            .map(|t| ranked(t, worst, None, SHOWN))
            .unwrap_or_default();
        html! {
            <div class="table"><table class="figures" data-test={if worst { "worst" } else { "best" }}>
                <thead><tr><th scope="col">{ if worst { "worst predicted" } else { "best predicted" } }</th><th scope="col">{"loss (nats)"}</th><th scope="col">{"sequence, place"}</th></tr></thead>
                <tbody>{ for all.iter().map(|p| row(p, texts)) }</tbody>
            </table></div>
        }
    };
    html! {
        <div data-test="tokens" data-step={run.tokens.as_ref().map(|t| t.step.to_string())}>
            <h3>{"Tokens and their losses "}<Tip about="tokens">{ terms::of("token losses") }</Tip></h3>
            <p class="jobs"><button type="button" class="small" data-test="ask-tokens" disabled={gone} title={gone.then_some(scrub::GONE)} onclick={page.on(Action::Ask(Ask::Tokens(step)))}>{ format!("Worst and best at step {}", grouped(step)) }</button>
                <span class="small-print">{ if gone { " thinned away by the budget" } else { " one evaluation" } }</span></p>
            if let Some(tokens) = &run.tokens {
                <p class="small-print">{ format!("At step {}.", grouped(tokens.step)) }</p>
                <div class="multiples wide">{ list(true) }{ list(false) }</div>
            }
        </div>
    }
}
