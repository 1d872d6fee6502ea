//! The loss chart.

use super::Page;
use super::branch;
use super::chart::{Chart, ToggleButton};
use super::meanings::{levels, meanings, measured};
use super::plot::{Strip, step_under, strip};
use super::size::use_width;
use super::spread::{self, layers, line};
use super::stages::bands;
use crate::app::action::Toggle;
use crate::app::link::parse;
use crate::app::spread::{Layers, count, members};
use crate::app::{Action, State, scrub, seeds, terms};
use crate::experiments::{Panel, SeriesSpec};
use crate::knobs::Knobs;
use crate::plot::line::Line;
use crate::plot::panels::{self, Curve, Look};
use std::borrow::Cow;
use yew::prelude::*;

/// Height of the charts in pixels.
pub const HEIGHT: f64 = 300.0;

/// How the charts look now.
pub fn look(state: &State, width: f64) -> Look {
    Look {
        width: width / state.view.scale(),
        height: HEIGHT,
        x_max: state.steps(),
        window: state.view.window.map(|(a, b)| [a as f64, b as f64]),
        log_x: state.view.log_x,
        log_y: state.view.log_y,
        recorded: state.recorded().is_some(),
    }
}

/// Steps and values of a series: the run's, or before one the recorded.
pub fn series<'a>(state: &'a State, id: &str) -> Option<(&'a [f64], &'a [f64])> {
    match (&state.run, state.recorded()) {
        (Some(run), _) => {
            let own = seeds::followed(run, id).or_else(|| run.series.get(id));
            own.map(|s| (&s.x[..], &s.y[..]))
        }
        (None, Some(recorded)) => recorded.series.get(id).map(|s| (&s.x[..], &s.y[..])),
        (None, None) => None,
    }
}

/// The settings of what is drawn.
fn settings(state: &State) -> Cow<'_, Knobs> {
    match (&state.run, state.recorded()) {
        (Some(run), _) => Cow::Borrowed(&run.knobs),
        (None, Some(recorded)) => Cow::Owned(parse(&recorded.link).knobs),
        (None, None) => Cow::Borrowed(&state.link.knobs),
    }
}

/// The second panel, if the card has series for it.
fn below(page: &Page, look: &Look) -> Option<Strip> {
    let state = &page.state;
    let below: fn(Panel) -> bool = |panel| panel == Panel::Below;
    let all = state.run.as_ref().map(|run| layers(state, run, below));
    let recorded = |(i, l): (usize, &'static SeriesSpec)| {
        let (x, y) = series(state, l.id)?;
        Some(Line {
            label: l.label.into(),
            class: format!("s{i}"),
            x,
            y,
            ..Line::default()
        })
    };
    let lines: Vec<Line> = match &all {
        Some(all) => all.all().map(line).collect(),
        None => {
            let specs = state.card().losses.iter().filter(|l| below(l.panel));
            specs.enumerate().filter_map(recorded).collect()
        }
    };
    if lines.is_empty() {
        return None;
    }
    let mut lower = panels::lower(look, state.card().below, lines);
    lower.lines.splice(0..0, branch::losses(state, below));
    lower.levels = levels(state.card(), &settings(state), Panel::Below);
    Some(strip(page, lower))
}

/// The chart.
#[component]
pub fn LossChart(page: &Page) -> Html {
    let node = use_node_ref();
    let state = &page.state;
    let whole = look(state, use_width(&node));
    // A panel with lines of its own needs room for their names.
    let lined = !levels(state.card(), &settings(state), Panel::Below).is_empty();
    let share = if lined { 0.5 } else { 0.42 };
    let second = below(
        page,
        &Look {
            height: HEIGHT * share,
            ..whole
        },
    );
    let look = Look {
        height: if second.is_some() {
            HEIGHT * (1.0 - share)
        } else {
            HEIGHT
        },
        ..whole
    };
    let card = state.card();
    let unit = card.losses.first().map_or("", |l| l.unit);
    let terms = meanings(card, &settings(state));
    let mut levels = levels(card, &settings(state), Panel::Main);
    levels.extend(measured(card, |id| series(state, id)?.1.last().copied()));
    let layers = state
        .run
        .as_ref()
        .map(|run| layers(state, run, Panel::main));
    let chosen = layers.as_ref().map_or(&[][..], Layers::chosen).iter();
    let curves: Vec<Curve> = match state.recorded() {
        None => chosen
            .map(|(s, _, label)| Curve {
                label,
                x: &s.x,
                y: &s.y,
                class: "",
            })
            .collect(),
        Some(recorded) => card
            .losses
            .iter()
            .filter(|l| l.panel.main())
            .filter_map(|l| {
                recorded.series.get(l.id).map(|s| Curve {
                    label: l.label,
                    x: &s.x,
                    y: &s.y,
                    class: "",
                })
            })
            .collect(),
    };
    let (mut sub, mut twice) = (String::new(), Callback::noop());
    let mut chart = panels::loss(&look, unit, &curves, levels);
    if let Some(all) = &layers {
        chart.lines.splice(0..0, all.back().map(line));
        sub = spread::told(state, all, unit);
    }
    chart.lines.splice(0..0, branch::losses(state, Panel::main));
    chart.events.extend(branch::event(state));
    chart.events.extend(scrub::pinned(state));
    chart.quiet = state.cursor.step.is_some();
    chart.bands = bands(state);
    let drawn = chart.draw();
    let cursor = state
        .cursor
        .step
        .map(|step| chart.cursor(&drawn.frame, step));
    if let Some(run) = state.run.as_ref().filter(|r| count(r) > 1) {
        let main = card.losses.iter().filter(|l| l.panel.main());
        let all = main.flat_map(|l| members(run, l.id)).collect();
        twice = spread::follow(page, drawn.frame, all);
    }
    html! {
        <Chart page={page.clone()} name="loss" title="Loss" sub={sub} {node} {cursor} points={drawn.points} scene={drawn.scene}
            help={terms::of("loss")} {terms} below={second.into_iter().collect::<Vec<_>>()} recorded={state.recorded()}
            empty={if state.run.is_some() { "The first evaluation is on its way." } else { "Press Run: the loss appears here." }}
            step_at={step_under(drawn.frame, look.x_max)} {twice}>
            { spread::toggles(page) }
            <span class="toggles">
                <ToggleButton label="log step" on={state.view.log_x}
                    press={page.on(Action::View(Toggle::LogX))} />
                <ToggleButton label="log loss" on={state.view.log_y}
                    press={page.on(Action::View(Toggle::LogY))} />
            </span>
        </Chart>
    }
}
