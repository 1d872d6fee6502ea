//! What is learned from the context, and the weights as a whole: ICL score, loss by position, norms,
//! directions in use.

use super::Page;
use super::heads::{definition, over_time, value_at};
use super::keep::Keep;
use super::loss::look;
use crate::app::spread::{Drawn, Layers};
use crate::experiments::heads::BESIDE;
use crate::plot::number::fixed;
use crate::plot::panels::Look;
use crate::protocol::Series;
use std::rc::Rc;
use yew::prelude::*;

/// What is shown.
#[derive(Clone, PartialEq, Properties)]
pub struct LearningProps {
    /// State and actions.
    pub page: Page,
    /// The step shown.
    pub step: f64,
    /// Width in pixels.
    pub width: f64,
}

/// The charts.
#[component]
pub fn Learning(props: &LearningProps) -> Html {
    let Some(run) = &props.page.state.run else {
        return Html::default();
    };
    let all = look(&props.page.state, props.width);
    let half = Look {
        width: if all.width > 560.0 {
            ((all.width - 8.0) / 2.0).floor()
        } else {
            all.width
        },
        height: 180.0,
        ..all
    };
    let chart = |i: usize, y_title: &str, curves: &[(&str, &str, &str)]| {
        let mut all = Layers::default();
        for curve in curves {
            all.add(run, props.page.state.view.spread, *curve, None);
        }
        let lines: Vec<Drawn> = all.all().cloned().collect();
        if lines.is_empty() {
            return Html::default();
        }
        html! {
            <div>
                <h3>{ BESIDE[i].title }{" "}{ definition(&BESIDE[i]) }</h3>
                { Keep::new(curves[0].0.replace('.', "-"), BESIDE[i].title).over_time(&props.page, over_time(&half, y_title.into(), &lines, None)) }
            </div>
        }
    };
    html! {
        <div class="multiples wide" data-test="learning">
            { chart(1, "nats", &[("icl", "s4", "ICL")]) }
            { by_position(props, &half) }
            { chart(3, "directions", &[("spectrum.W_E.participation", "s0", "W_E"), ("spectrum.W_U.participation", "s1", "W_U")]) }
            { chart(4, "‖w‖", &[("norm", "s4", "all"), ("norm.embed.W_E", "s0", "W_E"), ("norm.unembed.W_U", "s1", "W_U")]) }
        </div>
    }
}

/// Loss over positions at the step shown, beside that of the first evaluation.
fn by_position(props: &LearningProps, half: &Look) -> Html {
    let Some(run) = &props.page.state.run else {
        return Html::default();
    };
    let at = |step: f64| -> Vec<f64> {
        let value = |t: usize| value_at(run, &format!("loss.position.{t}"), step);
        (0..).map_while(value).collect()
    };
    let drawn = |step: f64, class: &str, label: String| -> Drawn {
        let y = at(step);
        let x = (0..y.len()).map(|t| t as f64).collect();
        let series = Series {
            x,
            y,
            ..Series::default()
        };
        (Rc::new(series), class.into(), label)
    };
    let ends = crate::app::seeds::followed(run, "loss.position.0").and_then(|s| {
        let shown = crate::plot::cursor::nearest(&s.x, props.step)?;
        Some((*s.x.first()?, *s.x.get(shown)?))
    });
    let Some((first, step)) = ends else {
        return Html::default();
    };
    let named = |step, class| drawn(step, class, format!("step {}", fixed(step, 0)));
    let mut lines = vec![named(first, "s3"), named(step, "s1")];
    if first == step {
        lines.remove(0);
    }
    let mut chart = over_time(half, "nats".into(), &lines, None);
    chart.x_max = lines[0].0.x.last().copied().unwrap_or(1.0);
    (chart.log_x, chart.along) = (false, "position");
    html! {
        <div>
            <h3>{ BESIDE[2].title }{" "}{ definition(&BESIDE[2]) }</h3>
            { Keep::new("loss-by-position", BESIDE[2].title).still(&props.page, chart.draw().scene) }
        </div>
    }
}
