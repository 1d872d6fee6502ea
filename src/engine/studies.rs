//! The studies of a run, the last of each kind: what a record keeps of them, and what is shown again after
//! a reload. Written as plain words and numbers, so that every float keeps its bits, also one that is none.

use super::judging::judge;
use crate::protocol::{Cell, CellResult, Curved, Study, StudyKind, StudySpec};
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::str::SplitWhitespace;

/// Bytes that a record spends on studies, at most; the oldest are left out.
const MOST: usize = 1 << 20;

/// As they are numbered in a record: a new kind goes to the end.
const KINDS: [StudyKind; 12] = [
    StudyKind::Sweep,
    StudyKind::Spring,
    StudyKind::Lens,
    StudyKind::Again,
    StudyKind::Members,
    StudyKind::Parts,
    StudyKind::Refined,
    StudyKind::Winners,
    StudyKind::Richardson,
    StudyKind::Reference,
    StudyKind::Commitment,
    StudyKind::Second,
];

/// Studies of a session.
#[derive(Debug, Default)]
pub(super) struct Studies {
    /// How many have begun here.
    pub(super) begun: u32,
    /// How many of them are over.
    pub(super) over: u32,
    /// The last of each kind, without the one under way; the oldest first.
    kept: Vec<Study>,
    /// Those that the page has yet to be shown.
    unseen: VecDeque<Study>,
}

impl Studies {
    /// Keeps a study, in place of that of its kind.
    pub(super) fn keep(&mut self, study: Study) {
        self.kept.retain(|s| s.spec.kind != study.spec.kind);
        self.kept.push(study);
    }

    /// One of that kind begins: what was still to be told of the one before it is old.
    pub(super) fn begin(&mut self, kind: StudyKind) {
        self.unseen.retain(|s| s.spec.kind != kind);
        self.begun += 1;
    }

    /// The page shall see it once more.
    pub(super) fn tell(&mut self, study: Study) {
        self.unseen.push_back(study);
    }

    /// The next one that the page has not seen.
    pub(super) fn unseen(&mut self) -> Option<Study> {
        self.unseen.pop_front()
    }

    /// Whether there is one.
    pub(super) fn any_unseen(&self) -> bool {
        !self.unseen.is_empty()
    }

    /// The last of each kind, with the one under way.
    pub(super) fn all<'a>(&'a self, now: Option<&'a Study>) -> impl Iterator<Item = &'a Study> {
        let kind = now.map(|n| n.spec.kind);
        let older = self.kept.iter().filter(move |s| Some(s.spec.kind) != kind);
        older.chain(now)
    }

    /// All of them for a record.
    pub(super) fn text(&self, now: Option<&Study>) -> String {
        let mut all: VecDeque<String> = self.all(now).map(written).collect();
        while all.iter().map(String::len).sum::<usize>() > MOST {
            all.pop_front();
        }
        all.into_iter().collect()
    }

    /// Takes in what a record has, judged at the run's nβ and γ. A study that was under way is over, with
    /// what it had.
    pub(super) fn restore(&mut self, text: &str, own: (f64, f64)) {
        for mut study in read(text) {
            judge(&mut study, own);
            self.unseen.push_back(study.clone());
            self.keep(study);
        }
    }
}

/// One line says what was asked, one each cell, one each result and what is told of it in words.
fn written(study: &Study) -> String {
    let (spec, mut out) = (&study.spec, String::new());
    let _ = writeln!(
        out,
        "s {} {} {} {} {}",
        spec.kind as usize, spec.chains, spec.burnin, spec.draws, spec.query
    );
    for c in &spec.cells {
        let _ = writeln!(
            out,
            "c {} {} {} {} {} {}",
            c.step,
            c.nbeta,
            c.gamma,
            c.eps,
            or(c.replica),
            c.part
        );
    }
    for r in &study.done {
        let known = [r.value, r.rhat, r.accept, r.index].map(or);
        let numbers = [r.se, r.mean_loss, r.init_loss, r.below];
        let _ = write!(out, "r {} {}", r.cell, r.failed_chains);
        for x in known.into_iter().chain(numbers.map(|x| x.to_string())) {
            let _ = write!(out, " {x}");
        }
        if let Some(c) = r.curvature {
            let all = [c.h_max, c.trace, c.trace_se, c.gradient_sq];
            all.iter().for_each(|x| {
                let _ = write!(out, " {x}");
            });
        }
        out.push('\n');
    }
    for told in &study.told {
        let _ = writeln!(out, "t {told}");
    }
    out
}

/// What may be unknown.
fn or<T: ToString>(x: Option<T>) -> String {
    x.map_or("-".into(), |x| x.to_string())
}

/// The studies of such a text; what cannot be read ends them.
fn read(text: &str) -> Vec<Study> {
    let mut out: Vec<Study> = Vec::new();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let read = match words.next() {
            Some("s") => spec(&mut words).map(|spec| {
                out.push(Study {
                    spec,
                    over: true,
                    ..Study::default()
                });
            }),
            Some("c") => out
                .last_mut()
                .zip(cell(&mut words))
                .map(|(s, c)| s.spec.cells.push(c)),
            Some("r") => out.last_mut().zip(result(&mut words)).and_then(|(s, r)| {
                let there = (r.cell as usize) < s.spec.cells.len();
                there.then(|| s.done.push(r))
            }),
            Some("t") => out
                .last_mut()
                .map(|s| s.told.push(line.get(2..).unwrap_or_default().into())),
            _ => None,
        };
        if read.is_none() {
            break;
        }
    }
    out
}

fn spec(words: &mut SplitWhitespace) -> Option<StudySpec> {
    let mut number = || words.next()?.parse::<u64>().ok();
    let kind = *KINDS.get(number()? as usize)?;
    let [chains, burnin, draws] = [number()?, number()?, number()?];
    Some(StudySpec {
        kind,
        cells: Vec::new(),
        chains: u32::try_from(chains).ok()?,
        burnin,
        draws,
        query: words.next().unwrap_or_default().into(),
    })
}

fn cell(words: &mut SplitWhitespace) -> Option<Cell> {
    let step = words.next()?.parse().ok()?;
    let mut number = || words.next()?.parse::<f64>().ok();
    let [nbeta, gamma, eps] = [number()?, number()?, number()?];
    let replica = match words.next()? {
        "-" => None,
        r => Some(r.parse().ok()?),
    };
    Some(Cell {
        step,
        nbeta,
        gamma,
        eps,
        replica,
        part: words.next().unwrap_or_default().into(),
    })
}

fn result(words: &mut SplitWhitespace) -> Option<CellResult> {
    let cell = words.next()?.parse().ok()?;
    let failed_chains = words.next()?.parse().ok()?;
    let mut known = || match words.next()? {
        "-" => Some(None),
        x => Some(Some(x.parse::<f64>().ok()?)),
    };
    let [value, rhat, accept, index] = [known()?, known()?, known()?, known()?];
    let [se, mean_loss, init_loss, below] = [known()??, known()??, known()??, known()??];
    // Only some studies measure it, and those of before did not.
    let mut curvature = || {
        Some(Curved {
            h_max: known()??,
            trace: known()??,
            trace_se: known()??,
            gradient_sq: known()??,
        })
    };
    Some(CellResult {
        cell,
        value,
        se,
        mean_loss,
        init_loss,
        rhat,
        accept,
        index,
        below,
        failed_chains,
        curvature: curvature(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn study(kind: StudyKind, cells: usize) -> Study {
        let cell = |i: usize| Cell {
            step: 50 * i as u64,
            nbeta: 0.1 + 0.2,
            gamma: 1e3,
            eps: 1e-4 / 3.0,
            replica: (i == 1).then_some(7),
            part: "blocks.0.attn.head.3".into(),
        };
        let result = |i: usize| CellResult {
            cell: i as u32,
            value: (i != 1).then_some(-1.0 / 3.0),
            se: if i == 2 { f64::NAN } else { 0.25 },
            mean_loss: f64::INFINITY,
            init_loss: -0.0,
            rhat: Some(1.01),
            accept: None,
            index: Some(1e-300),
            below: 0.5,
            failed_chains: 3,
            curvature: (i == 2).then_some(Curved {
                h_max: 16.8,
                trace: 1e3 / 7.0,
                trace_se: 0.1,
                gradient_sq: -1e-9,
            }),
        };
        Study {
            spec: StudySpec {
                kind,
                cells: (0..cells).map(cell).collect(),
                chains: 2,
                burnin: 20,
                draws: 30,
                query: "sampler=mala&on=test".into(),
            },
            done: (0..cells.min(3)).map(result).collect(),
            over: true,
            told: vec![
                "the run: 4-gon; the others: 2 × 4-gon".into(),
                "gone".into(),
            ],
            ..Study::default()
        }
    }

    #[test]
    fn every_kind_reads_back_to_the_bit() {
        for (i, kind) in KINDS.into_iter().enumerate() {
            assert_eq!(kind as usize, i);
            let (was, text) = (study(kind, 4), written(&study(kind, 4)));
            let is = &read(&text)[0];
            assert_eq!((&is.spec, is.done.len()), (&was.spec, 3));
            assert_eq!(is.told, was.told);
            let bits = |s: &Study| -> Vec<u64> {
                let of = |r: &CellResult| {
                    [
                        r.value.unwrap_or(9.0),
                        r.se,
                        r.mean_loss,
                        r.init_loss,
                        r.index.unwrap(),
                    ]
                    .map(f64::to_bits)
                };
                s.done.iter().flat_map(of).collect()
            };
            assert_eq!(bits(is), bits(&was));
            assert_eq!((is.done[1].value, is.done[0].accept), (None, None));
            // Where it was measured, and nowhere else; a number short, it is none.
            let curved = |s: &Study| [0, 1, 2].map(|i| s.done[i].curvature);
            assert_eq!(curved(is), curved(&was));
            let short = text.replace(" 0.1 -0.000000001", " 0.1");
            assert_eq!(curved(&read(&short)[0]), [None; 3]);
            // Planted: one digit less is another number.
            let torn = text.replace("-0.3333333333333333", "-0.333333333333333");
            assert_ne!(bits(&read(&torn)[0]), bits(&was));
        }
    }

    #[test]
    fn the_last_of_each_kind_is_kept_and_damage_ends_the_list() {
        let mut studies = Studies::default();
        studies.keep(study(StudyKind::Sweep, 2));
        studies.keep(study(StudyKind::Parts, 2));
        studies.keep(study(StudyKind::Sweep, 3));
        let now = study(StudyKind::Parts, 4);
        let text = studies.text(Some(&now));
        let mut back = Studies::default();
        back.restore(&text, (1.0, 1.0));
        let shown = |s: &mut Studies| -> Vec<(StudyKind, usize)> {
            std::iter::from_fn(|| s.unseen())
                .map(|s| (s.spec.kind, s.spec.cells.len()))
                .collect()
        };
        assert_eq!(
            shown(&mut back),
            [(StudyKind::Sweep, 3), (StudyKind::Parts, 4)]
        );
        assert_eq!(back.text(None), text);
        for (wrong, left) in [
            ("", 0),
            ("x", 0),
            ("s 99 1 1 1", 0),
            ("c 0 1 1 1 - all", 0),
            ("s 0 2 3 4\nr 0 0 - - - - 1 1 1 1\ns 1 2 3 4", 1),
        ] {
            assert_eq!(read(wrong).len(), left, "{wrong}");
        }
        // However many cells, a record stays small: the oldest go.
        studies.keep(study(StudyKind::Lens, 20_000));
        assert!(studies.text(Some(&now)).len() < MOST);
        assert_eq!(
            read(&studies.text(Some(&now))).last().unwrap().spec.kind,
            StudyKind::Parts
        );
    }
}
