//! What the page knows.

use super::settle;
use crate::experiments::transformer::knobs as shared;
use crate::experiments::transformer::sizes;
use crate::experiments::{Card, Event, Panel, Preset, RefLine, Sample, SeriesSpec, indicator};
use crate::knobs::{Digest, Group, Knob, Knobs, choice, digest, float, int, told};
use crate::tasks::stories::{GRAMMAR, Stories};

const DATA: Group = Group::Data;

const DATA_KNOBS: &[Knob] = &[
    digest("text", "own text", DATA, "Read a text of your own instead of the stories. The link then names it by the first sixteen digits of its SHA-256, and does not hold it: who opens the link is asked for the file."),
    choice("tokens", "tokens", DATA, &["chars", "pairs"], "chars", "What the text is cut into: characters, or byte-pair tokens (Sennrich et al. 2016), the most frequent pairs of tokens merged again and again, learned here from the text. Nothing is merged across words and lines.").fixed(),
    int("vocab", "vocabulary", DATA, (64, 1024), 68, "Greatest number of different tokens; the stories have 67 characters, and one more token stands for every character that is none. Guessing uniformly costs ln V.").symbol("V").unit("tokens"),
    int("ctx", "context", DATA, (16, 128), 128, "Tokens of a sequence.").symbol("T").unit("tokens"),
    int("wrap", "line width", DATA, (0, 120), 40, "Lines of the stories end before this column, at a space; 0 leaves them as long as they are. Where a line ends can be known by counting only.").unit("characters").when("text", &["none"]),
    float("mix", "share of repeats", Group::Training, (0.0, 1.0), 0.5, "Of the training sequences this share are not text but random tokens of the same vocabulary that repeat; exactly so in every batch, rounded down. What is held out is always half and half."),
    int("pmin", "least period", DATA, (2, 126), 12, "Shortest period a repeating sequence may have.").symbol("p_min").unit("tokens"),
    int("pmax", "greatest period", DATA, (2, 126), 40, "Longest period a repeating sequence may have.").symbol("p_max").unit("tokens"),
];

const OWN: shared::Own = shared::Own {
    d_model: 64,
    heads: 4,
    norm: "layernorm",
    positions: "rotary",
    data: DATA_KNOBS,
    lr: 3e-3,
    batch: 16,
    steps: 3000,
    every: 100,
};

const KNOBS: &[Knob] = &shared::knobs::<{ shared::COUNT + DATA_KNOBS.len() }>(&OWN);

const PRESETS: &[Preset] = &[
    Preset {
        id: "default",
        title: "default",
        help: told(
            "Stories and repeats, half and half; two attention-only blocks that read characters.",
        ),
        query: "",
    },
    Preset {
        id: "tiny",
        title: "tiny",
        help: told("Half the width and half the context, for slow devices."),
        query: "d_model=32&heads=2&ctx=64&pmin=6&pmax=20",
    },
    Preset {
        id: "stories",
        title: "stories alone, the control",
        help: told(
            "The control: the same model reads text alone, and its loss on repeats shows no bump.",
        ),
        query: "mix=0",
    },
    Preset {
        id: "lines",
        title: "short lines, counted",
        help: told(
            "Text alone, in lines of at most 20 characters, and an MLP: the model learns at which column a line must end (tab Text).",
        ),
        query: "d_model=32&heads=2&mlp=128&act=gelu&ctx=64&wrap=20&mix=0&steps=8000&every=400",
    },
    Preset {
        id: "pairs",
        title: "byte-pair tokens",
        help: told("256 tokens learned from the stories: words and their beginnings."),
        query: "tokens=pairs&vocab=256",
    },
    Preset {
        id: "one-layer",
        title: "one layer",
        help: told("One block has no earlier head to read from: no induction."),
        query: "layers=1",
    },
];

const fn main(id: &'static str, label: &'static str, help: &'static str) -> SeriesSpec {
    SeriesSpec {
        id,
        label,
        unit: "nats",
        help: told(help),
        panel: Panel::Main,
    }
}
const fn below(id: &'static str, label: &'static str, help: &'static str) -> SeriesSpec {
    SeriesSpec {
        panel: Panel::Below,
        ..main(id, label, help)
    }
}
const fn level(id: &'static str, label: &'static str, help: &'static str) -> SeriesSpec {
    SeriesSpec {
        panel: Panel::Level,
        ..main(id, label, help)
    }
}

const LOSSES: &[SeriesSpec] = &[
    main(
        "loss.text",
        "text",
        "Mean loss on held-out text: windows of stories, or of the last tenth of a text, that are never trained on.",
    ),
    main(
        "loss.repeat",
        "repeat",
        "Mean loss on held-out targets that the context determines: those after the first token of the second period of a sequence that repeats.",
    ),
    main(
        "loss.first",
        "first",
        "Mean loss on the other targets of the repeating sequences, which nothing determines.",
    ),
    main(
        "loss",
        "all",
        "Mean loss on all held-out targets, half of them text.",
    ),
    main(
        "loss.train",
        "train",
        "Mean loss on each step's fresh batch, before the step: text and repeats in the share of the run.",
    ),
    below(
        "kl.unigram",
        "vs unigram",
        "Mean KL(q‖model) over held-out positions of text, q the frequency of each token: near 0 while the model says just that.",
    ),
    below(
        "kl.bigram",
        "vs bigram",
        "Mean KL(q‖model), q what follows the present token in the text, by counting pairs.",
    ),
    below(
        "kl.trigram",
        "vs trigram",
        "Mean KL(q‖model), q what follows the last two tokens in the text, by counting threes.",
    ),
    level(
        "level.unigram",
        "unigram",
        "Loss on the same held-out text of the frequencies of tokens: (n + ½)/(N + V/2), counted on 262 144 tokens of other stories, or on all that is trained on of a text.",
    ),
    level(
        "level.bigram",
        "bigram",
        "Loss of counting what follows the present token, mixed with the frequencies where counts are few: (n_bc + κP(c))/(n_b + κ), κ = 2 (MacKay and Peto 1995).",
    ),
    level(
        "level.trigram",
        "trigram",
        "Loss of counting what follows the last two tokens, mixed with the bigram prediction in the same way.",
    ),
];

/// The card.
pub const CARD: Card = Card {
    id: "text",
    title: "Text",
    claim: told(
        "A small transformer reads stories: it learns which letters are frequent, what follows what, and, if half of what it reads repeats, to look up what came before.",
    ),
    look_for: &[
        told("The loss on text falls past three lines: unigram, bigram, trigram."),
        told(
            "Below: the distance to each of these predictors falls, and grows again when the model knows more.",
        ),
        told(
            "The loss on repeats stays high until a drop; meanwhile heads of block 0 come to look one token back.",
        ),
    ],
    knobs: KNOBS,
    presets: PRESETS,
    light: Some("tiny"),
    losses: LOSSES,
    below: "KL (nats)",
    behaviour: "loss.repeat",
    event: Event {
        least: |_| -2.0,
        told: told(
            "A change counts where the loss on repeats falls by 2 nats. The null runs are models of one layer at the settings of the preset tiny, which never come to look up what repeats. Half of what is read is text: λ̂, heads and losses also move with what is learned of that, and a lead of half such a way says little of repeats.",
        ),
        null: "layers",
        ..Event::ANY
    },
    leads: &[
        indicator("llc", "λ̂"),
        indicator("trace", "trace of the Hessian"),
        indicator("heads.*.prev_token", "previous token, best head"),
        indicator("heads.*.prefix_matching", "prefix matching, best head"),
        indicator("loss.text", "the loss on text"),
        indicator("loss.first", "the loss that nothing determines"),
        indicator("loss.repeat", "the loss on repeats itself"),
    ],
    locality: false,
    reference,
    settle: settle::settle,
    sample: |k| {
        (k.digest("text") == Digest(0)).then(|| Sample {
            title: "A story, and the grammar",
            text: Stories::new(k.size("wrap")).example(k.size("seed") as u32),
            made: "One rule a line: its name, then its alternatives between bars, each as likely as another. A name in angle brackets is replaced by an alternative of that rule; one with a capital is drawn once a story and stays. A slash ends a line.",
            rules: GRAMMAR,
        })
    },
    cost: sizes::cost,
};

fn reference(knobs: &Knobs) -> Vec<RefLine> {
    vec![RefLine {
        y: (knobs.size("vocab") as f64).ln(),
        label: "uniform".into(),
        help: "ln V: every token is as likely as another.".into(),
        panel: Panel::Main,
    }]
}
