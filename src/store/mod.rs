//! Run records: what is needed to go on with a run after a reload or a lost device.
//!
//! This file and [`record`] are pure: bytes in, bytes out. [`keeper`] keeps them in files, which
//! [`native`] has in a folder, `browser` in the origin's private file system. It writes two files in turn
//! and the manifest last, so that whatever moment a write is cut off at, one whole record is left.

#[cfg(target_arch = "wasm32")]
pub mod browser;
pub mod checkpoint;
pub mod import;
pub mod keeper;
#[cfg(not(target_arch = "wasm32"))]
pub mod native;
mod points;
pub mod record;
pub mod shelf;

/// Where this platform keeps its record.
#[cfg(target_arch = "wasm32")]
pub use browser::BrowserStore as Keeper;
#[cfg(not(target_arch = "wasm32"))]
pub use native::NativeStore as Keeper;
pub use record::{Named, Record, decode, encode};

use crate::protocol::Stored;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Prefix of the weights of a checkpoint in a record; its step follows.
pub const CHECKPOINT: &str = "checkpoint.";
/// The two files of a record, written in turn.
pub const SLOTS: [&str; 2] = ["run-0.safetensors", "run-1.safetensors"];
/// The file that says which of them is current.
pub const MANIFEST: &str = "manifest.json";

/// Why a record could not be kept or read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// The bytes are no record, or no longer.
    Corrupt(String),
    /// A record of another version of lambdahat.
    Version(String),
    /// The storage refused: quota, permissions, a full disk.
    Refused(String),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreError::Corrupt(why) => write!(f, "the stored run cannot be read: {why}"),
            StoreError::Version(other) => {
                write!(
                    f,
                    "the stored run was made by lambdahat {other}, this is {}",
                    crate::VERSION
                )
            }
            StoreError::Refused(why) => write!(f, "the run cannot be stored here: {why}"),
        }
    }
}

impl std::error::Error for StoreError {}

/// Which record is current, and enough of it to offer it without reading it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Index into [`SLOTS`].
    pub slot: usize,
    /// Grows with every record.
    pub seq: u64,
    /// Version that wrote it.
    pub version: String,
    /// Link of the run.
    pub link: String,
    /// Step it can go on from.
    pub step: u64,
    /// Steps of the whole run.
    pub steps: u64,
    /// Bytes of the file.
    #[serde(default)]
    pub bytes: u64,
    /// When it was written: milliseconds since 1970; 0 where that is not known.
    #[serde(default)]
    pub at: u64,
    /// Steps of its checkpoints.
    #[serde(default)]
    pub checkpoints: Vec<u64>,
    /// What its logit-PCA looked at, in a word.
    #[serde(default)]
    pub looked: u32,
}

/// Where a record says what its logit-PCA looked at.
pub const LOOKED: &str = "looked";

impl Manifest {
    /// The manifest of a record about to be written after `before`, into the other slot.
    #[must_use]
    pub fn next(before: Option<&Manifest>, record: &Record) -> Self {
        Self {
            slot: before.map_or(0, |m| 1 - m.slot.min(1)),
            seq: before.map_or(0, |m| m.seq + 1),
            version: record.version.clone(),
            link: record.link.clone(),
            step: record.step,
            steps: record.steps,
            bytes: 0,
            at: 0,
            checkpoints: shelf::checkpoints(record),
            looked: record
                .extra
                .get(LOOKED)
                .map_or(0, |w| w.parse().unwrap_or(0)),
        }
    }
    /// Of a file of so many bytes that was written just now.
    #[must_use]
    pub fn written(self, bytes: usize) -> Self {
        Self {
            bytes: bytes as u64,
            at: shelf::now(),
            ..self
        }
    }
    /// What the page offers to resume.
    #[must_use]
    pub fn stored(&self) -> Stored {
        Stored {
            link: self.link.clone(),
            step: self.step,
            steps: self.steps,
            slot: None,
            bytes: self.bytes,
            at: self.at,
            checkpoints: self.checkpoints.clone(),
            version: self.version.clone(),
            looked: self.looked,
        }
    }
    /// As written to disk.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        crate::json::write(self).unwrap_or_default().into_bytes()
    }
    /// Reads one; none if the bytes are no manifest, such as after a torn write.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        std::str::from_utf8(bytes)
            .ok()
            .and_then(|text| crate::json::read(text).ok())
            .filter(|m: &Self| m.slot < SLOTS.len())
    }
}

/// The record to go on from, of what the two slots hold (none where there is no file): the one the
/// manifest names, if it reads back whole and is the one it was written with; else whichever reads
/// back whole, the later of two. With it, a manifest that names it.
///
/// # Errors
/// No slot holds a whole record of this version, though some bytes are there.
pub fn choose(
    manifest: Option<&Manifest>,
    slots: [Option<&[u8]>; 2],
) -> Result<Option<(Manifest, Record)>, StoreError> {
    let mut found: Option<(Manifest, Record)> = None;
    let mut trouble = None;
    for (slot, bytes) in slots.into_iter().enumerate() {
        let Some(bytes) = bytes else { continue };
        match decode(bytes) {
            Ok((seq, record)) => {
                let named =
                    |m: &Manifest| manifest.is_some_and(|n| n.slot == m.slot && n.seq == m.seq);
                let mut here = Manifest {
                    slot,
                    seq,
                    bytes: bytes.len() as u64,
                    ..Manifest::next(None, &record)
                };
                here.at = manifest.filter(|_| named(&here)).map_or(0, |m| m.at);
                let better = found
                    .as_ref()
                    .is_none_or(|(m, _)| named(&here) || (!named(m) && seq > m.seq));
                if better {
                    found = Some((here, record));
                }
            }
            Err(e) => trouble = Some(e),
        }
    }
    match (found, trouble) {
        (Some(found), _) => Ok(Some(found)),
        (None, Some(e)) => Err(e),
        (None, None) => Ok(None),
    }
}

#[cfg(test)]
mod tests;
