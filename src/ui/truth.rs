//! In the gallery of known answers: the estimate, what it should be, and λ, side by side.

use super::Page;
use super::tip::row;
use crate::app::Action;
use crate::app::reference::{self, Reference};
use crate::experiments;
use crate::plot::number::{significant, with_error};
use crate::protocol::{StudyKind, Truth, TruthKind};
use yew::prelude::*;

/// The three numbers, with why they differ; nothing where no answer is known.
#[component]
pub fn KnownAnswer(page: &Page) -> Html {
    let state = &page.state;
    let run = state.run.as_ref();
    let knobs = run.map_or(&state.link.knobs, |r| &r.knobs);
    let id = state.card().id;
    let truth = use_memo((id, knobs.clone()), |(id, knobs)| {
        experiments::truth_of(id, knobs)
    });
    let Some(truth) = truth.as_ref() else {
        return Html::default();
    };
    let study = run.and_then(|r| r.study.clone());
    let reference = study.and_then(|s| reference::found(&s));
    let point = run.and_then(|r| r.llc.points.last());
    let none = match run {
        None => "press Run",
        Some(run) if run.over() => "none",
        Some(_) => "being sampled",
    };
    let estimate = point.map_or_else(|| none.into(), |p| with_error(p.value, p.se));
    let multiplicity = if truth.multiplicity > 1 {
        format!(" (multiplicity {})", truth.multiplicity)
    } else {
        String::new()
    };
    html! {
        <section class="readout" aria-label="Estimate, target and λ" data-test="truth">
            <dl>
                { row("estimate λ̂", "What the chains report, ± one standard error.", estimate) }
                { row(kind(truth, reference.as_ref()), "What λ̂ must be at this nβ, γ and ε.", target(truth, reference.as_ref())) }
                { row("λ", "What λ̂ tends to as nβ grows.", format!("{}{multiplicity}", significant(truth.lambda, 4))) }
            </dl>
            <p>{ &truth.why }</p>
            { request(page, truth) }
        </section>
    }
}

fn kind(truth: &Truth, reference: Option<&Reference>) -> &'static str {
    match (truth.kind, truth.value, reference) {
        (TruthKind::Exact, ..) => "target, exact",
        (TruthKind::Mala, Some(_), _) => "target, a long MALA run",
        (TruthKind::Mala, None, Some(Reference::Found(..))) => "target, MALA chains just run",
        (TruthKind::Mala, None, _) => "target",
    }
}

/// Where no value is exact or on record: a way to get one, and how far that is.
fn request(page: &Page, truth: &Truth) -> Html {
    let Some(run) = page.state.run.as_ref().filter(|_| truth.value.is_none()) else {
        return Html::default();
    };
    let mala = run
        .study
        .as_ref()
        .filter(|s| s.spec.kind == StudyKind::Reference);
    match mala {
        Some(study) if !study.over => html! {
            <p role="status">
                { format!("MALA: {} of {} runs done ", study.done.len(), study.spec.cells.len()) }
                <button type="button" class="small" onclick={page.on(Action::StopStudy)}>{"Stop"}</button>
            </p>
        },
        None if !run.llc.points.is_empty() => html! {
            <p>
                <button type="button" class="small" data-test="reference" onclick={page.on(Action::Study(reference::study(&run.knobs)))}>{"Find it by MALA"}</button>
                {" 8 chains of 40 000 draws at three step sizes, on this engine; MALA has no bias of ε."}
            </p>
        },
        _ => Html::default(),
    }
}

fn target(truth: &Truth, reference: Option<&Reference>) -> String {
    let Some(value) = truth.value else {
        return match reference {
            Some(Reference::Found(value, se)) => format!("{}, ε aside", with_error(*value, *se)),
            Some(Reference::Missing(why)) => format!("none: {why}"),
            None => "none on record at these settings".into(),
        };
    };
    let value_text = if truth.se > 0.0 {
        with_error(value, truth.se)
    } else {
        significant(value, 4)
    };
    if truth.bias.abs() >= 5e-4 {
        format!(
            "{value_text}, of which {} from ε",
            significant(truth.bias, 2)
        )
    } else {
        value_text
    }
}
