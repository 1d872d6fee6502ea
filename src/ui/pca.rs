//! The chart of logit-PCA.

use super::Page;
use super::chart::{Chart, ToggleButton};
use super::loss::{HEIGHT, look};
use super::plot::{Strip, strip};
use super::size::use_width;
use crate::app::action::Toggle;
use crate::app::bends::{Bend, Bends, bends, marks, told};
use crate::app::scrub::held;
use crate::app::{Action, beside, terms};
use crate::plot::line::{Level, Line};
use crate::plot::panels::{self, Look};
use crate::protocol::PcaUpdate;
use yew::prelude::*;

/// How much the path bends at each checkpoint, with what noise and a random walk would give.
fn bent(page: &Page, look: &Look, bends: &Bends) -> Option<Strip> {
    let column = |f: fn(&Bend) -> f64| bends.all.iter().map(f).collect::<Vec<_>>();
    let (x, angle, noise) = (column(|b| b.step), column(|b| b.angle), column(|b| b.noise));
    let line = |label: &str, class: &str, y| Line {
        label: label.into(),
        class: class.into(),
        x: &x,
        y,
        dots: class == "s4",
        ..Line::default()
    };
    let lines = vec![
        line("noise", "s1 thin", &noise[..]),
        line("path", "s4", &angle[..]),
    ];
    let look = Look {
        height: HEIGHT * 0.38,
        ..*look
    };
    let mut chart = panels::lower(&look, "bend (degrees)", lines);
    chart.levels.push(Level {
        y: bends.arc,
        label: "drift".into(),
        help: "The most that the path of a random walk with as many checkpoints bends anywhere."
            .into(),
    });
    (!x.is_empty()).then(|| strip(page, chart))
}

/// The chart.
#[component]
pub fn PcaChart(page: &Page) -> Html {
    let (node, smooth) = (use_node_ref(), use_state(|| false));
    let state = &page.state;
    let whole = look(state, use_width(&node));
    let none = PcaUpdate::default();
    let pca = match (&state.run, state.recorded()) {
        (Some(run), _) => &*run.pca,
        (None, Some(recorded)) => &recorded.pca,
        (None, None) => &none,
    };
    let bends = bends(&pca.steps, &pca.pcs);
    let below = state
        .view
        .bends
        .then(|| bent(page, &whole, &bends))
        .flatten();
    let share = if below.is_some() { 0.62 } else { 1.0 };
    let look = Look {
        height: HEIGHT * share,
        ..whole
    };
    // In one plane with the run beside it, where both were looked at alike.
    let both = beside::shown(state).zip(state.run.as_ref().and_then(|r| r.beside.as_deref()));
    let (mut chart, mut sub) = (
        panels::pca(&look, &pca.steps, &pca.pcs, pca.explained),
        told(&bends),
    );
    if let Some((other, both)) = both {
        let first = both.at(0).len();
        let [x, y] = panels::order(both.explained);
        chart.steps = &both.steps;
        chart.points = both
            .members
            .iter()
            .flatten()
            .map(|p| [p[0], p[1]])
            .collect();
        chart.x_title = panels::common(x, both.explained[0], both.walk);
        chart.y_title = panels::common(y, both.explained[1], both.walk);
        chart.paths = vec![(0, other.name.into()), (first, String::new())];
        chart.faint = first;
        sub = format!(
            "Components of this run and its {} together. {sub}",
            other.name
        );
    }
    let first = chart.faint;
    chart.kinks = marks(&bends, &pca.steps, first);
    chart.smooth = *smooth;
    chart.pinned = held(state).map(|s| s as f64);
    let drawn = chart.draw();
    let cursor = state
        .cursor
        .step
        .map(|step| chart.cursor(&drawn.frame, step));
    let step_at = Callback::from(chart.step_at(&drawn.frame));
    let terms = [
        ("PC1, PC2", terms::of("components")),
        ("random walk", terms::of("walk")),
        ("colour", terms::of("ramp")),
        ("bends", terms::of("bends")),
        ("smooth", terms::of("smoothed")),
    ]
    .map(|(name, help)| (name.to_string(), help.to_string()))
    .to_vec();
    html! {
        <Chart page={page.clone()} name="pca" title="Logit-PCA" {node} {cursor} points={drawn.points - first} scene={drawn.scene}
            help={terms::of("pca")} {terms} below={below.into_iter().collect::<Vec<_>>()} recorded={state.recorded()}
            {sub}
            empty={if state.run.is_some() { "The path begins with the second checkpoint." } else { "Press Run: the path of the outputs appears here." }}
            {step_at} time={false}>
            if !bends.all.is_empty() {
                <span class="toggles">
                    <ToggleButton label="smooth" on={*smooth} press={Callback::from(move |_| smooth.set(!*smooth))} />
                    <ToggleButton label="bends" on={state.view.bends} press={page.on(Action::View(Toggle::Bends))} />
                </span>
            }
        </Chart>
    }
}
