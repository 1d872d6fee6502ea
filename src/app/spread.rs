//! Curves of several models of one run, as charts draw them: each model faint, the range that most of
//! them are in with its median, the one that is followed on top. Pure.

use super::export::Column;
use super::run::Run;
use super::{estimated, seeds};
use crate::math::stats::quantiles_at;
use crate::protocol::Series;
use std::rc::Rc;

/// The range shown: from the first to the last of these quantiles over the models, around the second.
pub const SHOWN: [f64; 3] = [0.1, 0.5, 0.9];
/// Models that a range is of, at least.
pub const LEAST: usize = 3;
/// Steps at which it is taken, about: more than a chart has pixels for is work for nothing.
const STEPS: usize = 400;
/// Faint curves on one chart, at most: beyond that, those of its main curve alone.
const FAINT: usize = 48;

/// What is drawn of several models.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shown {
    /// Every one of them, behind their range.
    #[default]
    Members,
    /// Their range.
    Band,
    /// The one that is followed alone.
    Chosen,
}

impl Shown {
    /// All of them, with what their buttons say.
    pub const ALL: [(Self, &'static str); 3] = [
        (Self::Members, "members"),
        (Self::Band, "band"),
        (Self::Chosen, "chosen only"),
    ];
}

/// A curve as charts draw it: its points with its band, its class, its name.
pub type Drawn = (Rc<Series>, String, String);

/// The class of a model's own colour, where it has one.
pub type Own<'a> = Option<&'a dyn Fn(u32) -> Option<&'static str>>;

/// Median and range over several curves, at about so many of the steps at which at least [`LEAST`] of them have a finite
/// value, the last among them; none where there is no such step.
#[must_use]
pub fn spread(curves: &[&Series], steps: usize) -> Option<Series> {
    let grid = curves.iter().max_by_key(|c| c.x.len())?;
    let n = grid.x.len();
    let stride = n.div_ceil(steps).max(1);
    let mut out = Series::default();
    // The last step is always among them, whatever the stride.
    for i in (0..n).filter(|i| (n - 1 - i).is_multiple_of(stride)) {
        let x = grid.x[i];
        let value = |c: &&Series| {
            // Models of one run are evaluated at the same steps, unless one has diverged.
            let at = match c.x.get(i) {
                Some(there) if *there == x => i,
                _ => c.x.partition_point(|v| *v < x),
            };
            let there = c.x.get(at).is_some_and(|v| *v == x);
            c.y.get(at).copied().filter(|y| there && y.is_finite())
        };
        let values: Vec<f64> = curves.iter().filter_map(value).collect();
        if values.len() < LEAST {
            continue;
        }
        let [low, middle, high] = quantiles_at(values, SHOWN);
        out.x.push(x);
        out.y.push(middle);
        out.lo.push(low);
        out.hi.push(high);
    }
    (!out.x.is_empty()).then_some(out)
}

/// Models of a run.
#[must_use]
pub fn count(run: &Run) -> u32 {
    u32::try_from(run.knobs.int("replicas")).unwrap_or(1).max(1)
}

/// A series of every model of a run that has it.
#[must_use]
pub fn members(run: &Run, id: &str) -> Vec<(u32, Rc<Series>)> {
    let of = |r| Some((r, seeds::series(run, r, id)?.clone()));
    (0..count(run)).filter_map(of).collect()
}

/// λ̂ of every model that has one, by its number.
#[must_use]
pub fn llcs(run: &Run) -> Vec<(u32, Rc<Series>)> {
    let of = |r| {
        let series = Series {
            lo: Vec::new(),
            hi: Vec::new(),
            ..estimated::curve(run, r, "llc")?
        };
        Some((r, Rc::new(series)))
    };
    (0..count(run)).filter_map(of).collect()
}

/// For files: of every curve that several models have its median with the range, under `seeds/`.
#[must_use]
pub fn bands(run: &Run) -> Vec<Column> {
    let all = llcs(run);
    let curves: Vec<&Series> = all.iter().map(|m| &*m.1).collect();
    let llc = spread(&curves, usize::MAX).map(|s| ("llc", s));
    let ids = run
        .series
        .keys()
        .filter_map(|k| k.strip_prefix("replicas/1/"));
    let series = ids.filter_map(|id| {
        let all = members(run, id);
        let curves: Vec<&Series> = all.iter().map(|m| &*m.1).collect();
        Some((id, spread(&curves, usize::MAX)?))
    });
    let all = series.chain(llc).map(|(id, s)| Column {
        id: format!("seeds/{id}"),
        label: format!("{id}: median over the seeds, 10 to 90 %"),
        unit: String::new(),
        points: s,
    });
    all.collect()
}

/// What is drawn, in layers: those of one curve must not hide those of another.
#[derive(Clone, Debug, Default)]
pub struct Layers {
    members: Vec<Drawn>,
    bands: Vec<Drawn>,
    chosen: Vec<Drawn>,
}

impl Layers {
    /// Adds a series of every model of a run. `class` is that of its colour; `own` gives a model a
    /// colour of its own.
    pub fn add(
        &mut self,
        run: &Run,
        shown: Shown,
        (id, class, label): (&str, &str, &str),
        own: Own,
    ) {
        let all = members(run, id);
        let follow = u32::try_from(run.knobs.int("member")).unwrap_or(0);
        // A series of the first model alone is shown whoever is followed.
        let chosen = all.iter().find(|m| m.0 == follow).or(all.first()).cloned();
        if let Some((_, series)) = chosen {
            self.chosen.push((series, class.into(), label.into()));
        }
        self.behind(&all, follow, shown, class, own);
    }

    /// Adds curves of several models behind the one that is followed, without that one.
    pub fn behind(
        &mut self,
        all: &[(u32, Rc<Series>)],
        follow: u32,
        shown: Shown,
        class: &str,
        own: Own,
    ) {
        if all.len() < 2 || shown == Shown::Chosen {
            return;
        }
        let others = all.iter().filter(|m| m.0 != follow);
        let fits = self.members.is_empty() || self.members.len() + all.len() <= FAINT;
        if shown == Shown::Members && fits {
            self.members.extend(others.map(|(r, s)| {
                let colour = own.and_then(|own| own(*r)).unwrap_or(class);
                (s.clone(), format!("member {colour}"), String::new())
            }));
        }
        let curves: Vec<&Series> = all.iter().map(|m| &*m.1).collect();
        if let Some(band) = spread(&curves, STEPS) {
            let class = format!("{class} thin");
            self.bands.push((Rc::new(band), class, String::new()));
        }
    }

    /// Back to front, without the curves that are followed.
    pub fn back(&self) -> impl Iterator<Item = &Drawn> {
        self.members.iter().chain(&self.bands)
    }

    /// The curves that are followed.
    #[must_use]
    pub fn chosen(&self) -> &[Drawn] {
        &self.chosen
    }

    /// All of them, back to front.
    pub fn all(&self) -> impl Iterator<Item = &Drawn> {
        self.back().chain(&self.chosen)
    }

    /// The range that is drawn of the curve that was added `i`th, of those that have one.
    #[must_use]
    pub fn band(&self, i: usize) -> Option<&Series> {
        self.bands.get(i).map(|d| &*d.0)
    }
}

/// The model whose curve is nearest to a point: the step, and how far a value is from it, such as in
/// pixels.
#[must_use]
pub fn nearest<'a>(
    curves: impl Iterator<Item = (u32, &'a Series)>,
    step: f64,
    far: impl Fn(f64) -> f64,
) -> Option<(u32, f64)> {
    let away = |(r, s): (u32, &Series)| {
        let i = super::scrub::nearest(&s.x, step)?;
        let away = far(*s.y.get(i)?).abs();
        away.is_finite().then_some((r, away))
    };
    let closer = |a: (u32, f64), b: (u32, f64)| if b.1 < a.1 { b } else { a };
    curves.filter_map(away).reduce(closer)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::protocol::{Frame, RunId, SeriesDelta};

    fn curve(steps: std::ops::Range<u32>, y: impl Fn(f64) -> f64) -> Series {
        let x: Vec<f64> = steps.map(f64::from).collect();
        Series {
            y: x.iter().map(|x| y(*x)).collect(),
            x,
            ..Series::default()
        }
    }

    #[test]
    fn a_range_is_that_of_the_models_at_each_step() {
        // Eleven models, k above the first by k: quantiles are exact.
        let all: Vec<Series> = (0..11).map(|k| curve(0..5, |x| x + f64::from(k))).collect();
        let curves: Vec<&Series> = all.iter().collect();
        let band = spread(&curves, STEPS).unwrap();
        assert_eq!(band.x, [0.0, 1.0, 2.0, 3.0, 4.0]);
        for (i, x) in band.x.iter().enumerate() {
            assert_eq!(
                [band.lo[i], band.y[i], band.hi[i]],
                [x + 1.0, x + 5.0, x + 9.0]
            );
        }
        // One model that runs away moves neither the median nor the range by more than a place.
        let wild = curve(0..5, |_| 1e30);
        let with = spread(&[&curves[..10], &[&wild]].concat(), STEPS).unwrap();
        assert_eq!((with.y[0], with.hi[0]), (5.0, 9.0));
        // Planted: a mean and its deviation would be carried away by it.
        let mean = crate::math::stats::mean(
            &[&curves[..10], &[&wild]]
                .concat()
                .iter()
                .map(|c| c.y[0])
                .collect::<Vec<_>>(),
        );
        assert!(mean > 1e28);
    }

    #[test]
    fn a_model_that_ends_early_is_missing_from_there_on() {
        let [a, b, c] = [0.0, 1.0, 2.0].map(|k| curve(0..10, move |_| k));
        let short = curve(0..4, |_| 9.0);
        let band = spread(&[&a, &b, &c, &short], STEPS).unwrap();
        assert_eq!((band.y[3], band.y[4]), (1.5, 1.0));
        // A curve on other steps counts where it has them, by step and not by place.
        let later = curve(5..10, |_| 9.0);
        let band = spread(&[&a, &b, &c, &later], STEPS).unwrap();
        assert_eq!((band.y[4], band.y[5]), (1.0, 1.5));
        // What is not finite is none, and of two there is no range.
        let torn = curve(0..10, |_| f64::NAN);
        assert_eq!(spread(&[&a, &b, &c, &torn], STEPS).unwrap().y[0], 1.0);
        assert_eq!(spread(&[&a, &b, &torn], STEPS), None);
        assert_eq!(spread(&[], STEPS), None);
    }

    #[test]
    fn long_curves_keep_their_last_step() {
        let all: Vec<Series> = (0..3)
            .map(|k| curve(0..5001, move |x| x + f64::from(k)))
            .collect();
        let band = spread(&all.iter().collect::<Vec<_>>(), STEPS).unwrap();
        assert!(band.x.len() <= STEPS + 1 && band.x.len() > STEPS / 2);
        assert_eq!(band.x.last(), Some(&5000.0));
    }

    #[test]
    fn layers_stand_behind_the_one_that_is_followed() {
        let knobs = crate::app::link::parse("#/induction?replicas=4&member=2").knobs;
        let mut run = Run::new(RunId(1), String::new(), knobs, 10);
        let series = |r: u32, id: &str| SeriesDelta {
            id: if r == 0 {
                id.into()
            } else {
                format!("replicas/{r}/{id}")
            },
            x: vec![0.0, 1.0],
            y: vec![f64::from(r), 1.0],
            ..SeriesDelta::default()
        };
        run.take(Frame {
            series: (0..4)
                .map(|r| series(r, "loss"))
                .chain([series(0, "alone")])
                .collect(),
            ..Frame::default()
        });
        let drawn = |shown| {
            let mut layers = Layers::default();
            layers.add(&run, shown, ("loss", "s1", "all"), None);
            layers.add(&run, shown, ("alone", "s0", "one"), Some(&|_| Some("")));
            let told = |d: &Drawn| (d.0.y[0], d.1.clone(), d.2.clone());
            layers.all().map(told).collect::<Vec<_>>()
        };
        let row = |y, class: &str, label: &str| (y, class.to_string(), label.to_string());
        let chosen = [row(2.0, "s1", "all"), row(0.0, "s0", "one")];
        assert_eq!(drawn(Shown::Chosen), chosen);
        assert_eq!(drawn(Shown::Band)[..1], [row(1.5, "s1 thin", "")]);
        assert_eq!(drawn(Shown::Band)[1..], chosen);
        let members = drawn(Shown::Members);
        assert_eq!(
            members[..3],
            [0.0, 1.0, 3.0].map(|y| row(y, "member s1", ""))
        );
        assert_eq!(members.len(), 6);
    }

    #[test]
    fn the_nearest_curve_is_the_one_under_the_pointer() {
        let [a, b] = [1.0, 2.0].map(|k| curve(0..10, move |x| k * x));
        let at = |step, y: f64| nearest([(0, &a), (7, &b)].into_iter(), step, |v| v - y);
        assert_eq!(at(5.0, 9.0), Some((7, 1.0)));
        assert_eq!(at(5.0, 6.0), Some((0, 1.0)));
    }
}
