//! The recorded traces: JSON, pictures, the card's default link and the version are of one recording.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use lambdahat::app::link::Link;
use lambdahat::app::recorded::{self, Recorded};
use lambdahat::cli::record::pictures;
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
    for (chart, svg) in pictures(card, trace) {
        if std::fs::read_to_string(file(card, &format!("{chart}.svg"))).ok() != Some(svg) {
            out.push(format!(
                "{chart}.svg is of another trace, or drawn otherwise"
            ));
        }
    }
    out
}

/// `LAMBDAHAT_BLESS=1` draws the pictures anew from the traces.
#[test]
fn traces_and_pictures_are_of_one_recording() {
    let recorded = CARDS.iter().filter_map(|c| Some((c, recorded::of(c.id)?)));
    let mut seen = 0;
    for (card, trace) in recorded {
        seen += 1;
        if std::env::var_os("LAMBDAHAT_BLESS").is_some() {
            for (chart, svg) in pictures(card, trace) {
                std::fs::write(file(card, &format!("{chart}.svg")), svg).unwrap();
            }
        }
        assert_eq!(faults(card, trace), Vec::<String>::new(), "{}", card.id);
        // Planted faults: another version, another link, another number, no figure.
        let planted = |change: fn(&mut Recorded)| {
            let mut trace = trace.clone();
            change(&mut trace);
            faults(card, &trace).len()
        };
        assert!(planted(|t| t.version = "0.0.0".into()) > 0);
        assert!(planted(|t| t.link.push_str("&lr=1")) > 0);
        assert!(planted(|t| t.pca.pcs[1][0] += 1.0) == 1);
        assert!(planted(|t| t.still = None) == 1);
    }
    assert!(seen >= 2, "only {seen} experiments have a trace");
}
