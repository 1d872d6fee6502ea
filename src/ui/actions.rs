//! Run, Pause, Step, Reset, and which of the ways to start is offered first.

use super::Page;
use crate::app::{Action, State, words};
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
    let one = if trains {
        "One training step (s)"
    } else {
        "One step of every chain (s)"
    };
    html! {
        <div class="buttons" role="group" aria-label="Run">
            if active {
                <button type="button" class="primary" data-test="pause" onclick={page.on(Action::RunOrPause)}
                    disabled={phase == Phase::Preparing} title="Pause (space)">{"Pause"}</button>
            } else if begins && state.light_first() {
                <button type="button" class="primary" data-test="run-light" onclick={page.on(Action::StartLight)}
                    title="A smaller model of the same kind">{ light_label(state) }</button>
                <button type="button" data-test="run" onclick={page.on(Action::Start)} title="Everything as set (space)">{ full_label(state) }</button>
            } else {
                <button type="button" class="primary" data-test="run" disabled={loading} onclick={page.on(Action::RunOrPause)}
                    title={if loading { "The engine is starting" } else { "Run (space)" }}>{ run_label(phase) }</button>
            }
            if state.stale() {
                <button type="button" data-test="restart" onclick={page.on(Action::Start)}
                    title="Begin anew with the settings of the form">{"Restart"}</button>
            }
            <button type="button" data-test="step" disabled={loading || active || phase == Phase::Done || phase == Phase::Failed}
                onclick={page.on(Action::StepOnce)} title={one}>{"Step"}</button>
            if !trains {
                <button type="button" data-test="slow" aria-pressed={state.slow.to_string()}
                    disabled={loading || phase == Phase::Preparing || phase == Phase::Done || phase == Phase::Failed}
                    onclick={page.on(Action::Slow)} title="About four chain steps a second; press again to stop">{"Slow"}</button>
            }
            <button type="button" data-test="reset" disabled={state.run.is_none()} onclick={page.on(Action::Reset)}
                title="Throw this run away (r)">{"Reset"}</button>
        </div>
    }
}

fn run_label(phase: Phase) -> &'static str {
    match phase {
        Phase::Paused => "Continue",
        Phase::Done | Phase::Failed => "Run again",
        _ => "Run",
    }
}

fn light_label(state: &State) -> String {
    let name = state.card().light.unwrap_or("light");
    let seconds = state
        .estimate()
        .and_then(|e| e.light_seconds)
        .unwrap_or(f64::NAN);
    format!("Run {name} ({})", words::about(seconds))
}

fn full_label(state: &State) -> String {
    let seconds = state.estimate().map_or(f64::NAN, |e| e.seconds);
    format!("Run full ({})", words::about(seconds))
}
