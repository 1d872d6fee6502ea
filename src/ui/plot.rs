//! A picture with the shared cursor on top, and what the pointer does on it. The picture itself
//! comes as SVG text.

use super::Page;
use super::stages::bands;
use crate::app::Action;
use crate::app::cursor::{Press, press};
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

/// The box of the picture: it stays where the picture in it is drawn anew as the pointer moves.
fn place(e: &MouseEvent) -> Option<Element> {
    // The current target is the page: yew listens there for all of it.
    let target = e.target()?.dyn_into::<Element>().ok()?;
    target.closest(".plot-box").ok()?
}

/// Where the pointer is in a picture of that width, in the picture's own pixels: for a projector it is
/// drawn larger.
fn pixel(e: &MouseEvent, width: f64) -> Option<[f64; 2]> {
    let rect = place(e)?.get_bounding_client_rect();
    let scale = (width / rect.width()).max(0.0);
    Some([
        (f64::from(e.client_x()) - rect.left()) * scale,
        (f64::from(e.client_y()) - rect.top()) * scale,
    ])
}

/// Where the pointer is in the window.
fn client(e: &MouseEvent) -> [i32; 2] {
    [e.client_x(), e.client_y()]
}

/// What a drag has marked so far, between two client pixels.
fn dragged(node: &NodeRef, [from, to]: [i32; 2]) -> Html {
    let place = node.cast::<Element>();
    let left = place.map_or(0.0, |e| e.get_bounding_client_rect().left());
    let style = format!(
        "left:{}px;width:{}px",
        f64::from(from.min(to)) - left,
        from.abs_diff(to)
    );
    html! { <div class="dragged" {style}></div> }
}

/// The plot.
#[component]
pub fn Plot(props: &PlotProps) -> Html {
    let (width, time) = (props.scene.width, props.time);
    let at = {
        let step_at = props.step_at.clone();
        move |e: &MouseEvent| -> Option<f64> { step_at.emit(pixel(e, width)?) }
    };
    let twice = {
        let twice = props.twice.clone();
        Callback::from(move |e: MouseEvent| {
            if let Some(at) = pixel(&e, width) {
                twice.emit(at);
            }
        })
    };
    let send = props.page.send.clone();
    // Where it was pressed, in the window and in the picture, and at which step.
    let pressed = use_mut_ref(|| None::<([i32; 2], [f64; 2], f64)>);
    // Client pixels between which a drag is marked.
    let mark = use_state(|| None::<[i32; 2]>);
    let down = {
        let (at, pressed) = (at.clone(), pressed.clone());
        Callback::from(move |e: PointerEvent| {
            // A second finger is no press, and ends that of the first.
            let step = at(&e).filter(|_| e.is_primary() && e.button() == 0);
            let from = step.zip(pixel(&e, width));
            *pressed.borrow_mut() = from.map(|(step, from)| (client(&e), from, step));
            if let (Some(_), Some(place)) = (step, place(&e)) {
                // A browser that refuses loses the drag at the edge, no more.
                let _ = place.set_pointer_capture(e.pointer_id());
            }
        })
    };
    let hover = {
        let (at, send, pressed, mark) = (at.clone(), send.clone(), pressed.clone(), mark.clone());
        Callback::from(move |e: PointerEvent| {
            let from = pressed.borrow().map(|p| p.0);
            let drags = |from: &[i32; 2]| press(*from, client(&e), time) == Some(Press::Drag);
            if from.is_some() || mark.is_some() {
                mark.set(from.filter(drags).map(|from| [from[0], e.client_x()]));
            }
            send.emit(Action::Hover(at(&e)));
        })
    };
    let left = props.page.on(Action::Hover(None));
    let cancel = {
        let (pressed, mark) = (pressed.clone(), mark.clone());
        Callback::from(move |_: PointerEvent| {
            *pressed.borrow_mut() = None;
            mark.set(None);
        })
    };
    let up = {
        let (step_at, mark) = (props.step_at.clone(), mark.clone());
        Callback::from(move |e: PointerEvent| {
            mark.set(None);
            let Some((from, begun, first)) = pressed.borrow_mut().take() else {
                return;
            };
            match press(from, client(&e), time) {
                Some(Press::Click) => send.emit(Action::Pin(first)),
                Some(Press::Drag) => {
                    // Let go beside the picture, it ends where it left it.
                    let to = pixel(&e, width).unwrap_or(begun);
                    let back = |i: u32| to[0] + (begun[0] - to[0]) * f64::from(i) / 256.0;
                    let last = (0..256).find_map(|i| step_at.emit([back(i), begun[1]]));
                    let steps = last.map(|last| (first.max(0.0) as u64, last.max(0.0) as u64));
                    send.emit(Action::Window(steps));
                }
                None => {}
            }
        })
    };
    let raw = |scene: &Scene| Html::from_html_unchecked(scene.svg().into());
    html! {
        <div class="plot-box" ref={props.node.clone()} tabindex="0"
            aria-label={format!("{}. Arrow keys move the cursor.", props.label)}
            onpointerdown={down} onpointermove={hover} onpointerleave={left} onpointerup={up} onpointercancel={cancel} ondblclick={twice}>
            { raw(&props.scene) }
            if let Some(cursor) = &props.cursor { <div class="overlay" aria-hidden="true">{ raw(cursor) }</div> }
            { for mark.map(|m| dragged(&props.node, m)) }
            { props.children.clone() }
        </div>
    }
}

/// A piece of a curve of that class, for a legend: its colour and its dashes.
pub fn key(class: &'static str) -> Html {
    html! { <svg class="plot key" width="26" height="8" aria-hidden="true"><path class={classes!("line", class)} d="M0 4H26" /></svg> }
}
