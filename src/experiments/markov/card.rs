//! What the page knows.

use super::judge::{self, Level};
use super::settle;
use crate::experiments::transformer::knobs as shared;
use crate::experiments::transformer::sizes;
use crate::experiments::{Card, Clock, Event, Panel, Preset, RefLine, SeriesSpec, indicator};
use crate::knobs::{Group, Knob, Knobs, choice, int, told};
use crate::plot::number::significant;
use crate::tasks::markov::{Markov, Rows};

const DATA: Group = Group::Data;

const DATA_KNOBS: &[Knob] = &[
    int("vocab", "symbols", DATA, (2, 16), 3, "Symbols of the chains; guessing uniformly costs ln k.").symbol("k").unit("symbols"),
    int("ctx", "context", DATA, (8, 128), 64, "Symbols of a sequence.").symbol("T").unit("symbols"),
    choice("chain", "rows of a chain", DATA, &["own", "turned"], "own", "Each row of transition probabilities drawn by itself; or all rows turns of one another, which makes the chain doubly stochastic (with two symbols, any that is): all symbols are equally frequent, and counting them says nothing.").then(),
    int("alpha", "evenness", DATA, (1, 8), 1, "Rows are Dirichlet(α, …, α): 1 is uniform over all rows, more makes rows more even and chains harder to tell apart.").symbol("α").then(),
];

const OWN: shared::Own = shared::Own {
    d_model: 32,
    heads: 1,
    norm: "none",
    positions: "rotary",
    data: DATA_KNOBS,
    lr: 1e-3,
    batch: 64,
    steps: 1000,
    every: 25,
};

const KNOBS: &[Knob] = &shared::knobs::<{ shared::COUNT + DATA_KNOBS.len() }>(&OWN);

const PRESETS: &[Preset] = &[
    Preset {
        id: "default",
        title: "default",
        help: told(
            "Three symbols, two attention-only blocks of one head each: the shelf lasts till step 400, the drop is over by step 750.",
        ),
        query: "",
    },
    Preset {
        id: "tiny",
        title: "tiny",
        help: told("A quarter of the parameters and a shorter context, for slow devices."),
        query: "d_model=16&ctx=48&lr=3e-3",
    },
    Preset {
        id: "two",
        title: "two symbols",
        help: told(
            "Chains of two symbols, as in Edelman et al. (2024); the shelf lies a little below the unigram line, and the story says why.",
        ),
        query: "vocab=2&ctx=100&steps=1500",
    },
    Preset {
        id: "turned",
        title: "doubly stochastic",
        help: told(
            "All symbols are equally frequent: there is nothing to learn from counting them, and no shelf at the unigram line.",
        ),
        query: "chain=turned&steps=1500",
    },
    Preset {
        id: "one-layer",
        title: "one layer, the control",
        help: told(
            "The control: one block has no earlier head that could tell it what came before each token, and stays on the shelf.",
        ),
        query: "layers=1",
    },
    Preset {
        id: "one-layer-smeared",
        title: "one layer, smeared keys",
        help: told(
            "One block again, but each key is mixed with the one before it: there is no shelf, and most of the drop is over by step 350.",
        ),
        query: "layers=1&smear=on",
    },
    Preset {
        id: "seeds",
        title: "eight seeds, tiny",
        help: told("Eight models of the preset tiny side by side, each on chains of its own."),
        query: "d_model=16&ctx=48&lr=3e-3&replicas=8",
    },
];

const LOSSES: &[SeriesSpec] = &[
    SeriesSpec {
        id: "loss",
        label: "loss",
        unit: "nats",
        help: told("Mean loss on all targets of the held-out sequences."),
        panel: Panel::Main,
    },
    SeriesSpec {
        id: "loss.train",
        label: "train",
        unit: "nats",
        help: told("Mean loss on each step's fresh batch, before the step."),
        panel: Panel::Main,
    },
    SeriesSpec {
        id: "kl",
        label: "model",
        unit: "nats",
        help: told(
            "Mean KL(P‖model) over all held-out positions, P the row of the sequence's own chain: what the model loses to one who knows the chain.",
        ),
        panel: Panel::Below,
    },
    SeriesSpec {
        id: "kl.unigram",
        label: "vs unigram",
        unit: "nats",
        help: told(
            "Mean KL(q‖model), q what counting the symbols of the context says: near 0 while the model does just that.",
        ),
        panel: Panel::Below,
    },
    SeriesSpec {
        id: "kl.bigram",
        label: "vs bigram",
        unit: "nats",
        help: told(
            "Mean KL(q‖model), q what counting the pairs of the context says: near 0 once the model does that.",
        ),
        panel: Panel::Below,
    },
    SeriesSpec {
        id: "kl.shift",
        label: "vs shifts",
        unit: "nats",
        help: told(
            "Mean KL(q‖model), q what counting shifts says; measured where the rows are turns of one another.",
        ),
        panel: Panel::Below,
    },
];

/// The card.
pub const CARD: Card = Card {
    id: "markov",
    title: "Markov chains in context",
    claim: told(
        "A two-layer transformer that reads a new Markov chain in every sequence first counts symbols, stays there for a while, then learns to count what followed the present symbol.",
    ),
    look_for: &[
        told(
            "Within 100 steps the loss falls from the uniform line to about the unigram line: the model counts symbols.",
        ),
        told(
            "Below: the distance to what counting symbols says is small there, and grows again when the model leaves the shelf.",
        ),
        told(
            "The drop, between steps 400 and 750: towards the bigram line, which no predictor can pass in the mean.",
        ),
        told(
            "Attention: the head of block 0 comes to look one token back while the loss drops; that of block 1 looks at what followed earlier copies of the present symbol.",
        ),
        told("λ̂ is about 1 on the shelf and 3 behind the drop."),
        told("layers = 1, the control, never leaves the shelf."),
    ],
    knobs: KNOBS,
    presets: PRESETS,
    light: Some("tiny"),
    losses: LOSSES,
    below: "KL (nats)",
    behaviour: "loss",
    event: Event {
        after: Some(Clock {
            id: "kl.unigram",
            level: 0.05,
            down: true,
        }),
        told: told(
            "Points count from where the predictions are 0.05 nats from counting symbols: the shelf. The null runs are models of one layer at the settings of the preset tiny, which never come to count pairs.",
        ),
        null: "layers",
        ..Event::ANY
    },
    leads: &[
        indicator("llc", "λ̂"),
        indicator("heads.*.prev_token", "previous token, best head"),
        indicator("heads.*.prefix_matching", "prefix matching, best head"),
        indicator("kl.unigram", "distance to counting symbols"),
        indicator("loss", "the loss itself"),
    ],
    locality: false,
    reference,
    settle: settle::settle,
    sample: |_| None,
    cost: sizes::cost,
};

/// The sequences the knobs describe.
#[must_use]
pub fn task(knobs: &Knobs) -> Markov {
    Markov {
        symbols: knobs.size("vocab"),
        ctx: knobs.size("ctx"),
        rows: match knobs.word("chain") {
            "turned" => Rows::Turned,
            _ => Rows::Own,
        },
        alpha: knobs.size("alpha"),
    }
}

/// What the predictors cost on the held-out sequences of the seed that is followed.
#[must_use]
pub fn levels(knobs: &Knobs) -> judge::Levels {
    let seed = (knobs.int("seed") as u32).wrapping_add(knobs.int("member") as u32);
    judge::levels(&task(knobs), seed, knobs.size("batch"))
}

fn reference(knobs: &Knobs) -> Vec<RefLine> {
    let all = levels(knobs);
    let turned = task(knobs).rows == Rows::Turned;
    let best = "It is Bayes' answer to these chains: none has a lower mean.";
    let mut lines = Vec::new();
    let mut add = |label: &str, level: Level, what: &str| {
        let line = |panel, y, help: String| RefLine {
            y,
            label: label.into(),
            help,
            panel,
        };
        let on = "on the same held-out sequences, of";
        lines.push(line(
            Panel::Main,
            level.loss,
            format!("Mean loss, {on} {what}"),
        ));
        if level.kl > 0.0 {
            let late = significant(level.late, 2);
            let help = format!(
                "Mean KL from the truth, {on} {what} Over the last tenth of positions: {late}."
            );
            lines.push(line(Panel::Below, level.kl, help));
        }
    };
    add("uniform", all.uniform, "1/k for every symbol.");
    add(
        "unigram",
        all.unigram,
        "counting the symbols of the context: (n_j + α)/(n + kα).",
    );
    let pairs = "counting what followed the present symbol: (n_ij + α)/(n_i + kα).";
    if turned {
        add("bigram", all.bigram, pairs);
        let shifts = "counting by how much each symbol differs from the one before, modulo k.";
        add("shifts", all.bayes, &format!("{shifts} {best}"));
    } else {
        add("bigram", all.bigram, &format!("{pairs} {best}"));
    }
    add(
        "chain",
        all.truth,
        "the chain itself, which no reader knows: the entropy of what comes next.",
    );
    lines
}
