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

/// What is said of something an experiment has: a `knob`, `series`, `preset` or `pair` by its key, the
/// `look` (what to look for) by its place, the `event`.
#[must_use]
pub fn told(kind: &str, experiment: &str, key: &str) -> &'static str {
    let own = of(&format!("{kind} {experiment} {key}"));
    if own.is_empty() {
        of(&format!("{kind} {key}"))
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
    use super::super::health::SIGNS;
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
        asked.extend(SIGNS.iter().map(|name| format!("sign: {name}")));
        for i in INSTRUMENTS.iter().chain(&BESIDE).chain(&TEXT) {
            asked.push(format!("instrument: {}", i.title));
        }
        let told = |name: &&String| {
            known
                .get(*name)
                .is_some_and(|t| t.len() > 20 && t.ends_with('.'))
        };
        let untold = asked.iter().filter(|name| !told(name)).cloned();
        // Those of the experiments are below.
        let rest = known.keys().filter(|name| !defines(name));
        let unasked = rest.filter(|name| !asked.contains(name)).cloned();
        untold.chain(unasked).collect()
    }

    const KINDS: [&str; 7] = ["claim", "event", "knob", "look", "pair", "preset", "series"];

    /// Whether a name is of what the experiments define.
    fn defines(name: &str) -> bool {
        KINDS.contains(&name.split(' ').next().unwrap_or_default())
    }

    /// Kind, experiment, key and text of all that the page is handed, from where it is defined.
    fn all() -> Vec<(&'static str, &'static str, String, &'static str)> {
        let mut all = Vec::new();
        for card in crate::experiments::CARDS {
            let mut add = |kind, key: &str, text| all.push((kind, card.id, key.to_string(), text));
            card.knobs.iter().for_each(|k| add("knob", k.key, k.help));
            card.presets
                .iter()
                .for_each(|p| add("preset", p.id, p.help));
            card.losses.iter().for_each(|s| add("series", s.id, s.help));
            let pairs = crate::experiments::versus::pairs(card.id);
            pairs.iter().for_each(|p| add("pair", p.id, p.help));
            let look = card.look_for.iter().enumerate();
            look.for_each(|(i, l)| add("look", &i.to_string(), l));
            add("event", "event", card.event.told);
            add("claim", "claim", card.claim);
        }
        all.retain(|a| !a.3.is_empty());
        all
    }

    /// The same as it is written; what most say is said once.
    fn defined() -> BTreeMap<String, String> {
        let all = all();
        let mut out = BTreeMap::new();
        for (kind, _, key, _) in &all {
            let of = all.iter().filter(|a| (a.0, &a.2) == (*kind, key));
            let common = |text: &&str| of.clone().filter(|b| *text == b.3).count();
            let most = of.clone().map(|a| a.3).max_by_key(common).unwrap();
            out.insert(format!("{kind} {key}"), most.to_string());
            let others = of.clone().filter(|a| a.3 != most);
            out.extend(others.map(|a| (format!("{kind} {} {key}", a.1), a.3.to_string())));
        }
        out
    }

    #[test]
    fn what_experiments_say_is_handed_to_the_page() {
        let text = include_str!("../../www/terms.json");
        let known: BTreeMap<String, String> = serde_json::from_str(text).unwrap();
        let known: BTreeMap<_, _> = known.into_iter().filter(|(k, _)| defines(k)).collect();
        let lines = defined();
        let line = |(k, v): (&String, &String)| format!(" {}: {},\n", json!(k), json!(v));
        let whole: String = lines.iter().map(line).collect();
        assert!(known == lines, "in www/terms.json should stand:\n{whole}");
        for kind in KINDS {
            assert!(all().iter().any(|a| a.0 == kind), "{kind}");
        }
        for (kind, card, key, text) in all() {
            assert_eq!(told(kind, card, &key), text, "{kind} {card} {key}");
        }
        // Planted: a knob that nobody has.
        assert!(told("knob", "tms", "furlongs").is_empty());
    }

    #[test]
    fn every_term_has_a_meaning_and_every_meaning_a_place() {
        let ui = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ui");
        let files = std::fs::read_dir(ui).unwrap().map(|f| f.unwrap().path());
        let read = |path| std::fs::read_to_string(path).unwrap();
        // The units are above.
        let units = "of(\"nats\") of(\"squared\") of(\"share\")";
        let source: String = files.filter(|p| p.is_file()).map(read).collect();
        let app = [include_str!("words.rs"), include_str!("leads.rs")];
        let app = app
            .map(|t| t.split("#[cfg(test)]").next().unwrap())
            .concat();
        let source = source + units + &app;
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
