//! Calibration: λ̂ of the checkpoints that are already there, at many settings of the sampler. A
//! sweep as a map whose cells can be adopted, Richardson's check, and the curve again with the
//! form's settings, without training again.

use super::Page;
use super::lens::Lens;
use crate::app::{Action, study, words};
use crate::plot::cursor::nearest;
use crate::plot::number::{fixed, significant, with_error};
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
    let jobs: Vec<(&str, &str, &str, StudySpec)> = vec![
        (
            "sweep",
            "Sweep ε × nβ",
            "λ̂ at 5 × 5 settings around the run's own, at this checkpoint",
            study::sweep(now, at),
        ),
        (
            "richardson",
            "Check ε against ε/4",
            "Richardson's check at the first, this and the last checkpoint: where the two differ by more than their errors, ε is too large",
            study::richardson(&page.state.link.knobs, &steps, at),
        ),
        (
            "again",
            "Estimate the curve again",
            "λ̂ at every checkpoint with the settings of the form, from the stored weights",
            study::again(&page.state.link.knobs, &every),
        ),
        (
            "lens",
            "Locality lens",
            "λ̂ over training at nβ from a hundredth of the run's to ten times it: from a mirror of the loss to a local quantity",
            study::lens(now, &study::thinned(&steps, 24), 1.0),
        ),
    ];
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
                            <span class="tip" tabindex="0" aria-label={format!("About: {title}")}>{"i"}<span role="tooltip">{ help }</span></span>
                        </span>
                    }
                }) }
            </p>
            if let Some(study) = &run.study {
                <Progress study={(**study).clone()} page={page.clone()} />
                { match study.spec.kind {
                    StudyKind::Sweep => sweep(page, study),
                    StudyKind::Lens => html! { <Lens ..page.clone() /> },
                    StudyKind::Richardson => richardson(study),
                    StudyKind::Again | StudyKind::Parts => html! { <Lens ..page.clone() /> },
                } }
            }
        </section>
    }
}

#[derive(Clone, PartialEq, Properties)]
struct ProgressProps {
    study: Study,
    page: Page,
}

/// How far a study is, and a way to stop it.
#[component]
fn Progress(props: &ProgressProps) -> Html {
    let (done, all) = (props.study.done.len(), props.study.spec.cells.len());
    html! {
        <p class="progress" role="status" data-test="study" data-done={done.to_string()} data-over={props.study.over.to_string()}>
            <progress max={all.to_string()} value={done.to_string()} />
            { format!(" {done} of {all} estimates") }
            if !props.study.over {
                { props.study.left_s.map(|s| format!(", {} left ", words::about(s))).unwrap_or_default() }
                <button type="button" class="small" onclick={props.page.on(Action::StopStudy)}>{"Stop"}</button>
            }
        </p>
    }
}

/// The map of a sweep: nβ down, ε across.
fn sweep(page: &Page, study: &Study) -> Html {
    let cells = &study.spec.cells;
    let sorted = |f: fn(&Cell) -> f64| {
        let mut v: Vec<f64> = cells.iter().map(f).collect();
        v.sort_by(f64::total_cmp);
        v.dedup();
        v
    };
    let (columns, rows) = (sorted(|c| c.eps), sorted(|c| c.nbeta));
    let (low, high) = study
        .done
        .iter()
        .filter_map(|r| r.value)
        .fold((f64::MAX, f64::MIN), |(lo, hi), x| (lo.min(x), hi.max(x)));
    let find = |eps: f64, nbeta: f64| {
        let cell = cells
            .iter()
            .position(|c| c.eps == eps && c.nbeta == nbeta)?;
        let at = study.done.iter().position(|r| r.cell as usize == cell)?;
        Some((at as u32, &cells[cell], &study.done[at]))
    };
    let step = cells.first().map_or(0, |c| c.step);
    html! {
        <>
            <table class="heat" data-test="sweep">
                <caption>{ format!("λ̂ at step {}. ", fixed(step as f64, 0)) }
                    <span class="small-print">{"A double frame marks the plateau, where λ̂ does not depend on ε; ★ is the setting to adopt; α is the mean acceptance. Click a cell to put its nβ and ε into the form."}</span>
                </caption>
                <thead><tr><th scope="col">{"nβ \\ ε"}</th>{ for columns.iter().map(|e| html! { <th scope="col">{ significant(*e, 2) }</th> }) }</tr></thead>
                <tbody>
                    { for rows.iter().map(|&nbeta| html! {
                        <tr><th scope="row">{ significant(nbeta, 3) }</th>
                            { for columns.iter().map(|&eps| match find(eps, nbeta) {
                                Some((at, cell, result)) => heat(page, study, at, cell, result, (low, high)),
                                None => html! { <td>{"·"}</td> },
                            }) }
                        </tr>
                    }) }
                </tbody>
            </table>
            if study.over {
                <p data-test="advice">{ advice(study) }</p>
            }
        </>
    }
}

fn heat(
    page: &Page,
    study: &Study,
    at: u32,
    cell: &Cell,
    result: &CellResult,
    (low, high): (f64, f64),
) -> Html {
    let share = if high > low {
        (result.value.unwrap_or(low) - low) / (high - low)
    } else {
        0.5
    };
    let star = if study.recommended == Some(at) {
        " ★"
    } else {
        ""
    };
    let value = if let Some(value) = result.value {
        with_error(value, result.se)
    } else {
        "ran away".into()
    };
    let class = classes!(
        "cell",
        study.plateau.contains(&at).then_some("plateau"),
        result.value.is_none().then_some("lost"),
        (share > 0.55).then_some("bright"),
    );
    let told = format!(
        "nβ {}, ε {}: λ̂ {value}, acceptance {}, R̂ {}, ε·a/4 {}",
        significant(cell.nbeta, 3),
        significant(cell.eps, 2),
        known(result.accept),
        known(result.rhat),
        known(result.index)
    );
    html! {
        <td class={class} style={format!("--heat:{}", fixed(share.clamp(0.0, 1.0) * 100.0, 0))}>
            <button type="button" aria-label={told.clone()} onclick={page.on(Action::Adopt { nbeta: cell.nbeta, gamma: cell.gamma, eps: cell.eps })}>
                { value }{ star }<span class="small-print">{ format!("α {}", known(result.accept)) }</span>
            </button>
        </td>
    }
}

/// λ̂ with its error.
fn shown(r: &CellResult) -> String {
    r.value
        .map_or_else(|| "ran away".into(), |v| with_error(v, r.se))
}

fn known(x: Option<f64>) -> String {
    x.map_or_else(|| "–".into(), |x| significant(x, 2))
}

fn advice(study: &Study) -> String {
    match study.recommended.and_then(|i| study.done.get(i as usize)) {
        Some(r) => study.spec.cells.get(r.cell as usize).map_or_else(String::new, |c| {
            format!(
                "Adopt nβ {} with ε {}: on the plateau, the largest step there, λ̂ {}.",
                significant(c.nbeta, 3), significant(c.eps, 2), shown(r)
            )
        }),
        None => "No cell lies on a plateau: λ̂ depends on ε everywhere here. A larger γ, more draws or a smaller ε may bring one.".into(),
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
