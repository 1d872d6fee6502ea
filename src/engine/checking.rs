//! The types of the stages at a second setting: at its end a run estimates its checkpoints once more, at a
//! third of nβ, if its link asks for it. Whatever else is asked for meanwhile comes first.

use super::frames::Live;
use super::host::Host;
use super::session::Session;
use super::staging::FEWEST;
use super::study::Studying;
use crate::app::link;
use crate::experiments::again;
use crate::protocol::{Phase, StudyKind, StudySpec};

impl Session {
    /// The checkpoints of a run at its end whose stages are still to be typed at a second setting, once: what
    /// cannot begin, or was stopped, is not begun again.
    pub fn unchecked(&mut self) -> Option<Vec<u64>> {
        self.check_due().then(|| {
            self.staging.checked = true;
            self.history.llc.iter().map(|p| p.step).collect()
        })
    }

    /// Whether there is a check to make.
    fn check_due(&self) -> bool {
        let newest = self.history.llc.last().map(|p| p.step as f64);
        let whole = |row: Vec<f64>| row.len() > 3 && row.get(row.len() - 3).copied() >= newest;
        let asks = self
            .parts
            .chains
            .as_ref()
            .is_some_and(|c| c.settings.second);
        asks && self.phase() == Phase::Done
            && self.study().is_none_or(|s| s.over)
            && !self.staging.checked
            && !self.second_setting().is_some_and(whole)
            && self.history.llc.len() >= FEWEST
    }

    /// nβ, γ and ε of the second setting, then step, λ̂ and standard error of each of its points.
    #[must_use]
    pub fn second_setting(&self) -> Option<Vec<f64>> {
        let [_, second] = self.staging.chosen().rows();
        second
    }

    /// The check gives way: begun again once nothing else is under way.
    pub(super) fn postpone_check(&mut self) {
        let check = |s: &&mut Box<Studying>| s.view.spec.kind == StudyKind::Second && !s.view.over;
        if let Some(study) = self.study.as_mut().filter(check) {
            study.stop();
            self.staging.checked = false;
        }
    }
}

impl Studying {
    /// Its estimates are of the model that is followed.
    pub(super) fn of_followed(&self) -> bool {
        let spec = &self.view.spec;
        spec.kind == StudyKind::Second || spec.cells.iter().any(|c| c.replica.is_none())
    }
}

impl Host {
    /// Whether the run has nothing else to do and a check to make. Not before the page knows of the end of
    /// the run, and of the study before.
    pub(super) fn check_due(&self) -> bool {
        let ready = |l: &Live| l.shown.all(&l.session) && l.session.check_due();
        self.versus.is_none() && self.live.as_ref().is_some_and(ready)
    }

    /// The study that begins now: the one that was asked for, else the check that is due.
    pub(super) fn next_study(&mut self) -> Option<StudySpec> {
        if self.asked.is_some() || !self.check_due() {
            return self.asked.take();
        }
        let live = self.live.as_mut()?;
        let steps = live.session.unchecked()?;
        Some(again::second(&link::parse(&live.text).knobs, &steps))
    }
}
