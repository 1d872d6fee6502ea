//! Heads over several seeds. A head's number means nothing across seeds, so it is the strongest head of
//! each seed that is compared.

use super::Page;
use super::heads::over_time;
use super::keep::Keep;
use super::spread::{many, toggles};
use super::tip::Tip;
use crate::app::spread::{Drawn, Layers, count};
use crate::app::{Run, leads, terms};
use crate::experiments::heads::INSTRUMENTS;
use crate::plot::panels::Look;
use crate::protocol::Series;
use std::rc::Rc;
use yew::prelude::*;

/// The greatest score of any head, of every seed.
fn greatest(run: &Run, key: &str) -> Vec<(u32, Rc<Series>)> {
    let id = format!("heads.*.{key}");
    let of = |r| {
        let (x, y) = leads::curve(run, r, &id)?;
        let series = Series {
            x,
            y,
            ..Series::default()
        };
        Some((r, Rc::new(series)))
    };
    (0..count(run)).filter_map(of).collect()
}

/// A chart for each of the attention scores; nothing of a single model.
pub fn strongest(page: &Page, run: &Run, narrow: &Look) -> Html {
    let state = &page.state;
    if !many(state) {
        return Html::default();
    }
    let chart = |(i, class): (usize, &str)| {
        let all = greatest(run, INSTRUMENTS[i].key);
        let mut layers = Layers::default();
        layers.behind(&all, state.follow(), state.view.spread, class, None);
        let own = all.iter().find(|m| m.0 == state.follow());
        let own = own.map(|(_, s)| (s.clone(), class.to_string(), String::new()));
        let drawn: Vec<Drawn> = layers.back().cloned().chain(own).collect();
        let title = format!("strongest: {}", INSTRUMENTS[i].title);
        let keep = Keep::new(
            format!("strongest-{}", INSTRUMENTS[i].key.replace('_', "-")),
            "The strongest head of each seed",
        );
        keep.over_time(page, over_time(narrow, title, &drawn, Some(1.0)))
    };
    html! {
        <>
            <h3>{"The strongest head of each seed "}<Tip about="the strongest head">{ terms::of("strongest") }</Tip>{" "}{ toggles(page) }</h3>
            <div class="multiples" data-test="strongest">{ for ["s0", "s1", "s2"].into_iter().enumerate().map(chart) }</div>
        </>
    }
}
