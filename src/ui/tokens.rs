//! The tables of a comparison of two models: totals, groups of targets, the tokens that changed most in their
//! context, heads.

use super::Page;
use super::tip::Tip;
use crate::app::against::MOST;
use crate::app::pairing::Versus as Do;
use crate::app::tokens::shown;
use crate::app::versus::{Group, Target, Told};
use crate::app::{Action, terms};
use crate::plot::number::{fixed, grouped, significant, with_error};
use crate::protocol::{Compared, TokenSet};
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// Rows of a table of groups, and of a list of tokens.
pub const FEW: usize = 8;

/// A share, in per cent.
pub fn percent(share: Option<f64>) -> String {
    share.map_or("–".into(), |s| format!("{} %", fixed(100.0 * s, 1)))
}

/// Groups, those that carry most first, and what they carry together.
pub fn table(all: &[Group], differs: bool) -> Html {
    let share = |g: &Group| g.share.filter(|_| differs);
    let mut together = 0.0;
    let rows: Vec<Html> = all
        .iter()
        .take(FEW)
        .map(|g| {
            together += g.share.unwrap_or(0.0);
            html! {
                <tr><th scope="row">{ &g.name }</th><td>{ grouped(g.count as u64) }</td><td>{ with_error(g.mean, g.se) }</td>
                    <td>{ percent(share(g)) }</td><td>{ percent(share(g).map(|_| together)) }</td></tr>
            }
        })
        .collect();
    let more = all.len().saturating_sub(FEW);
    let rest: f64 = all.iter().skip(FEW).filter_map(|g| g.share).sum();
    html! {
        <>
            <div class="table"><table class="figures" data-test="versus-groups">
                <thead><tr><th></th><th>{"targets"}</th><th>{"mean Δ (nats)"}</th><th>{"of the difference"}</th><th>{"so far"}</th></tr></thead>
                <tbody>{ for rows }</tbody>
            </table></div>
            if more > 0 { <p class="muted">{ format!("And {more} more, {} of the difference.", percent(Some(rest).filter(|_| differs))) }</p> }
        </>
    }
}

/// Targets with their sequences: the repeats shaded, the target marked.
pub fn list(which: &[usize], told: &Told, set: &TokenSet) -> Html {
    if which.is_empty() {
        return html! { <p class="muted">{"None."}</p> };
    }
    let targets = which.iter().filter_map(|&i| told.targets.get(i));
    html! { <ol class="tokens">{ for targets.map(|t| in_context(t, set)) }</ol> }
}

fn in_context(t: &Target, set: &TokenSet) -> Html {
    let row = set
        .tokens
        .get(t.sequence * set.ctx..(t.sequence + 1) * set.ctx)
        .unwrap_or_default();
    // Pieces of text are read as text, numbers one by one.
    let prose = !set.texts.is_empty();
    let piece = |token: &u32| {
        let text = set.texts.get(*token as usize).filter(|_| prose);
        text.map_or_else(|| shown(&set.texts, *token), |t| t.replace('\n', "↵"))
    };
    let period = set.periods.get(t.sequence).copied().unwrap_or(0);
    let token = |(at, token): (usize, &u32)| {
        let again = period > 0 && at >= period;
        if at == t.position {
            html! { <mark>{ shown(&set.texts, *token) }</mark> }
        } else {
            html! { <span class={classes!(again.then_some("again"))}>{ piece(token) }</span> }
        }
    };
    let kind = set
        .names
        .get((t.kind as usize).wrapping_sub(1))
        .cloned()
        .unwrap_or_default();
    let [a, b] = t.lp.map(|lp| significant(lp, 3));
    let sign = if t.delta > 0.0 { "+" } else { "" };
    html! {
        <li>
            <b>{ format!("Δ {sign}{}", fixed(t.delta, 2)) }</b>{ format!(" token {} at {}, {kind}; lp A {a}, B {b}", shown(&set.texts, t.token), t.position) }
            <div class={classes!("sequence", prose.then_some("prose"))}>{ for row.iter().enumerate().map(token) }</div>
        </li>
    }
}

/// Heads by what their absence removes.
pub fn heads(told: &Told) -> Html {
    let beyond = html! { <p class="small-print" data-test="versus-beyond">{ told.beyond() }</p> };
    if told.nearer().next().is_none() {
        return html! { <><p class="muted">{"Without any one head, or all of a block, they are no nearer to each other."}</p>{ beyond }</> };
    }
    html! {
        <>
        <p class="small-print">{"Ordered by what is left of mean Δ, the nearest to 0 first; ± 1 SE, paired over sequences."}</p>
        <div class="table"><table class="figures" data-test="versus-heads">
            <thead><tr><th>{"without"}</th><th>{"of"}</th><th>{"removed from mean Δ (nats)"}</th><th>{"part of it"}</th><th>{"left"}</th></tr></thead>
            <tbody>{ for told.nearer().take(FEW).map(|r| html! {
                <tr><th scope="row">{ &r.name }</th><td>{ ["A", "B"][r.side.min(1)] }</td><td>{ with_error(r.removed, r.se) }</td><td>{ percent(r.share.filter(|_| told.differs())) }</td><td>{ fixed(r.left, 3) }</td></tr>
            }) }</tbody>
        </table></div>
        { beyond }
        </>
    }
}

/// Losses, what is under the floor, and the floor.
pub fn totals(page: &Page, told: &Told, found: &Compared) -> Html {
    let floor = {
        let send = page.send.clone();
        Callback::from(move |e: Event| {
            let input = e.target_dyn_into::<HtmlInputElement>();
            if let Some(floor) = input.and_then(|i| i.value().parse::<f64>().ok()) {
                send.emit(Action::Versus(Do::Floor(floor)));
            }
        })
    };
    let row = |i: usize, name: &str| {
        html! {
            <tr><th scope="row">{ name }</th><td>{ grouped(found.sides[i].step) }</td><td>{ fixed(told.losses[i], 3) }</td>
                <td>{ format!("{} of {}", grouped(told.under[i] as u64), grouped(told.whole.count as u64)) }</td></tr>
        }
    };
    html! {
        <>
            <table class="figures" data-test="versus-totals">
                <thead><tr><th></th><th>{"step"}</th><th>{"loss (nats)"}</th><th>{"under the floor"}</th></tr></thead>
                <tbody>{ row(0, "A") }{ row(1, "B") }</tbody>
            </table>
            <p class="jobs"><label>{"floor F "}<input type="number" data-test="versus-floor" min={MOST.0.to_string()} max={MOST.1.to_string()} step="0.5"
                value={told.floor.to_string()} onchange={floor} />{" nats "}</label>
                <Tip about="the floor">{terms::of("tokens: floor")}</Tip></p>
        </>
    }
}
