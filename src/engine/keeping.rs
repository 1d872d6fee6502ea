//! What of a run is kept in the browser's storage, within a budget.

use super::host::Host;
use super::record;
use crate::protocol::{Event, Notice};
use crate::store::Record;
use web_time::{Duration, Instant};

/// Records are written at most this often; a faster run loses that much on a crash.
const KEEP: Duration = Duration::from_millis(1500);
/// And at most every so many times as long as the last one took: a record grows with every checkpoint.
const KEEP_SHARE: u32 = 20;
/// Share of the budget that the optimiser's states may take, besides the last.
const STATES: u64 = 4;
/// Bytes a record may take unless the person says otherwise.
pub(super) const BUDGET: u64 = 256 << 20;

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

/// Checkpoints of a record that have to stay: its first and last, and those nearest to `bounds`.
fn held(record: &Record, bounds: &[u64]) -> Vec<u64> {
    let steps = record::checkpoints(record);
    let near = |b: &u64| steps.iter().copied().min_by_key(|s| s.abs_diff(*b));
    let ends = [steps.first(), steps.last()].into_iter().flatten().copied();
    ends.chain(bounds.iter().filter_map(near)).collect()
}

/// Leaves checkpoints out of a record until it fits, but none that is [`held`]. How many are left, of how
/// many.
pub(super) fn fit(record: &mut Record, bounds: &[u64], budget: u64) -> [u64; 2] {
    let steps = record::checkpoints(record);
    let held = held(record, bounds);
    let fixed: Vec<bool> = steps.iter().map(|s| held.contains(s)).collect();
    // All checkpoints of a run are as large as each other.
    let each = record
        .tensors
        .iter()
        .find(|t| t.name.starts_with("checkpoint."));
    let bytes = vec![each.map_or(0, |t| 4 * t.data.len() as u64); steps.len()];
    let rest = record.bytes() - bytes.iter().sum::<u64>();
    let kept = thinned(&bytes, &fixed, budget.saturating_sub(rest));
    let gone: Vec<u64> = (0..steps.len())
        .filter(|&i| !kept[i])
        .map(|i| steps[i])
        .collect();
    record::leave_out(record, &gone);
    [(steps.len() - gone.len()) as u64, steps.len() as u64]
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
        let stages = live.session.staging.view.stages.iter();
        let bounds: Vec<u64> = stages.flat_map(|s| [s.from, s.to]).collect();
        let held = held(&r, &bounds);
        record::add_states(&mut r, &live.session, &held, self.budget / STATES);
        let checkpoints = fit(&mut r, &bounds, self.budget);
        // What is stored of another run, or of this one further on, is not lost for it.
        let displaced = self.displaces(&r.link, r.step);
        if displaced {
            self.put_aside(r.bytes());
        }
        let (Some(live), Some(keeper)) = (&mut self.live, &mut self.keeper) else {
            return;
        };
        match keeper.save(&r) {
            Ok(()) => self.events.push(Event::Kept {
                run: live.id,
                bytes: r.bytes(),
                checkpoints,
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
    }
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
            (r.bytes() <= budget, told, record::checkpoints(&r))
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
}
