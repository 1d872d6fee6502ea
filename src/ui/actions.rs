//! Run, Pause, Step, Reset, and which of the ways to start is offered first.

use super::Page;
use super::tip::{Term, terms};
use crate::app::{Action, State, press, words};
use crate::protocol::Phase;
use gloo::timers::callback::Interval;
use yew::prelude::*;

/// Milliseconds between two chain steps when they are to be watched.
const SLOW_MS: u32 = 250;

/// The buttons.
#[component]
pub fn Buttons(page: &Page) -> Html {
    let state = &page.state;
    let phase = state.phase();
    let active = state.run.as_ref().is_some_and(crate::app::Run::active) && !state.slow;
    let loading = state.device.is_none();
    let begins = state.run.as_ref().is_none_or(crate::app::Run::over);
    // While it waits for a step, nothing more is asked for.
    let waits = state.run.is_none() || phase == Phase::Paused;
    {
        let send = page.send.clone();
        use_effect_with(state.slow && waits && !loading, move |&ticks| {
            let tick = ticks.then(|| Interval::new(SLOW_MS, move || send.emit(Action::StepOnce)));
            move || drop(tick)
        });
    }
    let trains = state.trains();
    let told = meanings(state);
    let (label, pressable) = press::label(state);
    html! {
        <div class="buttons" role="group" aria-label="Run">
            if active {
                <button type="button" class="primary" data-test="pause" onclick={page.on(Action::RunOrPause)}
                    disabled={phase == Phase::Preparing}>{"Pause"}</button>
            } else if begins && state.light_first() {
                <button type="button" class="primary" data-test="run-light" onclick={page.on(Action::StartLight)}>{ light_label(state) }</button>
                <button type="button" data-test="run" onclick={page.on(Action::Start)}>{ full_label(state) }</button>
            } else {
                <button type="button" class="primary" data-test="run" disabled={!pressable} onclick={page.on(Action::RunOrPause)}>{ label }</button>
            }
            if state.stale() {
                <button type="button" data-test="restart" onclick={page.on(Action::Start)}>{"Restart"}</button>
            }
            <button type="button" data-test="step" disabled={loading || active || phase == Phase::Done || phase == Phase::Failed}
                onclick={page.on(Action::StepOnce)}>{"Step"}</button>
            if !trains {
                <button type="button" data-test="slow" aria-pressed={state.slow.to_string()}
                    disabled={loading || phase == Phase::Preparing || phase == Phase::Done || phase == Phase::Failed}
                    onclick={page.on(Action::Slow)}>{"Slow"}</button>
            }
            <button type="button" data-test="reset" disabled={state.run.is_none() && !press::waits(state)} onclick={page.on(Action::Reset)}>{"Reset"}</button>
            { terms("the buttons", told.0, &told.1) }
        </div>
    }
}

/// What the buttons do, and their keys.
fn meanings(state: &State) -> (&'static str, Vec<Term>) {
    let term = |name: &str, help: &str| (name.to_string(), help.to_string());
    let mut list = vec![term("Run", "begins, pauses and goes on (space).")];
    if state.light_first() {
        list.push(term(
            "Run full",
            "everything as set; the button beside it runs a smaller model of the same kind.",
        ));
    }
    if state.trains() {
        list.push(term("Step", "one training step (s)."));
    } else {
        list.push(term("Step", "one step of every chain (s)."));
        list.push(term(
            "Slow",
            "about four steps of the chains a second, until it is pressed again.",
        ));
    }
    if state.stale() {
        list.push(term(
            "Restart",
            "begins anew with the settings of the form.",
        ));
    }
    list.push(term("Reset", "throws this run away (r)."));
    let first = if press::waits(state) {
        "The engine is starting, and the run begins as soon as it is up; Reset takes that back."
    } else if state.device.is_none() {
        "The engine is starting; Run pressed now begins as soon as it is up."
    } else {
        ""
    };
    (first, list)
}

fn light_label(state: &State) -> String {
    let name = state.card().light.unwrap_or("light");
    let seconds = state
        .estimate()
        .and_then(|e| e.light_seconds)
        .unwrap_or(f64::NAN);
    format!("Run {name} ({})", roughly(seconds))
}

fn full_label(state: &State) -> String {
    let seconds = state.estimate().map_or(f64::NAN, |e| e.seconds);
    format!("Run full ({})", roughly(seconds))
}

/// As an estimate, where there is no room for a word more: `≈ 2 min`.
fn roughly(seconds: f64) -> String {
    words::about(seconds).replacen("about", "≈", 1)
}
