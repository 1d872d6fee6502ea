//! Where in a sequence two models differ: the mean of Δ at every position.

use super::Page;
use super::save::SaveChart;
use super::tip::Tip;
use crate::app::terms;
use crate::app::versus::{Told, by_position};
use crate::plot::LineChart;
use crate::plot::line::{Level, Line};
use crate::protocol::Compared;
use yew::prelude::*;

/// The chart with its buttons; nothing where there are no positions to speak of.
pub fn over_positions(
    page: &Page,
    told: &Told,
    found: &Compared,
    width: f64,
    own: Option<AttrValue>,
) -> Html {
    let [x, y, se] = by_position(&told.targets, &found.set);
    if x.len() < 2 {
        return Html::default();
    }
    let end = |sign: f64| -> Vec<f64> { y.iter().zip(&se).map(|(y, se)| y + sign * se).collect() };
    let (lo, hi) = (end(-1.0), end(1.0));
    let chart = LineChart {
        width,
        height: 220.0,
        label: "Mean Δ at each position of a sequence".into(),
        y_title: "mean Δ (nats a token), ± 1 SE".into(),
        x_max: found.set.ctx.saturating_sub(1) as f64,
        along: "position",
        from_zero: true,
        lines: vec![Line {
            label: "Δ".into(),
            class: "s4".into(),
            x: &x,
            y: &y,
            lo: &lo,
            hi: &hi,
            dots: false,
            ..Line::default()
        }],
        levels: vec![Level {
            y: 0.0,
            label: "alike".into(),
            help: "Above it A predicts better, below it B.".into(),
        }],
        ..LineChart::default()
    };
    let scene = chart.draw().scene;
    html! {
        <>
            <h3>{"Where in the sequence "}<Tip about="Δ by position">{ terms::of("by position") }</Tip></h3>
            <figure class="chart" data-test="versus-positions" data-points={x.len().to_string()}>
                { Html::from_html_unchecked(scene.svg().into()) }
                <SaveChart page={page.clone()} name="compare-positions" scenes={vec![scene]} {own} />
            </figure>
        </>
    }
}
