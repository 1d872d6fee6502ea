//! The comparison of two models beside the run on the page: it works while that one does not.

use super::host::Host;
use super::versus::Versus;
use crate::protocol::{Event, Fault, VersusSpec, VersusStage, VersusView};
use std::mem::discriminant;
use web_time::{Duration, Instant};

/// Pictures of a comparison under way are at least this far apart.
const APART: Duration = Duration::from_millis(150);

impl Host {
    /// Begins a comparison in place of the one before it.
    pub(super) fn compare(&mut self, spec: VersusSpec) {
        self.versus = None;
        match Versus::new(spec.clone()) {
            Ok(versus) => self.versus = Some(Box::new(versus)),
            Err(fault) => {
                let stage = VersusStage::Failed(words(&fault));
                let view = VersusView {
                    spec,
                    stage,
                    ..VersusView::default()
                };
                self.events.push(Event::Versus(Box::new(view)));
            }
        }
    }

    /// One portion of the comparison, while the run on the page is not `busy`; whether there is more to
    /// do of either.
    pub(super) async fn comparing(&mut self, busy: bool) -> bool {
        let Some(mut versus) = self.versus.take() else {
            return busy;
        };
        let done = if busy {
            if !versus.over() {
                versus.view.stage = VersusStage::Waiting;
            }
            Ok(false)
        } else {
            self.portion(&mut versus).await
        };
        let more = match done {
            Ok(more) => more,
            // A device that was lost is found again once; what was found so far is kept.
            Err(Fault::DeviceLost(why)) if !versus.again => {
                versus.again = true;
                versus.drop_work();
                let found = self.reopen().await;
                if let Err(fault) = &found {
                    versus.view.stage = VersusStage::Failed(format!("{why}; {}", words(fault)));
                }
                found.is_ok()
            }
            Err(fault) => {
                versus.drop_work();
                versus.view.stage = VersusStage::Failed(words(&fault));
                true
            }
        };
        let stage = &versus.view.stage;
        let due = versus.sent.as_ref().is_none_or(|(told, at)| {
            let other = discriminant(told) != discriminant(stage);
            other || told != stage && at.elapsed() > APART
        });
        if due {
            versus.sent = Some((stage.clone(), Instant::now()));
            self.events
                .push(Event::Versus(Box::new(versus.view.clone())));
        }
        // What is over has been told, and is no longer needed here.
        if !versus.over() {
            self.versus = Some(versus);
        }
        busy || more
    }

    async fn portion(&self, versus: &mut Versus) -> Result<bool, Fault> {
        if let Some(live) = &self.live {
            versus.look(&live.session, &live.text)?;
        }
        versus.pump(&self.source).await
    }
}

/// A fault in one sentence, without the name of its kind where the words say it.
fn words(fault: &Fault) -> String {
    match fault {
        Fault::BadLink(why) => why.clone(),
        other => other.to_string(),
    }
}
