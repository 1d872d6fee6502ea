//! The bar on top: what runs, where it is, on what, and the buttons.

use super::Page;
use super::actions::Buttons;
use super::chooser::pickers;
use super::clipboard::CopyLink;
use super::exports::export_menu;
use super::tip::hint;
use crate::app::{press, study, words};
use crate::plot::number::{grouped, significant};
use crate::protocol::{DeviceKind, Phase};
use yew::prelude::*;

/// The bar.
pub fn top_bar(page: &Page) -> Html {
    html! {
        <header class="top">
            <h1>{"lambdahat"}</h1>
            { pickers(page) }
            <Buttons ..page.clone() />
            { progress(page) }
            { device(page) }
            <CopyLink ..page.clone() />
            { export_menu(page) }
        </header>
    }
}

/// Phase, step, rate and time left.
fn progress(page: &Page) -> Html {
    let state = &page.state;
    let phase = state.phase();
    let (step, steps) = state
        .run
        .as_ref()
        .map_or((0, state.cost().steps), |r| (r.step, r.steps));
    let chains = state.chain_steps();
    let detail = match chains {
        Some(_) if phase != Phase::Preparing => String::new(),
        _ => words::phase_detail(phase),
    };
    let (at, of) = chains.unwrap_or((step, steps));
    let (told, meaning) = match chains {
        Some(_) => (
            format!("chain step {} of {}", grouped(at), grouped(of)),
            "Steps the chains have taken, burn-in included.",
        ),
        None => (
            format!("step {} / {}", grouped(at), grouped(of)),
            "Training steps done, of all.",
        ),
    };
    let active = state.run.as_ref().filter(|r| r.active());
    let rate = active.map_or(0.0, |r| r.rate);
    let left = active.and_then(|r| r.left_s);
    let loading = state.device.is_none() && state.fault.is_none();
    let run = state.run.as_ref();
    let study = run.and_then(|r| study::under_way(r));
    let studying = study.and_then(|s| words::studying(s));
    let studying = studying.or_else(|| words::comparing(&state.versus.as_deref()?.stage));
    html! {
        <div class="progress" data-test="status">
            <span aria-live="polite">
                <b data-test="phase">{ words::phase(phase) }</b>
                if !detail.is_empty() { <span class="detail">{ format!(" {detail}") }</span> }
                if loading { <span class="detail">{ if press::waits(state) { " the run begins when the engine is up" } else { " engine is starting" } }</span> }
            </span>
            if let Some(told) = studying { <span data-test="studying">{ told }</span> }
            <span data-test="stepno" data-step={step.to_string()} data-chain-step={chains.map(|c| c.0.to_string())}>{ hint(&told, meaning) }</span>
            if rate > 0.0 { { hint(&format!("{}/s", significant(rate, 2)), "Training steps per second.") } }
            if let Some(left) = left { { hint(&format!("{} left", words::duration(left)), "Estimated from what was measured here, the time for λ̂ included.") } }
            <progress max={of.max(1).to_string()} value={at.to_string()} aria-label="Progress" />
        </div>
    }
}

/// What the run runs on.
fn device(page: &Page) -> Html {
    let state = &page.state;
    let (class, text, why) = match &state.device {
        Some(device) => {
            let class = if device.kind == DeviceKind::Gpu {
                "gpu"
            } else {
                "cpu"
            };
            let why = state.why_cpu.as_ref().map(words::why_cpu);
            let why = why.map_or_else(
                || device.name.clone(),
                |told| format!("{} {}", told.what, told.safe),
            );
            (class, words::device(device), why)
        }
        None => (
            "none",
            "no engine yet".into(),
            "The engine is starting.".into(),
        ),
    };
    html! {
        <span class={classes!("device", class)} data-test="device" data-kind={class}>{ hint(&text, &why) }</span>
    }
}
