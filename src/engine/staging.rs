//! The stages of a run so far: found anew when there are enough new λ̂ points, typed at the setting
//! of the run and, where it was estimated, at a second one.

use super::session::Session;
use crate::estimate::smooth;
use crate::estimate::stages::{self, Point, Type};
use crate::experiments::Reading;
use crate::experiments::telling::{Kind, family, least};
use crate::protocol::{
    Change, LlcPoint, Moved, Phase, SamplerSettings, Series, Stage, StageKind, Stages, Study,
    StudyKind,
};

/// New λ̂ points that are worth finding the stages anew: the search takes tens of milliseconds.
const FEW: usize = 6;
/// Points of a second setting that are worth typing stages at.
pub(super) const FEWEST: usize = 4;
/// Places of the smooth, less one.
const SMOOTH: usize = 90;
/// A loss that falls by less of its range than this stands still.
const STILL: f64 = 0.02;
/// A series has moved if its ends lie farther apart than three standard deviations of the difference of
/// two points of noise alone, whose median step is 0.67 of one.
const NOISE: f64 = 3.0 / 0.6745;

/// λ̂ of the same checkpoints at another setting.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Second {
    /// nβ, γ, ε.
    setting: [f64; 3],
    /// Step, λ̂, standard error.
    points: Vec<(u64, f64, f64)>,
}

/// What a reload must not forget.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Chosen {
    /// All boundaries, where one was set or taken away by hand: each with the interval it was found with,
    /// or none where it is the one that was set.
    cuts: Option<Vec<(u64, Option<[u64; 2]>)>>,
    second: Option<Second>,
}

impl Chosen {
    /// As rows of numbers for a record: the boundaries, with 0 to 0 where there is no interval, then the
    /// second setting with its points.
    pub(super) fn rows(&self) -> [Option<Vec<f64>>; 2] {
        let cuts = self.cuts.as_ref();
        let second = self.second.as_ref().map(|s| {
            let points = s.points.iter().flat_map(|p| [p.0 as f64, p.1, p.2]);
            s.setting.into_iter().chain(points).collect()
        });
        let row = |(step, end): &(u64, Option<[u64; 2]>)| {
            let [lo, hi] = end.unwrap_or_default();
            [*step, lo, hi].map(|s| s as f64)
        };
        [cuts.map(|c| c.iter().flat_map(row).collect()), second]
    }

    /// From such rows.
    pub(super) fn of([cuts, second]: [Option<Vec<f64>>; 2]) -> Self {
        let second = second.and_then(|row| {
            let (setting, points) = row.split_first_chunk::<3>()?;
            let points = points.as_chunks::<3>().0.iter();
            Some(Second {
                setting: *setting,
                points: points.map(|&[step, y, se]| (step as u64, y, se)).collect(),
            })
        });
        Self {
            cuts: cuts.map(|row| {
                let cuts = row.as_chunks::<3>().0.iter().map(|c| c.map(|s| s as u64));
                cuts.map(|[step, lo, hi]| (step, Some([lo, hi]).filter(|e| e[1] > 0)))
                    .collect()
            }),
            second,
        }
    }
}

/// The stages, and what they were found from.
#[derive(Debug, Default)]
pub(super) struct Staging {
    pub(super) view: Stages,
    /// Grows with every change of `view`.
    pub(super) version: u32,
    /// Grows with every boundary set by hand and every second setting: what a record does not have yet.
    pub(super) choices: u32,
    chosen: Chosen,
    /// What was chosen of the models that are not followed now.
    others: Vec<(u32, Chosen)>,
    /// The check at a second setting has begun, or was stopped.
    pub(super) checked: bool,
    stale: bool,
}

impl Staging {
    pub(super) fn chosen(&self) -> &Chosen {
        &self.chosen
    }
    pub(super) fn choose(&mut self, chosen: Chosen) {
        (self.chosen, self.stale) = (chosen, true);
    }
    /// What was chosen of each model that is not followed now.
    pub(super) fn others(&self) -> &[(u32, Chosen)] {
        &self.others
    }
    /// The same, from a record.
    pub(super) fn know(&mut self, replica: u32, chosen: Chosen) {
        self.others.push((replica, chosen));
    }
    /// Another model is followed: what was chosen of the one before waits until it is again.
    pub(super) fn follow(&mut self, [from, to]: [usize; 2]) {
        let at = self.others.iter().position(|o| o.0 as usize == to);
        let there = at.map(|i| self.others.swap_remove(i).1);
        let left = std::mem::replace(&mut self.chosen, there.unwrap_or_default());
        self.others.push((from as u32, left));
        (self.stale, self.checked) = (true, false);
    }
    /// Boundaries by hand, or none. Those that stand where one stood keep what is known of it.
    pub(super) fn cut(&mut self, cuts: Option<Vec<u64>>) {
        let known = |step: u64| {
            let stood = self.view.stages.iter().find(|s| s.to == step);
            (step, stood.and_then(|s| s.end))
        };
        self.chosen.cuts = cuts.map(|all| all.into_iter().map(known).collect());
        self.stale = true;
        self.choices += 1;
    }
    /// Takes a study in that is over, if it is the curve at another setting.
    pub(super) fn take(&mut self, study: &Study, own: &SamplerSettings, follow: usize) {
        if let Some(second) = second(study, own, follow) {
            self.chosen.second = Some(second);
            self.stale = true;
            self.choices += 1;
        }
    }
}

/// The curve of a study at one setting that is not the run's; none of fewer than [`FEWEST`] points.
fn second(study: &Study, own: &SamplerSettings, follow: usize) -> Option<Second> {
    let first = study.spec.cells.first()?;
    let same = study.spec.cells.iter().all(|c| {
        (c.nbeta, c.gamma, c.eps, &c.part) == (first.nbeta, first.gamma, first.eps, &own.part)
    });
    let other = (first.nbeta, first.gamma, first.eps) != (own.nbeta, own.gamma, own.eps);
    let points: Vec<_> = study
        .done
        .iter()
        .filter_map(|r| Some((study.spec.cells.get(r.cell as usize)?.step, r.value?, r.se)))
        .collect();
    let kind = matches!(study.spec.kind, StudyKind::Second | StudyKind::Again);
    let followed = first.replica.is_none_or(|r| r as usize == follow);
    (kind && followed && same && other && points.len() >= FEWEST).then_some(Second {
        setting: [first.nbeta, first.gamma, first.eps],
        points,
    })
}

/// Points as the search takes them, at ln(step + 1). One without an error cannot be weighed.
fn points(of: impl Iterator<Item = (u64, f64, f64)>) -> Vec<Point> {
    of.filter(|(_, y, se)| y.is_finite() && se.is_finite() && *se > 0.0)
        .map(|(step, y, se)| Point {
            x: (step as f64).ln_1p(),
            y,
            se,
        })
        .collect()
}

/// The points from the first that does not lie below 0 by more than two standard errors. Before it w*
/// is no minimum: λ̂ tells there how far the loss can still fall nearby, and its rise is no stage.
fn settled(mut points: Vec<Point>) -> Vec<Point> {
    let first = points.iter().position(|p| p.y >= -2.0 * p.se);
    points.drain(..first.unwrap_or(points.len()));
    points
}

fn kind(of: Type) -> StageKind {
    match of {
        Type::A => StageKind::A,
        Type::B => StageKind::B,
        Type::Unresolved => StageKind::Unresolved,
    }
}

fn change(stage: &stages::Stage) -> Change {
    Change {
        kind: kind(stage.kind),
        dllc: stage.change,
        se: stage.se,
    }
}

/// The value of a series at a step, between its points on a line.
fn value(s: &Series, step: u64) -> Option<f64> {
    let x = step as f64;
    let after = s.x.partition_point(|&v| v < x);
    let (b, d) = (*s.x.get(after)?, *s.y.get(after)?);
    if b == x {
        return Some(d);
    }
    let (a, c) = (*s.x.get(after.checked_sub(1)?)?, *s.y.get(after - 1)?);
    Some(c + (d - c) * (x - a) / (b - a))
}

/// The range of a series over the run.
fn range(s: &Series) -> f64 {
    let ends = |f: fn(f64, f64) -> f64, from| s.y.iter().copied().fold(from, f);
    ends(f64::max, f64::NEG_INFINITY) - ends(f64::min, f64::INFINITY)
}

/// What a series does from one point to the next: the median step, which one sudden event leaves alone.
fn jitter(s: &Series) -> f64 {
    let mut steps: Vec<f64> = s.y.windows(2).map(|w| (w[1] - w[0]).abs()).collect();
    crate::math::order::ascending(&mut steps);
    steps.get(steps.len() / 2).copied().unwrap_or(0.0)
}

impl Session {
    /// Finds the stages anew if enough has changed, or if the run stands still.
    pub fn stage(&mut self) {
        let (n, had) = (self.history.llc.len(), self.staging.view.points);
        let runs = matches!(self.phase(), Phase::Training | Phase::Sampling { .. });
        let grown = n < had || n >= had + FEW.max(had / 4);
        if !(self.staging.stale || grown || (!runs && n != had)) || self.parts.steps == 0 {
            return;
        }
        let view = self.staged();
        let staging = &mut self.staging;
        (staging.view, staging.stale) = (view, false);
        staging.version += 1;
    }

    fn staged(&self) -> Stages {
        let again = |id: &str| id.starts_with("replicas/");
        // Of the replica followed alone.
        let start = Reading::new(String::new(), 0.0).of(self.follow()).id;
        let all = self.history.series.iter();
        let curves: Vec<(&str, &Series)> = all
            .filter_map(|(id, s)| Some((id.strip_prefix(&start)?, s)))
            .filter(|(id, _)| !again(id))
            .collect();
        found(&self.history.llc, &curves, &self.staging.chosen)
    }
}

/// The stages of a curve of λ̂ alone, with nothing set by hand; `second` is a row of [`Session::second_setting`],
/// `curves` are the loss and what else may be named as having moved, by id.
#[must_use]
pub fn stages_of(llc: &[LlcPoint], second: Option<&[f64]>, curves: &[(&str, &Series)]) -> Stages {
    found(
        llc,
        curves,
        &Chosen::of([None, second.map(<[f64]>::to_vec)]),
    )
}

fn found(llc: &[LlcPoint], curves: &[(&str, &Series)], chosen: &Chosen) -> Stages {
    let own = settled(points(llc.iter().map(|p| (p.step, p.value, p.se))));
    let by_hand = chosen.cuts.as_ref().filter(|_| own.len() >= 4);
    let found = match by_hand {
        Some(cuts) => stages::given(&own, &edges(cuts, &own), 1),
        None => stages::stages(&own, 1),
    };
    let mut bounds: Vec<f64> = found.iter().map(|s| s.from).collect();
    bounds.extend(found.last().map(|s| s.to));
    let second = chosen.second.as_ref().map(|s| {
        let points = points(s.points.iter().copied());
        let end = points.last().map_or(0.0, |p| p.x);
        let mut found = stages::given(&points, &bounds, 2);
        // Estimated while the run went on, it says nothing of what came later.
        found.truncate(bounds.iter().skip(1).filter(|b| **b <= end).count());
        found
    });
    let step = |x: f64| x.exp_m1().round() as u64;
    let loss = curves.iter().find(|c| c.0 == "loss").map(|c| c.1);
    let stages = found.iter().enumerate().map(|(i, s)| {
        let (from, to) = (step(s.from), step(s.to));
        let cut = by_hand.and_then(|all| all.iter().find(|c| c.0 == to));
        let dloss = loss.and_then(|l| Some(value(l, to)? - value(l, from)?));
        let falls = |l: &Series| dloss.is_some_and(|d| d < -STILL * range(l));
        Stage {
            from,
            to,
            end: s
                .end
                .map(|(lo, hi)| outwards(llc, lo.exp_m1(), hi.exp_m1()))
                .or(cut.and_then(|c| c.1)),
            by_hand: cut.is_some_and(|c| c.1.is_none()) && i + 1 < found.len(),
            kind: kind(s.kind),
            dllc: s.change,
            se: s.se,
            second: second.as_ref().and_then(|all| all.get(i)).map(change),
            dloss,
            falling: loss.is_some_and(falls),
            moved: moved(curves, from, to),
        }
    });
    // A line in ln(step + 1) is no line over steps: it is told at many places, its knots among them.
    let mut at = places(&own);
    at.extend(&bounds);
    crate::math::order::ascending(&mut at);
    let line = stages::line(&own, &bounds, &at);
    Stages {
        line: at.iter().zip(line).map(|(x, y)| [x.exp_m1(), y]).collect(),
        smooth: smoothed(&own, &bounds, &at),
        stages: stages.collect(),
        points: llc.len(),
        by_hand: by_hand.is_some(),
        second: chosen.second.as_ref().map(|s| s.setting),
    }
}

/// The curves that change most between two steps, counted in the least change of each that is worth telling
/// ([`least`]); none where nothing does more than that and than its own noise. Few of a kind: what many heads
/// and variants of one instrument do is one thing, and losses in nats must not crowd out scores below 1.
fn moved(curves: &[(&str, &Series)], from: u64, to: u64) -> Vec<Moved> {
    let change = |(id, s): &(&str, &Series)| {
        let [from, to] = [value(s, from)?, value(s, to)?];
        let greatest = s.y.iter().fold(0.0_f64, |m, y| m.max(y.abs()));
        let by = (to - from).abs();
        let times = by / least(id, greatest);
        let id = (*id).to_string();
        (times >= 1.0 && by > NOISE * jitter(s)).then_some((times, Moved { id, from, to }))
    };
    let mut all: Vec<(f64, Moved)> = curves.iter().filter_map(change).collect();
    crate::math::order::sort_by(&mut all, |a, b| b.0.total_cmp(&a.0));
    let mut had: Vec<(Kind, String)> = Vec::new();
    let named = all.into_iter().map(|(_, m)| m).filter(|m| {
        let (kind, family) = (Kind::of(&m.id), family(&m.id));
        let alike = had.iter().filter(|h| h.0 == kind);
        let new = alike.clone().count() < kind.most() && alike.clone().all(|h| h.1 != family);
        had.extend(new.then(|| (kind, family.to_string())));
        new
    });
    named.collect()
}

/// Evenly spaced places from the first point to the last.
fn places(points: &[Point]) -> Vec<f64> {
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return Vec::new();
    };
    let place = |i: usize| first.x + (last.x - first.x) * i as f64 / SMOOTH as f64;
    (0..=SMOOTH).map(place).collect()
}

fn smoothed(points: &[Point], bounds: &[f64], at: &[f64]) -> Vec<[f64; 3]> {
    let Some(found) = smooth::smooth(points, bounds, at) else {
        return Vec::new();
    };
    let rows = at.iter().zip(&found.y).zip(&found.sd);
    rows.map(|((x, y), sd)| [x.exp_m1(), *y, *sd]).collect()
}

/// An interval of steps, widened to the checkpoints around it: between two of them nothing was
/// measured.
fn outwards(llc: &[LlcPoint], lo: f64, hi: f64) -> [u64; 2] {
    let steps = || llc.iter().map(|p| p.step);
    let below = steps().filter(|&s| s as f64 <= lo).max();
    let above = steps().find(|&s| s as f64 >= hi);
    [below.or(steps().next()), above.or(steps().next_back())].map(|s| s.unwrap_or(0))
}

/// The ends of the data and the boundaries set by hand between them, as positions.
fn edges(cuts: &[(u64, Option<[u64; 2]>)], points: &[Point]) -> Vec<f64> {
    let step = |p: Option<&Point>| p.map_or(0, |p| p.x.exp_m1().round() as u64);
    let (first, last) = (step(points.first()), step(points.last()));
    let mut all: Vec<u64> = cuts
        .iter()
        .map(|c| c.0)
        .filter(|c| (first + 1..last).contains(c))
        .collect();
    all.sort_unstable();
    all.dedup();
    let inner = all.into_iter();
    let whole = std::iter::once(first).chain(inner).chain([last]);
    whole.map(|s| (s as f64).ln_1p()).collect()
}

#[cfg(test)]
mod tests;
