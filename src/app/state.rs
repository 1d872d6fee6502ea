//! The state of the page. Everything on the screen follows from it.

use super::beside::Beside;
use super::link::{Link, apply_query, parse};
use super::recorded::{self, Recorded};
use super::run::Run;
use super::scrub::Film;
use super::spread::Shown;
use crate::experiments::{CARDS, Card, Cost, card};
use crate::knobs::{Digest, Knob, Knobs};
use crate::protocol::{
    Checked, DeviceInfo, Estimate, Fault, Phase, Stages, Stored, VersusView, WhyCpu,
};
use std::rc::Rc;

/// A run that takes longer than this, in seconds, is not the one offered first.
pub const LONG_S: f64 = 90.0;

/// MB that a stored run may take unless the person says otherwise, and the bounds of that.
pub const BUDGET_MB: u64 = 256;
/// Bytes of one: as they are told.
pub const MB: u64 = 1_000_000;
/// See [`BUDGET_MB`].
pub const BUDGETS: (u64, u64) = (1, 4096);

/// Light, dark, or as the system has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// As the system has it.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Theme {
    /// The next one when the button is pressed.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Theme::System => Theme::Light,
            Theme::Light => Theme::Dark,
            Theme::Dark => Theme::System,
        }
    }
    /// Its name, as stored and as shown.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Theme::System => "system",
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }
    /// From a stored name; the system's for any other.
    #[must_use]
    pub fn named(name: &str) -> Self {
        [Theme::Light, Theme::Dark]
            .into_iter()
            .find(|t| t.name() == name)
            .unwrap_or_default()
    }
}

/// The mark all charts share.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cursor {
    /// Step it stands at, if any.
    pub step: Option<f64>,
    /// It stays when the pointer leaves.
    pub pinned: bool,
}

/// How things are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// Logarithmic time.
    pub log_x: bool,
    /// The steps that the charts show, where that is not the whole run.
    pub window: Option<(u64, u64)>,
    /// Logarithmic loss.
    pub log_y: bool,
    /// What λ̂ would be by the curvature alone is shown.
    pub nulls: bool,
    /// λ̂ split over classes of positions, on its chart.
    pub classes: bool,
    /// How the path of the outputs bends is shown.
    pub bends: bool,
    /// What is drawn of several models.
    pub spread: Shown,
    /// The mean loss under the chains is shown.
    pub locality: bool,
    /// Colours.
    pub theme: Theme,
    /// Light colours and large chart text.
    pub projector: bool,
    /// The list of keys is open.
    pub keys: bool,
}

impl View {
    /// The colours on the screen: light ones for a projector.
    #[must_use]
    pub fn colours(&self) -> Theme {
        if self.projector {
            Theme::Light
        } else {
            self.theme
        }
    }

    /// How much larger than its own pixels a chart is drawn: its smallest text is 11 px, 16 for a
    /// projector.
    #[must_use]
    pub fn scale(&self) -> f64 {
        if self.projector { 16.0 / 11.0 } else { 1.0 }
    }
}

/// The state.
#[derive(Clone, Debug)]
pub struct State {
    /// The form: experiment, knobs, engine, and the remarks about the link that was opened.
    pub link: Link,
    /// The page may use WebGPU, storage and the clipboard.
    pub secure: bool,
    /// The run, if one was started.
    pub run: Option<Run>,
    /// The person's own texts, by name, and their bytes in number, the last that was given first: they are
    /// here, and in the engine.
    pub own: Vec<(Digest, usize)>,
    /// The browser does not keep it for the next visit.
    pub unkept: bool,
    /// MB that the stored run may take.
    pub budget: u64,
    /// The run that this one leaves.
    pub beside: Option<Beside>,
    /// A branch that begins when its parent, which is on the screen, is done.
    pub awaits: Option<Link>,
    /// What is wrong with the file that was given last.
    pub refused: Vec<String>,
    /// The number of the last run.
    pub last_id: u32,
    /// The device, once the engine is up.
    pub device: Option<DeviceInfo>,
    /// Why it is the CPU engine, if it is.
    pub why_cpu: Option<WhyCpu>,
    /// Runs are kept in the browser's storage.
    pub keeps: bool,
    /// A run that can be resumed.
    pub stored: Option<Stored>,
    /// All runs that are stored, the oldest first.
    pub shelf: Vec<Stored>,
    /// The last estimate, and its link.
    pub estimate: Option<(String, Estimate)>,
    /// The link being measured.
    pub measuring: Option<String>,
    /// The last check of this device: one row a kernel and case.
    pub checked: Option<Vec<Checked>>,
    /// The comparison of two models, as a link: A, with what B changes.
    pub pair: Option<Link>,
    /// How far it is, once it has begun.
    pub versus: Option<Rc<VersusView>>,
    /// The fault on the screen.
    pub fault: Option<Fault>,
    /// The shared cursor.
    pub cursor: Cursor,
    /// The timeline.
    pub film: Film,
    /// How things are drawn.
    pub view: View,
    /// A chain step is taken a few times a second.
    pub slow: bool,
}

impl State {
    /// At the beginning, with the link of the address bar.
    #[must_use]
    pub fn new(link: &str, secure: bool, theme: Theme) -> Self {
        let link = parse(link);
        let mut state = Self {
            secure,
            run: None,
            own: Vec::new(),
            unkept: false,
            budget: BUDGET_MB,
            beside: None,
            awaits: None,
            refused: Vec::new(),
            last_id: 0,
            device: None,
            why_cpu: None,
            keeps: false,
            stored: None,
            shelf: Vec::new(),
            estimate: None,
            measuring: None,
            checked: None,
            pair: None,
            versus: None,
            fault: None,
            cursor: Cursor::default(),
            film: Film::default(),
            view: View {
                theme,
                locality: card(link.experiment).is_some_and(|c| c.locality),
                ..View::default()
            },
            slow: false,
            link,
        };
        super::pairing::opened(&mut state);
        state
    }

    /// The card of the experiment.
    #[must_use]
    pub fn card(&self) -> &'static Card {
        card(self.link.experiment).unwrap_or(CARDS[0])
    }

    /// Where the run is.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.run.as_ref().map_or(Phase::Idle, |r| r.phase)
    }

    /// The run's settings are no longer those of the form.
    #[must_use]
    pub fn stale(&self) -> bool {
        self.run
            .as_ref()
            .is_some_and(|r| r.link != self.link.text(true))
    }

    /// The link to copy: of the run on the screen, else of the form.
    #[must_use]
    pub fn shown_link(&self) -> String {
        match &self.run {
            Some(run) if !self.stale() => run.link.clone(),
            Some(_) => self.link.text(true),
            None => self.link.text(false),
        }
    }

    /// Whether the experiment trains anything; else all it does is sample around w*.
    #[must_use]
    pub fn trains(&self) -> bool {
        self.card().knobs.iter().any(|k| k.key == "steps")
    }

    /// Chain steps taken so far around w*, and all of them, where nothing is trained.
    #[must_use]
    pub fn chain_steps(&self) -> Option<(u64, u64)> {
        let run = self.run.as_ref();
        let knobs = run.map_or(&self.link.knobs, |r| &r.knobs);
        let all = knobs.size("burnin") + knobs.size("draws");
        let done = run.and_then(|r| r.trace.as_ref()).map_or(0, |t| t.done);
        (!self.trains()).then_some((done, all as u64))
    }

    /// What the run would cost by arithmetic.
    #[must_use]
    pub fn cost(&self) -> Cost {
        (self.card().cost)(&self.link.knobs)
    }

    /// The measured estimate, if it is of the form as it stands.
    #[must_use]
    pub fn estimate(&self) -> Option<&Estimate> {
        let (link, estimate) = self.estimate.as_ref()?;
        (*link == self.link.text(true)).then_some(estimate)
    }

    /// The light preset is the one to press: the full run would take long, and it less than half of that.
    #[must_use]
    pub fn light_first(&self) -> bool {
        let mut light = self.link.knobs.clone();
        apply_query(&mut light, self.card().light_query());
        // Who has the light one already has nothing lighter to be offered, and a link that says how
        // large its model is means that one.
        let plain = Knobs::defaults(self.card().knobs);
        let mut small = plain.clone();
        apply_query(&mut small, self.card().light_query());
        let sized = |k: &Knob| {
            small.get(k.key) != plain.get(k.key) && self.link.knobs.get(k.key) != plain.get(k.key)
        };
        self.link.course.branch.is_none()
            && light != self.link.knobs
            && !self.card().knobs.iter().any(sized)
            && self.estimate().is_some_and(|e| {
                e.seconds > LONG_S && e.light_seconds.is_some_and(|l| 2.0 * l < e.seconds)
            })
    }

    /// The recorded trace, before a run.
    #[must_use]
    pub fn recorded(&self) -> Option<&'static Recorded> {
        if self.run.is_some() {
            None
        } else {
            recorded::of(self.link.experiment)
        }
    }

    /// The stages of the run on the screen, or before one those of the recorded.
    #[must_use]
    pub fn stages(&self) -> Option<&Stages> {
        match (&self.run, self.recorded()) {
            (Some(run), _) => run.stages.as_deref(),
            (None, Some(recorded)) => recorded.stages.as_ref(),
            (None, None) => None,
        }
    }

    /// Steps of the whole run on the screen: where time axes end.
    #[must_use]
    pub fn steps(&self) -> f64 {
        match (&self.run, self.recorded()) {
            (Some(run), _) => run.steps as f64,
            (None, Some(recorded)) => recorded.steps,
            (None, None) => self.cost().steps as f64,
        }
    }

    /// The replica λ̂ and PCA follow.
    #[must_use]
    pub fn follow(&self) -> u32 {
        u32::try_from(self.link.knobs.int("member")).unwrap_or(0)
    }

    /// Steps the cursor can stand at, rising: where the first loss of the card was measured.
    #[must_use]
    pub fn stops(&self) -> &[f64] {
        let ids = self.card().losses.iter().map(|l| l.id).chain(["loss"]);
        match (&self.run, self.recorded()) {
            (Some(run), _) => ids
                .filter_map(|id| run.series.get(id))
                .map(|s| s.x.as_slice())
                .find(|x| !x.is_empty())
                .unwrap_or(&run.llc.x),
            (None, Some(recorded)) => ids
                .filter_map(|id| recorded.series.get(id))
                .map(|s| s.x.as_slice())
                .find(|x| !x.is_empty())
                .unwrap_or(&[]),
            (None, None) => &[],
        }
    }
}
