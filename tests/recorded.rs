//! The recorded traces: JSON, pictures, the card's default link and the version are of one recording.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use lambdahat::app::link::Link;
use lambdahat::app::recorded::{self, Recorded};
use lambdahat::app::still::Still;
use lambdahat::cli::record::{pictures, stages};
use lambdahat::experiments::{CARDS, Card};
use std::path::PathBuf;

fn file(card: &Card, ending: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("www/traces")
        .join(format!("{}.{ending}", card.id))
}

/// What does not fit together.
fn faults(card: &'static Card, trace: &Recorded) -> Vec<String> {
    let mut out = Vec::new();
    if trace.version != lambdahat::VERSION {
        out.push(format!("recorded by version {}", trace.version));
    }
    if trace.link != Link::of(card).text(true) {
        out.push(format!("recorded from {}, no default link", trace.link));
    }
    if trace.figure().is_none() {
        out.push("without a figure of the model".into());
    }
    let drawn = match &trace.still {
        Some(Still::Attention { layers, heads, .. }) => layers * heads,
        _ => 0,
    };
    if trace.heads.len() != drawn {
        out.push("with heads that its figure has not".into());
    }
    if trace.stages != stages(trace) || trace.stages.is_none() {
        out.push("with stages that its λ̂ points do not have".into());
    }
    let stages = trace.stages.iter().flat_map(|all| &all.stages);
    if stages.into_iter().any(|s| s.second.is_none()) {
        out.push("with stages typed at one setting alone".into());
    }
    for (chart, svg) in pictures(card, trace) {
        if std::fs::read_to_string(file(card, &format!("{chart}.svg"))).ok() != Some(svg) {
            out.push(format!(
                "{chart}.svg is of another trace, or drawn otherwise"
            ));
        }
    }
    out
}

/// Finds the stages of a trace anew from its λ̂ points; they stand last in its file, and what was
/// recorded keeps its bytes.
fn restage(card: &Card, trace: &Recorded) -> Recorded {
    let file = file(card, "json");
    let text = std::fs::read_to_string(&file).unwrap();
    let kept = match text.rsplit_once(",\"stages\":") {
        // The points of PCA and others have no field of that name.
        Some((kept, _)) => kept,
        None => text.trim_end().strip_suffix('}').unwrap(),
    };
    let stages = stages(trace);
    let told = serde_json::to_string(&stages).unwrap();
    std::fs::write(&file, format!("{kept},\"stages\":{told}}}")).unwrap();
    Recorded {
        stages,
        ..trace.clone()
    }
}

/// `LAMBDAHAT_BLESS=1` finds the stages of the traces anew, and draws their pictures.
#[test]
fn traces_and_pictures_are_of_one_recording() {
    let recorded = CARDS.iter().filter_map(|c| Some((c, recorded::of(c.id)?)));
    let mut seen = 0;
    for (card, trace) in recorded {
        seen += 1;
        let mut trace = trace.clone();
        if std::env::var_os("LAMBDAHAT_BLESS").is_some() {
            trace = restage(card, &trace);
            for (chart, svg) in pictures(card, &trace) {
                std::fs::write(file(card, &format!("{chart}.svg")), svg).unwrap();
            }
        }
        assert_eq!(faults(card, &trace), Vec::<String>::new(), "{}", card.id);
        // Planted faults: another version, another link, another number, no figure, a stage called
        // otherwise, a λ̂ point that its stages do not know.
        let planted = |change: fn(&mut Recorded)| {
            let mut trace = trace.clone();
            change(&mut trace);
            faults(card, &trace).len()
        };
        assert!(planted(|t| t.version = "0.0.0".into()) > 0);
        assert!(planted(|t| t.link.push_str("&lr=1")) > 0);
        assert!(planted(|t| t.pca.pcs[1][0] += 1.0) == 1);
        assert!(planted(|t| t.still = None) >= 1);
        assert!(planted(|t| t.heads.push(String::new())) == 1);
        let first = |t: &mut Recorded| t.stages.as_mut().unwrap().stages[0].to += 1;
        assert!(planted(first) >= 1);
        assert!(planted(|t| t.llc[20].value += 100.0) >= 1);
        assert!(planted(|t| t.second = None) >= 1);
        let one = |t: &mut Recorded| t.stages.as_mut().unwrap().stages[0].second = None;
        assert!(planted(one) >= 2);
    }
    assert!(seen >= 2, "only {seen} experiments have a trace");
}
