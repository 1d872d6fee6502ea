//! Degeneracy one can touch: a head is turned along its flat directions while the loss stays put.

use super::Page;
use super::chooser::chosen;
use super::tip::Tip;
use crate::app::{Action, scrub, terms};
use crate::experiments::heads::{Head, flat};
use crate::plot::number::{fixed, grouped, significant};
use crate::protocol::{Gauge, Gauged};
use wasm_bindgen::JsCast;
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// Steps of the slider either way, and t at its ends.
const ENDS: (i32, f64) = (20, 2.0);

/// What is shown.
#[derive(Clone, PartialEq, Properties)]
pub struct TurningProps {
    /// State and actions.
    pub page: Page,
    /// The heads.
    pub found: Vec<Head>,
}

/// The section.
#[component]
pub fn Turning(props: &TurningProps) -> Html {
    let which = use_state(|| 0_usize);
    let values = use_state(|| false);
    let amount = use_state(|| 0_i32);
    let state = &props.page.state;
    let last = scrub::checkpoints(state).last().map(|s| *s as u64);
    let step = scrub::looked_at(state).or(last);
    let head = props.found.get(*which).or(props.found.first());
    let (Some(run), Some(step), Some(head)) = (&state.run, step, head) else {
        return Html::default();
    };
    let (heads, d) = (run.knobs.int("heads").max(1), run.knobs.int("d_model"));
    let d_head = usize::try_from(d / heads).unwrap_or(0);
    let rotary = run.knobs.word("positions") == "rotary";
    let [keys, outputs] = flat(d_head, rotary);
    let t = |amount: i32| f64::from(amount) / f64::from(ENDS.0) * ENDS.1;
    let ask = {
        let send = props.page.send.clone();
        let (layer, number) = (head.layer as u32, head.head as u32);
        let values = *values;
        move |amount: i32| {
            send.emit(Action::Gauge(Gauge {
                step,
                layer,
                head: number,
                values,
                amount: t(amount),
            }));
        }
    };
    let choose = {
        let which = which.clone();
        let amount = amount.clone();
        Callback::from(move |e: Event| {
            which.set(chosen(&e).and_then(|c| c.parse().ok()).unwrap_or(0));
            amount.set(0);
        })
    };
    let pair = {
        let (values, amount) = (values.clone(), amount.clone());
        Callback::from(move |e: Event| {
            values.set(chosen(&e).is_some_and(|c| c == "values"));
            amount.set(0);
        })
    };
    let slide = {
        let amount = amount.clone();
        Callback::from(move |e: InputEvent| {
            let field = e
                .target()
                .and_then(|t| t.dyn_into::<HtmlInputElement>().ok());
            let to = field.and_then(|f| f.value().parse().ok()).unwrap_or(0);
            amount.set(to);
            ask(to);
        })
    };
    let gone = scrub::gone(state, step);
    let told = run.turned.filter(|t| {
        let of = &t.of;
        (of.step, of.layer as usize, of.head as usize) == (step, head.layer, head.head)
            && of.values == *values
            && *amount != 0
    });
    html! {
        <div data-test="turning">
            <h3>{"Directions that change nothing "}<Tip about="flat directions">{ terms::of("turning") }</Tip></h3>
            <p data-test="flat">{ format!("A head has {} exactly flat directions: {} of W_Q and W_K ({}), {} of W_V and W_O (d_head²). All {} heads together: {}. Turn one, at checkpoint {}:",
                whole(keys + outputs), whole(keys), if rotary { "d_head, as positions are rotary" } else { "d_head²" }, whole(outputs),
                props.found.len(), whole((keys + outputs) * props.found.len()), grouped(step)) }</p>
            <p class="job">
                <label>{"head "}<select data-test="turn-head" onchange={choose}>
                    { for props.found.iter().enumerate().map(|(i, h)| html! { <option value={i.to_string()} selected={i == *which}>{ format!("{}.{}", h.layer, h.head) }</option> }) }
                </select></label>
                <label>{"matrices "}<select data-test="turn-pair" onchange={pair}>
                    <option value="keys" selected={!*values}>{"W_Q and W_K"}</option>
                    <option value="values" selected={*values}>{"W_V and W_O"}</option>
                </select></label>
                <label>{"t "}<input type="range" data-test="turn" min={(-ENDS.0).to_string()} max={ENDS.0.to_string()} disabled={gone} value={amount.to_string()} oninput={slide} /></label>
                <output>{ fixed(t(*amount), 1) }</output>
            </p>
            <div role="status" data-test="turned">{ match told {
                Some(found) => answer(&found),
                None => html! { <p>{ if gone { scrub::GONE } else { "Move the slider." } }</p> },
            } }</div>
        </div>
    }
}

fn whole(n: usize) -> String {
    grouped(n as u64)
}

/// What came out, beside what the same distance does in a random direction.
fn answer(found: &Gauged) -> Html {
    let row = |name: &'static str, logit: f64, loss: f64| {
        html! { <tr><th scope="row">{ name }</th><td>{ significant(logit, 2) }</td><td>{ significant(loss - found.loss, 2) }</td></tr> }
    };
    html! {
        <>
            <p>{ format!("The weights moved by {}; the two matrices together are {} long. Held-out loss before: {}.",
                significant(found.distance, 3), significant(found.norm, 3), fixed(found.loss, 4)) }</p>
            <table class="figures">
                <thead><tr><th>{"as far"}</th><th>{"greatest change of a logit"}</th><th>{"change of the loss (nats)"}</th></tr></thead>
                <tbody>
                    { row("along the flat direction", found.logit, found.turned) }
                    { row("in a random direction", found.random_logit, found.random) }
                </tbody>
            </table>
        </>
    }
}
