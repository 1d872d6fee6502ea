//! Records and checkpoints in a folder.

use super::StoreError;
use super::keeper::{Files, Kept};
use std::io::Write;
use std::path::{Path, PathBuf};

/// A folder.
#[derive(Debug)]
pub struct Folder(PathBuf);

/// A run, and the shelf, in a folder.
pub type NativeStore = Kept<Folder>;

fn refused(e: std::io::Error) -> StoreError {
    StoreError::Refused(e.to_string())
}

/// Writes a file and waits until it is on the disk.
fn write(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let mut file = std::fs::File::create(path).map_err(refused)?;
    file.write_all(bytes).map_err(refused)?;
    file.sync_all().map_err(refused)
}

impl Files for Folder {
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(std::fs::read(self.0.join(name)).ok())
    }
    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let path = self.0.join(name);
        if bytes.is_empty() {
            // A file that is not there is as good as deleted.
            let _ = std::fs::remove_file(path);
            return Ok(());
        }
        write(&path, bytes)
    }
}

impl NativeStore {
    /// Opens a folder, made if it is not there.
    ///
    /// # Errors
    /// `Refused` if it cannot be made.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        std::fs::create_dir_all(folder).map_err(refused)?;
        Ok(Self::of(Folder(folder.to_path_buf())))
    }
}

/// Writes `checkpoints/step-N.safetensors` under `out`, under another name first, so that a file of
/// that name is always whole.
///
/// # Errors
/// `Refused` by the disk.
pub fn write_checkpoint(out: &Path, step: u64, bytes: &[u8]) -> Result<PathBuf, StoreError> {
    let folder = out.join("checkpoints");
    std::fs::create_dir_all(&folder).map_err(refused)?;
    let path = folder.join(format!("step-{step}.safetensors"));
    let draft = folder.join(format!(".step-{step}.part"));
    write(&draft, bytes)?;
    std::fs::rename(&draft, &path).map_err(refused)?;
    Ok(path)
}
