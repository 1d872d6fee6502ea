//! In the gallery of known answers: the estimate, what it should be, and λ, side by side.

use super::Page;
use super::tip::row;
use crate::experiments;
use crate::plot::number::{significant, with_error};
use crate::protocol::{Truth, TruthKind};
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
    let point = run.and_then(|r| r.llc.points.last());
    let estimate = point.map_or_else(|| "press Run".into(), |p| with_error(p.value, p.se));
    let multiplicity = if truth.multiplicity > 1 {
        format!(" (multiplicity {})", truth.multiplicity)
    } else {
        String::new()
    };
    html! {
        <section class="readout" aria-label="Estimate, target and λ" data-test="truth">
            <dl>
                { row("estimate λ̂", "What the chains report, ± one standard error.", estimate) }
                { row(kind(truth), "What λ̂ must be at this nβ, γ and ε.", target(truth)) }
                { row("λ", "What λ̂ tends to as nβ grows.", format!("{}{multiplicity}", significant(truth.lambda, 4))) }
            </dl>
            <p>{ &truth.why }</p>
        </section>
    }
}

fn kind(truth: &Truth) -> &'static str {
    match (truth.kind, truth.value) {
        (TruthKind::Exact, _) => "target, exact",
        (TruthKind::Mala, Some(_)) => "target, a long MALA run",
        (TruthKind::Mala, None) => "target",
    }
}

fn target(truth: &Truth) -> String {
    let Some(value) = truth.value else {
        return "none recorded here: choose the sampler mala".into();
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
