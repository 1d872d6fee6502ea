//! Superposition: the columns of W of the replica followed, WᵀW, and where every replica is.

use super::Page;
use crate::app::Action;
use crate::plot::model::Superposed;
use crate::plot::number::grouped;
use crate::protocol::Figure;
use std::collections::BTreeMap;
use yew::prelude::*;

const SIZE: f64 = 260.0;

/// The figure.
#[component]
pub fn Superposition(page: &Page) -> Html {
    let state = &page.state;
    let Some(run) = &state.run else {
        return Html::default();
    };
    let Some(Figure::Superposition {
        features,
        weights,
        gons,
    }) = run.figure.as_deref()
    else {
        return Html::default();
    };
    let follow = state.follow();
    let one = Superposed::of(*features, weights, follow as usize)
        .or_else(|| Superposed::of(*features, weights, 0));
    let raw = |scene: crate::plot::Scene| Html::from_html_unchecked(scene.svg().into());
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for gon in gons {
        *counts.entry(gon).or_default() += 1;
    }
    let counted: Vec<String> = counts
        .iter()
        .map(|(gon, n)| format!("{n} at {gon}"))
        .collect();
    html! {
        <>
            if let Some(one) = one {
                <p class="muted">{ format!("Replica {follow}: columns of W in the plane; the ring has radius 1, a hollow dot is a dead feature.") }</p>
                { raw(one.columns(SIZE)) }
                <p class="muted">{"WᵀW, and the biases on the right: orange positive, blue negative."}</p>
                { raw(one.gram(SIZE)) }
            }
            <p data-test="gons"><b>{ counted.join(" · ") }</b></p>
            <div class="replicas" role="group" aria-label="Replica that λ̂ and PCA follow">
                { for gons.iter().enumerate().map(|(i, gon)| {
                    let n = u32::try_from(i).unwrap_or(0);
                    html! {
                        <button type="button" class="small" aria-pressed={(n == follow).to_string()} data-test={format!("replica-{i}")}
                            title={format!("Replica {i} is at {gon}; λ̂ and PCA follow it when pressed")}
                            onclick={page.on(Action::Follow(n))}>{ format!("{i}: {gon}") }</button>
                    }
                }) }
            </div>
            if !run.jumps.is_empty() {
                <details open=true>
                    <summary>{ match run.jumps.len() { 1 => "1 jump".to_string(), n => format!("{n} jumps") } }</summary>
                    <ul class="jumps" data-test="jumps">
                        { for run.jumps.iter().rev().take(24).map(|j| html! {
                            <li>{ format!("step {}: replica {} from {} to {}", grouped(j.step), j.replica, j.from, j.to) }</li>
                        }) }
                    </ul>
                </details>
            }
        </>
    }
}
