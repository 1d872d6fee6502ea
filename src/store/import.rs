//! A checkpoint file read back: tensors by name, and what they must be to fit a model.

use super::StoreError;
use crate::tensor::{Arena, UNEMBEDDING, transposed};
use safetensors::{Dtype, SafeTensors};
use std::collections::{BTreeMap, HashMap};

/// Mistakes of a file that are listed; the rest is counted.
const LISTED: usize = 8;

/// A safetensors file, read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Checkpoint {
    /// Shape and elements by name.
    pub tensors: BTreeMap<String, (Vec<usize>, Vec<f32>)>,
    /// Its metadata, such as `link` and `step`.
    pub words: HashMap<String, String>,
}

/// What of a file a model takes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Taken {
    /// Weights of one replica, `[params]`.
    pub weights: Vec<f32>,
    /// The optimiser's state, each `[params]`, in the order asked for; empty unless all of it is there.
    pub state: Vec<Vec<f32>>,
}

impl Checkpoint {
    /// Reads a file of `F32` or `F64` tensors.
    ///
    /// # Errors
    /// `Corrupt` for bytes that are no such file.
    pub fn read(bytes: &[u8]) -> Result<Self, StoreError> {
        let broken = |e: safetensors::SafeTensorError| StoreError::Corrupt(e.to_string());
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(broken)?;
        let file = SafeTensors::deserialize(bytes).map_err(broken)?;
        let mut tensors = BTreeMap::new();
        for (name, view) in file.tensors() {
            let bytes = view.data();
            let data: Vec<f32> = match view.dtype() {
                Dtype::F32 => {
                    let words = bytes.as_chunks::<4>().0.iter();
                    words.map(|&b| f32::from_le_bytes(b)).collect()
                }
                Dtype::F64 => {
                    let words = bytes.as_chunks::<8>().0.iter();
                    words.map(|&b| f64::from_le_bytes(b) as f32).collect()
                }
                // Masks and such; what a model needs is missed by name.
                _ => continue,
            };
            tensors.insert(name, (view.shape().to_vec(), data));
        }
        let words = header.metadata().clone().unwrap_or_default();
        Ok(Self { tensors, words })
    }

    /// The weights of a model from it, and the state of its optimiser, whose tensors are named as in
    /// [`super::checkpoint::checkpoint`].
    ///
    /// # Errors
    /// What does not fit, a sentence each: tensors that are missing, of another shape, not finite, or of
    /// no place in the model.
    pub fn fit(&self, arena: &Arena, state: &[&str]) -> Result<Taken, Vec<String>> {
        let mut wrong = Vec::new();
        let weights = self.part(arena, "", &mut wrong);
        let known = |name: &str| {
            let prefixed = |s: &&str| name.strip_prefix(*s).and_then(|n| n.strip_prefix('/'));
            let own = state.iter().find_map(prefixed).unwrap_or(name);
            arena.tensors.iter().any(|t| t.name == own)
        };
        for (name, (shape, data)) in &self.tensors {
            // TransformerLens writes biases that are nothing, and buffers that are no weights.
            let buffer = [".mask", ".IGNORE"].iter().any(|end| name.ends_with(end));
            if let Some(t) = arena.tied().filter(|_| name == UNEMBEDDING) {
                let embedding = weights.get(t.range()).unwrap_or_default();
                if transposed(embedding, t.shape[1]) != *data {
                    wrong.push(format!(
                        "{name} is not the transpose of embed.W_E, and in this model it is."
                    ));
                }
                continue;
            }
            if !buffer && !known(name) && data.iter().any(|x| *x != 0.0) && !name.contains('/') {
                wrong.push(format!("{name} {shape:?}: this model has no such tensor."));
            }
        }
        if !wrong.is_empty() {
            let more = wrong.len().saturating_sub(LISTED);
            wrong.truncate(LISTED);
            if more > 0 {
                wrong.push(format!("And {more} more."));
            }
            return Err(wrong);
        }
        let mut missing = Vec::new();
        let all: Vec<Vec<f32>> = state
            .iter()
            .map(|s| self.part(arena, &format!("{s}/"), &mut missing))
            .collect();
        let whole = missing.is_empty();
        Ok(Taken {
            weights,
            state: if whole { all } else { Vec::new() },
        })
    }

    /// All tensors of the arena under a prefix, one after the other.
    fn part(&self, arena: &Arena, prefix: &str, wrong: &mut Vec<String>) -> Vec<f32> {
        let mut out = vec![0.0; arena.len()];
        for t in &arena.tensors {
            let name = format!("{prefix}{}", t.name);
            match self.tensors.get(&name) {
                None => wrong.push(format!("{name} {:?} is missing.", t.shape)),
                Some((shape, _)) if *shape != t.shape => wrong.push(format!(
                    "{name} is {shape:?} in the file and {:?} in this model.",
                    t.shape
                )),
                Some((_, data)) if !data.iter().all(|x| x.is_finite()) => {
                    wrong.push(format!("{name} has numbers that are not finite."));
                }
                Some((_, data)) => out[t.range()].copy_from_slice(data),
            }
        }
        out
    }
}
