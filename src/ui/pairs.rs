//! The models of a comparison: the ready-made pairs, any other, and how both behave over training.

use super::Page;
use super::found::origin;
use super::keep::Keep;
use super::tip::Tip;
use crate::app::against::Against;
use crate::app::pairing::{self, Versus as Do};
use crate::app::{Action, terms, words};
use crate::experiments::versus::Pair;
use crate::plot::line::Line;
use crate::plot::panels::{Look, lower};
use crate::protocol::{At, SeriesDelta, VersusView};
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// A pair, one press away.
pub fn ready(page: &Page, pair: &Pair, tiny: bool) -> Html {
    let link = pairing::ready(&page.state, pair, tiny);
    let cost = pairing::seconds(&page.state, &link).map(|s| format!("up to {}", words::about(s)));
    let press = page.on(Action::Versus(Do::Compare(Box::new(link))));
    html! {
        <span class="job">
            <button type="button" data-test={format!("versus-{}", pair.id)} disabled={page.state.device.is_none()} onclick={press}>{ pair.title }</button>
            <span class="small-print">{ cost.unwrap_or_default() }</span>
            <Tip about={pair.title}>{ terms::told("pair", page.state.card().id, pair.id) }</Tip>
        </span>
    }
}

/// Any other pair: what B changes, and which checkpoints.
#[component]
pub fn Own(page: &Page) -> Html {
    let (with, at) = (
        use_state(String::new),
        use_state(|| "last,last".to_string()),
    );
    let set = |to: &UseStateHandle<String>| {
        let to = to.clone();
        Callback::from(move |e: InputEvent| {
            if let Some(input) = e.target_dyn_into::<HtmlInputElement>() {
                to.set(input.value());
            }
        })
    };
    let both = Against::checkpoints(&at);
    let mut a = page.state.link.clone();
    a.run = false;
    a.notices.clear();
    let link = pairing::against(a, with.trim(), both.unwrap_or([At::Last; 2]));
    let refused = pairing::refused(&link);
    let empty = with.trim().is_empty() && both.is_none_or(|[a, b]| a == b);
    let mut remarks: Vec<String> = link.notices.iter().map(|n| n.text.clone()).collect();
    if both.is_none() {
        remarks.push(
            "Checkpoints are last, before, after, or a step: one for A, a comma, one for B.".into(),
        );
    }
    remarks.extend(refused.clone());
    let cannot = empty || both.is_none() || refused.is_some() || page.state.device.is_none();
    let press = page.on(Action::Versus(Do::Compare(Box::new(link))));
    html! {
        <details class="own">
            <summary>{"Another pair"}</summary>
            <p class="jobs">
                <label>{"A is the form; B changes "}<input data-test="versus-with" placeholder="seed=2;layers=1" value={(*with).clone()} oninput={set(&with)} /></label>
                <label>{"checkpoints "}<input data-test="versus-at" value={(*at).clone()} oninput={set(&at)} /></label>
                <button type="button" data-test="versus-own" disabled={cannot} onclick={press}>{"Compare"}</button>
                <Tip about="another pair">{terms::of("pairs: own")}</Tip>
            </p>
            if !remarks.is_empty() { <ul class="muted">{ for remarks.iter().map(|r| html! { <li>{ r }</li> }) }</ul> }
        </details>
    }
}

/// The behaviour of both over training, where they were trained for this.
pub fn curves(page: &Page, view: &VersusView, width: f64) -> Html {
    let state = &page.state;
    let card = state.card();
    let spec = card.losses.iter().find(|l| l.id == card.behaviour);
    let ends = view.curves.iter().filter_map(|c| c.x.last().copied());
    let end = ends.fold(1.0, f64::max);
    let line = |name: &str, class: &str, c: &SeriesDelta| {
        (!c.x.is_empty()).then(|| (name.to_string(), class.to_string(), c.clone()))
    };
    let [a, b] = &view.curves;
    // Two checkpoints of one run have one curve.
    let drawn: Vec<_> = if a == b {
        vec![line("A and B", "s0", a)]
    } else {
        vec![line("A", "s0", a), line("B", "s1", b)]
    };
    let drawn: Vec<_> = drawn.into_iter().flatten().collect();
    let Some(spec) = spec.filter(|_| !drawn.is_empty()) else {
        return Html::default();
    };
    let look = Look {
        width,
        height: 180.0,
        x_max: end,
        log_x: state.view.log_x,
        log_y: false,
        recorded: false,
        window: None,
    };
    let lines = drawn.iter().map(|(label, class, c)| Line {
        label: label.clone(),
        class: class.clone(),
        x: &c.x,
        y: &c.y,
        ..Line::default()
    });
    let chart = lower(
        &look,
        &format!("{} ({})", spec.label, spec.unit),
        lines.collect(),
    );
    let scene = chart.draw().scene;
    let shown = Html::from_html_unchecked(scene.svg().into());
    let keep = Keep::new("compare-curves", format!("{} of both", spec.label));
    html! { <div data-test="versus-curves">{ keep.of(page, scene, shown, origin(page)) }</div> }
}
