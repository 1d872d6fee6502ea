//! What the terms of the page mean: one or two plain sentences each, with the source where there is
//! one.

/// The smoothed path.
pub const SMOOTHED: &str = "Thin: the same path, each point moved onto a straight line through those around it, weighted by a normal window of one and a half checkpoints. It decides nothing; kinks are found without it.";
/// The lines through λ̂.
pub const FIT: &str = "The broken line the stages are read from, and a smooth through the same points, which decides nothing: Gaussian-process regression in ln(step + 1) (Rasmussen and Williams 2006), its length scale and noise those of greatest marginal likelihood; its band is ± 1 standard deviation.";

/// λ̂.
pub const LLC: &str = "Local learning coefficient, estimated (Lau et al. 2023): λ̂ = nβ·(E[L(w)] − L(w*)), the mean over SGLD chains (Welling and Teh 2011) around the checkpoint w*. The more directions of the weights the loss feels there, the larger it is.";
/// The losses of the chains.
pub const CHAIN_LOSSES: &str = "The loss of each chain at each of its steps, a colour a chain, less the loss at w* on the same data: 0 is w* itself (dashed), its band the scatter of the batches. λ̂ is nβ times the mean gap between them.";
/// The posterior.
pub const POSTERIOR: &str = "Where the chains should be found: the density exp(−nβ(L(w) − L(w*)) − (γ/2)‖w − w*‖²), as a hill that is darkest at its top; its edge is at 1/400 of the peak. The cross is w*. nβ makes the hill narrow where the loss rises, γ keeps it near w*.";
/// The distance of the chains from w*.
pub const DISTANCE: &str = "How far each chain is from w*. A chain that only the spring holds stands near √(d/γ), d being the number of weights; what stays below is held by the loss.";
/// Points and band of λ̂.
pub const LLC_POINTS: &str = "Each dot is one checkpoint: the mean over all chains and draws, its band one standard error up and down. The error comes from the spread of the draws; it does not hold the bias that nβ, γ and ε bring.";
/// The caption of λ̂.
pub const SETTING: &str = "Every value belongs to these settings. nβ: inverse temperature times samples, the weight of the loss. γ: strength of the spring to w*. ε: step size of the chains. Then chains × draws of each.";
/// λ̂ by position.
pub const CLASSES: &str = "The loss is a mean over positions, so λ̂ splits over them exactly. Each thin line is what one class of positions adds: its share of them times nβ(E[L_c(w)] − L_c(w*)), batch by batch. first: targets inside the first period; repeat: those the context determines; start: the first token of the second period. The three add up to λ̂.";
/// The nulls of λ̂.
pub const NULL: &str = "spring: (nβ/2γ)·tr H, what λ̂ would be if the spring held every direction of the weights; descent: −nβ²‖∇L‖²/γ, what an unfinished descent takes from it. From the curvature at each checkpoint. Where λ̂ follows the spring, it says no more than the trace of the Hessian.";
/// The locality line.
pub const LOCALITY: &str = "The mean loss under the chains beside the loss at w*. Chains that stay near follow w*; where the upper line no longer depends on the lower, λ̂ is not local.";
/// Loss chart.
pub const LOSS: &str = "How wrong the model is on fixed data, and the levels that theory knows.";
/// The unit nats.
pub const NATS: &str = "The unit of cross-entropy with natural logarithms: a loss of ln V nats is a uniform guess among V tokens; 1 nat is 1.44 bits.";
/// The unit of superposition's loss.
pub const SQUARED: &str =
    "The sum over all outputs of the squared differences from the input, averaged over samples.";
/// Accuracy.
pub const SHARE: &str =
    "The number of pairs answered rightly divided by the number of pairs, 0 to 1.";
/// Logarithmic time.
pub const LOG_STEP: &str = "The button: logarithmic time on all charts.";
/// Logarithmic loss.
pub const LOG_LOSS: &str = "The button: a logarithmic axis for the loss.";
/// Logit-PCA.
pub const PCA: &str = "The model's outputs on one fixed, seeded set of inputs, taken at every checkpoint; the path of these long vectors, seen from the two directions in which it varies most.";
/// Principal components.
pub const COMPONENTS: &str = "The first and second principal component over all checkpoints so far; the per cent beside each is its share of the variance.";
/// The random walk beside them.
pub const WALK: &str = "The share that a random walk in many dimensions would have: 3/(2(n² − 1) sin²(πk/2n)) for the k-th component of n points, towards 6/(π²k²) for many (Antognini and Sohl-Dickstein 2018). A share near it is no finding, and a smooth path gives arcs by itself.";
/// Turns of the path.
pub const BENDS: &str = "The angle in this plane between where the path came from and where it goes: 0° is straight on, 180° is back. Its legs are 15 % of the figure, or nine times the scatter of the checkpoints where that is more. noise: what that scatter does to the angle, one standard deviation. The path of a random walk is an arc (Antognini and Sohl-Dickstein 2018), and bends too: drift is the most that it bends anywhere. A kink, ringed with its step and angle, bends by 20° more than that, and by twice its noise more; from 135° on it is a cusp. While a run goes on its plane still turns, and kinks with it.";
/// Colours of the path.
pub const RAMP: &str =
    "The colour is the training step, dark at the beginning; the large dot is the last checkpoint.";
/// The timeline.
pub const TIMELINE: &str = "Every tick is a checkpoint whose weights are kept. Drag the handle, or use the arrow keys, Home and End: the model, the figures and the cursor of all charts then show that step. Pin one step and move to another to compare the two. Live goes back to the latest. The end of a stage can be dragged too, or moved with the arrow keys: it then counts as set by hand.";
/// Branches.
pub const BRANCH: &str = "A branch is trained exactly as its parent up to its step; from there on it has its own settings. Only settings that leave the model as it is can change. λ̂ has the settings of the branch on the whole curve. The link holds all of it: whoever opens it sees the parent's steps computed again, with the same bits, unless they are still here. The parent is drawn in grey.";
/// The zoom.
pub const ZOOM: &str = "Drag over a chart, or type two steps: all charts over time show those steps alone. Finer λ̂ runs the same training again from the last stored checkpoint before them and estimates λ̂ at that many equally spaced steps more; behind them nothing is computed again. Every number that was there keeps its bits, only the mean minibatch loss is over shorter stretches. The link says so (zoom=FROM-TO:POINTS).";
/// Checkpoints from files.
pub const IMPORT: &str = "A safetensors file, picked here or dropped on the page: one of this page, or any with the names of TransformerLens and the shapes of the model in the form. Every instrument looks at it and λ̂ is estimated; where the state of the optimiser is in it, training goes on. It is read on this device and sent nowhere.";
/// The stored run.
pub const STORAGE: &str = "The last run is kept in the private storage of this browser, twice, so that a write that is cut off loses nothing: what a reload goes on from. Where its checkpoints take more than the budget, every other of the oldest is left out first; the first, the last and those at stage boundaries stay. While the page is open all of them are there.";
/// The shelf.
pub const SHELF: &str = "A run that another one, or a reset, takes the place of is put aside in the private storage of this browser: its weights at the checkpoints, its curves, its λ̂ points. Opened, it is as it was left, and one that was not finished goes on. All stored runs together stay within the budget: one put aside takes a quarter of it at most, its oldest checkpoints being thinned, and the oldest run gives way first. Comparisons find their models here, too, instead of training them again.";
/// Several models.
pub const SPREAD: &str = "Several seeds on one chart. Strong: the one that λ̂, PCA and figure follow. Band: from the 10 % to the 90 % quantile over the seeds at each step, with their median as a thin line; it takes three seeds at least. Faint: each of the others. A double click on a curve, or its button under Seeds, makes its seed the one that is followed: it trained with the bits of the run of that seed alone.";
/// Stages.
pub const STAGES: &str = "Stages end where a continuous broken line through λ̂ over ln(step + 1) bends. Points weigh 1/SE²; there are as many bends as the Bayesian information criterion pays for; errors are widened where the line misses its points. A: λ̂ rises; B: λ̂ falls (Hoogland et al. 2024), by more than three standard errors of a bootstrap of the line; else the stage is unresolved. Points before the first that comes up to 0 within two standard errors are left out: w* is no minimum there. A type belongs to its sampler setting: check it at a second one. Moved most: series whose values at the two ends differ by a tenth of their range and by more than three standard deviations of their own noise, judged by their median step. Bands: plain A, hatched B, open unresolved, crossed where two settings differ.";
/// The line of costs.
pub const COST: &str = "Parameters of one model; training steps, or the steps of each chain where nothing is trained; λ̂ points; GFLOP: thousand millions of floating-point operations of the whole run, sampling included; memory on the device. The time is measured here, for about a second.";

/// Rows of the readout: name, meaning.
pub const READOUT: [(&str, &str); 7] = [
    (
        "checkpoint",
        "Step of the weights w* from which the chains started.",
    ),
    (
        "λ̂",
        "nβ times the mean loss under the chains less the loss at w*, ± one standard error (Lau et al. 2023).",
    ),
    (
        "λ̂/nβ of the loss",
        "How far the loss rises under the chains, beside the loss at w* itself: a rise as large as the loss is no small step.",
    ),
    (
        "‖w−w*‖/‖w*‖",
        "How far from w* the chains have gone at their end, relative to the length of the weights.",
    ),
    (
        "loss under chains",
        "Mean loss under the chains: where it no longer follows the loss at w*, λ̂ is not local.",
    ),
    ("setting", SETTING),
    (
        "chains",
        "λ̂ of each chain alone: far apart, they have not mixed, and the standard error is too small.",
    ),
];

/// Rows of the status panel: name, meaning.
pub const STATUS: [(&str, &str); 13] = [
    ("version", "The program; links and traces name it."),
    ("device", "What computes, as its driver names it."),
    (
        "why the CPU",
        "Why the shaders do not run here. The CPU engine runs the same algorithms.",
    ),
    (
        "runs are kept",
        "Whether this browser stores a run, so that a reload can resume it. Nothing leaves the device.",
    ),
    (
        "checkpoints kept",
        "How many checkpoints of this run are kept, in memory and for a reload, and the size of their weights. Settings that would make too many are spaced out before the run begins.",
    ),
    (
        "fingerprint",
        "Of all curves, while a run rests: two runs with the same one drew the same bits.",
    ),
    (
        "dispatches per training step",
        "Kernel launches of one training step. Toy models are bound by their number.",
    ),
    (
        "submissions per training step",
        "Batches of launches handed to the device, divided by training steps. Many steps go in one, so that the device never waits.",
    ),
    (
        "dispatches so far",
        "Kernel launches of training, evaluation and sampling.",
    ),
    (
        "submissions so far",
        "Batches of launches of training, evaluation and sampling.",
    ),
    (
        "pipelines",
        "Compiled shaders made so far: each when a program that needs it first runs, and none twice.",
    ),
    (
        "bind groups",
        "Tables that tell a shader its buffers, made so far: all before the first step.",
    ),
    (
        "buffers",
        "Pieces of device memory made so far: all before the first step.",
    ),
];

/// The meaning of a unit; empty if it needs none.
#[must_use]
pub fn unit(unit: &str) -> &'static str {
    match unit {
        "nats" => NATS,
        "squared error" => SQUARED,
        "share of pairs" => SHARE,
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_on_the_page_and_every_row_has_a_meaning() {
        for spec in crate::experiments::CARDS.iter().flat_map(|c| c.losses) {
            assert!(
                spec.unit.is_empty() || !unit(spec.unit).is_empty(),
                "{}",
                spec.unit
            );
        }
        for (name, help) in READOUT.iter().chain(&STATUS) {
            assert!(help.ends_with('.') && help.len() > 20, "{name}");
        }
        // Planted fault: a unit nobody has explained.
        assert!(unit("furlongs").is_empty());
    }
}
