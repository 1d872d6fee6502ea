//! Any instrument over training: a choice, and a chart for each of its series.

use super::Page;
use super::chooser::chosen;
use super::heads::{definition, over_time};
use super::keep::Keep;
use super::loss::look;
use crate::app::Run;
use crate::app::families::{Family, curve, families};
use crate::app::spread::Drawn;
use crate::plot::panels::Look;
use crate::protocol::Series;
use std::rc::Rc;
use yew::prelude::*;

/// Charts drawn, at most: of more, those that move most.
const DRAWN: usize = 16;
/// What is drawn before anything is chosen, where it is there.
pub const FIRST: &str = "composition.k";
/// Up to which z is mostly chance.
const CHANCE: f64 = 2.0;

/// The section; `choice` is the key of a family.
pub fn any(page: &Page, run: &Run, choice: &UseStateHandle<String>, width: f64) -> Html {
    let all = families(run);
    let Some(family) = all.iter().find(|f| f.key == **choice).or(all.first()) else {
        return Html::default();
    };
    let pick = {
        let choice = choice.clone();
        Callback::from(move |e: Event| choice.set(chosen(&e).unwrap_or_default()))
    };
    let groups: Vec<&[Family]> = all.chunk_by(|a, b| a.group == b.group).collect();
    let option = |f: &Family| html! { <option value={f.key.clone()} selected={f.key == family.key}>{ &f.title }</option> };
    let span = |s: &Series| {
        let ends = |f: fn(f64, f64) -> f64, from| s.y.iter().copied().fold(from, f);
        [
            ends(f64::min, f64::INFINITY),
            ends(f64::max, f64::NEG_INFINITY),
        ]
    };
    let mut curves: Vec<(&str, Rc<Series>)> = (family.charts.iter())
        .filter_map(|(name, id)| Some((name.as_str(), curve(run, id)?)))
        .collect();
    let there = curves.len();
    if there > DRAWN {
        let moved = |s: &Series| span(s)[1] - span(s)[0];
        crate::math::order::sort_by(&mut curves, |a, b| moved(&b.1).total_cmp(&moved(&a.1)));
        curves.truncate(DRAWN);
    }
    let base = look(&page.state, width);
    let narrow = Look {
        width: ((base.width + 8.0) / (base.width / 200.0).floor().max(1.0) - 8.0).floor(),
        height: 130.0,
        ..base
    };
    // Heads and pairs on one scale; weights each on its own.
    let common = (family.group != "Weights").then(|| {
        let ends = curves.iter().map(|c| span(&c.1));
        ends.fold([0.0_f64; 2], |a, b| [a[0].min(b[0]), a[1].max(b[1])])
    });
    let z = family.key.starts_with("composition");
    let chart = |(name, s): &(&str, Rc<Series>)| {
        let mut lines: Vec<Drawn> = vec![(s.clone(), "s4".into(), String::new())];
        if z {
            let flat = |y: f64| vec![y; s.x.len()];
            let (x, y, lo, hi) = (s.x.clone(), flat(0.0), flat(-CHANCE), flat(CHANCE));
            let chance = Series { x, y, lo, hi };
            lines.insert(0, (Rc::new(chance), "recorded".into(), String::new()));
        }
        let mut chart = over_time(&narrow, (*name).into(), &lines, common.map(|c| c[1]));
        chart.downto = common.map(|c| c[0]);
        let slug = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
        let file = format!("{} {name}", family.key).replace(" → ", "-to-");
        let unit = if family.unit.is_empty() {
            String::new()
        } else {
            format!(" ({})", family.unit)
        };
        let keep = Keep::new(
            file.chars().map(slug).collect::<String>(),
            format!("{}{unit}: {name}", family.title),
        );
        keep.over_time(page, chart)
    };
    html! {
        <div data-test="any" data-family={family.key.clone()}>
            <h3>{"Any instrument over training "}{ definition(family.definition) }</h3>
            <p><select aria-label="Instrument" data-test="any-choice" onchange={pick}>
                { for groups.iter().map(|g| html! { <optgroup label={g[0].group}>{ for g.iter().map(option) }</optgroup> }) }
            </select>
            <span class="small-print">
                { if z { "Grey: ± 2, where chance mostly lies. " } else { "" } }
                { if family.unit.is_empty() { String::new() } else { format!("In {}. ", family.unit) } }
                { if common.is_some() { "One scale for all." } else { "Each on a scale of its own." } }
                if there > DRAWN { { format!(" The {DRAWN} of {there} that move most.") } }
            </span></p>
            <div class="multiples">{ for curves.iter().map(chart) }</div>
        </div>
    }
}
