//! The loss chart.

use super::Page;
use super::chart::{Chart, ToggleButton};
use super::size::use_width;
use crate::app::action::Toggle;
use crate::app::{Action, Run, State};
use crate::experiments::Panel;
use crate::plot::Scene;
use crate::plot::line::{Frame, Level, Line};
use crate::plot::panels::{self, Curve, Look};
use crate::protocol::Figure;
use yew::prelude::*;

/// Height of the charts in pixels.
pub const HEIGHT: f64 = 300.0;

/// How the charts look now.
pub fn look(state: &State, width: f64) -> Look {
    Look {
        width,
        height: HEIGHT,
        x_max: state.steps(),
        log_x: state.view.log_x,
        log_y: state.view.log_y,
        recorded: state.recorded().is_some(),
    }
}

/// A step under the pointer, where the axis is time.
pub fn step_under(frame: Frame, end: f64) -> Callback<[f64; 2], Option<f64>> {
    Callback::from(move |[x, _]: [f64; 2]| {
        let inside = x >= frame.x.from - 6.0 && x <= frame.x.to + 6.0;
        inside.then(|| frame.x.at(x).round().clamp(0.0, end))
    })
}

/// The class of a replica's curve: the k-gon it is at.
fn gon_class(figure: Option<&Figure>, replica: u32) -> &'static str {
    let Some(Figure::Superposition { gons, .. }) = figure else {
        return "";
    };
    let name = gons.get(replica as usize).map_or("", String::as_str);
    match name.bytes().next() {
        Some(b'4') => "g4",
        Some(b'5') => "g5",
        Some(b'6') => "g6",
        Some(b'7') => "g7",
        Some(b'8') => "g8",
        _ => "",
    }
}

/// The curves of a run: the card's losses of the replica followed, the other replicas behind them.
fn curves<'a>(state: &State, run: &'a Run) -> Vec<Curve<'a>> {
    let follow = state.follow();
    let mut out = Vec::new();
    let figure = run.figure.as_deref();
    let main = state.card().losses.iter().filter(|l| l.panel.main());
    for (i, spec) in main.enumerate() {
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
        if i == 0 {
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

/// Steps and values of a series: the run's, or before one the recorded.
pub fn series<'a>(state: &'a State, id: &str) -> Option<(&'a [f64], &'a [f64])> {
    match (&state.run, state.recorded()) {
        (Some(run), _) => run.series.get(id).map(|s| (&s.x[..], &s.y[..])),
        (None, Some(recorded)) => recorded.series.get(id).map(|s| (&s.x[..], &s.y[..])),
        (None, None) => None,
    }
}

/// The second panel, if the card has series for it.
fn below(state: &State, look: &Look) -> Option<Scene> {
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
    (!lines.is_empty()).then(|| {
        panels::lower(look, "accuracy (share of pairs)", lines)
            .draw()
            .scene
    })
}

/// The chart.
#[component]
pub fn LossChart(page: &Page) -> Html {
    let node = use_node_ref();
    let state = &page.state;
    let whole = look(state, use_width(&node));
    let second = below(
        state,
        &Look {
            height: HEIGHT * 0.42,
            ..whole
        },
    );
    let look = Look {
        height: if second.is_some() {
            HEIGHT * 0.58
        } else {
            HEIGHT
        },
        ..whole
    };
    let card = state.card();
    let unit = card.losses.first().map_or("", |l| l.unit);
    let knobs = state.run.as_ref().map_or(&state.link.knobs, |r| &r.knobs);
    let levels = (card.reference)(knobs)
        .into_iter()
        .map(|l| Level {
            y: l.y,
            label: l.label,
            help: l.help,
        })
        .collect();
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
    let sub = if curves.iter().any(|c| c.label.is_empty()) {
        "thin: the other replicas, now 4-gons orange, 5 blue, 6 green"
    } else {
        ""
    };
    let mut chart = panels::loss(&look, unit, &curves, levels);
    chart.quiet = state.cursor.step.is_some();
    let drawn = chart.draw();
    let cursor = state
        .cursor
        .step
        .map(|step| chart.cursor(&drawn.frame, step));
    html! {
        <div class="stacked">
        <Chart page={page.clone()} name="loss" title="Loss" sub={sub} {node} {cursor} points={drawn.points} scene={drawn.scene}
            help="How wrong the model is on fixed data, and the levels theory knows."
            recorded={state.recorded().map(|r| r.label())}
            empty={if state.run.is_some() { "The first evaluation is on its way." } else { "Press Run: the loss appears here." }}
            step_at={step_under(drawn.frame, look.x_max)}>
            <span class="toggles">
                <ToggleButton label="log step" help="Logarithmic time on all charts" on={state.view.log_x}
                    press={page.on(Action::View(Toggle::LogX))} />
                <ToggleButton label="log loss" help="Logarithmic loss" on={state.view.log_y}
                    press={page.on(Action::View(Toggle::LogY))} />
            </span>
        </Chart>
        { for second.map(|s| Html::from_html_unchecked(s.svg().into())) }
        </div>
    }
}
