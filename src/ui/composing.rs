//! Composition: which later head reads what which earlier head writes, against chance.

use super::Page;
use super::chart::ToggleButton;
use super::heads::definition;
use crate::app::{Run, seeds};
use crate::experiments::heads::{BESIDE, Head};
use crate::plot::cursor::nearest;
use crate::plot::number::{fixed, significant};
use yew::prelude::*;

/// z at which a cell has its full colour.
const FULL: f64 = 12.0;
/// The kinds: as series call them, and what the later head makes of what it reads.
const KINDS: [(&str, &str); 3] = [("k", "keys"), ("q", "queries"), ("v", "values")];

/// What is shown.
#[derive(Clone, PartialEq, Properties)]
pub struct ComposingProps {
    /// State and actions.
    pub page: Page,
    /// The step shown.
    pub step: f64,
    /// The heads there.
    pub found: Vec<Head>,
}

/// The score of a pair at a step, the mean of its null and a standard deviation of it.
fn pair(run: &Run, id: &str, step: f64) -> Option<[f64; 3]> {
    let s = seeds::followed(run, id)?;
    let i = nearest(&s.x, step)?;
    let (lo, hi) = (*s.lo.get(i)?, *s.hi.get(i)?);
    Some([*s.y.get(i)?, (lo + hi) / 2.0, (hi - lo) / 2.0])
}

/// A label in a word, for a table's edge.
fn short(label: &str) -> &str {
    label
        .split([' ', ','])
        .next()
        .filter(|_| label.ends_with("head"))
        .unwrap_or_default()
}

/// The map.
#[component]
pub fn Composing(props: &ComposingProps) -> Html {
    let kind = use_state(|| 0);
    let Some(run) = &props.page.state.run else {
        return Html::default();
    };
    let (name, what) = KINDS[*kind];
    let layers = props.found.last().map_or(0, |h| h.layer + 1);
    let writing = || props.found.iter().filter(|h| h.layer + 1 < layers);
    let reading = || props.found.iter().filter(|h| h.layer > 0);
    let named = |h: &Head| {
        html! { <th scope="col" title={h.label}>{ format!("{}.{}", h.layer, h.head) }<span class="small-print">{ short(h.label) }</span></th> }
    };
    if layers < 2 {
        return Html::default();
    }
    let cell = |from: &Head, to: &Head| {
        let [a, b, c, d] = [from.layer, from.head, to.layer, to.head];
        let id = format!("composition.{name}.{a}.{b}.{c}.{d}");
        let Some([score, mean, sd]) = pair(run, &id, props.step) else {
            return html! { <td /> };
        };
        let z = (score - mean) / sd;
        // Above chance and below it are two colours; at chance there is none.
        let share = (z.abs() / FULL).clamp(0.0, 1.0) * 60.0;
        let side = if z < 0.0 { "below" } else { "above" };
        let told = format!(
            "{a}.{b} into the {what} of {c}.{d}: {}; by chance {} ± {}; z {}",
            significant(score, 3),
            significant(mean, 3),
            significant(sd, 1),
            fixed(z, 1)
        );
        html! {
            <td class={side} style={format!("--heat:{}", fixed(share, 0))} title={told.clone()}>
                <span class="z" aria-label={told}>{ fixed(z, 1) }</span>
            </td>
        }
    };
    let known = seeds::followed(run, "composition.k.0.0.1.0").is_some();
    html! {
        <>
            <h3>{"Composition "}{ definition(&BESIDE[0]) }
                <span class="toggles">{ for KINDS.iter().enumerate().map(|(i, (k, what))| {
                    let kind = kind.clone();
                    let on = *kind == i;
                    html! { <ToggleButton label={format!("{} ({what})", k.to_ascii_uppercase())} {on} press={Callback::from(move |_| kind.set(i))} /> }
                }) }</span>
            </h3>
            if known {
                <p class="small-print">{ format!("z of the score: how many standard deviations above random rotations. A row writes, a column reads its {what} from it; the score itself shows under the pointer.") }</p>
                <table class="heat" data-test="composition" aria-label="Composition, z">
                    <thead><tr><th scope="col">{"writes \\ reads"}</th>{ for reading().map(named) }</tr></thead>
                    <tbody>{ for writing().map(|from| html! {
                        <tr>{ named(from) }{ for reading().map(|to| cell(from, to)) }</tr>
                    }) }</tbody>
                </table>
            } else {
                <p class="muted">{"Not measured: this model has too many pairs of heads."}</p>
            }
        </>
    }
}
