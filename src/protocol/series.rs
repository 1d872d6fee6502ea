//! Curves as they are kept, and as they travel.

use serde::{Deserialize, Serialize};

/// One curve. `lo` and `hi` are empty where there is no interval.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// Steps, rising.
    pub x: Vec<f64>,
    /// Values.
    pub y: Vec<f64>,
    /// Lower ends.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lo: Vec<f64>,
    /// Upper ends.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hi: Vec<f64>,
}

impl Series {
    /// Replaces everything at and after `delta.from`. A delta that begins after the end (a message
    /// was lost) is appended: the curve has a gap in its steps, but shows nothing that was not said.
    pub fn apply(&mut self, delta: &SeriesDelta) {
        for (mine, new) in [
            (&mut self.x, &delta.x),
            (&mut self.y, &delta.y),
            (&mut self.lo, &delta.lo),
            (&mut self.hi, &delta.hi),
        ] {
            mine.truncate(delta.from);
            mine.extend_from_slice(new);
        }
    }
}

/// More points of a series. Points come in order of x; `from` replaces everything at and after it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SeriesDelta {
    /// Series id, such as `loss.first` or `replicas/3/loss.population`.
    pub id: String,
    /// Index of the first point given: what the page has at and after it is replaced.
    pub from: usize,
    /// Steps.
    pub x: Vec<f64>,
    /// Values.
    pub y: Vec<f64>,
    /// Lower end of the interval, where the series has one.
    pub lo: Vec<f64>,
    /// Upper end.
    pub hi: Vec<f64>,
}
