//! The stages of a run in words: a letter for the band, a row for the table.

use crate::experiments::{Card, Panel, heads};
use crate::knobs::Value;
use crate::plot::bands::{Band, Pattern};
use crate::plot::number::{grouped, significant, with_error};
use crate::protocol::{Stage, StageKind, Stages};

/// A row of the table.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// From which step to which, with the interval of the end.
    pub steps: String,
    /// What λ̂ does, and what the loss does meanwhile.
    pub kind: String,
    /// At how many settings that holds.
    pub settings: String,
    /// Change of the loss.
    pub dloss: String,
    /// Change of λ̂.
    pub dllc: String,
    /// What moved most.
    pub moved: String,
}

fn letter_of(kind: StageKind) -> &'static str {
    match kind {
        StageKind::A => "A",
        StageKind::B => "B",
        StageKind::Unresolved => "?",
    }
}

/// The second setting says something else.
#[must_use]
pub fn differs(stage: &Stage) -> bool {
    stage.second.is_some_and(|s| s.kind != stage.kind)
}

/// The letter of the band: two where the settings differ.
#[must_use]
pub fn letter(stage: &Stage) -> String {
    let own = letter_of(stage.kind);
    match stage.second.filter(|_| differs(stage)) {
        Some(second) => format!("{own}/{}", letter_of(second.kind)),
        None => own.into(),
    }
}

fn change(by: f64, se: f64) -> String {
    let sign = if by > 0.0 { "+" } else { "" };
    format!("{sign}{}", with_error(by, se))
}

/// A series by the name that its chart has for it, after that of the chart where it is one of several.
#[must_use]
pub fn name(card: &Card, id: &str) -> Option<String> {
    if let Some(own) = card.losses.iter().find(|l| l.id == id) {
        let chart = match own.panel {
            Panel::Below => card.below.split(" (").next().unwrap_or_default(),
            _ if own.panel.main() => "loss",
            _ => "",
        };
        return Some(match chart {
            "" => own.label.into(),
            chart if chart == own.label => chart.into(),
            chart => format!("{chart}: {}", own.label),
        });
    }
    // What stands behind a semicolon explains a band.
    let (name, _) = heads::series(id)?;
    Some(name.split(';').next().unwrap_or_default().to_string())
}

/// The row of a stage.
#[must_use]
pub fn row(card: &Card, all: &Stages, stage: &Stage) -> Row {
    let mut steps = format!("{} to {}", grouped(stage.from), grouped(stage.to));
    if stage.by_hand {
        steps += " (end by hand)";
    } else if let Some([lo, hi]) = stage.end {
        steps += &format!(" (end {} to {})", grouped(lo), grouped(hi));
    }
    let kind = match (stage.kind, stage.falling) {
        (StageKind::A, _) => "A, λ̂ rises",
        (StageKind::B, true) => "B, λ̂ falls, loss still falling",
        (StageKind::B, false) => "B, λ̂ falls",
        (StageKind::Unresolved, _) => "unresolved",
    };
    let settings = match (&stage.second, all.second) {
        (Some(second), Some([nbeta, ..])) => {
            let there = format!(
                "nβ {}: {}",
                Value::Float(nbeta).text(),
                change(second.dllc, second.se)
            );
            match (differs(stage), second.kind) {
                (false, _) => format!("the same at {there}"),
                (true, StageKind::Unresolved) => format!("unresolved at {there}"),
                (true, kind) => format!("{} at {there}", letter_of(kind)),
            }
        }
        _ => "not checked".into(),
    };
    let moved = stage.moved.iter().map(|m| {
        let name = name(card, &m.id).unwrap_or_else(|| m.id.clone());
        // As many digits as it takes to see that it moved.
        let told = |digits| [m.from, m.to].map(|v| significant(v, digits));
        let seen = (2..5).map(told).find(|[from, to]| from != to);
        let [from, to] = seen.unwrap_or_else(|| told(2));
        format!("{name} {from} → {to}")
    });
    Row {
        steps,
        kind: kind.into(),
        settings,
        dloss: stage.dloss.map_or("–".into(), |d| {
            let sign = if d > 0.0 { "+" } else { "" };
            format!("{sign}{}", significant(d, 2))
        }),
        dllc: change(stage.dllc, stage.se),
        moved: match moved.collect::<Vec<_>>().join(", ") {
            none if none.is_empty() => "–".into(),
            names => names,
        },
    }
}

/// All of it in a line, for the band's tooltip.
#[must_use]
pub fn told(card: &Card, all: &Stages, stage: &Stage) -> String {
    let r = row(card, all, stage);
    format!(
        "Steps {}: {}, Δλ̂ {}, {}",
        r.steps, r.kind, r.dllc, r.settings
    )
}

/// The stages as bands; one stage is no division of the run.
#[must_use]
pub fn bands(card: &Card, all: &Stages) -> Vec<Band> {
    let some = all.stages.iter().filter(|_| all.stages.len() > 1);
    some.map(|s| Band {
        from: s.from as f64,
        to: s.to as f64,
        letter: letter(s),
        pattern: match s.kind {
            _ if differs(s) => Pattern::Crossed,
            StageKind::A => Pattern::Plain,
            StageKind::B => Pattern::Hatched,
            StageKind::Unresolved => Pattern::Open,
        },
        hand: s.by_hand,
        title: told(card, all, s),
    })
    .collect()
}

/// The boundaries with the one that ends stage `at` moved, or taken away.
#[must_use]
pub fn cut(all: &Stages, at: usize, to: Option<u64>) -> Vec<u64> {
    let inner = all.stages.len().saturating_sub(1);
    let ends = all.stages[..inner].iter().map(|s| s.to).enumerate();
    let mut cuts: Vec<u64> = ends
        .filter_map(|(i, end)| if i == at { to } else { Some(end) })
        .collect();
    cuts.sort_unstable();
    cuts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Change, Moved};

    fn stage(kind: StageKind, second: Option<StageKind>) -> Stage {
        Stage {
            from: 100,
            to: 1640,
            end: Some([1600, 1700]),
            by_hand: false,
            kind,
            dllc: -3.21,
            se: 0.4,
            second: second.map(|kind| Change {
                kind,
                dllc: 1.0,
                se: 0.3,
            }),
            dloss: Some(-0.512),
            falling: true,
            moved: vec![Moved {
                id: "loss".into(),
                from: 2.91,
                to: 0.466,
            }],
        }
    }

    #[test]
    fn a_stage_says_at_how_many_settings_it_holds() {
        let one = Stages {
            stages: vec![stage(StageKind::B, None)],
            ..Stages::default()
        };
        let card = crate::experiments::CARDS[0];
        let r = row(card, &one, &one.stages[0]);
        assert_eq!(
            r.steps,
            "100 to 1\u{202f}640 (end 1\u{202f}600 to 1\u{202f}700)"
        );
        assert_eq!(
            (r.kind.as_str(), r.settings.as_str()),
            ("B, λ̂ falls, loss still falling", "not checked")
        );
        assert_eq!((r.dllc.as_str(), r.dloss.as_str()), ("−3.2 ± 0.4", "−0.51"));
        let label = card.losses.iter().find(|l| l.id == "loss").map(|l| l.label);
        assert_eq!(
            r.moved,
            format!("loss: {} 2.9 → 0.47", label.unwrap_or_default())
        );
        // As many digits as it takes: from 3.64 to 3.61 it moved.
        let mut near = one.clone();
        (near.stages[0].moved[0].from, near.stages[0].moved[0].to) = (3.642, 3.611);
        let said = row(card, &near, &near.stages[0]).moved;
        assert!(said.ends_with("3.64 → 3.61"), "{said}");
        // Set by hand, it says so, in the row and on the band.
        let mut hand = one.clone();
        (hand.stages[0].end, hand.stages[0].by_hand) = (None, true);
        let steps = row(card, &hand, &hand.stages[0]).steps;
        assert_eq!(steps, "100 to 1\u{202f}640 (end by hand)");
        hand.stages.push(stage(StageKind::A, None));
        let marked: Vec<bool> = bands(card, &hand).iter().map(|b| b.hand).collect();
        assert_eq!(marked, [true, false]);
        let two = |second| Stages {
            stages: vec![stage(StageKind::B, Some(second))],
            second: Some([100.0, 1000.0, 1.5e-4]),
            ..Stages::default()
        };
        let said = |second| {
            let all = two(second);
            (
                letter(&all.stages[0]),
                row(card, &all, &all.stages[0]).settings,
            )
        };
        assert_eq!(
            said(StageKind::B),
            ("B".into(), "the same at nβ 100: +1.0 ± 0.3".into())
        );
        assert_eq!(
            said(StageKind::A),
            ("B/A".into(), "A at nβ 100: +1.0 ± 0.3".into())
        );
        assert_eq!(said(StageKind::Unresolved).0, "B/?");
    }

    #[test]
    fn a_boundary_is_moved_or_taken_away_and_the_others_stay() {
        let ends = [10, 20, 30].map(|to| Stage {
            to,
            ..Stage::default()
        });
        let all = Stages {
            stages: ends.to_vec(),
            ..Stages::default()
        };
        assert_eq!(cut(&all, 1, Some(25)), [10, 25]);
        assert_eq!(cut(&all, 0, Some(27)), [20, 27]);
        assert_eq!(cut(&all, 0, None), [20]);
    }
}
