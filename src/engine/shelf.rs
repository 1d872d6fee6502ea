//! Runs that were put aside in the browser's storage: when, within which budget, and how a comparison
//! finds its models in them.

use super::asking::{MOST_ROWS, thinned};
use super::host::Host;
use super::keeping::fit;
use super::known::{Known, behaviour_id, drawn, from_link, model, turning};
use super::versus::Versus;
use crate::app::link::joined::fitting;
use crate::app::link::{self, Link};
use crate::instruments::pca::joint::{self, Rows};
use crate::protocol::{Event, Fault, Plane, Series, Told};
use crate::store::shelf::checkpoints;
use crate::store::{CHECKPOINT, Record};
use std::rc::Rc;

/// Share of the budget that one run put aside may take.
const SHARE: u64 = 4;

impl Host {
    /// Tells the page what is stored.
    pub(super) fn tell_shelf(&mut self) {
        let rows = self.keeper.as_ref().map(|k| k.listed());
        self.events.extend(rows.map(Event::Shelf));
    }

    /// Puts the stored run aside, before another one or nothing takes its place; `needed` bytes have to
    /// stay free.
    pub(super) fn put_aside(&mut self, needed: u64) {
        let (budget, Some(keeper)) = (self.budget, &mut self.keeper) else {
            return;
        };
        let thin = |r: &mut Record| {
            fit(r, &[], budget / SHARE);
        };
        let room = budget.saturating_sub(needed);
        // A run that cannot be put aside is replaced, as it would be without a shelf.
        let _ = keeper.put_aside(room, budget / SHARE, &thin);
    }

    /// Whether what is stored would be lost if this took its place.
    pub(super) fn displaces(&self, link: &str, step: u64) -> bool {
        let stored = self.keeper.as_ref().and_then(|k| k.stored());
        stored.is_some_and(|s| !s.is_of(link) || s.step > step)
    }

    /// A run that is stored as the one to go on from, up to this step, need not be on the shelf as well.
    pub(super) fn once(&mut self, link: &str, step: u64) {
        let all = self.keeper.as_ref().map_or(Vec::new(), |k| k.listed());
        let twice = all
            .iter()
            .find(|r| r.is_of(link) && r.step <= step && r.slot.is_some());
        if let Some(slot) = twice.and_then(|r| r.slot) {
            self.discard(slot);
        }
    }

    /// Deletes a run from the shelf.
    pub(super) fn discard(&mut self, slot: u32) {
        if let Some(keeper) = &mut self.keeper {
            // A file that stays is no longer listed, and is written over.
            let _ = keeper.discard(slot);
        }
        self.tell_shelf();
    }

    /// The record of a link: the one to go on from, else one of the shelf.
    pub(super) fn recorded(&self, link: &str) -> Option<Record> {
        let keeper = self.keeper.as_ref()?;
        let all = keeper.listed();
        let row = all.iter().find(|r| r.is_of(link));
        // Another tab may have kept its own run since this one was offered: then it is that one.
        match row {
            Some(row) => keeper.record(row.slot).ok().flatten(),
            None => keeper.load().ok().flatten(),
        }
    }

    /// Hands a comparison what it lacks, from runs that are stored.
    ///
    /// # Errors
    /// `BadLink` for a checkpoint that such a run will never have.
    pub(super) fn lend_stored(&self, versus: &mut Versus) -> Result<(), Fault> {
        let Some(keeper) = &self.keeper else {
            return Ok(());
        };
        for row in keeper.listed() {
            let link = link::parse(&row.link);
            let replicas = link.knobs.int("replicas").max(1);
            let wanted = |r: &i64| versus.lacks(&model(&link, *r));
            let wanted: Vec<i64> = (0..replicas).filter(wanted).collect();
            if wanted.is_empty() || !from_link(row.checkpoints.first().copied(), &link) {
                continue;
            }
            let Ok(Some(record)) = keeper.record(row.slot) else {
                continue;
            };
            for r in wanted {
                let own = known(&record, &link, [r as usize, replicas as usize]);
                versus.take(&model(&link, r), &own)?;
            }
        }
        Ok(())
    }
}

impl Host {
    /// Answers with the paths of the run on the screen and of the stored ones that fit, in one plane. Their
    /// rows are there: nothing is evaluated.
    pub(super) fn join_stored(&mut self) {
        let (Some(keeper), Some(live)) = (&self.keeper, &mut self.live) else {
            return;
        };
        let mut all: Vec<Rows> = vec![live.session.history.pca.rows().collect()];
        if live.session.history.pca.is_empty() {
            return;
        }
        let mut names = vec![String::from("this run")];
        for (slot, name) in fitting(&keeper.listed(), &live.text, live.session.looked()) {
            if let Ok(Some(record)) = keeper.record(slot)
                && !record.pca.is_empty()
            {
                all.push(record.pca);
                names.push(name);
            }
        }
        let most = MOST_ROWS / all.len();
        for rows in &mut all {
            let steps: Vec<u64> = rows.iter().map(|r| r.0).collect();
            let kept = thinned(&steps, most);
            rows.retain(|r| kept.contains(&r.0));
        }
        let plane = joint::of_rows(&all);
        live.session
            .asks
            .tell(Told::Stored(Plane { names, ..plane }));
    }
}

/// The checkpoints of one replica in a record, of so many.
fn known(record: &Record, link: &Link, [replica, replicas]: [usize; 2]) -> Known {
    let weights = |step: u64| {
        let all = &record.tensor(&format!("{CHECKPOINT}{step}"))?.data;
        let n = all.len() / replicas;
        let own = all.get(replica * n..(replica + 1) * n)?;
        Some((step, Rc::new(own.to_vec())))
    };
    let steps = checkpoints(record);
    // Before and after the transition are the nearest checkpoints: of those that are left of a thinned
    // run they would be others.
    let all = record.pca.iter().all(|(step, _)| steps.contains(step));
    let series = |id: &str| {
        let id = match replica {
            0 => id.to_string(),
            r => format!("replicas/{r}/{id}"),
        };
        let found = record.series.iter().find(|s| s.id == id && all)?;
        Some(Series {
            x: found.x.clone(),
            y: found.y.clone(),
            ..Series::default()
        })
    };
    let id = behaviour_id(link.experiment, replica);
    let found = record.series.iter().find(|s| s.id == id);
    let found = found.map(|s| Series {
        x: s.x.clone(),
        y: s.y.clone(),
        ..Series::default()
    });
    Known {
        device: record.device.name.clone(),
        checkpoints: steps.iter().filter_map(|s| weights(*s)).collect(),
        curve: turning(link.experiment, series),
        drawn: drawn(found.as_ref()),
    }
}
