//! Turns a head of a stored checkpoint along its flat directions, and evaluates what came out. The run's
//! own weights are put back to the bit.

use super::session::Session;
use crate::exec::Batch;
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
        let Some(weights) = stored.map(|c| c.weights.to_vec()) else {
            return Ok(true);
        };
        let Some([turned, random]) = self.parts.lab.turned(&weights, &turn) else {
            return Ok(true);
        };
        let apart = turned
            .iter()
            .zip(&weights)
            .map(|(a, b)| f64::from(a - b).powi(2));
        let distance = apart.sum::<f64>().sqrt();
        let (params, len) = (self.parts.params, weights.len());
        let own = self
            .at_once(&Batch {
                reads: vec![(params, 0..len)],
                ..Batch::default()
            })
            .await?;
        let mut losses = [0.0; 3];
        for (loss, weights) in losses.iter_mut().zip([weights, turned, random]) {
            let mut batch = Batch {
                floats: vec![(params, 0, weights)],
                ..Batch::default()
            };
            self.evaluation(&mut batch, turn.step);
            let reads = self.at_once(&batch).await?;
            // Behind the weights, the losses of the evaluation.
            let found = reads.get(1).and_then(|stats| stats.first());
            *loss = found.map_or(f64::NAN, |&l| f64::from(l));
        }
        let back = own.into_iter().map(|own| (params, 0, own)).collect();
        self.at_once(&Batch {
            floats: back,
            ..Batch::default()
        })
        .await?;
        self.last_end = None;
        let [loss, turned, random] = losses;
        self.turns.found = Some(Gauged {
            of: turn,
            distance,
            loss,
            turned,
            random,
        });
        Ok(true)
    }
}
