//! Long runs of the Metropolis-adjusted Langevin algorithm, where no integral gives λ̂: made by
//! `cargo test --release --test truth reference -- --ignored --nocapture`, which prints the rows, with
//! a sampler in f64 written apart from the program's.

use crate::knobs::Knobs;

/// A recorded value of λ̂ as ε goes to 0.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Settings it holds for, as in a link, each knob that matters named.
    pub at: &'static str,
    /// λ̂.
    pub value: f64,
    /// Its standard error.
    pub se: f64,
    /// What SGLD adds, to first order, for each unit of ε: Cov(nβL, ‖∇U‖² − 2ΔU)/8 over the same run.
    pub slope: f64,
}

const fn row(at: &'static str, value: f64, se: f64, slope: f64) -> Row {
    Row {
        at,
        value,
        se,
        slope,
    }
}

/// The rows.
pub const ROWS: &[Row] = &[row(
    "target=dln&widths=3,3,3&rank=1&nbeta=1000&gamma=10",
    3.613,
    0.012,
    0.0,
)];

/// The row of these settings.
pub fn find(k: &Knobs) -> Option<&'static Row> {
    ROWS.iter().find(|row| {
        row.at
            .split('&')
            .filter_map(|kv| kv.split_once('='))
            .all(|(key, text)| {
                let knob = k.schema().iter().find(|knob| knob.key == key);
                knob.is_some_and(|knob| k.get(key) == Some(knob.read(text).0))
            })
    })
}
