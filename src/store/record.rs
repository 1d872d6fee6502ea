//! A run record as safetensors: numbers as tensors, words as JSON in `__metadata__`, and a crc32
//! over both. Every float keeps its bits, so that a resumed run cannot be told from one that was
//! never interrupted.

use super::StoreError;
use super::points::{flatten, unflatten};
use crate::protocol::{ClassLlc, DeviceInfo, LlcPoint, Notice, SeriesDelta};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

/// A named tensor of floats.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Named {
    /// Such as `params` or `adamw.m`.
    pub name: String,
    /// Shape, row-major.
    pub shape: Vec<usize>,
    /// Its elements, shared with whoever else keeps them.
    pub data: Rc<Vec<f32>>,
}

/// All of a run at one step.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Its link.
    pub link: String,
    /// The version of lambdahat that ran it.
    pub version: String,
    /// Step it can go on from.
    pub step: u64,
    /// Steps of the whole run.
    pub steps: u64,
    /// What it ran on.
    pub device: DeviceInfo,
    /// The replica λ̂ and PCA follow.
    pub follow: u32,
    /// Weights and optimiser state.
    pub tensors: Vec<Named>,
    /// Every series so far, each whole (`from` 0).
    pub series: Vec<SeriesDelta>,
    /// λ̂ so far.
    pub llc: Vec<LlcPoint>,
    /// Rows of logit-PCA: step and features, all of one length.
    pub pca: Vec<(u64, Rc<Vec<f32>>)>,
    /// Remarks so far.
    pub notices: Vec<Notice>,
    /// Whatever else the engine must remember, by name.
    pub extra: BTreeMap<String, String>,
}

impl Record {
    /// Bytes of its numbers: about what it takes in a file.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let tensors = self.tensors.iter().map(|t| 4 * t.data.len());
        let series = self
            .series
            .iter()
            .map(|s| 8 * (s.x.len() + s.y.len() + s.lo.len() + s.hi.len()));
        let rows = self.pca.iter().map(|(_, row)| 4 * row.len());
        tensors.chain(series).chain(rows).sum::<usize>() as u64
    }
    /// The tensor of that name.
    #[must_use]
    pub fn tensor(&self, name: &str) -> Option<&Named> {
        self.tensors.iter().find(|t| t.name == name)
    }
}

/// The words of a record.
#[derive(Serialize, Deserialize)]
struct Head {
    seq: u64,
    link: String,
    version: String,
    step: u64,
    steps: u64,
    device: DeviceInfo,
    follow: u32,
    tensors: Vec<String>,
    series: Vec<String>,
    pca_steps: Vec<u64>,
    /// Of each λ̂ point.
    warnings: Vec<Vec<String>>,
    /// By λ̂ point, what each class of positions adds.
    #[serde(default)]
    classes: Vec<Vec<ClassLlc>>,
    /// By λ̂ point, how far the descent before it went.
    #[serde(default)]
    polished: Vec<Option<[f64; 2]>>,
    notices: Vec<Notice>,
    extra: BTreeMap<String, String>,
}

const HEAD: &str = "lambdahat";
const CHECKSUM: &str = "crc32";

/// Tensors of a file, as they are collected: name, type, shape, bytes.
type Part<'a> = (String, Dtype, Vec<usize>, Cow<'a, [u8]>);

/// Weights are many: their bytes are borrowed. Every platform here is little-endian, as the file is.
fn f32s(name: String, shape: Vec<usize>, data: &[f32]) -> Part<'_> {
    let bytes = Cow::Borrowed(bytemuck::cast_slice(data));
    (name, Dtype::F32, shape, bytes)
}

fn f64s(name: String, data: &[f64]) -> Part<'static> {
    (
        name,
        Dtype::F64,
        vec![data.len()],
        Cow::Owned(data.iter().flat_map(|x| x.to_le_bytes()).collect()),
    )
}

fn checksum<'a>(
    head: &str,
    parts: impl Iterator<Item = (&'a str, &'a [usize], &'a [u8])>,
) -> String {
    let mut crc = crc32fast::Hasher::new();
    crc.update(head.as_bytes());
    for (name, shape, bytes) in parts {
        crc.update(name.as_bytes());
        shape
            .iter()
            .for_each(|n| crc.update(&(*n as u64).to_le_bytes()));
        crc.update(bytes);
    }
    format!("{:08x}", crc.finalize())
}

/// The bytes of a record; `seq` orders the records of one store.
///
/// # Errors
/// `Refused` for a tensor whose shape is not that of its data, or two of one name.
pub fn encode(record: &Record, seq: u64) -> Result<Vec<u8>, StoreError> {
    let refused = |why: String| StoreError::Refused(why);
    let mut parts: Vec<Part> = Vec::new();
    for t in &record.tensors {
        parts.push(f32s(
            format!("tensors/{}", t.name),
            t.shape.clone(),
            &t.data,
        ));
    }
    for (i, s) in record.series.iter().enumerate() {
        for (axis, data) in [("x", &s.x), ("y", &s.y), ("lo", &s.lo), ("hi", &s.hi)] {
            parts.push(f64s(format!("series/{i}/{axis}"), data));
        }
    }
    parts.push(f64s("llc".into(), &flatten(&record.llc)));
    let features = record.pca.first().map_or(0, |(_, row)| row.len());
    let rows: Vec<f32> = record
        .pca
        .iter()
        .flat_map(|(_, row)| row.iter().copied())
        .collect();
    parts.push(f32s("pca".into(), vec![record.pca.len(), features], &rows));
    let head = Head {
        seq,
        link: record.link.clone(),
        version: record.version.clone(),
        step: record.step,
        steps: record.steps,
        device: record.device.clone(),
        follow: record.follow,
        tensors: record.tensors.iter().map(|t| t.name.clone()).collect(),
        series: record.series.iter().map(|s| s.id.clone()).collect(),
        pca_steps: record.pca.iter().map(|(step, _)| *step).collect(),
        warnings: record.llc.iter().map(|p| p.warnings.clone()).collect(),
        classes: record.llc.iter().map(|p| p.classes.clone()).collect(),
        polished: record.llc.iter().map(|p| p.polished).collect(),
        notices: record.notices.clone(),
        extra: record.extra.clone(),
    };
    let head = crate::json::write(&head).map_err(refused)?;
    crate::math::order::sort_by(&mut parts, |a, b| a.0.cmp(&b.0));
    if let Some(two) = parts.windows(2).find(|w| w[0].0 == w[1].0) {
        return Err(refused(format!("two tensors are called {}", two[0].0)));
    }
    let sum = checksum(
        &head,
        parts
            .iter()
            .map(|(n, _, s, b)| (n.as_str(), s.as_slice(), &**b)),
    );
    let mut views = Vec::with_capacity(parts.len());
    for (name, dtype, shape, bytes) in &parts {
        let view =
            TensorView::new(*dtype, shape.clone(), bytes).map_err(|e| refused(e.to_string()))?;
        views.push((name.as_str(), view));
    }
    let metadata = HashMap::from([(HEAD.to_string(), head), (CHECKSUM.to_string(), sum)]);
    safetensors::serialize(views, Some(metadata)).map_err(|e| refused(e.to_string()))
}

/// Reads a record back, with its `seq`.
///
/// # Errors
/// `Corrupt` for anything that is not, to the bit, what [`encode`] wrote; `Version` for a whole
/// record of another version, whose numbers this one may not continue.
pub fn decode(bytes: &[u8]) -> Result<(u64, Record), StoreError> {
    let corrupt = |why: &str| StoreError::Corrupt(why.into());
    let broken = |e: safetensors::SafeTensorError| StoreError::Corrupt(e.to_string());
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(broken)?;
    let file = SafeTensors::deserialize(bytes).map_err(broken)?;
    let words = header
        .metadata()
        .as_ref()
        .ok_or_else(|| corrupt("it has no metadata"))?;
    let text = words
        .get(HEAD)
        .ok_or_else(|| corrupt("it has no description"))?;
    let mut all = file.tensors();
    crate::math::order::sort_by(&mut all, |a, b| a.0.cmp(&b.0));
    let sum = checksum(
        text,
        all.iter().map(|(n, v)| (n.as_str(), v.shape(), v.data())),
    );
    if words.get(CHECKSUM) != Some(&sum) {
        return Err(corrupt("its checksum is wrong"));
    }
    let head: Head = crate::json::read(text).map_err(StoreError::Corrupt)?;
    if head.version != crate::VERSION {
        return Err(StoreError::Version(head.version));
    }
    let view = |name: &str| file.tensor(name).map_err(broken);
    let f32s = |name: &str| -> Result<(Vec<usize>, Vec<f32>), StoreError> {
        let v = view(name)?;
        let data = v
            .data()
            .as_chunks::<4>()
            .0
            .iter()
            .map(|&b| f32::from_le_bytes(b))
            .collect();
        Ok((v.shape().to_vec(), data))
    };
    let f64s = |name: &str| -> Result<Vec<f64>, StoreError> {
        Ok(view(name)?
            .data()
            .as_chunks::<8>()
            .0
            .iter()
            .map(|&b| f64::from_le_bytes(b))
            .collect())
    };
    let mut tensors = Vec::with_capacity(head.tensors.len());
    for name in head.tensors {
        let (shape, data) = f32s(&format!("tensors/{name}"))?;
        let data = data.into();
        tensors.push(Named { name, shape, data });
    }
    let mut series = Vec::with_capacity(head.series.len());
    for (i, id) in head.series.into_iter().enumerate() {
        let axis = |axis: &str| f64s(&format!("series/{i}/{axis}"));
        series.push(SeriesDelta {
            id,
            from: 0,
            x: axis("x")?,
            y: axis("y")?,
            lo: axis("lo")?,
            hi: axis("hi")?,
        });
    }
    let mut llc = unflatten(&f64s("llc")?).ok_or_else(|| corrupt("its λ̂ points do not add up"))?;
    for (point, words) in llc.iter_mut().zip(head.warnings) {
        point.warnings = words;
    }
    for (point, classes) in llc.iter_mut().zip(head.classes) {
        point.classes = classes;
    }
    for (point, polished) in llc.iter_mut().zip(head.polished) {
        point.polished = polished;
    }
    let (shape, rows) = f32s("pca")?;
    let features = shape.get(1).copied().unwrap_or(0);
    if shape.first() != Some(&head.pca_steps.len()) {
        return Err(corrupt("its PCA rows do not add up"));
    }
    let row = |i: usize| {
        rows.get(i * features..(i + 1) * features)
            .unwrap_or_default()
            .to_vec()
            .into()
    };
    let pca = head
        .pca_steps
        .iter()
        .enumerate()
        .map(|(i, &step)| (step, row(i)))
        .collect();
    let record = Record {
        link: head.link,
        version: head.version,
        step: head.step,
        steps: head.steps,
        device: head.device,
        follow: head.follow,
        tensors,
        series,
        llc,
        pca,
        notices: head.notices,
        extra: head.extra,
    };
    Ok((head.seq, record))
}
