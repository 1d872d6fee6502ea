//! The timeline under the charts: checkpoints as ticks, a handle that pointer, thumb and keys move,
//! the film, and a second handle for a step to compare with.

use super::Page;
use super::ends::ends;
use super::film;
use super::size::use_width;
use super::stages::bands;
use crate::app::Action;
use crate::app::scrub::{self, Scrub};
use crate::plot::number::grouped;
use crate::plot::timeline::Timeline as Strip;
use gloo::timers::callback::Interval;
use gloo::utils::window;
use web_sys::Element;
use yew::prelude::*;

/// How near to the held handle, in pixels, the pointer takes that one.
const NEAR: f64 = 14.0;

/// Whoever asked their system for less motion sees a slow film.
fn speed(wished: u32) -> u32 {
    let query = window().match_media("(prefers-reduced-motion: reduce)");
    let less = query.ok().flatten().is_some_and(|q| q.matches());
    if less { 1 } else { wished }
}

/// The strip with its buttons.
#[component]
pub fn Timeline(page: &Page) -> Html {
    let node = use_node_ref();
    let width = use_width(&node);
    // Whether the handle that is dragged is the held one.
    let dragged = use_mut_ref(|| None::<bool>);
    let state = &page.state;
    let film = state.film;
    {
        let send = page.send.clone();
        use_effect_with((film.playing, speed(film.speed)), move |&(plays, speed)| {
            let tick = move || send.emit(Action::Scrub(Scrub::Tick));
            let interval = plays.then(|| Interval::new(1000 / speed, tick));
            move || drop(interval)
        });
    }
    let steps = scrub::checkpoints(state);
    let (looked, held) = (scrub::looked_at(state), scrub::held(state));
    let strip = Strip {
        width: width / state.view.scale(),
        x_max: state.steps(),
        log_x: state.view.log_x,
        checkpoints: steps,
        gone: state.run.as_ref().map_or(&[], |r| &r.gone),
        begun: state.stops().first().copied().unwrap_or(0.0),
        done: state.run.as_ref().map_or(0.0, |r| r.step as f64),
        recorded: state.recorded().is_some(),
        bands: bands(state),
        window: state.view.window.map(|(a, b)| [a as f64, b as f64]),
    };
    let (scene, scale) = (strip.draw(), strip.scale());
    let as_step = |s: Option<u64>| s.map(|s| s as f64);
    let handles = strip.handles(as_step(looked), as_step(held));
    let [at_looked, at_held] =
        [looked, held].map(|s| s.map_or(f64::INFINITY, |s| strip.px(s as f64)));
    let under = {
        let (width, node) = (strip.width, node.clone());
        move |e: &PointerEvent| -> Option<f64> {
            let rect = node.cast::<Element>()?.get_bounding_client_rect();
            Some((f64::from(e.client_x()) - rect.left()) * width / rect.width())
        }
    };
    // Steps are far fewer than pixels: only another checkpoint is worth a message.
    let to = {
        let (send, steps, dragged) = (page.send.clone(), steps.to_vec(), dragged.clone());
        move |px: f64| {
            let step = scale.at(px);
            let nearest = scrub::nearest(&steps, step).map(|i| steps[i] as u64);
            match *dragged.borrow() {
                Some(true) if nearest != held => send.emit(Action::Scrub(Scrub::Hold(Some(step)))),
                Some(false) if nearest != looked => send.emit(Action::Scrub(Scrub::To(step))),
                _ => {}
            }
        }
    };
    let down = {
        let (under, to, dragged) = (under.clone(), to.clone(), dragged.clone());
        let node = node.clone();
        Callback::from(move |e: PointerEvent| {
            let (Some(px), Some(place)) = (under(&e), node.cast::<Element>()) else {
                return;
            };
            let takes_held = (at_held - px).abs() < NEAR.min((at_looked - px).abs());
            *dragged.borrow_mut() = Some(takes_held);
            // A browser that refuses loses the drag at the strip's edge, no more.
            let _ = place.set_pointer_capture(e.pointer_id());
            to(px);
        })
    };
    let moved = Callback::from(move |e: PointerEvent| {
        if let Some(px) = under(&e) {
            to(px);
        }
    });
    let up = Callback::from(move |_: PointerEvent| *dragged.borrow_mut() = None);
    let keys = {
        let (send, end) = (page.send.clone(), strip.x_max);
        Callback::from(move |e: KeyboardEvent| {
            let far = if e.shift_key() { 10 } else { 1 };
            let scrub = match e.key().as_str() {
                "ArrowLeft" | "ArrowDown" => Scrub::By(-far),
                "ArrowRight" | "ArrowUp" => Scrub::By(far),
                "PageDown" => Scrub::By(-10),
                "PageUp" => Scrub::By(10),
                "Home" => Scrub::To(0.0),
                "End" => Scrub::To(end),
                _ => return,
            };
            // The page's own arrow keys move the cursor by evaluations.
            e.prevent_default();
            e.stop_propagation();
            send.emit(Action::Scrub(scrub));
        })
    };
    let none = steps.is_empty();
    let now = looked.map_or("live".into(), |s| format!("step {}", grouped(s)));
    let svg = |scene: crate::plot::Scene| Html::from_html_unchecked(scene.svg().into());
    html! {
        <section class="timeline" aria-label="Timeline" data-test="timeline" data-checkpoints={steps.len().to_string()}
            data-looked={looked.map(|s| s.to_string())} data-held={held.map(|s| s.to_string())}>
            <div class="strip-box">
            <div class="strip" ref={node} role="slider" tabindex="0" data-test="scrubber" aria-label="Checkpoint"
                aria-valuemin="0" aria-valuemax={strip.x_max.to_string()} aria-valuetext={now}
                aria-valuenow={looked.unwrap_or(strip.done as u64).to_string()} aria-disabled={none.to_string()}
                onpointerdown={down} onpointermove={moved} onpointerup={up.clone()} onpointercancel={up} onkeydown={keys}>
                { svg(scene) }<div class="overlay" aria-hidden="true">{ svg(handles) }</div>
            </div>
            { ends(page, scale) }
            </div>
            { film::buttons(page, none, looked, held) }
        </section>
    }
}
