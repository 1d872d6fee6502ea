//! Runs put aside: which of a few files holds which, within a budget. The keepers read and write; this
//! file only decides.

use super::{CHECKPOINT, Record, StoreError, decode, encode};
use crate::protocol::Stored;

/// Runs on the shelf, at most. A file each.
pub const FILES: usize = 12;
/// The file that lists them.
pub const INDEX: &str = "shelf.json";

/// The name of a file of the shelf.
#[must_use]
pub fn file(slot: usize) -> String {
    format!("shelf-{slot}.safetensors")
}

/// Milliseconds since 1970.
#[must_use]
pub fn now() -> u64 {
    let since = web_time::SystemTime::now().duration_since(web_time::SystemTime::UNIX_EPOCH);
    since.map_or(0, |d| d.as_millis() as u64)
}

/// Steps of the checkpoints in a record, as they stand.
#[must_use]
pub fn checkpoints(record: &Record) -> Vec<u64> {
    let step = |name: &str| name.strip_prefix(CHECKPOINT)?.parse().ok();
    record
        .tensors
        .iter()
        .filter_map(|t| step(&t.name))
        .collect()
}

/// Bytes of a record about to be put aside, of `most` at most: a larger one is handed to `thin`.
///
/// # Errors
/// Bytes that are no record, or what [`encode`] refuses.
pub fn slim(
    bytes: Vec<u8>,
    most: u64,
    thin: &dyn Fn(&mut Record),
) -> Result<(Vec<u8>, Option<Record>), StoreError> {
    if bytes.len() as u64 <= most {
        return Ok((bytes, None));
    }
    let (seq, mut record) = decode(&bytes)?;
    thin(&mut record);
    Ok((encode(&record, seq)?, Some(record)))
}

/// What is on the shelf.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shelf {
    /// The oldest first; every one has its file.
    pub rows: Vec<Stored>,
}

impl Shelf {
    /// Reads the list; an empty one of anything else.
    #[must_use]
    pub fn read(bytes: Option<Vec<u8>>) -> Self {
        let text = bytes.and_then(|b| String::from_utf8(b).ok());
        let rows: Vec<Stored> = text
            .and_then(|t| crate::json::read(&t).ok())
            .unwrap_or_default();
        let there = |r: &Stored| r.slot.is_some_and(|s| (s as usize) < FILES);
        Self {
            rows: rows.into_iter().filter(there).collect(),
        }
    }

    /// As written.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        crate::json::write(&self.rows)
            .unwrap_or_default()
            .into_bytes()
    }

    /// The file for a run that is put aside, in place of the same run: none where that one is further
    /// along, since it has the same bits as far as this one goes. The oldest give way until all take
    /// `room` bytes at most. The row is listed from now on.
    pub fn place(&mut self, row: &Stored, room: u64) -> Option<usize> {
        let ours = |r: &Stored| r.is_of(&row.link) && r.version == row.version;
        if self.rows.iter().any(|r| ours(r) && r.step >= row.step) || row.bytes > room {
            return None;
        }
        self.rows.retain(|r| !ours(r));
        let total = |rows: &[Stored]| rows.iter().map(|r| r.bytes).sum::<u64>();
        while self.rows.len() >= FILES || total(&self.rows) + row.bytes > room {
            self.rows.remove(0);
        }
        let taken = |s: &usize| self.rows.iter().any(|r| r.slot == Some(*s as u32));
        let slot = (0..FILES).find(|s| !taken(s))?;
        self.rows.push(Stored {
            slot: Some(slot as u32),
            ..row.clone()
        });
        Some(slot)
    }

    /// The oldest give way until all take `room` bytes at most: their files.
    pub fn trim(&mut self, room: u64) -> Vec<usize> {
        let mut gone = Vec::new();
        while self.rows.iter().map(|r| r.bytes).sum::<u64>() > room {
            gone.extend(self.rows.remove(0).slot.map(|s| s as usize));
        }
        gone
    }

    /// Takes a row off; its file, if there was one.
    pub fn remove(&mut self, slot: u32) -> Option<usize> {
        let at = self.rows.iter().position(|r| r.slot == Some(slot))?;
        self.rows.remove(at);
        Some(slot as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(link: &str, step: u64, bytes: u64) -> Stored {
        Stored {
            link: link.into(),
            step,
            bytes,
            ..Stored::default()
        }
    }

    fn links(shelf: &Shelf) -> Vec<(&str, u64)> {
        shelf
            .rows
            .iter()
            .map(|r| (r.link.as_str(), r.step))
            .collect()
    }

    #[test]
    fn the_oldest_give_way_and_no_two_runs_share_a_file() {
        let mut shelf = Shelf::default();
        for i in 0..30 {
            let link = format!("#/tms?v=1&seed={i}");
            assert!(shelf.place(&row(&link, 10, 10), 1000).is_some());
            let mut slots: Vec<_> = shelf.rows.iter().map(|r| r.slot).collect();
            slots.dedup();
            for (k, slot) in slots.iter().enumerate() {
                assert!(!slots[..k].contains(slot), "{slots:?}");
            }
        }
        assert_eq!(shelf.rows.len(), FILES);
        assert_eq!(links(&shelf)[0].0, "#/tms?v=1&seed=18");
        // A budget holds for all of them together.
        shelf.place(&row("#/tms?v=1&seed=99", 10, 25), 60);
        assert_eq!(shelf.rows.iter().map(|r| r.bytes).sum::<u64>(), 55);
        // What does not fit alone drives nobody away.
        assert_eq!(shelf.place(&row("#/tms?v=1&seed=100", 10, 61), 60), None);
        assert_eq!(shelf.rows.len(), 4);
        // A smaller budget holds at once.
        let mut less = shelf.clone();
        let files: Vec<_> = less.rows[..2].iter().filter_map(|r| r.slot).collect();
        assert_eq!(
            (less.trim(55).len(), less.trim(36)),
            (0, vec![files[0] as usize, files[1] as usize])
        );
        assert_eq!(less.rows.len(), shelf.rows.len() - 2);
        // What is listed reads back; what is no list is an empty one.
        assert_eq!(Shelf::read(Some(shelf.bytes())), shelf);
        assert_eq!(
            Shelf::read(Some(b"[{\"slot\":99}]".to_vec())),
            Shelf::default()
        );
    }

    #[test]
    fn a_run_stands_there_once_as_far_as_it_has_come() {
        let mut shelf = Shelf::default();
        shelf.place(&row("#/tms?v=1&seed=1", 500, 10), 100);
        shelf.place(&row("#/tms?v=1&seed=2", 500, 10), 100);
        assert_eq!(
            shelf.place(&row("#/tms?v=1&seed=1&member=3", 200, 10), 100),
            None
        );
        assert!(
            shelf
                .place(&row("#/tms?v=1&seed=1&member=3", 900, 10), 100)
                .is_some()
        );
        assert_eq!(
            links(&shelf),
            [
                ("#/tms?v=1&seed=2", 500),
                ("#/tms?v=1&seed=1&member=3", 900)
            ]
        );
        // Planted: a link that differs in anything else is another run.
        assert!(!row("#/tms?v=1&seed=1", 0, 0).is_of("#/tms?v=1&seed=12"));
        assert!(!row("#/tms?v=1&seed=1", 0, 0).is_of("#/induction?v=1&seed=1"));
        assert_eq!((shelf.remove(7), shelf.rows.len()), (None, 2));
    }
}
