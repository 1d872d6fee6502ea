//! The instruments' definitions: what each number is, where it comes from, when it is taken and what that
//! costs.

/// An instrument: what its number is, where it comes from, when it is taken and what that costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instrument {
    /// The end of its series' ids: `prev_token` of `heads.0.3.prev_token`.
    pub key: &'static str,
    /// Its name.
    pub title: &'static str,
    /// Unit of its values; empty for a share.
    pub unit: &'static str,
    /// What it is, as a formula where there is one, and where it comes from.
    pub help: &'static str,
    /// When it is taken.
    pub cadence: &'static str,
    /// What that costs.
    pub cost: &'static str,
}

const EVALUATION: &str = "every evaluation";
const CHECKPOINT: &str = "every checkpoint";
const REDUCED: &str = "one dispatch a layer behind the evaluation";
const COPIES: &str = "two forward passes a head on the held-out sequences, side by side; of another seed than the first, an evaluation beside them";

const HOST: &str = "a few milliseconds on the processor, nothing on the device";

/// The instruments of a head, in the order of the table.
pub const INSTRUMENTS: [Instrument; 6] = [
    Instrument {
        key: "prev_token",
        title: "previous token",
        unit: "",
        help: "Mean of A[t, t−1]: attention from each token to the one before it, over all held-out sequences.",
        cadence: EVALUATION,
        cost: REDUCED,
    },
    Instrument {
        key: "prefix_matching",
        title: "prefix matching",
        unit: "",
        help: "Mean of Σ A[t, s+1] over the earlier copies s of token t: attention to what followed the present token before, over held-out queries that have a copy (Olsson et al. 2022).",
        cadence: EVALUATION,
        cost: REDUCED,
    },
    Instrument {
        key: "duplicate_token",
        title: "duplicate token",
        unit: "",
        help: "Mean of Σ A[t, s] over the earlier copies s of token t: attention to the copies themselves (Wang et al. 2022).",
        cadence: EVALUATION,
        cost: REDUCED,
    },
    Instrument {
        key: "copying",
        title: "copying",
        unit: "",
        help: "Σλ/Σ|λ| over the eigenvalues of the OV circuit W_E·W_V·W_O·W_U: 1 where the head raises the tokens it attends to, −1 where it lowers them (Elhage et al. 2021). From the weights alone.",
        cadence: CHECKPOINT,
        cost: HOST,
    },
    Instrument {
        key: "ablation.repeat",
        title: "ablation",
        unit: "nats",
        help: "Loss with the head's output set to 0, less that of the whole model, on the same held-out sequences: on repeats where the task has them, else on all targets. Later heads see what is left, and may look elsewhere.",
        cadence: CHECKPOINT,
        cost: COPIES,
    },
    Instrument {
        key: "preserving.repeat",
        title: "patterns kept",
        unit: "nats",
        help: "The same with every attention pattern kept as in the whole model (pattern-preserving ablation, Olsson et al. 2022): what the head itself moves. Where ablation is large and this is not, the head works through the patterns of later heads.",
        cadence: CHECKPOINT,
        cost: COPIES,
    },
];

/// The instruments that belong to no single head.
pub const BESIDE: [Instrument; 6] = [
    Instrument {
        key: "composition",
        title: "Composition",
        unit: "",
        help: "How much of what a head writes a later one reads (Elhage et al. 2021), in Frobenius norms: K ‖W_OV·W_QKᵀ‖/(‖W_OV‖·‖W_QK‖), Q the same with W_QK, V with the later W_OV. It is not 0 by chance: z compares it with 16 random rotations of what the head writes, which keep all spectra.",
        cadence: CHECKPOINT,
        cost: HOST,
    },
    Instrument {
        key: "icl",
        title: "ICL score",
        unit: "nats",
        help: "In-context learning: mean held-out loss over the last tenth of positions, less that over the second tenth (after Olsson et al. 2022). The more negative, the more the context helps.",
        cadence: EVALUATION,
        cost: "one dispatch behind the evaluation",
    },
    Instrument {
        key: "loss.position",
        title: "Loss by position",
        unit: "nats",
        help: "Mean held-out loss on the token after each position.",
        cadence: CHECKPOINT,
        cost: "one dispatch behind the evaluation",
    },
    Instrument {
        key: "spectrum",
        title: "Directions in use",
        unit: "",
        help: "Participation ratio (Σσ²)²/Σσ⁴ of the singular values σ of the embedding W_E and the unembedding W_U: 1 where one direction carries all, their rank where all carry the same. The greatest eight σ are in run.json.",
        cadence: CHECKPOINT,
        cost: HOST,
    },
    Instrument {
        key: "norm",
        title: "Weight norms",
        unit: "",
        help: "√Σw² over all weights, and over those of one tensor. Those of every tensor are in run.json.",
        cadence: CHECKPOINT,
        cost: HOST,
    },
    Instrument {
        key: "share",
        title: "Composition on data",
        unit: "",
        help: "Share of source c in the queries (keys, values) of a head: Σ⟨q_c, q⟩/Σ‖q‖² over the held-out tokens, where q = Σ q_c is taken apart by what each earlier head, the token embedding, the positions and the rest (MLPs, the LayerNorm's bias) wrote, a LayerNorm's σ held fixed. Shares sum to 1; one is negative where a source takes away. Keys are those before any smearing or turning.",
        cadence: "the checkpoints of ablation",
        cost: "one read of activations, tens of milliseconds on the processor",
    },
];

/// The instruments of a model of text.
pub const TEXT: [Instrument; 6] = [
    Instrument {
        key: "loss.class",
        title: "Loss by kind of token",
        unit: "nats",
        help: crate::instruments::lexical::HELP,
        cadence: EVALUATION,
        cost: "one read of the held-out losses",
    },
    Instrument {
        key: "copied",
        title: "Matched copying check",
        unit: "nats",
        help: "Mean loss on a span of held-out text that stood earlier in the window, less that on the same span with its earlier copy replaced by other text of the same length; from its second token on. Below 0 the model uses the copy. It needs no choice of a head, and its control is the same window. 8 batches of pairs; the band is one standard error, from the scatter between them.",
        cadence: "the checkpoints of ablation",
        cost: "8 forward passes behind the evaluation",
    },
    Instrument {
        key: "column",
        title: "P(line end) by column",
        unit: "",
        help: "Mean probability that the model gives to the end of a line, by how many characters of the line there are, over held-out text behind the first line end of its window; beside it how often lines do end there, by counting in 1000 held-out windows of other stories, or in the whole last tenth of a text: P(line end | column), which is the mean of the true probabilities whatever else they depend on, and so the line to reach. The band is one standard error, from the scatter between targets. More words end where a line is full, so a rise alone is no counting: below, the same is said of places where a word ends, P(line end) in P(line end) + P(space), before and behind the column that best tells, by the text alone, lines that go on from lines that end (a cut into two rates, kept where twice its log-likelihood ratio is above 16).",
        cadence: CHECKPOINT,
        cost: HOST,
    },
    Instrument {
        key: "column",
        title: "Loss by column",
        unit: "nats",
        help: "Mean loss on the token behind so many characters of a line, on the same text; the band as beside it.",
        cadence: CHECKPOINT,
        cost: HOST,
    },
    Instrument {
        key: "passage",
        title: "Passage",
        unit: "nats",
        help: "Loss −ln p of each token of held-out text given those before it in the window. A token's figures, and the three that were likeliest there, show where the pointer rests on it, where it is tapped, or where the arrow keys lead.",
        cadence: "the checkpoint of the cursor, when asked for",
        cost: "one evaluation",
    },
    Instrument {
        key: "written",
        title: "Completions",
        unit: "",
        help: "The stored weights of a checkpoint go on from a text: token after token is drawn from softmax(logits/τ), given what is there, or the last tokens of it where that is longer than the context. Three texts, with draws of their own. The same seed gives the same text on the same device.",
        cadence: "the checkpoint of the cursor, when asked for",
        cost: "one evaluation a token",
    },
];
