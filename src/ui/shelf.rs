//! The runs that are stored in this browser: opened, deleted, compared with.

use super::Page;
use super::chooser::chosen;
use super::storage;
use super::tip::Tip;
use crate::app::pairing::Versus;
use crate::app::shelf::{self, Shelf, against, choices};
use crate::app::{Action, terms, words};
use crate::experiments::card;
use crate::plot::number::grouped;
use crate::protocol::{At, Stored};
use yew::prelude::*;

/// Checkpoints that are offered of a run, besides its last.
const OFFERED: usize = 12;

/// A moment as this browser writes it.
fn date(at: u64) -> String {
    if at == 0 {
        return "–".into();
    }
    let date = js_sys::Date::new(&(at as f64).into());
    String::from(date.to_locale_string("default", &wasm_bindgen::JsValue::UNDEFINED))
}

/// The other side of a comparison: a menu of the run's checkpoints.
fn compare(page: &Page, row: &Stored) -> Html {
    let state = &page.state;
    if state.device.is_none() || against(state, row, At::Last).is_none() {
        return Html::default();
    }
    let pick = {
        let (page, row) = (page.clone(), row.clone());
        Callback::from(move |e: Event| {
            let at = chosen(&e).and_then(|text| At::parse(&text));
            if let Some(pair) = at.and_then(|at| against(&page.state, &row, at)) {
                page.send
                    .emit(Action::Versus(Versus::Compare(Box::new(pair))));
            }
        })
    };
    let named = |at: At| match at {
        At::Step(step) => format!("step {}", grouped(step)),
        other => other.text(),
    };
    html! {
        <select class="small" data-test="compare-stored" aria-label="Compare with this run" onchange={pick}
            title="Token by token: A is the run on the screen, at the step looked at or its last; B this one, at the checkpoint chosen">
            <option value="" selected={true}>{"compare with…"}</option>
            { for choices(row, OFFERED).into_iter().map(|at| html! { <option value={at.text()}>{ named(at) }</option> }) }
        </select>
    }
}

fn row(page: &Page, row: &Stored) -> Html {
    let link = crate::app::link::parse(&row.link);
    let title = card(link.experiment).map_or("", |c| c.title);
    let foreign = row.version != crate::VERSION;
    let steps = if row.step == row.steps {
        grouped(row.steps)
    } else {
        format!("{} of {}", grouped(row.step), grouped(row.steps))
    };
    html! {
        <tr data-test="stored-run" data-link={row.link.clone()}>
            <th scope="row">{ title }<span class="small-print">{ shelf::told_apart(&row.link) }</span></th>
            <td>{ steps }</td><td>{ grouped(row.checkpoints.len() as u64) }</td><td>{ words::bytes(row.bytes) }</td><td>{ date(row.at) }</td>
            <td>
                <button type="button" class="small" data-test="open-stored" disabled={foreign || page.state.device.is_none()}
                    title={if foreign { format!("Made by lambdahat {}, which this version cannot go on with", row.version) } else { "Show it as it was left, or go on with it".into() }}
                    onclick={page.on(Action::Shelf(Shelf::Open(row.link.clone())))}>{ if row.step == row.steps { "Open" } else { "Go on" } }</button>{" "}
                if !foreign { { compare(page, row) } }{" "}
                <button type="button" class="small" data-test="delete-stored" title="Delete it from this browser"
                    onclick={page.on(Action::Shelf(Shelf::Discard(row.slot)))}>{"Delete"}</button>
            </td>
        </tr>
    }
}

/// The section; empty where nothing else is stored.
pub fn shelf(page: &Page) -> Html {
    let rows: Vec<&Stored> = shelf::others(&page.state).collect();
    if rows.is_empty() {
        return html! { <div></div> };
    }
    let bytes = rows.iter().map(|r| r.bytes).sum();
    let runs = if rows.len() == 1 {
        "one run".into()
    } else {
        format!("{} runs", rows.len())
    };
    let alone = page.state.run.as_ref().is_none_or(|r| r.record.is_none());
    html! {
        <div><details class="shelf" data-test="shelf" data-runs={rows.len().to_string()}>
            <summary>{ format!("Stored in this browser: {runs}, {}", words::bytes(bytes)) }</summary>
            <p class="small-print">{"Runs that were left for another one. "}<Tip about="stored runs">{ terms::of("shelf") }</Tip>
                <span>if alone { {" Together they may take "}{ storage::budget(page) } }</span></p>
            <div class="table"><table class="figures">
                <thead><tr><th>{"run"}</th><th>{"steps"}</th><th>{"checkpoints"}</th><th>{"size"}</th><th>{"left"}</th><th></th></tr></thead>
                <tbody>{ for rows.into_iter().map(|r| row(page, r)) }</tbody>
            </table></div>
        </details></div>
    }
}
