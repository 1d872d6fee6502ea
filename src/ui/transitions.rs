//! When the models of a run make their transition, and how sharp it is: every model a dot, the median
//! with its interval.

use super::Page;
use super::keep::Keep;
use super::save::SaveChart;
use super::spread;
use super::tip::Tip;
use crate::app::seeds::Member;
use crate::app::terms;
use crate::app::transitions::{Over, decades, half, over};
use crate::plot::Scene;
use crate::plot::dots::{Dot, dots};
use crate::plot::number::{fixed, grouped};
use yew::prelude::*;

/// A distribution, with its median in words.
fn one(
    all: &[Member],
    follow: u32,
    found: &Over,
    (axis, digits): (&str, usize),
    width: f64,
) -> (Scene, String) {
    let text = |x: f64| match digits {
        0 => grouped(x.max(0.0).round() as u64),
        n => fixed(x, n),
    };
    let dot = |&(i, x): &(usize, f64)| Dot {
        x,
        title: format!("seed {}: {}", all[i].seed, text(x)),
        followed: all[i].replica == follow,
    };
    let points: Vec<Dot> = found.values.iter().map(dot).collect();
    let told = match found.median {
        Some((m, Some((a, b)))) => format!("median {} ({} to {})", text(m), text(a), text(b)),
        Some((m, None)) => format!("median {}", text(m)),
        None => String::new(),
    };
    (dots(&points, found.median, axis, width), told)
}

/// Both distributions; nothing before the first transition.
pub fn distribution(page: &Page, all: &[Member], width: f64) -> Html {
    let follow = page.state.follow();
    let steps = over(all, half);
    if steps.values.is_empty() {
        return Html::default();
    }
    let narrow = if width > 560.0 {
        (width - 16.0) / 2.0
    } else {
        width
    };
    let draw = |found: &Over, axis| one(all, follow, found, axis, narrow);
    let (when, told) = draw(&steps, ("half done at step", 0));
    let (sharp, width) = draw(&over(all, decades), ("10 to 90 %, decades of steps", 2));
    let picture = |scene: &Scene| Html::from_html_unchecked(scene.svg().into());
    html! {
        <div data-test="transitions" data-models={steps.values.len().to_string()}>
            <h3>{"When, and how sharply "}<Tip about="the distribution">{ terms::of("transitions") }</Tip></h3>
            <div class="multiples wide">
                <div><p class="small-print">{ format!("Half done: {told}.") }</p>{ picture(&when) }</div>
                <div><p class="small-print">{ format!("From 10 to 90 %: {width} decades.") }</p>{ picture(&sharp) }</div>
            </div>
            <SaveChart page={page.clone()} name="transitions" scenes={vec![when, sharp]} />
        </div>
    }
}

/// The rows of the seeds, and what charts draw of them.
pub fn rows(page: &Page, scene: &Scene, title: String) -> Html {
    html! {
        <>
            <p>{ spread::toggles(page) }</p>
            { Keep::new("seeds", title).still(page, scene.clone()) }
        </>
    }
}
