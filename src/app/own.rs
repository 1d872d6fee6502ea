//! The person's own text: what becomes of the form when one is given, and what is said of it.

use super::action::{Action, Effect};
use super::form::formed;
use super::state::State;
use crate::experiments::text::own::{check, missing};
use crate::knobs::{Digest, Value};
use crate::plot::number::grouped;
use crate::protocol::{Fault, Notice};

/// The largest vocabulary that a text is given unasked.
const MOST: i64 = 256;
/// Texts that are kept: one that another took the place of may be a run's on the screen.
pub const KEPT: usize = 2;

/// Different characters of a text, fewer than [`MOST`].
fn characters(text: &str) -> i64 {
    let mut seen: Vec<char> = Vec::new();
    for c in text.chars().filter(|c| *c != '\r') {
        if !seen.contains(&c) && (seen.len() as i64) < MOST - 1 {
            seen.push(c);
        }
    }
    seen.len() as i64
}

/// What a text, or the browser's refusal to keep it, changes.
pub(super) fn act(state: &mut State, action: Action) -> Vec<Effect> {
    let Action::Text(bytes) = action else {
        state.unkept = !state.own.is_empty();
        return Vec::new();
    };
    if !bytes.is_empty() {
        return given(state, bytes);
    }
    state.own.clear();
    state.unkept = false;
    vec![Effect::Text(bytes)]
}

/// A text as the link names it, where the two differ in their line ends alone: a field that is pasted into
/// has line ends of its own.
fn as_named(asked: Digest, bytes: Vec<u8>) -> Vec<u8> {
    let other = std::str::from_utf8(&bytes).map(|t| match t.contains('\r') {
        true => t.replace("\r\n", "\n"),
        false => t.replace('\n', "\r\n"),
    });
    match other.map(String::into_bytes) {
        Ok(other) if check(&other).is_ok_and(|(name, _)| name == asked) => other,
        _ => bytes,
    }
}

/// Reads a text from now on; what is none is refused in words, and nothing changes.
pub(super) fn given(state: &mut State, bytes: Vec<u8>) -> Vec<Effect> {
    state.refused.clear();
    let asked = state.link.knobs.digest("text");
    let missing = asked != Digest(0) && state.own.iter().all(|(name, _)| *name != asked);
    let bytes = if missing {
        as_named(asked, bytes)
    } else {
        bytes
    };
    let (name, needed) = match check(&bytes) {
        Ok((name, text)) => (name, characters(text) + 1),
        Err(why) => {
            state.refused = vec![why];
            return Vec::new();
        }
    };
    let (mut knobs, mut notices) = (state.link.knobs.clone(), Vec::new());
    if asked != name && missing {
        let [asked, name] = [asked, name].map(Digest::text);
        let why = format!(
            "This is not the text of the link: its SHA-256 begins with {name}, and the link asks for {asked}. It is read all the same, and the link now names it."
        );
        notices.push(Notice::about("text", why));
    }
    state.own.retain(|(known, _)| *known != name);
    state.own.insert(0, (name, bytes.len()));
    state.own.truncate(KEPT);
    state.unkept = false;
    // Another text than the link's has characters of its own; a link's settings stay what they are.
    if asked != name && knobs.word("tokens") == "chars" && knobs.int("vocab") < needed {
        knobs.put("vocab", Value::Int(needed));
        let why = format!(
            "The vocabulary V is {needed} now: the text has {} different characters{}, and one token stands for all others.",
            needed - 1,
            if needed == MOST { " or more" } else { "" }
        );
        notices.push(Notice::about("vocab", why));
    }
    let longest = knobs.int("pmax");
    if knobs.word("tokens") == "chars" && needed <= longest {
        let why = format!(
            "Different characters of the text: {}. A period holds each once at most, so the repeats have shorter periods than p_max {longest}.",
            needed - 1
        );
        notices.push(Notice::about("pmax", why));
    }
    knobs.put("text", Value::Digest(name));
    let mut effects = vec![Effect::Text(bytes)];
    effects.extend(formed(state, knobs, notices));
    effects
}

/// Whether the link's text is not here: then nothing is started, and it is asked for.
pub(super) fn asks(state: &mut State) -> bool {
    let asks = told(state).1;
    if asks {
        let why = missing(state.link.knobs.digest("text"));
        (state.fault, state.link.run) = (Some(Fault::BadLink(why)), false);
    }
    asks
}

/// What is read, and whether that is a text which is not here.
#[must_use]
pub fn told(state: &State) -> (String, bool) {
    let asked = state.link.knobs.digest("text");
    match state.own.iter().find(|(name, _)| *name == asked) {
        _ if asked == Digest(0) => ("The stories are read.".into(), false),
        Some((_, bytes)) => {
            let bytes = grouped(*bytes as u64);
            (
                format!(
                    "Your text of {bytes} bytes is read. The link names it: {}.",
                    asked.text()
                ),
                false,
            )
        }
        None => (
            format!(
                "The text of this link is not here, and no link holds one: give the file whose SHA-256 begins with {}.",
                asked.text()
            ),
            true,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::reduce::reduce;
    use crate::app::state::Theme;

    const LINK: &str = "#/text?v=1&text=0123456789abcdef";

    fn state(link: &str) -> State {
        State::new(link, true, Theme::default())
    }

    #[test]
    fn a_text_that_is_given_is_kept_and_named_by_the_link() {
        let mut s = state("#/text?v=1&pmin=2&pmax=6");
        assert_eq!(told(&s), ("The stories are read.".into(), false));
        let text = "A line of a text.\n".repeat(700).into_bytes();
        let effects = reduce(&mut s, Action::Text(text.clone()));
        assert_eq!(effects[0], Effect::Text(text.clone()));
        let name = s.link.knobs.digest("text");
        assert!(matches!(&effects[1], Effect::Address(a) if a.contains(&name.text())));
        assert!(s.link.notices.is_empty() && !told(&s).1);
        // What the browser refuses to keep is said until another text is given.
        let _ = reduce(&mut s, Action::Unkept);
        assert!(s.unkept);
        let _ = reduce(&mut s, Action::Text(text.clone()));
        assert!(!s.unkept);
        // What is empty takes nothing away, and it is said.
        assert_eq!(
            reduce(&mut s, Action::Import("mine.txt".into(), Vec::new())),
            []
        );
        assert!(s.refused[0].contains("empty") && !told(&s).1);
        // A preset reads it on; the stories are a setting like any other.
        let _ = reduce(&mut s, Action::Preset("tiny".into()));
        assert_eq!(s.link.knobs.digest("text"), name);
        let _ = reduce(&mut s, Action::Knob("text".into(), "none".into()));
        assert_eq!(told(&s).0, "The stories are read.");
        // Forgotten, it is asked for.
        let _ = reduce(&mut s, Action::Knob("text".into(), name.text()));
        assert!(!told(&s).1);
        assert_eq!(
            reduce(&mut s, Action::Text(Vec::new())),
            [Effect::Text(Vec::new())]
        );
        assert!(told(&s).1);
    }

    #[test]
    fn a_link_asks_for_its_text_and_notices_another() {
        let mut s = state(LINK);
        assert!(told(&s).1 && told(&s).0.contains("0123456789abcdef"));
        // Run is no way around it, and what is on the screen stays.
        assert_eq!(reduce(&mut s, Action::RunOrPause), []);
        assert!(s.run.is_none() && matches!(s.fault, Some(Fault::BadLink(_))));
        // A file that is dropped is a text here.
        let text = "Another text.\n".repeat(900).into_bytes();
        // Another setting is no answer, the stories are one.
        let mut other = s.clone();
        let _ = reduce(&mut other, Action::Knob("lr".into(), "1e-3".into()));
        assert!(other.fault.is_some());
        let _ = reduce(&mut other, Action::Knob("text".into(), "none".into()));
        assert_eq!(other.fault, None);
        let _ = reduce(&mut s, Action::Import("mine.txt".into(), text));
        assert!(s.link.notices[0].text.contains("not the text of the link"));
        assert!(!told(&s).1 && s.fault.is_none());
    }

    /// The text of the run on the screen is still here when another one is given.
    #[test]
    fn a_second_text_takes_nothing_away() {
        let mut s = state("#/text?v=1&pmin=2&pmax=6");
        let text = |thing: &str| format!("A line of {thing}.\n").repeat(700).into_bytes();
        let mut names = Vec::new();
        for thing in ["one", "another", "a third"] {
            let _ = reduce(&mut s, Action::Text(text(thing)));
            names.push(s.link.knobs.digest("text"));
            assert!(s.link.notices.is_empty(), "{:?}", s.link.notices);
        }
        let asks = |s: &mut State, name: Digest| {
            let _ = reduce(s, Action::Knob("text".into(), name.text()));
            told(s).1
        };
        assert!(!asks(&mut s, names[1]) && !asks(&mut s, names[2]));
        // There is room for two.
        assert!(asks(&mut s, names[0]));
        // Line ends are not what makes another text: a field has its own.
        let windows = |text: Vec<u8>| {
            String::from_utf8(text)
                .unwrap_or_default()
                .replace('\n', "\r\n")
                .into_bytes()
        };
        let _ = reduce(&mut s, Action::Text(windows(text("one"))));
        assert!(s.link.knobs.digest("text") == names[0] && s.link.notices.is_empty());
        // Planted fault: one character more does.
        let _ = reduce(&mut s, Action::Knob("text".into(), names[1].text()));
        s.own.clear();
        let _ = reduce(&mut s, Action::Text(windows(text("another.."))));
        assert!(s.link.notices[0].text.contains("not the text of the link"));
    }

    #[test]
    fn few_characters_make_short_periods_and_it_is_said() {
        let mut s = state("#/text?v=1");
        let _ = reduce(&mut s, Action::Text(b"ab\n".repeat(4000)));
        assert!(s.link.notices[0].text.contains("of the text: 3."));
    }

    /// A text of many characters has a token for each; the link that names it keeps its own settings.
    #[test]
    fn every_character_of_a_text_is_a_token() {
        let of = |many: u32| {
            let all = (0..many).filter_map(|i| char::from_u32(0x4e00 + i));
            all.collect::<String>()
                .repeat(4000 / many as usize)
                .into_bytes()
        };
        for (many, vocab) in [(50, 68), (100, 101), (1000, 256)] {
            let mut s = state("#/text?v=1");
            let _ = reduce(&mut s, Action::Text(of(many)));
            assert_eq!(s.link.knobs.int("vocab"), vocab);
            assert_eq!(s.link.notices.len(), usize::from(vocab != 68));
            // A preset reads it on, with its characters.
            let _ = reduce(&mut s, Action::Preset("tiny".into()));
            assert_eq!(s.link.knobs.int("vocab"), vocab);
            let _ = reduce(&mut s, Action::Preset("pairs".into()));
            assert_eq!(s.link.knobs.int("vocab"), 256);
        }
        let name = check(&of(100)).map(|(name, _)| name.text());
        let mut s = state(&format!("#/text?v=1&text={}", name.unwrap_or_default()));
        let _ = reduce(&mut s, Action::Text(of(100)));
        assert_eq!(s.link.knobs.int("vocab"), 68);
    }

    #[test]
    fn what_is_no_text_changes_nothing() {
        let mut s = state(LINK);
        let before = s.link.clone();
        assert_eq!(reduce(&mut s, Action::Text(b"too short".to_vec())), []);
        assert!(s.refused[0].contains("bytes") && s.link == before && s.own.is_empty());
    }
}
