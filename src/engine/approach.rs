//! What comes before the chains of an estimate: the descent from the checkpoint to w*, where that is
//! asked for, then the curvature at w*.

use super::curving::Curving;
use super::polishing::Polishing;
use crate::exec::Exec;
use crate::experiments::{ChainJob, Parts};
use crate::protocol::{Curved, Fault};

/// An approach to w*.
#[derive(Debug)]
pub(super) struct Approach {
    /// The checkpoint, and whose it is.
    at: (u64, usize),
    /// Which weights move.
    moves: Vec<bool>,
    /// Where it is: w* once it is over, `[params]`.
    pub(super) center: Vec<f32>,
    polishing: Option<Polishing>,
    /// How far it descended, and by how much the loss fell.
    pub(super) polished: Option<[f64; 2]>,
    /// The curvature is yet to be measured.
    curves: bool,
    curving: Option<Curving>,
    /// What was found.
    pub(super) curved: Option<Curved>,
}

impl Approach {
    /// Prepares it from `center`, the weights of a replica at a checkpoint, along the weights that `moves`
    /// says. The curvature is measured where `curves` says so.
    pub(super) fn new(
        parts: &Parts,
        chains: &ChainJob,
        at: (u64, usize),
        (moves, curves): (Vec<bool>, bool),
        center: Vec<f32>,
    ) -> Self {
        Self {
            polishing: Polishing::new(parts, chains, (at.1, moves.clone()), &center),
            at,
            moves,
            center,
            polished: None,
            curves,
            curving: None,
            curved: None,
        }
    }

    /// One portion of it; false when nothing was left to do.
    ///
    /// # Errors
    /// Device lost or out of memory.
    pub(super) async fn pump(&mut self, parts: &Parts, exec: &mut Exec) -> Result<bool, Fault> {
        if let Some(polishing) = &mut self.polishing {
            if polishing.portion(parts, exec).await? {
                let (center, polished) = polishing.end();
                (self.center, self.polished, self.polishing) = (center, Some(polished), None);
            }
            return Ok(true);
        }
        if std::mem::take(&mut self.curves) {
            let (moves, center) = (self.moves.clone(), self.center.clone());
            self.curving = Some(Curving::new(self.at, moves, center));
        }
        let Some(curving) = &mut self.curving else {
            return Ok(false);
        };
        if let Some(found) = curving.pump(parts, exec).await? {
            (self.curving, self.curved) = (None, found);
        }
        Ok(true)
    }
}
