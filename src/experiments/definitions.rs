//! The instruments: what each number is called, when it is taken and what that costs. What it is, as a
//! formula where there is one, and where it comes from, stands in `www/terms.json` under its title.

/// An instrument: what its number is called, when it is taken and what that costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instrument {
    /// The end of its series' ids: `prev_token` of `heads.0.3.prev_token`.
    pub key: &'static str,
    /// Its name.
    pub title: &'static str,
    /// Unit of its values; empty for a share.
    pub unit: &'static str,
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
        cadence: EVALUATION,
        cost: REDUCED,
    },
    Instrument {
        key: "prefix_matching",
        title: "prefix matching",
        unit: "",
        cadence: EVALUATION,
        cost: REDUCED,
    },
    Instrument {
        key: "duplicate_token",
        title: "duplicate token",
        unit: "",
        cadence: EVALUATION,
        cost: REDUCED,
    },
    Instrument {
        key: "copying",
        title: "copying",
        unit: "",
        cadence: CHECKPOINT,
        cost: HOST,
    },
    Instrument {
        key: "ablation.repeat",
        title: "ablation",
        unit: "nats",
        cadence: CHECKPOINT,
        cost: COPIES,
    },
    Instrument {
        key: "preserving.repeat",
        title: "patterns kept",
        unit: "nats",
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
        cadence: CHECKPOINT,
        cost: HOST,
    },
    Instrument {
        key: "icl",
        title: "ICL score",
        unit: "nats",
        cadence: EVALUATION,
        cost: "one dispatch behind the evaluation",
    },
    Instrument {
        key: "loss.position",
        title: "Loss by position",
        unit: "nats",
        cadence: CHECKPOINT,
        cost: "one dispatch behind the evaluation",
    },
    Instrument {
        key: "spectrum",
        title: "Directions in use",
        unit: "",
        cadence: CHECKPOINT,
        cost: HOST,
    },
    Instrument {
        key: "norm",
        title: "Weight norms",
        unit: "",
        cadence: CHECKPOINT,
        cost: HOST,
    },
    Instrument {
        key: "share",
        title: "Composition on data",
        unit: "",
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
        cadence: EVALUATION,
        cost: "one read of the held-out losses",
    },
    Instrument {
        key: "copied",
        title: "Matched copying check",
        unit: "nats",
        cadence: "the checkpoints of ablation",
        cost: "8 forward passes behind the evaluation",
    },
    Instrument {
        key: "column",
        title: "P(line end) by column",
        unit: "",
        cadence: CHECKPOINT,
        cost: HOST,
    },
    Instrument {
        key: "column",
        title: "Loss by column",
        unit: "nats",
        cadence: CHECKPOINT,
        cost: HOST,
    },
    Instrument {
        key: "passage",
        title: "Passage",
        unit: "nats",
        cadence: "the checkpoint of the cursor, when asked for",
        cost: "one evaluation",
    },
    Instrument {
        key: "written",
        title: "Completions",
        unit: "",
        cadence: "the checkpoint of the cursor, when asked for",
        cost: "one evaluation a token",
    },
];
