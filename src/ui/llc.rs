//! The λ̂ chart, and under it, on request, the mean loss under the chains.

use super::Page;
use super::branch;
use super::chart::{Chart, ToggleButton};
use super::fits::{fits, flat};
use super::loss::{HEIGHT, look, series};
use super::plot::{Strip, step_under, strip};
use super::size::use_width;
use super::spread::{self, line};
use super::stages::bands;
use super::zoom;
use crate::app::action::Toggle;
use crate::app::beware::beware;
use crate::app::link::parse;
use crate::app::run::Llc;
use crate::app::spread::{Layers, llcs};
use crate::app::{Action, scrub, terms, words};
use crate::plot::line::Line;
use crate::plot::panels::{self, LlcCurve, Look, of_peak};
use crate::plot::settled::settled;
use std::rc::Rc;
use yew::prelude::*;

/// λ̂ and the card's nulls, each as a share of its largest value: what moves together shows it.
fn nulls(page: &Page, llc: &Llc, look: &Look) -> Option<Strip> {
    let state = &page.state;
    let specs = state.card().losses.iter().filter(|l| l.panel.null());
    let mut curves: Vec<(&str, &str, &[f64], Vec<f64>)> = specs
        .zip(["s1", "s2", "s3"])
        .filter_map(|(l, class)| {
            let (x, y) = series(state, l.id)?;
            let name = if l.panel.main() { "test loss" } else { l.label };
            Some((name, class, x, of_peak(y)))
        })
        .collect();
    if curves.is_empty() || llc.x.is_empty() {
        return None;
    }
    curves.push(("λ̂", "s4", &llc.x, of_peak(&llc.y)));
    let lines = curves
        .iter()
        .map(|(label, class, x, y)| Line {
            label: (*label).into(),
            class: (*class).into(),
            x,
            y,
            ..Line::default()
        })
        .collect();
    let mut chart = panels::lower(look, "share of its peak", lines);
    (chart.settled, chart.upto) = (settled(&llc.x, &llc.y), Some(1.0));
    Some(strip(page, chart))
}

/// The chart.
#[component]
pub fn LlcChart(page: &Page) -> Html {
    let node = use_node_ref();
    let state = &page.state;
    let width = use_width(&node);
    let fitted = use_state(|| true);
    let llc: Rc<Llc> = match (&state.run, state.recorded()) {
        (Some(run), _) => run.llc.clone(),
        (None, Some(recorded)) => Rc::new(Llc::of(recorded.llc.clone())),
        (None, None) => Rc::default(),
    };
    let locality = state.view.locality && !llc.x.is_empty();
    let base = look(state, width);
    let below = Look {
        height: HEIGHT * 0.42,
        log_y: false,
        ..base
    };
    let nulls = nulls(page, &llc, &below);
    let flat = state.view.nulls.then(|| flat(page, &llc, &below)).flatten();
    let shared = locality || nulls.is_some() || flat.is_some();
    let upper = Look {
        height: if shared { HEIGHT * 0.58 } else { HEIGHT },
        log_y: false,
        ..base
    };
    let mut chart = panels::llc(
        &upper,
        LlcCurve {
            x: &llc.x,
            y: &llc.y,
            lo: &llc.lo,
            hi: &llc.hi,
        },
    );
    // A class has the colour that its loss has.
    for (class, color) in llc.classes.iter().zip(["s0 thin", "s1 thin", "s2 thin"]) {
        chart.lines.extend(state.view.classes.then(|| Line {
            label: class.name.clone(),
            class: color.into(),
            x: &class.x,
            y: &class.y,
            ..Line::default()
        }));
    }
    chart.lines.splice(0..0, branch::llc(state));
    chart
        .events
        .extend(branch::event(state).into_iter().chain(zoom::events(state)));
    chart.events.extend(scrub::pinned(state));
    let fits = fits(state);
    if *fitted {
        chart.lines.splice(0..0, fits.lines(&upper));
    }
    // λ̂ of the other models, where a study has it.
    let all = state.run.as_ref().map_or(Vec::new(), llcs);
    let mut layers = Layers::default();
    layers.behind(&all, state.follow(), state.view.spread, "s4", None);
    chart.lines.splice(0..0, layers.back().map(line));
    chart.quiet = state.cursor.step.is_some();
    chart.bands = bands(state);
    let drawn = chart.draw();
    let cursor = state
        .cursor
        .step
        .map(|step| chart.cursor(&drawn.frame, step));
    // A curve is captioned with the settings it was made with, the recorded one too.
    let recorded = state.recorded().map(|r| parse(&r.link).knobs);
    let shown = recorded.as_ref().unwrap_or(&state.link.knobs);
    let knobs = state.run.as_ref().map_or(shown, |r| &r.knobs);
    let off = knobs.int("chains") == 0 && !knobs.schema().is_empty();
    let mut setting = words::setting(knobs);
    let several = spread::legend(state, all.len(), ("λ̂", "", layers.band(0)), "");
    if !several.is_empty() {
        setting = format!("{setting}. {several}");
    }
    let twice = spread::follow(page, drawn.frame, all);
    let lower = locality.then(|| {
        let unit = state.card().losses.first().map_or("", |l| l.unit);
        let chart = panels::locality(&below, unit, &llc.x, &llc.under, &llc.at);
        strip(page, chart)
    });
    let empty = match (off, state.run.is_some()) {
        (true, _) => "chains = 0: λ̂ is not estimated.",
        (false, true) if state.link.knobs.int("replicas") > 1 => {
            "λ̂ of the seed that is followed is estimated checkpoint by checkpoint; training waits for it."
        }
        (false, true) => "The first chains run at the first checkpoint.",
        (false, false) => "Press Run: λ̂ appears here, checkpoint by checkpoint.",
    };
    let terms = [
        ("λ̂ points", terms::of("llc points")),
        ("caption", terms::of("setting")),
        ("fit", terms::of("fit")),
        ("null", terms::of("null")),
        ("locality", terms::of("locality")),
        ("by position", terms::of("classes")),
    ]
    .into_iter()
    .filter(|(name, _)| *name != "by position" || !llc.classes.is_empty())
    .map(|(name, help)| (name.to_string(), help.to_string()))
    .collect::<Vec<_>>();
    let told = state.run.as_ref();
    let beware = told.and_then(|r| beware(&llc.points, &r.knobs));
    let below: Vec<Strip> = flat.into_iter().chain(nulls).chain(lower).collect();
    html! {
        <div class="llc">
            <Chart page={page.clone()} name="llc" title="λ̂" sub={setting} {node} {cursor}
                points={drawn.points} scene={drawn.scene}
                help={terms::of("llc")} {terms} {below} recorded={state.recorded()} {empty}
                step_at={step_under(drawn.frame, base.x_max)} {twice}>
                <span class="toggles">
                    if !llc.classes.is_empty() {
                        <ToggleButton label="by position" on={state.view.classes} press={page.on(Action::View(Toggle::Classes))} />
                    }
                    if fits.there() {
                        <ToggleButton label="fit" on={*fitted} press={Callback::from(move |_| fitted.set(!*fitted))} />
                    }
                    <ToggleButton label="null" on={state.view.nulls} press={page.on(Action::View(Toggle::Nulls))} />
                    <ToggleButton label="locality" on={state.view.locality} press={page.on(Action::View(Toggle::Locality))} />
                </span>
            </Chart>
            if let Some(words) = beware { <p class="small-print" data-test="llc-beware">{ words }</p> }
        </div>
    }
}
