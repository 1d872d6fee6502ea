//! What frames and events carry: curves, estimates, figures.

use super::RunId;
use serde::{Deserialize, Serialize};

/// Counters of training alone, per step; bind groups and buffers count from the first measured step on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PerStep {
    /// Launches of the training program.
    pub dispatches_per_step: f64,
    /// Submissions of batches that trained, evaluations among them included.
    pub submits_per_step: f64,
    /// Pipelines created beyond one for each kernel and its constants.
    pub pipelines_created: u64,
    /// Bind groups created since.
    pub bind_groups_created: u64,
    /// Buffers created since.
    pub buffers_created: u64,
}

/// Logit-PCA over all checkpoints so far.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PcaUpdate {
    /// Checkpoint steps.
    pub steps: Vec<f64>,
    /// Coordinates of each checkpoint on PC1..PC3.
    pub pcs: Vec<[f64; 3]>,
    /// Explained variance, fractions of the whole.
    pub explained: [f64; 3],
}

/// The figure of the model itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Figure {
    /// Superposition: the weights of every replica.
    Superposition {
        /// Features c.
        features: usize,
        /// `[replica][W (hidden × features) then b (features)]`, hidden 2, W row-major.
        weights: Vec<f32>,
        /// The k of the k-gon each replica is at, by its population loss: such as `5+`.
        gons: Vec<String>,
    },
    /// Attention patterns on a fixed input.
    Attention {
        /// Layers.
        layers: usize,
        /// Heads a layer.
        heads: usize,
        /// Context length T.
        ctx: usize,
        /// `[layer][head][query][key]`, 0..=255 for 0..=1.
        #[serde(with = "serde_bytes")]
        patterns: Vec<u8>,
        /// The tokens of the input.
        tokens: Vec<u32>,
        /// Period of the input's repeat.
        period: usize,
        /// The text of every token of the vocabulary; empty where tokens are numbers.
        #[serde(default)]
        texts: Vec<String>,
    },
    /// Fourier spectrum of an embedding of the numbers 0..p.
    Spectrum {
        /// p.
        p: usize,
        /// Share of the power at frequency k = 1, 2, .. p/2; the mean is left out.
        shares: Vec<f64>,
    },
}

impl Figure {
    /// Whether it shows every model of a run, and not the one that is followed alone.
    #[must_use]
    pub fn of_all(&self) -> bool {
        matches!(self, Self::Superposition { .. })
    }
}

/// A replica went from one k-gon to another between two evaluations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jump {
    /// The evaluation that saw it.
    pub step: u64,
    /// Who.
    pub replica: usize,
    /// From which k-gon.
    pub from: String,
    /// To which.
    pub to: String,
}

/// A safetensors file that a run is to begin with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Upload {
    /// The name of the run from now on.
    pub run: RunId,
    /// The link of the form, for a file that brings none.
    pub link: String,
    /// The name of the file.
    pub name: String,
    /// Its bytes.
    #[serde(with = "serde_bytes")]
    pub bytes: Vec<u8>,
}

/// What a run will cost here.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// Seconds for the whole run, λ̂ included.
    pub seconds: f64,
    /// Bytes on the device.
    pub bytes: u64,
    /// Measured training steps per second.
    pub steps_per_s: f64,
    /// Same for the preset named in the card as the light one, if there is one.
    pub light_seconds: Option<f64>,
}

/// A run kept in the browser's storage.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Stored {
    /// Its link.
    pub link: String,
    /// Step it can go on from.
    pub step: u64,
    /// Steps of the whole run.
    pub steps: u64,
    /// The file of the shelf that it is in; none of the one that a reload goes on from.
    pub slot: Option<u32>,
    /// Bytes of its file.
    pub bytes: u64,
    /// When it was written: milliseconds since 1970; 0 where that is not known.
    pub at: u64,
    /// Steps of its checkpoints, rising.
    pub checkpoints: Vec<u64>,
    /// The version of lambdahat that ran it: another one cannot open it.
    pub version: String,
    /// What its logit-PCA looked at, in a word; 0 where that is not known.
    pub looked: u32,
}

impl Stored {
    /// Whether it is of this experiment.
    #[must_use]
    pub fn is_for(&self, experiment: &str) -> bool {
        let rest = self
            .link
            .strip_prefix("#/")
            .and_then(|l| l.strip_prefix(experiment));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('?'))
    }
    /// Whether it is the run of a link, whichever of its models is followed.
    #[must_use]
    pub fn is_of(&self, link: &str) -> bool {
        let plain = |link: &str| -> Vec<String> {
            let parts = link.split(['?', '&']);
            let counts = parts.filter(|p| !p.starts_with("member="));
            counts.map(Into::into).collect()
        };
        plain(&self.link) == plain(link)
    }
}

/// One kernel on one case, compared with its CPU twin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checked {
    /// The kernel.
    pub kernel: String,
    /// The case.
    pub case: String,
    /// Largest difference over the tolerance: at most 1 agrees.
    pub margin: f64,
    /// Whether it agrees in every respect.
    pub agrees: bool,
}

/// Where a known value of λ̂ comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TruthKind {
    /// A formula or an integral.
    Exact,
    /// A long run of MALA, recorded with its standard error, or none for these settings.
    Mala,
}

/// What an estimate should come out as, where that is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Truth {
    /// λ: what λ̂ tends to as nβ grows.
    pub lambda: f64,
    /// Its multiplicity.
    pub multiplicity: u32,
    /// Where `value` comes from.
    #[serde(rename = "target_kind")]
    pub kind: TruthKind,
    /// λ̂ at these nβ, γ and ε, `bias` included; none where none is recorded. Infinite where the
    /// chains run away.
    #[serde(rename = "target")]
    pub value: Option<f64>,
    /// Standard error of `value`; 0 if it is exact.
    #[serde(rename = "target_se")]
    pub se: f64,
    /// The part of `value` that is the step size's doing.
    pub bias: f64,
    /// Why λ̂ and λ differ here, in one sentence.
    pub why: String,
}
