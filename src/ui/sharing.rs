//! Composition on data: what the queries, keys and values of a later head are made of, at the step
//! shown and over training.

use super::Page;
use super::chart::ToggleButton;
use super::chooser::chosen;
use super::heads::{definition, over_time, value_at};
use super::keep::Keep;
use super::loss::look;
use crate::app::seeds;
use crate::app::spread::Drawn;
use crate::experiments::heads::{BESIDE, Head};
use crate::plot::number::fixed;
use crate::plot::panels::Look;
use yew::prelude::*;

/// The kinds: as series call them, and in words.
const KINDS: [(&str, &str); 3] = [("k", "keys"), ("q", "queries"), ("v", "values")];
/// Curves drawn: those with the greatest shares.
const DRAWN: usize = 6;

/// What is shown.
#[derive(Clone, PartialEq, Properties)]
pub struct SharingProps {
    /// State and actions.
    pub page: Page,
    /// The step shown.
    pub step: f64,
    /// The heads there.
    pub found: Vec<Head>,
    /// Width in pixels.
    pub width: f64,
}

/// The section.
#[component]
pub fn Sharing(props: &SharingProps) -> Html {
    let (kind, which) = (use_state(|| 0), use_state(|| None::<(usize, usize)>));
    let Some(run) = &props.page.state.run else {
        return Html::default();
    };
    let (name, what) = KINDS[*kind];
    let later: Vec<&Head> = props.found.iter().filter(|h| h.layer > 0).collect();
    let id = |from: &str, to: &Head| format!("share.{name}.{from}.{}.{}", to.layer, to.head);
    let at = |from: &str, to: &Head| value_at(run, &id(from, to), props.step);
    let Some(last) = later.last().filter(|h| at("embed", h).is_some()) else {
        return Html::default();
    };
    // As a column names them, as series do.
    let earlier = props.found.iter().filter(|h| h.layer < last.layer);
    let mut sources: Vec<(String, String)> = earlier
        .map(|h| format!("{}.{}", h.layer, h.head))
        .map(|n| (n.clone(), n))
        .collect();
    for (shown, from) in [("tokens", "embed"), ("positions", "pos"), ("rest", "rest")] {
        sources.push((shown.into(), from.into()));
    }
    // What is left is there only where there is something besides heads and embeddings.
    sources.retain(|(_, from)| {
        from != "rest"
            || later
                .iter()
                .any(|h| at(from, h).is_some_and(|y| y.abs() > 5e-4))
    });
    let cell = |from: &(String, String), to: &&Head| {
        let Some(y) = at(&from.1, to) else {
            return html! { <td /> };
        };
        let told = format!(
            "{} % of the {what} of {}.{} {} {}",
            fixed(100.0 * y, 1),
            to.layer,
            to.head,
            if y < 0.0 {
                "are taken away by"
            } else {
                "are due to"
            },
            from.0
        );
        html! {
            <td class={(y > 0.55).then_some("bright")} style={format!("--heat:{}", fixed(y.clamp(0.0, 1.0) * 100.0, 0))} title={told.clone()}>
                <span class="z" aria-label={told}>{ fixed(100.0 * y, 0) }</span>
            </td>
        }
    };
    let shown = later
        .iter()
        .find(|h| Some((h.layer, h.head)) == *which)
        .or(later.iter().find(|h| h.label.starts_with("induction")))
        .or(later.first());
    let pick = {
        let which = which.clone();
        Callback::from(move |e: Event| {
            which.set(chosen(&e).and_then(|c| {
                let (layer, head) = c.split_once('.')?;
                Some((layer.parse().ok()?, head.parse().ok()?))
            }))
        })
    };
    let label = |h: &Head| format!("{}.{}", h.layer, h.head);
    html! {
        <>
            <h3>{"Composition on data "}{ definition(&BESIDE[5]) }
                <span class="toggles">{ for KINDS.iter().enumerate().map(|(i, (k, what))| {
                    let kind = kind.clone();
                    html! { <ToggleButton label={format!("{} ({what})", k.to_ascii_uppercase())} on={*kind == i} press={Callback::from(move |_| kind.set(i))} /> }
                }) }</span>
            </h3>
            <p class="small-print">{ format!("% of the {what} of the head in the column that is due to the source in the row, over the held-out sequences; a column sums to 100.") }</p>
            <table class="heat" data-test="shares" aria-label="Composition on data, %">
                <thead><tr><th scope="col">{"from \\ of"}</th>{ for later.iter().map(|h| html! { <th scope="col" title={h.label}>{ label(h) }</th> }) }</tr></thead>
                <tbody>{ for sources.iter().map(|from| html! {
                    <tr><th scope="row">{ &from.0 }</th>{ for later.iter().map(|to| cell(from, to)) }</tr>
                }) }</tbody>
            </table>
            if let Some(to) = shown {
                <p><label>{ format!("Over training, the {what} of head ") }<select data-test="share-head" onchange={pick}>
                    { for later.iter().map(|h| html! { <option value={label(h)} selected={h == to}>{ format!("{} {}", label(h), h.label) }</option> }) }
                </select></label></p>
                { over(props, &sources, &|from| id(from, to), format!("What the {what} of head {} are due to", label(to))) }
            }
        </>
    }
}

/// The greatest shares of one head over training.
fn over(
    props: &SharingProps,
    sources: &[(String, String)],
    id: &dyn Fn(&str) -> String,
    title: String,
) -> Html {
    let Some(run) = &props.page.state.run else {
        return Html::default();
    };
    let most = |s: &crate::protocol::Series| s.y.iter().fold(0.0, |m: f64, y| m.max(y.abs()));
    let mut known: Vec<_> = sources
        .iter()
        .filter_map(|(name, from)| Some((name, seeds::followed(run, &id(from))?)))
        .collect();
    crate::math::order::sort_by(&mut known, |a, b| most(b.1).total_cmp(&most(a.1)));
    let lines: Vec<Drawn> = known
        .iter()
        .take(DRAWN)
        .enumerate()
        .map(|(i, (name, s))| ((*s).clone(), format!("s{i}"), (*name).clone()))
        .collect();
    let base = look(&props.page.state, props.width);
    Keep::new("shares", title).over_time(
        &props.page,
        over_time(
            &Look {
                height: 200.0,
                ..base
            },
            "share of the whole".into(),
            &lines,
            Some(1.0),
        ),
    )
}
