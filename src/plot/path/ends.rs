//! The names of several paths, at their ends.

use super::{PathChart, TOP};
use crate::plot::labels::spread;
use crate::plot::line::Frame;
use crate::plot::scene::{Anchor, Mark};

/// Least distance of two baselines, in pixels.
const GAP: f64 = 12.0;
/// A name further from its end gets a line to it.
const FAR: f64 = 5.0;

impl PathChart<'_> {
    /// A name beside the end of each path, those of one side moved apart; `at` has the pixels of all points.
    pub(super) fn ends(&self, frame: &Frame, at: &[[f64; 2]]) -> Vec<Mark> {
        let ends = self.paths.iter().skip(1).map(|p| p.0).chain([at.len()]);
        let last = |(from, to): (usize, usize)| at.get(to.checked_sub(1)?).filter(|_| to > from);
        let named = self.paths.iter().zip(ends);
        let class = |from: usize| {
            if from < self.faint {
                "kink-step recorded"
            } else {
                "kink-step name"
            }
        };
        let named: Vec<(&String, [f64; 2], &str)> = named
            .filter_map(|((from, name), to)| Some((name, *last((*from, to))?, class(*from))))
            .filter(|(name, ..)| !name.is_empty())
            .collect();
        let middle = (frame.x.from + frame.x.to) / 2.0;
        let mut out = Vec::new();
        for right in [false, true] {
            let side = named.iter().filter(|n| (n.1[0] > middle) == right);
            let side: Vec<_> = side.collect();
            let wanted: Vec<f64> = side.iter().map(|n| n.1[1]).collect();
            let placed = spread(&wanted, GAP, TOP + 8.0, frame.y.from - 6.0);
            for ((name, end, class), y) in side.into_iter().zip(placed) {
                let (dx, anchor) = if right {
                    (-8.0, Anchor::End)
                } else {
                    (8.0, Anchor::Start)
                };
                let to = [end[0] + dx, y];
                if (y - end[1]).abs() > FAR {
                    out.push(Mark::line("leader", *end, to));
                }
                out.push(Mark::text(class, [to[0], y + 4.0], anchor, *name));
            }
        }
        out
    }
}
