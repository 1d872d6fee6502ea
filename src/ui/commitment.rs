//! Commitment: branches from stored checkpoints with other data, and the share that ends like the run.

use super::Page;
use super::keep::Keep;
use super::progress::Progress;
use super::size::use_width;
use super::tip::Tip;
use crate::app::commitment::{self, BRANCHES, CHECKPOINTS, Point, Size};
use crate::app::{Action, Run, study, terms, words};
use crate::math::stats::wilson;
use crate::plot::line::Line;
use crate::plot::number::{fixed, grouped};
use crate::plot::panels::{Look, lower};
use crate::protocol::StudyKind;
use yew::prelude::*;

/// The share over the steps of the run.
fn chart(page: &Page, run: &Run, points: &[Point], width: f64) -> Html {
    let known: Vec<(f64, [f64; 3])> = points
        .iter()
        .filter_map(|p| Some((p.step as f64, p.share?)))
        .collect();
    let x: Vec<f64> = known.iter().map(|p| p.0).collect();
    let [y, lo, hi] = [0, 1, 2].map(|i| known.iter().map(|p| p.1[i]).collect::<Vec<f64>>());
    let look = Look {
        width,
        height: 190.0,
        x_max: run.steps as f64,
        log_x: page.state.view.log_x,
        log_y: false,
        recorded: false,
        window: None,
    };
    let line = Line {
        label: "ends alike".into(),
        class: "s0".into(),
        x: &x,
        y: &y,
        lo: &lo,
        hi: &hi,
        dots: true,
        ..Line::default()
    };
    let mut chart = lower(
        &look,
        "share of the branches that end like the run",
        vec![line],
    );
    chart.upto = Some(1.0);
    let title = "Commitment: branches with other data from each checkpoint, 95 % interval";
    Keep::new("commitment", title).still(page, chart.draw().scene)
}

fn row(p: &Point) -> Html {
    let share = p.share.map_or("–".to_string(), |[share, low, high]| {
        if low == high {
            return fixed(share, 2);
        }
        format!(
            "{} ({} to {})",
            fixed(share, 2),
            fixed(low, 2),
            fixed(high, 2)
        )
    });
    html! { <tr><th scope="row">{ grouped(p.step) }</th><td>{ share }</td><td>{ p.told.clone() }</td></tr> }
}

/// How much is done, and what each choice costs: branches down, checkpoints across.
fn choices(
    run: &Run,
    from: u64,
    size: &UseStateHandle<Size>,
    seconds: impl Fn(f64) -> Option<f64>,
) -> Html {
    let wide = |n: usize| {
        commitment::spec(
            run,
            from,
            Size {
                branches: 1,
                checkpoints: n,
            },
        )
        .cells
        .len()
    };
    // Where a run has few checkpoints, two choices may come to the same.
    let mut across: Vec<(usize, usize)> = CHECKPOINTS.iter().map(|&n| (n, wide(n))).collect();
    across.dedup_by_key(|c| c.1);
    let cell = |branches: u32, checkpoints: usize| {
        let one = Size {
            branches,
            checkpoints,
        };
        let runs = commitment::runs(&commitment::spec(run, from, one), run.steps);
        let models = format!("{} runs", fixed(runs, 0));
        let told = seconds(runs).map_or(models.clone(), words::duration);
        let id = format!(
            "commit-{branches}-{}",
            if checkpoints == usize::MAX {
                "all".into()
            } else {
                checkpoints.to_string()
            }
        );
        let size = size.clone();
        // What comes to the same is the same choice.
        let on = size.branches == branches && wide(size.checkpoints) == wide(checkpoints);
        let help = format!(
            "{branches} branches from each checkpoint: as many training steps as {models} of one model"
        );
        html! { <td><button type="button" class="small" data-test={id} aria-pressed={on.to_string()} title={help} onclick={move |_| size.set(one)}>{ told }</button></td> }
    };
    html! {
        <div class="table"><table class="regimes" data-test="commit-size">
            <thead><tr><th scope="col">{"branches"}</th>
                { for across.iter().map(|c| html! { <th scope="col">{ format!("{} checkpoints", c.1) }</th> }) }
                <th scope="col" title="Wilson's 95 % interval on the share where every branch ends like the run">{"95 % interval if all end alike"}</th></tr></thead>
            <tbody>{ for BRANCHES.iter().map(|&b| html! {
                <tr><th scope="row">{ b }</th>{ for across.iter().map(|c| cell(b, c.0)) }
                    <td>{ format!("{} to 1", fixed(wilson(1.0, b).0, 2)) }</td></tr>
            }) }</tbody>
        </table></div>
    }
}

/// The section.
#[component]
pub fn Commitment(page: &Page) -> Html {
    let size = use_state(Size::default);
    let node = use_node_ref();
    let width = use_width(&node).min(760.0);
    let state = &page.state;
    let Some(run) = state.run.as_ref() else {
        return Html::default();
    };
    let from = state.link.course.branch.as_ref().map_or(0, |b| b.from);
    let spec = commitment::spec(run, from, *size);
    let steps: Vec<String> = spec.cells.iter().map(|c| grouped(c.step)).collect();
    // A step of the form is one of each of its models.
    let models = run.knobs.int("replicas").max(1) as f64;
    let before = || state.estimate().map_or(0.0, |e| e.steps_per_s);
    let rate = models * if run.rate > 0.0 { run.rate } else { before() };
    let seconds = |runs: f64| (rate > 0.0).then(|| runs * run.steps as f64 / rate);
    // What a run of one checkpoint is was settled before it.
    if run.over() && steps.len() < 2 {
        return html! { <p class="muted" data-test="commitment" ref={node}>{"Branches have to leave two checkpoints at least, and this run has one."}</p> };
    }
    let busy = run.study.as_ref().is_some_and(|s| !s.over);
    let study = study::of(run, StudyKind::Commitment);
    let points = study.map_or(Vec::new(), |s| commitment::points(s, run.steps));
    let alike = state.card().event.alike;
    html! {
        <section data-test="commitment" aria-label="Commitment" ref={node}>
            <p>{ format!("When was it settled what this run becomes? {} models are trained on from each of the checkpoints {}, each with other data. Two have ended alike where {alike}. ", size.branches, steps.join(", ")) }<Tip about="commitment">{ terms::of("commitment") }</Tip></p>
            { choices(run, from, &size, seconds) }
            <p class="jobs"><span class="job">
                <button type="button" data-test="study-commitment" disabled={busy || !run.over() || steps.len() < 2} title="Trains on from stored checkpoints with other data; the run itself stays as it is." onclick={page.on(Action::Study(spec))}>{"Train branches"}</button>
            </span>{ if run.over() { "" } else { " Once the run is at its end." } }</p>
            if let Some(study) = study { <Progress study={(**study).clone()} page={page.clone()} /> }
            { for study.and_then(|s| commitment::nothing_open(s, &points).or_else(|| commitment::settled(s, &points, run.steps))).map(|told| html! { <p data-test="nothing-open">{ told }</p> }) }
            if !points.is_empty() {
                { chart(page, run, &points, width) }
                <div class="table"><table class="figures">
                    <thead><tr><th>{"from step"}</th><th>{"share that ends like the run"}</th><th>{"how they end"}</th></tr></thead>
                    <tbody>{ for points.iter().map(row) }</tbody>
                </table></div>
            }
        </section>
    }
}
