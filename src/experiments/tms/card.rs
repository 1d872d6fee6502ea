//! What the page knows: knobs, levels, costs.

pub use super::settings::Settings;
use super::settings::settle;
use crate::experiments::chains::{self, Defaults, join};
use crate::experiments::{Card, Cost, Event, Panel, Preset, RefLine, SeriesSpec, indicator};
use crate::knobs::{Group, Knob, Knobs, choice, float, int, told};
use crate::model::tms::{self, level};

/// The card.
pub const CARD: Card = Card {
    id: "tms",
    title: "Toy model of superposition",
    claim: told(
        "Six features share two dimensions as a polygon; training sits on a plateau, then jumps to a polygon with one more corner, and λ̂ can rise as the loss falls.",
    ),
    look_for: &[
        told(
            "The loss rests near 0.097, the level 4++: a square of four features and two dead ones with a positive bias.",
        ),
        told(
            "Replica after replica drops to 0.062, the level 5+: a dead column of W grows and the other four make room. Count how many have left the plateau, and when.",
        ),
        told(
            "λ̂ of the replica followed: near 4 on the plateau, a dip during the jump, about 5.7 at 5+, in the same steps as the loss and not before.",
        ),
        told(
            "Some lose a + to gradient noise: the loss steps up by 0.007, λ̂ falls, and that feature never comes back.",
        ),
        told(
            "Preset cold: λ̂ is about 8.5 to 9 wherever training has settled. Preset not local: λ̂ mirrors the loss.",
        ),
    ],
    knobs: KNOBS,
    presets: PRESETS,
    light: None,
    losses: &[
        SeriesSpec {
            id: "loss",
            label: "data",
            unit: "squared error",
            help: told(
                "Mean over the replica's own data set of the sum of squared errors of all outputs.",
            ),
            panel: Panel::Main,
        },
        SeriesSpec {
            id: "loss.population",
            label: "population",
            unit: "squared error",
            help: told(
                "The same loss over the whole distribution, integrated exactly from the weights.",
            ),
            panel: Panel::Main,
        },
    ],
    below: "",
    behaviour: "loss.population",
    event: Event {
        // A corner more is worth at least twice a dead feature's +; half-way between is the bound.
        least: |k| -1.5 / (4.0 * (k.int("features") as f64).powi(2)),
        after: None,
        told: told(
            "A change counts from one and a half times 1/(4c²) downwards, what a dead feature’s + is worth: so a corner more does, and a + lost does not. The null runs are models of other seeds at the default settings that kept their polygon and every + to the end.",
        ),
        null: "",
        alike: "their polygons have as many corners",
    },
    leads: &[
        indicator("llc", "λ̂"),
        indicator("trace", "trace of the Hessian"),
        indicator("norm", "‖w‖"),
        indicator("loss", "the loss on its own data"),
        indicator("loss.population", "the population loss itself"),
    ],
    locality: true,
    reference,
    settle,
    sample: |_| None,
    cost,
};

const OWN: &[Knob] = &[
    int("features", "features", Group::Model, (3, 10), 6, "How many features share the two hidden dimensions (Elhage et al. 2022; c in Chen et al. 2023).").symbol("c"),
    choice("start", "start", Group::Model, &["kgon", "random"], "kgon", "Where training starts: at a regular polygon of features with the others dead, or at random weights."),
    int("gon", "corners at start", Group::Model, (3, 10), 4, "Corners of the polygon training starts from, if it starts from one.").symbol("k"),
    choice("dead", "bias of dead features", Group::Model, &["plus", "minus"], "plus", "Bias of the features outside the starting polygon: +1/(2c), from which they can be born, or −0.5, at which they stay dead (4⁺⁺ and 4⁻⁻ in Chen et al. 2023)."),
    float("jitter", "jitter", Group::Model, (0.0, 1.0), 0.01, "Standard deviation of the normal noise added to every weight of the starting polygon.").symbol("σ₀"),
    float("sigma", "random start", Group::Model, (0.0, 5.0), 0.1, "Standard deviation of every weight of a random start.").symbol("σ"),
    int("n", "samples", Group::Data, (10, 5000), 1000, "Size of each replica's own data set.").symbol("n").unit("samples").then(),
    int("batch", "batch", Group::Training, (1, 1000), 20, "Samples of one training step, drawn from the data set in shuffled passes; as many as there are samples means all of them, without noise.").symbol("B").unit("samples"),
    float("lr", "learning rate", Group::Training, (0.0, 1.0), 0.03, "Step size of stochastic gradient descent; at 0.01 far fewer replicas leave the plateau in time.").symbol("η"),
    float("momentum", "momentum", Group::Training, (0.0, 0.999), 0.9, "How much of the last step's velocity is kept.").symbol("μ"),
    int("steps", "steps", Group::Training, (1, 200_000), 6000, "Training steps.").symbol("t").unit("steps"),
    int("seed", "seed", Group::Training, (0, 2_147_483_647), 1, "Replica r draws its weights, data and noise from this number plus r."),
    int("replicas", "replicas", Group::Training, (1, 64), 16, "Models trained side by side, differing only in their seeds.").symbol("R").fixed(),
    int("member", "replica followed", Group::Sampler, (0, 63), 0, "The replica λ̂ and the PCA are of, counted from 0; clicking one in the figure chooses it.").fixed(),
];

const CHAINS: Defaults = Defaults {
    nbeta: 724.0,
    gamma: 100.0,
    eps: 3e-4,
    chains: 8,
    burnin: (20_000, 100),
    draws: (50_000, 300),
    mbatch: int("mbatch", "chain batch", Group::Sampler, (1, 5000), 100, "Samples of a chain step, the same for all chains and for the anchor at the checkpoint; as many as there are samples means all of them, without noise.").symbol("m").unit("samples"),
    samplers: &["sgld", "rmsprop", "mala"],
    parts: tms::PARTS,
};

const KNOBS: &[Knob] = &join::<{ OWN.len() + chains::KNOBS + 3 }>(&[
    OWN,
    &chains::knobs(&CHAINS),
    &chains::cadence((200_000, 100), (20, 0)),
]);

const PRESETS: &[Preset] = &[
    Preset {
        id: "default",
        title: "default",
        help: told("From the square with two dead features, sampled near each checkpoint."),
        query: "",
    },
    Preset {
        id: "cold",
        title: "cold",
        help: told(
            "Gradient descent without noise, sampled so cold that only the immediate neighbourhood counts: λ̂ near the local λ of 8.5 wherever training has settled.",
        ),
        query: "batch=1000&nbeta=1e5&gamma=1&eps=2e-6&burnin=500&draws=1500&mbatch=1000&every=500",
    },
    Preset {
        id: "notlocal",
        title: "not local",
        help: told(
            "So hot and free that the chains forget the checkpoint: λ̂ is a constant minus nβ times the loss.",
        ),
        query: "nbeta=144.8&gamma=1&eps=1e-3&burnin=1000&draws=1000&every=500",
    },
];

/// The levels L(k, c), with every number of positive dead biases up to six features, and with none
/// or all positive above.
fn reference(knobs: &Knobs) -> Vec<RefLine> {
    let c = knobs.size("features");
    let lowest = if c == 3 || (knobs.word("start") == "kgon" && knobs.size("gon") == 3) {
        3
    } else {
        4
    };
    (lowest..=c)
        .flat_map(|k| (0..=c - k).map(move |plus| (k, plus)))
        .filter(|&(k, plus)| c <= 6 || plus == 0 || plus == c - k)
        .map(|(k, plus)| RefLine {
            y: level(k, c, plus),
            label: format!("{k}{}", "+".repeat(plus)),
            help: format!(
                "Exact population loss of {c} features as a regular {k}-gon, {} dead, {plus} of them with bias 1/(2c) (Chen et al. 2023).",
                c - k
            ),
            panel: Panel::Main,
        })
        .collect()
}

/// Floating-point operations of one sample: about 22 for each output, gradient included.
fn cost(knobs: &Knobs) -> Cost {
    let s = Settings::of(knobs);
    let (c, replicas) = (s.features as f64, s.replicas as f64);
    let sample = 22.0 * c;
    let draws = s.sampling.launches() as f64 * s.sampling.replicas() as f64;
    Cost {
        params: 3 * s.features as u64,
        flops_per_step: replicas * (s.batch as f64 * sample + 15.0 * c),
        flops_per_point: draws * (s.sampling.mbatch as f64 * sample + 60.0 * c),
        steps: s.steps,
        points: s.sampling.points(&s.checkpoints()),
        bytes: s.bytes(),
    }
}
