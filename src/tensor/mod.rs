//! Where a tensor lives, never its data: names (TransformerLens'), shapes, offsets in an arena.

use serde::{Deserialize, Serialize};

/// The unembedding's name.
pub const UNEMBEDDING: &str = "unembed.W_U";

/// A matrix of `columns` columns, row by row, turned on its side.
#[must_use]
pub fn transposed<T: Copy>(matrix: &[T], columns: usize) -> Vec<T> {
    let column = |c| matrix.iter().skip(c).step_by(columns.max(1)).copied();
    (0..columns).flat_map(column).collect()
}

/// One named parameter tensor inside an arena.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tensor {
    /// TransformerLens name, such as `blocks.0.attn.W_Q`.
    pub name: String,
    /// Shape, row-major.
    pub shape: Vec<usize>,
    /// First element in the arena of one replica.
    pub offset: usize,
}

impl Tensor {
    /// Number of elements.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }
    /// Whether it holds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Its place in the arena of one replica.
    #[must_use]
    pub fn range(&self) -> std::ops::Range<usize> {
        self.offset..self.offset + self.len()
    }
}

/// All parameters of one replica, back to back: `[replica][all parameters]` on the device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arena {
    /// In arena order.
    pub tensors: Vec<Tensor>,
}

impl Arena {
    /// Appends a tensor and returns its offset.
    pub fn push(&mut self, name: impl Into<String>, shape: &[usize]) -> usize {
        let offset = self.len();
        self.tensors.push(Tensor {
            name: name.into(),
            shape: shape.to_vec(),
            offset,
        });
        offset
    }
    /// Elements per replica.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tensors.last().map_or(0, |t| t.offset + t.len())
    }
    /// Whether there is no parameter.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The tensor of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Tensor> {
        self.tensors.iter().find(|t| t.name == name)
    }
    /// The embedding, `[vocab, d_model]`, where the model's unembedding is its transpose and no tensor.
    #[must_use]
    pub fn tied(&self) -> Option<&Tensor> {
        let own = self.get(UNEMBEDDING).is_some();
        self.get("embed.W_E").filter(|_| !own)
    }
    /// Offset of a tensor that the caller itself has pushed; 0 if absent.
    #[must_use]
    pub fn offset(&self, name: &str) -> usize {
        self.get(name).map_or(0, |t| t.offset)
    }
}
