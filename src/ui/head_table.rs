//! What each head does at a step, as a table, and what matters beside it.

use super::heads::{definition, value_at};
use super::tip::Tip;
use crate::app::{Run, terms};
use crate::experiments::heads::{self, Head, INSTRUMENTS, Instrument};
use crate::plot::number::fixed;
use yew::prelude::*;

/// Which targets the loss is of that ablation is counted in.
pub fn targets(on: &str) -> &'static str {
    if on == "repeat" { " on repeats" } else { "" }
}

fn shown(x: Option<f64>) -> String {
    x.map_or_else(|| "–".into(), |x| fixed(x, 2))
}

/// The unit of an instrument, where it has one.
fn unit(i: &Instrument) -> String {
    match i.unit {
        "" => String::new(),
        unit => format!(" ({unit})"),
    }
}

/// What a head is, and how it matters where no pattern names it.
fn called(h: &Head) -> String {
    match h.way.as_str() {
        way if !way.is_empty() && h.label.starts_with("matters") => format!("{}, {way}", h.label),
        _ => h.label.into(),
    }
}

/// A row a head, and what attending evenly would score, where that is known.
pub fn table(found: &[Head], even: [Option<f64>; 3]) -> Html {
    let label = terms::of("heads: called")
        .replacen("{}", &fixed(heads::NAMED, 1), 1)
        .replacen("{}", &fixed(heads::MATTERS, 1), 1);
    html! {
        <div class="table"><table class="figures" data-test="head-rows">
            <thead><tr>
                <th scope="col">{"head"}</th>
                <th scope="col">{"what it is "}<Tip about="what a head is called">{ label }</Tip></th>
                { for INSTRUMENTS.iter().map(|i| html! { <th scope="col">{ i.title }{ unit(i) }{" "}{ definition(i) }</th> }) }
            </tr></thead>
            <tbody>{ for found.iter().map(|h| html! {
                <tr data-label={h.label}>
                    <th scope="row">{ format!("{}.{}", h.layer, h.head) }</th>
                    <td>{ called(h) }</td>
                    <td>{ shown(h.prev_token) }</td><td>{ shown(h.prefix_matching) }</td><td>{ shown(h.duplicate_token) }</td>
                    <td>{ shown(h.copying) }</td><td>{ shown(h.ablation) }</td><td>{ shown(h.preserving) }</td>
                </tr>
            }) }</tbody>
            if even[0].is_some() {
                <tfoot><tr>
                    <th scope="row">{"even "}<Tip about="even attention">{terms::of("heads: even")}</Tip></th>
                    <td></td>
                    { for even.map(|y| html! { <td>{ shown(y) }</td> }) }
                </tr></tfoot>
            }
        </table></div>
    }
}

/// What matters beside induction heads.
pub fn others(found: &[Head]) -> Html {
    let told = |h: &&Head| {
        let comma = if h.way.is_empty() { "" } else { ", " };
        let (label, way, nats) = (h.label, &h.way, shown(h.ablation));
        format!("{}.{} ({label}{comma}{way}: {nats} nats)", h.layer, h.head)
    };
    let all: Vec<String> = heads::others(found).iter().map(told).collect();
    let list = if all.is_empty() {
        "none".into()
    } else {
        all.join("; ")
    };
    html! { <p data-test="others">{ format!("Not induction heads, yet they matter by ablation: {list}.") }</p> }
}

/// Without all heads of a block at once: what several heads do that stand in for each other.
pub fn whole_blocks(run: &Run, step: f64) -> Html {
    let on = heads::counted(|id| value_at(run, id, step));
    let told = |l: usize| {
        let without = value_at(run, &format!("blocks.{l}.ablation.{on}"), step)?;
        let kept = value_at(run, &format!("blocks.{l}.preserving.{on}"), step)?;
        Some(format!(
            "block {l}: {} nats ({} with patterns kept)",
            fixed(without, 2),
            fixed(kept, 2)
        ))
    };
    let all: Vec<String> = (0..).map_while(told).collect();
    if all.is_empty() {
        return Html::default();
    }
    html! { <p data-test="blocks">{ format!("Added to the loss{} without all heads of {}. Heads that do the same stand in for one that is missing, so a block may matter more than its heads one by one.", targets(on), all.join("; ")) }</p> }
}
