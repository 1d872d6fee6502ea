//! The words on the screen: durations, sizes, settings, phases, and for each fault what happened,
//! what is safe and what to press.

use super::terms;
use crate::knobs::{Kind, Knobs, Value};
use crate::plot::number::grouped;
use crate::protocol::{
    DeviceInfo, DeviceKind, Fault, Phase, Study, StudyKind, VersusStage, WhyCpu,
};

/// A fault or a limitation, told to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// A few words.
    pub title: String,
    /// What happened.
    pub what: String,
    /// What is safe, what is not.
    pub safe: &'static str,
    /// What to press.
    pub press: Press,
}

/// The way on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Press {
    /// Nothing: it goes on by itself.
    Wait,
    /// Run again, from the beginning.
    Again,
    /// Another engine: the CPU.
    Cpu,
    /// A new worker.
    NewEngine,
    /// The light preset.
    Light,
    /// Back to the defaults.
    Defaults,
}

/// Tells a fault.
#[must_use]
pub fn fault(fault: &Fault) -> Told {
    let (title, safe, press) = match fault {
        Fault::NoGpu(_) => ("No GPU to run on", terms::of("safe: gpu"), Press::Cpu),
        Fault::OutOfMemory { .. } => ("Not enough memory", terms::of("safe: memory"), Press::Light),
        Fault::DeviceLost(_) => ("The GPU was lost", terms::of("safe: lost"), Press::Wait),
        Fault::Diverged { .. } => (
            "Training diverged",
            terms::of("safe: diverged"),
            Press::Again,
        ),
        Fault::BadLink(_) => (
            "This link cannot be run",
            terms::of("safe: link"),
            Press::Defaults,
        ),
        Fault::WorkerPanic(_) => (
            "The engine stopped",
            terms::of("safe: panic"),
            Press::NewEngine,
        ),
        Fault::Internal(_) => (
            "A mistake in lambdahat",
            terms::of("safe: mistake"),
            Press::NewEngine,
        ),
    };
    Told {
        title: title.into(),
        what: sentence(&fault.to_string()),
        safe,
        press,
    }
}

/// Tells why the CPU engine runs.
#[must_use]
pub fn why_cpu(why: &WhyCpu) -> Told {
    let (title, safe) = match why {
        WhyCpu::Asked => (
            "CPU engine, as asked",
            "Choose auto in the engine menu to use the GPU.",
        ),
        WhyCpu::Insecure => (
            "CPU engine: the address is not secure",
            terms::of("cpu: insecure"),
        ),
        WhyCpu::NoWebGpu => ("CPU engine: no WebGPU here", terms::of("cpu: none")),
        WhyCpu::NoAdapter => ("CPU engine: no graphics adapter", terms::of("cpu: adapter")),
        WhyCpu::SoftwareAdapter(_) => (
            "CPU engine: the graphics adapter is software",
            terms::of("cpu: software"),
        ),
        WhyCpu::DeviceRefused(_) => (
            "CPU engine: the graphics adapter refused",
            terms::of("cpu: refused"),
        ),
    };
    Told {
        title: title.into(),
        what: sentence(&why.to_string()),
        safe,
        press: Press::Wait,
    }
}

/// With a capital and a full stop.
fn sentence(text: &str) -> String {
    let text = text.trim().trim_end_matches('.');
    let mut chars = text.chars();
    let first = chars
        .next()
        .map(|c| c.to_ascii_uppercase().to_string())
        .unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}

/// The phase in one word, as tests and the status line read it.
#[must_use]
pub fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Idle => "idle",
        Phase::Preparing => "preparing",
        Phase::Training => "training",
        Phase::Paused => "paused",
        Phase::Sampling { .. } => "sampling",
        Phase::Done => "done",
        Phase::Failed => "failed",
    }
}

/// What the phase means, beside the word; empty where the word is enough.
#[must_use]
pub fn phase_detail(phase: Phase) -> String {
    match phase {
        Phase::Preparing => "building the model".into(),
        Phase::Sampling { at } => format!("λ̂ at step {at}"),
        _ => String::new(),
    }
}

/// A study that is under way, and how far: `Commitment 35 %`.
#[must_use]
pub fn studying(study: &Study) -> Option<String> {
    let name = match study.spec.kind {
        StudyKind::Commitment => "Commitment",
        StudyKind::Reference => "reference λ̂",
        StudyKind::Members => "λ̂ of every model",
        StudyKind::Refined | StudyKind::Winners | StudyKind::Parts => "refined λ̂",
        StudyKind::Again => "λ̂ at another setting",
        StudyKind::Second => "types at a second setting",
        _ => "calibration",
    };
    let percent = (100.0 * study.share) as u32;
    (!study.over).then(|| format!("{name} {percent} %"))
}

/// A comparison that is under way, and how far.
#[must_use]
pub fn comparing(stage: &VersusStage) -> Option<String> {
    match stage {
        VersusStage::Training { step, steps, .. } => Some(format!(
            "Compare: step {} of {}",
            grouped(*step),
            grouped(*steps)
        )),
        VersusStage::Scoring => Some("Compare".into()),
        _ => None,
    }
}

/// The device, short.
#[must_use]
pub fn device(device: &DeviceInfo) -> String {
    match (device.kind, device.software) {
        (DeviceKind::Cpu, _) => "CPU engine".into(),
        (DeviceKind::Gpu, true) => format!("WebGPU in software · {}", device.name),
        (DeviceKind::Gpu, false) => format!("GPU · {}", device.name),
    }
}

/// Seconds as people say them: `20 s`, `4 min`, `1 h 10 min`.
#[must_use]
pub fn duration(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return "unknown time".into();
    }
    if seconds < 1.0 {
        return "under 1 s".into();
    }
    let minutes = (seconds / 60.0).round() as u64;
    match seconds {
        s if s < 10.0 => format!("{s:.0} s"),
        s if s < 90.0 => format!("{:.0} s", (s / 5.0).round() * 5.0),
        _ if minutes < 90 => format!("{minutes} min"),
        _ => format!("{} h {} min", minutes / 60, minutes % 60),
    }
}

/// As an estimate: `about 20 s`, `under 1 s`.
#[must_use]
pub fn about(seconds: f64) -> String {
    let text = duration(seconds);
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        format!("about {text}")
    } else {
        text
    }
}

/// Bytes as people say them: `22 MB`.
#[must_use]
pub fn bytes(bytes: u64) -> String {
    match bytes {
        b if b < 1_000_000 => format!("{} kB", b.div_ceil(1000)),
        b if b < 10_000_000_000 => format!("{} MB", b.div_ceil(1_000_000)),
        b => format!("{} GB", b / 1_000_000_000),
    }
}

/// What the cells of a study are.
#[must_use]
pub fn counted(kind: StudyKind) -> &'static str {
    match kind {
        StudyKind::Commitment => "checkpoints",
        _ => "estimates",
    }
}

/// A value as people write it: `1000` rather than the link's shorter `1e3`. It reads back the same.
#[must_use]
pub fn value(value: Value) -> String {
    match value {
        Value::Float(x) if x == 0.0 || (0.001..1e6).contains(&x.abs()) => x.to_string(),
        other => other.text(),
    }
}

/// The sampler's settings: `nβ 300 · γ 1000 · ε 1e-4 · 4×30`, or that it is off.
#[must_use]
pub fn setting(knobs: &Knobs) -> String {
    if knobs.int("chains") == 0 {
        return "sampling is off".into();
    }
    let text = |key: &str| knobs.get(key).map_or_else(|| "–".into(), value);
    let mut out = format!(
        "nβ {} · γ {} · ε {} · {}×{}",
        text("nbeta"),
        text("gamma"),
        text("eps"),
        text("chains"),
        text("draws")
    );
    let [sampler, part, on] = ["sampler", "part", "on"].map(|key| knobs.word(key));
    out += &apart(sampler, part, on, knobs.size("polish") as u64);
    out += looked(knobs.word("ebatch") == "apart");
    out
}

/// What sets an estimate apart from the plain one of the checkpoint, all weights and its own data:
/// ` · rmsprop · embed moves · on random data · polished by 50 steps`.
#[must_use]
pub fn apart(sampler: &str, part: &str, on: &str, polish: u64) -> String {
    let mut out = String::new();
    if !matches!(sampler, "" | "sgld") {
        out += &format!(" · {sampler}");
    }
    if !matches!(part, "" | "all") {
        out += &format!(" · {part} moves");
    }
    if !matches!(on, "" | "own" | "train") {
        out += &format!(" · on {on} data");
    }
    if polish > 0 {
        out += &format!(" · polished by {polish} steps");
    }
    out
}

/// Said of losses that were taken on batches of their own.
#[must_use]
pub fn looked(apart: bool) -> &'static str {
    if apart { " · losses apart" } else { "" }
}

/// What a job of so many chain steps costs, from what a λ̂ point of this run took: `about 20 s`.
/// Chains share their dispatches, so this is an upper bound.
#[must_use]
pub fn chain_cost(point_s: Option<f64>, knobs: &Knobs, chain_steps: u64) -> String {
    let own = knobs.int("chains") * (knobs.int("burnin") + knobs.int("draws"));
    match point_s {
        Some(s) if own > 0 => about(s * chain_steps as f64 / own as f64),
        _ => String::new(),
    }
}

/// A knob's range or words, for its tooltip.
#[must_use]
pub fn range(kind: Kind) -> String {
    match kind {
        Kind::Int { min, max } => format!("{min} to {max}"),
        Kind::Float { min, max } => format!(
            "{} to {}",
            value(Value::Float(min)),
            value(Value::Float(max))
        ),
        Kind::Choice { options } if options.len() > 12 => {
            format!("{} and {} more", options[..3].join(", "), options.len() - 3)
        }
        Kind::Choice { options } => options.join(", "),
        Kind::Digest => "none, or the first sixteen digits of a SHA-256".into(),
        Kind::List { min, max, .. } => format!(
            "numbers from {} to {}, between commas",
            value(Value::Float(min)),
            value(Value::Float(max))
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_has_words_of_its_own() {
        let all = [
            Fault::NoGpu(WhyCpu::NoAdapter),
            Fault::OutOfMemory {
                needed: 1 << 33,
                limit: 1 << 30,
            },
            Fault::DeviceLost("x".into()),
            Fault::Diverged { step: 9 },
            Fault::BadLink("x".into()),
            Fault::WorkerPanic("x".into()),
            Fault::Internal("x".into()),
        ];
        let mut titles: Vec<String> = all.iter().map(|f| fault(f).title).collect();
        titles.sort();
        titles.dedup();
        assert_eq!(titles.len(), all.len());
        assert!(
            all.iter()
                .all(|f| fault(f).what.ends_with('.') && !fault(f).safe.is_empty())
        );
    }

    #[test]
    fn a_setting_names_what_sets_it_apart() {
        let of = |query: &str| setting(&crate::app::link::parse(query).knobs);
        assert_eq!(of("#/induction"), "nβ 300 · γ 1000 · ε 1e-4 · 4×30");
        assert_eq!(
            of("#/induction?eps=1e-5&sampler=rmsprop&part=embed&on=random&polish=50&ebatch=apart"),
            "nβ 300 · γ 1000 · ε 1e-5 · 4×30 · rmsprop · embed moves · on random data · polished by 50 steps · losses apart"
        );
        assert!(!of("#/grok?on=train").contains("data"));
    }

    #[test]
    fn times_and_sizes_are_rounded() {
        let said: Vec<String> = [0.3, 8.6, 22.0, 240.0, 4200.0, 9000.0, f64::NAN]
            .into_iter()
            .map(duration)
            .collect();
        assert_eq!(
            said,
            [
                "under 1 s",
                "9 s",
                "20 s",
                "4 min",
                "70 min",
                "2 h 30 min",
                "unknown time"
            ]
        );
        let mut study = Study::default();
        (study.spec.kind, study.share) = (StudyKind::Commitment, 0.359);
        assert_eq!(studying(&study).as_deref(), Some("Commitment 35 %"));
        // Planted: one that is over is not under way.
        study.over = true;
        assert_eq!(studying(&study), None);
        assert_eq!(bytes(22_000_000), "22 MB");
        assert_eq!(bytes(999_999), "1000 kB");
        assert_eq!(bytes(1_000_000), "1 MB");
        assert_eq!(bytes(900), "1 kB");
        let values: Vec<String> = [1000.0, 1e-4, 0.03, 1e7, 0.0]
            .into_iter()
            .map(|x| value(Value::Float(x)))
            .collect();
        assert_eq!(values, ["1000", "1e-4", "0.03", "1e7", "0"]);
    }
}
