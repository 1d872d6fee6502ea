//! Several models of one run: when each makes its transition, and whom λ̂ and the figure follow.

use super::size::use_width;
use super::{Page, leads, transitions};
use crate::app::seeds::{self, Member};
use crate::app::{Action, terms};
use crate::plot::number::{fixed, grouped, significant};
use crate::plot::ranges::{self, ranges};
use yew::prelude::*;

/// Seeds that are offered where there is one.
const SEVERAL: i64 = 8;

fn step(x: f64) -> String {
    grouped(x.max(0.0).round() as u64)
}

fn member(page: &Page, m: &Member, followed: bool, over: bool) -> Html {
    let (half, width) = match &m.transition {
        Some(t) => (
            step(t.t50),
            format!("{} ({} decades)", step(t.t90 - t.t10), fixed(t.width(), 2)),
        ),
        None => (seeds::lacking(m, over).into(), "–".into()),
    };
    html! {
        <tr>
            <td><button type="button" class="small" aria-pressed={followed.to_string()} data-test={format!("seed-{}", m.replica)}
                onclick={page.on(Action::Follow(m.replica))}>{ m.seed.to_string() }</button></td>
            <td data-test={format!("half-{}", m.replica)}>{ half }</td><td>{ width }</td>
            <td>{ m.last.map_or("–".into(), |y| significant(y, 3)) }</td>
        </tr>
    }
}

/// A run of one seed: what several would show, and the way there.
fn door(page: &Page) -> Html {
    let state = &page.state;
    let asked = state.link.knobs.int("replicas");
    html! {
        <>
            <p>{terms::of("seeds: one")}</p>
            <p class="jobs"><span class="job">
                if asked < 2 {
                    <button type="button" data-test="eight-seeds" disabled={state.link.course.branch.is_some()} title="Sets how many seeds there are; nothing starts yet"
                        onclick={page.on(Action::Knob("replicas".into(), SEVERAL.to_string()))}>{"Set eight seeds"}</button>
                    <span class="small-print">{ seeds::cost(state, SEVERAL) }</span>
                } else {
                    <button type="button" class="primary" data-test="start-seeds" onclick={page.on(Action::Start)}>{ format!("Start with {asked} seeds") }</button>
                    <button type="button" onclick={page.on(Action::Knob("replicas".into(), "1".into()))}>{"One after all"}</button>
                    <span class="small-print">{ seeds::cost(state, asked) }</span>
                }
            </span></p>
        </>
    }
}

/// The section.
#[component]
pub fn Seeds(page: &Page) -> Html {
    let node = use_node_ref();
    let width = use_width(&node).min(760.0);
    let Some(run) = page.state.run.as_ref() else {
        return Html::default();
    };
    let card = page.state.card();
    if run.knobs.int("replicas") < 2 {
        return html! { <section data-test="seeds" aria-label="Seeds" ref={node}>{ door(page) }</section> };
    }
    let members = seeds::members(run, card);
    let follow = page.state.follow();
    let rows: Vec<ranges::Row> = members
        .iter()
        .map(|m| ranges::Row {
            name: format!("seed {}", m.seed),
            lacking: seeds::lacking(m, run.over()),
            at: m.transition.map(|t| [t.t10, t.t50, t.t90]),
            followed: m.replica == follow,
        })
        .collect();
    let (label, unit) = card
        .losses
        .iter()
        .find(|l| l.id == card.behaviour)
        .map_or(("", ""), |l| (l.label, l.unit));
    let window = page.state.view.window;
    let window = window.map(|(a, b)| [a as f64, b as f64]);
    let scene = ranges(
        &rows,
        width,
        page.state.steps(),
        page.state.view.log_x,
        window,
    );
    html! {
        <section data-test="seeds" aria-label="Seeds" ref={node}>
            <p>{ format!("The transition is that of “{label}”, from its median over the first fifth of its steps (where half of the way is done sooner, over what lies before) to that over its last tenth; it counts once it is ten times the scatter of that tenth, so not while the curve still falls fast. {}", seeds::summary(&members, run.over())) }</p>
            { transitions::rows(page, &scene, format!("From 10 to 90 % of the way of “{label}”, half done at the dot")) }
            <div class="table"><table class="figures">
                <thead><tr><th>{"seed (press: λ̂, PCA and figure follow it)"}</th><th>{"half done at step"}</th><th>{"10 to 90 %, steps"}</th><th>{ format!("{label} now, {unit}") }</th></tr></thead>
                <tbody>{ for members.iter().map(|m| member(page, m, m.replica == follow, run.over())) }</tbody>
            </table></div>
            { transitions::distribution(page, &members, width) }
            { leads::leads(page, run, &members) }
        </section>
    }
}
