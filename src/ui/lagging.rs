//! Composition against the refined λ̂ of the head that composes, some steps later: is composing tied to
//! the basin broadening?

use super::Page;
use super::chart::ToggleButton;
use super::chooser::chosen;
use super::loss::look;
use super::paths::planar;
use super::tip::Tip;
use crate::app::refined::{self, KINDS, LAGS, Pair};
use crate::app::terms;
use crate::plot::number::{fixed, grouped};
use crate::plot::path::PathChart;
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// What is shown.
#[derive(Clone, PartialEq, Properties)]
pub struct LaggingProps {
    /// State and actions.
    pub page: Page,
    /// Width in pixels.
    pub width: f64,
}

/// The scatter with its choices.
#[component]
pub fn Lagging(props: &LaggingProps) -> Html {
    let (kind, changes) = (use_state(|| 0_usize), use_state(|| false));
    let (lag, only) = (use_state(|| 0_i64), use_state(|| None::<Pair>));
    let Some(run) = props.page.state.run.as_ref() else {
        return Html::default();
    };
    let everything = refined::scatter(run, KINDS[*kind], *changes, None);
    if everything.pairs.is_empty() || everything.steps.len() < 4 {
        return Html::default();
    }
    let chosen_pair = only.filter(|p| everything.pairs.contains(p));
    let all = match chosen_pair {
        Some(_) => refined::scatter(run, KINDS[*kind], *changes, chosen_pair),
        None => everything.clone(),
    };
    let found = all.curves.lagged(*lag);
    let name = |p: &Pair| format!("{}.{} → {}.{}", p[0], p[1], p[2], p[3]);
    let steps: Vec<f64> = found.points.iter().map(|p| all.steps[p.1]).collect();
    let base = look(&props.page.state, props.width.min(620.0));
    let kind_name = KINDS[*kind].to_ascii_uppercase();
    let (x_title, y_title) = if *changes {
        (
            format!("change of {kind_name}-composition (z)"),
            "change of λ̂ of the later head",
        )
    } else {
        (
            format!("{kind_name}-composition (z)"),
            "refined λ̂ of the later head",
        )
    };
    let chart = PathChart {
        width: base.width,
        height: 300.0,
        label: format!("{x_title} against {y_title}"),
        x_title,
        y_title: y_title.into(),
        steps: &steps,
        points: found.points.iter().map(|p| p.2).collect(),
        x_max: base.x_max,
        log_x: base.log_x,
        apart: Some(found.points.iter().map(|p| name(&all.pairs[p.0])).collect()),
        ..PathChart::default()
    };
    let span = all.apart();
    let slide = {
        let lag = lag.clone();
        Callback::from(move |e: InputEvent| {
            let input: Option<HtmlInputElement> = e.target_dyn_into();
            if let Some(to) = input.and_then(|i| i.value().parse().ok()) {
                lag.set(to);
            }
        })
    };
    let pick = {
        let (only, pairs) = (only.clone(), everything.pairs.clone());
        Callback::from(move |e: Event| {
            only.set(chosen(&e).and_then(|c| pairs.get(c.parse::<usize>().ok()?).copied()))
        })
    };
    let toggle = {
        let changes = changes.clone();
        Callback::from(move |_: MouseEvent| changes.set(!*changes))
    };
    let told = match (found.rho, found.null.first(), found.null.last()) {
        // Each way has the same share: of fewer no p can be below a tenth.
        (Some(rho), ..) if found.null.len() < 9 => format!(
            "ρ {} over {} points. With so few later heads to exchange, chance cannot be told from order.",
            fixed(rho, 2),
            found.points.len()
        ),
        (Some(rho), Some(low), Some(high)) => format!(
            "ρ {} over {} points; exchanged in {} other ways {} to {}; p {}.",
            fixed(rho, 2),
            found.points.len(),
            found.null.len(),
            fixed(*low, 2),
            fixed(*high, 2),
            fixed(found.p, 2)
        ),
        _ => "Too few points for a correlation.".into(),
    };
    // Every way has the same share: with few heads no p is small.
    let least = 1.0 / (found.null.len() + 1) as f64;
    html! {
        <div class="lagging" data-test="lagging">
            <h3>{"Does composing go before it? "}<Tip about="the lagged scatter">{ terms::of("lagging") }</Tip>
                <span class="toggles">
                    { for KINDS.iter().enumerate().map(|(i, k)| {
                        let kind = kind.clone();
                        html! { <ToggleButton label={k.to_ascii_uppercase()} on={*kind == i} press={Callback::from(move |_| kind.set(i))} /> }
                    }) }
                    <ToggleButton label="changes" on={*changes} press={toggle} />
                </span>
            </h3>
            <p class="slider">
                <label>{"pairs "}<select data-test="lag-pair" onchange={pick}>
                    <option value="all" selected={chosen_pair.is_none()}>{"all"}</option>
                    { for everything.pairs.iter().enumerate().map(|(i, p)| html! { <option value={i.to_string()} selected={chosen_pair == Some(*p)}>{ name(p) }</option> }) }
                </select></label>
                <label>{ format!(" λ̂ {} steps {} ", grouped((span * lag.unsigned_abs() as f64) as u64), if *lag < 0 { "before" } else { "later" }) }
                    <input type="range" min={(-LAGS).to_string()} max={LAGS.to_string()} step="1" value={lag.to_string()} oninput={slide} data-test="lag" /></label>
            </p>
            <p role="status" data-test="rho">{ told }
                if least > 0.05 && found.null.len() >= 9 { <span class="muted">{ format!(" With so few later heads p cannot be below {}.", fixed(least, 2)) }</span> }
            </p>
            { planar(&props.page, &chart, "lagged") }
        </div>
    }
}
