//! Attention patterns of every head on the fixed input, one small canvas each; the one that is pressed
//! is drawn large, with the tokens on its axes.

use super::Page;
use super::pattern::Pattern;
use super::save::{CSV, SaveChart, text_as_file};
use crate::app::export::{file_name, signed};
use crate::app::terms;
use crate::app::tokens::shown;
use crate::plot::attention::{csv, scene};
use crate::plot::export::heading;
use crate::plot::model::{attention_pixels, head_scores};
use crate::plot::number::fixed;
use crate::protocol::Figure;
use std::rc::Rc;
use wasm_bindgen::{Clamped, JsCast};
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, ImageData};
use yew::prelude::*;

/// A blue that stands out on white and on black.
const INK: [u8; 3] = [0x2f, 0x86, 0xc4];

/// What is drawn.
#[derive(Clone, PartialEq, Properties)]
pub struct AttentionProps {
    /// State and actions.
    pub page: Page,
    /// Attention patterns; nothing is drawn of another kind of figure.
    pub figure: Rc<Figure>,
    /// What each head is called, where that is known: layer after layer.
    pub labels: Vec<&'static str>,
    /// The step it is of, where it is of a run.
    pub step: Option<u64>,
}

/// The figure.
#[component]
pub fn Attention(props: &AttentionProps) -> Html {
    let open = use_state(|| None::<(usize, usize)>);
    let Figure::Attention {
        layers,
        heads,
        ctx,
        patterns,
        tokens,
        period,
        texts,
    } = &*props.figure
    else {
        return Html::default();
    };
    let size = ctx * ctx;
    let repeats = match period {
        0 => String::new(),
        period => format!(" that repeats after {period} tokens"),
    };
    let head = |layer: usize, head: usize| {
        patterns
            .get((layer * heads + head) * size..)
            .and_then(|p| p.get(..size))
    };
    let seen: Vec<String> = tokens.iter().map(|&t| shown(texts, t)).collect();
    let at = props.step.map_or(String::new(), |s| format!("-step{s}"));
    // The picture of the head that is pressed, and the numbers of all.
    let saved = |head: &str, pattern: &[u8]| {
        let name = format!("attention-{head}{at}");
        let above = heading(
            &format!("Attention of head {head}{}", at.replace("-step", ", step ")),
            &[],
            560.0,
        );
        let rows = {
            let (page, figure, at) = (props.page.clone(), props.figure.clone(), at.clone());
            Callback::from(move |_: MouseEvent| {
                if let Figure::Attention {
                    heads,
                    ctx,
                    patterns,
                    tokens,
                    ..
                } = &*figure
                {
                    let link = page
                        .state
                        .run
                        .as_ref()
                        .map_or_else(|| page.state.link.text(true), |r| r.link.clone());
                    let rows = signed(&link, &csv(patterns, [*heads, *ctx], tokens));
                    text_as_file(
                        &file_name(&page.state, &format!("attention{at}"), "csv"),
                        "text/csv",
                        &rows,
                    );
                }
            })
        };
        html! {
            <SaveChart page={props.page.clone()} name={name} scenes={vec![above, scene(&format!("Head {head}"), pattern, *ctx, &seen)]}>
                <button type="button" class="small" data-test="save-csv-attention" title={format!("All heads, a row for each pair of positions. {CSV}")} onclick={rows}>{"save CSV"}</button>
            </SaveChart>
        }
    };
    html! {
        <>
            <p class="muted">
                { format!("Attention of every head on one held-out sequence{}: rows are queries, columns keys. Press a head to see it with its tokens.", repeats) }
            </p>
            if let Some((l, h)) = *open {
                if let Some(pattern) = head(l, h) {
                    <Pattern name={format!("Head {l}.{h}")} ctx={*ctx} pattern={pattern.to_vec()} tokens={seen.clone()} />
                    { saved(&format!("{l}.{h}"), pattern) }
                }
            }
            { for (0..*layers).map(|l| html! {
                <div class="heads">
                    <h3>{ format!("block {l}") }</h3>
                    { for (0..*heads).filter_map(|h| head(l, h).map(|p| (h, p))).map(|(h, pattern)| {
                        let (induction, previous) = head_scores(pattern, tokens);
                        let on = *open == Some((l, h));
                        let press = {
                            let open = open.clone();
                            Callback::from(move |_| open.set((!on).then_some((l, h))))
                        };
                        html! {
                            <Head key={h} name={format!("head {l}.{h}")} ctx={*ctx} pattern={pattern.to_vec()} {on} {press}
                                label={props.labels.get(l * heads + h).copied().unwrap_or_default()}
                                caption={format!("prev {} · ind {}", fixed(previous, 2), fixed(induction, 2))} />
                        }
                    }) }
                </div>
            }) }
            <p class="muted">{terms::of("pattern: scores")}</p>
        </>
    }
}

#[derive(Clone, PartialEq, Properties)]
struct HeadProps {
    name: String,
    ctx: usize,
    pattern: Vec<u8>,
    caption: String,
    label: &'static str,
    on: bool,
    press: Callback<MouseEvent>,
}

#[component]
fn Head(props: &HeadProps) -> Html {
    let node = use_node_ref();
    {
        let node = node.clone();
        use_effect_with((props.pattern.clone(), props.ctx), move |(pattern, ctx)| {
            // A canvas that cannot be drawn leaves its caption, which says the same in two numbers.
            let _ = paint(&node, pattern, *ctx);
        });
    }
    let side = props.ctx.to_string();
    html! {
        <figure class="head">
            <button type="button" aria-pressed={props.on.to_string()} onclick={props.press.clone()}>
                <canvas ref={node} width={side.clone()} height={side} role="img"
                    aria-label={format!("{} {}: {}", props.name, props.label, props.caption)} />
            </button>
            <figcaption>{ &props.name }<br />
                if !props.label.is_empty() { <b>{ props.label }</b><br /> }
                { &props.caption }</figcaption>
        </figure>
    }
}

/// Draws a pattern on a canvas of `ctx × ctx` pixels.
pub fn paint(node: &NodeRef, pattern: &[u8], ctx: usize) -> Option<()> {
    let canvas = node.cast::<HtmlCanvasElement>()?;
    let context: CanvasRenderingContext2d = canvas.get_context("2d").ok()??.dyn_into().ok()?;
    let pixels = attention_pixels(pattern, ctx, INK);
    let image =
        ImageData::new_with_u8_clamped_array(Clamped(&pixels), u32::try_from(ctx).ok()?).ok()?;
    context.put_image_data(&image, 0.0, 0.0).ok()
}
