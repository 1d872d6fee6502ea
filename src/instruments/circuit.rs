//! The weights of one attention head, as instruments read them.

/// Weights of a head in f64, row-major.
#[derive(Clone, Debug)]
pub struct Head {
    /// `W_Q [d_model, d_head]`.
    pub q: Vec<f64>,
    /// `W_K [d_model, d_head]`.
    pub k: Vec<f64>,
    /// `W_V [d_model, d_head]`.
    pub v: Vec<f64>,
    /// `W_O [d_head, d_model]`.
    pub o: Vec<f64>,
    shape: [usize; 2],
}

impl Head {
    /// From `W_Q`, `W_K`, `W_V`, `W_O` of `d_model` and `d_head`.
    #[must_use]
    pub fn new(weights: [&[f64]; 4], d_model: usize, d_head: usize) -> Self {
        let [q, k, v, o] = weights.map(<[f64]>::to_vec);
        Self {
            q,
            k,
            v,
            o,
            shape: [d_model, d_head],
        }
    }
    /// `d_model` and `d_head`.
    #[must_use]
    pub fn shape(&self) -> [usize; 2] {
        self.shape
    }
}
