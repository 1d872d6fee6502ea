//! λ̂ over training at other settings: the locality lens, a curve estimated again, parts of the model.

use super::Page;
use super::keep::Keep;
use super::loss::look;
use super::size::use_width;
use crate::app::health::short;
use crate::app::lens::{Traced, curves, stops};
use crate::app::locality::Regime;
use crate::app::{Action, words};
use crate::knobs::Value;
use crate::plot::panels::{self, Curve};
use crate::protocol::{Study, StudyKind};
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// A setting as the form writes it.
pub fn plain(x: f64) -> String {
    words::value(Value::Float(x))
}

/// The stop of a value, or the middle one of what is there.
fn index(stops: &[f64], wanted: Option<f64>) -> usize {
    let at = wanted.and_then(|w| stops.iter().position(|s| *s == w));
    at.unwrap_or(stops.len().saturating_sub(1) / 2)
}

/// What the lens looks at, and how that is changed.
struct Aim<'a> {
    all: &'a [Traced],
    shown: usize,
    set: Callback<(f64, f64)>,
}

impl Aim<'_> {
    fn curve(&self, nbeta: f64, gamma: f64) -> Option<&Traced> {
        let is = |t: &&Traced| t.nbeta == nbeta && t.gamma == gamma;
        self.all.iter().find(is)
    }
    /// A slider over the values of one setting, the other staying.
    fn slider(&self, name: &str, id: &str, of: fn(&Traced) -> f64) -> Html {
        let (stops, now) = (stops(self.all, of), &self.all[self.shown]);
        let at = index(&stops, Some(of(now)));
        let (set, other, first) = (self.set.clone(), (now.nbeta, now.gamma), name == "nβ");
        let last = stops.len() - 1;
        let slide = Callback::from(move |e: InputEvent| {
            let input: Option<HtmlInputElement> = e.target_dyn_into();
            let stop = input.and_then(|i| i.value().parse::<usize>().ok());
            if let Some(&x) = stop.and_then(|i| stops.get(i)) {
                set.emit(if first { (x, other.1) } else { (other.0, x) });
            }
        });
        html! {
            <label>{ format!("{name} {} ", plain(of(now))) }
                <input type="range" min="0" max={last.to_string()} step="1" value={at.to_string()} oninput={slide} data-test={format!("lens-{id}")} />
            </label>
        }
    }
    /// What each setting makes of λ̂, a button each.
    fn map(&self) -> Html {
        let (rows, columns) = (stops(self.all, |t| t.nbeta), stops(self.all, |t| t.gamma));
        let cell = |nbeta: f64, gamma: f64| {
            let Some(t) = self.curve(nbeta, gamma) else {
                return html! { <td>{"·"}</td> };
            };
            let on = t.name == self.all[self.shown].name;
            let set = self.set.clone();
            let press = Callback::from(move |_: MouseEvent| set.emit((nbeta, gamma)));
            let (word, told) = Regime::of(&t.points, nbeta, gamma).told();
            html! { <td><button type="button" class="small" aria-pressed={on.to_string()} aria-label={format!("{}: {told}", t.name)} onclick={press}>{ word }</button></td> }
        };
        html! {
            <table class="regimes" data-test="regimes">
                <thead><tr><th scope="col">{"nβ \\ γ"}</th>{ for columns.iter().map(|g| html! { <th scope="col">{ plain(*g) }</th> }) }</tr></thead>
                <tbody>{ for rows.iter().map(|&nbeta| html! {
                    <tr><th scope="row">{ plain(nbeta) }</th>{ for columns.iter().map(|&gamma| cell(nbeta, gamma)) }</tr>
                }) }</tbody>
            </table>
        }
    }
    /// Sliders, the regime in words, the map, and the way to adopt the setting.
    fn view(&self, page: &Page) -> Html {
        let t = &self.all[self.shown];
        let adopt = Action::Adopt {
            nbeta: t.nbeta,
            gamma: t.gamma,
            eps: t.eps,
        };
        html! {
            <>
                <p class="slider">
                    { self.slider("nβ", "nbeta", |t| t.nbeta) }
                    { self.slider("γ", "gamma", |t| t.gamma) }
                    <span class="muted">{ format!("ε {}", short(t.eps)) }</span>
                    <button type="button" class="small" data-test="lens-adopt" onclick={page.on(adopt)}>{"Put into the form"}</button>
                </p>
                <p data-test="regime" role="status">{ Regime::of(&t.points, t.nbeta, t.gamma).told().1 }</p>
                { self.map() }
            </>
        }
    }
}

/// The chart.
#[component]
pub fn Lens(page: &Page) -> Html {
    let node = use_node_ref();
    let width = use_width(&node);
    let wanted = use_state(|| None::<(f64, f64)>);
    let Some((run, study)) = page
        .state
        .run
        .as_ref()
        .and_then(|r| Some((r, r.study.as_ref()?)))
    else {
        return Html::default();
    };
    let all = curves(study, &run.llc.points);
    let (controls, picture) = if all.is_empty() {
        Default::default()
    } else {
        let (nbeta, gamma) = wanted.unwrap_or((run.knobs.float("nbeta"), run.knobs.float("gamma")));
        let shown = all
            .iter()
            .position(|t| t.nbeta == nbeta && t.gamma == gamma)
            .unwrap_or(all.len() - 1);
        let lens = study.spec.kind == StudyKind::Lens;
        let set = Callback::from(move |at| wanted.set(Some(at)));
        let all = &all;
        let controls = lens.then(|| Aim { all, shown, set }.view(page));
        let at = lens.then_some(shown);
        (controls, picture(page, width, all, (study, at)))
    };
    // The place of the picture is there from the beginning: its width is followed from then on.
    html! {
        <figure class="chart lens" data-test="lens">
            { for controls }
            <div class="plot-box" ref={node}>{ picture }</div>
        </figure>
    }
}

/// The curves, or the one that is shown.
fn picture(
    page: &Page,
    width: f64,
    all: &[Traced],
    (study, shown): (&Study, Option<usize>),
) -> Html {
    // Where all cells have one setting it stands above them.
    let one = |t: &Traced| (t.nbeta, t.gamma, t.eps) == (all[0].nbeta, all[0].gamma, all[0].eps);
    let what = match study.spec.kind {
        StudyKind::Parts => "λ̂ of each part alone, the rest frozen",
        StudyKind::Lens => "λ̂ at one setting of the lens",
        _ => "λ̂ at the settings of the form",
    };
    let mut title = format!(
        "{what}, ± 1 SE · {}×{}",
        study.spec.chains, study.spec.draws
    );
    let at = shown.map_or(&all[0], |i| &all[i]);
    if shown.is_some() || all.iter().all(one) {
        title += &format!(
            " · nβ {} · γ {} · ε {}",
            plain(at.nbeta),
            plain(at.gamma),
            short(at.eps)
        );
    }
    let ends = |sign: f64| -> Vec<Vec<f64>> {
        let of = |t: &Traced| t.points.iter().map(|p| p.value + sign * p.se).collect();
        all.iter().map(of).collect()
    };
    let (lo, hi) = (ends(-1.0), ends(1.0));
    let mut which: Vec<usize> = (0..all.len()).collect();
    which.retain(|i| shown.is_none_or(|s| s == *i));
    let drawn: Vec<Curve> = which
        .iter()
        .map(|&i| Curve {
            label: &all[i].name,
            x: &all[i].x,
            y: &all[i].y,
            class: "",
        })
        .collect();
    let mut chart = panels::loss(&look(&page.state, width), "", &drawn, Vec::new());
    chart.label = "λ̂ over training at the settings of the study".into();
    chart.y_title = "λ̂".into();
    chart.log_y = false;
    chart.from_zero = shown.is_none();
    // Many curves: five colours, then the same once more in thin lines.
    for (i, (line, &at)) in chart.lines.iter_mut().zip(&which).enumerate() {
        (line.lo, line.hi) = (&lo[at], &hi[at]);
        let colour = ["s0", "s1", "s2", "s3", "s5"][i % 5];
        let thin = if i % 10 >= 5 { " thin" } else { "" };
        line.class = format!("{colour}{thin}");
    }
    let keep = Keep::new("calibrate", title.clone());
    html! { <><p class="small-print">{ title }</p>{ keep.still(page, chart.draw().scene) }</> }
}
