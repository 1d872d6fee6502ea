//! The figure of the model itself, by its kind.

use super::Page;
use super::attention::Attention;
use super::spectrum::Spectrum;
use super::superposition::Superposition;
use crate::app::Run;
use crate::protocol::Figure;
use std::rc::Rc;
use yew::prelude::*;

/// Why there is no figure.
fn absent(run: Option<&Run>) -> &'static str {
    match run {
        None => "Press Run: the model is drawn here.",
        Some(run) if run.over() => "There is no picture of this model.",
        Some(_) => "The first evaluation draws it.",
    }
}

/// The figure.
#[component]
pub fn ModelFigure(page: &Page) -> Html {
    let state = &page.state;
    // Before a run stands the recorded one, as on the charts.
    let recorded = state.recorded();
    let still = use_memo(state.link.experiment, |_| {
        recorded.and_then(|r| r.figure()).map(Rc::new)
    });
    let figure = match &state.run {
        Some(run) => run.figure.clone(),
        None => (*still).clone(),
    };
    let kind = match figure.as_deref() {
        Some(Figure::Superposition { .. }) => "superposition",
        Some(Figure::Attention { .. }) => "attention",
        Some(Figure::Spectrum { .. }) => "spectrum",
        None => "none",
    };
    html! {
        <section class="figure" data-test="figure" data-kind={kind} data-recorded={recorded.is_some().to_string()}>
            <h2>{"The model"}</h2>
            { match (figure, kind) {
                (Some(figure), "superposition") => html! { <Superposition page={page.clone()} {figure} /> },
                (Some(figure), "spectrum") => html! { <Spectrum {figure} /> },
                (Some(figure), _) => html! { <Attention {figure} /> },
                (None, _) => html! { <p class="muted">{ absent(state.run.as_ref()) }</p> },
            } }
            if let Some(recorded) = recorded {
                <p class="origin">{ format!("At the last step. {}.", recorded.origin()) }</p>
            }
        </section>
    }
}
