//! One knob: its label, its field, and a tooltip that a keyboard reaches.

use super::tip::Tip;
use crate::app::parts::Part;
use crate::app::{Action, words};
use crate::knobs::{Kind, Knob};
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

/// A knob as it stands.
#[derive(Clone, PartialEq, Properties)]
pub struct KnobProps {
    /// The schema's entry.
    pub knob: Knob,
    /// What it does.
    pub help: &'static str,
    /// Its value, as in a link.
    pub text: String,
    /// It is not at its default.
    pub changed: bool,
    /// Samples of the data set, where there is one: nβ can be set to n/ln n.
    #[prop_or_default]
    pub samples: Option<i64>,
    /// What can be chosen, where that is in groups: each with its title.
    #[prop_or_default]
    pub groups: Vec<(String, Vec<Part>)>,
    /// Where changes go.
    pub send: Callback<Action>,
}

/// The field.
#[component]
pub fn KnobField(props: &KnobProps) -> Html {
    let knob = &props.knob;
    let (id, tip) = (format!("knob-{}", knob.key), format!("tip-{}", knob.key));
    let changed = {
        let (send, key) = (props.send.clone(), knob.key);
        Callback::from(move |e: Event| {
            let text = e
                .target_dyn_into::<HtmlInputElement>()
                .map(|i| i.value())
                .or_else(|| e.target_dyn_into::<HtmlSelectElement>().map(|s| s.value()));
            if let Some(text) = text {
                send.emit(Action::Knob(key.into(), text));
            }
        })
    };
    let field = match knob.kind {
        Kind::Choice { options } => html! {
            <select id={id.clone()} data-test={id.clone()} aria-describedby={tip.clone()} onchange={changed}>
                if props.groups.is_empty() {
                    { for options.iter().map(|o| html! { <option value={*o} selected={*o == props.text}>{ *o }</option> }) }
                }
                { for props.groups.iter().map(|(title, parts)| grouped(title, parts, &props.text)) }
            </select>
        },
        Kind::Int { .. } | Kind::Float { .. } | Kind::Digest | Kind::List { .. } => html! {
            <input id={id.clone()} data-test={id.clone()} aria-describedby={tip.clone()} type="text" autocomplete="off"
                inputmode={if matches!(knob.kind, Kind::Int { .. }) { "numeric" } else { "text" }}
                value={props.text.clone()} onchange={changed} />
        },
    };
    let symbol = if knob.symbol.is_empty() {
        String::new()
    } else {
        format!(" {}", knob.symbol)
    };
    let unit = if knob.unit.is_empty() {
        String::new()
    } else {
        format!(" {}", knob.unit)
    };
    let dice = (knob.key == "seed").then(|| {
        let send = props.send.clone();
        let roll = Callback::from(move |_: MouseEvent| {
            let seed = (js_sys::Math::random() * 1e6).floor();
            send.emit(Action::Knob("seed".into(), seed.to_string()));
        });
        html! { <button type="button" class="small" aria-label="Draw another seed" onclick={roll}>{"draw"}</button> }
    });
    let theory = props.samples.filter(|&n| knob.key == "nbeta" && n > 2).map(|n| {
        let (send, value) = (props.send.clone(), n as f64 / (n as f64).ln());
        let text = format!("{value:.1}");
        let about = format!("n/ln n of the {n} training samples: {text}");
        let press = Callback::from(move |_: MouseEvent| send.emit(Action::Knob("nbeta".into(), text.clone())));
        html! { <button type="button" class="small" aria-label={about} onclick={press}>{"n/ln\u{a0}n"}</button> }
    });
    html! {
        <div class={classes!("knob", matches!(knob.kind, Kind::List { .. }).then_some("list"), props.changed.then_some("changed"))}>
            <label for={id}>{ knob.label }<span class="symbol">{ symbol }</span></label>
            <span class="field">{ field }{ for dice }{ for theory }</span>
            <Tip about={knob.label} id={tip}>
                { props.help }
                if let Some(n) = props.samples.filter(|_| knob.key == "nbeta") {
                    { format!(" The button sets n/ln n of the {n} training samples, the temperature of the WBIC (Watanabe 2013).") }
                }
                <span class="small-print">{ format!(" {}: {}{unit}; default {}.", knob.key, words::range(knob.kind), words::value(knob.default)) }</span>
            </Tip>
        </div>
    }
}

/// The choices of a group under its title.
fn grouped(title: &str, parts: &[Part], now: &str) -> Html {
    let options = parts.iter().map(|(value, name)| {
        html! { <option value={*value} selected={*value == now}>{ name }</option> }
    });
    if title.is_empty() {
        html! { <>{ for options }</> }
    } else {
        html! { <optgroup label={title.to_string()}>{ for options }</optgroup> }
    }
}
