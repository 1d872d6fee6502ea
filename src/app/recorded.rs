//! Traces recorded by `lambdahat run --record`: what a chart shows before a run, in grey and with
//! its origin beside it.

use super::still::Still;
use crate::knobs::{Group, Knob, Knobs};
use crate::protocol::{Figure, LlcPoint, PcaUpdate, Stages};
use serde::{Deserialize, Serialize, Serializer};
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// A recorded series.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Trace {
    /// Steps.
    pub x: Vec<f64>,
    /// Values.
    pub y: Vec<f64>,
}

/// A recorded run, thinned to what a small chart shows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Recorded {
    /// The link it replays.
    pub link: String,
    /// The version of the program that recorded it.
    pub version: String,
    /// The device it ran on, in words.
    pub device: String,
    /// Steps of the whole run.
    pub steps: f64,
    /// Series by id.
    pub series: BTreeMap<String, Trace>,
    /// λ̂: of each point what a chart draws.
    #[serde(serialize_with = "drawn")]
    pub llc: Vec<LlcPoint>,
    /// Logit-PCA.
    pub pca: PcaUpdate,
    /// The model at the end.
    pub still: Option<Still>,
    /// What each head is called in that figure, `[layer][head]`; empty where there are none.
    pub heads: Vec<String>,
    /// λ̂ at a second setting: nβ, γ, ε, then step, value and standard error of each point.
    pub second: Option<Vec<f64>>,
    /// The stages that its λ̂ points have, at both settings; last, so that they can be found anew without a new recording.
    pub stages: Option<Stages>,
}

/// What a chart draws of a λ̂ point.
#[derive(Serialize)]
struct Drawn {
    step: u64,
    value: f64,
    se: f64,
    init_loss: f64,
    mean_loss: f64,
    distance: f64,
    failed_chains: u32,
}

fn drawn<S: Serializer>(points: &[LlcPoint], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(points.iter().map(|p| Drawn {
        step: p.step,
        value: p.value,
        se: p.se,
        init_loss: p.init_loss,
        mean_loss: p.mean_loss,
        distance: p.distance,
        failed_chains: p.failed_chains,
    }))
}

/// The files, by experiment. In the page they are data of `index.html` and no part of the program:
/// see [`hand_over`].
#[cfg(not(target_arch = "wasm32"))]
const FILES: &[(&str, &str)] = &[
    ("tms", include_str!("../../www/traces/tms.json")),
    ("induction", include_str!("../../www/traces/induction.json")),
    ("markov", include_str!("../../www/traces/markov.json")),
    ("text", include_str!("../../www/traces/text.json")),
    ("grok", include_str!("../../www/traces/grok.json")),
];

static READ: OnceLock<BTreeMap<String, Recorded>> = OnceLock::new();

/// Takes the traces that came with the page: an element with the text of each, its id `trace-` and the
/// experiment's. Only the first call counts; without one there are none.
#[cfg(target_arch = "wasm32")]
pub fn hand_over(text: impl Fn(&str) -> Option<String>) {
    let cards = crate::experiments::CARDS.iter();
    let mut all = BTreeMap::new();
    all.extend(cards.filter_map(|c| Some((c.id.into(), parse(&text(c.id)?)?))));
    let _ = READ.set(all);
}

/// The trace of an experiment, if one was recorded.
#[must_use]
pub fn of(experiment: &str) -> Option<&'static Recorded> {
    #[cfg(not(target_arch = "wasm32"))]
    let all = READ.get_or_init(|| {
        let files = FILES.iter();
        files
            .filter_map(|(id, text)| Some(((*id).to_string(), parse(text)?)))
            .collect()
    });
    #[cfg(target_arch = "wasm32")]
    let all = READ.get()?;
    all.get(experiment)
}

/// Reads a trace; none for a file that is empty or is none.
#[must_use]
pub fn parse(text: &str) -> Option<Recorded> {
    let recorded: Recorded = crate::json::read(text).ok()?;
    (!recorded.series.is_empty()).then_some(recorded)
}

impl Recorded {
    /// Where it comes from, in words: stands in its pictures and beside them.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("Recorded by lambdahat {} from {}", self.version, self.link)
    }

    /// Settings of model, data and training in which it differs from a form, in words; none where it is of
    /// that form, whatever the seed.
    #[must_use]
    pub fn apart(&self, form: &Knobs) -> Option<String> {
        let own = super::link::parse(&self.link).knobs;
        let differs = |k: &&Knob| {
            k.group != Group::Sampler && k.key != "seed" && own.get(k.key) != form.get(k.key)
        };
        let all = own.schema().iter().filter(differs);
        let told = all.filter_map(|k| Some(format!("{} {}", k.label, own.get(k.key)?.text())));
        let told: Vec<String> = told.collect();
        (!told.is_empty()).then(|| format!("Its settings are not the form’s: {}", told.join(", ")))
    }

    /// The figure of the model, if it was recorded.
    #[must_use]
    pub fn figure(&self) -> Option<Figure> {
        self.still.as_ref().map(Still::figure)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_file_is_a_trace_or_is_empty() {
        for (id, text) in FILES {
            let read: Recorded = serde_json::from_str(text).unwrap();
            assert_eq!(
                read.version,
                crate::VERSION,
                "record {id} again: lambdahat run LINK --record"
            );
            // An experiment that was not recorded yet.
            if read.link.is_empty() {
                continue;
            }
            let link = crate::app::link::parse(&read.link);
            assert!(link.notices.is_empty(), "{id}: {:?}", link.notices);
            assert_eq!(link.text(true), read.link, "{id}");
            assert!(read.link.starts_with(&format!("#/{id}?")), "{id}");
            assert!(
                text.len() < 64 << 10,
                "the trace of {id} is too large for the page"
            );
        }
    }

    #[test]
    fn a_form_it_is_not_of_is_told() {
        let recorded = of("induction").unwrap();
        let form = |text| crate::app::link::parse(text).knobs;
        let same = form("#/induction?seed=5&nbeta=50");
        assert_eq!(recorded.apart(&same), None);
        let other = recorded.apart(&form("#/induction?layers=1")).unwrap();
        assert_eq!(other, "Its settings are not the form’s: layers 2");
    }

    #[test]
    fn what_is_no_trace_is_none() {
        assert_eq!(parse("{}"), None);
        assert_eq!(parse("["), None);
        assert!(parse(r#"{"series":{"loss":{"x":[0],"y":[1]}}}"#).is_some());
    }
}
