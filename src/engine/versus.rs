//! Two models compared token by token: finds the checkpoints where they are, trains what is missing from
//! its link, asks both about the same held-out sequences, whole and without each of their heads.

use super::branch::{join, open};
use super::known::{Found, Known, behaviour_id, drawn, from_link, model, pick, same, turning};
use super::open::Source;
use super::session::Session;
use crate::app::link::{self, Link};
use crate::exec::{Batch, Exec, Run};
use crate::experiments::versus::{Scorer, refusal, scorer};
use crate::experiments::{Parts, Probes};
use crate::kernels::Step;
use crate::protocol::{
    At, Compared, Fault, Lacking, Scored, Series, VersusSpec, VersusStage, VersusView,
};
use std::rc::Rc;
use web_time::Instant;

/// The behaviour of a replica, from where it counts on.
fn behaviour(session: &Session, link: &Link, replica: usize) -> Option<Series> {
    turning(link.experiment, |id| {
        let id = match replica {
            0 => id.to_string(),
            r => format!("replicas/{r}/{id}"),
        };
        session.history.series.get(&id).cloned()
    })
}

/// Asks the copies of a model from number `first` on, as many as go side by side.
#[must_use]
pub fn portion(scorer: &Scorer, first: usize) -> Batch {
    let mut batch = scorer.portion(first);
    batch.runs.push(Run {
        program: scorer.program,
        steps: vec![Step::default()],
    });
    batch
}

/// A model being asked.
struct Asking {
    side: usize,
    scorer: Scorer,
    exec: Exec,
    /// By copy.
    lps: Vec<Vec<f32>>,
}

/// A comparison under way.
pub struct Versus {
    /// As the page sees it.
    pub view: VersusView,
    /// The model of each side.
    models: [Link; 2],
    steps: [u64; 2],
    found: [Option<Found>; 2],
    /// The model of this side is trained.
    now: Option<(usize, Box<Session>)>,
    asking: Option<Box<Asking>>,
    scored: [Option<Scored>; 2],
    /// What was told last, and when.
    pub(super) sent: Option<(VersusStage, Instant)>,
    /// A lost device was found again.
    pub(super) again: bool,
}

impl std::fmt::Debug for Versus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Versus {:?}, {:?}", self.view.spec, self.view.stage)
    }
}

impl Versus {
    /// A comparison that has found nothing yet.
    ///
    /// # Errors
    /// `BadLink`, in words, for two that cannot be compared.
    pub fn new(spec: VersusSpec) -> Result<Self, Fault> {
        let links = [0, 1].map(|i| link::parse(&spec.sides[i].link));
        if let Some(unknown) = links.iter().find(|l| !l.known) {
            let why = unknown.notices.first().map_or("", |n| &n.text);
            return Err(Fault::BadLink(why.into()));
        }
        let models = links.map(|l| model(&l, l.knobs.int("member")));
        if let Some(why) = refusal([0, 1].map(|i| (models[i].experiment, &models[i].knobs))) {
            return Err(Fault::BadLink(why));
        }
        Ok(Self {
            steps: [0, 1].map(|i| models[i].knobs.size("steps") as u64),
            models,
            view: VersusView {
                spec,
                ..VersusView::default()
            },
            found: [None, None],
            now: None,
            asking: None,
            scored: [None, None],
            sent: None,
            again: false,
        })
    }

    /// Whether a checkpoint is missing and nothing is trained for it yet.
    pub(super) fn idle(&self) -> bool {
        self.now.is_none() && self.found.iter().any(Option::is_none)
    }

    /// Whether it is at its end.
    #[must_use]
    pub fn over(&self) -> bool {
        matches!(self.view.stage, VersusStage::Done | VersusStage::Failed(_))
    }

    /// Drops what was on a device; checkpoints that were found stay.
    pub(super) fn drop_work(&mut self) {
        (self.now, self.asking) = (None, None);
    }

    /// The model of a side, and its checkpoint once it is there.
    #[must_use]
    pub fn side(&self, side: usize) -> (&Link, Option<&Found>) {
        (&self.models[side], self.found[side].as_ref())
    }

    /// Takes what it needs from a run that is there: a session on the page, of that link.
    ///
    /// # Errors
    /// `BadLink` for a checkpoint that this run will never have.
    pub fn look(&mut self, session: &Session, text: &str) -> Result<(), Fault> {
        let (link, first) = (link::parse(text), session.history.checkpoints.first());
        if !self.idle() || !from_link(first.map(|c| c.step), &link) {
            return Ok(());
        }
        let n = session.parts.arena.len();
        for replica in 0..session.parts.train.replicas.len() {
            let alone = model(&link, replica as i64);
            if !(0..2).any(|i| self.fits(i, &alone)) {
                continue;
            }
            let own = |c: &super::history::Checkpoint| {
                let weights = c.weights.get(replica * n..(replica + 1) * n)?;
                Some((c.step, Rc::new(weights.to_vec())))
            };
            let known = Known {
                device: session.exec.device().name,
                checkpoints: session.history.checkpoints.iter().filter_map(own).collect(),
                curve: behaviour(session, &link, replica),
                drawn: drawn(
                    session
                        .history
                        .series
                        .get(&behaviour_id(link.experiment, replica)),
                ),
            };
            self.take(&alone, &known)?;
        }
        Ok(())
    }

    /// Whether a side lacks its checkpoint, and a run of that model could have it.
    fn fits(&self, side: usize, alone: &Link) -> bool {
        let cadence = matches!(self.view.spec.sides[side].at, At::Before | At::After);
        self.found[side].is_none() && same(&self.models[side], alone, cadence)
    }

    /// Whether a side lacks its checkpoint, and a run of that model could have it.
    pub(super) fn lacks(&self, alone: &Link) -> bool {
        self.now.is_none() && (0..2).any(|i| self.fits(i, alone))
    }

    /// Takes what it needs from checkpoints of a model.
    ///
    /// # Errors
    /// `BadLink` for a checkpoint that this run will never have.
    pub fn take(&mut self, alone: &Link, known: &Known) -> Result<(), Fault> {
        for side in 0..2 {
            if !self.fits(side, alone) {
                continue;
            }
            let step = pick(self.view.spec.sides[side].at, self.steps[side], known)?;
            let at = |step| known.checkpoints.iter().find(|c| c.0 == step);
            self.found[side] = step.and_then(at).map(|(step, weights)| Found {
                step: *step,
                device: known.device.clone(),
                weights: Rc::clone(weights),
                drawn: known.drawn.clone(),
            });
            if let Some(found) = &self.found[side] {
                self.view.curves[side] = found.drawn.clone();
            }
        }
        Ok(())
    }

    /// Does one portion of work; false at the end.
    ///
    /// # Errors
    /// A fault ends it.
    pub async fn pump(&mut self, source: &Source) -> Result<bool, Fault> {
        if self.over() {
            return Ok(false);
        }
        if self.now.is_some() {
            self.train().await?;
        } else if let Some(side) = (0..2).find(|&s| self.found[s].is_none()) {
            self.now = Some((side, Box::new(self.session(source, side).await?)));
        } else if let Some(side) = (0..2).find(|&s| self.scored[s].is_none()) {
            self.view.stage = VersusStage::Scoring;
            self.ask(source, side).await?;
        } else if let [Some(a), Some(b)] = self.scored.each_mut().map(Option::take) {
            let model = &self.models[0];
            let set = scorer(model.experiment, &model.knobs, self.view.spec.set)?.set;
            let sides = [a, b];
            self.view.found = Some(Compared { set, sides });
            self.view.stage = VersusStage::Done;
        }
        Ok(true)
    }

    /// A session that trains the model of a side, and keeps every checkpoint that either side needs of it.
    async fn session(&self, source: &Source, side: usize) -> Result<Session, Fault> {
        let model = &self.models[side];
        if model.file.is_some() {
            let why = "the file it begins with is not here: open it once more";
            return Err(Fault::BadLink(why.into()));
        }
        let mut session = open(source, model).await?;
        let (from, whole) = (session.parts.steps, session.steps());
        let also = |s: &usize| self.fits(*s, model);
        let wanted: Vec<At> = (0..2)
            .filter(also)
            .map(|s| self.view.spec.sides[s].at)
            .collect();
        let steps = wanted.iter().filter_map(|at| match at {
            At::Step(step) => Some(*step),
            _ => None,
        });
        let mut keeps: Vec<u64> = steps.filter(|&s| s <= whole).collect();
        if wanted.iter().any(|at| matches!(at, At::Before | At::After)) {
            keeps.extend(&session.parts.checkpoints);
            let then = session.then.iter().flat_map(|t| &t.parts.checkpoints);
            keeps.extend(then.filter(|&&s| s > from));
        } else if wanted.contains(&At::Last) {
            keeps.push(whole);
        }
        keeps.sort_unstable();
        keeps.dedup();
        let last = keeps.last().copied().unwrap_or(whole);
        session.then = session.then.take().filter(|_| last > from);
        match &mut session.then {
            Some(then) => {
                keep(&mut then.parts, &keeps, last);
                // A branch begins at a checkpoint.
                join(&mut keeps, &[from]);
                keep(&mut session.parts, &keeps, from);
            }
            None => keep(&mut session.parts, &keeps, last),
        }
        session.begin()?;
        Ok(session)
    }

    /// One portion of training.
    async fn train(&mut self) -> Result<(), Fault> {
        let Some((side, session)) = &mut self.now else {
            return Ok(());
        };
        let (side, busy) = (*side, session.pump().await?);
        let (step, steps) = (session.step(), session.steps());
        self.view.stage = VersusStage::Training { side, step, steps };
        self.view.left_s = session.left_s().filter(|_| busy);
        let model = self.models[side].clone();
        let id = behaviour_id(model.experiment, 0);
        self.view.curves[side] = drawn(session.history.series.get(&id));
        if busy {
            return Ok(());
        }
        let known = Known {
            device: session.exec.device().name,
            checkpoints: session
                .history
                .checkpoints
                .iter()
                .map(|c| (c.step, Rc::clone(&c.weights)))
                .collect(),
            curve: behaviour(session, &model, 0),
            drawn: self.view.curves[side].clone(),
        };
        self.now = None;
        self.take(&model, &known)?;
        if self.found[side].is_none() {
            return Err(Fault::Internal(
                "a trained model lacks its checkpoint".into(),
            ));
        }
        Ok(())
    }

    /// Asks a model about the sequences, some of its copies at a time.
    async fn ask(&mut self, source: &Source, side: usize) -> Result<(), Fault> {
        let Some(found) = &self.found[side] else {
            return Ok(());
        };
        let model = &self.models[side];
        let mut asking = match self.asking.take().filter(|a| a.side == side) {
            Some(asking) => asking,
            None => {
                let scorer = scorer(model.experiment, &model.knobs, self.view.spec.set)?;
                let mut exec = source.exec(&scorer.plan).await?;
                exec.set_replicas(scorer.program, &scorer.table());
                let ticket = exec.submit(&scorer.begin(&found.weights))?;
                exec.wait(ticket).await?;
                Box::new(Asking {
                    side,
                    scorer,
                    exec,
                    lps: Vec::new(),
                })
            }
        };
        let Asking {
            scorer, exec, lps, ..
        } = &mut *asking;
        let ticket = exec.submit(&portion(scorer, lps.len()))?;
        let read = exec.wait(ticket).await?;
        let rows = scorer.set.tokens.len().max(1);
        let left = scorer.copies.len() - lps.len();
        let losses = read.first().map_or(&[][..], Vec::as_slice);
        let copies = losses.chunks_exact(rows).take(left);
        lps.extend(copies.map(|l| l.iter().map(|x| -x).collect::<Vec<f32>>()));
        if lps.len() < scorer.copies.len() && !losses.is_empty() {
            self.asking = Some(asking);
            return Ok(());
        }
        let names = scorer.copies.iter().map(|c| c.name.clone());
        let mut all = names.zip(std::mem::take(lps));
        self.scored[side] = Some(Scored {
            step: found.step,
            device: found.device.clone(),
            lp: all.next().map(|(_, lp)| lp).unwrap_or_default(),
            lacking: all.map(|(name, lp)| Lacking { name, lp }).collect(),
        });
        Ok(())
    }
}

/// A run that ends at a step and keeps these checkpoints alone; no instrument looks at them.
fn keep(parts: &mut Parts, checkpoints: &[u64], end: u64) {
    parts.steps = end;
    parts.checkpoints = checkpoints.to_vec();
    parts.checkpoints.retain(|&s| s <= end);
    join(&mut parts.evals, checkpoints);
    parts.evals.retain(|&s| s <= end);
    parts.probes = Probes::default();
}
