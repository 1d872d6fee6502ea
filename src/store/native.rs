//! Records and checkpoints in a folder.

use super::checkpoint::checkpoint;
use super::shelf::{INDEX, Shelf, checkpoints, file, slim};
use super::{MANIFEST, Manifest, Record, SLOTS, StoreError, choose, decode, encode};
use crate::protocol::Stored;
use crate::tensor::Arena;
use std::io::Write;
use std::path::{Path, PathBuf};

/// A folder that keeps one run.
#[derive(Debug)]
pub struct NativeStore {
    folder: PathBuf,
    current: Option<Manifest>,
    shelf: Shelf,
}

fn refused(e: std::io::Error) -> StoreError {
    StoreError::Refused(e.to_string())
}

/// Writes a file and waits until it is on the disk.
fn write(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let mut file = std::fs::File::create(path).map_err(refused)?;
    file.write_all(bytes).map_err(refused)?;
    file.sync_all().map_err(refused)
}

impl NativeStore {
    /// Opens a folder, made if it is not there.
    ///
    /// # Errors
    /// `Refused` if it cannot be made.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        std::fs::create_dir_all(folder).map_err(refused)?;
        let mut store = Self {
            folder: folder.to_path_buf(),
            current: None,
            shelf: Shelf::read(std::fs::read(folder.join(INDEX)).ok()),
        };
        // The slot to spare is the one that reads back whole, whatever the manifest says.
        store.current = store.find().ok().flatten().map(|(manifest, _)| manifest);
        Ok(store)
    }
    fn find(&self) -> Result<Option<(Manifest, Record)>, StoreError> {
        let read = |name: &str| std::fs::read(self.folder.join(name)).ok();
        let manifest = read(MANIFEST).and_then(|bytes| Manifest::read(&bytes));
        let [a, b] = SLOTS.map(read);
        choose(manifest.as_ref(), [a.as_deref(), b.as_deref()])
    }
    /// What can be resumed, without its numbers.
    #[must_use]
    pub fn stored(&self) -> Option<Stored> {
        self.current.as_ref().map(Manifest::stored)
    }
    /// Keeps a record beside the last one, then makes it the current one.
    ///
    /// # Errors
    /// `Refused` by the disk; the last record still stands.
    pub fn save(&mut self, record: &Record) -> Result<(), StoreError> {
        let next = Manifest::next(self.current.as_ref(), record);
        let bytes = encode(record, next.seq)?;
        write(&self.folder.join(SLOTS[next.slot]), &bytes)?;
        let next = next.written(bytes.len());
        write(&self.folder.join(MANIFEST), &next.bytes())?;
        self.current = Some(next);
        Ok(())
    }
    /// The record to go on from.
    ///
    /// # Errors
    /// Files are there, but no whole record of this version among them.
    pub fn load(&self) -> Result<Option<Record>, StoreError> {
        Ok(self.find()?.map(|(_, record)| record))
    }
    /// The runs that are stored, the oldest first: those put aside, then the one to go on from.
    #[must_use]
    pub fn listed(&self) -> Vec<Stored> {
        let own = self.current.as_ref().map(Manifest::stored);
        self.shelf.rows.iter().cloned().chain(own).collect()
    }
    /// Puts the record to go on from on the shelf, too: all of it takes `room` bytes at most, this one
    /// `most`, being handed to `thin` otherwise.
    ///
    /// # Errors
    /// `Refused` by the storage, or a record that cannot be read.
    pub fn put_aside(
        &mut self,
        room: u64,
        most: u64,
        thin: &dyn Fn(&mut Record),
    ) -> Result<(), StoreError> {
        let Some(current) = self.current.clone() else {
            return Ok(());
        };
        let Some(bytes) = self.slot(current.slot)? else {
            return Ok(());
        };
        let (bytes, thinned) = slim(bytes, most, thin)?;
        let mut row = current.stored();
        row.bytes = bytes.len() as u64;
        if let Some(record) = thinned {
            row.checkpoints = checkpoints(&record);
        }
        let Some(slot) = self.shelf.place(&row, room) else {
            return Ok(());
        };
        // The list comes last: a file that is not listed is not there.
        self.write_shelf(slot, &bytes)?;
        self.write_index()
    }
    /// Deletes a run from the shelf.
    ///
    /// # Errors
    /// `Refused` by the storage.
    pub fn discard(&mut self, slot: u32) -> Result<(), StoreError> {
        let Some(slot) = self.shelf.remove(slot) else {
            return Ok(());
        };
        self.write_index()?;
        self.write_shelf(slot, &[])
    }
    /// The record in that file of the shelf; with none, the one to go on from.
    ///
    /// # Errors
    /// A file that is no whole record of this version.
    pub fn record(&self, slot: Option<u32>) -> Result<Option<Record>, StoreError> {
        let Some(slot) = slot else {
            return self.load();
        };
        let bytes = self.read_shelf(slot as usize)?;
        bytes.map(|b| decode(&b).map(|r| r.1)).transpose()
    }
    fn slot(&self, slot: usize) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(std::fs::read(self.folder.join(SLOTS[slot])).ok())
    }
    fn read_shelf(&self, slot: usize) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(std::fs::read(self.folder.join(file(slot))).ok())
    }
    fn write_shelf(&self, slot: usize, bytes: &[u8]) -> Result<(), StoreError> {
        write(&self.folder.join(file(slot)), bytes)
    }
    fn write_index(&self) -> Result<(), StoreError> {
        write(&self.folder.join(INDEX), &self.shelf.bytes())
    }
    /// Deletes the record.
    ///
    /// # Errors
    /// None here: a file that is not there is as good as deleted.
    pub fn forget(&mut self) -> Result<(), StoreError> {
        for name in [MANIFEST, SLOTS[0], SLOTS[1]] {
            let _ = std::fs::remove_file(self.folder.join(name));
        }
        self.current = None;
        Ok(())
    }
}

/// Writes `checkpoints/step-N.safetensors` under `out`, under another name first, so that a file of
/// that name is always whole. `words` go into its metadata, such as the link.
///
/// # Errors
/// As [`checkpoint()`], and `Refused` by the disk.
pub fn write_checkpoint(
    out: &Path,
    step: u64,
    arena: &Arena,
    weights: &[f32],
    words: &[(&str, String)],
) -> Result<PathBuf, StoreError> {
    let folder = out.join("checkpoints");
    std::fs::create_dir_all(&folder).map_err(refused)?;
    let path = folder.join(format!("step-{step}.safetensors"));
    let draft = folder.join(format!(".step-{step}.part"));
    write(&draft, &checkpoint(arena, weights, &[], words)?)?;
    std::fs::rename(&draft, &path).map_err(refused)?;
    Ok(path)
}
