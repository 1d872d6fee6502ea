//! The runs that are stored in this browser, as the page lists them. Pure.

use super::action::Effect;
use super::against::Against;
use super::aim::address;
use super::beside;
use super::link::{Link, parse};
use super::pairing;
use super::reduce::{drop_run, measure, start};
use super::scrub;
use super::state::State;
use crate::experiments::card;
use crate::protocol::{At, Command, Notice, Stored};

/// What a visitor does with a stored run.
#[derive(Clone, Debug, PartialEq)]
pub enum Shelf {
    /// Opens the one of this link.
    Open(String),
    /// Opens the run that the branch on the screen leaves.
    Parent,
    /// Deletes the one in this file; none, the one that a reload goes on from.
    Discard(Option<u32>),
}

/// Does it.
pub(super) fn act(state: &mut State, what: Shelf) -> Vec<Effect> {
    match what {
        Shelf::Open(link) => {
            let engine = state.link.engine;
            let mut effects = drop_run(state);
            // What is left is put aside, not thrown away.
            effects.clear();
            state.link = Link {
                engine,
                ..parse(&link)
            };
            effects.extend(start(state, true, false));
            effects
        }
        Shelf::Parent => {
            let Some(first) = beside::parent(&state.link) else {
                return Vec::new();
            };
            // Whichever of its models is followed, and wherever its checkpoints stand closer.
            let plain = |mut l: Link| {
                l.course.zoom = None;
                l.follow(0);
                l.text(true)
            };
            let text = plain(first.clone());
            let own = |r: &&Stored| r.version == crate::VERSION && plain(parse(&r.link)) == text;
            if let Some(row) = state.shelf.iter().rfind(own) {
                let link = row.link.clone();
                return act(state, Shelf::Open(link));
            }
            let mut effects = drop_run(state);
            state.link = first;
            let told = "The parent is not stored here: Run computes it.";
            state.link.notices = vec![Notice::new(told)];
            effects.push(address(state));
            effects.extend(measure(state));
            effects
        }
        Shelf::Discard(slot) => {
            state.shelf.retain(|r| r.slot != slot);
            if slot.is_none() {
                state.stored = None;
            }
            let command = slot.map_or(Command::Forget, Command::Discard);
            vec![Effect::Send(command)]
        }
    }
}

/// What is stored, from now on.
pub(super) fn told(state: &mut State, rows: Vec<Stored>) -> Vec<Effect> {
    state.shelf = rows;
    Vec::new()
}

/// The stored runs beside the one on the screen, the latest first.
pub fn others(state: &State) -> impl Iterator<Item = &Stored> {
    let own = state.run.as_ref().map_or("", |r| &r.link);
    state.shelf.iter().rev().filter(move |r| !r.is_of(own))
}

/// What a run is, in words: its settings that are not the usual ones.
#[must_use]
pub fn told_apart(link: &str) -> String {
    let query = link.split_once('?').map_or("", |q| q.1);
    let said = query.split('&').filter(|p| !p.starts_with("v="));
    let said = said.filter(|p| !p.starts_with("file="));
    let said = said.collect::<Vec<_>>().join(", ");
    // It is told first, so that a short form keeps it.
    match link.contains("&file=") {
        true => format!("from a file, {said}"),
        false => said,
    }
}

/// A run in a few words, for a sentence: its experiment and the first of what [`told_apart`] says.
#[must_use]
pub fn shortly(link: &str) -> String {
    const SAID: usize = 3;
    let title = card(parse(link).experiment).map_or("", |c| c.title);
    let all = told_apart(link);
    let said: Vec<&str> = all.split(", ").filter(|s| !s.is_empty()).collect();
    let more = match said.len().saturating_sub(SAID) {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    match &said[..said.len().min(SAID)] {
        [] => title.into(),
        first => format!("{title} ({}{more})", first.join(", ")),
    }
}

/// The comparison of the run on the screen, or before one of the form's, with a stored run; none where the
/// two cannot be compared.
#[must_use]
pub fn against(state: &State, row: &Stored, at: At) -> Option<Link> {
    let mut a = match &state.run {
        Some(run) => parse(&run.link),
        None => state.link.clone(),
    };
    a.run = false;
    a.notices.clear();
    let b = parse(&row.link);
    let with = Against::between(&a, &b).filter(|_| a.course.branch == b.course.branch)?;
    let own = state.run.as_ref().and_then(|_| scrub::looked_at(state));
    let own = own.map_or(At::Last, At::Step);
    let pair = pairing::against(a, &with, [own, at]);
    pairing::refused(&pair).is_none().then_some(pair)
}

/// The checkpoints that can be chosen of a stored run: the ends first, about so many of the others.
#[must_use]
pub fn choices(row: &Stored, most: usize) -> Vec<At> {
    let steps = super::study::thinned(&row.checkpoints, most);
    let mut out = Vec::new();
    if row.checkpoints.last() == Some(&row.steps) {
        out.push(At::Last);
    }
    out.extend(steps.iter().rev().map(|s| At::Step(*s)));
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::app::{Action, reduce};
    use crate::protocol::{DeviceInfo, DeviceKind, Event};

    fn row(link: &str, slot: Option<u32>) -> Stored {
        Stored {
            link: link.into(),
            step: 300,
            steps: 300,
            slot,
            checkpoints: vec![0, 100, 200, 300],
            ..Stored::default()
        }
    }

    fn page(rows: Vec<Stored>) -> State {
        let mut state = State::new("#/induction?seed=4", true, Default::default());
        let device = DeviceInfo {
            kind: DeviceKind::Cpu,
            name: "CPU".into(),
            software: false,
        };
        let ready = Event::Ready {
            device,
            why_cpu: None,
            stored: None,
            keeps: true,
        };
        reduce(&mut state, Action::Worker(ready));
        reduce(&mut state, Action::Worker(Event::Shelf(rows)));
        state
    }

    #[test]
    fn a_stored_run_is_opened_as_it_was_and_no_longer_listed_beside_itself() {
        let link = "#/induction?v=1&layers=1&seed=2";
        let mut state = page(vec![row("#/tms?v=1&seed=1", Some(0)), row(link, Some(1))]);
        assert_eq!(others(&state).count(), 2);
        let effects = reduce(&mut state, Action::Shelf(Shelf::Open(link.into())));
        let begun = |e: &Effect| matches!(e, Effect::Send(Command::Start { resume: true, link: l, .. }) if l == link);
        assert!(effects.iter().any(begun), "{effects:?}");
        // Nothing is thrown away on the way.
        let gone = |e: &Effect| matches!(e, Effect::Send(Command::Reset(_) | Command::Forget));
        assert!(!effects.iter().any(gone), "{effects:?}");
        assert_eq!(
            others(&state).map(|r| r.slot).collect::<Vec<_>>(),
            [Some(0)]
        );
        let effects = reduce(&mut state, Action::Shelf(Shelf::Discard(Some(0))));
        assert_eq!(effects, [Effect::Send(Command::Discard(0))]);
        assert_eq!(others(&state).count(), 0);
    }

    #[test]
    fn the_parent_of_a_branch_is_opened_where_it_is_stored_else_it_is_in_the_form() {
        let branch = "#/induction?seed=4&from=400&then.lr=0.0001&engine=cpu";
        let parent = "#/induction?v=1&seed=4";
        let on = |rows: Vec<Stored>| {
            let mut state = page(rows);
            state.link = parse(branch);
            reduce(&mut state, Action::Start);
            let effects = reduce(&mut state, Action::Shelf(Shelf::Parent));
            (state, effects)
        };
        let mut zoomed = row(&format!("{parent}&zoom=300-500:20"), Some(1));
        zoomed.version = crate::VERSION.into();
        let (state, effects) = on(vec![zoomed.clone(), row(parent, Some(2))]);
        let begun = |e: &Effect| matches!(e, Effect::Send(Command::Start { resume: true, link, .. }) if *link == zoomed.link);
        assert!(effects.iter().any(begun), "{effects:?}");
        assert!(state.run.is_some());
        // Planted: what another version has made, or another run, is not it.
        let (state, effects) = on(vec![row(parent, Some(2))]);
        assert!(state.run.is_none() && state.link.notices[0].text.contains("not stored"));
        let there = Effect::Address("#/induction?v=1&seed=4&engine=cpu".into());
        let asked = |e: &Effect| matches!(e, Effect::Address(_));
        assert_eq!(effects.iter().find(|e| asked(e)), Some(&there));
        assert!(!effects.contains(&Effect::NewWorker));
    }

    #[test]
    fn a_stored_run_is_the_other_side_of_a_comparison() {
        let state = page(Vec::new());
        let stored = row("#/induction?v=1&layers=1&seed=2", Some(1));
        let pair = against(&state, &stored, At::Step(100)).unwrap();
        let asked = pair.against.as_ref().unwrap();
        assert_eq!(
            (asked.at, asked.other(&pair).text(true)),
            ([At::Last, At::Step(100)], stored.link.clone())
        );
        assert_eq!(
            choices(&stored, 3),
            [At::Last, At::Step(300), At::Step(100), At::Step(0)]
        );
        // Another experiment, and a run without a transformer, are none.
        assert_eq!(
            against(&state, &row("#/tms?v=1&seed=1", None), At::Last),
            None
        );
        assert_eq!(told_apart(&stored.link), "layers=1, seed=2");
        // Nor is a run of a file that of its settings.
        let file = row(&format!("{}&file=00000000000000ab", stored.link), None);
        assert_eq!(against(&state, &file, At::Last), None);
        let (own, plain) = (parse(&file.link), parse(&stored.link));
        assert_eq!(Against::between(&own, &plain), None);
        assert_eq!(Against::between(&own, &own), Some(String::new()));
        assert_eq!(told_apart(&file.link), "from a file, layers=1, seed=2");
    }
}
