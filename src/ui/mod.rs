//! yew components and the worker handle: the only place that knows the DOM. It shows the state of
//! [`crate::app`], draws the scenes of [`crate::plot`], and knows neither engine nor models.

mod actions;
mod any;
mod app;
mod attention;
mod branch;
mod by_position;
mod calibrate;
mod chains;
mod chart;
mod chooser;
mod clipboard;
mod commitment;
mod compare;
mod composing;
mod diagnosis;
mod ends;
mod exports;
mod faults;
mod figure;
mod film;
mod fits;
mod footer;
mod found;
mod head_table;
mod heads;
mod import;
mod instruments;
mod keep;
mod kept;
mod keys;
mod knob;
mod lagging;
mod leads;
mod learning;
mod lens;
mod llc;
mod loss;
mod meanings;
mod own_text;
mod pairs;
mod panel;
mod passage;
mod paths;
mod pattern;
mod pca;
mod plot;
mod posterior;
mod progress;
mod reading;
mod readout;
mod refined;
mod save;
mod seeds;
mod setup;
mod sharing;
mod shelf;
mod size;
mod spectrum;
mod split;
mod spread;
mod stages;
mod status;
mod storage;
mod story;
mod strongest;
mod superposition;
mod sweep;
mod timeline;
mod tip;
mod token_losses;
mod tokens;
mod topbar;
mod trained;
mod transitions;
mod truth;
mod turning;
mod versus;
mod worker;
mod writing;
mod zoom;

use crate::app::{Action, State};
use std::rc::Rc;
use wasm_bindgen::JsCast;
use yew::{Callback, Properties};

/// What every component gets: the state, and where its actions go.
#[derive(Clone, Properties)]
pub struct Page {
    /// The state at this moment.
    pub state: Rc<State>,
    /// Where actions go.
    pub send: Callback<Action>,
}

impl PartialEq for Page {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.state, &other.state)
    }
}

impl Page {
    /// A callback that sends an action, whatever the event.
    pub fn on<E>(&self, action: Action) -> Callback<E> {
        let send = self.send.clone();
        Callback::from(move |_| send.emit(action.clone()))
    }
}

/// What came with `index.html` under this id.
fn handed(id: &str) -> Option<String> {
    gloo::utils::document()
        .get_element_by_id(id)?
        .text_content()
}

/// Starts the page, or the engine when this is a dedicated worker.
pub fn main() {
    if js_sys::global().is_instance_of::<web_sys::DedicatedWorkerGlobalScope>() {
        crate::engine::serve::main();
        return;
    }
    console_error_panic_hook::set_once();
    let Some(place) = gloo::utils::document().get_element_by_id("app") else {
        return;
    };
    crate::app::recorded::hand_over(|id| handed(&format!("trace-{id}")));
    crate::app::leads::hand_over(&handed("nulls").unwrap_or_default());
    crate::app::terms::hand_over(&handed("terms").unwrap_or_default());
    crate::plot::export::hand_over(handed("plot").unwrap_or_default());
    // The static skeleton has done its duty.
    place.set_inner_html("");
    yew::Renderer::<app::App>::with_root(place).render();
}
