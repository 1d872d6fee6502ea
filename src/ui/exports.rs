//! The menu of what can be saved of a run: its numbers, its checkpoints one by one or all of them.

use super::Page;
use super::import;
use super::save::{CSV, text_as_file};
use crate::app::export::file_name;
use crate::app::tables::What;
use crate::app::{Action, scrub};
use crate::plot::number::grouped;
use yew::prelude::*;

/// The run's numbers and checkpoints, in the top bar.
pub fn export_menu(page: &Page) -> Html {
    let state = &page.state;
    let save = |what: What, id: &'static str, csv: bool| {
        let (ending, kind) = if csv {
            ("csv", "text/csv")
        } else {
            ("json", "application/json")
        };
        let state = state.clone();
        let press = Callback::from(move |_: MouseEvent| {
            if let Some(text) = what.text(&state, csv) {
                text_as_file(&file_name(&state, id, ending), kind, &text);
            }
        });
        html! {
            <button type="button" class="small" data-test={format!("export-{id}-{ending}")} disabled={!what.there(&page.state)} title={if csv { CSV } else { "With the link and all settings" }}
                onclick={press}>{ ending.to_ascii_uppercase() }</button>
        }
    };
    let told = match state.run {
        None => "Once a run has started, its numbers.",
        Some(_) => "This run so far. JSON holds the link and all settings too.",
    };
    html! {
        <details class="menu" data-test="export">
            <summary>{"Export"}</summary>
            <div class="sheet">
                <p class="muted">{ told }{" Charts have buttons of their own."}</p>
                { for What::ALL.iter().map(|&(what, id, name)| html! {
                    <p class="row"><span>{ name }</span>{ save(what, id, true) }{ save(what, id, false) }</p>
                }) }
                { checkpoint_row(page) }
                { all_row(page) }
                { import::row(page) }
            </div>
        </details>
    }
}

/// The checkpoint that is looked at, else the last one.
fn checkpoint_row(page: &Page) -> Html {
    let last = || scrub::checkpoints(&page.state).last().map(|s| *s as u64);
    let run = page.state.run.as_ref();
    let step = run.and_then(|_| scrub::looked_at(&page.state).or_else(last));
    let gone = step.is_some_and(|s| scrub::gone(&page.state, s));
    let name = step.map_or("Checkpoint".into(), |s| {
        format!("Checkpoint of step {}", grouped(s))
    });
    html! {
        <p class="row" title={if gone { scrub::GONE } else { "The weights under the names of TransformerLens; with the state of the optimiser where that is kept" }}>
            <span>{ name }</span>
            <button type="button" class="small" data-test="export-checkpoint" disabled={step.is_none() || gone}
                onclick={page.on(Action::SaveCheckpoint(step.unwrap_or(0)))}>{"safetensors"}</button>
        </p>
    }
}

/// Every checkpoint that is there, a file each, one after another.
fn all_row(page: &Page) -> Html {
    let there = match &page.state.run {
        Some(run) => scrub::checkpoints(&page.state)
            .len()
            .saturating_sub(run.gone.len()),
        None => 0,
    };
    let (left, all) = match &page.state.run {
        Some(run) => (run.files.0.len(), run.files.1),
        None => (0, 0),
    };
    let could = page.state.run.as_ref().map_or(0, |r| r.whole);
    let whole = |n: usize| grouped(n as u64);
    let told = match all {
        0 if could < there => format!(
            "All {} checkpoints, {} to train on from",
            whole(there),
            whole(could)
        ),
        0 => format!("All {} checkpoints", whole(there)),
        _ => format!("{} of {} checkpoints saved", whole(all - left), whole(all)),
    };
    html! {
        <p class="row" title="One file each, one after another. The browser may ask once whether this page may save several.">
            <span role="status" data-test="export-all-told" data-left={left.to_string()}>{ told }</span>
            <button type="button" class="small" data-test="export-all" disabled={there == 0} onclick={page.on(Action::SaveAll)}>{ if left > 0 { "stop" } else { "safetensors" } }</button>
        </p>
    }
}
