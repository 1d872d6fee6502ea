//! The figure of the model itself, by its kind: as it is now, or as it was at the checkpoint the
//! timeline stands at.

use super::Page;
use super::attention::Attention;
use super::heads::value_at;
use super::spectrum::Spectrum;
use super::superposition::Superposition;
use crate::app::{Run, scrub};
use crate::experiments::heads;
use crate::plot::number::grouped;
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

/// The figure of a checkpoint and its step; while it is on its way, the one that came before it.
pub fn stored(run: &Run, step: u64) -> (Option<Rc<Figure>>, String) {
    let (at, figure) = run.album.shown(step).unwrap_or((step, None));
    let told = format!("Step {}", grouped(at));
    match &figure {
        Some(_) if at == step => (figure, format!("{told}, a stored checkpoint.")),
        Some(_) => (
            figure,
            format!("{told}; step {} is on its way.", grouped(step)),
        ),
        None if run.album.get(step).is_none() => (figure, format!("{told} is on its way.")),
        None => {
            let why = match run.gone.contains(&step) {
                true => "its weights were thinned away by the budget",
                false => "there is no figure of it",
            };
            (figure, format!("{told}: {why}."))
        }
    }
}

/// The picture, by its kind; `step` of a stored checkpoint, `bare` without what is not of the model.
pub fn picture(page: &Page, figure: Rc<Figure>, step: Option<u64>, bare: bool) -> Html {
    match &*figure {
        Figure::Superposition { .. } => {
            html! { <Superposition page={page.clone()} {figure} {step} {bare} /> }
        }
        Figure::Spectrum { .. } => html! { <Spectrum {figure} /> },
        Figure::Attention { .. } => {
            let labels: Vec<_> = match (&page.state.run, page.state.recorded()) {
                (Some(run), _) => {
                    let step = step.unwrap_or(run.step) as f64;
                    let found = heads::heads(|id| value_at(run, id, step));
                    found.iter().map(|h| h.label).collect()
                }
                (None, Some(r)) => r.heads.iter().map(String::as_str).collect(),
                (None, None) => Vec::new(),
            };
            let step = step.or(page.state.run.as_ref().map(|run| run.step));
            html! { <Attention page={page.clone()} {figure} {labels} {step} /> }
        }
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
    let looked = scrub::looked_at(state);
    let (figure, told) = match (&state.run, looked) {
        (Some(run), Some(step)) => stored(run, step),
        (Some(run), None) if run.figure.is_some() => (
            run.figure.clone(),
            format!("Step {}, the latest.", grouped(run.step)),
        ),
        (Some(_), None) => (None, String::new()),
        (None, Some(_)) => {
            let told = "The last step: the recording has no figure of others.";
            ((*still).clone(), told.into())
        }
        (None, None) => ((*still).clone(), String::new()),
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
            if !told.is_empty() { <p class="muted" data-test="figure-step">{ told }</p> }
            { match figure {
                Some(figure) => picture(page, figure, looked, false),
                None if looked.is_none() => html! { <p class="muted">{ absent(state.run.as_ref()) }</p> },
                None => Html::default(),
            } }
            if let Some(recorded) = recorded {
                <p class="origin">{ format!("At the last step. {}.", recorded.origin()) }</p>
            }
        </section>
    }
}
