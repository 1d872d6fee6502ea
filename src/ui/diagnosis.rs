//! One estimate, opened: the losses of its chains, λ̂ as the draws came in, every diagnostic with its
//! healthy range, and what to do.

use super::Page;
use super::keep::Keep;
use super::lens::plain;
use super::loss::look;
use super::size::use_width;
use crate::app::health::{self, Grade};
use crate::app::words::{apart, looked};
use crate::app::{Run, terms};
use crate::plot::line::Level;
use crate::plot::number::fixed;
use crate::plot::panels::Look;
use crate::plot::{Scene, trace};
use crate::protocol::TraceView;
use std::rc::Rc;
use yew::prelude::*;

/// What the diagnosis shows.
#[derive(Clone, PartialEq, Properties)]
pub struct DiagnosisProps {
    /// State and actions.
    pub page: Page,
    /// The traces.
    pub trace: Rc<TraceView>,
    /// Levels to compare the running estimate with.
    #[prop_or_default]
    pub levels: Vec<Level>,
}

/// The section.
#[component]
pub fn Diagnosis(props: &DiagnosisProps) -> Html {
    let node = use_node_ref();
    let width = use_width(&node);
    let t = &props.trace;
    let s = &t.settings;
    let wide = width > 700.0;
    let base = Look {
        width: if wide { 0.5 * width - 10.0 } else { width },
        height: 240.0,
        x_max: (s.burnin + s.draws) as f64,
        window: None,
        log_x: false,
        log_y: false,
        ..look(&props.page.state, width)
    };
    let unit = props
        .page
        .state
        .card()
        .losses
        .first()
        .map_or("", |l| l.unit);
    let drawn = |r: &Run| {
        let knob = r.knobs.schema().iter().find(|k| k.key == "mbatch");
        knob.is_some_and(|k| r.knobs.applies(k))
    };
    let batch = if props.page.state.run.as_ref().is_some_and(drawn) {
        format!(" · batch {}", s.mbatch)
    } else {
        String::new()
    };
    let first = t.x.len().saturating_sub(t.running.len());
    let columns = trace::columns(&t.running);
    let (above, noise) = above(t);
    let losses = trace::losses(&base, unit, &t.x, &above, &noise)
        .draw()
        .scene;
    let running = trace::running(&base, &t.x[first..], &columns, props.levels.clone())
        .draw()
        .scene;
    let keep = |name: &str, scene: Scene| {
        let title = format!("λ̂ at step {}: {name}", fixed(t.step as f64, 0));
        Keep::new(format!("chains-{}", name.replace(' ', "-")), title).still(&props.page, scene)
    };
    html! {
        <section class="diagnosis" data-test="diagnosis" data-rows={t.x.len().to_string()} aria-label="Diagnosis of an estimate">
            <h3>{ format!("λ̂ at step {}: {} chains, {} steps of burn-in, {} draws", fixed(t.step as f64, 0), s.chains, s.burnin, s.draws) }</h3>
            <p class="small-print">{ format!(
                "{} · nβ {} · γ {} · ε {}{batch}{}{}", s.sampler, plain(s.nbeta), plain(s.gamma),
                health::short(s.eps), apart("", &s.part, &s.on, s.polish), looked(s.apart)
            ) }</p>
            <div class="pair" ref={node}>
                { keep("losses", losses) }
                { keep("running mean", running) }
            </div>
            { verdict(t) }
        </section>
    }
}

/// The table of diagnostics and the sentences, once the estimate is done.
fn verdict(t: &TraceView) -> Html {
    let Some(point) = &t.point else {
        return html! { <p class="muted" role="status">{"The chains are still running."}</p> };
    };
    html! {
        <>
            if !point.warnings.is_empty() {
                <ul class="warnings" data-test="warnings">{ for point.warnings.iter().map(|w| html! { <li>{ w }</li> }) }</ul>
            }
            <table class="figures signs" data-test="signs">
                <thead><tr><th scope="col">{"diagnostic"}</th><th scope="col">{"here"}</th><th scope="col">{"healthy"}</th><th scope="col">{"what it says"}</th></tr></thead>
                <tbody>{ for health::signs(point, &t.settings).into_iter().map(|x| {
                    let (sign, word) = x.grade.sign();
                    let class = match x.grade { Grade::Good => "good", Grade::Look => "look", Grade::Bad => "bad", Grade::Plain => "" };
                    html! {
                        <tr class={class}><th scope="row">{ x.name }</th>
                            <td>{ x.value }{" "}<span class="sign">{ sign }{" "}{ word }</span></td>
                            <td>{ x.healthy }</td><td>{ terms::of(&format!("sign: {}", x.name)) }</td></tr>
                    }
                }) }</tbody>
            </table>
        </>
    }
}

/// The losses of the chains less L(w*) on the same batches, and the line of w* with what the batches
/// alone scatter: middle, lower and upper end.
pub fn above(t: &TraceView) -> (Vec<Vec<f64>>, [Vec<f64>; 3]) {
    let less = |y: &Vec<f64>| y.iter().zip(&t.anchor).map(|(l, a)| l - a).collect();
    let scatter = sd(&t.anchor);
    let noise = [0.0, -scatter, scatter].map(|y| vec![y; t.anchor.len()]);
    (t.losses.iter().map(less).collect(), noise)
}

/// Standard deviation; 0 of fewer than two.
fn sd(y: &[f64]) -> f64 {
    let n = y.len() as f64;
    let mean = y.iter().sum::<f64>() / n.max(1.0);
    let square = y.iter().map(|y| (y - mean).powi(2)).sum::<f64>();
    if n > 1.0 {
        (square / (n - 1.0)).sqrt()
    } else {
        0.0
    }
}
