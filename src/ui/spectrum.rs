//! The Fourier spectrum of the embedding.

use crate::app::terms;
use crate::plot::spectrum::{bars, half};
use crate::protocol::Figure;
use std::rc::Rc;
use yew::prelude::*;

/// What is drawn.
#[derive(Clone, PartialEq, Properties)]
pub struct SpectrumProps {
    /// A spectrum; nothing is drawn of another kind of figure.
    pub figure: Rc<Figure>,
}

/// The figure.
#[component]
pub fn Spectrum(props: &SpectrumProps) -> Html {
    let Figure::Spectrum { p, shares } = &*props.figure else {
        return Html::default();
    };
    html! {
        <>
            <p class="muted">{ format!("Power of the embedding along the numbers 0 to {}, by frequency; the mean is left out. The line: all frequencies alike.", p - 1) }</p>
            { Html::from_html_unchecked(bars(shares, 260.0, 190.0).svg().into()) }
            <p data-test="spectrum"><b>{ format!("{} of {} frequencies hold half of the power.", half(shares), shares.len()) }</b></p>
            <p class="muted">{terms::of("spectrum: rule")}</p>
        </>
    }
}
