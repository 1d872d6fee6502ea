//! A study under way: λ̂ of checkpoints that are already there, at many settings of the sampler.
//!
//! Its cells are groups of replicas of one program with as many chains as fit, built for it from the
//! run's own link, so that twenty-five estimates cost hardly more dispatches than one. A cell's
//! chains have the seeds and batches of the checkpoint: how cells are grouped cannot be seen in the
//! numbers, and cells differ by their settings alone.

use super::approach::Approach;
use super::committing::Branches;
use super::grouping::groups;
use super::history::History;
use super::judging::judge;
use super::pacing::{Pacer, Portion};
use super::passes::Passes;
use super::session::Session;
use crate::estimate::diagnosis::diagnose;
use crate::estimate::trace::Trace;
use crate::exec::Batch;
use crate::experiments::Of;
use crate::experiments::chains::Sampler;
use crate::kernels::Replica;
use crate::protocol::{CellResult, Fault, LlcPoint, SamplerSettings, Study, StudyKind, StudySpec};
use std::collections::VecDeque;
use web_time::Instant;

/// A study.
pub struct Studying {
    /// As the page sees it.
    pub view: Study,
    /// The program and its device; nothing is trained with it.
    engine: Session,
    pacer: Pacer,
    /// Cells that run together, by their place in the spec.
    waiting: VecDeque<Vec<u32>>,
    now: Option<Group>,
    /// The setting the run itself has, for what to adopt.
    own: (f64, f64),
    started: Instant,
    /// Trains branches instead of estimating anything.
    branches: Option<Branches>,
}

/// Cells of one checkpoint, side by side.
struct Group {
    cells: Vec<u32>,
    /// Whose checkpoint it is.
    follow: usize,
    checkpoint: u64,
    /// What comes first, as in the run's own estimates.
    approach: Approach,
    /// Launches so far.
    next: u64,
    /// Losses of the look before the step that is due.
    looked: Option<Vec<f32>>,
    /// One a cell.
    traces: Vec<Trace>,
}

impl std::fmt::Debug for Studying {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Study of {} cells", self.view.spec.cells.len())
    }
}

impl Studying {
    /// A study on a session of its own, built with as many chains as its jobs shall have.
    ///
    /// # Errors
    /// Device lost or out of memory.
    pub async fn new(spec: StudySpec, mut engine: Session, own: (f64, f64)) -> Result<Self, Fault> {
        engine.begin()?;
        engine.loaded().await?;
        let chains = engine
            .parts
            .chains
            .as_ref()
            .map_or(0, |c| c.settings.chains);
        let job = engine.parts.chains.as_ref();
        let polishes = job.is_some_and(|c| c.settings.polish > 0);
        Ok(Self {
            waiting: groups(&spec, chains, polishes),
            view: Study {
                over: spec.cells.is_empty() || chains == 0,
                spec,
                ..Study::default()
            },
            engine,
            pacer: Pacer::default(),
            now: None,
            own,
            started: Instant::now(),
            branches: None,
        })
    }

    /// One that trains branches from checkpoints.
    pub(super) fn branching(spec: StudySpec, engine: Session, branches: Branches) -> Self {
        Self {
            view: Study {
                over: spec.cells.is_empty() || spec.chains == 0,
                spec,
                ..Study::default()
            },
            engine,
            pacer: Pacer::default(),
            waiting: VecDeque::new(),
            now: None,
            own: (0.0, 0.0),
            started: Instant::now(),
            branches: Some(branches),
        }
    }

    /// What it runs on: where it trains branches, those of the checkpoint that was done last.
    #[must_use]
    pub fn engine(&self) -> &Session {
        &self.engine
    }

    /// Ends it; what is done stays.
    pub fn stop(&mut self) {
        self.waiting.clear();
        self.now = None;
        self.view.over = true;
        self.view.left_s = None;
    }

    /// Runs the next portion around checkpoints of `history`, of the replica followed.
    ///
    /// # Errors
    /// Device lost or out of memory.
    pub async fn pump(&mut self, history: &History, follow: usize) -> Result<(), Fault> {
        if let Some(branches) = &mut self.branches {
            return Box::pin(branches.pump(&mut self.engine, &mut self.view, history)).await;
        }
        let n = self.engine.parts.arena.len();
        if self.now.is_none() {
            let Some(cells) = self.waiting.pop_front() else {
                self.conclude();
                return Ok(());
            };
            let first = cells.first().map(|&c| &self.view.spec.cells[c as usize]);
            let (step, whose) = first.map_or((0, None), |c| (c.step, c.replica));
            let mask = self.mask(first.map_or("all", |c| &c.part));
            let follow = whose.map_or(follow, |r| r as usize);
            let Some(found) = history.checkpoints.iter().find(|c| c.step == step) else {
                // The checkpoint is gone; its cells stay empty.
                return Ok(());
            };
            let center = found.weights.get(follow * n..(follow + 1) * n);
            let center = center.map(<[f32]>::to_vec).unwrap_or_default();
            let parts = &self.engine.parts;
            let Some(chains) = &parts.chains else {
                return Ok(());
            };
            // Cells of different models have a job each, with as many chains as the run: the curvature is
            // that of its seed alone, probe by probe.
            let curves = self.view.spec.kind == StudyKind::Members;
            let along = (chains.moves_under(mask), curves);
            self.now = Some(Group {
                cells,
                follow,
                checkpoint: step,
                approach: Approach::new(parts, chains, (step, follow), along, center),
                next: 0,
                looked: None,
                traces: Vec::new(),
            });
        }
        let Some(mut group) = self.now.take() else {
            return Ok(());
        };
        let Session { parts, exec, .. } = &mut self.engine;
        if group.approach.pump(parts, exec).await? {
            self.now = Some(group);
            return Ok(());
        }
        if group.traces.is_empty() {
            self.prepare(&mut group);
        }
        if self.portion(&mut group).await? {
            self.finish(&group, history, follow);
        } else {
            self.now = Some(group);
        }
        if self.waiting.is_empty() && self.now.is_none() {
            self.conclude();
        }
        Ok(())
    }

    /// The mask of a part of the model; all of it where there is no such part.
    fn mask(&self, part: &str) -> u64 {
        self.engine.parts.lab.mask(part).unwrap_or(u64::MAX)
    }

    /// Gives each cell of the group that begins its trace.
    fn prepare(&self, group: &mut Group) {
        let Some(chains) = &self.engine.parts.chains else {
            return;
        };
        let center = &group.approach.center;
        let norm = center.iter().map(|&w| f64::from(w).powi(2)).sum::<f64>();
        let spec = &self.view.spec;
        let trace = |&c: &u32| {
            let cell = &spec.cells[c as usize];
            let settings = SamplerSettings {
                nbeta: cell.nbeta,
                gamma: cell.gamma,
                eps: cell.eps,
                part: cell.part.clone(),
                chains: spec.chains.max(1) as usize,
                burnin: spec.burnin,
                draws: spec.draws,
                ..chains.settings.told()
            };
            let moves = chains.moves_under(self.mask(&cell.part));
            let moving = moves.into_iter().filter(|&m| m).count();
            Trace::new(cell.step, settings, moving, norm.sqrt(), false)
        };
        group.traces = group.cells.iter().map(trace).collect();
    }

    /// The replica table of a group: the seeds of the checkpoint's own chains, the settings of the
    /// cells; chains that no cell needs stay at w*, like the anchor.
    fn table(&self, group: &Group, follow: usize) -> Vec<Replica> {
        let lab = &self.engine.parts.lab;
        let base = lab.chain_replicas(group.checkpoint, follow);
        let per = self.view.spec.chains.max(1) as usize;
        (0..base.len())
            .map(|r| {
                let cell = group.cells.get(r / per).filter(|_| r + 1 < base.len());
                match cell.map(|&c| &self.view.spec.cells[c as usize]) {
                    Some(cell) => {
                        let mask = self.mask(&cell.part);
                        Replica {
                            nbeta: cell.nbeta as f32,
                            gamma: cell.gamma as f32,
                            eps: cell.eps as f32,
                            mask_lo: mask as u32,
                            mask_hi: (mask >> 32) as u32,
                            ..base[r % per]
                        }
                    }
                    None => Replica {
                        eps: 0.0,
                        ..base[r]
                    },
                }
            })
            .collect()
    }

    /// One portion of a group; true when it was the last.
    async fn portion(&mut self, group: &mut Group) -> Result<bool, Fault> {
        let follow = group.follow;
        let table = (group.next == 0).then(|| self.table(group, follow));
        let parts = &self.engine.parts;
        let Some(chains) = &parts.chains else {
            return Ok(true);
        };
        let (burnin, draws) = (self.view.spec.burnin, self.view.spec.draws);
        let passes = Passes::new(burnin, draws, chains.settings.apart);
        let total = passes.count();
        let (job, buffers) = (&chains.job, chains.buffers);
        let mut batch = Batch::default();
        if let Some(table) = table {
            self.engine.exec.set_replicas(job.program, &table);
            let center = &group.approach.center;
            let copies = center.repeat(table.len());
            batch.floats.push((buffers.params, 0, copies));
            batch.floats.push((buffers.anchor, 0, center.clone()));
        }
        let Portion { steps, cuts } = self
            .pacer
            .portion((total - group.next).min(job.slots as u64));
        let steps = steps.min(job.slots as u64);
        let of = Of::Chains {
            checkpoint: group.checkpoint,
            follow,
        };
        let mut words = Vec::new();
        for pass in group.next..group.next + steps {
            passes.feed(parts, of, pass, &mut words);
        }
        batch.words.push((job.feed, 0, words));
        batch
            .runs
            .push(passes.run(parts, chains, of, group.next, steps));
        batch.cuts = cuts;
        let (width, sums) = (chains.stats_width(), chains.sums_width());
        let per = self.view.spec.chains.max(1) as usize;
        batch.reads.push((job.stats, 0..width * steps as usize));
        batch.reads.push((buffers.sums, 0..sums * steps as usize));
        let clock = Instant::now();
        let ticket = self.engine.exec.submit(&batch)?;
        let reads = self.engine.exec.wait(ticket).await?;
        self.pacer
            .record(Portion { steps, cuts }, clock.elapsed().as_secs_f64() * 1e3);
        let mut reads = reads.into_iter();
        let [stats, forces] = std::array::from_fn(|_| reads.next().unwrap_or_default());
        let replicas = chains.settings.replicas();
        let rows = stats.chunks_exact(width).zip(forces.chunks_exact(sums));
        for (pass, (stats, forces)) in (group.next..).zip(rows) {
            if passes.looks(pass) {
                group.looked = Some(stats.to_vec());
                continue;
            }
            let looked = group.looked.take();
            let stats = looked.as_deref().unwrap_or(stats);
            for (k, trace) in group.traces.iter_mut().enumerate() {
                let rows = [stats, forces].map(|all| own(all, replicas, per, k));
                trace.push(&rows[0], &rows[1]);
            }
        }
        group.next += steps;
        self.share(group.cells.len() as f64 * group.next as f64 / total as f64);
        Ok(group.next == total)
    }

    /// Says how much is done, by this much of cells under way beside those that are done.
    fn share(&mut self, under_way: f64) {
        let done = self.view.done.len() as f64 + under_way;
        progress(&mut self.view, done, self.started);
    }

    /// Takes in the estimates of a group.
    fn finish(&mut self, group: &Group, history: &History, followed: usize) {
        let own = group.approach.curved;
        // Without one of its own, that of the run's estimate there, which is of the model followed.
        let here = |p: &&LlcPoint| p.step == group.checkpoint && group.follow == followed;
        let known = history.llc.iter().find(here);
        let curved = own.or_else(|| known?.curvature);
        let chains = self.engine.parts.chains.as_ref();
        let sampler = chains.map_or(Sampler::Sgld, |c| c.settings.sampler);
        let steep = curved.map(|c| c.h_max.max(0.0));
        for (&index, trace) in group.cells.iter().zip(&group.traces) {
            let cell = &self.view.spec.cells[index as usize];
            // The curvature is that of all weights that the run's own chains move; MALA has no bias, and
            // RMSprop no more than at its longest step.
            let steep = steep.filter(|_| sampler != Sampler::Mala);
            let steep = steep.map(|h| sampler.most_gain() * (cell.nbeta * h + cell.gamma));
            let found = diagnose(trace, &[], steep);
            let found = CellResult {
                curvature: own,
                ..result(index, self.view.spec.chains, found)
            };
            let at = self.view.done.partition_point(|r| r.cell < index);
            self.view.done.insert(at, found);
        }
        self.share(0.0);
        judge(&mut self.view, self.own);
    }

    fn conclude(&mut self) {
        self.view.over = true;
        self.view.left_s = None;
        judge(&mut self.view, self.own);
    }
}

/// Says how much of a study is done, in cells, and how long the rest takes.
pub(super) fn progress(view: &mut Study, cells: f64, started: Instant) {
    view.share = cells / view.spec.cells.len().max(1) as f64;
    let each = started.elapsed().as_secs_f64() / view.share;
    view.left_s = (view.share > 0.0).then_some(each * (1.0 - view.share));
}

/// Of what a job read back: the rows of cell `k`, then those of the anchor, which is last.
fn own(all: &[f32], replicas: usize, per: usize, k: usize) -> Vec<f32> {
    let row = all.len() / replicas.max(1);
    let cell = all.get(k * per * row..(k + 1) * per * row);
    let anchor = all.get(replicas.saturating_sub(1) * row..);
    [cell.unwrap_or_default(), anchor.unwrap_or_default()].concat()
}

/// A cell's estimate; without a value if every chain ran away.
fn result(index: u32, chains: u32, found: Option<LlcPoint>) -> CellResult {
    let Some(p) = found else {
        return CellResult {
            cell: index,
            failed_chains: chains,
            ..CellResult::default()
        };
    };
    let accept = p.accept.iter().sum::<f64>() / p.accept.len().max(1) as f64;
    CellResult {
        cell: index,
        value: Some(p.value),
        se: p.se,
        mean_loss: p.mean_loss,
        init_loss: p.init_loss,
        rhat: p.rhat,
        accept: Some(accept).filter(|a| a.is_finite()),
        index: p.index,
        below: p.below,
        failed_chains: p.failed_chains,
        curvature: None,
    }
}
