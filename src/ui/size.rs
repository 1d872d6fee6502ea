//! The width an element has, followed as the window changes.

use gloo::events::EventListener;
use gloo::utils::window;
use web_sys::Element;
use yew::prelude::*;

/// Width in pixels of the element behind `node`; a guess until it is there.
#[hook]
pub fn use_width(node: &NodeRef) -> f64 {
    let width = use_state(|| 380.0);
    let node = node.clone();
    let set = width.setter();
    use_effect_with((), move |()| {
        let measure = move || {
            if let Some(element) = node.cast::<Element>() {
                let w = element.get_bounding_client_rect().width().floor();
                if w > 0.0 {
                    set.set(w);
                }
            }
        };
        measure();
        let listener = EventListener::new(&window(), "resize", move |_| measure());
        move || drop(listener)
    });
    *width
}
