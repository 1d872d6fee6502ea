//! Calibration: λ̂ of the stored checkpoints at many settings of the sampler. A sweep as a map whose
//! cells can be adopted, Richardson's check, and the curve again with the form's settings.

use super::Page;
use super::lens::Lens;
use super::progress::Progress;
use super::sweep;
use super::tip::Tip;
use crate::app::{Action, parts, study, terms, words};
use crate::plot::cursor::nearest;
use crate::plot::number::{fixed, with_error};
use crate::protocol::{Cell, CellResult, Study, StudyKind, StudySpec};
use web_sys::HtmlSelectElement;
use yew::prelude::*;

/// The section.
#[component]
pub fn Calibrate(page: &Page) -> Html {
    let chosen = use_state(|| None::<u64>);
    let Some(run) = page.state.run.as_ref() else {
        return html! { <p class="muted">{"Calibration works on the checkpoints of a run: press Run first."}</p> };
    };
    let steps: Vec<u64> = run.llc.points.iter().map(|p| p.step).collect();
    let Some(&last) = steps.last() else {
        return html! { <p class="muted">{"Calibration begins with the first λ̂ point."}</p> };
    };
    let at_cursor = page.state.cursor.step.and_then(|s| nearest(&run.llc.x, s));
    let at = chosen.or(at_cursor.map(|i| steps[i])).unwrap_or(last);
    let pick = {
        let chosen = chosen.clone();
        Callback::from(move |e: Event| {
            if let Some(select) = e.target_dyn_into::<HtmlSelectElement>() {
                chosen.set(select.value().parse().ok());
            }
        })
    };
    let now = study::Setting::of(&run.knobs);
    let every = study::thinned(&steps, 40);
    // The greatest eigenvalue of the Hessian over these checkpoints, where it was measured.
    let steep = |of: &dyn Fn(u64) -> bool| {
        let points = run.llc.points.iter().filter(|p| of(p.step));
        (points.filter_map(|p| Some(p.curvature?.h_max))).reduce(f64::max)
    };
    let mut jobs: Vec<(&str, &str, &str, StudySpec)> = vec![
        (
            "sweep",
            "Sweep ε × nβ",
            terms::of("calibrate: sweep"),
            study::sweep(now, at),
        ),
        (
            "spring",
            "Sweep γ × nβ",
            terms::of("calibrate: spring"),
            study::spring(now, at, steep(&|step| step == at)),
        ),
        (
            "richardson",
            "Check ε against ε/4",
            terms::of("calibrate: richardson"),
            study::richardson(&page.state.link.knobs, &steps, at),
        ),
        (
            "again",
            "Estimate the curve again",
            terms::of("calibrate: again"),
            study::again(&page.state.link.knobs, &every),
        ),
        (
            "lens",
            "Locality lens",
            terms::of("calibrate: lens"),
            study::lens(now, &study::thinned(&steps, 16), steep(&|_| true)),
        ),
    ];
    let names = parts::alone(&run.knobs);
    if !names.is_empty() {
        let few = study::thinned(&steps, 10);
        jobs.push((
            "parts",
            "Part by part",
            terms::of("calibrate: parts"),
            study::parts(&page.state.link.knobs, &few, &names),
        ));
    }
    let busy = run.study.as_ref().is_some_and(|s| !s.over);
    html! {
        <section class="calibrate" data-test="calibrate" aria-label="Calibration">
            <p class="jobs">
                <label>{"At step "}
                    <select data-test="study-step" onchange={pick}>
                        { for steps.iter().map(|s| html! { <option value={s.to_string()} selected={*s == at}>{ fixed(*s as f64, 0) }</option> }) }
                    </select>
                </label>
                { for jobs.into_iter().map(|(id, title, help, spec)| {
                    let cost = words::chain_cost(run.point_s, &run.knobs, study::chain_steps(&spec));
                    html! {
                        <span class="job">
                            <button type="button" data-test={format!("study-{id}")} disabled={busy} onclick={page.on(Action::Study(spec))}>{ title }</button>
                            <span class="small-print">{ cost }</span>
                            <Tip about={title}>{ help }</Tip>
                        </span>
                    }
                }) }
            </p>
            if page.state.stale() {
                <p class="stale" data-test="adopted">
                    { format!("The form holds {}.", words::setting(&page.state.link.knobs)) }
                    <button type="button" onclick={page.on(Action::Start)}>{"Restart with these"}</button>
                    <span class="muted">{"“Estimate the curve again” needs no training: λ̂ with these settings at the stored checkpoints."}</span>
                </p>
            }
            // What another section asked for is shown there; here only that it is under way.
            if let Some(study) = run.study.as_ref().filter(|s| !s.over || s.spec.kind.calibrates()) {
                <Progress study={(**study).clone()} page={page.clone()} />
                { match study.spec.kind {
                    StudyKind::Sweep | StudyKind::Spring => sweep::map(page, study),
                    StudyKind::Lens => html! { <Lens ..page.clone() /> },
                    StudyKind::Richardson => richardson(study),
                    StudyKind::Again | StudyKind::Parts => html! { <Lens ..page.clone() /> },
                    _ => Html::default(),
                } }
            }
        </section>
    }
}

/// ε and ε/4 beside each other.
fn richardson(study: &Study) -> Html {
    let pairs: Vec<(&Cell, &CellResult, &CellResult)> = study
        .spec
        .cells
        .chunks(2)
        .enumerate()
        .filter_map(|(i, pair)| {
            let of = |k: usize| study.done.iter().find(|r| r.cell as usize == 2 * i + k);
            Some((pair.first()?, of(0)?, of(1)?))
        })
        .collect();
    html! {
        <table class="figures" data-test="richardson">
            <thead><tr><th scope="col">{"step"}</th><th scope="col">{"λ̂ at ε"}</th><th scope="col">{"λ̂ at ε/4"}</th><th scope="col">{"what it says"}</th></tr></thead>
            <tbody>{ for pairs.into_iter().map(|(cell, full, quarter)| html! {
                <tr><th scope="row">{ fixed(cell.step as f64, 0) }</th>
                    <td>{ shown(full) }</td><td>{ shown(quarter) }</td>
                    <td>{ verdict(full, quarter) }</td></tr>
            }) }</tbody>
        </table>
    }
}

fn verdict(full: &CellResult, quarter: &CellResult) -> String {
    let (Some(a), Some(b)) = (full.value, quarter.value) else {
        return "chains ran away".into();
    };
    let (gap, error) = (a - b, full.se.hypot(quarter.se));
    if gap.abs() <= 2.0 * error {
        "no bias seen beyond the errors".into()
    } else {
        // The bias of SGLD is linear in ε: three quarters of it lie between the two.
        format!(
            "ε biases λ̂ by about {} %",
            fixed(400.0 / 3.0 * gap / b.abs().max(f64::MIN_POSITIVE), 0)
        )
    }
}

/// λ̂ with its error.
pub(super) fn shown(r: &CellResult) -> String {
    r.value
        .map_or_else(|| "ran away".into(), |v| with_error(v, r.se))
}
