//! What of a run is kept in the browser's storage, within a budget.

use super::host::Host;
use super::record;
use super::staging::stages_of;
use crate::protocol::{Event, Notice, Stages, Stored};
use crate::store::Record;
use web_time::{Duration, Instant};

/// Records are written at most this often; a faster run loses that much on a crash.
const KEEP: Duration = Duration::from_millis(1500);
/// And at most every so many times as long as the last one took: a record grows with every checkpoint.
const KEEP_SHARE: u32 = 20;
/// Share of the budget in which the optimiser's states at the ends and at stage boundaries come before
/// weights.
const STATES: u64 = 4;
/// Bytes a record may take unless the person says otherwise.
pub(super) const BUDGET: u64 = 256_000_000;

/// Which of some things stay, given the bytes of each, oldest first, and which of them must: every other
/// of the oldest goes first, then every other of those that follow, until the rest fits.
#[must_use]
pub fn thinned(bytes: &[u64], fixed: &[bool], budget: u64) -> Vec<bool> {
    let mut kept = vec![true; bytes.len()];
    let mut total: u64 = bytes.iter().sum();
    while total > budget {
        let before = total;
        // The one before stayed: the next may go.
        let mut stayed = true;
        for i in 0..bytes.len() {
            if !kept[i] || total <= budget {
                continue;
            }
            if stayed && !fixed.get(i).copied().unwrap_or(false) {
                (kept[i], stayed) = (false, false);
                total -= bytes[i];
            } else {
                stayed = true;
            }
        }
        if total == before {
            break;
        }
    }
    kept
}

/// What of a run is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Keeps {
    /// Checkpoints, of how many.
    pub(super) checkpoints: [u64; 2],
    /// Of them, those that can be trained on from: the optimiser's state is there.
    pub(super) whole: u64,
}

/// Checkpoints of a record that have to stay: its first and last, and those nearest to `bounds`.
fn held(record: &Record, bounds: &[u64]) -> Vec<u64> {
    let steps = record::checkpoints(record);
    let near = |b: &u64| steps.iter().copied().min_by_key(|s| s.abs_diff(*b));
    let ends = [steps.first(), steps.last()].into_iter().flatten().copied();
    ends.chain(bounds.iter().filter_map(near)).collect()
}

/// Leaves parts of a record out until it fits, but no weights that are [`held`]. The optimiser's states give
/// way to weights, but for those at checkpoints that are held, as far as their share goes.
pub(super) fn fit(record: &mut Record, bounds: &[u64], budget: u64) -> Keeps {
    let steps = record::checkpoints(record);
    let held = held(record, bounds);
    let fixed: Vec<bool> = steps.iter().map(|s| held.contains(s)).collect();
    // All checkpoints of a run are as large as each other.
    let each = record
        .tensors
        .iter()
        .find(|t| t.name.starts_with("checkpoint."));
    let each = each.map_or(0, |t| 4 * t.data.len() as u64);
    let states = record::states(record);
    let (mut all, mut first) = (each * steps.len() as u64, 0);
    for (step, bytes) in &states {
        all += bytes;
        first += if held.contains(step) { *bytes } else { 0 };
    }
    let mut room = budget.saturating_sub(record.bytes() - all);
    let before = room.saturating_sub(first.min(budget / STATES));
    let kept = thinned(&vec![each; steps.len()], &fixed, before);
    let (mut weights, mut left) = (Vec::new(), 0);
    for (step, kept) in steps.iter().zip(kept) {
        if kept {
            left += 1;
        } else {
            weights.push(*step);
        }
    }
    room = room.saturating_sub(each * left);
    let (mut at, mut bytes, mut fixed) = (Vec::new(), Vec::new(), Vec::new());
    for (step, own) in states {
        if !weights.contains(&step) {
            at.push(step);
            bytes.push(own);
            fixed.push(first <= room && held.contains(&step));
        }
    }
    let mut kept = thinned(&bytes, &fixed, room).into_iter();
    let whole = at.len() as u64;
    at.retain(|_| kept.next() == Some(false));
    record::leave_out(record, &weights, &at);
    // Beside the last, whose state is always there; an optimiser that knows nothing has none to lose.
    let known = record.tensors.len() as u64 > left;
    let whole = if known {
        1 + whole - at.len() as u64
    } else {
        left
    };
    Keeps {
        // Those that went before count too.
        checkpoints: [left, steps.len().max(record.pca.len()) as u64],
        whole,
    }
}

impl Host {
    /// Keeps the run for a reload, if it is time.
    pub(super) fn keep(&mut self, idle: bool) {
        let Some(live) = self.live.as_mut().filter(|_| self.keeper.is_some()) else {
            return;
        };
        let last = live.session.history.checkpoints.last();
        let session = &live.session;
        let news = session.studies.over + session.asks.over + session.staging.choices;
        let last = last.map(|c| (c.step, news));
        let due = last != live.kept_step
            && (idle || live.kept_at.elapsed() > KEEP.max(KEEP_SHARE * live.keeping));
        if !due {
            return;
        }
        (live.kept_step, live.kept_at) = (last, Instant::now());
        let Some(mut r) = record::capture(&live.session, &live.text) else {
            return;
        };
        record::add_states(&mut r, &live.session);
        let bounds = bounds(&live.session.staging.view);
        // What is written around the numbers is about what it was the last time.
        let mut keeps = fit(&mut r, &bounds, self.budget.saturating_sub(live.around));
        // What is stored of another run, or of this one further on, is not lost for it.
        let displaced = self.displaces(&r.link, r.step);
        if displaced {
            self.put_aside(r.bytes());
        }
        let (Some(live), Some(keeper)) = (&mut self.live, &mut self.keeper) else {
            return;
        };
        let saved = keeper.save(&r).and_then(|bytes| {
            live.around = bytes.saturating_sub(r.bytes());
            if bytes <= self.budget {
                return Ok(bytes);
            }
            let all = keeps.checkpoints[1];
            keeps = fit(&mut r, &bounds, self.budget.saturating_sub(live.around));
            keeps.checkpoints[1] = all;
            keeper.save(&r)
        });
        match saved {
            Ok(bytes) => self.events.push(Event::Kept {
                run: live.id,
                bytes,
                checkpoints: keeps.checkpoints,
                whole: keeps.whole,
            }),
            Err(e) => {
                live.session.notices.push(Notice::new(format!(
                    "This run is no longer kept for a reload: {e}."
                )));
                self.keeper = None;
            }
        }
        live.keeping = live.kept_at.elapsed();
        self.once(&r.link, r.step);
        if displaced {
            self.tell_shelf();
        }
    }

    /// Another budget holds from now on, also for what is kept already.
    pub(super) fn set_budget(&mut self, bytes: u64) {
        self.budget = bytes;
        if let Some(live) = &mut self.live {
            live.kept_step = None;
        }
        self.keep(true);
        let Some(keeper) = &mut self.keeper else {
            return;
        };
        // A run that is stored and not open is thinned where it is.
        let over = |s: &Stored| s.bytes > bytes;
        if self.live.is_none()
            && keeper.stored().is_some_and(|s| over(&s))
            && let Ok(Some(mut r)) = keeper.load()
        {
            let bounds = bounds(&stages_of(&r.llc, None, &[]));
            let around = keeper.stored().map_or(0, |s| s.bytes);
            let around = around.saturating_sub(r.bytes());
            fit(&mut r, &bounds, bytes.saturating_sub(around));
            // One that cannot be written stays as it was.
            let _ = keeper.save(&r);
        }
        // A file of the shelf that stays is no longer listed, and is written over.
        let _ = keeper.trim(bytes);
        self.tell_shelf();
    }
}

/// Steps at which stages begin and end.
fn bounds(all: &Stages) -> Vec<u64> {
    all.stages.iter().flat_map(|s| [s.from, s.to]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Named;

    #[test]
    fn the_oldest_are_thinned_first_and_what_must_stays() {
        let left = |fixed: &[usize], budget| -> Vec<usize> {
            let fixed: Vec<bool> = (0..10).map(|i| fixed.contains(&i)).collect();
            let kept = thinned(&[10; 10], &fixed, budget);
            (0..10).filter(|&i| kept[i]).collect()
        };
        assert_eq!(left(&[0, 9], 100), (0..10).collect::<Vec<_>>());
        assert_eq!(left(&[0, 9], 80), [0, 2, 4, 5, 6, 7, 8, 9]);
        assert_eq!(left(&[0, 9], 60), [0, 2, 4, 6, 8, 9]);
        assert_eq!(left(&[0, 3, 9], 50), [0, 3, 5, 7, 9]);
        // However small the budget is, ends and boundaries are not for sale.
        assert_eq!(left(&[0, 3, 9], 0), [0, 3, 9]);
        assert_eq!(left(&[], 0), Vec::<usize>::new());
        // As a run grows, what has once gone is not wanted again.
        let grown = |n: usize| {
            let fixed: Vec<bool> = (0..n).map(|i| i == 0 || i + 1 == n).collect();
            thinned(&vec![10; n], &fixed, 70)
        };
        for n in 3..60 {
            let (now, next) = (grown(n), grown(n + 1));
            assert!((0..n).all(|i| now[i] || !next[i]), "{n}: {now:?} {next:?}");
            assert_eq!(now.iter().filter(|k| **k).count(), n.min(7));
        }
    }

    #[test]
    fn a_record_fits_its_budget_and_keeps_its_bounds() {
        let named = |step: u64| Named {
            name: format!("checkpoint.{step}"),
            shape: vec![1000],
            data: vec![0.0; 1000].into(),
        };
        let full = || Record {
            tensors: (0..=20).map(|i| named(50 * i)).collect(),
            link: String::new(),
            version: String::new(),
            step: 1000,
            steps: 1000,
            device: crate::exec::cpu::device(),
            follow: 0,
            series: Vec::new(),
            llc: Vec::new(),
            pca: Vec::new(),
            notices: Vec::new(),
            extra: Default::default(),
        };
        let fits = |budget| {
            let mut r = full();
            let told = fit(&mut r, &[320, 610], budget);
            (
                r.bytes() <= budget,
                told.checkpoints,
                record::checkpoints(&r),
            )
        };
        let (inside, told, steps) = fits(48_000);
        assert!(inside && told[1] == 21 && told[0] < 13, "{told:?}");
        for step in [0, 300, 600, 1000] {
            assert!(steps.contains(&step), "{step} is gone: {steps:?}");
        }
        assert_eq!(fits(1 << 20).1, [21, 21]);
        // Planted: where nothing is thinned it does not fit.
        assert!(full().bytes() > 48_000);
    }

    /// Weights of 4 kB and a state of 8 kB at each of 21 steps, the state of the last beside them.
    fn stateful() -> Record {
        let named = |name: String, n: usize| Named {
            name,
            shape: vec![n],
            data: vec![0.0; n].into(),
        };
        let steps = || (0..=20).map(|i| 50 * i);
        let weights = steps().map(|s| named(format!("checkpoint.{s}"), 1000));
        let states = steps().filter(|s| *s < 1000);
        let moments = |s: u64| ["m", "v"].map(|m| named(format!("state.{s}.adamw.{m}"), 1000));
        let last = ["adamw.m", "adamw.v"].map(|m| named(m.into(), 1000));
        Record {
            tensors: weights
                .chain(states.flat_map(moments))
                .chain(last)
                .collect(),
            link: String::new(),
            version: String::new(),
            step: 1000,
            steps: 1000,
            device: crate::exec::cpu::device(),
            follow: 0,
            series: Vec::new(),
            llc: Vec::new(),
            pca: Vec::new(),
            notices: Vec::new(),
            extra: Default::default(),
        }
    }

    #[test]
    fn states_give_way_to_weights_and_what_is_told_is_there() {
        let fits = |budget| {
            let mut r = stateful();
            let told = fit(&mut r, &[320, 610], budget);
            let states: Vec<u64> = record::states(&r).iter().map(|s| s.0).collect();
            assert_eq!(told.checkpoints[0] as usize, record::checkpoints(&r).len());
            assert_eq!(told.whole as usize, states.len() + 1, "{budget}");
            (told, states, r.bytes())
        };
        let (told, _, bytes) = fits(1 << 20);
        assert_eq!(
            (told.checkpoints, told.whole, bytes),
            ([21, 21], 21, 252_000)
        );
        // All weights and some states, the ends and boundaries among them.
        let (told, states, bytes) = fits(160_000);
        assert_eq!(told.checkpoints, [21, 21]);
        assert!(bytes <= 160_000 && told.whole >= 8, "{told:?} {bytes}");
        assert!(
            [0, 300, 600].iter().all(|s| states.contains(s)),
            "{states:?}"
        );
        // Fewer weights, and states where they are.
        let (told, states, bytes) = fits(60_000);
        assert!(
            bytes <= 60_000 && told.checkpoints[0] < 21,
            "{told:?} {bytes}"
        );
        assert!(!states.is_empty());
        // However little there is, the weights that must stay do; the states of all but the last go.
        let (told, states, _) = fits(0);
        assert_eq!((told.checkpoints, told.whole, states), ([4, 21], 1, vec![]));
        // Planted: with all states it does not fit.
        assert!(stateful().bytes() > 160_000);
    }
}
