//! The loss chart.

use super::Page;
use super::branch;
use super::chart::{Chart, ToggleButton};
use super::meanings::{levels, meanings};
use super::plot::{Strip, step_under, strip};
use super::size::use_width;
use super::stages::bands;
use crate::app::action::Toggle;
use crate::app::{Action, Run, State, gons, seeds, terms};
use crate::experiments::Panel;
use crate::knobs::Knobs;
use crate::plot::line::Line;
use crate::plot::panels::{self, Curve, Look};
use crate::protocol::Figure;
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

/// The class of a replica's curve: the k-gon it is at.
fn gon_class(figure: Option<&Figure>, replica: u32) -> &'static str {
    let Some(Figure::Superposition { gons, .. }) = figure else {
        return "";
    };
    gons.get(replica as usize).map_or("", |g| gons::class(g))
}

/// The curves of a run: the card's losses of the replica followed, the other replicas behind them.
fn curves<'a>(state: &State, run: &'a Run) -> Vec<Curve<'a>> {
    let follow = state.follow();
    let mut out = Vec::new();
    let figure = run.figure.as_deref();
    let main = state.card().losses.iter().filter(|l| l.panel.main());
    for spec in main {
        let members: Vec<_> = run.members(spec.id).collect();
        let followed = members.iter().find(|m| m.0 == follow).map(|m| m.1);
        let first = run.series.get(spec.id);
        if let Some(main) = followed.or(first) {
            out.push(Curve {
                label: spec.label,
                x: &main.x,
                y: &main.y,
                class: "",
            });
        }
        if spec.id == state.card().behaviour {
            let others = members.iter().filter(|m| m.0 != follow).map(|m| (m.0, m.1));
            let zero = first.filter(|_| followed.is_some()).map(|s| (0, s));
            out.extend(others.chain(zero).map(|(n, s)| Curve {
                label: "",
                x: &s.x,
                y: &s.y,
                class: gon_class(figure, n),
            }));
        }
    }
    out
}

/// Steps and values of a series: the run's, of the replica followed; or before one the recorded.
pub fn series<'a>(state: &'a State, id: &str) -> Option<(&'a [f64], &'a [f64])> {
    match (&state.run, state.recorded()) {
        (Some(run), _) => seeds::followed(run, id)
            .or(run.series.get(id))
            .map(|s| (&s.x[..], &s.y[..])),
        (None, Some(recorded)) => recorded.series.get(id).map(|s| (&s.x[..], &s.y[..])),
        (None, None) => None,
    }
}

/// The settings of what is drawn.
fn settings(state: &State) -> &Knobs {
    state.run.as_ref().map_or(&state.link.knobs, |r| &r.knobs)
}

/// The second panel, if the card has series for it.
fn below(page: &Page, look: &Look) -> Option<Strip> {
    let state = &page.state;
    let specs = state
        .card()
        .losses
        .iter()
        .filter(|l| l.panel == Panel::Below);
    let lines: Vec<Line> = specs
        .enumerate()
        .filter_map(|(i, l)| {
            let (x, y) = series(state, l.id)?;
            Some(Line {
                label: l.label.into(),
                class: format!("s{i}"),
                x,
                y,
                ..Line::default()
            })
        })
        .collect();
    if lines.is_empty() {
        return None;
    }
    let mut lower = panels::lower(look, state.card().below, lines);
    if !look.recorded {
        lower.levels = levels(state.card(), settings(state), Panel::Below);
    }
    Some(strip(page, lower))
}

/// The chart.
#[component]
pub fn LossChart(page: &Page) -> Html {
    let node = use_node_ref();
    let state = &page.state;
    let whole = look(state, use_width(&node));
    // A panel with lines of its own needs room for their names.
    let lined = !levels(state.card(), settings(state), Panel::Below).is_empty();
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
    let terms = meanings(card, settings(state));
    let levels = levels(card, settings(state), Panel::Main);
    let curves = match (&state.run, state.recorded()) {
        (Some(run), _) => curves(state, run),
        (None, Some(recorded)) => card
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
        (None, None) => Vec::new(),
    };
    let sub = match state.run.as_ref().and_then(|r| r.figure.as_deref()) {
        Some(Figure::Superposition { gons, .. }) if gons.len() > 1 => gons::legend(gons),
        _ => String::new(),
    };
    let mut chart = panels::loss(&look, unit, &curves, levels);
    chart.lines.splice(0..0, branch::losses(state));
    chart.events.extend(branch::event(state));
    chart.quiet = state.cursor.step.is_some();
    chart.bands = bands(state);
    let drawn = chart.draw();
    let cursor = state
        .cursor
        .step
        .map(|step| chart.cursor(&drawn.frame, step));
    html! {
        <Chart page={page.clone()} name="loss" title="Loss" sub={sub} {node} {cursor} points={drawn.points} scene={drawn.scene}
            help={terms::LOSS} {terms} below={second.into_iter().collect::<Vec<_>>()} recorded={state.recorded()}
            empty={if state.run.is_some() { "The first evaluation is on its way." } else { "Press Run: the loss appears here." }}
            step_at={step_under(drawn.frame, look.x_max)}>
            <span class="toggles">
                <ToggleButton label="log step" on={state.view.log_x}
                    press={page.on(Action::View(Toggle::LogX))} />
                <ToggleButton label="log loss" on={state.view.log_y}
                    press={page.on(Action::View(Toggle::LogY))} />
            </span>
        </Chart>
    }
}
