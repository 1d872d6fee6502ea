//! Long runs of the Metropolis-adjusted Langevin algorithm, where no integral gives λ̂: made by
//! `cargo test --test truth reference -- --ignored --nocapture`, which prints the rows, with
//! a sampler in f64 written apart from the program's: 12 chains of 100 000 to 400 000 steps, a tenth of
//! them burn-in, the error from the spread between chains.

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
pub const ROWS: &[Row] = &[
    row(
        "target=dln&widths=3,3,3&rank=1&nbeta=1000&gamma=10",
        3.6125,
        0.0031,
        1054.0,
    ),
    row(
        "target=dln&widths=5,3,5&rank=0&nbeta=1000&gamma=10",
        5.3976,
        0.0040,
        431.0,
    ),
    row(
        "target=dln&widths=4,4,4,4&rank=1&nbeta=1000&gamma=10",
        5.0902,
        0.0089,
        1845.0,
    ),
    row(
        "target=bigram&vocab=4&nbeta=1000&gamma=10",
        5.1850,
        0.0029,
        93.0,
    ),
    row(
        "target=bigram&vocab=4&nbeta=3000&gamma=10",
        5.7043,
        0.0033,
        279.0,
    ),
    row(
        "target=bigram&vocab=8&nbeta=1000&gamma=10",
        17.0927,
        0.0104,
        111.0,
    ),
    row(
        "target=tms&features=6&gon=5&dead_bias=plus&nbeta=1e5&gamma=1",
        8.4937,
        0.0094,
        120552.0,
    ),
    row(
        "target=tms&features=6&gon=6&nbeta=1e5&gamma=1",
        8.4794,
        0.0127,
        112693.0,
    ),
    row(
        "target=tms&features=5&gon=5&nbeta=1e5&gamma=1",
        7.0189,
        0.0122,
        106113.0,
    ),
    row(
        "target=tanh&hidden=3&nbeta=1000&gamma=10",
        0.3911,
        0.0005,
        17.0,
    ),
    row(
        "target=tanh&hidden=4&nbeta=1000&gamma=10",
        0.4265,
        0.0005,
        24.0,
    ),
    row(
        "target=tanh&hidden=1&nbeta=1000&gamma=10",
        0.2099,
        0.0008,
        4.0,
    ),
];

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
