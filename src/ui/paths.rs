//! Paths of all models in one plane, by their logits and by the loss of each token.

use super::Page;
use super::loss::look;
use super::plot::Plot;
use super::save::{CSV, SaveChart, text_as_file};
use super::size::use_width;
use super::tip::Tip;
use crate::app::bends::{bends_within, figure, listed, marks, told};
use crate::app::export::{file_name, signed};
use crate::app::link::joined::fitting;
use crate::app::{Action, Run, terms};
use crate::plot::number::grouped;
use crate::plot::panels;
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
    let fits = fitting(&page.state.shelf, &run.link, run.looked);
    let fits: Vec<String> = fits.into_iter().map(|f| f.1).collect();
    html! {
        <section data-test="paths" aria-label="Paths" ref={node}>
            <p class="jobs"><span class="job">
                <button type="button" data-test="ask-paths" disabled={busy || run.pca.steps.len() < 2} onclick={page.on(Action::Ask(Ask::Paths))}>{ if many { "Paths of all models" } else { "Paths by logits and by losses" } }</button>
                <span class="small-print">{ format!("{} evaluations", grouped((run.pca.steps.len() - run.gone.len()) as u64)) }</span>
                <Tip about="paths">{ terms::of("paths") }</Tip>
            </span>
            if let Some(p) = paths.filter(|p| p.done < p.all) { <span role="status"><progress max={p.all.to_string()} value={p.done.to_string()} /></span> }
            if let Some([end, now]) = behind(run) { <span class="small-print" data-test="paths-behind">{ format!(" These paths end at step {}; the run has come to {}. Ask again for the rest.", grouped(end), grouped(now)) }</span> }
            if let Some(p) = paths.filter(|p| p.left_out > 0) { <span class="small-print">{ format!(" The first 16 models; {} more are left out.", p.left_out) }</span> }
            </p>
            if let Some(p) = paths.filter(|p| p.done == p.all) {
                <div class="multiples wide">
                    { for p.logits.as_ref().map(|plane| drawn(page, run, plane, each, ["By logits", terms::of("paths: caution"), "paths-logits"])) }
                    { for p.losses.as_ref().map(|plane| drawn(page, run, plane, each, ["By per-token loss", terms::of("paths: losses"), "paths-losses"])) }
                </div>
            }
            <p class="jobs"><span class="job">
                <button type="button" data-test="ask-stored" disabled={fits.is_empty() || run.pca.steps.is_empty()} onclick={page.on(Action::Ask(Ask::Stored))}>{"With stored runs"}</button>
                <span class="small-print" data-test="stored-fit">{ if fits.is_empty() { terms::of("stored: none").into() } else { fits.join(", ") } }</span>
            </span></p>
            if let Some(all) = run.stored.as_deref().filter(|s| s.members.len() > 1) {
                <div class="multiples wide">{ drawn(page, run, all, each, ["With stored runs", terms::of("paths: caution"), "paths-stored"]) }</div>
            }
        </section>
    }
}

/// A plane with the shared cursor, and its files.
pub fn planar(page: &Page, chart: &PathChart, name: &'static str) -> Html {
    let drawn = chart.draw();
    let cursor = page.state.cursor.step;
    let cursor = cursor.map(|step| chart.cursor(&drawn.frame, step));
    let step_at = Callback::from(chart.step_at(&drawn.frame));
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
    [title, help, file]: [&'static str; 3],
) -> Html {
    let base = look(&page.state, width);
    let count = plane.members.len();
    let many = count > 1;
    let share = |k| panels::common(k, plane.explained[k as usize - 1], plane.walk);
    // Stored runs come behind the one on the screen.
    let stored = !plane.names.is_empty();
    let followed = run.knobs.int("member").max(0) as usize;
    let followed = followed * usize::from(followed < count && !stored);
    let (mut steps, mut points) = (Vec::new(), Vec::new());
    let (mut kinks, mut paths) = (Vec::new(), Vec::new());
    let (mut own, mut others) = (String::new(), Vec::new());
    // Beside paths that go far, what hardly moves has no bends.
    let extent = figure(&plane.members.concat());
    for (m, path) in plane.members.iter().enumerate() {
        let (at, first) = (plane.at(m), steps.len());
        let name = match plane.names.get(m) {
            Some(name) => name.clone(),
            None if many => format!("seed {}", run.knobs.int("seed") + m as i64),
            None => String::new(),
        };
        let bends = bends_within(at, path, extent);
        let mut marks = marks(&bends, at, first);
        // What is written is of the one that is followed; the others have rings.
        if m == followed {
            own = told(&bends);
        } else if !marks.is_empty() {
            marks.iter_mut().for_each(|k| k.1.clear());
            others.push(format!("{name}: {}", listed(&bends)));
        }
        kinks.extend(marks);
        steps.extend_from_slice(at);
        points.extend(path.iter().map(|p| [p[0], p[1]]));
        paths.push((first, name));
    }
    if own.is_empty() {
        own = "too few points to tell bends".into();
    }
    let others = match others.len() {
        _ if !many => String::new(),
        0 => " No other has a kink.".into(),
        k => format!(
            " Of the others {k} of {}: {}.",
            count - 1,
            others.join(", ")
        ),
    };
    let chart = PathChart {
        width: base.width,
        height: 320.0,
        label: format!("{title}: principal components over training, coloured by step"),
        x_title: share(1),
        y_title: share(2),
        steps: &steps,
        points,
        x_max: base.x_max,
        log_x: base.log_x,
        window: base.window,
        kinks,
        paths,
        ..PathChart::default()
    };
    html! {
        <div data-test={if stored { "plane-stored" } else { "plane" }} data-models={count.to_string()}>
            <h3>{ title.to_string() }{" "}<Tip about={title.to_string()}>{ help }</Tip></h3>
            { planar(page, &chart, file) }
            <p class="small-print">{ if stored { "This run: " } else if many { "The model that is followed: " } else { "" } }{ own }{ if others.is_empty() { "" } else { "." } }{ others }</p>
        </div>
    }
}
