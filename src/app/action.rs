//! What can happen to the page, and what it then asks of the world outside.

use super::pairing::Versus;
use super::scrub::Scrub;
use super::shelf::Shelf;
use super::spread::Shown;
use crate::protocol::{Ask, Command, Drill, EngineChoice, Event, Gauge, StudySpec};

/// Something happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// The worker said something.
    Worker(Event),
    /// The worker died: what its error said.
    WorkerDied(String),
    /// The address bar holds another link.
    Opened(String),
    /// Another experiment was picked.
    Experiment(String),
    /// A preset was picked.
    Preset(String),
    /// A knob was set to a text.
    Knob(String, String),
    /// The form goes back to the settings of the run.
    UndoKnobs,
    /// Run, go on, or pause: whichever the state asks for.
    RunOrPause,
    /// Begin anew with the settings of the form.
    Start,
    /// Begin with the light preset of the experiment.
    StartLight,
    /// One training step.
    StepOnce,
    /// A chain step a few times a second, or no longer.
    Slow,
    /// Throw the run away.
    Reset,
    /// Go on with the stored run.
    TakeStored,
    /// Delete the stored run.
    Forget,
    /// λ̂ and PCA follow this replica.
    Follow(u32),
    /// The pointer is at a step of a chart, or at none.
    Hover(Option<f64>),
    /// A step was clicked: the cursor stays there, or is freed if it was there.
    Pin(f64),
    /// The cursor goes, pinned or not.
    Free,
    /// The cursor moves by that many evaluations.
    Move(i64),
    /// Something was done on the timeline.
    Scrub(Scrub),
    /// Stages end at these steps, or where they are found.
    Cut(Option<Vec<u64>>),
    /// The form becomes a branch from this step on, or none.
    Branch(Option<u64>),
    /// The branch of the form, once its parent has run to its end.
    WithParent,
    /// The charts show these steps alone, or the whole run.
    Window(Option<(u64, u64)>),
    /// The run again with this many λ̂ points from one step to another, or with its own.
    Finer(Option<(u64, u64, u64)>),
    /// The checkpoint of this step is wanted as a file.
    SaveCheckpoint(u64),
    /// All of them are, one after another; or no more.
    SaveAll,
    /// A checkpoint was picked or dropped: its name and its bytes.
    Import(String, Vec<u8>),
    /// A text was pasted, picked or dropped.
    Text(Vec<u8>),
    /// The browser would not keep the text.
    Unkept,
    /// MB that the stored run may take.
    Budget(u64),
    /// What was said about a file that cannot be used is read.
    Dismiss,
    /// A question about stored checkpoints.
    Ask(Ask),
    /// A head of a checkpoint is turned along its flat directions.
    Gauge(Gauge),
    /// Another engine was picked.
    Engine(EngineChoice),
    /// Force a fault.
    Drill(Drill),
    /// Compare every kernel with its twin on this device.
    Check,
    /// Show the traces of the estimate at this checkpoint.
    OpenPoint(u64),
    /// Estimate λ̂ of the run's checkpoints at other settings.
    Study(StudySpec),
    /// End that.
    StopStudy,
    /// Put a setting of the sampler into the form.
    Adopt {
        /// nβ.
        nbeta: f64,
        /// γ.
        gamma: f64,
        /// ε.
        eps: f64,
    },
    /// Something is done with a stored run.
    Shelf(Shelf),
    /// Two models are compared token by token.
    Versus(Versus),
    /// Start a new engine after the old one died.
    NewEngine,
    /// Toggle something about the view.
    View(Toggle),
    /// A frame was drawn.
    Drawn,
}

/// What can be toggled about the view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Toggle {
    /// Logarithmic time.
    LogX,
    /// Logarithmic loss.
    LogY,
    /// The mean loss under the chains, under λ̂.
    Locality,
    /// What λ̂ would be by the curvature alone, under λ̂.
    Nulls,
    /// λ̂ split over classes of positions.
    Classes,
    /// How the path of the outputs bends, under logit-PCA.
    Bends,
    /// What is drawn of several models.
    Spread(Shown),
    /// Light, dark, as the system has it.
    Theme,
    /// Light colours and large chart text.
    Projector,
    /// The list of keys.
    Keys,
}

/// What the page asks of the world.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Send a command to the worker.
    Send(Command),
    /// Hand the checkpoint of that step over to the person as a file.
    File(u64, Vec<u8>),
    /// Keep the person's text in this browser, and hand it to the engine.
    Text(Vec<u8>),
    /// Remember how many MB a stored run may take, and tell the engine.
    Budget(u64),
    /// End the worker and start another one.
    NewWorker,
    /// Put this into the address bar, without a new entry in the history.
    Address(String),
}
