//! Degeneracy one can touch: a head is turned along its flat directions while the loss stays put.

use super::Page;
use super::chooser::chosen;
use super::tip::Tip;
use crate::app::{Action, scrub};
use crate::experiments::heads::Head;
use crate::plot::number::{fixed, grouped, significant};
use crate::protocol::Gauge;
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
    let amount = use_state(|| 0_i32);
    let state = &props.page.state;
    let last = scrub::checkpoints(state).last().map(|s| *s as u64);
    let step = scrub::looked_at(state).or(last);
    let head = props.found.get(*which).or(props.found.first());
    let (Some(run), Some(step), Some(head)) = (&state.run, step, head) else {
        return Html::default();
    };
    let (heads, d) = (run.knobs.int("heads").max(1), run.knobs.int("d_model"));
    let d_head = d / heads;
    let each = 2 * d_head * d_head;
    let ask = {
        let send = props.page.send.clone();
        let (layer, number) = (head.layer as u32, head.head as u32);
        move |amount: i32| {
            let t = f64::from(amount) / f64::from(ENDS.0) * ENDS.1;
            send.emit(Action::Gauge(Gauge {
                step,
                layer,
                head: number,
                amount: t,
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
    let told = run.turned.filter(|t| {
        (t.of.step, t.of.layer as usize, t.of.head as usize) == (step, head.layer, head.head)
    });
    html! {
        <div data-test="turning">
            <h3>{"Directions that change nothing "}<Tip about="flat directions">
                {"A head only uses W_Q·W_Kᵀ and W_V·W_O. So W_Q → W_Q·M, W_K → W_K·M⁻ᵀ and W_V → W_V·M, W_O → M⁻¹·W_O change no output on any data, for every invertible M: 2·d_head² exactly flat directions a head. λ̂ does not count them. The slider takes M = exp(t·A) with a fixed random A; the held-out loss is evaluated anew. Beside it the same weights move as far in a random direction."}
            </Tip></h3>
            <p>{ format!("{} heads have 2·{d_head}² = {} such directions each, {} together. Turn one, at checkpoint {}:",
                props.found.len(), grouped(each as u64), grouped(each as u64 * props.found.len() as u64), grouped(step)) }</p>
            <p class="job">
                <label>{"head "}<select data-test="turn-head" onchange={choose}>
                    { for props.found.iter().enumerate().map(|(i, h)| html! { <option value={i.to_string()} selected={i == *which}>{ format!("{}.{}", h.layer, h.head) }</option> }) }
                </select></label>
                <label>{"t "}<input type="range" data-test="turn" min={(-ENDS.0).to_string()} max={ENDS.0.to_string()} value={amount.to_string()} oninput={slide} /></label>
            </p>
            <p role="status" data-test="turned">{ match told {
                Some(t) => format!(
                    "The weights moved by {}. Held-out loss {} → {}: a change of {}. As far in a random direction: {}, {} more.",
                    significant(t.distance, 3), fixed(t.loss, 5), fixed(t.turned, 5), significant(t.turned - t.loss, 1),
                    fixed(t.random, 3), significant(t.random - t.loss, 2)
                ),
                None => "Move the slider.".to_string(),
            } }</p>
        </div>
    }
}
