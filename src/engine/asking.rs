//! Answers questions about stored checkpoints that take an evaluation each: the weights of a checkpoint
//! stand in for those of the run, which are put back to the bit.
//!
//! Models that are compared see the same held-out sequences, those of the first: for this alone the
//! others are evaluated on data that are not their own.

use super::history::Checkpoint;
use super::session::Session;
use super::writing::Writing;
use crate::exec::Batch;
use crate::experiments::Of;
use crate::instruments::pca::joint::{self, Rows};
use crate::protocol::{Ask, Fault, Paths, Plane, Tokens, Told};
use std::rc::Rc;

/// Models of a joint path, at most.
const MOST_MODELS: usize = 16;
/// Rows of all models together, at most: their inner products are taken pair by pair.
pub(super) const MOST_ROWS: usize = 420;
/// Losses of tokens that a path is made from, at most.
const MOST_LOSSES: usize = 4096;

/// What is asked, what is under way, and what was found.
#[derive(Debug, Default)]
pub(super) struct Asks {
    asked: Vec<Ask>,
    way: Option<Way>,
    pub(super) writing: Option<Box<Writing>>,
    pub(super) found: Vec<Told>,
    /// The last whole answer of each kind.
    pub(super) kept: Vec<Told>,
    /// How many were whole so far.
    pub(super) over: u32,
}

/// Paths under way.
#[derive(Debug)]
struct Way {
    waiting: Vec<u64>,
    all: usize,
    /// By model.
    logits: Vec<Rows>,
    losses: Vec<Rows>,
}

/// At most `most` of some steps, both ends among them.
pub(super) fn thinned(steps: &[u64], most: usize) -> Vec<u64> {
    let most = most.max(2);
    if steps.len() <= most {
        return steps.to_vec();
    }
    (0..most)
        .map(|i| steps[i * (steps.len() - 1) / (most - 1)])
        .collect()
}

impl Session {
    /// Asks; the next pumps find the answer. The latest question of each kind counts.
    pub fn ask(&mut self, ask: Ask) {
        let same = |a: &Ask| std::mem::discriminant(a) == std::mem::discriminant(&ask);
        self.asks.asked.retain(|a| !same(a));
        self.asks.asked.push(ask);
    }

    /// What was found since the last time.
    pub fn answers(&mut self) -> Vec<Told> {
        std::mem::take(&mut self.asks.found)
    }

    /// One portion of an answer; false if nothing is asked.
    pub(super) async fn answer(&mut self) -> Result<bool, Fault> {
        if self.asks.way.is_some() {
            self.go_on().await?;
            return Ok(true);
        }
        if self.asks.asked.is_empty() {
            return self.write_on().await;
        }
        match self.asks.asked.remove(0) {
            Ask::Paths => {
                let models = self.parts.train.replicas.len().min(MOST_MODELS);
                let steps: Vec<u64> = self.history.checkpoints.iter().map(|c| c.step).collect();
                let mut waiting = thinned(&steps, MOST_ROWS / models.max(1));
                waiting.reverse();
                self.asks.way = Some(Way {
                    all: waiting.len(),
                    waiting,
                    logits: vec![Vec::new(); models],
                    losses: vec![Vec::new(); models],
                });
            }
            Ask::Complete(prompt) => self.begin_writing(prompt),
            // The host has them.
            Ask::Stored => {}
            Ask::Tokens(step) => {
                if let Some(tokens) = self.tokens(step).await? {
                    self.asks.tell(Told::Tokens(tokens));
                }
            }
        }
        Ok(true)
    }

    /// The next checkpoint of the paths; after the last, the planes.
    async fn go_on(&mut self) -> Result<(), Fault> {
        let Some(mut way) = self.asks.way.take() else {
            return Ok(());
        };
        let next = way.waiting.pop();
        let found = next.and_then(|s| self.history.checkpoints.iter().find(|c| c.step == s));
        if let Some(Checkpoint { step, weights, .. }) = found.cloned() {
            let (reads, losses) = self.elsewhere(step, &weights, true).await?;
            let whole = |row: &[f32]| row.iter().all(|x| x.is_finite());
            let each = self.parts.token_losses.map_or(0, |(_, rows)| rows);
            let rows: Vec<(Vec<f32>, Vec<f32>)> = (0..way.logits.len())
                .map(|r| {
                    let seen = self.parts.lab.observe(step, r, &weights, &reads);
                    let own = losses.get(r * each..(r + 1) * each).unwrap_or_default();
                    (seen.pca_row, own[..own.len().min(MOST_LOSSES)].to_vec())
                })
                .collect();
            // A model that has run away has no place in a plane; nor has this checkpoint.
            if rows.iter().all(|(a, b)| whole(a) && whole(b)) {
                for (r, (logits, losses)) in rows.into_iter().enumerate() {
                    way.logits[r].push((step, logits.into()));
                    way.losses[r].push((step, losses.into()));
                }
            }
        }
        let mut paths = Paths {
            done: way.all - way.waiting.len(),
            all: way.all,
            left_out: self.parts.train.replicas.len() - way.logits.len(),
            ..Paths::default()
        };
        if way.waiting.is_empty() {
            paths.logits = plane(&way.logits);
            paths.losses = plane(&way.losses);
        } else {
            self.asks.way = Some(way);
        }
        self.asks.tell(Told::Paths(paths));
        Ok(())
    }

    /// The held-out tokens of the model that is followed, with their losses at a stored checkpoint.
    async fn tokens(&mut self, step: u64) -> Result<Option<Tokens>, Fault> {
        let found = self.history.checkpoints.iter().find(|c| c.step == step);
        let (Some(weights), Some((_, each))) = (
            found.map(|c| Rc::clone(&c.weights)),
            self.parts.token_losses,
        ) else {
            return Ok(None);
        };
        let (reads, losses) = self.elsewhere(step, &weights, false).await?;
        let (tops, chances) = self.parts.lab.tops(self.follow, &reads);
        let mut words = Vec::new();
        self.parts.lab.feed(Of::Eval, 0, &mut words);
        let Some(eval) = &self.parts.eval else {
            return Ok(None);
        };
        let row = words.chunks_exact(eval.feed_len.max(1)).nth(self.follow);
        let own = losses.get(self.follow * each..(self.follow + 1) * each);
        let (Some(row), Some(losses)) = (row, own) else {
            return Ok(None);
        };
        let (tokens, classes) = row.split_at(row.len() / 2);
        Ok(Some(Tokens {
            step,
            ctx: self.parts.lab.context(),
            tokens: tokens.to_vec(),
            classes: classes.to_vec(),
            losses: losses.to_vec(),
            tops,
            chances,
        }))
    }

    /// What the evaluation reads with the weights of a checkpoint, and the losses of its tokens; where
    /// `common`, with all models on the data of the first.
    async fn elsewhere(
        &mut self,
        step: u64,
        weights: &[f32],
        common: bool,
    ) -> Result<(Vec<Vec<f32>>, Vec<f32>), Fault> {
        // Steps under way leave the weights that are put back.
        while self.drain_one().await? {}
        let mut then = Batch {
            floats: vec![(self.parts.params, 0, weights.to_vec())],
            ..Batch::default()
        };
        if let Some(eval) = self.parts.eval.as_ref().filter(|e| common && e.rows > 1) {
            let mut words = Vec::new();
            self.parts.lab.feed(Of::Eval, 0, &mut words);
            let all = words[..eval.feed_len].repeat(eval.rows);
            then.words.push((eval.feed, 0, all));
        }
        self.evaluation(&mut then, step);
        if let Some((losses, each)) = self.parts.token_losses {
            then.reads
                .push((losses, 0..each * self.parts.train.replicas.len()));
        }
        let mut reads = self.meanwhile(vec![then]).await?.concat();
        let losses = if self.parts.token_losses.is_some() {
            reads.pop().unwrap_or_default()
        } else {
            Vec::new()
        };
        reads.remove(0);
        Ok((reads, losses))
    }
}

/// The plane of models with the same checkpoints; none where they have no rows.
fn plane(models: &[Rows]) -> Option<Plane> {
    let first = models.first()?;
    first.first().filter(|r| !r.1.is_empty())?;
    let mut plane = joint::of_rows(models);
    plane.steps.truncate(first.len());
    Some(plane)
}
