//! The last step of one chain, taken apart: what pulled, and what kicked.

use super::chooser::chosen;
use super::posterior::WalkProps;
use super::size::use_width;
use crate::app::split::{LastStep, Split, last_step};
use crate::app::terms;
use crate::plot::arrows::{Arrow, step};
use crate::plot::number::significant;
use yew::prelude::*;

/// Height of the arrows in pixels.
const HEIGHT: f64 = 180.0;

/// Words before symbols: class, name, how it comes about.
const PARTS: [(&str, &str, &str); 3] = [
    ("downhill", "downhill", "−(ε/2)·nβ·∇L(w)"),
    ("back", "back to w*", "−(ε/2)·γ·(w − w*)"),
    ("kick", "a random kick", "√ε·N(0, 1)"),
];

/// The section.
#[component]
pub fn OneStep(props: &WalkProps) -> Html {
    let node = use_node_ref();
    let width = use_width(&node) / props.page.state.view.scale();
    let t = &props.trace;
    let chains = t.tail.len();
    let chain = props.chosen.min(chains.saturating_sub(1));
    let names = props.potential.names;
    let sampler = props.knobs.word("sampler");
    let last = if sampler == "rmsprop" {
        Err(terms::of("split: rmsprop"))
    } else {
        match last_step(t, chain, &props.potential) {
            LastStep::Split(split) => Ok(split),
            LastStep::Rejected => Err(terms::of("split: refused")),
            LastStep::None if t.done > 0 => Err(
                "The chains stand at w*. Press Step once more: the step appears here as three arrows.",
            ),
            LastStep::None => Err(terms::of("split: before")),
        }
    };
    let choose = {
        let choose = props.choose.clone();
        Callback::from(move |e: Event| {
            if let Some(c) = chosen(&e).and_then(|c| c.parse().ok()) {
                choose.emit(c);
            }
        })
    };
    let (arrows, table, told) = match last {
        Ok(split) => {
            let by = [split.gradient, split.pull, split.noise];
            let arrows = [0, 1, 2].map(|i| Arrow {
                name: PARTS[i].1,
                class: PARTS[i].0,
                by: by[i],
            });
            let scene = step(&arrows, names.len() < 2, width, HEIGHT);
            (
                Html::from_html_unchecked(scene.svg().into()),
                table(&split, &by, names),
                balance(&split),
            )
        }
        Err(why) => (Html::default(), Html::default(), why.to_string()),
    };
    let batch =
        props.knobs.word("target") == "linreg" && props.knobs.int("mbatch") < props.knobs.int("n");
    html! {
        <section class="split" data-test="split" aria-label="One step of a chain">
            <h2>{"One step "}
                if chains > 1 {
                    <label>{"of chain "}<select data-test="chain" onchange={choose}>
                        { for (0..chains).map(|c| html! { <option value={c.to_string()} selected={c == chain}>{ c + 1 }</option> }) }
                    </select></label>
                }
            </h2>
            <div class="arrows" ref={node}>{ arrows }</div>
            { table }
            <p>{ told }{ if batch { " The kick holds the noise of the minibatch, too." } else { "" } }</p>
        </section>
    }
}

/// The parts and their sum, along each weight.
fn table(split: &Split, by: &[[f64; 2]; 3], names: &[&str]) -> Html {
    let cells = |v: [f64; 2]| {
        let axes = v.into_iter().take(names.len());
        axes.map(|x| html! { <td>{ significant(x, 2) }</td> })
            .collect::<Html>()
    };
    let (from, to) = (split.from, split.to());
    let whole = [to[0] - from[0], to[1] - from[1]];
    html! {
        <div class="table"><table class="figures" data-test="parts">
            <thead><tr><th scope="col">{"what moves it"}</th><th scope="col">{"how"}</th>
                { for names.iter().map(|n| html! { <th scope="col">{ *n }</th> }) }</tr></thead>
            <tbody>
                { for PARTS.iter().zip(by).map(|((class, name, how), v)| html! {
                    <tr><th scope="row"><span class={classes!("key", *class)}></span>{ format!(" {name}") }</th><td>{ *how }</td>{ cells(*v) }</tr>
                }) }
                <tr><th scope="row">{"together"}</th><td>{"w′ − w"}</td>{ cells(whole) }</tr>
                <tr><th scope="row">{"w, before"}</th><td />{ cells(from) }</tr>
            </tbody>
        </table></div>
    }
}

/// Which of the two is larger, and why the chain stays near w* all the same.
fn balance(split: &Split) -> String {
    let pull = [0, 1].map(|k| split.gradient[k] + split.pull[k]);
    let (pull, kick) = (pull[0].hypot(pull[1]), split.noise[0].hypot(split.noise[1]));
    let why = terms::of("split: kicks");
    if pull > 0.0 && kick >= pull {
        let times = significant(kick / pull, 2);
        format!("The kick is {times} times as long as the two pulls together. {why}")
    } else if pull > 0.0 {
        terms::of("split: pulls").into()
    } else {
        format!("At w* nothing pulls, and only the kick moves the chain. {why}")
    }
}
