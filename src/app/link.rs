//! The link: `#/induction?v=1&layers=2&seed=7`. One text holds a whole run, and the page, the
//! engine and the command line read it with the same function. Whatever is wrong with a link is
//! said in a notice; nothing in it can panic, and its length is bounded before anything is copied.

pub mod course;
pub mod joined;

use super::against::Against;
use crate::experiments::versus::pairs;
use crate::experiments::{CARDS, Card};
use crate::knobs::{Digest, Knobs, Value};
use crate::protocol::{EngineChoice, Notice};
use course::Raw;
pub use course::{Branch, Course, Zoom};

/// The version of the links written here. Older ones are migrated, newer ones are read as far as
/// they can be, with a notice.
pub const LINK_VERSION: u64 = 1;
/// Bytes of a link that are looked at. Every knob of every experiment written out takes far less.
pub const MAX_BYTES: usize = 8192;
/// Settings of a link that are looked at.
pub const MAX_PAIRS: usize = 256;
/// Notices a link can give before the rest is only counted.
pub const MAX_NOTICES: usize = 16;

/// What is said of a run that begins with a file.
const FILE: &str = "The weights come from a file: the link alone does not give these numbers.";

/// A link, read.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// Whether the link names a listed experiment, or none (then it is the first).
    pub known: bool,
    /// Id of a listed experiment.
    pub experiment: &'static str,
    /// A value for every knob, in range and settled; of a branch, those that hold from its step on.
    pub knobs: Knobs,
    /// Where the run branches, and where its checkpoints stand closer.
    pub course: Course,
    /// The file that the run begins with, by its checksum: such a run is another one than that of its settings.
    pub file: Option<Digest>,
    /// Whether the run starts by itself.
    pub run: bool,
    /// Engine asked for.
    pub engine: EngineChoice,
    /// The run is compared with another one.
    pub against: Option<Against>,
    /// What was ignored, replaced or clamped.
    pub notices: Vec<Notice>,
}

/// Reads a link: a whole address, a hash, or what follows the hash.
#[must_use]
pub fn parse(text: &str) -> Link {
    parse_in(CARDS, text)
}

/// As [`parse`], among the experiments given.
///
/// # Panics
/// Never for a list that is not empty, whatever the text.
#[must_use]
pub fn parse_in(cards: &[&'static Card], text: &str) -> Link {
    let mut notices = Vec::new();
    let (text, cut) = head(text, MAX_BYTES);
    if cut {
        notices.push(Notice::new(format!(
            "The link is longer than {MAX_BYTES} bytes; what comes after was ignored."
        )));
    }
    let hash = text.split_once('#').map_or(text, |(_, after)| after);
    let (path, query) = hash.split_once('?').unwrap_or((hash, ""));
    let id = decode(path);
    let id = id.trim().trim_matches('/');
    let found = cards.iter().copied().find(|c| c.id == id);
    let known = found.is_some() || id.is_empty();
    if !known {
        notices.push(Notice::new(format!(
            "There is no experiment “{}”; this is {} with its defaults.",
            shown(id),
            cards[0].id
        )));
    }
    let card = found.unwrap_or(cards[0]);
    let mut link = Link {
        known,
        experiment: card.id,
        knobs: Knobs::defaults(card.knobs),
        course: Course::default(),
        file: None,
        run: false,
        engine: EngineChoice::Auto,
        against: None,
        notices,
    };
    // Settings of an experiment that does not exist mean nothing for another one, and nobody asked
    // for that one to start by itself.
    let raw = link.read_query(card, query, known);
    link.run &= known;
    let settled = (card.settle)(&mut link.knobs);
    link.notices.extend(settled);
    let said = link.course.read(&raw, card, &mut link.knobs);
    let new = said.into_iter().filter(|n| !link.notices.contains(n));
    let new: Vec<Notice> = new.collect();
    link.notices.extend(new);
    link.settle_against();
    if link.notices.len() > MAX_NOTICES {
        let more = link.notices.len() - MAX_NOTICES;
        link.notices.truncate(MAX_NOTICES);
        link.notices.push(Notice::new(format!(
            "And {more} more remarks about this link."
        )));
    }
    link
}

impl Link {
    /// The defaults of an experiment.
    #[must_use]
    pub fn of(card: &'static Card) -> Self {
        let mut knobs = Knobs::defaults(card.knobs);
        let notices = (card.settle)(&mut knobs);
        Self {
            known: true,
            experiment: card.id,
            knobs,
            course: Course::default(),
            file: None,
            run: false,
            engine: EngineChoice::Auto,
            against: None,
            notices,
        }
    }

    /// The link to copy: what differs from the defaults, in schema order, and the seed once the
    /// run has started. Neither the engine nor `run=1` is part of it.
    #[must_use]
    pub fn text(&self, started: bool) -> String {
        let text = text_of(self.experiment, &self.knobs, &self.course, started);
        match self.file {
            Some(file) => format!("{text}&file={}", file.text()),
            None => text,
        }
    }

    /// λ̂ and PCA are of another replica, before and after the branch, if there is one.
    pub fn follow(&mut self, replica: u32) {
        let value = Value::Int(i64::from(replica));
        self.knobs.put("member", value);
        if let Some(branch) = &mut self.course.branch {
            branch.parent.put("member", value);
        }
    }

    /// The hash of the address bar: the link, and the engine if one was asked for by name.
    #[must_use]
    pub fn hash(&self, started: bool) -> String {
        let text = self.text(started);
        let text = match &self.against {
            Some(against) => format!("{text}&{}", against.query()),
            None => text,
        };
        match self.engine {
            EngineChoice::Auto => text,
            named => format!("{text}&engine={}", named.as_str()),
        }
    }

    fn read_query(&mut self, card: &'static Card, query: &str, known: bool) -> Raw {
        let mut raw = Raw::default();
        let mut pairs: Vec<(String, String)> = Vec::new();
        let mut parts = query.split('&').filter(|p| !p.is_empty());
        for part in parts.by_ref().take(MAX_PAIRS) {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            let (key, value) = (decode(key), decode(value));
            match pairs.iter_mut().find(|(k, _)| *k == key) {
                Some((_, old)) => {
                    if *old != value {
                        self.notices.push(Notice::about(
                            shown(&key),
                            format!("{} is given twice; using {}.", shown(&key), shown(&value)),
                        ));
                    }
                    *old = value;
                }
                None => pairs.push((key, value)),
            }
        }
        if parts.next().is_some() {
            self.notices.push(Notice::new(format!(
                "The link has more than {MAX_PAIRS} settings; the rest was ignored."
            )));
        }
        // The preset comes first, wherever it stands: single settings change what it set.
        if let Some((_, id)) = pairs.iter().find(|(k, _)| k == "preset")
            && known
        {
            self.take_preset(card, id);
        }
        for (key, value) in &pairs {
            match key.as_str() {
                "v" => self.take_version(value),
                "run" => self.take_run(value),
                "engine" => self.take_engine(value),
                "preset" => {}
                _ if !known => {}
                "with" | "at" | "floor" | "set" if compares(card, key) => {
                    self.compared(key, value);
                }
                "file" => {
                    self.file = Digest::parse(value);
                    let told = self.file.map(|_| Notice::about(key, FILE));
                    self.notices.extend(told);
                }
                "from" => raw.from = Some(value.clone()),
                "zoom" => raw.zoom = Some(value.clone()),
                _ => match key.strip_prefix("then.") {
                    Some(key) => raw.then.push((key.into(), value.clone())),
                    None => self.notices.extend(self.knobs.set(key, value)),
                },
            }
        }
        raw
    }

    /// Any of them makes the link one of a comparison.
    fn compared(&mut self, key: &str, value: &str) {
        let against = self.against.get_or_insert_with(Against::default);
        if let Some(Err(why)) = against.read(key, value) {
            self.notices.push(Notice::about(key, why));
        }
    }

    /// What B changes is written as it was understood: a stranger's text goes no further.
    fn settle_against(&mut self) {
        let Some(against) = self.against.take() else {
            return;
        };
        let b = against.other(self);
        let with = Against::between(self, &b).unwrap_or_default();
        self.notices.extend(b.notices);
        self.against = Some(Against { with, ..against });
    }

    fn take_preset(&mut self, card: &Card, id: &str) {
        match card.presets.iter().find(|p| p.id == id) {
            Some(preset) => self
                .notices
                .extend(apply_query(&mut self.knobs, preset.query)),
            None => self.notices.push(Notice::about(
                "preset",
                format!("{} has no preset “{}”; it was ignored.", card.id, shown(id)),
            )),
        }
    }

    fn take_version(&mut self, value: &str) {
        match value.trim().parse::<u64>() {
            Ok(v) if v > LINK_VERSION => self.notices.push(Notice::about(
                "v",
                format!(
                    "This link was written by a newer lambdahat (version {v} of links, known here: \
                     {LINK_VERSION}); some settings may not be understood."
                ),
            )),
            Ok(LINK_VERSION) => {}
            _ => self.notices.push(Notice::about(
                "v",
                format!(
                    "“{}” is no version of a link; reading it as version {LINK_VERSION}.",
                    shown(value)
                ),
            )),
        }
    }

    fn take_run(&mut self, value: &str) {
        self.run = value == "1";
        if value != "1" && value != "0" {
            self.notices.push(Notice::about(
                "run",
                format!(
                    "run: “{}” is neither 0 nor 1; press Run to start.",
                    shown(value)
                ),
            ));
        }
    }

    fn take_engine(&mut self, value: &str) {
        match EngineChoice::parse(value) {
            Some(engine) => self.engine = engine,
            None => self.notices.push(Notice::about(
                "engine",
                format!(
                    "engine: “{}” is not one of auto, gpu, cpu; using auto.",
                    shown(value)
                ),
            )),
        }
    }
}

/// Whether a key belongs to a comparison: not where models have no tokens, nor where it is a knob.
fn compares(card: &Card, key: &str) -> bool {
    !pairs(card.id).is_empty() && card.knobs.iter().all(|k| k.key != key)
}

/// The link to copy for knobs of an experiment.
#[must_use]
pub fn text_of(experiment: &str, knobs: &Knobs, course: &Course, started: bool) -> String {
    // Whoever is sent to the middle of a run must know which run.
    let query = course
        .first(knobs)
        .query(started || course.branch.is_some());
    let and = if query.is_empty() { "" } else { "&" };
    let course = course.query(knobs);
    format!("#/{experiment}?v={LINK_VERSION}{and}{query}{course}")
}

/// Sets the knobs that a query such as `d_model=32&heads=2` names.
pub fn apply_query(knobs: &mut Knobs, query: &str) -> Vec<Notice> {
    query
        .split('&')
        .filter(|p| !p.is_empty())
        .filter_map(|p| {
            let (key, value) = p.split_once('=').unwrap_or((p, ""));
            knobs.set(key, value)
        })
        .collect()
}

/// The first `max` bytes, cut at a character, and whether anything was cut.
fn head(text: &str, max: usize) -> (&str, bool) {
    if text.len() <= max {
        return (text, false);
    }
    let end = (0..=max)
        .rev()
        .find(|&i| text.is_char_boundary(i))
        .unwrap_or(0);
    (&text[..end], true)
}

/// As much of a stranger's text as a notice shows.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(40).collect()
}

/// Percent-decoding. A broken escape stays as it is, and bytes that are not UTF-8 become U+FFFD;
/// `+` is a plus, because numbers have one.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let escaped = (bytes[i] == b'%')
            .then(|| Some((hex(*bytes.get(i + 1)?)?, hex(*bytes.get(i + 2)?)?)))
            .flatten();
        if let Some((high, low)) = escaped {
            out.push(high * 16 + low);
            i += 3;
        } else {
            out.push(bytes[i]);
            i += 1;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|d| u8::try_from(d).ok())
}
