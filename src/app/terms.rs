//! What the terms of the page mean: one or two plain sentences each, with the source where there is
//! one. They stand in `www/terms.json`, which comes with `index.html` and is no part of the program.

use std::collections::BTreeMap;
use std::sync::OnceLock;

/// Rows of the readout; their meanings are called `readout: <row>`.
pub const READOUT: [&str; 7] = [
    "checkpoint",
    "λ̂",
    "λ̂/nβ of the loss",
    "‖w−w*‖/‖w*‖",
    "loss under chains",
    "setting",
    "chains",
];

/// Rows of the status panel; their meanings are called `status: <row>`.
pub const STATUS: [&str; 13] = [
    "version",
    "device",
    "why the CPU",
    "runs are kept",
    "checkpoints kept",
    "fingerprint",
    "dispatches per training step",
    "submissions per training step",
    "dispatches so far",
    "submissions so far",
    "pipelines",
    "bind groups",
    "buffers",
];

static READ: OnceLock<BTreeMap<String, String>> = OnceLock::new();

/// Takes the meanings that came with the page, the text of `www/terms.json`. Only the first call counts;
/// without one there are none.
#[cfg(target_arch = "wasm32")]
pub fn hand_over(text: &str) {
    let _ = READ.set(crate::json::read(text).unwrap_or_default());
}

/// The meaning of a term; empty for one that nobody has explained.
#[must_use]
pub fn of(name: &str) -> &'static str {
    #[cfg(target_arch = "wasm32")]
    let text = "{}";
    #[cfg(not(target_arch = "wasm32"))]
    let text = include_str!("../../www/terms.json");
    let all = READ.get_or_init(|| crate::json::read(text).unwrap_or_default());
    all.get(name).map_or("", String::as_str)
}

/// What a knob of an experiment does.
#[must_use]
pub fn knob(experiment: &str, key: &str) -> &'static str {
    let own = of(&format!("knob {experiment} {key}"));
    if own.is_empty() {
        of(&format!("knob {key}"))
    } else {
        own
    }
}

/// The meaning of a unit; empty if it needs none.
#[must_use]
pub fn unit(unit: &str) -> &'static str {
    match unit {
        "nats" => of("nats"),
        "squared error" => of("squared"),
        "share of pairs" => of("share"),
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::experiments::heads::{BESIDE, INSTRUMENTS, TEXT};
    use serde_json::json;

    #[test]
    fn every_unit_on_the_page_has_a_meaning() {
        for spec in crate::experiments::CARDS.iter().flat_map(|c| c.losses) {
            assert!(
                spec.unit.is_empty() || !unit(spec.unit).is_empty(),
                "{}",
                spec.unit
            );
        }
        // Planted fault: a unit nobody has explained.
        assert!(unit("furlongs").is_empty());
    }

    /// Terms that are asked for and have no meaning, and meanings nobody asks for.
    fn faults(source: &str, known: &BTreeMap<String, String>) -> Vec<String> {
        let mut asked: Vec<String> = (source.split("of(\"").skip(1))
            .filter_map(|rest| Some(rest.split_once('"')?.0.to_string()))
            .collect();
        asked.extend(READOUT.iter().map(|row| format!("readout: {row}")));
        asked.extend(STATUS.iter().map(|row| format!("status: {row}")));
        for i in INSTRUMENTS.iter().chain(&BESIDE).chain(&TEXT) {
            asked.push(format!("instrument: {}", i.title));
        }
        let told = |name: &&String| {
            known
                .get(*name)
                .is_some_and(|t| t.len() > 20 && t.ends_with('.'))
        };
        let untold = asked.iter().filter(|name| !told(name)).cloned();
        // Those of the knobs are below.
        let knob = |name: &&String| name.starts_with("knob ");
        let rest = known.keys().filter(|name| !knob(name));
        let unasked = rest.filter(|name| !asked.contains(name)).cloned();
        untold.chain(unasked).collect()
    }

    /// What the page is handed of knobs, from where they are defined.
    fn defined() -> BTreeMap<String, String> {
        use crate::experiments::CARDS;
        let mut all: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
        for card in CARDS {
            for k in card.knobs {
                all.entry(k.key).or_default().push((card.id, k.help));
            }
        }
        let mut out = BTreeMap::new();
        for (key, of) in all {
            // What most say is said once.
            let most = of
                .iter()
                .max_by_key(|a| of.iter().filter(|b| a.1 == b.1).count());
            let most = most.unwrap().1;
            out.insert(format!("knob {key}"), most.to_string());
            let others = of.iter().filter(|a| a.1 != most);
            out.extend(others.map(|(id, help)| (format!("knob {id} {key}"), (*help).to_string())));
        }
        out
    }

    #[test]
    fn what_knobs_do_is_handed_to_the_page() {
        let text = include_str!("../../www/terms.json");
        let known: BTreeMap<String, String> = serde_json::from_str(text).unwrap();
        let card = |name: &str| name.starts_with("knob ");
        let known: BTreeMap<_, _> = known.into_iter().filter(|(k, _)| card(k)).collect();
        let lines = defined();
        let line = |(k, v): (&String, &String)| format!(" {}: {},\n", json!(k), json!(v));
        let all: String = lines.iter().map(line).collect();
        assert!(known == lines, "in www/terms.json should stand:\n{all}");
        for card in crate::experiments::CARDS {
            for k in card.knobs {
                assert_eq!(knob(card.id, k.key), k.help, "{} {}", card.id, k.key);
            }
        }
        // Planted: a knob that nobody has.
        assert!(knob("tms", "furlongs").is_empty());
    }

    #[test]
    fn every_term_has_a_meaning_and_every_meaning_a_place() {
        let ui = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ui");
        let files = std::fs::read_dir(ui).unwrap().map(|f| f.unwrap().path());
        let read = |path| std::fs::read_to_string(path).unwrap();
        // The units are above.
        let units = "of(\"nats\") of(\"squared\") of(\"share\")";
        let source: String = files.filter(|p| p.is_file()).map(read).collect();
        let source = source + units;
        let mut known: BTreeMap<String, String> =
            serde_json::from_str(include_str!("../../www/terms.json")).unwrap();
        assert_eq!(faults(&source, &known), Vec::<String>::new());
        // Planted: a term nobody has explained, and a meaning nobody asks for.
        known.insert("furlongs".into(), "An eighth of a mile, of old.".into());
        assert_eq!(faults(&source, &known), ["furlongs"]);
        known.remove("furlongs");
        let asked = source + "of(\"perches\")";
        assert_eq!(faults(&asked, &known), ["perches"]);
    }
}
