//! Paths of all models in one plane, by their logits and by the loss of each token.

use super::Page;
use super::loss::look;
use super::plot::Plot;
use super::save::{CSV, SaveChart, text_as_file};
use super::size::use_width;
use super::tip::Tip;
use crate::app::bends::{Bends, bends, listed, marks, told};
use crate::app::export::{file_name, signed};
use crate::app::{Action, Run, terms};
use crate::plot::number::{fixed, grouped};
use crate::plot::path::PathChart;
use crate::protocol::{Ask, Plane};
use yew::prelude::*;

/// Where the paths end and where the checkpoints do, if there are more of these by now.
fn behind(run: &Run) -> Option<[u64; 2]> {
    let plane = run.paths.as_ref()?.logits.as_ref()?;
    let ends = [plane.steps.last()?, run.pca.steps.last()?].map(|s| *s as u64);
    (ends[0] < ends[1]).then_some(ends)
}

/// The section.
#[component]
pub fn PathsTab(page: &Page) -> Html {
    let node = use_node_ref();
    let width = use_width(&node);
    let Some(run) = page.state.run.as_ref() else {
        return Html::default();
    };
    let paths = run.paths.as_deref();
    let busy = paths.is_some_and(|p| p.done < p.all);
    let wide = width > 760.0;
    let each = if wide {
        ((width - 16.0) / 2.0).floor()
    } else {
        width
    };
    let many = run.knobs.int("replicas") > 1;
    html! {
        <section data-test="paths" aria-label="Paths" ref={node}>
            <p class="jobs"><span class="job">
                <button type="button" data-test="ask-paths" disabled={busy || run.llc.points.is_empty() && run.pca.steps.is_empty()} onclick={page.on(Action::Ask(Ask::Paths))}>{ if many { "Paths of all models" } else { "Paths by logits and by losses" } }</button>
                <span class="small-print">{ format!("{} evaluations", grouped(run.pca.steps.len() as u64)) }</span>
                <Tip about="paths">{ terms::of("paths") }</Tip>
            </span>
            if let Some(p) = paths.filter(|p| p.done < p.all) { <span role="status"><progress max={p.all.to_string()} value={p.done.to_string()} /></span> }
            if let Some([end, now]) = behind(run) { <span class="small-print" data-test="paths-behind">{ format!(" These paths end at step {}; the run has come to {}. Ask again for the rest.", grouped(end), grouped(now)) }</span> }
            if let Some(p) = paths.filter(|p| p.left_out > 0) { <span class="small-print">{ format!(" The first 16 models; {} more are left out.", p.left_out) }</span> }
            </p>
            if let Some(p) = paths.filter(|p| p.done == p.all) {
                <div class="multiples wide">
                    { for p.logits.as_ref().map(|plane| drawn(page, run, plane, each, "By logits", terms::of("paths: caution"))) }
                    { for p.losses.as_ref().map(|plane| drawn(page, run, plane, each, "By per-token loss", terms::of("paths: losses"))) }
                </div>
            }
        </section>
    }
}

/// A plane with the shared cursor, and its files.
pub fn planar(page: &Page, chart: &PathChart, name: &'static str) -> Html {
    let drawn = chart.draw();
    let cursor = page.state.cursor.step;
    let cursor = cursor.map(|step| chart.cursor(&drawn.frame, step));
    let step_at = {
        let (frame, steps, points) = (drawn.frame, chart.steps.to_vec(), chart.points.clone());
        Callback::from(move |px: [f64; 2]| {
            PathChart {
                steps: &steps,
                points: points.clone(),
                ..PathChart::default()
            }
            .step_at(&frame, px)
        })
    };
    let save = {
        let link = page.state.run.as_ref().map_or("", |r| &r.link);
        let rows = signed(link, &chart.csv());
        let file = file_name(&page.state, name, "csv");
        Callback::from(move |_: MouseEvent| text_as_file(&file, "text/csv", &rows))
    };
    html! {
        <figure class="chart" data-test={format!("chart-{name}")}>
            <Plot page={page.clone()} label={chart.label.clone()} scene={drawn.scene.clone()} {cursor} {step_at} time={false} />
            <SaveChart page={page.clone()} {name} scenes={vec![drawn.scene]}>
                <button type="button" class="small" data-test={format!("save-csv-{name}")} title={format!("Every point, a row each. {CSV}")} onclick={save}>{"save CSV"}</button>
            </SaveChart>
        </figure>
    }
}

fn drawn(
    page: &Page,
    run: &Run,
    plane: &Plane,
    width: f64,
    title: &str,
    help: &'static str,
) -> Html {
    let base = look(&page.state, width);
    let (n, seed) = (plane.steps.len(), run.knobs.int("seed"));
    let many = plane.members.len() > 1;
    let named = |m: usize| {
        (
            m * n,
            if many {
                format!("seed {}", seed + m as i64)
            } else {
                String::new()
            },
        )
    };
    let steps: Vec<f64> = plane
        .members
        .iter()
        .flat_map(|_| &plane.steps)
        .copied()
        .collect();
    let share = |k: usize| {
        let [own, walk] = [plane.explained[k], plane.walk[k]].map(|s| fixed(100.0 * s, 0));
        format!("PC{} {own} %, random walks {walk} %", k + 1)
    };
    let followed = run.knobs.int("member").max(0) as usize;
    let all: Vec<Bends> = (plane.members.iter())
        .map(|m| bends(&plane.steps, m))
        .collect();
    let followed = if followed < all.len() { followed } else { 0 };
    // What is written is of the one that is followed; the others have rings.
    let kinks = all.iter().enumerate().flat_map(|(m, bends)| {
        let mut marks = marks(bends, &plane.steps, m * n);
        if m != followed {
            marks.iter_mut().for_each(|k| k.1.clear());
        }
        marks
    });
    let others = all.iter().enumerate().filter(|(m, _)| *m != followed);
    let others: Vec<String> = others
        .filter(|(_, b)| b.kinks().next().is_some())
        .map(|(m, b)| format!("{}: {}", named(m).1, listed(b)))
        .collect();
    let others = match others.len() {
        _ if !many => String::new(),
        0 => " No other has a kink.".into(),
        k => format!(
            " Of the others {k} of {}: {}.",
            all.len() - 1,
            others.join(", ")
        ),
    };
    let chart = PathChart {
        width: base.width,
        height: 320.0,
        label: format!("{title}: principal components over training, coloured by step"),
        x_title: share(0),
        y_title: share(1),
        steps: &steps,
        points: plane
            .members
            .iter()
            .flatten()
            .map(|p| [p[0], p[1]])
            .collect(),
        x_max: base.x_max,
        log_x: base.log_x,
        window: base.window,
        kinks: kinks.collect(),
        paths: (0..plane.members.len()).map(named).collect(),
        ..PathChart::default()
    };
    html! {
        <div data-test="plane" data-models={plane.members.len().to_string()}>
            <h3>{ title.to_string() }{" "}<Tip about={title.to_string()}>{ help }</Tip></h3>
            { planar(page, &chart, if title.ends_with("loss") { "paths-losses" } else { "paths-logits" }) }
            <p class="small-print">{ if many { "The model that is followed: " } else { "" } }{ all.get(followed).map(told) }{ if others.is_empty() { "" } else { "." } }{ others }</p>
        </div>
    }
}
