//! A record in the origin's private file system, through synchronous access handles, which exist in
//! workers only. The handles stay open for the life of the worker, so keeping a run is synchronous
//! and needs no permission.

use super::shelf::{FILES, INDEX, Shelf, checkpoints, file, slim};
use super::{MANIFEST, Manifest, Record, SLOTS, StoreError, choose, decode, encode};
use crate::protocol::Stored;
use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    DedicatedWorkerGlobalScope, FileSystemDirectoryHandle, FileSystemFileHandle,
    FileSystemGetFileOptions, FileSystemReadWriteOptions, FileSystemSyncAccessHandle,
};

/// One tab at a time holds this Web Lock, and with it the record.
const LOCK: &str = "lambdahat-record";
/// How long to wait for it: a page that is being reloaded gives it up within moments.
const LOCK_PATIENCE_MS: f64 = 700.0;

/// The record of this origin, held by this worker alone.
#[derive(Debug)]
pub struct BrowserStore {
    slots: [FileSystemSyncAccessHandle; 2],
    manifest: FileSystemSyncAccessHandle,
    current: Option<Manifest>,
    shelf: Shelf,
    /// Files of the shelf; behind them its list.
    drawer: Vec<FileSystemSyncAccessHandle>,
}

/// The words of a JavaScript error.
fn refused(e: &JsValue) -> StoreError {
    let text = |key| {
        Reflect::get(e, &JsValue::from_str(key))
            .ok()
            .and_then(|v| v.as_string())
    };
    let words = [text("name"), text("message")]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(": ");
    StoreError::Refused(if words.is_empty() {
        format!("{e:?}")
    } else {
        words
    })
}

fn field(object: &JsValue, key: &str) -> Option<JsValue> {
    let value = Reflect::get(object, &JsValue::from_str(key)).ok()?;
    (!value.is_undefined() && !value.is_null()).then_some(value)
}

/// Takes the Web Lock for the life of the worker; false if another tab keeps it, none if this
/// browser has no locks.
async fn lock(navigator: &JsValue) -> Option<bool> {
    let locks = field(navigator, "locks")?;
    let request: Function = field(&locks, "request")?.dyn_into().ok()?;
    let options = js_sys::Object::new();
    let signal = field(&js_sys::global(), "AbortSignal").and_then(|class| {
        let timeout: Function = field(&class, "timeout")?.dyn_into().ok()?;
        timeout
            .call1(&class, &JsValue::from_f64(LOCK_PATIENCE_MS))
            .ok()
    });
    let (key, value) = match signal {
        Some(signal) => ("signal", signal),
        None => ("ifAvailable", JsValue::TRUE),
    };
    Reflect::set(&options, &JsValue::from_str(key), &value).ok()?;
    // Resolved by whichever comes first: the callback, or the refusal of the request.
    let (answer, granted) = futures_channel::oneshot::channel::<bool>();
    let answer = std::rc::Rc::new(std::cell::RefCell::new(Some(answer)));
    let say = move |yes: bool| {
        if let Some(answer) = answer.borrow_mut().take() {
            // The receiver waits right below.
            let _ = answer.send(yes);
        }
    };
    let say_no = say.clone();
    let callback = Closure::once_into_js(move |lock: JsValue| -> JsValue {
        say(!lock.is_null());
        if lock.is_null() {
            return JsValue::UNDEFINED;
        }
        // The lock is held until this promise settles, which it never does: until the worker ends.
        Promise::new(&mut |_, _| {}).into()
    });
    let asked = request
        .call3(&locks, &JsValue::from_str(LOCK), &options, &callback)
        .ok()?;
    wasm_bindgen_futures::spawn_local(async move {
        if let Ok(promise) = asked.dyn_into::<Promise>()
            && JsFuture::from(promise).await.is_err()
        {
            say_no(false);
        }
    });
    granted.await.ok()
}

/// Opens files, all of them at once: each takes the browser two turns.
async fn handles(
    folder: &FileSystemDirectoryHandle,
    names: &[String],
) -> Result<Vec<FileSystemSyncAccessHandle>, JsValue> {
    let options = FileSystemGetFileOptions::new();
    options.set_create(true);
    // Every promise is listened to from the start: another page may still hold the files, and a refusal
    // that nobody hears is an error on the console.
    let asked = names
        .iter()
        .map(|n| JsFuture::from(folder.get_file_handle_with_options(n, &options)));
    let asked: Vec<_> = asked.collect();
    let mut files = Vec::with_capacity(names.len());
    for file in asked {
        files.push(file.await);
    }
    let mut opened = Vec::with_capacity(names.len());
    for file in files {
        let file: FileSystemFileHandle = file?.unchecked_into();
        opened.push(JsFuture::from(file.create_sync_access_handle()));
    }
    let mut out: Vec<FileSystemSyncAccessHandle> = Vec::with_capacity(names.len());
    let mut refused = None;
    for file in opened {
        match file.await {
            Ok(file) => out.push(file.unchecked_into()),
            Err(why) => refused = Some(why),
        }
    }
    // What could be opened does not stand in the way of the next try.
    if let Some(why) = refused {
        out.iter().for_each(FileSystemSyncAccessHandle::close);
        return Err(why);
    }
    Ok(out)
}

fn at_start() -> FileSystemReadWriteOptions {
    let options = FileSystemReadWriteOptions::new();
    options.set_at_f64(0.0);
    options
}

/// The whole file; none if it is empty.
fn read(file: &FileSystemSyncAccessHandle) -> Result<Option<Vec<u8>>, JsValue> {
    let mut bytes = vec![0; file.get_size()? as usize];
    let n = file.read_with_u8_array_and_options(&mut bytes, &at_start())?;
    bytes.truncate(n as usize);
    Ok((!bytes.is_empty()).then_some(bytes))
}

/// Replaces the file and waits until it is on the disk.
fn write(file: &FileSystemSyncAccessHandle, bytes: &[u8]) -> Result<(), StoreError> {
    file.truncate_with_f64(0.0).map_err(|e| refused(&e))?;
    let n = file
        .write_with_u8_array_and_options(bytes, &at_start())
        .map_err(|e| refused(&e))?;
    if n as usize != bytes.len() {
        return Err(StoreError::Refused(format!(
            "the storage took {n} of {} bytes",
            bytes.len()
        )));
    }
    file.flush().map_err(|e| refused(&e))
}

impl BrowserStore {
    /// Opens the record of this origin.
    ///
    /// # Errors
    /// `Refused`, in words, where there is no such storage (an insecure address, a private window,
    /// an old browser) or another tab holds it. The run goes on without.
    pub async fn open() -> Result<Self, StoreError> {
        let absent = || StoreError::Refused("this browser offers no storage here".into());
        let scope: DedicatedWorkerGlobalScope =
            js_sys::global().dyn_into().map_err(|_| absent())?;
        let navigator = scope.navigator();
        field(&navigator, "storage").ok_or_else(absent)?;
        if lock(&navigator).await == Some(false) {
            return Err(StoreError::Refused(
                "another tab of this page keeps its run in the storage".into(),
            ));
        }
        let folder = JsFuture::from(navigator.storage().get_directory())
            .await
            .map_err(|e| refused(&e))?;
        let folder: FileSystemDirectoryHandle = folder.dyn_into().map_err(|_| absent())?;
        let own = [SLOTS[0], SLOTS[1], MANIFEST].map(String::from);
        let names: Vec<String> = own.into_iter().chain((0..FILES).map(file)).collect();
        let names = [names, vec![INDEX.into()]].concat();
        let opened = handles(&folder, &names).await.map_err(|e| refused(&e))?;
        let mut files = opened.into_iter();
        let mut next = || files.next().ok_or_else(absent);
        let (slots, manifest) = ([next()?, next()?], next()?);
        let drawer: Vec<_> = files.collect();
        let index = drawer.last().and_then(|f| read(f).ok().flatten());
        let mut store = Self {
            slots,
            manifest,
            current: None,
            shelf: Shelf::read(index),
            drawer,
        };
        // The slot to spare is the one that reads back whole, whatever the manifest says.
        store.current = store.find().ok().flatten().map(|(manifest, _)| manifest);
        Ok(store)
    }
    fn find(&self) -> Result<Option<(Manifest, Record)>, StoreError> {
        let read = |file| read(file).map_err(|e| refused(&e));
        let manifest = read(&self.manifest)?.and_then(|bytes| Manifest::read(&bytes));
        let [a, b] = [read(&self.slots[0])?, read(&self.slots[1])?];
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
    /// `Refused` by the storage, such as a full quota; the last record still stands.
    pub fn save(&mut self, record: &Record) -> Result<(), StoreError> {
        let next = Manifest::next(self.current.as_ref(), record);
        let bytes = encode(record, next.seq)?;
        write(&self.slots[next.slot], &bytes)?;
        let next = next.written(bytes.len());
        write(&self.manifest, &next.bytes())?;
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
        read(&self.slots[slot]).map_err(|e| refused(&e))
    }
    fn read_shelf(&self, slot: usize) -> Result<Option<Vec<u8>>, StoreError> {
        let file = self.drawer.get(slot).filter(|_| slot < FILES);
        file.map_or(Ok(None), |f| read(f).map_err(|e| refused(&e)))
    }
    fn write_shelf(&self, slot: usize, bytes: &[u8]) -> Result<(), StoreError> {
        self.drawer.get(slot).map_or(Ok(()), |f| write(f, bytes))
    }
    fn write_index(&self) -> Result<(), StoreError> {
        self.write_shelf(FILES, &self.shelf.bytes())
    }
    /// Empties the record.
    ///
    /// # Errors
    /// `Refused` by the storage.
    pub fn forget(&mut self) -> Result<(), StoreError> {
        self.current = None;
        for file in [&self.manifest, &self.slots[0], &self.slots[1]] {
            write(file, &[])?;
        }
        Ok(())
    }
}

impl Drop for BrowserStore {
    fn drop(&mut self) {
        let own = [&self.manifest, &self.slots[0], &self.slots[1]];
        own.into_iter().chain(&self.drawer).for_each(|f| f.close());
    }
}
