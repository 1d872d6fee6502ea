//! One attention pattern, large: the tokens on both axes, and in words what is under the pointer.

use super::attention::paint;
use super::size::use_width;
use crate::plot::number::fixed;
use web_sys::Element;
use yew::prelude::*;

/// Pixels a token needs on an axis.
const ROOM: f64 = 9.0;

/// What is shown.
#[derive(Clone, PartialEq, Properties)]
pub struct PatternProps {
    /// Whose it is.
    pub name: String,
    /// Context length T.
    pub ctx: usize,
    /// `[query][key]`, 0..=255 for 0..=1.
    pub pattern: Vec<u8>,
    /// The tokens.
    pub tokens: Vec<String>,
}

/// The pattern.
#[component]
pub fn Pattern(props: &PatternProps) -> Html {
    let (frame, node) = (use_node_ref(), use_node_ref());
    let width = use_width(&frame);
    let at = use_state(|| None::<(usize, usize)>);
    {
        let node = node.clone();
        use_effect_with((props.pattern.clone(), props.ctx), move |(pattern, ctx)| {
            // Without a canvas the words below still say what is where.
            let _ = paint(&node, pattern, *ctx);
        });
    }
    let ctx = props.ctx;
    let point = {
        let (at, node) = (at.clone(), node.clone());
        Callback::from(move |e: PointerEvent| {
            let place = node.cast::<Element>().map(|c| c.get_bounding_client_rect());
            at.set(place.and_then(|r| {
                let cell = |d: f64, size: f64| {
                    Some((d / size * ctx as f64).floor()).filter(|c| *c >= 0.0 && *c < ctx as f64)
                };
                let key = cell(f64::from(e.client_x()) - r.left(), r.width())?;
                Some((
                    cell(f64::from(e.client_y()) - r.top(), r.height())? as usize,
                    key as usize,
                ))
            }));
        })
    };
    let leave = {
        let at = at.clone();
        Callback::from(move |_: PointerEvent| at.set(None))
    };
    let every = (ROOM * ctx as f64 / (width - 24.0).max(40.0))
        .ceil()
        .max(1.0) as usize;
    let axis = |class: &'static str| {
        html! {
            <div class={classes!("axis", class)} aria-hidden="true">
                { for props.tokens.iter().take(ctx).step_by(every).map(|t| html! { <span>{ t }</span> }) }
            </div>
        }
    };
    let token = |i: usize| props.tokens.get(i).map_or("", String::as_str);
    let told = match *at {
        Some((q, k)) if k <= q => {
            let a = f64::from(props.pattern.get(q * ctx + k).copied().unwrap_or(0)) / 255.0;
            format!(
                "At position {q}, token {}: {} of its attention goes to position {k}, token {}.",
                token(q),
                fixed(a, 2),
                token(k)
            )
        }
        Some(_) => "No token sees a later one.".into(),
        None => format!(
            "{}: queries down, keys across, each with its token. Point at a cell to read it.",
            props.name
        ),
    };
    let side = ctx.to_string();
    html! {
        <div class="pattern" data-test="pattern" ref={frame}>
            <div class="tokens">
                { axis("x") }{ axis("y") }
                <canvas ref={node} width={side.clone()} height={side} role="img" aria-label={props.name.clone()}
                    onpointermove={point} onpointerleave={leave} />
            </div>
            <p class="muted" role="status">{ told }</p>
        </div>
    }
}
