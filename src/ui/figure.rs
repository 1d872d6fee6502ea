//! The figure of the model itself, by its kind.

use super::Page;
use super::attention::Attention;
use super::spectrum::Spectrum;
use super::superposition::Superposition;
use crate::protocol::Figure;
use yew::prelude::*;

/// The figure.
#[component]
pub fn ModelFigure(page: &Page) -> Html {
    let figure = page.state.run.as_ref().and_then(|r| r.figure.as_deref());
    let kind = match figure {
        Some(Figure::Superposition { .. }) => "superposition",
        Some(Figure::Attention { .. }) => "attention",
        Some(Figure::Spectrum { .. }) => "spectrum",
        None => "none",
    };
    html! {
        <section class="figure" data-test="figure" data-kind={kind}>
            <h2>{"The model"}</h2>
            { match figure {
                Some(Figure::Superposition { .. }) => html! { <Superposition ..page.clone() /> },
                Some(Figure::Attention { .. }) => html! { <Attention ..page.clone() /> },
                Some(Figure::Spectrum { .. }) => html! { <Spectrum ..page.clone() /> },
                None => html! { <p class="muted">{"Press Run: weights, attention patterns or a spectrum appear here."}</p> },
            } }
        </section>
    }
}
