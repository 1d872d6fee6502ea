//! Who leads: which indicators give notice of the transition, over the models of one run.

use super::Page;
use super::progress::Progress;
use super::tip::Tip;
use crate::app::leads::{self, Lead, Row};
use crate::app::run::Run;
use crate::app::seeds::Member;
use crate::app::{Action, study, terms, winners, words};
use crate::experiments::Card;
use crate::plot::number::fixed;
use crate::protocol::{StudyKind, StudySpec};
use yew::prelude::*;

/// What there is instead of a lead.
fn lacking(id: &str) -> &'static str {
    match id {
        "llc" | "trace" => "press “λ̂ of every model”",
        "winner.refined" => "press “refined λ̂ of every winner”",
        "winner.k" => {
            "no head looks one token back below an induction head, or the pairs are too many to be kept"
        }
        _ => "no curve",
    }
}

/// Why an indicator is there for so few of the models that changed.
fn partial(id: &str, [runs, changed]: [usize; 2]) -> Option<String> {
    let why = match id {
        _ if runs == 0 || runs >= changed => return None,
        "winner.k" => {
            "elsewhere no head looks one token back, or the pairs are too many to be kept"
        }
        "composition.k.*" => "more pairs of heads than are kept of every model",
        id => lacking(id),
    };
    Some(format!(" {runs} of {changed} models: {why}"))
}

/// A lead in words, and how many of the models that changed give one; `apart` steps lie between two
/// points, and less than two of these is no lead.
fn when(lead: &Lead, apart: f64) -> String {
    let Some(median) = lead.median else {
        return format!("none of {}", lead.runs);
    };
    let interval = lead.interval.map_or(String::new(), |(low, high)| {
        format!(" ({} to {})", fixed(low, 0), fixed(high, 0))
    });
    let short = if median.abs() < 2.0 * apart {
        ", within two points"
    } else {
        ""
    };
    let (given, runs) = (lead.given, lead.runs);
    format!("{}{interval}{short}; {given} of {runs}", fixed(median, 0))
}

fn row(r: &Row, changed: usize) -> Html {
    let lead = &r.lead;
    let missing = (lead.runs == 0).then(|| lacking(r.indicator.id));
    let mut name = r.indicator.label.to_string();
    if r.indicator.hindsight() {
        name += " (hindsight)";
    }
    let test = format!("lead-{}", r.indicator.id);
    if let Some(why) = missing {
        return html! { <tr data-test={test}><th scope="row">{ name }</th><td colspan="5" class="muted">{ why }</td></tr> };
    }
    let (alarm, before, threshold, held) = match r.threshold {
        Some(t) => (
            when(lead, r.apart),
            format!("{} of {}", lead.before, lead.runs),
            format!("{} ({} runs)", fixed(t.level, 1), t.nulls),
            match t.held {
                [_, 0] => "–".to_string(),
                [alarms, all] => format!("{alarms} of {all}"),
            },
        ),
        None => {
            let head = ["winner.", "composition."]
                .iter()
                .any(|start| r.indicator.id.starts_with(start));
            let none = if head {
                "no null run has such heads"
            } else {
                "no null run has it"
            }
            .to_string();
            (none, "–".into(), "–".into(), "–".into())
        }
    };
    let half = when(&r.half, r.apart);
    html! {
        <tr data-test={test}><th scope="row">{ name }{ for partial(r.indicator.id, [lead.runs, changed]).map(|why| html! { <span class="small-print">{ why }</span> }) }</th><td>{ alarm }</td><td>{ before }</td><td>{ threshold }</td><td>{ held }</td><td>{ half }</td></tr>
    }
}

/// That thresholds come from runs at other settings, if they do.
fn other_settings(run: &Run, card: &Card) -> Option<String> {
    let apart = leads::apart(run, card, leads::near(run, card, leads::nulls())?);
    (!apart.is_empty()).then(|| {
        format!(
            "The null runs had other settings ({}): what is an alarm there need not be one here.",
            apart.join(", ")
        )
    })
}

/// The table, and the button that fills its rows of λ̂.
pub fn leads(page: &Page, run: &Run, members: &[Member]) -> Html {
    let card = page.state.card();
    let rows = leads::rows(run, card, members, leads::nulls());
    let changed = members.iter().filter(|m| m.transition.is_some()).count();
    if rows.is_empty() {
        return Html::default();
    }
    let slow = leads::slow(&rows, card);
    let steps: Vec<u64> = run.llc.points.iter().map(|p| p.step).collect();
    let spec = study::members(&run.knobs, &study::thinned(&steps, 64));
    let busy = run.study.as_ref().is_some_and(|s| !s.over);
    let job = |id: &str, title: &'static str, help: &'static str, spec: StudySpec| {
        let cost = words::chain_cost(run.point_s, &run.knobs, study::chain_steps(&spec));
        html! {
            <span class="job">
                <button type="button" data-test={format!("study-{id}")} disabled={busy || spec.cells.is_empty()} onclick={page.on(Action::Study(spec))}>{ title }</button>
                <span class="small-print">{ cost }</span>
                <Tip about={title}>{ help }</Tip>
            </span>
        }
    };
    let models = u32::try_from(members.len()).unwrap_or(1);
    let wins = winners::spec(run, models).map(|s| {
        job(
            "winners",
            "refined λ̂ of every winner",
            terms::of("leads: winners"),
            s,
        )
    });
    let under_way = run
        .study
        .as_ref()
        .filter(|s| !s.over && matches!(s.spec.kind, StudyKind::Members | StudyKind::Winners));
    let none = if rows.iter().all(|r| r.threshold.is_none()) {
        " None of these runs is recorded yet, so there is no threshold."
    } else {
        ""
    };
    html! {
        <>
            <h3>{"Who leads? "}<Tip about="leads">{ terms::of("leads: leads") }</Tip></h3>
            if changed == 0 {
                <p data-test="leads">{"No model has made its transition: there is nothing to lead."}</p>
            } else {
                <div class="table"><table class="figures" data-test="leads">
                <thead><tr><th>{"indicator"}</th><th>{"lead of its alarm, steps"}</th><th>{"alarm before half"}</th><th>{"threshold "}<Tip about="threshold">{ format!("{} {}{none}", terms::of("leads: threshold"), terms::told("event", card.id, "event")) }</Tip></th><th>{"false alarms "}<Tip about="false alarms">{ terms::of("leads: held") }</Tip></th><th>{"lead of half its way, steps "}<Tip about="half its way">{ terms::of("leads: half") }</Tip></th></tr></thead>
                <tbody>{ for rows.iter().map(|r| row(r, changed)) }</tbody>
            </table></div>
            }
            if let Some(words) = other_settings(run, card) { <p class="small-print" data-test="leads-apart">{ words }</p> }
            if let Some(words) = slow { <p class="small-print" data-test="leads-slow">{ words }</p> }
            <p class="jobs">{ job("members", "λ̂ of every model", terms::of("leads: members"), spec) }{" "}{ for wins }</p>
            { for under_way.map(|s| html! { <Progress study={(**s).clone()} page={page.clone()} /> }) }
        </>
    }
}
