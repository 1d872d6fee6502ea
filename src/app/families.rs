//! Every instrument as a choice: which series are of it, a chart over training for each. Pure.

use super::export::Column;
use super::run::Run;
use super::seeds;
use crate::experiments::heads::{self, BESIDE, INSTRUMENTS, Instrument};
use crate::protocol::Series;
use std::rc::Rc;

/// What one choice draws.
#[derive(Clone, Debug, PartialEq)]
pub struct Family {
    /// Under which heading it stands.
    pub group: &'static str,
    /// What its series have in common: `composition.k`.
    pub key: String,
    /// Its name.
    pub title: String,
    /// Unit of its values.
    pub unit: &'static str,
    /// Its definition.
    pub definition: &'static Instrument,
    /// Each chart's name and its series.
    pub charts: Vec<(String, String)>,
}

/// The definition with that beginning of a key.
fn defined(key: &str, all: &'static [Instrument]) -> Option<&'static Instrument> {
    let first = |k: &str| k.split('.').next() == key.split('.').next();
    all.iter()
        .find(|i| i.key == key)
        .or_else(|| all.iter().find(|i| first(i.key)))
}

/// The family of a series, with what its chart is called; none for one that is of no instrument.
fn place(id: &str) -> Option<(Family, String)> {
    let (label, unit) = heads::series(id)?;
    let (first, rest) = id.split_once('.').unwrap_or((id, ""));
    let (key, title, chart, all): (String, String, String, &'static [Instrument]) = match first {
        "heads" | "blocks" => {
            let (whose, title) = label.split_once(": ")?;
            let (whose, words) = (whose.trim_start_matches("head "), first == "heads");
            let at = rest.match_indices('.').nth(usize::from(words))?.0;
            let chart = if words {
                whose.to_string()
            } else {
                format!("block {}", &rest[..at])
            };
            (rest[at + 1..].into(), title.into(), chart, &INSTRUMENTS)
        }
        "composition" | "share" => {
            let (kind, _) = rest.split_once('.')?;
            let letter = kind.to_ascii_uppercase();
            let (title, chart) = if first == "share" {
                let (from, to) = (label.split_once(" from ")?.1, label.split_once("head ")?.1);
                let to = to.split(' ').next()?;
                (
                    format!("{letter}: share of the whole"),
                    format!("{from} → {to}"),
                )
            } else {
                let pair = label.split_once("head ")?.1.split(';').next()?;
                (
                    format!("{letter}-composition, z"),
                    pair.replace(" to ", " → "),
                )
            };
            (format!("{first}.{kind}"), title, chart, &BESIDE)
        }
        "spectrum" => {
            let (whose, what) = rest.split_once('.')?;
            (
                format!("spectrum.{whose}"),
                format!("singular values of {whose}"),
                what.into(),
                &BESIDE,
            )
        }
        "norm" => {
            let chart = if rest.is_empty() { "all weights" } else { rest };
            ("norm".into(), BESIDE[4].title.into(), chart.into(), &BESIDE)
        }
        "icl" => ("icl".into(), BESIDE[1].title.into(), "ICL".into(), &BESIDE),
        "loss" if rest.starts_with("position.") => {
            let at = rest.rsplit('.').next()?;
            (
                "loss.position".into(),
                BESIDE[2].title.into(),
                at.into(),
                &BESIDE,
            )
        }
        _ => return None,
    };
    let definition = defined(&key, all)?;
    let group = match first {
        "heads" | "blocks" => "Heads",
        "composition" | "share" => "Between heads",
        "spectrum" | "norm" => "Weights",
        _ => "In context",
    };
    let family = Family {
        group,
        key,
        title,
        unit,
        definition,
        charts: Vec::new(),
    };
    Some((family, chart))
}

/// The families that a run has series of, of the model that is followed, as the definitions are ordered.
#[must_use]
pub fn families(run: &Run) -> Vec<Family> {
    let mut out: Vec<Family> = Vec::new();
    let member = run.knobs.int("member");
    let prefix = if member > 0 {
        format!("replicas/{member}/")
    } else {
        String::new()
    };
    // Even attention is of no head.
    let own = run.series.keys().filter_map(|k| k.strip_prefix(&prefix));
    for id in own.filter(|k| !k.contains('/') && !k.starts_with("heads.even.")) {
        let Some((family, chart)) = place(id) else {
            continue;
        };
        let at = out.iter().position(|f| f.key == family.key);
        let at = at.unwrap_or_else(|| {
            out.push(family);
            out.len() - 1
        });
        out[at].charts.push((chart, id.to_string()));
    }
    let all = || INSTRUMENTS.iter().chain(&BESIDE);
    let rank = |f: &Family| {
        let group = ["Heads", "Between heads", "In context", "Weights"];
        let group = group.iter().position(|g| *g == f.group);
        (group, all().position(|i| i == f.definition))
    };
    crate::math::order::sort_by(&mut out, |a, b| {
        rank(a).cmp(&rank(b)).then_with(|| a.key.cmp(&b.key))
    });
    // Positions and singular values in their order, the whole before its parts.
    let number = |name: &str| name.parse::<u32>().unwrap_or(0);
    for f in &mut out {
        crate::math::order::sort_by(&mut f.charts, |a, b| number(&a.0).cmp(&number(&b.0)));
    }
    out
}

/// A composition score as standard deviations above its null, which is its interval; none without one.
#[must_use]
pub fn z(s: &Series) -> Option<Series> {
    let ends = s.lo.iter().zip(&s.hi);
    let y: Vec<f64> = (s.y.iter().zip(ends))
        .map(|(y, (lo, hi))| (2.0 * y - lo - hi) / (hi - lo))
        .collect();
    (!y.is_empty() && y.len() == s.x.len()).then(|| Series {
        x: s.x.clone(),
        y,
        ..Series::default()
    })
}

/// The curve of a series as it is drawn: composition as z.
#[must_use]
pub fn curve(run: &Run, id: &str) -> Option<Rc<Series>> {
    let s = seeds::followed(run, id)?;
    if id.starts_with("composition.") {
        return z(s).map(Rc::new);
    }
    Some(s.clone())
}

/// For files: z and null of every composition score that has a null.
#[must_use]
pub fn columns(run: &Run) -> Vec<Column> {
    let mut out = Vec::new();
    for (id, s) in &run.series {
        let at = id
            .find("composition.")
            .map(|at| id.split_at(at + "composition.".len()));
        let (Some((head, pair)), Some(z)) = (at, z(s)) else {
            continue;
        };
        let mean =
            s.lo.iter()
                .zip(&s.hi)
                .map(|(lo, hi)| (lo + hi) / 2.0)
                .collect();
        let null = Series {
            x: s.x.clone(),
            y: mean,
            lo: s.lo.clone(),
            hi: s.hi.clone(),
        };
        let both = [
            (
                "z",
                "z of it: standard deviations above random rotations",
                z,
            ),
            ("null", "of random rotations, mean ± 1 sd", null),
        ];
        out.extend(both.map(|(what, told, points)| Column {
            id: format!("{head}{what}.{pair}"),
            label: format!("composition.{pair}: {told}"),
            unit: String::new(),
            points,
        }));
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::app::link;
    use crate::protocol::RunId;

    fn run(ids: &[&str], link: &str) -> Run {
        let link = link::parse(link);
        let mut run = Run::new(RunId(1), link.text(true), link.knobs.clone(), 10);
        for id in ids {
            let s = Series {
                x: vec![0.0, 5.0],
                y: vec![0.2, 0.5],
                lo: vec![0.1, 0.1],
                hi: vec![0.3, 0.2],
            };
            run.series.insert((*id).to_string(), Rc::new(s));
        }
        run
    }

    const IDS: [&str; 14] = [
        "loss",
        "icl",
        "norm",
        "norm.embed.W_E",
        "spectrum.W_E.2",
        "spectrum.W_E.10",
        "spectrum.W_E.participation",
        "heads.0.1.ablation.icl",
        "blocks.0.ablation.icl",
        "heads.1.0.copying",
        "heads.even.prev_token",
        "composition.k.0.3.1.2",
        "share.q.embed.1.2",
        "loss.position.7",
    ];

    #[test]
    fn every_series_of_an_instrument_has_its_place() {
        let all = families(&run(&IDS, "#/induction"));
        let told: Vec<(&str, &str, Vec<&str>)> = all
            .iter()
            .map(|f| {
                (
                    f.group,
                    f.title.as_str(),
                    f.charts.iter().map(|c| c.0.as_str()).collect(),
                )
            })
            .collect();
        let heads = vec!["block 0", "0.1"];
        assert_eq!(
            told,
            [
                ("Heads", "copying", vec!["1.0"]),
                ("Heads", "ablation, on the ICL score", heads),
                ("Between heads", "K-composition, z", vec!["0.3 → 1.2"]),
                (
                    "Between heads",
                    "Q: share of the whole",
                    vec!["tokens → 1.2"]
                ),
                ("In context", "ICL score", vec!["ICL"]),
                ("In context", "Loss by position", vec!["7"]),
                (
                    "Weights",
                    "singular values of W_E",
                    vec!["participation", "2", "10"]
                ),
                ("Weights", "Weight norms", vec!["all weights", "embed.W_E"]),
            ]
        );
        // Those of another model that is followed are its own.
        let two = run(
            &["norm", "replicas/2/icl"],
            "#/induction?replicas=3&member=2",
        );
        assert_eq!(families(&two).len(), 1);
        assert_eq!(families(&two)[0].charts[0].1, "icl");
    }

    #[test]
    fn z_is_measured_from_the_null() {
        let run = run(&IDS, "#/induction");
        let drawn = curve(&run, "composition.k.0.3.1.2").unwrap();
        for (y, is) in drawn.y.iter().zip([0.0, 7.0]) {
            assert!((y - is).abs() < 1e-9, "{y}");
        }
        assert_eq!(curve(&run, "icl").unwrap().y, [0.2, 0.5]);
        let files = columns(&run);
        let ids: Vec<&str> = files.iter().map(|c| c.id.as_str()).collect();
        assert_eq!(
            ids,
            ["composition.z.k.0.3.1.2", "composition.null.k.0.3.1.2"]
        );
        assert_eq!(files[0].points, *drawn);
        // Planted: a score without a null has no z.
        assert_eq!(
            z(&Series {
                lo: vec![],
                ..(*drawn).clone()
            }),
            None
        );
    }
}
