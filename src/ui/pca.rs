//! The chart of logit-PCA.

use super::Page;
use super::chart::Chart;
use super::loss::look;
use super::size::use_width;
use crate::app::terms;
use crate::plot::panels;
use crate::protocol::PcaUpdate;
use yew::prelude::*;

/// The chart.
#[component]
pub fn PcaChart(page: &Page) -> Html {
    let node = use_node_ref();
    let state = &page.state;
    let look = look(state, use_width(&node));
    let none = PcaUpdate::default();
    let pca = match (&state.run, state.recorded()) {
        (Some(run), _) => &*run.pca,
        (None, Some(recorded)) => &recorded.pca,
        (None, None) => &none,
    };
    let chart = panels::pca(&look, &pca.steps, &pca.pcs, pca.explained);
    let drawn = chart.draw();
    let cursor = state
        .cursor
        .step
        .map(|step| chart.cursor(&drawn.frame, step));
    let step_at = {
        let frame = drawn.frame;
        let steps = pca.steps.clone();
        let points: Vec<[f64; 2]> = pca.pcs.iter().map(|p| [p[0], p[1]]).collect();
        Callback::from(move |px: [f64; 2]| {
            let chart = panels::pca(&look, &steps, &[], [0.0; 3]);
            crate::plot::path::PathChart {
                points: points.clone(),
                ..chart
            }
            .step_at(&frame, px)
        })
    };
    let terms = [
        ("PC1, PC2", terms::COMPONENTS),
        ("random walk", terms::WALK),
        ("colour", terms::RAMP),
    ]
    .map(|(name, help)| (name.to_string(), help.to_string()))
    .to_vec();
    html! {
        <Chart page={page.clone()} name="pca" title="Logit-PCA" {node} {cursor} points={drawn.points} scene={drawn.scene}
            help={terms::PCA} {terms} recorded={state.recorded()}
            empty={if state.run.is_some() { "The path begins with the second checkpoint." } else { "Press Run: the path of the outputs appears here." }}
            {step_at} />
    }
}
