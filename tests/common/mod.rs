//! Runs of links, on the CPU engine unless another is named.
#![allow(dead_code)] // Every test takes what it needs.

use lambdahat::app::link;
use lambdahat::engine::{Session, Source};
use lambdahat::experiments::{self, Parts};
use lambdahat::protocol::{EngineChoice, Phase};
use pollster::block_on;

/// A session at its beginning, its parts changed before.
pub fn session_with(text: &str, change: impl Fn(&mut Parts)) -> Session {
    session_on(EngineChoice::Cpu, text, change)
}

/// The same on an engine.
pub fn session_on(engine: EngineChoice, text: &str, change: impl Fn(&mut Parts)) -> Session {
    let link = link::parse(text);
    assert!(link.notices.is_empty(), "{text}: {:?}", link.notices);
    let (source, _) = block_on(Source::find(engine, true)).unwrap();
    let mut parts = experiments::build(link.experiment, &link.knobs).unwrap();
    change(&mut parts);
    let exec = block_on(source.exec(&parts.plan)).unwrap();
    let mut s = Session::new(parts, exec);
    s.begin().unwrap();
    s
}

/// A session at its beginning.
pub fn session(text: &str) -> Session {
    session_with(text, |_| ())
}

/// The session at its end.
pub fn ended(mut s: Session) -> Session {
    while block_on(s.pump()).unwrap() {}
    assert_eq!(s.phase(), Phase::Done);
    s
}
