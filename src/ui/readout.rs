//! Under the charts: the λ̂ point at the cursor (or the last one) in figures, with what a reader
//! needs to judge it.

use super::Page;
use super::tip::row;
use crate::app::terms::{READOUT, of};
use crate::app::{locality, words};
use crate::plot::cursor::nearest;
use crate::plot::number::{fixed, significant, with_error};
use crate::protocol::LlcPoint;
use yew::prelude::*;

/// The readout.
pub fn readout(page: &Page) -> Html {
    let state = &page.state;
    let Some(run) = state.run.as_ref().filter(|r| !r.llc.points.is_empty()) else {
        return Html::default();
    };
    let llc = &run.llc;
    let at = state
        .cursor
        .step
        .and_then(|s| nearest(&llc.x, s))
        .unwrap_or(llc.points.len() - 1);
    let Some(point) = llc.points.get(at) else {
        return Html::default();
    };
    let nbeta = run.knobs.float("nbeta");
    // In the order of the table of their meanings.
    let values = [
        fixed(point.step as f64, 0),
        with_error(point.value, point.se),
        rise(point, nbeta),
        // From w* = 0 everything is infinitely far.
        if point.distance > 0.0 || point.spread == 0.0 {
            significant(point.distance, 2)
        } else {
            "–, w* is 0".into()
        },
        significant(point.mean_loss, 3),
        words::setting(&run.knobs),
        chains(point),
    ];
    html! {
        <section class="readout" aria-label="λ̂ in figures" data-test="readout">
            <dl>
                { for READOUT.iter().zip(values).map(|(name, value)| row(name, of(&format!("readout: {name}")), value)) }
            </dl>
            if locality::left(&llc.points) {
                <p class="warn" role="status" data-test="left">
                    {of("left")}
                </p>
            }
        </section>
    }
}

fn rise(point: &LlcPoint, nbeta: f64) -> String {
    let rise = if nbeta > 0.0 {
        point.value / nbeta
    } else {
        point.mean_loss - point.init_loss
    };
    let rise = significant(rise, 2);
    if point.init_loss == 0.0 {
        return format!("{rise} above 0");
    }
    format!("{rise} of {}", significant(point.init_loss, 3))
}

fn chains(point: &LlcPoint) -> String {
    let mut values: Vec<String> = point
        .per_chain
        .iter()
        .take(8)
        .map(|v| significant(*v, 2))
        .collect();
    if point.per_chain.len() > 8 {
        values.push("…".into());
    }
    if point.failed_chains > 0 {
        values.push(format!("{} diverged", point.failed_chains));
    }
    values.join(", ")
}
