//! A picture with the shared cursor on top, and what the pointer does on it. The picture itself
//! comes as SVG text.

use super::Page;
use super::stages::bands;
use crate::app::Action;
use crate::plot::{Frame, LineChart, Scene};
use wasm_bindgen::JsCast;
use web_sys::Element;
use yew::prelude::*;

/// Classes of curves side by side, told apart by colour and dashes.
pub const SERIES: [&str; 6] = ["s0", "s1", "s2", "s3", "s5", "s6"];

/// What a plot shows.
#[derive(Clone, PartialEq, Properties)]
pub struct PlotProps {
    /// State and actions.
    pub page: Page,
    /// What it is, for those who hear the page.
    pub label: AttrValue,
    /// Where its width is measured.
    #[prop_or_default]
    pub node: NodeRef,
    /// The picture.
    pub scene: Scene,
    /// The cursor, if there is one.
    pub cursor: Option<Scene>,
    /// The step at a pixel of the picture.
    pub step_at: Callback<[f64; 2], Option<f64>>,
    /// Its axis is time: a drag along it shows those steps alone.
    #[prop_or(true)]
    pub time: bool,
    /// What a double click at a pixel of the picture does.
    #[prop_or_default]
    pub twice: Callback<[f64; 2]>,
    /// What stands over it.
    #[prop_or_default]
    pub children: Html,
}

/// A lower panel, as it is shown and as it is saved.
#[derive(Clone, PartialEq)]
pub struct Strip {
    /// With the cursor.
    pub shown: Html,
    /// The picture alone.
    pub scene: Scene,
}

/// A lower panel: a line chart with the shared cursor, under the chart it belongs to.
pub fn strip(page: &Page, mut chart: LineChart) -> Strip {
    let step = page.state.cursor.step;
    chart.quiet = step.is_some();
    chart.bands = bands(&page.state);
    let drawn = chart.draw();
    let cursor = step.map(|step| chart.cursor(&drawn.frame, step));
    let scene = drawn.scene;
    let shown = html! {
        <Plot page={page.clone()} label={chart.label.clone()} scene={scene.clone()} {cursor}
            step_at={step_under(drawn.frame, chart.x_max)} />
    };
    Strip { shown, scene }
}

/// A step under the pointer, where the axis is time.
pub fn step_under(frame: Frame, end: f64) -> Callback<[f64; 2], Option<f64>> {
    Callback::from(move |[x, _]: [f64; 2]| {
        let inside = x >= frame.x.from - 6.0 && x <= frame.x.to + 6.0;
        inside.then(|| frame.x.at(x).round().clamp(0.0, end))
    })
}

/// Where the pointer is in a picture of that width, in the picture's own pixels: for a projector it is
/// drawn larger.
fn pixel(e: &MouseEvent, width: f64) -> Option<[f64; 2]> {
    // The current target is the page: yew listens there for all of it.
    let target = e.target()?.dyn_into::<Element>().ok()?;
    let plot = target.closest(".plot-box").ok()??;
    let rect = plot.get_bounding_client_rect();
    let scale = (width / rect.width()).max(0.0);
    Some([
        (f64::from(e.client_x()) - rect.left()) * scale,
        (f64::from(e.client_y()) - rect.top()) * scale,
    ])
}

/// Pixels a pointer moves before that is a drag.
const DRAG: i32 = 8;

/// What a drag has marked so far, between two client pixels.
fn dragged(node: &NodeRef, from: i32, to: i32) -> Html {
    let place = node.cast::<Element>();
    let left = place.map_or(0.0, |e| e.get_bounding_client_rect().left());
    let style = format!("left:{}px;width:{}px", f64::from(from) - left, to - from);
    html! { <div class="dragged" {style}></div> }
}

/// The plot.
#[component]
pub fn Plot(props: &PlotProps) -> Html {
    let at = {
        let (step_at, width) = (props.step_at.clone(), props.scene.width);
        move |e: &MouseEvent| -> Option<f64> { step_at.emit(pixel(e, width)?) }
    };
    let twice = {
        let (twice, width) = (props.twice.clone(), props.scene.width);
        Callback::from(move |e: MouseEvent| {
            if let Some(at) = pixel(&e, width) {
                twice.emit(at);
            }
        })
    };
    let send = props.page.send.clone();
    // Where a drag began and where it is: client pixel and step of each.
    let drag = use_state(|| None::<[(i32, f64); 2]>);
    let down = {
        let (at, drag, time) = (at.clone(), drag.clone(), props.time);
        Callback::from(move |e: PointerEvent| {
            let begun = at(&e).filter(|_| time && e.button() == 0);
            drag.set(begun.map(|step| [(e.client_x(), step); 2]));
        })
    };
    let hover = {
        let (at, send, drag) = (at.clone(), send.clone(), drag.clone());
        Callback::from(move |e: PointerEvent| {
            let step = at(&e);
            if let (Some([begun, _]), Some(step), true) = (*drag, step, e.buttons() == 1) {
                drag.set(Some([begun, (e.client_x(), step)]));
            }
            send.emit(Action::Hover(step));
        })
    };
    let left = {
        let (send, drag) = (send.clone(), drag.clone());
        Callback::from(move |_: PointerEvent| {
            drag.set(None);
            send.emit(Action::Hover(None));
        })
    };
    let far = drag.filter(|[a, b]| (a.0 - b.0).abs() > DRAG);
    // A click ends a drag too.
    let pin = Callback::from(move |e: MouseEvent| {
        drag.set(None);
        if let Some([a, b]) = far {
            let steps = (a.1.max(0.0) as u64, b.1.max(0.0) as u64);
            send.emit(Action::Window(Some(steps)));
        } else if let Some(step) = at(&e) {
            send.emit(Action::Pin(step));
        }
    });
    let mark = far.map(|[a, b]| dragged(&props.node, a.0.min(b.0), a.0.max(b.0)));
    let raw = |scene: &Scene| Html::from_html_unchecked(scene.svg().into());
    html! {
        <div class="plot-box" ref={props.node.clone()} tabindex="0"
            aria-label={format!("{}. Arrow keys move the cursor.", props.label)}
            onpointerdown={down} onpointermove={hover} onpointerleave={left} onclick={pin} ondblclick={twice}>
            { raw(&props.scene) }
            if let Some(cursor) = &props.cursor { <div class="overlay" aria-hidden="true">{ raw(cursor) }</div> }
            { for mark }
            { props.children.clone() }
        </div>
    }
}

/// A piece of a curve of that class, for a legend: its colour and its dashes.
pub fn key(class: &'static str) -> Html {
    html! { <svg class="plot key" width="26" height="8" aria-hidden="true"><path class={classes!("line", class)} d="M0 4H26" /></svg> }
}
