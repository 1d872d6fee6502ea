//! What the loss chart shows, in words: its reference lines and every term on it.

use super::tip::Term;
use crate::app::terms;
use crate::experiments::{Card, Panel, RefLine, SeriesSpec};
use crate::knobs::Knobs;
use crate::plot::line::Level;
use crate::plot::number::significant;

/// A series' name, with its unit where that is not the loss's.
fn named(spec: &SeriesSpec) -> String {
    if spec.panel.main() || spec.unit.is_empty() {
        spec.label.to_string()
    } else {
        format!("{} ({})", spec.label, spec.unit)
    }
}

/// The lines that the run itself has measured: what predictors cost on its held-out data.
pub fn measured(card: &Card, last: impl Fn(&str) -> Option<f64>) -> Vec<Level> {
    let specs = card.losses.iter().filter(|l| l.panel == Panel::Level);
    let level = |l: &SeriesSpec| {
        Some(Level {
            y: last(l.id)?,
            label: l.label.into(),
            help: terms::told("series", card.id, l.id).into(),
        })
    };
    specs.filter_map(level).collect()
}

/// The reference lines of a panel at these settings.
pub fn levels(card: &Card, knobs: &Knobs, panel: Panel) -> Vec<Level> {
    let level = |l: RefLine| Level {
        y: l.y,
        label: l.label,
        help: l.help,
    };
    let all = (card.reference)(knobs).into_iter();
    all.filter(|l| l.panel == panel).map(level).collect()
}

/// Every term of the chart: curves, reference lines with their values, the unit, the toggles.
pub fn meanings(card: &Card, knobs: &Knobs) -> Vec<Term> {
    let unit = card.losses.first().map_or("", |l| l.unit);
    let curves = card
        .losses
        .iter()
        .map(|s| (named(s), terms::told("series", card.id, s.id).to_string()));
    let levels = (card.reference)(knobs).into_iter().map(|l| {
        let name = format!("{} ({})", l.label, significant(l.y, 3));
        (name, l.help)
    });
    let rest = [
        (unit, terms::unit(unit)),
        ("log step", terms::of("log step")),
        ("log loss", terms::of("log loss")),
    ];
    let rest = rest.map(|(name, help)| (name.to_string(), help.to_string()));
    curves.chain(levels).chain(rest).collect()
}
