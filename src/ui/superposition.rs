//! Superposition: the columns of W of the replica followed, WᵀW, and where every replica is.

use super::Page;
use crate::app::Action;
use crate::plot::model::Superposed;
use crate::plot::number::grouped;
use crate::protocol::{Figure, Jump};
use std::collections::BTreeMap;
use std::rc::Rc;
use yew::prelude::*;

const SIZE: f64 = 260.0;

/// What is drawn.
#[derive(Clone, PartialEq, Properties)]
pub struct SuperpositionProps {
    /// State and actions.
    pub page: Page,
    /// The weights; nothing is drawn of another kind of figure.
    pub figure: Rc<Figure>,
    /// The step it was taken at, if it is not the latest: what came later is not told.
    #[prop_or_default]
    pub step: Option<u64>,
    /// Without the list of replicas.
    #[prop_or_default]
    pub bare: bool,
}

/// The figure.
#[component]
pub fn Superposition(props: &SuperpositionProps) -> Html {
    let page = &props.page;
    let state = &page.state;
    let Figure::Superposition {
        features,
        weights,
        gons,
    } = &*props.figure
    else {
        return Html::default();
    };
    // The recorded run followed its own replica.
    let follow = state.run.as_ref().map_or(0, |_| state.follow());
    let first = state.run.as_ref().map_or(1, |r| r.knobs.int("seed"));
    let seed = |replica: usize| first + replica as i64;
    let jumps: &[Jump] = state.run.as_ref().map_or(&[], |r| &r.jumps);
    let so_far = jumps.partition_point(|j| props.step.is_none_or(|s| j.step <= s));
    let jumps = if props.bare { &[] } else { &jumps[..so_far] };
    let departed = crate::app::gons::departed(gons, jumps);
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
                <p class="muted">{ format!("Seed {}: columns of W in the plane; the ring has radius 1, a hollow dot is a dead feature.", seed(follow as usize)) }</p>
                { raw(one.columns(SIZE)) }
                <p class="muted">{"WᵀW, and the biases on the right: orange positive, blue negative."}</p>
                { raw(one.gram(SIZE)) }
            }
            <p data-test="gons"><b>{ counted.join(" · ") }</b></p>
            if !props.bare {
            <p class="muted">{"Seeds and where they are; λ̂ and PCA follow the one pressed."}</p>
            <div class="replicas" role="group" aria-label="Seed that λ̂ and PCA follow">
                { for gons.iter().enumerate().map(|(i, gon)| {
                    let n = u32::try_from(i).unwrap_or(0);
                    html! {
                        <button type="button" class="small" aria-pressed={(n == follow).to_string()} data-test={format!("replica-{i}")}
                            disabled={state.run.is_none()} onclick={page.on(Action::Follow(n))}>{ format!("{}: {gon}", seed(i)) }</button>
                    }
                }) }
            </div>
            }
            if !jumps.is_empty() {
                <details open=true>
                    <summary data-test="departed">{ if departed.is_empty() { "all are back where they started".into() } else { departed } }</summary>
                    <ul class="jumps" data-test="jumps">
                        { for jumps.iter().rev().take(24).map(|j| html! {
                            <li>{ format!("step {}: seed {} from {} to {}", grouped(j.step), seed(j.replica), j.from, j.to) }</li>
                        }) }
                    </ul>
                </details>
            }
        </>
    }
}
