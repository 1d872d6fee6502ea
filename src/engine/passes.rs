//! The launches of an estimate. Each is a chain step; where draws have batches of their own, a launch
//! before each step that is drawn only looks: it leaves the losses on that batch, and nothing moves.

use crate::exec::Run;
use crate::experiments::{ChainJob, Of, Parts};
use crate::kernels::Step;
use crate::kernels::optim::LOOK;

/// Where batches that are only looked at begin: no chain takes so many steps.
const APART: u64 = 1 << 30;

/// A launch of an estimate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pass {
    /// The chain step it belongs to.
    step: u64,
    /// It looks, and nothing moves.
    looks: bool,
}

/// The launches of an estimate, in order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Passes {
    burnin: u64,
    draws: u64,
    apart: bool,
}

impl Passes {
    pub fn new(burnin: u64, draws: u64, apart: bool) -> Self {
        Self {
            burnin,
            draws,
            apart,
        }
    }

    /// How many there are.
    pub fn count(self) -> u64 {
        self.burnin + self.draws * if self.apart { 2 } else { 1 }
    }

    fn at(self, pass: u64) -> Pass {
        let drawn = pass.saturating_sub(self.burnin);
        if !self.apart || pass < self.burnin {
            return Pass {
                step: pass,
                looks: false,
            };
        }
        Pass {
            step: self.burnin + drawn / 2,
            looks: drawn.is_multiple_of(2),
        }
    }

    /// Whether a launch only looks.
    pub fn looks(self, pass: u64) -> bool {
        self.at(pass).looks
    }

    /// The data of a launch, appended to `words`.
    pub fn feed(self, parts: &Parts, of: Of, pass: u64, words: &mut Vec<u32>) {
        let Pass { step, looks } = self.at(pass);
        let batch = if looks { APART + step } else { step };
        parts.lab.feed(of, batch, words);
    }

    /// `many` launches from `next` on, one a slot.
    pub fn run(self, parts: &Parts, chains: &ChainJob, of: Of, next: u64, many: u64) -> Run {
        let entry = |i: u64| {
            let Pass { step, looks } = self.at(next + i);
            let own = parts.lab.step(of, step);
            Step {
                slot: i as u32,
                schedule: if looks { LOOK } else { own.schedule },
                ..own
            }
        };
        Run {
            program: chains.job.program,
            steps: (0..many).map(entry).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Passes;

    #[test]
    fn each_draw_is_looked_at_before_its_step() {
        let plain = Passes::new(2, 3, false);
        let steps = |p: Passes| -> Vec<(u64, bool)> {
            let at = |i| (p.at(i).step, p.looks(i));
            (0..p.count()).map(at).collect()
        };
        let moves = |s: u64| (s, false);
        assert_eq!(steps(plain), [0, 1, 2, 3, 4].map(moves));
        let looked = [2, 3, 4].map(|s| [(s, true), (s, false)]);
        let all = [[(0, false), (1, false)], looked[0], looked[1], looked[2]].concat();
        assert_eq!(steps(Passes::new(2, 3, true)), all);
    }
}
