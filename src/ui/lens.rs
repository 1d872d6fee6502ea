//! λ̂ over training at other settings than the run's: the locality lens with its slider, a curve
//! estimated again, curves of parts of the model.

use super::Page;
use super::loss::look;
use super::size::use_width;
use crate::app::locality;
use crate::plot::number::significant;
use crate::plot::panels::{self, Curve};
use crate::protocol::{LlcPoint, StudyKind};
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// One curve of a study.
struct Traced {
    name: String,
    x: Vec<f64>,
    y: Vec<f64>,
    points: Vec<LlcPoint>,
}

/// Curves of the run's study, in the order of its cells.
fn curves(page: &Page) -> (StudyKind, Vec<Traced>) {
    let Some(study) = page.state.run.as_ref().and_then(|r| r.study.clone()) else {
        return (StudyKind::default(), Vec::new());
    };
    let mut all: Vec<Traced> = Vec::new();
    for (result, value) in study.done.iter().filter_map(|r| Some((r, r.value?))) {
        let Some(cell) = study.spec.cells.get(result.cell as usize) else {
            continue;
        };
        let name = match study.spec.kind {
            StudyKind::Parts => cell.part.clone(),
            _ => format!("nβ {}", significant(cell.nbeta, 2)),
        };
        let point = LlcPoint {
            step: cell.step,
            value,
            se: result.se,
            init_loss: result.init_loss,
            mean_loss: result.mean_loss,
            ..LlcPoint::default()
        };
        if all.last().is_none_or(|t| t.name != name) {
            all.push(Traced {
                name,
                x: Vec::new(),
                y: Vec::new(),
                points: Vec::new(),
            });
        }
        if let Some(t) = all.last_mut() {
            t.x.push(cell.step as f64);
            t.y.push(value);
            t.points.push(point);
        }
    }
    (study.spec.kind, all)
}

/// What a setting makes of λ̂.
fn regime(points: &[LlcPoint]) -> &'static str {
    match locality::slope(points) {
        Some(s) if s < locality::LEFT_BELOW => {
            "Here the chains have forgotten w*: λ̂ is a constant minus nβ times the loss, its mirror."
        }
        Some(s) if s < 0.75 => {
            "Here the chains remember part of w*: λ̂ mixes the loss with the geometry around w*."
        }
        Some(_) => "Here the chains stay with w*: λ̂ is a local quantity.",
        None => {
            "Too few points, or a loss that has hardly moved, to tell whether the chains stay with w*."
        }
    }
}

/// The chart.
#[component]
pub fn Lens(page: &Page) -> Html {
    let node = use_node_ref();
    let width = use_width(&node);
    let at = use_state(|| None::<usize>);
    let (kind, all) = curves(page);
    let Some(last) = all.len().checked_sub(1) else {
        return Html::default();
    };
    let shown = at.unwrap_or(last).min(last);
    let slide = {
        let at = at.clone();
        Callback::from(move |e: InputEvent| {
            if let Some(input) = e.target_dyn_into::<HtmlInputElement>() {
                at.set(input.value().parse().ok());
            }
        })
    };
    let lens = kind == StudyKind::Lens;
    let drawn: Vec<Curve> = all
        .iter()
        .enumerate()
        .filter(|(i, _)| !lens || *i == shown)
        .map(|(_, t)| Curve {
            label: &t.name,
            x: &t.x,
            y: &t.y,
            class: "",
        })
        .collect();
    let mut chart = panels::loss(&look(&page.state, width), "", &drawn, Vec::new());
    chart.label = "λ̂ over training at the settings of the study".into();
    chart.y_title = "λ̂".into();
    chart.log_y = false;
    chart.from_zero = !lens;
    html! {
        <figure class="chart lens" data-test="lens">
            if lens {
                <p class="slider">
                    <label>{ format!("nβ {} ", all[shown].name.trim_start_matches("nβ ")) }
                        <input type="range" min="0" max={last.to_string()} step="1" value={shown.to_string()} oninput={slide} data-test="lens-slider" />
                    </label>
                    { regime(&all[shown].points) }
                </p>
            }
            <div class="plot-box" ref={node}>{ Html::from_html_unchecked(chart.draw().scene.svg().into()) }</div>
        </figure>
    }
}
