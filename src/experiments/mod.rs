//! The experiments: listed, not wired. One folder each: `card.rs` (pure data, all the page knows),
//! `lab.rs` (builds the plan; all the engine knows), `story.md` (the text beside the plots, in a small Markdown; it comes with `index.html`).

pub mod again;
mod cadence;
pub mod chains;
mod definitions;
mod grid;
pub mod grok;
pub mod heads;
pub mod induction;
mod leading;
mod limits;
pub mod markov;
mod probes;
mod roles;
mod sample;
pub mod telling;
pub mod text;
pub mod tms;
mod transformer;
pub mod truth;
pub mod versus;

pub use chains::ChainJob;
pub use leading::{Clock, Event, Indicator, indicator};
pub use probes::{Observation, Probes, Reading, Turned, Writer, feed_batch, looks};
pub use sample::Sample;
pub use {cadence::cadence, grid::grid};

use crate::exec::Batch;
use crate::kernels::{Replica, Step};
use crate::knobs::{Knob, Knobs};
use crate::plan::{Buf, Plan, Prog};
use crate::protocol::{Fault, Gauge, Notice, Truth};
use crate::tensor::Arena;
use serde::Serialize;
use std::ops::Range;

/// A named set of knobs.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Preset {
    /// Its name in links.
    pub id: &'static str,
    /// Its name in the menu.
    pub title: &'static str,
    /// One sentence.
    pub help: &'static str,
    /// What differs from the defaults, as in a link: `d_model=32&heads=2`.
    pub query: &'static str,
}

/// A series as the page draws it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SeriesSpec {
    /// Its id in `run.json`.
    pub id: &'static str,
    /// Its name at the line's end.
    pub label: &'static str,
    /// Unit of y.
    pub unit: &'static str,
    /// One sentence for the tooltip.
    pub help: &'static str,
    /// Where it is drawn.
    pub panel: Panel,
}

/// Where a series is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Panel {
    /// In the loss chart.
    Main,
    /// In the second panel of the loss chart, with a scale of its own.
    Below,
    /// Under λ̂, as a share of its largest value: a simpler quantity that λ̂ must be told apart from.
    Null,
    /// In the loss chart and, as a null, under λ̂.
    Both,
    /// A line of the loss chart, at its last value: what a predictor costs on the held-out data.
    Level,
}

impl Panel {
    /// Whether it is a curve of the loss chart.
    #[must_use]
    pub fn main(self) -> bool {
        matches!(self, Self::Main | Self::Both)
    }
    /// Whether it is a null beside λ̂.
    #[must_use]
    pub fn null(self) -> bool {
        matches!(self, Self::Null | Self::Both)
    }
}

/// A horizontal line on the loss chart.
#[derive(Clone, Debug, PartialEq)]
pub struct RefLine {
    /// Its value.
    pub y: f64,
    /// Its name.
    pub label: String,
    /// One sentence: what it is, and its source.
    pub help: String,
    /// `Main`, or `Below` for a line of the second panel.
    pub panel: Panel,
}

/// What the page knows of an experiment: pure data.
#[derive(Clone, Copy, Debug)]
pub struct Card {
    /// Id in links.
    pub id: &'static str,
    /// Title.
    pub title: &'static str,
    /// The claim, in one sentence.
    pub claim: &'static str,
    /// What to look for, in order.
    pub look_for: &'static [&'static str],
    /// The schema.
    pub knobs: &'static [Knob],
    /// Presets; the first is the default.
    pub presets: &'static [Preset],
    /// The preset offered to slow devices.
    pub light: Option<&'static str>,
    /// Loss curves, drawn in order.
    pub losses: &'static [SeriesSpec],
    /// What the second panel of the loss chart shows, with its unit; empty where there is none.
    pub below: &'static str,
    /// The curve whose drop or rise is the event: drawn for every replica, and what leads are counted to.
    pub behaviour: &'static str,
    /// When that counts as changed.
    pub event: Event,
    /// What may give notice of it.
    pub leads: &'static [Indicator],
    /// The mean loss under the chains is shown from the beginning.
    pub locality: bool,
    /// Reference lines of the loss chart, from the knobs.
    pub reference: fn(&Knobs) -> Vec<RefLine>,
    /// Knobs that constrain each other, run after parsing.
    pub settle: fn(&mut Knobs) -> Vec<Notice>,
    /// An example of what is read, where the knobs say enough to show one.
    pub sample: fn(&Knobs) -> Option<Sample>,
    /// What a run costs, from the knobs: pure arithmetic.
    pub cost: fn(&Knobs) -> Cost,
}

impl Card {
    /// What the light preset changes, as in a link; empty if there is none.
    #[must_use]
    pub fn light_query(&self) -> &'static str {
        let light = self.presets.iter().find(|p| Some(p.id) == self.light);
        light.map_or("", |p| p.query)
    }
}

/// Arithmetic and memory of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Cost {
    /// Parameters of one replica.
    pub params: u64,
    /// Floating-point operations of one training step, all replicas.
    pub flops_per_step: f64,
    /// Floating-point operations of one λ̂ point.
    pub flops_per_point: f64,
    /// Training steps.
    pub steps: u64,
    /// λ̂ points.
    pub points: u64,
    /// Bytes on the device.
    pub bytes: u64,
}

/// Every experiment, in the order of the picker.
pub const CARDS: &[&Card] = &[
    &tms::card::CARD,
    &induction::card::CARD,
    &markov::card::CARD,
    &text::card::CARD,
    &grok::card::CARD,
    &truth::card::CARD,
];

/// The card of that id.
#[must_use]
pub fn card(id: &str) -> Option<&'static Card> {
    CARDS.iter().copied().find(|c| c.id == id)
}

/// What λ̂ should come out as, where an experiment knows it. Settled knobs.
#[must_use]
pub fn truth_of(id: &str, knobs: &Knobs) -> Option<Truth> {
    (id == truth::card::CARD.id).then(|| truth::truth(knobs))
}

/// The loss around w* in closed form, where an experiment has one of so few parameters that it can
/// be drawn. Settled knobs.
#[must_use]
pub fn potential_of(id: &str, knobs: &Knobs) -> Option<truth::Potential> {
    (id == truth::card::CARD.id)
        .then(|| truth::Potential::of(knobs))
        .flatten()
}

/// Builds the lab of an experiment.
///
/// # Errors
/// `BadLink` for an id that is not listed; `OutOfMemory` over the budget; `Internal` for a mistake.
pub fn build(id: &str, knobs: &Knobs) -> Result<Parts, Fault> {
    match id {
        "tms" => tms::lab::build(knobs),
        "induction" => induction::lab::build(knobs),
        "markov" => markov::lab::build(knobs),
        "text" => text::lab::build(knobs),
        "grok" => grok::lab::build(knobs),
        "truth" => truth::lab::build(knobs),
        _ => Err(Fault::BadLink(format!("there is no experiment “{id}”"))),
    }
}

/// A program with its replicas and the buffers the host feeds it through.
#[derive(Clone, Debug)]
pub struct Job {
    /// The program.
    pub program: Prog,
    /// Its replica table.
    pub replicas: Vec<Replica>,
    /// Data of the steps: `[slot][row][feed_len]` words.
    pub feed: Buf,
    /// Rows of one slot (1 where all replicas share their data).
    pub rows: usize,
    /// Words of one row.
    pub feed_len: usize,
    /// Slots in `feed` and `stats`: the most steps one batch may hold.
    pub slots: usize,
    /// `[slot][replica][STATS]` floats: per-step losses.
    pub stats: Buf,
}

/// Floats a replica leaves in `stats` at each step: the mean loss of the step's batch *before* the
/// update, then whatever the experiment adds (class means).
pub const STATS: usize = 4;

/// Everything the engine needs to run an experiment.
pub struct Parts {
    /// Buffers and programs.
    pub plan: Plan,
    /// Names and shapes of one replica's parameters.
    pub arena: Arena,
    /// `[replica][params]`.
    pub params: Buf,
    /// Optimiser state to keep with a checkpoint, each `[replica][params]`, with its name.
    pub moments: Vec<(&'static str, Buf)>,
    /// Training.
    pub train: Job,
    /// Forward only, on fixed data (fed once, slot 0), over the training parameters.
    pub eval: Option<Job>,
    /// Extra buffers read back after an evaluation; `params` is always read, first.
    pub reads: Vec<(Buf, Range<usize>)>,
    /// The loss of each row of the evaluation, `[replica][rows]`, and the rows; where losses are of tokens.
    pub token_losses: Option<(Buf, usize)>,
    /// How a checkpoint writes text; where tokens are pieces of one.
    pub writer: Option<Writer>,
    /// What else is measured at checkpoints.
    pub probes: Probes,
    /// SGLD, unless `chains=0`.
    pub chains: Option<ChainJob>,
    /// Training steps.
    pub steps: u64,
    /// Steps after which the losses are evaluated, rising, 0 and `steps` included.
    pub evals: Vec<u64>,
    /// Steps at which a checkpoint is kept and λ̂ estimated; a subset of `evals`.
    pub checkpoints: Vec<u64>,
    /// The replica λ̂ and PCA follow.
    pub follow: usize,
    /// The rest, as code.
    pub lab: Box<dyn Lab>,
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Parts {{ steps: {}, plan:\n{} }}", self.steps, self.plan)
    }
}

impl Parts {
    /// Floats of the greatest read of a run: the losses of a full batch of training, with all an
    /// evaluation and a checkpoint read, or those of the chains with where they end.
    #[must_use]
    pub fn most_read(&self) -> usize {
        let len = |b: Buf| self.plan.buffers[b.0].len;
        let reads = self.reads.iter().chain(&self.probes.reads);
        let extra: usize = reads.map(|(_, range)| range.len()).sum();
        let state: usize = self.moments.iter().map(|(_, b)| len(*b)).sum();
        let train = len(self.train.stats) + len(self.params) + extra + state;
        let chains = self.chains.as_ref();
        let read = |b: &chains::Chains| len(b.sums) + len(b.params);
        train.max(chains.map_or(0, |c| len(c.job.stats) + read(&c.buffers)))
    }
}

/// Which job a step or its data belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// Training.
    Train,
    /// Evaluation on fixed data.
    Eval,
    /// Chains around the checkpoint of that step.
    Chains {
        /// The checkpoint.
        checkpoint: u64,
        /// The replica whose checkpoint it is.
        follow: usize,
    },
}

/// What differs between experiments, as pure functions.
pub trait Lab {
    /// Initial weights, `[replica][params]`.
    fn initial(&self) -> Vec<f32>;
    /// Fixed numbers of the plan (probe positions, head scales): written once, before anything runs
    /// on a device. Its `words` and `floats` alone are used.
    fn setup(&self) -> Batch {
        Batch::default()
    }
    /// Appends the data of one slot, `[row][feed_len]` words: a pure function of (seed, job, step).
    fn feed(&self, of: Of, step: u64, out: &mut Vec<u32>);
    /// The step table entry (`slot` is filled in by the engine).
    fn step(&self, of: Of, step: u64) -> Step;
    /// Turns what an evaluation read back (`weights [replica][params]`, then `Parts::reads`) into
    /// values. `follow` is the replica λ̂ and PCA follow.
    fn observe(&self, step: u64, follow: usize, weights: &[f32], reads: &[Vec<f32>])
    -> Observation;
    /// What the rows of logit-PCA depend on beside the weights: rows where it is the same can be joined.
    /// Empty where there are none.
    fn looked(&self, _follow: usize) -> Vec<u32> {
        Vec::new()
    }
    /// What instruments find at a checkpoint, from what [`Lab::observe`] is given: all of it of the first
    /// model and of the one that is followed, of the others what may give notice of a change.
    fn inspect(&self, _: u64, _follow: usize, _w: &[f32], _reads: &[Vec<f32>]) -> Vec<Reading> {
        Vec::new()
    }
    /// What the probes left of a model of weights `[params]` that stood in the first place.
    fn probed(&self, _member: usize, _weights: &[f32], _probed: &[Vec<f32>]) -> Vec<Reading> {
        Vec::new()
    }
    /// Those numbers of [`Lab::setup`] that probes of a model need, where it stands in the first place.
    fn probing(&self, _member: usize) -> Batch {
        Batch::default()
    }
    /// Weights `[params]` with a head turned along directions that change no output; none where no head
    /// is.
    fn turned(&self, _weights: &[f32], _turn: &Gauge) -> Option<Turned> {
        None
    }
    /// Greatest curvature h of the loss at w*, where it is known before anything is sampled.
    fn curvature(&self) -> Option<f64> {
        None
    }
    /// The tokens of a text, at least one, and how many of its characters are no token of their own.
    fn encode(&self, _text: &str) -> (Vec<u32>, usize) {
        (Vec::new(), 0)
    }
    /// The text of tokens.
    fn decode(&self, _tokens: &[u32]) -> String {
        String::new()
    }
    /// The three likeliest tokens behind each held-out position and their probabilities, from what an
    /// evaluation read back; empty where tokens are no text, or logits are not read at every position.
    fn tops(&self, _follow: usize, _reads: &[Vec<f32>]) -> (Vec<u32>, Vec<f32>) {
        Default::default()
    }
    /// Tokens of a sequence, where data are sequences.
    fn context(&self) -> usize {
        0
    }
    /// Whether the second and third number of the chains' `stats` are coordinates to watch them by.
    fn walks(&self) -> bool {
        false
    }
    /// Classes of positions whose mean losses are the second and third number of the chains' `stats`,
    /// and a name for the positions of neither; empty where there are none.
    fn classes(&self) -> &'static [&'static str] {
        &[]
    }
    /// The share of those two classes in the targets of one step of the chains, from its data, as
    /// [`Lab::feed`] made it.
    fn shares(&self, _words: &[u32]) -> [f32; 2] {
        [0.0; 2]
    }
    /// Mask of the groups of a part that can move alone; none where there is no such part.
    fn mask(&self, part: &str) -> Option<u64> {
        (part == "all").then_some(u64::MAX)
    }
    /// Replica table of the chains around a checkpoint: their seeds depend on it, and on nothing else.
    fn chain_replicas(&self, checkpoint: u64, follow: usize) -> Vec<Replica>;
}
