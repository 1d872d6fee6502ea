//! What a link says of the course of a run beside its settings: from which step other settings hold
//! (`from=400&then.lr=1e-3`), and where checkpoints stand closer (`zoom=300-500:20`).

use crate::experiments::Card;
use crate::knobs::{Group, Knobs, Value};
use crate::protocol::Notice;

/// Bytes of weights that the checkpoints of a zoom may take.
const ZOOM_BYTES: u64 = 64 << 20;
/// Checkpoints a zoom adds, at most.
pub const MOST_POINTS: u64 = 100;

/// The course of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Course {
    /// Where it leaves another run, if it is a branch.
    pub branch: Option<Branch>,
    /// Where checkpoints stand closer.
    pub zoom: Option<Zoom>,
}

/// A branch: the run of `parent` up to a step, and from there on under the knobs of the link, with the
/// weights and the optimiser's state of that step.
#[derive(Clone, Debug, PartialEq)]
pub struct Branch {
    /// The step.
    pub from: u64,
    /// Settings of the run it leaves.
    pub parent: Knobs,
}

/// A window of steps with more checkpoints in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zoom {
    /// First step.
    pub from: u64,
    /// Last step.
    pub to: u64,
    /// Checkpoints in it, equally spaced, both ends among them.
    pub points: u64,
}

/// What of a link is about the course, as it was read.
#[derive(Debug, Default)]
pub(super) struct Raw {
    pub(super) from: Option<String>,
    pub(super) zoom: Option<String>,
    /// Knob and value of each `then.KEY=VALUE`.
    pub(super) then: Vec<(String, String)>,
}

impl Zoom {
    /// The steps.
    #[must_use]
    pub fn steps(&self) -> Vec<u64> {
        let (span, gaps) = (self.to - self.from, (self.points - 1).max(1));
        let at = |i| self.from + (span * i + gaps / 2) / gaps;
        let mut all: Vec<u64> = (0..=gaps).map(at).collect();
        all.dedup();
        all
    }

    /// As written in a link.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}-{}:{}", self.from, self.to, self.points)
    }

    fn read(text: &str) -> Option<[u64; 3]> {
        let (window, points) = text.trim().split_once(':')?;
        let (from, to) = window.split_once('-')?;
        let number = |t: &str| t.trim().parse::<u64>().ok();
        Some([number(from)?, number(to)?, number(points)?])
    }
}

/// Whether a knob says how λ̂ is estimated: such a setting holds for the whole curve of a branch.
#[must_use]
pub fn estimates(key: &str, group: Group) -> bool {
    group == Group::Sampler && !matches!(key, "every" | "log")
}

/// The settings of `knobs` that `of` names, by key.
fn picked<'a>(
    knobs: &'a Knobs,
    of: impl Fn(bool) -> bool + 'a,
) -> impl Iterator<Item = (&'static str, Option<Value>)> + 'a {
    let all = knobs.schema().iter();
    let kept = all.filter(move |k| of(estimates(k.key, k.group)));
    kept.map(|k| (k.key, knobs.get(k.key)))
}

/// Whether two runs train, and take checkpoints, in the same way.
#[must_use]
pub fn train_alike(a: &Knobs, b: &Knobs) -> bool {
    picked(a, |e| !e).eq(picked(b, |e| !e))
}

/// Whether two runs estimate λ̂ in the same way.
#[must_use]
pub fn estimate_alike(a: &Knobs, b: &Knobs) -> bool {
    picked(a, |e| e).eq(picked(b, |e| e))
}

/// What stays beside a run that takes the place of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stays {
    /// Nothing: the two have nothing in common, or nothing sets them apart.
    Nothing,
    /// What stood beside the other.
    Third,
    /// The other, under this name.
    Other(&'static str),
}

impl Stays {
    /// Of two links' courses and settings, the one that is left and the one that comes.
    #[must_use]
    pub fn of(old: (&Course, &Knobs), new: (&Course, &Knobs)) -> Self {
        let [first, second] = [old, new].map(|(course, knobs)| course.first(knobs));
        let plain = *old.0 == Course::default() && *new.0 == Course::default();
        if plain || !train_alike(first, second) {
            return Self::Nothing;
        }
        match (&old.0.branch, &new.0.branch) {
            // Another branch of the same run: that run stays, if it is there.
            (Some(_), Some(_)) if old.0.zoom == new.0.zoom => Self::Third,
            (a, b) if a == b => Self::Other("before"),
            (_, Some(_)) => Self::Other("parent"),
            _ => Self::Other("branch"),
        }
    }
}

impl Branch {
    /// The settings before the branch: the parent's, and λ̂ as in the rest of the run, so that one curve
    /// has one setting.
    #[must_use]
    pub fn before(&self, knobs: &Knobs) -> Knobs {
        let mut out = self.parent.clone();
        for (key, value) in picked(knobs, |e| e) {
            if let Some(value) = value {
                out.put(key, value);
            }
        }
        out
    }

    /// Gives back to `knobs` what a branch cannot change, and says so.
    pub fn keep(&self, knobs: &mut Knobs) -> Vec<Notice> {
        let mut notices = Vec::new();
        for knob in knobs.schema() {
            let own = self.parent.get(knob.key);
            if let (false, Some(own)) = (knob.then, own.filter(|v| knobs.get(knob.key) != Some(*v)))
            {
                knobs.put(knob.key, own);
                notices.push(Notice::about(
                    knob.key,
                    format!("{}: a branch keeps its parent's {}.", knob.key, own.text()),
                ));
            }
        }
        if knobs.int("steps") < whole(self.from) {
            knobs.put("steps", Value::Int(whole(self.from)));
            notices.push(Notice::about(
                "steps",
                format!(
                    "steps: the run is at step {} where it branches; using {0}.",
                    self.from
                ),
            ));
        }
        notices
    }

    /// `from=…&then.…` with what the branch changes.
    fn query(&self, knobs: &Knobs) -> String {
        let mut text = format!("from={}", self.from);
        for knob in knobs.schema() {
            let value = knobs.get(knob.key);
            if let Some(value) = value.filter(|v| self.parent.get(knob.key) != Some(*v)) {
                text += &format!("&then.{}={}", knob.key, value.text());
            }
        }
        text
    }
}

fn whole(step: u64) -> i64 {
    i64::try_from(step).unwrap_or(i64::MAX)
}

impl Course {
    /// The settings the link begins with.
    #[must_use]
    pub fn first<'a>(&'a self, knobs: &'a Knobs) -> &'a Knobs {
        self.branch.as_ref().map_or(knobs, |b| &b.parent)
    }

    /// Makes settings of the form possible together, and with the branch, if it is one.
    pub fn settle(&self, card: &Card, knobs: &mut Knobs) -> Vec<Notice> {
        let Some(branch) = &self.branch else {
            return (card.settle)(knobs);
        };
        let mut notices = branch.keep(knobs);
        notices.extend(branch.settle(card, knobs));
        notices
    }

    /// What comes after the settings in a link, each part with its `&`.
    #[must_use]
    pub fn query(&self, knobs: &Knobs) -> String {
        let branch = self.branch.as_ref().map(|b| b.query(knobs));
        let zoom = self.zoom.map(|z| format!("zoom={}", z.text()));
        let all = branch.into_iter().chain(zoom);
        all.map(|q| format!("&{q}")).collect()
    }

    /// Reads what a link says, with the settled settings it begins with; `knobs` become those of the
    /// branch.
    pub(super) fn read(&mut self, raw: &Raw, card: &Card, knobs: &mut Knobs) -> Vec<Notice> {
        let mut notices = Vec::new();
        let trains = knobs.schema().iter().any(|k| k.key == "steps");
        let asked = raw.from.as_ref().or(raw.zoom.as_ref());
        if let Some(asked) = asked.filter(|_| !trains) {
            notices.push(Notice::new(format!(
                "Nothing is trained here: “{}” was ignored.",
                super::shown(asked)
            )));
            return notices;
        }
        self.branch(raw, card, knobs, &mut notices);
        if let Some(text) = &raw.zoom {
            self.zoom = read_zoom(text, card, knobs, &mut notices);
        }
        notices
    }

    fn branch(&mut self, raw: &Raw, card: &Card, knobs: &mut Knobs, notices: &mut Vec<Notice>) {
        let step = raw.from.as_ref().map(|t| t.trim().parse::<u64>());
        let from = match step {
            Some(Ok(step)) => {
                let within = step.clamp(1, knobs.size("steps").max(1) as u64);
                if within != step {
                    let text = format!("from: {step} is no step to branch from; using {within}.");
                    notices.push(Notice::about("from", text));
                }
                within
            }
            other => {
                if other.is_some() || !raw.then.is_empty() {
                    let text = "A branch needs the step it begins at, as in from=400; this is the run without one.";
                    notices.push(Notice::about("from", text));
                }
                return;
            }
        };
        let branch = Branch {
            from,
            parent: knobs.clone(),
        };
        for (key, value) in &raw.then {
            notices.extend(knobs.set(key, value));
        }
        let kept = branch.keep(knobs);
        notices.extend(kept);
        notices.extend(branch.settle(card, knobs));
        self.branch = Some(branch);
    }
}

impl Branch {
    /// Makes the settings of the branch possible together. Where that needs another model, there is no
    /// such branch, and nothing changes.
    pub fn settle(&self, card: &Card, knobs: &mut Knobs) -> Vec<Notice> {
        let mut notices = (card.settle)(knobs);
        let kept = self.keep(knobs);
        if !kept.is_empty() {
            *knobs = self.parent.clone();
            notices = vec![Notice::about(
                "then",
                format!(
                    "These changes would need another model ({}): the branch changes nothing.",
                    kept.iter()
                        .filter_map(|n| n.key.as_deref())
                        .collect::<Vec<_>>()
                        .join(", ")
                ),
            )];
        }
        notices
    }
}

fn read_zoom(text: &str, card: &Card, knobs: &Knobs, notices: &mut Vec<Notice>) -> Option<Zoom> {
    let Some([from, to, points]) = Zoom::read(text) else {
        let text = format!(
            "zoom: “{}” is no window such as 300-500:20; it was ignored.",
            super::shown(text)
        );
        notices.push(Notice::about("zoom", text));
        return None;
    };
    let zoom = fit(from, to, points, card, knobs);
    if [zoom.from, zoom.to, zoom.points] != [from, to, points] {
        let text = format!(
            "zoom: {} cannot be had; using {}.",
            super::shown(text),
            zoom.text()
        );
        notices.push(Notice::about("zoom", text));
    }
    Some(zoom)
}

/// The window nearest to that one which a run can have.
#[must_use]
pub fn fit(from: u64, to: u64, points: u64, card: &Card, knobs: &Knobs) -> Zoom {
    let steps = knobs.size("steps") as u64;
    let (from, to) = (from.min(to), from.max(to));
    let from = from.min(steps.saturating_sub(1));
    let to = to.clamp(from + 1, steps.max(from + 1));
    let weights = 4 * (card.cost)(knobs).params * knobs.size("replicas").max(1) as u64;
    let most = (ZOOM_BYTES / weights.max(1))
        .min(MOST_POINTS)
        .min(to - from + 1);
    Zoom {
        from,
        to,
        points: points.clamp(2, most.max(2)),
    }
}
