//! The stages of the run as a table under the charts, and as bands over them.

use super::Page;
use super::progress::Progress;
use super::tip::Tip;
use crate::app::{Action, Run, State, stages, study, terms, words};
use crate::knobs::Value;
use crate::plot::bands::Band;
use crate::plot::number::grouped;
use crate::protocol::{Stages, StudyKind};
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// The stages as bands over every chart whose axis is time.
pub fn bands(state: &State) -> Vec<Band> {
    state
        .stages()
        .map_or(Vec::new(), |all| stages::bands(state.card(), all))
}

/// The table: of the run, or before one of the recorded trace.
pub fn stage_table(page: &Page) -> Html {
    let state = &page.state;
    let live = state.run.is_some();
    let none = Stages::default();
    let all = state.stages().unwrap_or(&none);
    if all.stages.is_empty() {
        let points = state.run.as_ref().is_some_and(|r| !r.llc.points.is_empty());
        return html! {
            if points { <p class="muted" data-test="no-stages">{"Stages are looked for once there are enough λ̂ points."}</p> }
        };
    }
    let by_hand = if all.by_hand {
        " Boundaries by hand where it says so; the others keep the intervals they were found with."
    } else {
        ""
    };
    let llc = match (&state.run, state.recorded()) {
        (Some(run), _) => run.llc.points.first(),
        (None, recorded) => recorded.and_then(|r| r.llc.first()),
    };
    let before = match (llc, all.stages.first()) {
        (Some(p), Some(s)) if p.step < s.from => format!(
            " Before step {} λ̂ lies below 0: w* is no minimum there, and no stage is told.",
            grouped(s.from)
        ),
        _ => String::new(),
    };
    html! {
        <section class="stages" data-test="stages" data-stages={all.stages.len().to_string()} data-second={all.second.is_some().to_string()}
            data-by-hand={all.by_hand.to_string()} data-recorded={(!live).to_string()} aria-label="Stages">
            <h2>{ "Stages" }{" "}<Tip about="stages">{ terms::of("stages") }</Tip></h2>
            <p class="small-print">{ format!("From {} λ̂ points.{before}{by_hand}", all.points) }</p>
            <table class="figures" data-test="stage-rows">
                <thead><tr><th scope="col">{"stage"}</th><th scope="col">{"steps, 90 % interval of the end"}</th><th scope="col">{"type"}</th><th scope="col">{"Δλ̂"}</th>
                    <th scope="col">{"second setting"}</th><th scope="col">{"Δloss"}</th><th scope="col">{"moved most"}</th>
                    if live { <th scope="col">{"ends at"}</th> }</tr></thead>
                <tbody>{ for (0..all.stages.len()).map(|i| line(page, all, i)) }</tbody>
            </table>
            { again(page, all) }
            if let Some(r) = state.recorded() { <p class="origin">{ format!("{}; press Run for yours.", r.origin()) }</p> }
        </section>
    }
}

fn line(page: &Page, all: &Stages, i: usize) -> Html {
    let stage = &all.stages[i];
    let row = stages::row(page.state.card(), all, stage);
    html! {
        <tr><th scope="row">{ format!("{} {}", i + 1, stages::letter(stage)) }</th>
            <td>{ row.steps }</td><td>{ row.kind }</td><td>{ row.dllc }</td><td>{ row.settings }</td><td>{ row.dloss }</td><td>{ row.moved }</td>
            if page.state.run.is_some() { <td>{ end(page, all, i) }</td> }</tr>
    }
}

/// Where the last step of a stage is typed.
fn end(page: &Page, all: &Stages, i: usize) -> Html {
    let (send, cuts) = (page.send.clone(), all.clone());
    let moved = Callback::from(move |e: Event| {
        if let Some(input) = e.target_dyn_into::<HtmlInputElement>() {
            let to = input.value().trim().parse().ok();
            send.emit(Action::Cut(Some(stages::cut(&cuts, i, to))));
        }
    });
    html! {
        if i + 1 < all.stages.len() {
            <input type="number" min="1" step="1" value={all.stages[i].to.to_string()} onchange={moved} data-test={format!("stage-end-{i}")}
                aria-label={format!("Last step of stage {}; empty joins it with the next", i + 1)} />
        }
    }
}

/// The check at a second setting, under way or where none was made, and the boundaries as they were found.
fn again(page: &Page, all: &Stages) -> Html {
    let Some(run) = page.state.run.as_ref() else {
        return Html::default();
    };
    let check = study::of(run, StudyKind::Second).filter(|s| !s.over);
    let check = match (check, &run.study) {
        _ if all.stages.iter().all(|s| s.second.is_some()) => Html::default(),
        (_, Some(other)) if !other.over => {
            html! { <span class="small-print">{"Another job is under way."}</span> }
        }
        (Some(check), _) => html! { <Progress study={(**check).clone()} page={page.clone()} /> },
        (None, _) => button(page, run),
    };
    html! {
        <div class="jobs">
            { check }
            if all.by_hand {
                <button type="button" data-test="find-stages" onclick={page.on(Action::Cut(None))}>{"Find the boundaries again"}</button>
            }
        </div>
    }
}

fn button(page: &Page, run: &Run) -> Html {
    let steps: Vec<u64> = run.llc.points.iter().map(|p| p.step).collect();
    let spec = study::second(&run.knobs, &steps);
    let cost = words::chain_cost(run.point_s, &run.knobs, study::chain_steps(&spec));
    let nbeta = spec.cells.first().map_or(0.0, |c| c.nbeta);
    html! {
        <>
            <button type="button" data-test="second-setting" onclick={page.on(Action::Study(spec))}>
                { format!("Check the types at nβ {}", Value::Float(nbeta).text()) }</button>
            <span class="small-print">{ cost }</span>
        </>
    }
}
