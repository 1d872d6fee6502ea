//! Two checkpoints beside each other: the model at both, and every series with its change.

use super::Page;
use super::figure::{picture, stored};
use crate::app::compare::{Row, rows};
use crate::app::pairing::{self, Versus};
use crate::app::{Action, Run, scrub};
use crate::plot::number::grouped;
use yew::prelude::*;

/// The section; empty unless a step is held and another one is looked at.
pub fn compare(page: &Page) -> Html {
    let state = &page.state;
    let Some((run, held)) = state.run.as_ref().zip(scrub::held(state)) else {
        return Html::default();
    };
    let end = |steps: &[f64]| steps.last().map_or(0, |s| *s as u64);
    let looked = scrub::looked_at(state).unwrap_or_else(|| end(scrub::checkpoints(state)));
    if looked == held {
        return html! {
            <section class="compare" data-test="compare" aria-label="Two checkpoints">
                <p class="muted">{ format!("Step {} is pinned: move to another one, and the two stand here beside each other.", grouped(held)) }</p>
            </section>
        };
    }
    let steps = [held.min(looked), held.max(looked)];
    let table = rows(run, state.card(), state.follow(), steps);
    html! {
        <section class="compare" data-test="compare" aria-label="Two checkpoints">
            <h2>{ format!("Step {} and step {}", grouped(steps[0]), grouped(steps[1])) }</h2>
            if pairing::offered(state) {
                <p><button type="button" data-test="compare-tokens" title="Which tokens does the later checkpoint predict better, and by which heads?"
                    onclick={page.on(Action::Versus(Versus::Steps(steps)))}>{"Compare them token by token"}</button></p>
            }
            { figures(&table, steps, true) }
            if table.iter().any(|r| !r.main) {
                <details><summary>{"Every other series"}</summary>{ figures(&table, steps, false) }</details>
            }
            <div class="both">{ for steps.map(|step| one(page, run, step)) }</div>
        </section>
    }
}

/// The curves of the charts, or all the others.
fn figures(table: &[Row], steps: [u64; 2], main: bool) -> Html {
    html! {
        <table class="figures">
            <thead><tr><th scope="col"></th>
                { for steps.map(|s| html! { <th scope="col">{ format!("step {}", grouped(s)) }</th> }) }
                <th scope="col">{"Δ"}</th></tr></thead>
            <tbody>{ for table.iter().filter(|r| r.main == main).map(|r| html! {
                <tr><th scope="row">{ &r.name }</th><td>{ &r.a }</td><td>{ &r.b }</td><td>{ &r.change }</td></tr>
            }) }</tbody>
        </table>
    }
}

fn one(page: &Page, run: &Run, step: u64) -> Html {
    let (figure, told) = stored(run, step);
    // Side by side a figure of another step would be taken for this one.
    let figure = figure.filter(|_| run.album.get(step).is_some());
    html! {
        <div class="figure" data-test={format!("compare-{step}")}>
            <p class="muted">{ if figure.is_some() { format!("Step {}", grouped(step)) } else { told } }</p>
            { figure.map(|f| picture(page, f, Some(step), true)).unwrap_or_default() }
        </div>
    }
}
