//! Under the charts, one instrument at a time: the λ̂ point at the cursor, opened, calibration, and
//! attention heads.

use super::Page;
use super::calibrate::Calibrate;
use super::commitment::Commitment;
use super::diagnosis::Diagnosis;
use super::heads::Heads;
use super::paths::PathsTab;
use super::reading::ReadingTab;
use super::seeds::Seeds;
use crate::app::{Action, terms};
use crate::plot::cursor::nearest;
use yew::prelude::*;

#[derive(Clone, Copy, PartialEq)]
enum Tab {
    Point,
    Calibrate,
    Heads,
    Text,
    Paths,
    Seeds,
    Commitment,
}

const TABS: [(Tab, &str, &str); 7] = [
    (Tab::Point, "point", "This λ̂ point"),
    (Tab::Calibrate, "calibrate", "Calibrate"),
    (Tab::Heads, "heads", "Heads"),
    (Tab::Text, "text", "Text"),
    (Tab::Paths, "paths", "Paths"),
    (Tab::Seeds, "seeds", "Seeds"),
    (Tab::Commitment, "commitment", "Commitment"),
];

/// The tabs.
#[component]
pub fn Instruments(page: &Page) -> Html {
    let tab = use_state(|| None::<Tab>);
    let state = &page.state;
    let run = state.run.as_ref();
    // The estimate at the pinned cursor, else the last one.
    let wanted = run.and_then(|r| {
        let pinned = state.cursor.step.filter(|_| state.cursor.pinned);
        let at = pinned.and_then(|s| nearest(&r.llc.x, s));
        at.and_then(|i| r.llc.points.get(i))
            .or(r.llc.points.last())
            .map(|p| p.step)
    });
    {
        let send = page.send.clone();
        let open = *tab == Some(Tab::Point);
        use_effect_with((wanted, open), move |&(wanted, open)| {
            if let Some(step) = wanted.filter(|_| open) {
                send.emit(Action::OpenPoint(step));
            }
        });
    }
    let Some(run) = run else {
        return Html::default();
    };
    let (sampled, many) = (run.knobs.int("chains") > 0, run.knobs.int("replicas") > 1);
    let attends = run.series.contains_key("heads.0.0.prev_token");
    let offered = |tab: Tab| match tab {
        Tab::Point | Tab::Calibrate => sampled,
        Tab::Heads => attends,
        Tab::Text => run.series.contains_key("loss.class.newline"),
        Tab::Paths => state.trains() && !run.pca.steps.is_empty(),
        Tab::Seeds => many || run.knobs.get("replicas").is_some(),
        Tab::Commitment => !run.pca.steps.is_empty() && !state.card().event.alike.is_empty(),
    };
    let tabs: Vec<_> = TABS.iter().filter(|t| offered(t.0)).collect();
    if tabs.is_empty() {
        return Html::default();
    }
    let button = |&(which, id, title): &(Tab, &'static str, &'static str)| {
        let on = *tab == Some(which);
        let press = {
            let tab = tab.clone();
            Callback::from(move |_: MouseEvent| tab.set((!on).then_some(which)))
        };
        html! {
            <button type="button" role="tab" class="small" data-test={format!("tab-{id}")} aria-selected={on.to_string()} aria-pressed={on.to_string()} onclick={press}>{ title }</button>
        }
    };
    html! {
        <section class="instruments" aria-label="Instruments">
            <div role="tablist" class="tabs">{ for tabs.into_iter().map(button) }</div>
            { match *tab {
                Some(Tab::Point) => match run.trace.clone() {
                    Some(trace) => html! { <Diagnosis page={page.clone()} {trace} /> },
                    None => html! { <p class="muted">{"The first λ̂ point opens here."}</p> },
                },
                Some(Tab::Calibrate) => html! { <Calibrate ..page.clone() /> },
                Some(Tab::Heads) => html! { <Heads ..page.clone() /> },
                Some(Tab::Text) => html! { <ReadingTab ..page.clone() /> },
                Some(Tab::Paths) => html! { <PathsTab ..page.clone() /> },
                Some(Tab::Seeds) => html! { <Seeds ..page.clone() /> },
                Some(Tab::Commitment) => html! { <Commitment ..page.clone() /> },
                None => html! { <p class="muted">{terms::of("no tab")}</p> },
            } }
        </section>
    }
}
