//! How a study begins within a run, and takes its turn in it.

use super::committing;
use super::grouping::widest;
use super::host::Host;
use super::open::Source;
use super::session::Session;
use super::study::Studying;
use crate::app::link::{self, Link};
use crate::experiments;
use crate::knobs::Value;
use crate::protocol::{DeviceKind, Fault, Notice, Study, StudyKind, StudySpec};

/// Chains of a study's jobs, at most: replicas share dispatches, and memory bounds them.
const GPU_CHAINS: usize = 64;
/// On the CPU engine more chains a job save nothing, and each job is a step of the progress bar.
const CPU_CHAINS: usize = 8;

impl Host {
    /// Begins a study of the live run, in place of the one before it.
    pub(super) async fn study(&mut self, spec: StudySpec) {
        let Some(live) = &self.live else { return };
        let begun = begin(&self.source, link::parse(&live.text), spec).await;
        let Some(live) = &mut self.live else { return };
        match begun {
            Ok(study) => live.session.begin_study(study),
            Err(fault) => live
                .session
                .notices
                .push(Notice::new(format!("This study could not begin: {fault}."))),
        }
    }
}

/// A study of a link's run, ready to begin.
///
/// # Errors
/// Device lost, out of memory, or a link that cannot be built.
pub async fn begin(source: &Source, mut link: Link, spec: StudySpec) -> Result<Studying, Fault> {
    if spec.kind == StudyKind::Commitment {
        return committing::begin(source, &link, spec).await;
    }
    let most = match source.info().kind {
        DeviceKind::Gpu => GPU_CHAINS,
        DeviceKind::Cpu => CPU_CHAINS,
    };
    let own = (link.knobs.float("nbeta"), link.knobs.float("gamma"));
    let per = spec.chains.clamp(1, 64) as usize;
    let whole = |n: u64| Value::Int(i64::try_from(n).unwrap_or(i64::MAX));
    // What the form was told of the same settings need not be told again.
    let _ = link::apply_query(&mut link.knobs, &spec.query);
    if let Some(card) = experiments::card(link.experiment) {
        let _ = (card.settle)(&mut link.knobs);
    }
    let polishes = link.knobs.int("polish") > 0;
    let mut chains = (most / per).clamp(1, widest(&spec, polishes)) * per;
    link.knobs.put("burnin", whole(spec.burnin));
    link.knobs.put("draws", whole(spec.draws));
    loop {
        link.knobs.put("chains", whole(chains as u64));
        let parts = experiments::build(link.experiment, &link.knobs);
        let built = match parts {
            Ok(parts) => source
                .exec(&parts.plan)
                .await
                .map(|exec| Session::new(parts, exec)),
            Err(fault) => Err(fault),
        };
        match built {
            Ok(engine) => return Studying::new(spec, engine, own).await,
            Err(Fault::OutOfMemory { .. }) if chains > per => {
                chains = (chains / per / 2).max(1) * per;
            }
            Err(fault) => return Err(fault),
        }
    }
}

impl Session {
    /// The study takes its turns from the next pump on, in place of the one before it.
    pub fn begin_study(&mut self, study: Studying) {
        self.postpone_check();
        let kind = study.view.spec.kind;
        self.studies.begin(kind);
        let before = self.study.replace(Box::new(study));
        if let Some(before) = before {
            if before.view.spec.kind == StudyKind::Second && kind != StudyKind::Second {
                // The page, which is told of the newest alone, must not take it to be under way.
                self.studies.tell(before.view.clone());
            }
            self.studies.keep(before.view);
        }
    }

    /// The newest study, as far as it is.
    #[must_use]
    pub fn study(&self) -> Option<&Study> {
        self.study.as_ref().map(|s| &s.view)
    }

    /// The last study of each kind, as far as it is.
    pub fn studies(&self) -> impl Iterator<Item = &Study> {
        self.studies.all(self.study())
    }

    /// One portion of the study, if one is under way. What trains on the device ends first.
    pub(super) async fn studying(&mut self) -> Result<bool, Fault> {
        if self.study.as_ref().is_none_or(|s| s.view.over) {
            return Ok(false);
        }
        if self.drain_one().await? {
            return Ok(true);
        }
        let (history, follow) = (&self.history, self.follow);
        if let Some(study) = &mut self.study {
            if let Err(fault) = study.pump(history, follow).await {
                // A check that nobody asked for does not end a run that is done.
                if study.view.spec.kind != StudyKind::Second
                    || matches!(fault, Fault::DeviceLost(_))
                {
                    return Err(fault);
                }
                study.stop();
                let why = format!("The types could not be checked at a second setting: {fault}.");
                self.notices.push(Notice::new(why));
            }
            self.studies.over += u32::from(study.view.over);
            let chains = self.parts.chains.as_ref().filter(|_| study.view.over);
            if let Some(chains) = chains {
                self.staging
                    .take(&study.view, &chains.settings.told(), self.follow);
            }
        }
        self.last_end = None;
        Ok(true)
    }
}
