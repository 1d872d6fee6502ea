//! A checkpoint as a file of its own: safetensors, every tensor under its own name and shape, as
//! TransformerLens names them. The page hands the same bytes out as the command line writes.

use super::StoreError;
use crate::tensor::{Arena, UNEMBEDDING, transposed};
use safetensors::{Dtype, tensor::TensorView};
use std::collections::HashMap;

/// The bytes of a checkpoint: every tensor under its own name and shape, with a leading replica axis
/// where there is more than one replica. `weights` is `[replica][params]`; so is each of `state`, the
/// optimiser's, whose tensors are called `NAME/TENSOR`, such as `adamw.m/embed.W_E`. `words` go into
/// the metadata, such as the link. A tied model has no unembedding of its own, and TransformerLens asks
/// for one: its `unembed.W_U` is written out, the transpose of `embed.W_E`.
///
/// # Errors
/// `Refused` if the weights or the state are not whole replicas of the arena.
pub fn checkpoint(
    arena: &Arena,
    weights: &[f32],
    state: &[(&str, &[f32])],
    words: &[(&str, String)],
) -> Result<Vec<u8>, StoreError> {
    let size = arena.len();
    let mut parts = Vec::new();
    for (of, data) in [("", weights)].iter().chain(state) {
        if size == 0 || data.is_empty() || !data.len().is_multiple_of(size) {
            let why = format!(
                "{} weights are no whole number of replicas of {size}",
                data.len()
            );
            return Err(StoreError::Refused(why));
        }
        let replicas = data.len() / size;
        let axis = || {
            if replicas > 1 {
                vec![replicas]
            } else {
                Vec::new()
            }
        };
        for t in &arena.tensors {
            let rows = data.chunks_exact(size).flat_map(|w| &w[t.range()]);
            let bytes: Vec<u8> = rows.flat_map(|x| x.to_le_bytes()).collect();
            let name = if of.is_empty() {
                t.name.clone()
            } else {
                format!("{of}/{}", t.name)
            };
            parts.push((name, [axis(), t.shape.clone()].concat(), bytes));
        }
        if let Some(t) = arena.tied().filter(|_| of.is_empty()) {
            let rows = data.chunks_exact(size);
            let turned = rows.flat_map(|w| transposed(&w[t.range()], t.shape[1]));
            let bytes = turned.flat_map(f32::to_le_bytes).collect();
            let shape = vec![t.shape[1], t.shape[0]];
            parts.push((UNEMBEDDING.into(), [axis(), shape].concat(), bytes));
        }
    }
    let mut views = Vec::with_capacity(parts.len());
    for (name, shape, bytes) in &parts {
        let view = TensorView::new(Dtype::F32, shape.clone(), bytes);
        views.push((
            name.as_str(),
            view.map_err(|e| StoreError::Refused(e.to_string()))?,
        ));
    }
    let mut metadata = HashMap::from([("format".to_string(), "pt".to_string())]);
    metadata.extend(words.iter().map(|(k, v)| ((*k).to_string(), v.clone())));
    safetensors::serialize(views, Some(metadata)).map_err(|e| StoreError::Refused(e.to_string()))
}
