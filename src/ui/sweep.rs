//! The map of a sweep: λ̂ over nβ and ε, its plateau, and what to adopt.

use super::Page;
use super::calibrate::shown;
use crate::app::Action;
use crate::app::health::short;
use crate::plot::number::{fixed, significant, with_error};
use crate::protocol::{Cell, CellResult, Study};
use yew::prelude::*;

/// The map of a sweep: nβ down, ε across.
pub(super) fn map(page: &Page, study: &Study) -> Html {
    let cells = &study.spec.cells;
    let sorted = |f: fn(&Cell) -> f64| {
        let mut v: Vec<f64> = cells.iter().map(f).collect();
        v.sort_by(f64::total_cmp);
        v.dedup();
        v
    };
    let (columns, rows) = (sorted(|c| c.eps), sorted(|c| c.nbeta));
    // Shades go by rank: one cell that ran off does not make all others look alike.
    let mut ranks: Vec<f64> = study.done.iter().filter_map(|r| r.value).collect();
    ranks.sort_by(f64::total_cmp);
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
                <thead><tr><th scope="col">{"nβ \\ ε"}</th>{ for columns.iter().map(|e| html! { <th scope="col">{ short(*e) }</th> }) }</tr></thead>
                <tbody>
                    { for rows.iter().map(|&nbeta| html! {
                        <tr><th scope="row">{ significant(nbeta, 3) }</th>
                            { for columns.iter().map(|&eps| match find(eps, nbeta) {
                                Some((at, cell, result)) => heat(page, study, at, cell, result, &ranks),
                                None => html! { <td>{"·"}</td> },
                            }) }
                        </tr>
                    }) }
                </tbody>
            </table>
            if study.over {
                <p data-test="advice">{ advice(study) }</p>
                { for study.slopes.iter().map(|s| html! {
                    <p>{ format!(
                        "Without L(w*): over these temperatures the mean loss falls as λ/nβ with λ = {} (misfit {} of 1 expected; far above it, the temperatures see different neighbourhoods).",
                        with_error(s.lambda, s.se), significant(s.misfit, 2)
                    ) }</p>
                }) }
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
    ranks: &[f64],
) -> Html {
    let below = |v: f64| ranks.partition_point(|&r| r < v) as f64;
    let share = result.value.map_or(0.0, below) / (ranks.len() as f64 - 1.0).max(1.0);
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
        short(cell.eps),
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

fn known(x: Option<f64>) -> String {
    x.map_or_else(|| "–".into(), |x| significant(x, 2))
}

fn advice(study: &Study) -> String {
    match study.recommended.and_then(|i| study.done.get(i as usize)) {
        Some(r) => study.spec.cells.get(r.cell as usize).map_or_else(String::new, |c| {
            format!(
                "Adopt nβ {} with ε {}: on the plateau, the largest step there, λ̂ {}.",
                significant(c.nbeta, 3), short(c.eps), shown(r)
            )
        }),
        None => "No cell lies on a plateau: λ̂ depends on ε everywhere here. A larger γ, more draws or a smaller ε may bring one.".into(),
    }
}
