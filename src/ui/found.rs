//! What a comparison of two models found: the finding, totals, the histogram, files. The tables are in
//! `tokens`.

use super::Page;
use super::by_position::over_positions;
use super::save::{CSV, SaveChart, text_as_file};
use super::tip::Tip;
use super::tokens::{FEW, heads, list, percent, table, totals};
use crate::app::against::FLOOR;
use crate::app::export::signed;
use crate::app::terms;
use crate::app::versus::{BIN, By, Told, csv, groups, histogram, json, ranked};
use crate::experiments::versus::kinds;
use crate::plot::histogram::{self as drawn, Row};
use crate::plot::number::{grouped, with_error};
use crate::protocol::Compared;
use web_sys::HtmlSelectElement;
use yew::prelude::*;

/// What is shown.
#[derive(Clone, PartialEq, Properties)]
pub struct FoundProps {
    /// State and actions.
    pub page: Page,
    /// Width in pixels.
    pub width: f64,
}

/// The result.
#[component]
pub fn Found(props: &FoundProps) -> Html {
    let state = &props.page.state;
    let by = use_state(|| 0_usize);
    let view = state.versus.clone();
    let floor = state
        .pair
        .as_ref()
        .and_then(|p| p.against.as_ref())
        .map_or(FLOOR, |a| a.floor);
    let told = use_memo((view.clone(), floor.to_bits()), |(view, floor)| {
        let found = view.as_ref()?.found.as_ref()?;
        Some(Told::of(found, f64::from_bits(*floor)))
    });
    let (Some(told), Some(view)) = ((*told).as_ref(), view) else {
        return Html::default();
    };
    let Some(found) = &view.found else {
        return Html::default();
    };
    let pick = {
        let by = by.clone();
        Callback::from(move |e: Event| {
            let picked = e.target_dyn_into::<HtmlSelectElement>();
            by.set(
                picked
                    .and_then(|s| usize::try_from(s.selected_index()).ok())
                    .unwrap_or(0),
            );
        })
    };
    let offered = By::there(&found.set);
    let chosen = offered[(*by).min(offered.len() - 1)].0;
    let all = groups(&told.targets, chosen, &found.set);
    let [best, worst] = ranked(&told.targets, FEW);
    html! {
        <div class="found" data-test="versus-found" data-sum={told.whole.sum.to_string()}>
            <p><b data-test="versus-headline">{ headline(told, found) }</b></p>
            { devices(found) }
            { totals(&props.page, told, found) }
            <h3>{"Where the difference is, by "}
                <select aria-label="Grouped by" data-test="versus-by" onchange={pick}>
                    { for offered.iter().enumerate().map(|(i, (_, _, name))| html! { <option selected={i == *by}>{ *name }</option> }) }
                </select>{" "}<Tip about="the groups">{ kinds(state.link.experiment) }{" "}{ terms::of("found: groups") }</Tip>
            </h3>
            { table(&all, told.differs()) }
            <h3>{"How Δ is spread "}<Tip about="the histogram">{terms::of("found: spread")}</Tip></h3>
            { spread(props, told, found) }
            { over_positions(&props.page, told, found, props.width, origin(&props.page)) }
            <h3>{"Tokens that A predicts better"}</h3>
            { list(&best, told, &found.set) }
            <h3>{"Tokens that B predicts better"}</h3>
            { list(&worst, told, &found.set) }
            <h3>{"Heads that make the difference "}<Tip about="the heads">{ terms::of("tokens: removed") }</Tip></h3>
            { heads(told) }
            { files(props, floor) }
        </div>
    }
}

/// The finding in a sentence.
fn headline(told: &Told, found: &Compared) -> String {
    let all = &told.whole;
    if all.sum == 0.0 {
        return "The two predict every token alike.".into();
    }
    if !told.differs() {
        let mean = with_error(all.mean, all.se);
        return format!(
            "On average the two cannot be told apart: mean Δ {mean} nats a token. There is no whole for groups or heads to be shares of."
        );
    }
    let better = if all.mean > 0.0 { "A" } else { "B" };
    let by = with_error(all.mean.abs(), all.se);
    let kinds = groups(&told.targets, By::Kind, &found.set);
    let part = kinds.first().map(|g| {
        let share = match g.share {
            Some(s) if s > 1.0 => format!(
                "All of that, and more ({}; elsewhere it is the other way), is",
                percent(g.share)
            ),
            _ => format!("{} of that is", percent(g.share)),
        };
        format!(
            " {share} “{}”: {} nats a token on {} of {} targets.",
            g.name,
            with_error(g.mean.abs(), g.se),
            grouped(g.count as u64),
            grouped(all.count as u64)
        )
    });
    format!(
        "{better} predicts better, by {by} nats a token.{}",
        part.unwrap_or_default()
    )
}

fn devices(found: &Compared) -> Html {
    let [a, b] = [0, 1].map(|i| &found.sides[i].device);
    if a == b {
        return Html::default();
    }
    html! { <p class="muted">{ format!("A was trained on {a}, B on {b}: last digits may differ from what one device would give.") }</p> }
}

/// The histogram, with its two buttons.
fn spread(props: &FoundProps, told: &Told, found: &Compared) -> Html {
    let (from, bins) = histogram(&told.targets, BIN);
    let row = |k: usize| Row {
        name: found.set.names[k].clone(),
        counts: bins.iter().map(|b| b[k]).collect(),
    };
    // In the order in which they stand in a sequence.
    let rows: Vec<Row> = [1, 0, 2]
        .map(row)
        .into_iter()
        .filter(|r| r.counts.iter().any(|n| *n > 0))
        .collect();
    let scene = drawn::histogram(
        &rows,
        from,
        BIN,
        "Δ (nats), above 0: A does better",
        props.width,
    );
    html! {
        <figure class="chart" data-test="versus-histogram">
            { Html::from_html_unchecked(scene.svg().into()) }
            <SaveChart page={props.page.clone()} name="compare-histogram" scenes={vec![scene]} own={origin(&props.page)} />
        </figure>
    }
}

/// Where the numbers come from, for what is saved of them.
pub fn origin(page: &Page) -> Option<AttrValue> {
    let pair = page.state.pair.as_ref()?;
    Some(format!("lambdahat {}, {}", crate::VERSION, pair.hash(true)).into())
}

/// The link of the comparison, and its numbers as files.
fn files(props: &FoundProps, floor: f64) -> Html {
    let state = &props.page.state;
    let link = state
        .pair
        .as_ref()
        .map(|p| p.hash(true))
        .unwrap_or_default();
    let save = |table: bool| {
        let (view, named) = (state.versus.clone(), link.clone());
        Callback::from(move |_: MouseEvent| {
            let Some((found, view)) = view.as_ref().and_then(|v| Some((v.found.as_ref()?, v)))
            else {
                return;
            };
            if table {
                let rows = signed(&named, &csv(found, floor));
                text_as_file("lambdahat-compare.csv", "text/csv", &rows);
            } else {
                let text = json(found, &view.spec, floor).to_string();
                text_as_file("lambdahat-compare.json", "application/json", &text);
            }
        })
    };
    html! {
        <p class="jobs">
            <label>{"The link of this comparison "}<input readonly=true data-test="versus-link" value={link.clone()} /></label>
            <button type="button" class="small" data-test="versus-csv" title={format!("Every target, a row each. {CSV}")} onclick={save(true)}>{"CSV"}</button>
            <button type="button" class="small" data-test="versus-json" title="Totals, groups, tokens in context, heads, every target" onclick={save(false)}>{"JSON"}</button>
        </p>
    }
}
