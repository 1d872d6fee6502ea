//! Faults forced and faults survived: drills, and the way on after a lost device.

use super::frames::Shown;
use super::host::Host;
use super::open::Source;
use super::record;
use crate::app::link;
use crate::exec::{Batch, Exec};
use crate::protocol::{Drill, Event, Fault, Notice, WhyCpu};

/// A device lost this often at the same step is not tried again: the step itself may be too much.
const TRIES: u32 = 3;

impl Host {
    pub(super) fn drill(&mut self, drill: Drill) {
        if drill == Drill::Panic {
            std::panic::panic_any("a drill: the worker was asked to panic");
        }
        let Some(live) = &mut self.live else { return };
        let limit = 1 << 30;
        match drill {
            Drill::LoseDevice => match &mut live.session.exec {
                Exec::Gpu(gpu) => gpu.destroy(),
                Exec::Cpu(_) => live
                    .session
                    .notices
                    .push(Notice::new("The CPU engine has no device to lose.")),
            },
            Drill::Panic => {}
            Drill::Diverge => {
                let params = live.session.parts.params;
                let len = live.session.parts.plan.buffers[params.0].len;
                let _ = live.session.exec.submit(&Batch {
                    floats: vec![(params, 0, vec![f32::NAN; len])],
                    ..Batch::default()
                });
            }
            Drill::OutOfMemory => {
                let fault = Fault::OutOfMemory {
                    needed: 4 * limit,
                    limit,
                };
                self.events.push(Event::Fault {
                    run: Some(live.id),
                    fault,
                });
                self.live = None;
            }
        }
    }

    /// Finds an engine again after the device was lost, and tells the page which.
    pub(super) async fn reopen(&mut self) -> Result<(), Fault> {
        self.prepared = None;
        let (source, why) = Source::find(self.choice, self.secure).await?;
        self.source = source;
        self.ready(why);
        Ok(())
    }

    /// The device is gone: finds another, goes on from the last checkpoint. False when it cannot.
    pub(super) async fn recover(&mut self) -> bool {
        let Some(mut live) = self.live.take() else {
            return false;
        };
        let at = live.session.step();
        self.lost_at = if self.lost_at.0 == at {
            (at, self.lost_at.1 + 1)
        } else {
            (at, 1)
        };
        let last = record::capture(&live.session, &live.text);
        let again = async {
            if self.lost_at.1 > TRIES {
                let why = format!("it was lost {TRIES} times at step {at}");
                return Err(Fault::NoGpu(WhyCpu::DeviceRefused(why)));
            }
            self.reopen().await?;
            let mut session = self.session(&link::parse(&live.text)).await?;
            session.history.pca = std::mem::take(&mut live.session.history.pca);
            session.history.pca.truncate(0);
            match &last {
                Some(r) => self.restore(&mut session, r)?,
                None => session.begin()?,
            }
            let step = last.as_ref().map_or(0, |r| r.step);
            session.notices.push(Notice::new(format!(
                "The GPU was lost; the run went on from step {step} on {}.",
                self.source.info().name
            )));
            // A check that costs the device is not made again.
            session.staging.checked = live.session.staging.checked;
            session.paused = live.session.paused;
            session.looks = std::mem::take(&mut live.session.looks);
            Ok(session)
        };
        match again.await {
            Ok(session) => {
                live.session = session;
                live.shown = Shown {
                    step: u64::MAX,
                    ..Shown::default()
                };
                self.live = Some(live);
                true
            }
            Err(fault) => {
                self.events.push(Event::Fault {
                    run: Some(live.id),
                    fault,
                });
                false
            }
        }
    }
}
