//! Refined λ̂ of every head and every layer over training: the job, the curves on one scale, and which
//! heads go together.

use super::Page;
use super::heads::over_time;
use super::keep::Keep;
use super::lagging::Lagging;
use super::loss::look;
use super::plot::key;
use super::progress::Progress;
use super::tip::Tip;
use crate::app::refined::{self, Curve, Groups, REASONABLE};
use crate::app::{Action, study, terms, words};
use crate::experiments::heads::Head;
use crate::plot::number::fixed;
use crate::plot::panels::Look;
use crate::protocol::Series;
use std::rc::Rc;
use yew::prelude::*;

/// Colours of the groups.
const COLOURS: [&str; 6] = ["s4", "s1", "s0", "s2", "s3", "s5"];

/// What is shown.
#[derive(Clone, PartialEq, Properties)]
pub struct RefinedProps {
    /// State and actions.
    pub page: Page,
    /// The heads at the step shown.
    pub found: Vec<Head>,
    /// Width in pixels.
    pub width: f64,
}

/// The section.
#[component]
pub fn Refined(props: &RefinedProps) -> Html {
    let page = &props.page;
    let Some(run) = page.state.run.as_ref() else {
        return Html::default();
    };
    let steps: Vec<u64> = run.llc.points.iter().map(|p| p.step).collect();
    let Some(spec) = refined::spec(&run.knobs, &steps).filter(|s| !s.cells.is_empty()) else {
        return Html::default();
    };
    let cost = words::chain_cost(run.point_s, &run.knobs, study::chain_steps(&spec));
    let cells = spec.cells.len();
    let busy = run.study.as_ref().is_some_and(|s| !s.over);
    let study = refined::of(run);
    let curves = study.map(|s| refined::curves(s)).unwrap_or_default();
    let current = run
        .study
        .as_ref()
        .zip(study)
        .is_some_and(|(now, s)| Rc::ptr_eq(now, s));
    html! {
        <div class="refined" data-test="refined">
            <h3>{"Refined λ̂ of heads and layers "}<Tip about="refined λ̂">{ terms::of("refined") }</Tip></h3>
            <p class="jobs"><span class="job">
                <button type="button" data-test="study-refined" disabled={busy} onclick={page.on(Action::Study(spec))}>{ if study.is_some() { "Estimate again" } else { "λ̂ of every head and layer" } }</button>
                <span class="small-print">{ format!("{cells} estimates of 2 chains {}", if cost.is_empty() { String::new() } else { format!("· {cost}") }) }</span>
            </span></p>
            if let Some(study) = study.filter(|_| current) { <Progress study={(**study).clone()} page={page.clone()} /> }
            if curves.iter().any(|c| c.x.len() > 1) {
                { multiples(props, &curves, study.is_none_or(|s| s.over)) }
                <Lagging page={page.clone()} width={props.width} />
            }
        </div>
    }
}

/// Every head and every layer, heads by their group.
fn multiples(props: &RefinedProps, curves: &[Curve], over: bool) -> Html {
    let all = look(&props.page.state, props.width);
    let narrow = Look {
        width: ((all.width + 8.0) / (all.width / 200.0).floor().max(1.0) - 8.0).floor(),
        height: 150.0,
        ..all
    };
    let heads: Vec<&Curve> = curves.iter().filter(|c| c.head.is_some()).collect();
    let layers: Vec<&Curve> = curves.iter().filter(|c| c.head.is_none()).collect();
    let Groups {
        of,
        order,
        silhouette,
    } = refined::grouped(&heads);
    let parted = of.iter().any(|g| *g > 0);
    let label = |c: &Curve| {
        let found = props
            .found
            .iter()
            .find(|h| (h.layer, Some(h.head)) == (c.layer, c.head));
        match c.head {
            Some(h) => format!("{}.{h} {}", c.layer, found.map_or("", |f| f.label)),
            None => format!("layer {}", c.layer),
        }
    };
    let row = |part: &[(&Curve, &str)]| {
        let ends = || {
            part.iter()
                .flat_map(|(c, _)| c.lo.iter().chain(&c.hi).copied())
        };
        let one = |&(c, class): &(&Curve, &str)| {
            let series = Series {
                x: c.x.clone(),
                y: c.y.clone(),
                lo: c.lo.clone(),
                hi: c.hi.clone(),
            };
            let drawn = [(Rc::new(series), class.to_string(), String::new())];
            let mut chart = over_time(&narrow, label(c), &drawn, Some(ends().fold(0.0, f64::max)));
            chart.downto = Some(ends().fold(0.0, f64::min));
            let name = format!("refined-{}", c.part.replace('.', "-"));
            Keep::new(name, format!("Refined λ̂, ± 1 SE: {}", label(c)))
                .over_time(&props.page, chart)
        };
        html! { <div class="multiples">{ for part.iter().map(one) }</div> }
    };
    let ordered: Vec<(&Curve, &str)> = order
        .iter()
        .map(|&i| (heads[i], COLOURS[of[i] % COLOURS.len()]))
        .collect();
    let groups = of.iter().max().map_or(0, |g| g + 1);
    let members = |g: usize| {
        let of_group = order.iter().filter(|&&i| of[i] == g);
        of_group
            .map(|&i| format!("{}.{}", heads[i].layer, heads[i].head.unwrap_or(0)))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let told = match silhouette {
        // Some curves have fewer points than others.
        _ if !over => String::new(),
        Some(s) if parted => format!(
            "Mean silhouette {}. Groups by their curves alone: ",
            fixed(s, 2)
        ),
        Some(s) => format!(
            "No groups stand out (best mean silhouette {}, below {}); side by side are the most alike.",
            fixed(s, 2),
            fixed(REASONABLE, 1)
        ),
        None => String::new(),
    };
    html! {
        <>
            <p class="small-print" data-test="groups">{ told }
                if parted { { for (0..groups).map(|g| html! { <>{ key(COLOURS[g % COLOURS.len()]) }{ format!(" {} ", members(g)) }</> }) } }
                <Tip about="groups of heads">{ terms::of("refined: groups") }</Tip></p>
            <div data-test="refined-heads">{ row(&ordered) }</div>
            <p class="small-print">{"Layers, on a scale of their own."}</p>
            <div data-test="refined-layers">{ row(&layers.iter().map(|c| (*c, "s4")).collect::<Vec<_>>()) }</div>
        </>
    }
}
