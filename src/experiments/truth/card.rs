//! What the page knows: the knobs of every target, a preset for each.

use super::settle::settle;
use super::target::{Target, samples};
use super::{lab, target};
use crate::estimate::exact::finite::Regression;
use crate::experiments::chains::{self, Defaults, Settings, join};
use crate::experiments::{Card, Cost, Event, Panel, Preset, RefLine, STATS, SeriesSpec};
use crate::knobs::{Group, Knob, Knobs, choice, float, int, list, told};
use crate::model::tms::level;

/// The card.
pub const CARD: Card = Card {
    id: "truth",
    title: "Known answers",
    claim: told(
        "Here λ is known: the page shows the estimate, the value it should have at this temperature, spring and step size, and λ itself, and says why they differ.",
    ),
    look_for: &[
        told(
            "The estimate meets its target within its error, while λ lies elsewhere: λ̂ is a statement about nβ, γ and ε as much as about the minimum.",
        ),
        told(
            "Raise nβ or lower γ: estimate and target move towards λ together, slowly where the multiplicity is above 1.",
        ),
        told(
            "Raise ε: the estimate climbs above the posterior's value by the bias the page states, until the chains run away.",
        ),
        told(
            "Preset regression in minibatches: smaller minibatches raise λ̂, by the factor stated.",
        ),
        told(
            "Preset square: a point that is not a minimum. The longer the chains, the more of them leave, and λ̂ falls below zero.",
        ),
    ],
    knobs: KNOBS,
    presets: PRESETS,
    below: "",
    behaviour: "",
    event: Event::ANY,
    leads: &[],
    locality: false,
    light: None,
    losses: &[SeriesSpec {
        id: "loss",
        label: "L(w*)",
        unit: "",
        panel: Panel::Main,
        help: told("The loss at w*, where the chains start: nothing is trained here."),
    }],
    reference,
    settle,
    sample: |_| None,
    cost,
};

const MODEL: Group = Group::Model;
const DATA: Group = Group::Data;

const OWN: &[Knob] = &[
    choice("target", "target", MODEL, target::TARGETS, "quadratic", "The potential whose λ is known: a quadratic, a power, a crossing of two valleys, a deep linear network, a table of bigrams, a regression in minibatches, a polygon of the toy model of superposition, or a tanh net whose truth is zero."),
    list("h", "curvatures", MODEL, ((0.0, 1e4), false, (1, 12)), &[1.0, 0.3, 0.1, 0.03, 0.01], "Curvatures of the loss ½Σh·w²; a 0 is a flat direction.").symbol("h").when("target", &["quadratic"]),
    int("p", "power", MODEL, (2, 12), 4, "The loss is w to this even power.").symbol("p").when("target", &["power"]),
    int("a", "exponent of x", MODEL, (0, 4), 1, "The loss is scale·x to the power 2a times y to the power 2b.").symbol("a").when("target", &["crossing"]),
    int("b", "exponent of y", MODEL, (0, 4), 1, "The loss is scale·x to the power 2a times y to the power 2b.").symbol("b").when("target", &["crossing"]),
    float("scale", "scale", MODEL, (1e-3, 1e3), 1.0, "Factor of the crossing's loss.").when("target", &["crossing"]),
    list("widths", "widths", MODEL, ((1.0, 8.0), true, (2, 7)), &[3.0, 3.0, 3.0], "Widths of the layers of a deep linear network, input first; three of them are reduced-rank regression.").symbol("H").when("target", &["dln"]),
    int("rank", "rank of the truth", MODEL, (0, 8), 1, "Unit singular values of the matrix the network should be.").symbol("r").when("target", &["dln"]),
    int("vocab", "tokens", MODEL, (2, 16), 4, "Tokens of the bigram table, all equally likely.").symbol("V").when("target", &["bigram"]),
    int("features", "features", MODEL, (4, 10), 6, "Features of the toy model of superposition.").symbol("c").when("target", &["tms"]),
    int("gon", "corners", MODEL, (4, 8), 5, "Corners of the polygon that is w*; the other features are dead.").symbol("k").when("target", &["tms"]),
    choice("dead_bias", "bias of dead features", MODEL, &["plus", "minus"], "plus", "Bias of the features outside the polygon: +1/(2c), which each lower the loss a little, or −1, at which they stay dead.").when("target", &["tms"]),
    int("hidden", "hidden units", MODEL, (1, 16), 3, "Units of a net from one input to one output whose truth is zero.").symbol("H").when("target", &["tanh"]),
    int("n", "samples", DATA, (10, 5000), 1000, "Samples of the regression.").symbol("n").unit("samples").when("target", &["linreg"]),
    int("seed", "seed", DATA, (0, 2_147_483_647), 1, "Data, the rotation of w* and the chains' noise follow from it."),
];

const CHAINS: Defaults = Defaults {
    nbeta: 1000.0,
    gamma: 10.0,
    eps: 1e-4,
    chains: 8,
    burnin: (100_000, 2000),
    draws: (500_000, 10_000),
    mbatch: int("mbatch", "chain batch", Group::Sampler, (1, 5000), 32, "Samples of a chain step, drawn anew at each; as many as there are samples means all of them, without noise.").symbol("m").unit("samples").when("target", &["linreg"]),
    samplers: &["sgld", "rmsprop", "mala"],
    parts: &["all"],
};

// The whole model always moves, from a critical point there is no way down, and most targets have no
// samples: the last three of the shared settings are left out.
const SHARED: &[Knob] = chains::knobs(&CHAINS)
    .as_slice()
    .split_at(chains::KNOBS - 3)
    .0;

const KNOBS: &[Knob] = &join::<{ OWN.len() + chains::KNOBS - 3 }>(&[OWN, SHARED]);

const PRESETS: &[Preset] = &[
    Preset {
        id: "default",
        title: "default: a quadratic",
        help: told(
            "A quadratic of five curvatures: everything is known in closed form, the step's bias too.",
        ),
        query: "",
    },
    Preset {
        id: "power",
        title: "power",
        help: told("A quartic valley, λ = 1/4."),
        query: "target=power",
    },
    Preset {
        id: "crossing",
        title: "crossing valleys",
        help: told("Two valleys that cross: λ = 1/2 with multiplicity 2, approached slowly."),
        query: "target=crossing",
    },
    Preset {
        id: "dln",
        title: "deep linear network",
        help: told("A deep linear network at a balanced minimum: Aoyagi's formula."),
        query: "target=dln&eps=4e-5&burnin=5000&draws=25000",
    },
    Preset {
        id: "bigram",
        title: "bigrams",
        help: told("A table of bigrams: regular but for the flat directions of softmax."),
        query: "target=bigram&eps=4e-4",
    },
    Preset {
        id: "linreg",
        title: "regression in minibatches",
        help: told("Minibatches of 32: their noise raises λ̂ by a factor the page predicts."),
        query: "target=linreg&nbeta=145&gamma=1&eps=1e-3",
    },
    Preset {
        id: "pentagon",
        title: "pentagon",
        help: told("A pentagon and one dead feature, sampled so cold that λ shows."),
        query: "target=tms&nbeta=1e5&gamma=1&eps=2e-6&burnin=5000&draws=20000",
    },
    Preset {
        id: "square",
        title: "square",
        help: told("A square and two dead features: metastable, and the chains leave."),
        query: "target=tms&gon=4&gamma=1&eps=2e-4&draws=20000",
    },
    Preset {
        id: "tanh",
        title: "tanh net",
        help: told("A tanh net that need not do anything."),
        query: "target=tanh",
    },
];

fn reference(knobs: &Knobs) -> Vec<RefLine> {
    let y = match Target::of(knobs) {
        Target::Superposition(c, gon, plus) => level(gon, c, if plus { c - gon } else { 0 }),
        Target::Linreg(n) => {
            let data = samples(knobs.int("seed") as u32, n);
            let w = Regression::of(&data).1;
            let miss = |&(x, y): &(f32, f32)| (f64::from(y) - w * f64::from(x)).powi(2);
            0.5 * data.iter().map(miss).sum::<f64>() / n as f64
        }
        _ => 0.0,
    };
    vec![RefLine {
        y,
        label: "L(w*)".into(),
        help: "The loss at w*, exactly.".into(),
        panel: Panel::Main,
    }]
}

fn cost(knobs: &Knobs) -> Cost {
    let (target, with) = (Target::of(knobs), Settings::of(knobs));
    let count = target.count();
    let (whole, batch) = match target {
        Target::Linreg(n) => (2 * n, 2 * with.mbatch),
        _ => (1, 1),
    };
    let fixed = target.fixed(0).len() + target.powers().map_or(0, |p| p.len());
    let mut words = fixed + 4 * count + 2 * (whole + STATS);
    let mut flops = 0.0;
    if with.chains > 0 {
        let slots = lab::slots(with.mbatch);
        words += with.floats(count, 1, slots) + slots * (batch + with.replicas() * STATS);
        let step = match &target {
            Target::Quadratic(h) => (h.len() * h.len() * h.len()) as f64,
            Target::Linreg(_) => 3.0 * batch as f64,
            Target::DeepLinear(widths, _) => 48.0 * count as f64 + widths.len() as f64,
            Target::Superposition(c, ..) => 40.0 * (c * c) as f64,
            Target::Tanh(h) => 40.0 * (h * target::POINTS) as f64,
            _ => 40.0 * count as f64,
        };
        flops = (step + 30.0 * count as f64) * (with.launches() * with.replicas() as u64) as f64;
    }
    Cost {
        params: count as u64,
        flops_per_step: 0.0,
        flops_per_point: flops,
        steps: 0,
        points: u64::from(with.chains > 0),
        bytes: 4 * words as u64,
    }
}
