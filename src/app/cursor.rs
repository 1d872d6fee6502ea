//! The mark all charts share: where the pointer, a click or the arrow keys put it.

use super::action::Action;
use super::scrub::{self, nearest};
use super::state::{Cursor, State};

/// Moves the cursor; other actions leave it alone.
pub(super) fn point(state: &mut State, action: &Action) {
    match *action {
        Action::Hover(step) if !state.cursor.pinned => state.cursor.step = step,
        // Steps are narrower than pixels: any click frees a pinned cursor.
        Action::Pin(step) => {
            state.cursor.pinned = !state.cursor.pinned;
            state.cursor.step = Some(step);
        }
        Action::Free => {
            state.cursor = Cursor::default();
            state.film.playing = false;
        }
        Action::Move(by) => move_cursor(state, by),
        Action::Scrub(scrub) => scrub::act(state, scrub),
        _ => {}
    }
}

fn move_cursor(state: &mut State, by: i64) {
    let stops = state.stops();
    let Some(last) = stops.len().checked_sub(1) else {
        return;
    };
    let at = match state.cursor.step.and_then(|s| nearest(stops, s)) {
        Some(at) => at,
        None if by < 0 => last + 1,
        None => last,
    };
    let at = at
        .saturating_add_signed(isize::try_from(by).unwrap_or(0))
        .min(last);
    let step = stops.get(at).copied();
    state.cursor.step = step;
    state.cursor.pinned = true;
}
