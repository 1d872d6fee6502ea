//! A chart's frame: title, the meaning of its terms, toggles, the picture, where it comes from.

use super::Page;
use super::plot::{Plot, Strip};
use super::save::SaveChart;
use super::tip::{Term, terms};
use crate::app::recorded::Recorded;
use crate::plot::Scene;
use yew::prelude::*;

/// What a chart shows.
#[derive(Clone, PartialEq, Properties)]
pub struct ChartProps {
    /// State and actions.
    pub page: Page,
    /// Its name for tests.
    pub name: AttrValue,
    /// Its title.
    pub title: AttrValue,
    /// What the title means.
    pub help: AttrValue,
    /// The terms on it, each with its meaning.
    pub terms: Vec<Term>,
    /// Small print under the title: with which settings.
    #[prop_or_default]
    pub sub: AttrValue,
    /// Where its width is measured.
    pub node: NodeRef,
    /// The picture.
    pub scene: Scene,
    /// The cursor, if there is one.
    pub cursor: Option<Scene>,
    /// Drawn data points of the main curve.
    pub points: usize,
    /// Where a recorded trace comes from, if it is one.
    pub recorded: Option<&'static Recorded>,
    /// What stands in an empty chart.
    pub empty: AttrValue,
    /// The step at a pixel of the picture.
    pub step_at: Callback<[f64; 2], Option<f64>>,
    /// Its axis is time.
    #[prop_or(true)]
    pub time: bool,
    /// What a double click at a pixel of the picture does.
    #[prop_or_default]
    pub twice: Callback<[f64; 2]>,
    /// Lower panels.
    #[prop_or_default]
    pub below: Vec<Strip>,
    /// Toggles and small print.
    #[prop_or_default]
    pub children: Html,
}

/// The frame.
#[component]
pub fn Chart(props: &ChartProps) -> Html {
    let below = props.below.iter();
    let scenes: Vec<Scene> = std::iter::once(&props.scene)
        .chain(below.clone().map(|s| &s.scene))
        .cloned()
        .collect();
    let bare = props.points == 0 && props.recorded.is_none();
    html! {
        <figure class="chart" data-test={format!("chart-{}", props.name)}
            data-points={if props.recorded.is_some() { 0 } else { props.points }.to_string()}
            data-recorded={props.recorded.is_some().to_string()}>
            <figcaption>
                <h2>{ &props.title }{" "}{ terms(&props.title, &props.help, &props.terms) }</h2>
                { props.children.clone() }
                <p class="sub">{ &props.sub }</p>
            </figcaption>
            <Plot page={props.page.clone()} label={props.title.clone()} node={props.node.clone()} scene={props.scene.clone()}
                cursor={props.cursor.clone()} step_at={props.step_at.clone()} time={props.time} twice={props.twice.clone()}>
                if bare { <p class="empty">{ &props.empty }</p> }
            </Plot>
            { for below.map(|s| s.shown.clone()) }
            if !bare { <SaveChart page={props.page.clone()} name={props.name.clone()} {scenes} /> }
            if let Some(r) = &props.recorded { <p class="origin">{ format!("{}, on {}; press Run for yours.", r.origin(), r.device) }
                if let Some(apart) = r.apart(&props.page.state.link.knobs) { <b>{ format!(" {apart}.") }</b> }</p> }
        </figure>
    }
}

/// A toggle in a chart's title line.
#[derive(Clone, PartialEq, Properties)]
pub struct ToggleProps {
    /// What it says.
    pub label: AttrValue,
    /// On.
    pub on: bool,
    /// Pressed.
    pub press: Callback<MouseEvent>,
}

/// The toggle.
#[component]
pub fn ToggleButton(props: &ToggleProps) -> Html {
    html! {
        <button type="button" class="small" aria-pressed={props.on.to_string()}
            onclick={props.press.clone()}>{ &props.label }</button>
    }
}
