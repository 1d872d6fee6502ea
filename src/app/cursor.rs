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

/// What a pointer has done between pressing and letting go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Press {
    /// It stayed where it was, as far as a hand can.
    Click,
    /// It was dragged along the axis.
    Drag,
}

/// Pixels by which a pointer that clicks may move.
const STILL: i32 = 4;

/// What a press between two places of the window comes to, where the axis can be dragged along or not;
/// nothing where it went elsewhere.
#[must_use]
pub fn press(from: [i32; 2], to: [i32; 2], along: bool) -> Option<Press> {
    let [x, y] = [0, 1].map(|i| (to[i] - from[i]).abs());
    match (x < STILL, y < STILL) {
        (true, true) => Some(Press::Click),
        (false, _) if along => Some(Press::Drag),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hand_that_trembles_clicks_and_one_that_moves_drags() {
        for to in [[100, 50], [101, 50], [97, 53], [103, 47]] {
            assert_eq!(press([100, 50], to, true), Some(Press::Click), "{to:?}");
        }
        assert_eq!(press([100, 50], [104, 50], true), Some(Press::Drag));
        assert_eq!(press([100, 50], [40, 90], true), Some(Press::Drag));
        // Planted: down the page, or along an axis that is no time, it is neither.
        assert_eq!(press([100, 50], [100, 90], true), None);
        assert_eq!(press([100, 50], [140, 50], false), None);
    }
}
