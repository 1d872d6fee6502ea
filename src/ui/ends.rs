//! The ends of stages as grips on the timeline: pointer, thumb and arrow keys move them. What is moved
//! counts as set by hand, like an end that is typed.

use super::Page;
use crate::app::{Action, stages};
use crate::plot::number::grouped;
use crate::plot::scale::Scale;
use crate::plot::timeline::{BOTTOM, TOP};
use crate::protocol::Stages;
use std::rc::Rc;
use web_sys::Element;
use yew::prelude::*;

/// Pixels of a pointer's way that are a click, not a drag.
const STILL: f64 = 3.0;

/// A grip.
#[derive(Clone, PartialEq, Properties)]
pub struct EndProps {
    /// State and actions.
    pub page: Page,
    /// The stages.
    pub all: Rc<Stages>,
    /// Which stage it ends.
    pub at: usize,
    /// From steps to pixels of the strip.
    pub scale: Scale,
}

/// A grip for the end of every stage but the last.
pub fn ends(page: &Page, scale: Scale) -> Html {
    let run = page.state.run.as_ref();
    let Some(all) = run.and_then(|r| r.stages.clone()) else {
        return Html::default();
    };
    let inner = 0..all.stages.len().saturating_sub(1);
    inner
        .map(|at| html! { <End key={at} page={page.clone()} all={all.clone()} {at} {scale} /> })
        .collect()
}

/// The grip.
#[component]
pub fn End(props: &EndProps) -> Html {
    let EndProps {
        page,
        all,
        at,
        scale,
    } = props;
    // Where the pointer went down, and where it is while it drags, in pixels of the strip.
    let (down, moved) = (use_mut_ref(|| None::<f64>), use_state(|| None::<f64>));
    let node = use_node_ref();
    let (at, scale, zoom) = (*at, *scale, page.state.view.scale());
    let Some((stage, next)) = all.stages.get(at).zip(all.stages.get(at + 1)) else {
        return Html::default();
    };
    // Both stages keep a step at least.
    let room = [stage.from + 1, next.to.saturating_sub(1)];
    let grip = node.clone();
    let place = move |e: &PointerEvent| -> Option<f64> {
        let strip = grip.cast::<Element>()?.parent_element()?;
        let left = strip.get_bounding_client_rect().left();
        Some((f64::from(e.client_x()) - left) / zoom)
    };
    let cut = {
        let (send, all) = (page.send.clone(), all.clone());
        move |to: f64| {
            let to = (to.round().max(0.0) as u64).clamp(room[0], room[1].max(room[0]));
            if all.stages[at].to != to {
                send.emit(Action::Cut(Some(stages::cut(&all, at, Some(to)))));
            }
        }
    };
    let press = {
        let (down, place, node) = (down.clone(), place.clone(), node.clone());
        Callback::from(move |e: PointerEvent| {
            *down.borrow_mut() = place(&e).filter(|_| e.button() == 0);
            if let Some(grip) = node.cast::<Element>() {
                // A browser that refuses ends the drag where the pointer leaves the grip, no more.
                let _ = grip.set_pointer_capture(e.pointer_id());
            }
        })
    };
    let drag = {
        let (down, moved, place) = (down.clone(), moved.clone(), place.clone());
        Callback::from(move |e: PointerEvent| {
            if down.borrow().is_some() {
                moved.set(place(&e));
            }
        })
    };
    let release = {
        let (down, moved, cut) = (down.clone(), moved.clone(), cut.clone());
        Callback::from(move |e: PointerEvent| {
            let begun = down.borrow_mut().take();
            // From this event alone: what was drawn may be a move behind.
            let far = |(from, to): &(f64, f64)| (from - to).abs() > STILL;
            if let Some((_, to)) = begun.zip(place(&e)).filter(far) {
                cut(scale.at(to.clamp(scale.from, scale.to)));
            }
            moved.set(None);
        })
    };
    let to = stage.to as f64;
    let left = moved.unwrap_or(scale.px(to.max(scale.min)));
    let cancel = Callback::from(move |_: PointerEvent| {
        *down.borrow_mut() = None;
        moved.set(None);
    });
    let points = page.state.run.as_ref().map(|r| r.llc.x.clone());
    let keys = Callback::from(move |e: KeyboardEvent| {
        let inside = |x: &&f64| (room[0] as f64..=room[1] as f64).contains(*x);
        let mut points = points.iter().flatten().filter(inside);
        let next = match e.key().as_str() {
            "ArrowLeft" | "ArrowDown" => points.rfind(|x| **x < to),
            "ArrowRight" | "ArrowUp" => points.find(|x| **x > to),
            _ => return,
        };
        // The page's own arrow keys move the cursor.
        e.prevent_default();
        e.stop_propagation();
        if let Some(step) = next {
            cut(*step);
        }
    });
    let style = format!(
        "left:{:.1}px;top:{:.1}px;height:{:.1}px",
        left.clamp(scale.from, scale.to) * zoom,
        TOP * zoom,
        (BOTTOM - TOP) * zoom
    );
    let told = format!(
        "End of stage {} at step {}. Drag it, or use the arrow keys, which go to the next λ̂ point; it then counts as set by hand.",
        at + 1,
        grouped(stage.to)
    );
    html! {
        <div class="grip" ref={node} {style} role="slider" tabindex="0" data-test={format!("grip-{at}")} title={told}
            aria-label={format!("End of stage {}", at + 1)} aria-valuenow={stage.to.to_string()}
            aria-valuemin={room[0].to_string()} aria-valuemax={room[1].to_string()}
            onpointerdown={press} onpointermove={drag} onpointerup={release} onpointercancel={cancel} onkeydown={keys}></div>
    }
}
