//! What each head does at a step, as a table, and what matters beside it.

use super::heads::{definition, value_at};
use super::tip::Tip;
use crate::app::Run;
use crate::experiments::heads::{self, Head, INSTRUMENTS};
use crate::plot::number::fixed;
use yew::prelude::*;

/// Which targets the loss is of that ablation is counted in.
pub fn targets(on: &str) -> &'static str {
    if on == "repeat" { " on repeats" } else { "" }
}

fn shown(x: Option<f64>) -> String {
    x.map_or_else(|| "–".into(), |x| fixed(x, 2))
}

/// A row a head.
pub fn table(found: &[Head]) -> Html {
    let label = format!(
        "The greatest attention score names a head from {} on. Else it matters where its ablation adds {} nats or more to the loss on repeats or on all targets, and is idle where it does not.",
        fixed(heads::NAMED, 1),
        fixed(heads::MATTERS, 1)
    );
    html! {
        <div class="table"><table class="figures" data-test="head-rows">
            <thead><tr>
                <th scope="col">{"head"}</th>
                { for INSTRUMENTS.iter().map(|i| html! { <th scope="col">{ i.title }{" "}{ definition(i) }</th> }) }
                <th scope="col">{"what it is "}<Tip about="what a head is called">{ label }</Tip></th>
            </tr></thead>
            <tbody>{ for found.iter().map(|h| html! {
                <tr data-label={h.label}>
                    <th scope="row">{ format!("{}.{}", h.layer, h.head) }</th>
                    <td>{ shown(h.prev_token) }</td><td>{ shown(h.prefix_matching) }</td><td>{ shown(h.duplicate_token) }</td>
                    <td>{ shown(h.copying) }</td><td>{ shown(h.ablation) }</td><td>{ shown(h.preserving) }</td>
                    <td>{ h.label }</td>
                </tr>
            }) }</tbody>
        </table></div>
    }
}

/// What matters beside induction heads.
pub fn others(found: &[Head]) -> Html {
    let told = |h: &&Head| {
        format!(
            "{}.{} ({}: {} nats)",
            h.layer,
            h.head,
            h.label,
            shown(h.ablation)
        )
    };
    let all: Vec<String> = heads::others(found).iter().map(told).collect();
    let list = if all.is_empty() {
        "none".into()
    } else {
        all.join(", ")
    };
    html! { <p data-test="others">{ format!("No induction heads, and yet they matter by ablation: {list}.") }</p> }
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
    html! { <p>{ format!("Added to the loss{} without all heads of {}. Heads that do the same stand in for one that is missing, so a block may matter more than its heads one by one.", targets(on), all.join("; ")) }</p> }
}
