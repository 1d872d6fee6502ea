//! Turns a head of a stored checkpoint of the model that is followed along its flat directions, and
//! evaluates what came out. The run's own weights are put back to the bit.

use super::session::Session;
use crate::exec::Batch;
use crate::experiments::STATS;
use crate::protocol::{Fault, Gauge, Gauged};

/// What is asked for, the latest alone, and what was found.
#[derive(Debug, Default)]
pub(super) struct Turns {
    pub(super) asked: Option<Gauge>,
    pub(super) found: Option<Gauged>,
}

impl Session {
    /// Answers what is asked; false if nothing is.
    pub(super) async fn turn(&mut self) -> Result<bool, Fault> {
        let Some(turn) = self.turns.asked.take() else {
            return Ok(false);
        };
        // Steps under way leave the weights that are put back.
        while self.drain_one().await? {}
        let stored = self
            .history
            .checkpoints
            .iter()
            .find(|c| c.step == turn.step);
        // The head is one of the model that is followed.
        let (member, count) = (self.follow, self.parts.arena.len());
        let own = stored.and_then(|c| c.weights.get(member * count..(member + 1) * count));
        let Some(weights) = own.map(<[f32]>::to_vec) else {
            return Ok(true);
        };
        let Some(found) = self.parts.lab.turned(&weights, &turn) else {
            return Ok(true);
        };
        let evaluated = |weights| {
            let mut batch = Batch {
                floats: vec![(self.parts.params, member * count, weights)],
                ..Batch::default()
            };
            self.evaluation(&mut batch, turn.step);
            batch
        };
        let batches = [weights, found.turned, found.random]
            .map(evaluated)
            .to_vec();
        let reads = self.meanwhile(batches).await?;
        // Behind the weights, the losses of the evaluation.
        let losses = reads.iter().map(|r| r.get(1)?.get(member * STATS));
        let mut losses = losses.map(|l| l.map_or(f64::NAN, |&l| f64::from(l)));
        let losses: [f64; 3] = std::array::from_fn(|_| losses.next().unwrap_or(f64::NAN));
        let [loss, turned, random] = losses;
        let logits = |read: &Vec<Vec<f32>>| {
            let (weights, extra) = read.split_first()?;
            let seen = self
                .parts
                .lab
                .observe(turn.step, self.follow, weights, extra);
            Some(seen.pca_row)
        };
        let rows: Vec<_> = reads
            .iter()
            .map(|r| logits(r).unwrap_or_default())
            .collect();
        let apart = |i: usize| {
            let pairs = rows
                .first()
                .into_iter()
                .flatten()
                .zip(rows.get(i).into_iter().flatten());
            pairs.fold(0.0, |most: f64, (a, b)| most.max(f64::from((a - b).abs())))
        };
        self.turns.found = Some(Gauged {
            of: turn,
            norm: found.norm,
            distance: found.distance,
            logit: apart(1),
            random_logit: apart(2),
            loss,
            turned,
            random,
        });
        Ok(true)
    }
}
