//! The width an element has, followed as it changes.

use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use web_sys::{Element, ResizeObserver};
use yew::prelude::*;

/// Width in pixels of the element behind `node`; a guess until it is there.
#[hook]
pub fn use_width(node: &NodeRef) -> f64 {
    let width = use_state(|| 380.0);
    let (node, watched) = (node.clone(), node.clone());
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
        // Not only the window changes it: so do the columns for a projector.
        let changed = Closure::<dyn FnMut()>::new(measure);
        let observer = ResizeObserver::new(changed.as_ref().unchecked_ref()).ok();
        if let (Some(observer), Some(element)) = (&observer, watched.cast::<Element>()) {
            observer.observe(&element);
        }
        move || {
            if let Some(observer) = observer {
                observer.disconnect();
            }
            drop(changed);
        }
    });
    *width
}
