//! What the page knows: knobs, presets, costs.

pub use super::settings::Settings;
use super::settings::settle;
use crate::experiments::chains::{self, Defaults, join};
use crate::experiments::{Card, Clock, Cost, Event, Panel, Preset, RefLine, SeriesSpec, indicator};
use crate::knobs::{Group, Knob, Knobs, choice, float, int, told};
use crate::model::modadd;

/// The card.
pub const CARD: Card = Card {
    id: "grok",
    title: "Modular addition: grokking",
    claim: told(
        "A small network first memorises sums modulo 53 and, thousands of steps later, learns the rule; λ̂ peaks at memorising and has fallen by a third or more before test accuracy rises.",
    ),
    look_for: &[
        told(
            "Training accuracy reaches 100 % within 2000 steps; test accuracy stays near chance, 2 %.",
        ),
        told(
            "λ̂ peaks as memorising ends, then falls for thousands of steps in which training accuracy does not move.",
        ),
        told(
            "Test accuracy jumps much later. Note when λ̂ had fallen by 10 %, and when the test loss had.",
        ),
        told(
            "Under λ̂: the weight norm and the test loss, each as a share of its peak. What they show as well, λ̂ does not show alone.",
        ),
        told("The embedding's spectrum: power spread over all frequencies gathers in a few."),
        told("Low decay and no decay are the controls. Does λ̂ fall there too?"),
    ],
    knobs: KNOBS,
    presets: PRESETS,
    light: Some("fast"),
    losses: &[
        SeriesSpec {
            id: "loss",
            label: "train",
            unit: "nats",
            help: told("Mean cross-entropy over all pairs trained on."),
            panel: Panel::Main,
        },
        SeriesSpec {
            id: "loss.test",
            label: "test",
            unit: "nats",
            help: told("Mean cross-entropy over all pairs held out."),
            panel: Panel::Both,
        },
        SeriesSpec {
            id: "accuracy.train",
            label: "train",
            unit: "share of pairs",
            help: told("Share of the pairs trained on that are answered rightly."),
            panel: Panel::Below,
        },
        SeriesSpec {
            id: "accuracy.test",
            label: "test",
            unit: "share of pairs",
            help: told("Share of the pairs held out that are answered rightly."),
            panel: Panel::Below,
        },
        SeriesSpec {
            id: "norm",
            label: "‖w‖",
            unit: "",
            help: told("Euclidean norm of all weights: what λ̂ must be told apart from."),
            panel: Panel::Null,
        },
    ],
    below: "accuracy (share of pairs)",
    behaviour: "accuracy.test",
    event: Event {
        least: |_| 0.5,
        after: Some(Clock {
            id: "accuracy.train",
            level: 0.99,
            down: false,
        }),
        told: told(
            "A change counts where test accuracy rises by a half at least. Points count from where training accuracy is 0.99: before that everything moves. The null runs are models of other seeds without weight decay, otherwise as in the preset “eight seeds”: they memorise and do not find the rule.",
        ),
        null: "wd",
        alike: "",
    },
    leads: &[
        indicator("llc", "λ̂"),
        indicator("trace", "trace of the Hessian"),
        indicator("norm", "‖w‖"),
        indicator("loss", "training loss"),
        indicator("loss.test", "test loss"),
        indicator("accuracy.test", "test accuracy itself"),
    ],
    locality: false,
    reference,
    settle,
    sample: |_| None,
    cost,
};

const OWN: &[Knob] = &[
    int("p", "modulus", Group::Model, (5, 97), 53, "Numbers 0 to p − 1 are added modulo p; prime in the papers.").symbol("p"),
    int("embed", "embedding width", Group::Model, (2, 32), 12, "Length of the vector each number becomes; both numbers share the table.").symbol("d"),
    int("hidden", "hidden neurons", Group::Model, (4, 96), 48, "Neurons (GELU) after the sum of the two linear maps.").symbol("H").unit("neurons"),
    float("frac", "training fraction", Group::Data, (0.05, 0.95), 0.4, "Share of the p² pairs trained on; the rest is the test. The more, the sooner the rule is found.").symbol("α"),
    int("batch", "batch", Group::Training, (1, 10_000), 128, "Pairs of one training step, in shuffled passes; as many as are trained on means all of them, without noise.").symbol("B").unit("pairs"),
    float("lr", "learning rate", Group::Training, (0.0, 0.1), 5e-3, "Step size of Adam, the same throughout.").symbol("η"),
    float("wd", "weight decay", Group::Training, (0.0, 0.1), 1e-3, "L2 decay, added to the gradient as in torch.optim.Adam; 0 leaves the norm free."),
    int("steps", "steps", Group::Training, (1, 200_000), 20_000, "Training steps, each of one batch.").symbol("t").unit("steps"),
    int("seed", "seed", Group::Training, (0, 2_147_483_647), 1, "Draws the weights, the split, the batches and the noise of the chains.").fixed(),
    int("replicas", "seeds", Group::Training, (1, 16), 1, "Models trained side by side in the same dispatches, from this seed and those that follow it, each with a split of its own.").symbol("R").unit("models").fixed(),
    int("member", "model followed", Group::Sampler, (0, 15), 0, "The model that λ̂, logit-PCA and the spectrum are of, counted from 0; a click on one in the list of seeds chooses it.").fixed(),
];

const ON: Knob = choice(
    "on",
    "data of the chains",
    Group::Sampler,
    &["train", "test"],
    "train",
    "Whose loss λ̂ is of (data-refined λ̂, Wang et al. 2024): the pairs trained on, or those held out. Training does not change.",
);

const CHAINS: Defaults = Defaults {
    nbeta: 30.0,
    gamma: 100.0,
    eps: 1e-4,
    chains: 2,
    burnin: (20_000, 300),
    draws: (50_000, 700),
    mbatch: int("mbatch", "chain batch", Group::Sampler, (1, 10_000), 128, "Pairs of one chain step, from those trained on (or held out), the same for all chains and for the anchor; as many as are trained on means all of them, without noise.").symbol("m").unit("pairs"),
    samplers: &["sgld", "rmsprop", "mala"],
    parts: modadd::PARTS,
};

const KNOBS: &[Knob] = &join::<{ OWN.len() + chains::KNOBS + 4 }>(&[
    OWN,
    &chains::knobs(&CHAINS),
    &[ON],
    &chains::cadence((200_000, 500), (20, 0)),
]);

const PRESETS: &[Preset] = &[
    Preset {
        id: "default",
        title: "default",
        help: told(
            "40 % of the pairs, weight decay 1e-3: a long delay between memorising and the rule.",
        ),
        query: "",
    },
    Preset {
        id: "fast",
        title: "fast",
        help: told("60 % of the pairs: the rule comes within a few thousand steps."),
        query: "frac=0.6&wd=2e-4&steps=8000&every=250",
    },
    Preset {
        id: "lowdecay",
        title: "low decay, a control",
        help: told(
            "A control: the notebook's weight decay of 2e-4 at 40 % of the pairs, which begins to grok at the very end of this time.",
        ),
        query: "wd=2e-4",
    },
    Preset {
        id: "nodecay",
        title: "no decay, a control",
        help: told("A control: no weight decay, so nothing pulls the norm down."),
        query: "wd=0",
    },
    Preset {
        id: "seeds",
        title: "eight seeds",
        help: told(
            "Eight models side by side, each with its own split of the pairs: when each finds the rule differs. λ̂ is of short chains at more checkpoints.",
        ),
        query: "steps=12000&replicas=8&chains=1&burnin=100&draws=400&every=200",
    },
    Preset {
        id: "hot",
        title: "hot",
        help: told("The published sampler, so hot that λ̂ measures little but the weight norm."),
        query: "nbeta=2&gamma=5&eps=3e-3&chains=1&burnin=0&draws=500",
    },
];

fn reference(knobs: &Knobs) -> Vec<RefLine> {
    let p = knobs.int("p") as f64;
    vec![RefLine {
        y: p.ln(),
        label: "ln p".into(),
        help: "Cross-entropy of equal probabilities for all p answers: knowing nothing.".into(),
        panel: Panel::Main,
    }]
}

/// Floating-point operations: the way back costs twice the way there.
fn cost(knobs: &Knobs) -> Cost {
    let s = Settings::of(knobs);
    let n = s.model.count() as f64;
    let draws = s.sampling.launches() as f64 * s.sampling.replicas() as f64;
    let step = |batch: usize, update: f64| {
        3.0 * batch as f64 * s.flops() + (update + Settings::splits(batch) as f64) * n
    };
    let all = s.replicas as f64;
    Cost {
        params: s.model.count() as u64,
        flops_per_step: all * step(s.batch, 15.0),
        flops_per_point: draws * step(s.sampling.mbatch, 60.0),
        steps: s.steps,
        points: s.sampling.points(&s.checkpoints()),
        bytes: s.bytes(),
    }
}
