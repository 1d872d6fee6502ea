//! Several models on one chart: what is drawn of them, what that means in words, and which one a double
//! click is meant for.

use super::Page;
use super::chooser::chosen;
use super::tip::Tip;
use crate::app::action::Toggle;
use crate::app::spread::{self, Drawn, Layers, Own, Shown};
use crate::app::{Action, Run, State, gons, terms};
use crate::experiments::Panel;
use crate::plot::Frame;
use crate::plot::cursor::nearest;
use crate::plot::line::Line;
use crate::plot::number::{fixed, significant};
use crate::protocol::{Figure, Series};
use std::rc::Rc;
use yew::prelude::*;

/// Pixels from a curve within which a double click is meant for it.
const NEAR: f64 = 14.0;

/// A curve as the chart takes it.
pub fn line((s, class, label): &Drawn) -> Line<'_> {
    Line {
        label: label.clone(),
        class: class.clone(),
        x: &s.x,
        y: &s.y,
        lo: &s.lo,
        hi: &s.hi,
        ..Line::default()
    }
}

/// Whether there are several models.
pub fn many(state: &State) -> bool {
    state.run.as_ref().is_some_and(|r| spread::count(r) > 1)
}

/// The choice: members, band, chosen only.
pub fn toggles(page: &Page) -> Html {
    if !many(&page.state) {
        return Html::default();
    }
    let now = page.state.view.spread;
    let send = page.send.clone();
    let pick = Callback::from(move |e: Event| {
        let word = chosen(&e);
        let found = Shown::ALL.iter().find(|s| Some(s.1) == word.as_deref());
        if let Some((shown, _)) = found {
            send.emit(Action::View(Toggle::Spread(*shown)));
        }
    });
    html! {
        <span class="toggles">
            <select class="small" data-test="spread" aria-label="What is drawn of several seeds" onchange={pick}>
                { for Shown::ALL.map(|(shown, name)| html! { <option value={name} selected={now == shown}>{ name }</option> }) }
            </select>
            <Tip about="several seeds">{ terms::of("spread") }</Tip>
        </span>
    }
}

/// The curves of a run: the card's losses in the panels wanted, of every model.
pub fn layers(state: &State, run: &Run, wanted: fn(Panel) -> bool) -> Layers {
    let mut out = Layers::default();
    // The class of a replica's curve: the k-gon it is at.
    let gon = |r: u32| match run.figure.as_deref() {
        Some(Figure::Superposition { gons, .. }) => {
            Some(gons.get(r as usize).map_or("", |g| gons::class(g)))
        }
        _ => None,
    };
    let card = state.card();
    let specs = card.losses.iter().filter(|l| wanted(l.panel));
    for (i, spec) in specs.enumerate() {
        let class = format!("s{}", i % 6);
        let own: Own = (spec.id == card.behaviour).then_some(&gon);
        out.add(run, state.view.spread, (spec.id, &class, spec.label), own);
    }
    out
}

/// What the loss chart shows of several models, in words.
pub fn told(state: &State, all: &Layers, unit: &str) -> String {
    let Some(run) = state.run.as_ref() else {
        return String::new();
    };
    let card = state.card();
    let main = card.losses.iter().filter(|l| l.panel.main());
    let place = main
        .clone()
        .position(|l| l.id == card.behaviour)
        .unwrap_or(0);
    let name = main.clone().nth(place).map_or("", |l| l.label);
    let faint = match run.figure.as_deref() {
        Some(Figure::Superposition { gons, .. }) if gons.len() > 1 => gons::legend(gons),
        _ => String::new(),
    };
    legend(
        state,
        spread::count(run) as usize,
        (name, unit, all.band(place)),
        &faint,
    )
}

/// What is drawn of that many models, and what they are under the cursor: a curve's name, its unit, its
/// range. `faint` says what the faint curves are, where that needs more words.
pub fn legend(
    state: &State,
    models: usize,
    (name, unit, band): (&str, &str, Option<&Series>),
    faint: &str,
) -> String {
    let Some(run) = state.run.as_ref().filter(|_| models > 1) else {
        return String::new();
    };
    let seed = (run.knobs.int("seed") as u32).wrapping_add(state.follow());
    let mut parts = vec![format!("strong: seed {seed}")];
    if band.is_some() {
        parts.push(format!(
            "band: 10 to 90 % of {models} seeds, with their median"
        ));
    }
    if state.view.spread == Shown::Members {
        parts.push(if faint.is_empty() {
            "faint: others".into()
        } else {
            faint.into()
        });
    }
    let under = state.cursor.step.zip(band).and_then(|(step, s)| {
        let i = nearest(&s.x, step)?;
        let [low, middle, high] = [&s.lo, &s.y, &s.hi].map(|v| v.get(i).copied());
        Some(format!(
            ". At step {} {name}: median {} {unit}, 10 to 90 % {} to {}",
            fixed(s.x[i], 0),
            significant(middle?, 3),
            significant(low?, 3),
            significant(high?, 3)
        ))
    });
    parts.join("; ") + &under.unwrap_or_default()
}

/// A double click near a curve makes its model the one that is followed.
pub fn follow(page: &Page, frame: Frame, curves: Vec<(u32, Rc<Series>)>) -> Callback<[f64; 2]> {
    let (send, off) = (page.send.clone(), page.state.view.spread == Shown::Chosen);
    Callback::from(move |[x, y]: [f64; 2]| {
        let all = curves.iter().map(|(r, s)| (*r, &**s));
        let found = spread::nearest(all, frame.x.at(x), |v| frame.y.px(v) - y);
        if let Some((replica, _)) = found.filter(|f| f.1 <= NEAR && !off) {
            send.emit(Action::Follow(replica));
        }
    })
}
