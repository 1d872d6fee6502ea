//! Attention heads: what each does at the step shown, what the model loses without it, and how it came
//! about.

use super::Page;
use super::any::{FIRST, any};
use super::composing::Composing;
use super::head_table::{others, table, targets, whole_blocks};
use super::keep::Keep;
use super::learning::Learning;
use super::loss::look;
use super::plot::{SERIES, key};
use super::refined::Refined;
use super::sharing::Sharing;
use super::size::use_width;
use super::spread::line;
use super::strongest::strongest;
use super::tip::{Term, Tip, terms};
use super::token_losses::TokensView;
use super::turning::Turning;
use crate::app::spread::Drawn;
use crate::app::terms::of;
use crate::app::{Run, seeds};
use crate::experiments::heads::{self, Head, INSTRUMENTS, Instrument};
use crate::plot::cursor::nearest;
use crate::plot::line::LineChart;
use crate::plot::number::fixed;
use crate::plot::panels::Look;
use yew::prelude::*;

/// Heads whose curves are drawn: a chart each.
const DRAWN: usize = 16;
/// Colours of the three attention scores, the first of [`INSTRUMENTS`].
const COLOURS: [&str; 3] = ["s0", "s1", "s2"];

/// The value of a series at a step, or the last before it was measured again.
pub fn value_at(run: &Run, id: &str, step: f64) -> Option<f64> {
    let series = seeds::followed(run, id)?;
    series.y.get(nearest(&series.x, step)?).copied()
}

/// What an instrument's number is, and where it comes from.
fn help(i: &Instrument) -> &'static str {
    of(&format!("instrument: {}", i.title))
}

/// A definition: what it is, when it is taken, what that costs.
pub fn definition(i: &Instrument) -> Html {
    html! { <Tip about={i.title}>{ help(i) }{ format!(" Taken at {}; costs {}.", i.cadence, i.cost) }</Tip> }
}

/// The instrument.
#[component]
pub fn Heads(page: &Page) -> Html {
    let node = use_node_ref();
    let width = use_width(&node);
    let choice = use_state(|| FIRST.to_string());
    let Some(run) = &page.state.run else {
        return Html::default();
    };
    let step = page.state.cursor.step.unwrap_or(run.step as f64);
    let found = heads::heads(|id| value_at(run, id, step));
    html! {
        <section class="heads-table" data-test="heads" aria-label="Attention heads" ref={node}>
            <h3>{ format!("Heads at step {}", fixed(step, 0)) }</h3>
            <p class="small-print">{ whose(run) }{"Over all held-out sequences, at the step under the cursor, else the last one."}</p>
            if run.unprobed > 0 {
                <p role="status" data-test="unprobed">{ format!("Ablation and composition on data of this seed are being measured. Checkpoints to go: {}.", run.unprobed) }</p>
            }
            { table(&found, heads::EVEN.map(|id| value_at(run, id, step))) }
            { others(&found) }
            { whole_blocks(run, step) }
            { multiples(page, run, &found, width) }
            { any(page, run, &choice, width) }
            <Composing page={page.clone()} {step} found={found.clone()} />
            <Sharing page={page.clone()} {step} found={found.clone()} {width} />
            <Refined page={page.clone()} found={found.clone()} {width} />
            <Learning page={page.clone()} {step} {width} />
            <TokensView ..page.clone() />
            <Turning page={page.clone()} {found} />
        </section>
    }
}

/// Which of several seeds the figures are of.
fn whose(run: &Run) -> String {
    if run.knobs.int("replicas") < 2 {
        return String::new();
    }
    let seed = run.knobs.int("seed") + run.knobs.int("member");
    format!("Of seed {seed}, the one followed, alone. ")
}

/// The scores of each head over training, and what its ablation adds.
fn multiples(page: &Page, run: &Run, found: &[Head], width: f64) -> Html {
    let all = look(&page.state, width);
    let narrow = Look {
        width: ((all.width + 8.0) / (all.width / 200.0).floor().max(1.0) - 8.0).floor(),
        height: 120.0,
        ..all
    };
    let scores = || INSTRUMENTS.iter().zip(COLOURS);
    let meanings: Vec<Term> = scores()
        .map(|(i, _)| (i.title.to_string(), help(i).to_string()))
        .collect();
    let own = |id: String, class: &str, label: String| {
        let s = seeds::followed(run, &id)?;
        Some((s.clone(), class.to_string(), label))
    };
    let keys: Vec<_> = scores().map(|(i, class)| (class, i.title)).collect();
    let chart = |h: &Head| {
        let name = format!("heads.{}.{}", h.layer, h.head);
        let kept: Vec<_> = scores()
            .filter_map(|(i, class)| own(format!("{name}.{}", i.key), class, String::new()))
            .collect();
        let title = format!("{}.{} {}", h.layer, h.head, h.label);
        let keep = Keep {
            name: format!("head-{}.{}", h.layer, h.head),
            title: format!("Scores of head {title}"),
            keys: &keys,
        };
        keep.over_time(page, over_time(&narrow, title, &kept, Some(1.0)))
    };
    let on = heads::counted(|id| Some(*seeds::followed(run, id)?.y.last()?));
    let ablated: Vec<_> = found
        .iter()
        .enumerate()
        .filter_map(|(i, h)| {
            let name = format!("{}.{}", h.layer, h.head);
            own(
                format!("heads.{name}.ablation.{on}"),
                SERIES[i % SERIES.len()],
                name,
            )
        })
        .take(DRAWN)
        .collect();
    html! {
        <>
            { strongest(page, run, &narrow) }
            <h3>{"Scores over training "}{ terms("the scores", "Shares of attention, from 0 to 1.", &meanings) }</h3>
            <p class="small-print">{ for scores().map(|(i, class)| html! { <>{ key(class) }{ format!(" {} ", i.title) }</> }) }</p>
            <div class="multiples" data-test="multiples">{ for found.iter().take(DRAWN).map(chart) }</div>
            if found.len() > DRAWN { <p class="small-print">{ format!("The first {DRAWN} of {} heads.", found.len()) }</p> }
            if !ablated.is_empty() {
                <h3>{ format!("Loss{} without each head ", targets(on)) }{ definition(&INSTRUMENTS[4]) }</h3>
                { Keep::new("ablation", format!("Loss{} without each head", targets(on))).over_time(page, over_time(&Look { height: 220.0, ..all }, "nats added by ablation".into(), &ablated, None)) }
            }
        </>
    }
}

/// A chart of series over training.
pub fn over_time<'a>(
    look: &Look,
    y_title: String,
    all: &'a [Drawn],
    upto: Option<f64>,
) -> LineChart<'a> {
    LineChart {
        width: look.width,
        height: look.height,
        label: y_title.clone(),
        y_title,
        x_max: look.x_max,
        window: look.window,
        log_x: look.log_x,
        from_zero: true,
        upto,
        lines: all.iter().map(line).collect(),
        ..LineChart::default()
    }
}
