//! Keeps a run and the shelf in files, wherever files are: all of it but reading and writing them.

use super::shelf::{INDEX, Shelf, checkpoints, file, slim};
use super::{MANIFEST, Manifest, Record, SLOTS, StoreError, choose, decode, encode};
use crate::protocol::Stored;

/// Where files are.
pub trait Files {
    /// The whole file; none if it is empty or not there.
    ///
    /// # Errors
    /// `Refused` by the storage.
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError>;
    /// Replaces the file and waits until it is on the disk; without bytes there is none.
    ///
    /// # Errors
    /// `Refused` by the storage, such as a full quota.
    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError>;
}

/// Keeps one run to go on with, and those that were put aside.
#[derive(Debug)]
pub struct Kept<F> {
    files: F,
    current: Option<Manifest>,
    shelf: Shelf,
}

impl<F: Files> Kept<F> {
    /// What is in these files.
    pub(super) fn of(files: F) -> Self {
        let shelf = Shelf::read(files.read(INDEX).ok().flatten());
        let mut kept = Self {
            files,
            current: None,
            shelf,
        };
        // The slot to spare is the one that reads back whole, whatever the manifest says.
        kept.current = kept.find().ok().flatten().map(|(manifest, _)| manifest);
        kept
    }
    fn find(&self) -> Result<Option<(Manifest, Record)>, StoreError> {
        let manifest = self.files.read(MANIFEST)?;
        let manifest = manifest.and_then(|bytes| Manifest::read(&bytes));
        let [a, b] = SLOTS.map(|name| self.files.read(name));
        choose(manifest.as_ref(), [a?.as_deref(), b?.as_deref()])
    }
    /// What can be resumed, without its numbers.
    #[must_use]
    pub fn stored(&self) -> Option<Stored> {
        self.current.as_ref().map(Manifest::stored)
    }
    /// Keeps a record beside the last one, then makes it the current one: the bytes of its file.
    ///
    /// # Errors
    /// `Refused` by the storage; the last record still stands.
    pub fn save(&mut self, record: &Record) -> Result<u64, StoreError> {
        let next = Manifest::next(self.current.as_ref(), record);
        let bytes = encode(record, next.seq)?;
        self.files.write(SLOTS[next.slot], &bytes)?;
        let next = next.written(bytes.len());
        self.files.write(MANIFEST, &next.bytes())?;
        self.current = Some(next);
        Ok(bytes.len() as u64)
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
        self.shelf
            .rows
            .iter()
            .cloned()
            .chain(self.stored())
            .collect()
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
        let Some(current) = &self.current else {
            return Ok(());
        };
        let Some(bytes) = self.files.read(SLOTS[current.slot])? else {
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
        self.files.write(&file(slot), &bytes)?;
        self.files.write(INDEX, &self.shelf.bytes())
    }
    /// What is kept takes `most` bytes at most from now on: the oldest runs of the shelf go, and the record
    /// before the current one, where it is larger.
    ///
    /// # Errors
    /// `Refused` by the storage.
    pub fn trim(&mut self, most: u64) -> Result<(), StoreError> {
        let Some(current) = &self.current else {
            return self.trim_shelf(most);
        };
        let spare = SLOTS[1 - current.slot];
        let room = most.saturating_sub(current.bytes);
        let larger = |b: Vec<u8>| b.len() as u64 > most;
        if self.files.read(spare)?.is_some_and(larger) {
            self.files.write(spare, &[])?;
        }
        self.trim_shelf(room)
    }
    fn trim_shelf(&mut self, room: u64) -> Result<(), StoreError> {
        let gone = self.shelf.trim(room);
        if gone.is_empty() {
            return Ok(());
        }
        self.files.write(INDEX, &self.shelf.bytes())?;
        for slot in gone {
            self.files.write(&file(slot), &[])?;
        }
        Ok(())
    }
    /// Deletes a run from the shelf.
    ///
    /// # Errors
    /// `Refused` by the storage.
    pub fn discard(&mut self, slot: u32) -> Result<(), StoreError> {
        let Some(slot) = self.shelf.remove(slot) else {
            return Ok(());
        };
        self.files.write(INDEX, &self.shelf.bytes())?;
        self.files.write(&file(slot), &[])
    }
    /// The record in that file of the shelf; with none, the one to go on from.
    ///
    /// # Errors
    /// A file that is no whole record of this version.
    pub fn record(&self, slot: Option<u32>) -> Result<Option<Record>, StoreError> {
        let Some(slot) = slot else {
            return self.load();
        };
        let bytes = self.files.read(&file(slot as usize))?;
        bytes.map(|b| decode(&b).map(|r| r.1)).transpose()
    }
    /// Deletes the record to go on from.
    ///
    /// # Errors
    /// `Refused` by the storage.
    pub fn forget(&mut self) -> Result<(), StoreError> {
        self.current = None;
        for name in [MANIFEST, SLOTS[0], SLOTS[1]] {
            self.files.write(name, &[])?;
        }
        Ok(())
    }
}
