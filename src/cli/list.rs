//! `lambdahat list`: every experiment with its knobs and presets, as text or JSON.

use crate::experiments::{CARDS, Card, Preset, SeriesSpec};
use crate::knobs::{Kind, Knob};
use serde::Serialize;
use std::fmt::Write;

/// An experiment as `list --json` prints it.
#[derive(Serialize)]
struct Entry<'a> {
    id: &'a str,
    title: &'a str,
    claim: &'a str,
    knobs: &'a [Knob],
    presets: &'a [Preset],
    light: Option<&'a str>,
    losses: &'a [SeriesSpec],
}

/// The experiment of that name alone; all of them without one.
#[must_use]
pub fn chosen(id: Option<&str>) -> Vec<&'static Card> {
    let all = CARDS.iter().copied();
    all.filter(|c| id.is_none_or(|id| c.id == id)).collect()
}

/// Experiments as one JSON array, ending in a newline.
#[must_use]
pub fn json(cards: &[&Card]) -> String {
    let entries: Vec<Entry<'_>> = cards.iter().map(|card| entry(card)).collect();
    // Plain data under string keys: serialising it cannot fail.
    let mut text = serde_json::to_string_pretty(&entries).unwrap_or_default();
    text.push('\n');
    text
}

fn entry(card: &Card) -> Entry<'_> {
    Entry {
        id: card.id,
        title: card.title,
        claim: card.claim,
        knobs: card.knobs,
        presets: card.presets,
        light: card.light,
        losses: card.losses,
    }
}

/// Experiments for people.
#[must_use]
pub fn text(cards: &[&Card]) -> String {
    let mut out = String::new();
    for card in cards {
        // Writing to a String cannot fail.
        let _ = describe(card, &mut out);
    }
    out
}

fn describe(card: &Card, out: &mut String) -> std::fmt::Result {
    writeln!(out, "{}: {}\n  {}\n", card.id, card.title, card.claim)?;
    let key = card.knobs.iter().map(|k| k.key.len()).max().unwrap_or(0);
    let short = |k: &Knob| Some(range(k)).filter(|r| r.chars().count() <= RANGE);
    let width = card.knobs.iter().filter_map(short);
    let width = width.map(|r| r.chars().count()).max().unwrap_or(0);
    for knob in card.knobs {
        let unit = if knob.unit.is_empty() {
            String::new()
        } else {
            format!(" [{}]", knob.unit)
        };
        let default = knob.default.text();
        match short(knob) {
            Some(range) => writeln!(out, "  {:key$}  {range:width$}  {default}{unit}", knob.key)?,
            None => writeln!(
                out,
                "  {:key$}  {:width$}  {default}{unit}\n      {}",
                knob.key,
                "",
                range(knob)
            )?,
        }
        writeln!(out, "      {}", knob.help)?;
    }
    writeln!(out)?;
    for preset in card.presets {
        let link = if preset.query.is_empty() {
            String::new()
        } else {
            format!("?v=1&{}", preset.query)
        };
        writeln!(
            out,
            "  preset {}: {}\n      #/{}{link}",
            preset.id, preset.help, card.id
        )?;
    }
    writeln!(out)
}

/// Characters of a line's column of ranges; longer ranges stand on a line of their own.
const RANGE: usize = 26;
/// Options that are listed; `list --json` has the others.
const OPTIONS: usize = 9;

/// The values a knob takes.
fn range(knob: &Knob) -> String {
    match knob.kind {
        Kind::Int { min, max } => format!("{min}..={max}"),
        Kind::Float { min, max } => format!(
            "{}..={}",
            crate::knobs::Value::Float(min).text(),
            crate::knobs::Value::Float(max).text()
        ),
        Kind::Choice { options } if options.len() > OPTIONS => {
            let first = options[..OPTIONS].join("|");
            format!("{first}|… ({} in all: list --json)", options.len())
        }
        Kind::Choice { options } => options.join("|"),
        Kind::Digest => "none|SHA-256…".into(),
        Kind::List { min, max, .. } => {
            let [min, max] = [min, max].map(|x| crate::knobs::Value::Float(x).text());
            format!("{min}..={max},…")
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// What a reader of the JSON relies on; the first thing missing.
    fn missing(text: &str) -> Option<String> {
        let list: serde_json::Value = serde_json::from_str(text).unwrap();
        for card in CARDS {
            let entry = list.as_array()?.iter().find(|e| e["id"] == card.id);
            let Some(entry) = entry else {
                return Some(card.id.into());
            };
            for knob in card.knobs {
                let found = entry["knobs"]
                    .as_array()?
                    .iter()
                    .find(|k| k["key"] == knob.key);
                let Some(found) = found else {
                    return Some(knob.key.into());
                };
                for field in ["kind", "default", "unit", "help"] {
                    if found[field].is_null() {
                        return Some(format!("{} {field}", knob.key));
                    }
                }
                // Any name goes.
                let ranged = found["kind"] == "digest"
                    || !found["options"].is_null()
                    || (!found["min"].is_null() && !found["max"].is_null());
                if !ranged {
                    return Some(format!("{} range", knob.key));
                }
            }
        }
        None
    }

    #[test]
    fn the_json_names_every_knob() {
        assert_eq!(missing(&json(CARDS)), None);
        assert_eq!(
            missing(&json(CARDS).replace("\"gamma\"", "\"gama\"")),
            Some("gamma".into())
        );
        assert_eq!(missing("[]"), Some(CARDS[0].id.into()));
    }

    /// The longest line that is a setting's, or lists what it takes.
    fn widest(text: &str) -> usize {
        let prose = |l: &str| {
            CARDS
                .iter()
                .flat_map(|c| c.knobs)
                .any(|k| l.trim() == k.help)
        };
        let settings = text.lines().filter(|l| l.starts_with("  ") && !prose(l));
        let settings = settings.take_while(|l| !l.trim_start().starts_with("preset "));
        settings
            .skip(1)
            .map(|l| l.chars().count())
            .max()
            .unwrap_or(0)
    }

    #[test]
    fn settings_fit_the_width_of_a_terminal() {
        let induction = text(&chosen(Some("induction")));
        assert!(widest(&induction) <= 120, "{}", widest(&induction));
        // Planted: one long list makes every line as wide.
        let wide = induction.replace("2..=126", &"x".repeat(120));
        assert!(widest(&wide) > 120);
    }

    #[test]
    fn one_is_listed_alone() {
        let one = chosen(Some("grok"));
        assert_eq!((one.len(), one[0].id), (1, "grok"));
        assert!(text(&one).starts_with("grok: ") && !text(&one).contains("tms: "));
        assert_eq!(chosen(None).len(), CARDS.len());
    }

    #[test]
    fn the_text_names_every_knob_and_preset() {
        let text = text(CARDS);
        for card in CARDS {
            assert!(
                card.knobs
                    .iter()
                    .all(|k| text.contains(k.key) && text.contains(k.help))
            );
            assert!(card.presets.iter().all(|p| text.contains(p.query)));
        }
    }
}
