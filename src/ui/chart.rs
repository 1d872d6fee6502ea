//! A chart's frame: title, toggles, the picture, the cursor on top, and what the pointer and the
//! arrow keys do. The picture itself comes as SVG text.

use super::Page;
use crate::app::Action;
use crate::plot::Scene;
use wasm_bindgen::JsCast;
use web_sys::Element;
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
    pub recorded: Option<String>,
    /// What stands in an empty chart.
    pub empty: AttrValue,
    /// The step at a pixel of the picture.
    pub step_at: Callback<[f64; 2], Option<f64>>,
    /// Toggles and small print.
    #[prop_or_default]
    pub children: Html,
}

/// The frame.
#[component]
pub fn Chart(props: &ChartProps) -> Html {
    let at = {
        let step_at = props.step_at.clone();
        move |e: &MouseEvent| -> Option<f64> {
            let plot: Element = e.current_target()?.unchecked_into();
            let rect = plot.get_bounding_client_rect();
            step_at.emit([
                f64::from(e.client_x()) - rect.left(),
                f64::from(e.client_y()) - rect.top(),
            ])
        }
    };
    let send = props.page.send.clone();
    let hover = {
        let (at, send) = (at.clone(), send.clone());
        Callback::from(move |e: PointerEvent| send.emit(Action::Hover(at(&e))))
    };
    let pin = {
        let send = send.clone();
        Callback::from(move |e: MouseEvent| {
            if let Some(step) = at(&e) {
                send.emit(Action::Pin(step));
            }
        })
    };
    let svg = Html::from_html_unchecked(props.scene.svg().into());
    let cursor = props
        .cursor
        .as_ref()
        .map(|c| Html::from_html_unchecked(c.svg().into()));
    let bare = props.points == 0 && props.recorded.is_none();
    html! {
        <figure class="chart" data-test={format!("chart-{}", props.name)}
            data-points={if props.recorded.is_some() { 0 } else { props.points }.to_string()}
            data-recorded={props.recorded.is_some().to_string()}>
            <figcaption>
                <h2 title={props.help.clone()}>{ &props.title }</h2>
                { props.children.clone() }
                <p class="sub">{ &props.sub }</p>
            </figcaption>
            <div class="plot-box" ref={props.node.clone()} tabindex="0"
                aria-label={format!("{}. Arrow keys move the cursor.", props.title)}
                onpointermove={hover} onpointerleave={props.page.on(Action::Hover(None))} onclick={pin}>
                { svg }
                if let Some(cursor) = cursor { <div class="overlay" aria-hidden="true">{ cursor }</div> }
                if bare { <p class="empty">{ &props.empty }</p> }
            </div>
            if let Some(origin) = &props.recorded { <p class="origin">{ origin }</p> }
        </figure>
    }
}

/// A toggle in a chart's title line.
#[derive(Clone, PartialEq, Properties)]
pub struct ToggleProps {
    /// What it says.
    pub label: AttrValue,
    /// What it does.
    pub help: AttrValue,
    /// On.
    pub on: bool,
    /// Pressed.
    pub press: Callback<MouseEvent>,
}

/// The toggle.
#[component]
pub fn ToggleButton(props: &ToggleProps) -> Html {
    html! {
        <button type="button" class="small" aria-pressed={props.on.to_string()} title={props.help.clone()}
            onclick={props.press.clone()}>{ &props.label }</button>
    }
}
