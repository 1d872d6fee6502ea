//! Several models of one run: when each makes its transition, whom λ̂ and the figure follow, and which
//! indicators give notice.

use super::Page;
use super::size::use_width;
use super::tip::Tip;
use super::transitions;
use crate::app::run::Run;
use crate::app::seeds::{self, Member, Row};
use crate::app::{Action, study, words};
use crate::plot::number::{fixed, grouped};
use crate::plot::ranges::{self, ranges};
use crate::protocol::StudyKind;
use yew::prelude::*;

fn step(x: f64) -> String {
    grouped(x.max(0.0).round() as u64)
}

fn member(page: &Page, m: &Member, followed: bool) -> Html {
    let (half, width) = match &m.transition {
        Some(t) => (
            step(t.t50),
            format!("{} ({} decades)", step(t.t90 - t.t10), fixed(t.width(), 2)),
        ),
        None => ("not so far".into(), "–".into()),
    };
    html! {
        <tr>
            <td><button type="button" class="small" aria-pressed={followed.to_string()} data-test={format!("seed-{}", m.replica)}
                onclick={page.on(Action::Follow(m.replica))}>{ m.seed.to_string() }</button></td>
            <td data-test={format!("half-{}", m.replica)}>{ half }</td><td>{ width }</td>
            <td>{ m.last.map_or("–".into(), |y| fixed(y, 2)) }</td>
        </tr>
    }
}

fn row(r: &Row) -> Html {
    let lead = &r.lead;
    let when = match (lead.median, lead.interval) {
        _ if lead.runs == 0 => "no curve yet".to_string(),
        (Some(m), Some((low, high))) => {
            format!("{} ({} to {})", fixed(m, 0), fixed(low, 0), fixed(high, 0))
        }
        (Some(m), None) => fixed(m, 0),
        (None, _) => "no alarm".into(),
    };
    let threshold = match r.threshold {
        Some((h, runs)) => format!("{} (the greatest of {runs} null runs)", fixed(h, 1)),
        None => "no null run is recorded".into(),
    };
    html! {
        <tr><th scope="row">{ r.indicator.label }</th><td>{ when }</td><td>{ format!("{} of {}", lead.before, lead.runs) }</td><td>{ threshold }</td></tr>
    }
}

const LEADS: &str = "Steps from an indicator's alarm to the step at which the behaviour is half done; negative where the alarm comes later. Median over the models, with a 95 % bootstrap interval. An alarm is two points in a row further from the median of the eight before them than the threshold, in deviations of those eight (median absolute deviation): it uses nothing that comes later.";
const THRESHOLD: &str = "The greatest such departure in recorded runs in which nothing happens: one-layer models, which cannot form an induction head. So none of them would have given an alarm; of one more such run, about one in so many would.";

fn leads(page: &Page, run: &Run, members: &[Member]) -> Html {
    let rows = seeds::rows(run, page.state.card(), members, seeds::nulls());
    if rows.is_empty() {
        return Html::default();
    }
    let steps: Vec<u64> = run.llc.points.iter().map(|p| p.step).collect();
    let spec = study::members(&run.knobs, &study::thinned(&steps, 40));
    let cost = words::chain_cost(run.point_s, &run.knobs, study::chain_steps(&spec));
    let busy = run.study.as_ref().is_some_and(|s| !s.over);
    let under_way = run
        .study
        .as_ref()
        .filter(|s| s.spec.kind == StudyKind::Members);
    let progress = under_way.map(|s| {
        format!(
            "λ̂ of {} of {} checkpoints",
            s.done.len(),
            s.spec.cells.len()
        )
    });
    html! {
        <>
            <h3>{"Who leads? "}<Tip about="leads">{ LEADS }</Tip></h3>
            <div class="table"><table class="figures" data-test="leads">
                <thead><tr><th>{"indicator"}</th><th>{"lead (steps)"}</th><th>{"alarm before half"}</th><th>{"threshold "}<Tip about="threshold">{ THRESHOLD }</Tip></th></tr></thead>
                <tbody>{ for rows.iter().map(row) }</tbody>
            </table></div>
            <p class="jobs"><span class="job">
                <button type="button" data-test="study-members" disabled={busy || steps.is_empty()} onclick={page.on(Action::Study(spec))}>{"λ̂ of every model"}</button>
                <span class="small-print">{ cost }</span>
                <Tip about="λ̂ of every model">{"λ̂ at every checkpoint of every model with the run's settings, from the stored weights; without it only the model that is followed has a λ̂ curve."}</Tip>
            </span>{" "}{ progress.unwrap_or_default() }</p>
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
    let members = seeds::members(run, card);
    let follow = page.state.follow();
    let rows: Vec<ranges::Row> = members
        .iter()
        .map(|m| ranges::Row {
            name: format!("seed {}", m.seed),
            at: m.transition.map(|t| [t.t10, t.t50, t.t90]),
            followed: m.replica == follow,
        })
        .collect();
    let done: Vec<f64> = members
        .iter()
        .filter_map(|m| Some(m.transition?.t50))
        .collect();
    let summary = match done.len() {
        0 => "None of the models has made its transition so far.".to_string(),
        n => format!(
            "{n} of {} models have made it, half done between steps {} and {}, median {}.",
            members.len(),
            step(done.iter().copied().fold(f64::INFINITY, f64::min)),
            step(done.iter().copied().fold(0.0, f64::max)),
            step(crate::math::stats::median(&done))
        ),
    };
    let label = card
        .losses
        .iter()
        .find(|l| l.id == card.behaviour)
        .map_or("", |l| l.label);
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
            <p>{ format!("The transition is that of “{label}”, from the median of its first fifth to that of its last tenth. {summary}") }</p>
            { transitions::rows(page, &scene) }
            <div class="table"><table class="figures">
                <thead><tr><th>{"seed (press: λ̂, PCA and figure follow it)"}</th><th>{"half done at step"}</th><th>{"10 to 90 %, steps"}</th><th>{"now"}</th></tr></thead>
                <tbody>{ for members.iter().map(|m| member(page, m, m.replica == follow)) }</tbody>
            </table></div>
            { transitions::distribution(page, &members, width) }
            { leads(page, run, &members) }
        </section>
    }
}
