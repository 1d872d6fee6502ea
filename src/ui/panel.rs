//! The status panel: engine, counters, and faults to practise with.

use super::Page;
use super::chooser::chosen;
use super::tip::{Term, row, terms};
use crate::VERSION;
use crate::app::terms::{STATUS, of};
use crate::app::{Action, State, scrub, words};
use crate::plot::number::{grouped, significant};
use crate::protocol::{Drill, EngineChoice, Phase};
use yew::prelude::*;

/// What to force, its name for tests, what the button says, what happens.
const DRILLS: [(Drill, &str, &str, &str); 4] = [
    (
        Drill::LoseDevice,
        "lose-device",
        "Lose the GPU",
        "destroys the device; it is asked for again, and the run goes on from its last checkpoint.",
    ),
    (
        Drill::Panic,
        "panic",
        "Panic in the engine",
        "stops the program in the worker; a new engine offers to resume.",
    ),
    (
        Drill::Diverge,
        "diverge",
        "Diverge",
        "puts a number that is none into the weights; the run ends, its curves stay.",
    ),
    (
        Drill::OutOfMemory,
        "memory",
        "Run out of memory",
        "says that there is no memory left; a smaller run is offered.",
    ),
];

/// The panel.
pub fn panel(page: &Page) -> Html {
    let state = &page.state;
    let engine = {
        let send = page.send.clone();
        Callback::from(move |e: Event| {
            if let Some(choice) = chosen(&e).as_deref().and_then(EngineChoice::parse) {
                send.emit(Action::Engine(choice));
            }
        })
    };
    let device = state
        .device
        .as_ref()
        .map_or("none yet", |d| d.name.as_str());
    let why = state.why_cpu.as_ref().map(ToString::to_string);
    let run = state.run.as_ref();
    let counters = run.map(|r| r.counters).unwrap_or_default();
    let per_step = run.map(|r| r.per_step).unwrap_or_default();
    let still = run.filter(|r| r.over() || r.phase == Phase::Paused);
    let fingerprint = still.map_or("–".into(), |r| format!("{:08x}", r.fingerprint()));
    // In the order of the table of their meanings; what is empty has no row.
    let values = [
        VERSION.to_string(),
        device.to_string(),
        why.unwrap_or_default(),
        if state.keeps {
            "yes".into()
        } else {
            "no".into()
        },
        kept(state),
        fingerprint,
        significant(per_step.dispatches_per_step, 3),
        significant(per_step.submits_per_step, 2),
        grouped(counters.dispatches),
        grouped(counters.submits),
        format!(
            "{}, {} of them twice",
            grouped(counters.pipelines_created),
            grouped(per_step.pipelines_created)
        ),
        created(counters.bind_groups_created, per_step.bind_groups_created),
        created(counters.buffers_created, per_step.buffers_created),
    ];
    let drills: Vec<Term> = DRILLS
        .iter()
        .map(|d| (d.2.to_string(), d.3.to_string()))
        .collect();
    html! {
        <details class="panel" data-test="panel">
            <summary>{"Status and drills"}</summary>
            <dl>
                { for STATUS.iter().zip(values).filter(|(_, v)| !v.is_empty()).map(|(name, value)| row(name, of(&format!("status: {name}")), value)) }
            </dl>
            <label>{"engine "}
                <select data-test="engine" onchange={engine}>
                    { for [EngineChoice::Auto, EngineChoice::Gpu, EngineChoice::Cpu].into_iter().map(|c| html! {
                        <option value={c.as_str()} selected={c == state.link.engine}>{ c.as_str() }</option>
                    }) }
                </select>
            </label>
            { check(page) }
            <p class="muted">{"Drills force a fault, to see what happens and how the page goes on. They need a run, except the panic. "}{ terms("drills", "Each makes the engine fail on purpose.", &drills) }</p>
            <div class="buttons">
                { for DRILLS.iter().map(|(drill, name, text, _)| html! {
                    <button type="button" data-test={format!("drill-{name}")}
                        disabled={state.device.is_none() || run.is_none() && *drill != Drill::Panic}
                        onclick={page.on(Action::Drill(*drill))}>{ *text }</button>
                }) }
            </div>
        </details>
    }
}

/// Checkpoints that are kept, and the bytes of their weights.
fn kept(state: &State) -> String {
    let Some(run) = &state.run else {
        return String::new();
    };
    let n = scrub::checkpoints(state).len() as u64;
    let replicas = run.knobs.int("replicas").max(1).unsigned_abs();
    let params = (state.card().cost)(&run.knobs).params;
    format!(
        "{}, {}",
        grouped(n),
        words::bytes(4 * n * params * replicas)
    )
}

/// What was created, and how much of it in the steady state, where there should be none.
fn created(all: u64, since: u64) -> String {
    format!(
        "{}, {} of them since the first step",
        grouped(all),
        grouped(since)
    )
}

/// The check of this device: every kernel against its CPU twin.
fn check(page: &Page) -> Html {
    let rows = page.state.checked.as_deref();
    let worst = rows.and_then(|r| r.iter().max_by(|a, b| a.margin.total_cmp(&b.margin)));
    let bad = rows.map_or(0, |r| r.iter().filter(|c| !c.agrees).count());
    html! {
        <div class="check" data-test="check" data-cases={rows.map(|r| r.len().to_string())} data-bad={bad.to_string()}>
            <button type="button" data-test="check-device" disabled={page.state.device.is_none() || page.state.run.is_some()}
                onclick={page.on(Action::Check)}>{"Check this device"}</button>
            if let (Some(rows), Some(worst)) = (rows, worst) {
                <p>{ format!(
                    "{} kernel cases compared with the CPU engine, {} disagree; the largest difference is {} of what is tolerated ({}, {}).",
                    rows.len(), bad, significant(worst.margin, 2), worst.kernel, worst.case
                ) }</p>
            } else if rows.is_some() {
                <p>{"The CPU engine is running: there is no GPU to compare with it."}</p>
            }
        </div>
    }
}
