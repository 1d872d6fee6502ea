//! The posterior around w* of one or two parameters, with the chains on it.

use super::Page;
use super::save::SaveChart;
use super::size::use_width;
use super::tip::Tip;
use crate::app::terms;
use crate::experiments::truth::Potential;
use crate::knobs::Knobs;
use crate::plot::Scene;
use crate::plot::posterior::{Posterior as Drawn, Walk};
use crate::protocol::TraceView;
use std::rc::Rc;
use yew::prelude::*;

/// Height of the picture in pixels.
const HEIGHT: f64 = 370.0;

/// What the posterior and the last step are drawn from.
#[derive(Clone, PartialEq, Properties)]
pub struct WalkProps {
    /// State and actions.
    pub page: Page,
    /// Where the chains were.
    pub trace: Rc<TraceView>,
    /// The loss.
    pub potential: Rc<Potential>,
    /// Settings of the run, or of the form before one.
    pub knobs: Knobs,
    /// The chain whose step is shown.
    pub chosen: usize,
    /// Another one is chosen.
    #[prop_or_default]
    pub choose: Callback<usize>,
}

/// The picture.
#[component]
pub fn Posterior(props: &WalkProps) -> Html {
    let node = use_node_ref();
    let width = use_width(&node) / props.page.state.view.scale();
    let (p, t) = (&props.potential, &props.trace);
    let (nbeta, gamma) = (props.knobs.float("nbeta"), props.knobs.float("gamma"));
    let energy = |w: [f64; 2]| p.energy(w, nbeta, gamma);
    let drawn = Drawn {
        width,
        height: HEIGHT,
        names: p.names,
        center: p.center,
        energy: &energy,
    };
    let ground = use_memo((props.knobs.clone(), width), |_| {
        let scene = drawn.ground();
        (Html::from_html_unchecked(scene.svg().into()), scene)
    });
    let (below, scene) = &*ground;
    // The colours are those of the chains' losses; the chosen one lies on top.
    let classes: Vec<String> = (0..t.tail.len()).map(|c| format!("s{}", c % 6)).collect();
    let walk = |c: usize| Walk {
        class: &classes[c],
        chosen: c == props.chosen,
        path: &t.tail[c],
    };
    let others = (0..t.tail.len()).filter(|&c| c != props.chosen);
    let chosen = (props.chosen < t.tail.len()).then_some(props.chosen);
    let walks: Vec<Walk> = others.chain(chosen).map(walk).collect();
    let over = drawn.walks(&walks);
    let whole = Scene {
        marks: [&scene.marks[..], &over.marks[..]].concat(),
        ..scene.clone()
    };
    let told = if t.tail.is_empty() {
        "Known before any run. Chains start at w*."
    } else {
        "Last 100 steps of each chain; the ring: the one taken apart."
    };
    html! {
        <figure class="chart" data-test="chart-posterior" data-points={t.tail.first().map_or(0, Vec::len).to_string()}>
            <figcaption>
                <h2>{"Posterior "}<Tip about="the posterior">{ terms::of("posterior") }</Tip></h2>
                <p class="sub">{ told }</p>
            </figcaption>
            <div class="plot-box" ref={node}>
                { below.clone() }
                <div class="overlay" aria-hidden="true">{ Html::from_html_unchecked(over.svg().into()) }</div>
            </div>
            <SaveChart page={props.page.clone()} name="posterior" scenes={vec![whole]} />
        </figure>
    }
}
