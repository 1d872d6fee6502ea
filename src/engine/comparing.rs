//! The comparison of two models beside the run on the page: it works while that one does not.

use super::host::Host;
use super::known::{Found, Known, behaviour_id, drawn, model, same};
use super::versus::Versus;
use crate::app::link::{self, Link};
use crate::protocol::{Event, Fault, Phase, VersusSpec, VersusStage, VersusView};
use std::mem::discriminant;
use std::rc::Rc;
use web_time::{Duration, Instant};

/// Pictures of a comparison under way are at least this far apart.
const APART: Duration = Duration::from_millis(150);

/// Models kept for comparisons, and bytes of their weights, at most.
const MOST: (usize, usize) = (16, 64 << 20);

/// Models that were trained on this page, each at a checkpoint: a comparison need not train them again.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    /// The latest last.
    kept: Vec<(Link, Known)>,
}

impl Shelf {
    /// Keeps a checkpoint of a model; the oldest gives way.
    fn keep(&mut self, model: &Link, found: &Found) {
        let known = Known {
            device: found.device.clone(),
            checkpoints: vec![(found.step, Rc::clone(&found.weights))],
            curve: None,
            drawn: found.drawn.clone(),
        };
        let other = |(m, k): &(Link, Known)| {
            k.checkpoints.iter().any(|c| c.0 != found.step) || !same(m, model, false)
        };
        self.kept.retain(other);
        self.kept.push((model.clone(), known));
        let bytes = |all: &[(Link, Known)]| {
            let weights = all.iter().flat_map(|(_, k)| &k.checkpoints);
            weights.map(|c| 4 * c.1.len()).sum::<usize>()
        };
        while self.kept.len() > MOST.0 || self.kept.len() > 1 && bytes(&self.kept) > MOST.1 {
            self.kept.remove(0);
        }
    }
}

impl Host {
    /// Keeps the end of the run on the page, which is about to go.
    pub(super) fn shelve(&mut self) {
        let Some(live) = self
            .live
            .as_ref()
            .filter(|l| l.session.phase() == Phase::Done)
        else {
            return;
        };
        let (session, n) = (&live.session, live.session.parts.arena.len());
        let own = session.follow() * n..(session.follow() + 1) * n;
        let last = session.history.checkpoints.last();
        let Some((step, weights)) = last.and_then(|c| Some((c.step, c.weights.get(own)?))) else {
            return;
        };
        let link = link::parse(&live.text);
        let id = behaviour_id(link.experiment, session.follow());
        let found = Found {
            step,
            device: session.exec.device().name,
            weights: Rc::new(weights.to_vec()),
            drawn: drawn(session.history.series.get(&id)),
        };
        let member = i64::try_from(session.follow()).unwrap_or(0);
        self.shelf.keep(&model(&link, member), &found);
    }

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
        // What is over has been told, and is no longer needed here; but for what it has trained.
        if versus.over() {
            for side in 0..2 {
                if let (model, Some(found)) = versus.side(side) {
                    self.shelf.keep(model, found);
                }
            }
        } else {
            self.versus = Some(versus);
        }
        busy || more
    }

    async fn portion(&self, versus: &mut Versus) -> Result<bool, Fault> {
        if let Some(live) = &self.live {
            versus.look(&live.session, &live.text)?;
        }
        if versus.idle() {
            for (model, known) in &self.shelf.kept {
                versus.take(model, known)?;
            }
            self.lend_stored(versus)?;
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
