//! Where nothing is trained, the chains are what there is to watch: their losses, λ̂ as the draws come
//! in, where they walk, and what one step is made of.

use super::Page;
use super::chart::Chart;
use super::diagnosis::above;
use super::loss::look;
use super::plot::step_under;
use super::posterior::Posterior;
use super::size::use_width;
use super::split::OneStep;
use crate::app::{State, terms, words};
use crate::experiments;
use crate::knobs::Knobs;
use crate::plot::line::{Level, LineChart};
use crate::plot::panels::Look;
use crate::plot::trace;
use crate::protocol::{TraceView, Truth};
use std::rc::Rc;
use yew::prelude::*;

/// Settings of the run, or of the form before one.
fn settings(state: &State) -> &Knobs {
    state.run.as_ref().map_or(&state.link.knobs, |r| &r.knobs)
}

/// The target and λ, to compare the running estimate with.
fn levels(truth: Option<&Truth>) -> Vec<Level> {
    let Some(truth) = truth else {
        return Vec::new();
    };
    let level = |y: f64, label: &str, help: &str| Level {
        y,
        label: label.into(),
        help: help.into(),
    };
    let target = truth.value.filter(|y| y.is_finite());
    let target = target.map(|y| level(y, "target", "What λ̂ must be at this nβ, γ and ε."));
    let limit = level(truth.lambda, "λ", "What λ̂ tends to as nβ grows.");
    target.into_iter().chain([limit]).collect()
}

/// ‖w − w*‖ where only the spring γ holds: √(d/γ).
fn free(state: &State, gamma: f64) -> Option<Level> {
    let d = state.cost().params as f64;
    (gamma > 0.0).then(|| Level {
        y: (d / gamma).sqrt(),
        label: "√(d/γ)".into(),
        help: "Where chains stand that the spring alone holds.".into(),
    })
}

/// The charts and the step.
#[component]
pub fn Chains(page: &Page) -> Html {
    let chosen = use_state(|| 0usize);
    let node = use_node_ref();
    let state = &page.state;
    let width = use_width(&node);
    let (id, knobs) = (state.card().id, settings(state));
    let known = use_memo((id, knobs.clone()), |(id, knobs)| {
        (
            levels(experiments::truth_of(id, knobs).as_ref()),
            experiments::potential_of(id, knobs).map(Rc::new),
        )
    });
    let (levels, potential) = &*known;
    let run = state.run.as_ref();
    let t: Rc<TraceView> = run.and_then(|r| r.trace.clone()).unwrap_or_default();
    let look = Look {
        x_max: state.chain_steps().map_or(1.0, |s| s.1 as f64),
        window: None,
        log_x: false,
        log_y: false,
        ..look(state, width)
    };
    let first = t.x.len().saturating_sub(t.running.len());
    let columns = trace::columns(&t.running);
    let unit = state.card().losses.first().map_or("", |l| l.unit);
    // A few steps taken by hand are to be seen: the axis grows in round steps to its whole length.
    let mut steps = 100.0;
    while steps < t.done as f64 {
        steps *= 2.0;
    }
    let near = Look {
        x_max: look.x_max.min(steps),
        ..look
    };
    let (above, noise) = above(&t);
    let losses = trace::losses(&near, unit, &t.x, &above, &noise);
    let running = trace::running(&look, &t.x[first..], &columns, levels.clone());
    let chart = |name: &'static str,
                 title: &'static str,
                 help: &'static str,
                 mut chart: LineChart,
                 node: NodeRef,
                 empty: &str| {
        chart.quiet = state.cursor.step.is_some();
        let drawn = chart.draw();
        let cursor = state.cursor.step.map(|s| chart.cursor(&drawn.frame, s));
        let sub = if name == "llc" {
            words::setting(knobs)
        } else {
            String::new()
        };
        html! {
            <Chart page={page.clone()} {name} {title} {sub} {node} {cursor} points={drawn.points} scene={drawn.scene}
                {help} terms={Vec::new()} recorded={None} empty={empty.to_string()}
                step_at={step_under(drawn.frame, chart.x_max)} />
        }
    };
    let burnin = knobs.int("burnin");
    let waits = match (run.is_some(), knobs.int("chains")) {
        (_, 0) => "chains = 0: λ̂ is not estimated.".to_string(),
        (true, _) => format!("The draws begin at step {burnin}, after burn-in."),
        (false, _) => "Press Run or Step: λ̂ appears here, draw by draw.".into(),
    };
    let walk = match potential {
        Some(potential) => html! {
            <Posterior page={page.clone()} trace={t.clone()} potential={potential.clone()} knobs={knobs.clone()} chosen={*chosen} />
        },
        None => {
            let distance =
                trace::distance(&look, &t.x, &t.distance, free(state, knobs.float("gamma")));
            chart(
                "distance",
                "Distance",
                terms::of("distance"),
                distance,
                NodeRef::default(),
                "Press Run or Step: how far the chains go from w* appears here.",
            )
        }
    };
    let choose = {
        let chosen = chosen.clone();
        Callback::from(move |c: usize| chosen.set(c))
    };
    let losses = chart(
        "loss",
        "Losses of the chains",
        terms::of("chain losses"),
        losses,
        node,
        "Press Run or Step: the loss of each chain appears here.",
    );
    let running = chart(
        "llc",
        "λ̂",
        terms::of("llc"),
        running,
        NodeRef::default(),
        &waits,
    );
    match potential {
        Some(potential) => html! {
            <div class="charts two">
                { walk }
                <OneStep page={page.clone()} trace={t.clone()} potential={potential.clone()} knobs={knobs.clone()} chosen={*chosen} {choose} />
                { losses }
                { running }
            </div>
        },
        None => html! { <div class="charts">{ losses }{ running }{ walk }</div> },
    }
}
