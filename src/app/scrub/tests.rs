use super::super::action::Action;
use super::super::reduce::reduce;
use super::super::run::Run;
use super::*;
use crate::protocol::{Event, Frame, PcaUpdate, RunId};

const STEPS: [f64; 4] = [0.0, 10.0, 50.0, 100.0];

/// A page whose run has kept four checkpoints.
fn page() -> State {
    let mut state = State::new("#/tms?v=1", true, Default::default());
    let knobs = state.link.knobs.clone();
    let mut run = Run::new(RunId(1), state.link.text(true), knobs, 100);
    run.take(Frame {
        pca: Some(PcaUpdate {
            steps: STEPS.to_vec(),
            pcs: vec![[0.0; 3]; 4],
            explained: [0.0; 3],
        }),
        ..Frame::default()
    });
    state.run = Some(run);
    state
}

/// The steps whose figures are asked for.
fn asked(effects: &[Effect]) -> Vec<u64> {
    let step = |e: &Effect| match e {
        Effect::Send(Command::Look(RunId(1), step)) => Some(*step),
        _ => None,
    };
    effects.iter().filter_map(step).collect()
}

fn scrub(state: &mut State, scrub: Scrub) -> Vec<u64> {
    asked(&reduce(state, Action::Scrub(scrub)))
}

fn answer(state: &mut State, step: u64) -> Vec<u64> {
    let figure = Some(Figure::Spectrum {
        p: step as usize,
        shares: Vec::new(),
    });
    let event = Event::Look {
        run: RunId(1),
        step,
        figure,
    };
    asked(&reduce(state, Action::Worker(event)))
}

#[test]
fn the_scrubber_is_the_pinned_cursor_at_a_checkpoint() {
    let mut s = page();
    assert_eq!(looked_at(&s), None);
    assert_eq!(scrub(&mut s, Scrub::To(37.0)), [50]);
    assert_eq!((s.cursor.step, s.cursor.pinned), (Some(50.0), true));
    // Asked once, and no more once it is there.
    assert!(scrub(&mut s, Scrub::To(49.0)).is_empty());
    answer(&mut s, 50);
    assert!(scrub(&mut s, Scrub::To(51.0)).is_empty());
    assert_eq!(scrub(&mut s, Scrub::By(-1)), [10]);
    assert_eq!(scrub(&mut s, Scrub::By(-9)), [0]);
    assert_eq!(scrub(&mut s, Scrub::By(9)), [100]);
    // A click on a chart is a look too, at the nearest checkpoint.
    reduce(&mut s, Action::Free);
    assert_eq!(looked_at(&s), None);
    reduce(&mut s, Action::Pin(12.0));
    assert_eq!((looked_at(&s), s.cursor.step), (Some(10), Some(12.0)));
}

#[test]
fn no_picture_stands_under_the_step_of_another() {
    let mut s = page();
    scrub(&mut s, Scrub::To(10.0));
    let shown = |s: &State| {
        let (step, figure) = s.run.as_ref()?.album.shown(looked_at(s)?)?;
        let Figure::Spectrum { p, .. } = &*figure? else {
            return None;
        };
        assert_eq!(*p as u64, step);
        Some(step)
    };
    assert_eq!(shown(&s), None);
    answer(&mut s, 10);
    assert_eq!(shown(&s), Some(10));
    // While the next is on its way the last one stays, with its own step.
    scrub(&mut s, Scrub::To(100.0));
    assert_eq!(shown(&s), Some(10));
    answer(&mut s, 100);
    assert_eq!(shown(&s), Some(100));
}

#[test]
fn the_film_waits_for_its_pictures_and_ends() {
    let mut s = page();
    assert_eq!(scrub(&mut s, Scrub::Play), [0, 10]);
    scrub(&mut s, Scrub::Tick);
    assert_eq!(looked_at(&s), Some(0), "it does not wait");
    let mut order = Vec::new();
    for _ in 0..12 {
        for step in [0, 10, 50, 100] {
            answer(&mut s, step);
        }
        order.extend(looked_at(&s));
        scrub(&mut s, Scrub::Tick);
    }
    order.dedup();
    assert_eq!(order, [0, 10, 50, 100]);
    assert!(!s.film.playing && looked_at(&s) == Some(100));
    // Played again it begins anew; taken by hand it stops; following ends it.
    scrub(&mut s, Scrub::Play);
    assert_eq!(looked_at(&s), Some(0));
    scrub(&mut s, Scrub::By(1));
    assert!(!s.film.playing);
    scrub(&mut s, Scrub::Play);
    assert_eq!(looked_at(&s), Some(10));
    reduce(&mut s, Action::Free);
    assert!(!s.film.playing);
}

#[test]
fn a_held_step_is_asked_for_and_goes_with_the_run() {
    let mut s = page();
    // Beside the latest, while nothing else is looked at.
    assert_eq!(scrub(&mut s, Scrub::Hold(Some(60.0))), [100, 50]);
    assert_eq!(held(&s), Some(50));
    assert_eq!(pinned(&s), Some((50.0, "pinned 50".into())));
    scrub(&mut s, Scrub::Hold(None));
    assert_eq!(held(&s), None);
    scrub(&mut s, Scrub::Hold(Some(0.0)));
    reduce(&mut s, Action::Reset);
    assert_eq!((s.film, looked_at(&s)), (Film::default(), None));
}

#[test]
fn the_album_forgets_the_oldest() {
    let mut album = Album::default();
    for step in 0..200 {
        album.put(step, None);
    }
    assert!(album.get(199).is_some() && album.get(0).is_none());
    assert_eq!(album.pictures.len(), KEPT);
}

#[test]
fn what_was_thinned_away_is_neither_saved_nor_lost_sight_of() {
    let mut s = page();
    if let Some(run) = &mut s.run {
        run.gone = vec![10, 50];
    }
    assert_eq!(checkpoints(&s).len(), 4);
    assert_eq!([0, 10].map(|step| gone(&s, step)), [false, true]);
    save_all(&mut s);
    assert_eq!(s.run.map(|r| r.files), Some((vec![0, 100], 2)));
}
