//! What the page knows.

use super::{lab, settle};
use crate::experiments::transformer::knobs as shared;
use crate::experiments::transformer::sizes;
use crate::experiments::{Card, Event, Panel, Preset, RefLine, SeriesSpec, indicator};
use crate::knobs::{Group, Knob, Knobs, int, told};

const DATA: Group = Group::Data;

const DATA_KNOBS: &[Knob] = &[
    int("vocab", "vocabulary", DATA, (8, 1024), 128, "Number of different tokens; guessing uniformly costs ln V.").symbol("V").unit("tokens"),
    int("ctx", "context", DATA, (8, 128), 48, "Tokens of a sequence.").symbol("T").unit("tokens"),
    int("pmin", "least period", DATA, (2, 126), 12, "Shortest period a sequence may have; the period is drawn anew for each sequence, so that counting positions does not solve the task.").symbol("p_min").unit("tokens").then(),
    int("pmax", "greatest period", DATA, (2, 126), 24, "Longest period a sequence may have.").symbol("p_max").unit("tokens").then(),
];

const OWN: shared::Own = shared::Own {
    d_model: 64,
    heads: 4,
    norm: "none",
    positions: "learned",
    data: DATA_KNOBS,
    lr: 3e-3,
    batch: 64,
    steps: 1800,
    every: 50,
};

const KNOBS: &[Knob] = &shared::knobs::<{ shared::COUNT + DATA_KNOBS.len() }>(&OWN);

const PRESETS: &[Preset] = &[
    Preset {
        id: "default",
        title: "default",
        help: told(
            "Two attention-only blocks, 52 224 parameters: the bump comes between steps 500 and 1000.",
        ),
        query: "",
    },
    Preset {
        id: "tiny",
        title: "tiny",
        help: told("A fifth of the parameters and a sixth of the work a step, for slow devices."),
        query: "d_model=32&heads=2&vocab=32&ctx=32&pmin=6&pmax=14&steps=2500",
    },
    Preset {
        id: "fine",
        title: "fine",
        help: told(
            "Longer chains with smaller steps at a lower temperature: a λ̂ with less bias, at over twenty times the cost.",
        ),
        query: "nbeta=1000&gamma=300&eps=4e-5&burnin=300&draws=300&mbatch=16",
    },
    Preset {
        id: "one-layer",
        title: "one layer, the control",
        help: told("The control: one block cannot form an induction head, and shows no bump."),
        query: "layers=1",
    },
    Preset {
        id: "one-layer-smeared",
        title: "one layer, smeared keys",
        help: told(
            "One block again, but each key is mixed with the one before it: what a previous-token head would have brought is there already, and all four heads become induction heads within 300 steps.",
        ),
        query: "layers=1&smear=on",
    },
    Preset {
        id: "seeds",
        title: "eight seeds, tiny",
        help: told(
            "Eight models of the preset tiny side by side, each with its own data: when does each make the jump differs.",
        ),
        query: "d_model=32&heads=2&vocab=32&ctx=32&pmin=6&pmax=14&steps=2500&replicas=8",
    },
];

const LOSSES: &[SeriesSpec] = &[
    SeriesSpec {
        id: "loss.first",
        label: "first",
        unit: "nats",
        help: told(
            "Mean loss on held-out targets inside the first period, which nothing determines.",
        ),
        panel: Panel::Main,
    },
    SeriesSpec {
        id: "loss.repeat",
        label: "repeat",
        unit: "nats",
        help: told(
            "Mean loss on held-out targets that the context determines: those after the first token of the second period.",
        ),
        panel: Panel::Main,
    },
    SeriesSpec {
        id: "loss",
        label: "all",
        unit: "nats",
        help: told(
            "Mean loss on all targets of the held-out sequences, the first token of the second period included.",
        ),
        panel: Panel::Main,
    },
    SeriesSpec {
        id: "loss.train",
        label: "train",
        unit: "nats",
        help: told("Mean loss on each step's fresh batch, before the step."),
        panel: Panel::Main,
    },
];

/// The card.
pub const CARD: Card = Card {
    id: "induction",
    title: "The induction bump",
    claim: told(
        "A two-layer transformer learns, within a few hundred steps, to look up what followed the present token before; the local learning coefficient rises through the drop, and with the default settings falls after it.",
    ),
    look_for: &[
        told("First shelf: both losses near ln V, the uniform guess."),
        told(
            "Second stage: repeats get slowly cheaper, towards the in-context unigram level but not down to it; the model learns which tokens occur, not in which order.",
        ),
        told(
            "The drop: with the default settings the loss on repeats falls from about 4.2 to under 0.5 nats between steps 500 and 1000; with tiny and seed 1 from 3.0 to 0.5 between steps 400 and 600.",
        ),
        told(
            "Meanwhile the first-period loss rises above ln V and comes most of the way back: the model bets on a repeat too early.",
        ),
        told(
            "With the default settings λ̂ rises sevenfold, peaks in the middle of the drop, then falls; with tiny it rises through the drop too, and what follows differs from seed to seed.",
        ),
        told(
            "Attention: a head of block 0 looks one token back; a head of block 1 looks at the token after the previous occurrence.",
        ),
        told(
            "layers = 1, the control, learns no such thing, and its λ̂ rises smoothly, without a peak.",
        ),
    ],
    knobs: KNOBS,
    presets: PRESETS,
    light: Some("tiny"),
    losses: LOSSES,
    below: "",
    behaviour: "loss.repeat",
    event: Event {
        // A layer alone comes to counting, less than half of that way.
        least: |k| -0.75 * (k.int("vocab").max(2) as f64).ln(),
        told: told(
            "A change counts where the loss on repeats falls by three quarters of ln V, which guessing costs. The null runs are models of one layer, which cannot form an induction head: one set at the default settings, one at those of the preset tiny, and the nearer is taken.",
        ),
        null: "layers",
        alike: "the same heads are called induction heads (their prefix-matching score is 0.3 or more and the greatest of their three attention scores), and the same head looks one token back the most: “head 0.1 before 1.0 and 1.1” names it, then them, and “no head before” says that none looks back so",
        ..Event::ANY
    },
    leads: &[
        indicator("llc", "λ̂"),
        indicator("heads.*.prev_token", "previous token, best head"),
        indicator("heads.*.prefix_matching", "prefix matching, best head"),
        indicator("winner.refined", "refined λ̂ of the winning head"),
        indicator("trace", "trace of the Hessian"),
        indicator("norm", "‖w‖"),
        indicator("composition.k.*", "K-composition, greatest of all pairs"),
        indicator("winner.k", "K-composition of the winning pair"),
        indicator("icl", "ICL score"),
        indicator("loss.first", "loss on the first period"),
        indicator("loss.repeat", "the loss on repeats itself"),
    ],
    locality: false,
    reference,
    settle: settle::settle,
    sample: |_| None,
    cost: sizes::cost,
};

fn reference(knobs: &Knobs) -> Vec<RefLine> {
    let task = lab::task(knobs);
    let line = |y, label: &str, help: &str| RefLine {
        y,
        label: label.into(),
        help: help.into(),
        panel: Panel::Main,
    };
    vec![
        line(
            task.uniform(),
            "uniform",
            "ln V: every token of the vocabulary is as likely as another.",
        ),
        line(
            task.floor(),
            "floor of first",
            "First-period floor: no model is below this on the first period: after t distinct tokens the next is uniform over the other V − t; the mean of ln(V − t) over its targets.",
        ),
        line(
            task.unigram(),
            "unigram",
            "In-context unigram: loss on repeats of a model that knows which p tokens the sequence holds and gives each 1/p: the mean of ln p over repeat targets.",
        ),
    ]
}
