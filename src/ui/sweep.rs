//! The map of a sweep: λ̂ over nβ and ε, or over nβ and γ, its plateau, and what to adopt.

use super::Page;
use super::calibrate::shown;
use super::lens::plain;
use crate::app::health::short;
use crate::app::{Action, terms};
use crate::plot::number::{fixed, significant, with_error};
use crate::protocol::{Cell, CellResult, Study, StudyKind};
use yew::prelude::*;

/// What goes across: ε or γ, with its symbol.
fn across(study: &Study) -> (fn(&Cell) -> f64, &'static str) {
    match study.spec.kind {
        StudyKind::Spring => (|c| c.gamma, "γ"),
        _ => (|c| c.eps, "ε"),
    }
}

/// The map of a sweep: nβ down, ε or γ across.
pub(super) fn map(page: &Page, study: &Study) -> Html {
    let cells = &study.spec.cells;
    let sorted = |f: fn(&Cell) -> f64| {
        let mut v: Vec<f64> = cells.iter().map(f).collect();
        crate::math::order::ascending(&mut v);
        v.dedup();
        v
    };
    let (column, symbol) = across(study);
    let (columns, rows) = (sorted(column), sorted(|c| c.nbeta));
    // Shades go by rank: one cell that ran off does not make all others look alike.
    let mut ranks: Vec<f64> = study.done.iter().filter_map(|r| r.value).collect();
    crate::math::order::ascending(&mut ranks);
    let find = |x: f64, nbeta: f64| {
        let cell = cells
            .iter()
            .position(|c| column(c) == x && c.nbeta == nbeta)?;
        let at = study.done.iter().position(|r| r.cell as usize == cell)?;
        Some((at as u32, &cells[cell], &study.done[at]))
    };
    let step = cells.first().map_or(0, |c| c.step);
    html! {
        <>
            <table class="heat" data-test="sweep">
                <caption>{ format!("λ̂ at step {}. ", fixed(step as f64, 0)) }
                    <span class="small-print">{ format!("A double frame marks the plateau, where λ̂ does not depend on {symbol}; ★ is the setting to adopt; α is the mean acceptance. Click a cell to put its nβ, γ and ε into the form.") }</span>
                </caption>
                <thead><tr><th scope="col">{ format!("nβ \\ {symbol}") }</th>{ for columns.iter().map(|x| html! { <th scope="col">{ if symbol == "γ" { plain(*x) } else { short(*x) } }</th> }) }</tr></thead>
                <tbody>
                    { for rows.iter().map(|&nbeta| html! {
                        <tr><th scope="row">{ plain(nbeta) }</th>
                            { for columns.iter().map(|&x| match find(x, nbeta) {
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
        "nβ {}, γ {}, ε {}: λ̂ {value}, acceptance {}, R̂ {}, ε·a/4 {}",
        plain(cell.nbeta),
        plain(cell.gamma),
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
    let spring = study.spec.kind == StudyKind::Spring;
    let best = study
        .recommended
        .and_then(|i| study.done.get(i as usize))
        .and_then(|r| Some((r, study.spec.cells.get(r.cell as usize)?)));
    match best {
        Some((r, c)) => format!(
            "Adopt nβ {}, γ {}, ε {}: on the plateau, the {} there, λ̂ {}.",
            plain(c.nbeta),
            plain(c.gamma),
            short(c.eps),
            if spring {
                "strongest spring"
            } else {
                "largest step"
            },
            shown(r)
        ),
        None if spring => terms::of("sweep: no plateau in γ").into(),
        None => terms::of("sweep: no plateau in ε").into(),
    }
}
