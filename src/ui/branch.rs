//! Branches: the button on the timeline, the words over the form, and the parent's curves behind those
//! of the branch.

use super::Page;
use super::tip::Tip;
use crate::app::beside::{self, branched, drafted};
use crate::app::link::parse;
use crate::app::shelf::Shelf;
use crate::app::{Action, State, terms};
use crate::experiments::Panel;
use crate::plot::line::Line;
use crate::plot::number::grouped;
use gloo::utils::document;
use yew::prelude::*;

/// Where the run leaves its parent: a mark on every chart.
pub fn event(state: &State) -> Option<(f64, String)> {
    let run = state.run.as_ref()?;
    let branch = parse(&run.link).course.branch?;
    Some((branch.from as f64, "branch".into()))
}

fn line<'a>(label: &str, x: &'a [f64], y: &'a [f64]) -> Line<'a> {
    Line {
        label: label.into(),
        class: "recorded thin".into(),
        x,
        y,
        ..Line::default()
    }
}

/// Losses of the run beside this one in some panels, the first under its name.
pub fn losses(state: &State, panel: fn(Panel) -> bool) -> Vec<Line<'_>> {
    let Some(other) = beside::shown(state) else {
        return Vec::new();
    };
    let follow = state.follow();
    let own = |id: &str| {
        let member = other.run.series.get(&format!("replicas/{follow}/{id}"));
        member.or(other.run.series.get(id))
    };
    let all = state.card().losses.iter().filter(|l| panel(l.panel));
    let found = all.filter_map(|l| own(l.id)).enumerate();
    found
        .map(|(i, s)| line(if i == 0 { other.name } else { "" }, &s.x, &s.y))
        .collect()
}

/// λ̂ of the run beside this one.
pub fn llc(state: &State) -> Option<Line<'_>> {
    let other = beside::shown(state)?;
    Some(Line {
        dots: true,
        ..line(other.name, &other.run.llc.x, &other.run.llc.y)
    })
}

/// The button that makes the form a branch from the step looked at, else from the last checkpoint.
pub fn here(page: &Page, step: Option<u64>) -> Html {
    let link = step.map(|s| branched(&page.state, s));
    let (off, told) = match &link {
        Some(Ok(_)) => (
            false,
            "Train on from this checkpoint with other settings; the run stays beside it",
        ),
        Some(Err(why)) => (true, *why),
        None => (true, "Move to a checkpoint: the branch begins there"),
    };
    let press = {
        let send = page.send.clone();
        Callback::from(move |_: MouseEvent| {
            send.emit(Action::Branch(step));
            // On a phone the form is above, and closed.
            if let Ok(Some(form)) = document().query_selector(".setup") {
                let _ = form.set_attribute("open", "");
                form.scroll_into_view();
            }
        })
    };
    html! { <button type="button" class="small" data-test="branch" disabled={off} title={told} onclick={press}>{"Branch here"}</button> }
}

/// Over the form: what a branch is, and its button; of a branch on the screen, where it comes from.
pub fn banner(page: &Page) -> Html {
    let state = &page.state;
    if let Some(branch) = state.awaits.as_ref().and_then(|l| l.course.branch.as_ref()) {
        let told = format!(
            "The parent runs first; the branch from step {} begins when it is done.",
            grouped(branch.from)
        );
        return html! { <p class="small-print" role="status" data-test="awaits">{ told }</p> };
    }
    if let Some(branch) = drafted(state) {
        let from = grouped(branch.from);
        return html! {
            <div class="stale" role="status" data-test="branching">
                <p>{ format!("A branch from step {from}: what is set here holds from there on, with the weights and the optimiser's state of that step. ") }
                    <Tip about="branches">{ terms::of("branch") }</Tip></p>
                <button type="button" class="primary" data-test="start-branch" onclick={page.on(Action::Start)}>{"Start the branch"}</button>
                if state.run.is_none() {
                    <button type="button" data-test="with-parent" disabled={state.device.is_none()} title="Trains the run it leaves to its end, then the branch; the two are drawn beside each other." onclick={page.on(Action::WithParent)}>{"Its parent first"}</button>
                }
                <button type="button" data-test="leave-branch" onclick={page.on(Action::Branch(None))}>{"No branch"}</button>
            </div>
        };
    }
    let course = &state.link.course;
    let Some(branch) = &course.branch else {
        return Html::default();
    };
    let alone = beside::shown(state).is_none();
    let changes: Vec<String> = state
        .link
        .knobs
        .schema()
        .iter()
        .filter_map(|k| {
            let [was, is] = [&branch.parent, &state.link.knobs].map(|all| all.get(k.key));
            (was != is).then(|| {
                Some(format!(
                    "{} {} instead of {}",
                    k.key,
                    is?.text(),
                    was?.text()
                ))
            })?
        })
        .collect();
    let changes = if changes.is_empty() {
        "nothing changed".into()
    } else {
        changes.join(", ")
    };
    html! {
        <p class="small-print" data-test="branched">
            { format!("A branch from step {} of another run: {changes}. ", grouped(branch.from)) }
            <button type="button" class="small" data-test="parent" onclick={page.on(Action::Shelf(Shelf::Parent))}>{"Open the parent"}</button>
            if alone {
                {" "}<button type="button" class="small" data-test="with-parent" title="Trains the run it leaves to its end, then this branch again from there; the two are drawn beside each other." onclick={page.on(Action::WithParent)}>{"Draw the parent beside it"}</button>
            }
        </p>
    }
}
