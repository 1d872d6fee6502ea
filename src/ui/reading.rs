//! What a model of text makes of it: the loss by kind of token, what an earlier copy is worth, where it
//! thinks that lines end, a passage with the loss of each token.

use super::Page;
use super::heads::{definition, over_time, value_at};
use super::keep::Keep;
use super::loss::look;
use super::passage::passage;
use super::plot::SERIES;
use super::size::use_width;
use super::writing::Completions;
use crate::app::run::Run;
use crate::app::spread::Drawn;
use crate::app::{columns, scrub, seeds};
use crate::experiments::heads::TEXT;
use crate::plot::cursor::nearest;
use crate::plot::number::grouped;
use crate::plot::panels::Look;
use crate::protocol::Series;
use std::rc::Rc;
use yew::prelude::*;

/// Columns that are looked for.
const COLUMNS: usize = 121;
/// Kinds of tokens by chart, with the end of their series' ids and their names.
const CHARTS: [&[(&str, &str)]; 2] = [
    &[
        ("newline", "line end"),
        ("name_seen", "name seen"),
        ("name_new", "new name"),
        ("capital", "capital"),
        ("digit", "digit"),
    ],
    &[
        ("word", "begins word"),
        ("inside", "inside word"),
        ("mark", "space, mark"),
    ],
];

/// The tab.
#[component]
pub fn ReadingTab(page: &Page) -> Html {
    let node = use_node_ref();
    let width = use_width(&node);
    let Some(run) = &page.state.run else {
        return Html::default();
    };
    let all = look(&page.state, width);
    let half = Look {
        width: if all.width > 560.0 {
            ((all.width - 8.0) / 2.0).floor()
        } else {
            all.width
        },
        height: 200.0,
        ..all
    };
    let curve = |i: usize, id: String, label: &str| -> Option<Drawn> {
        let series = seeds::followed(run, &id)?.clone();
        Some((series, SERIES[i % SERIES.len()].to_string(), label.into()))
    };
    let kinds = |of: &&[(&str, &str)]| {
        let lines = of.iter().enumerate();
        let lines: Vec<Drawn> = lines
            .filter_map(|(i, (key, label))| curve(i, format!("loss.class.{key}"), label))
            .collect();
        let name = format!("text-{}", of[0].0);
        Keep::new(name, TEXT[0].title)
            .over_time(page, over_time(&half, "nats".into(), &lines, None))
    };
    let last = scrub::checkpoints(&page.state).last().map(|s| *s as u64);
    let step = scrub::looked_at(&page.state).or(last);
    html! {
        <section class="reading" data-test="reading" aria-label="Text" ref={node}>
            <h3>{"Loss by kind of token "}{ definition(&TEXT[0]) }</h3>
            <div class="multiples wide" data-test="kinds">{ for CHARTS.iter().map(kinds) }</div>
            { copied(page, run, &all) }
            if let Some(step) = step {
                { by_column(page, run, step as f64, &half) }
                { passage(page, run, step) }
                <Completions page={page.clone()} {step} />
            }
        </section>
    }
}

/// What an earlier copy is worth.
fn copied(page: &Page, run: &Run, all: &Look) -> Html {
    let Some(series) = run.series.get("copied") else {
        return Html::default();
    };
    let lines: Vec<Drawn> = vec![(series.clone(), "s0".into(), "copied − control".into())];
    let mut chart = over_time(
        &Look {
            height: 180.0,
            ..*all
        },
        "nats".into(),
        &lines,
        None,
    );
    for line in &mut chart.lines {
        (line.lo, line.hi) = (&series.lo, &series.hi);
    }
    html! {
        <div data-test="copied">
            <h3>{"What an earlier copy is worth "}{ definition(&TEXT[1]) }</h3>
            { Keep::new("copied", "What an earlier copy is worth").over_time(page, chart) }
        </div>
    }
}

/// The probability that a line ends, and the loss, by how long it is already.
fn by_column(page: &Page, run: &Run, step: f64, half: &Look) -> Html {
    // A value, and the upper end of its band.
    let at = |id: &str| -> Option<(f64, f64)> {
        let y = value_at(run, id, step)?;
        let series = seeds::followed(run, id)?;
        let end = nearest(&series.x, step).and_then(|i| series.hi.get(i));
        Some((y, end.map_or(0.0, |hi| hi - y)))
    };
    let found = |what: &str| -> Rc<Series> {
        let mut out = Series::default();
        for column in 0..COLUMNS {
            if let Some((y, se)) = at(&format!("column.{column}.{what}")) {
                out.x.push(column as f64);
                out.y.push(y);
                out.lo.push(y - se);
                out.hi.push(y + se);
            }
        }
        Rc::new(out)
    };
    let line = |what: &str, class: &str, label: &str| -> Drawn {
        (found(what), class.into(), label.into())
    };
    let chances = [
        line("ends", "s3", "by counting"),
        line("newline", "s0", "model"),
    ];
    if chances[1].0.x.len() < 2 {
        return Html::default();
    }
    let losses = [line("loss", "s1", "loss")];
    let last = chances[0].0.x.last().copied().unwrap_or(1.0);
    let chart = |lines: &[Drawn], title: &str, upto: Option<f64>| {
        let mut chart = over_time(half, title.into(), lines, upto);
        chart.x_max = last;
        (chart.log_x, chart.window) = (false, None);
        chart.along = "characters of the line so far";
        let told = format!(
            "{} at step {}",
            if upto.is_some() {
                "P(line end)"
            } else {
                "Loss"
            },
            grouped(step as u64)
        );
        Keep::new(
            if upto.is_some() {
                "columns"
            } else {
                "columns-loss"
            },
            told,
        )
        .still(page, chart.draw().scene)
    };
    html! {
        <>
        <div class="multiples wide" data-test="columns">
            <div><h3>{ format!("P(line end) by column, step {} ", grouped(step as u64)) }{ definition(&TEXT[2]) }</h3>{ chart(&chances, "probability", Some(1.0)) }</div>
            <div><h3>{ format!("Loss by column, step {} ", grouped(step as u64)) }{ definition(&TEXT[3]) }</h3>{ chart(&losses, "nats", None) }</div>
        </div>
        if let Some(told) = columns::told(at) { <p data-test="wrap">{ told }</p> }
        </>
    }
}
