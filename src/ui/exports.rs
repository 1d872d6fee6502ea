//! The menu of what can be saved of a run: its numbers, its checkpoints one by one or all of them.

use super::Page;
use super::import;
use super::save::{CSV, text_as_file};
use crate::app::export::file_name;
use crate::app::tables::What;
use crate::app::{Action, scrub};
use crate::plot::number::grouped;
use crate::protocol::RunId;
use gloo::timers::callback::Timeout;
use yew::prelude::*;

/// Milliseconds between two files: a browser drops downloads that come faster than it takes them.
const APART: u32 = 250;

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
                <All ..page.clone() />
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
    let name = step.map_or("Checkpoint".into(), |s| {
        format!("Checkpoint of step {}", grouped(s))
    });
    html! {
        <p class="row" title="The weights under the names of TransformerLens; with the state of the optimiser where that is kept">
            <span>{ name }</span>
            <button type="button" class="small" data-test="export-checkpoint" disabled={step.is_none()}
                onclick={page.on(Action::SaveCheckpoint(step.unwrap_or(0)))}>{"safetensors"}</button>
        </p>
    }
}

/// Checkpoints that are handed over one after another: of which run, which steps, and how many files that
/// run had handed over before.
type Asked = (RunId, Vec<u64>, usize);

/// Every checkpoint that is there, a file each.
#[component]
fn All(page: &Page) -> Html {
    let asked = use_state(|| None::<Asked>);
    let run = page.state.run.as_ref();
    let now = run.and_then(|run| {
        let (_, steps, before) = asked.as_ref().filter(|a| a.0 == run.id)?;
        let since = run.handed.get(*before..).unwrap_or_default();
        let left = steps.iter().find(|s| !since.contains(s)).copied();
        let done = steps.iter().filter(|s| since.contains(s)).count();
        Some((done, steps.len(), left))
    });
    {
        let send = page.send.clone();
        let next = now.and_then(|(done, _, left)| Some((left?, done)));
        use_effect_with(next, move |next| {
            let timer = next.map(|(step, done)| {
                let wait = if done == 0 { 0 } else { APART };
                Timeout::new(wait, move || send.emit(Action::SaveCheckpoint(step)))
            });
            move || drop(timer)
        });
    }
    let steps = || -> Vec<u64> {
        let all = scrub::checkpoints(&page.state).iter();
        all.map(|s| *s as u64).collect()
    };
    let there = run.map_or(0, |_| scrub::checkpoints(&page.state).len());
    let busy = now.is_some_and(|n| n.2.is_some());
    let press = {
        let new = run.filter(|_| !busy);
        let new = new.map(|run| (run.id, steps(), run.handed.len()));
        Callback::from(move |_: MouseEvent| asked.set(new.clone()))
    };
    html! {
        <p class="row" title="One file each, one after another. The browser may ask once whether this page may save several.">
            <span data-test="export-all-told" role="status">{ match now {
                Some((done, all, left)) => format!("{} of {} checkpoints saved{}", grouped(done as u64), grouped(all as u64), if left.is_some() { "…" } else { "" }),
                None => format!("All {} checkpoints", grouped(there as u64)),
            } }</span>
            <button type="button" class="small" data-test="export-all" disabled={there == 0} onclick={press}>{ if busy { "stop" } else { "safetensors" } }</button>
        </p>
    }
}
