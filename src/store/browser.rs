//! A record in the origin's private file system, through synchronous access handles, which exist in
//! workers only. The handles stay open for the life of the worker, so keeping a run is synchronous
//! and needs no permission.

use super::keeper::{Files, Kept};
use super::shelf::{FILES, INDEX, file};
use super::{MANIFEST, SLOTS, StoreError};
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

/// The files of this origin by name, held by this worker alone.
#[derive(Debug)]
pub struct Handles(Vec<(String, FileSystemSyncAccessHandle)>);

/// The run of this origin, and the shelf.
pub type BrowserStore = Kept<Handles>;

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
        let own = [SLOTS[0], SLOTS[1], MANIFEST, INDEX].map(String::from);
        let names: Vec<String> = own.into_iter().chain((0..FILES).map(file)).collect();
        let opened = handles(&folder, &names).await.map_err(|e| refused(&e))?;
        Ok(Self::of(Handles(names.into_iter().zip(opened).collect())))
    }
}

impl Handles {
    fn named(&self, name: &str) -> Result<&FileSystemSyncAccessHandle, StoreError> {
        let found = self.0.iter().find(|(n, _)| n == name).map(|(_, file)| file);
        found.ok_or_else(|| StoreError::Refused(format!("there is no file {name}")))
    }
}

impl Files for Handles {
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        read(self.named(name)?).map_err(|e| refused(&e))
    }
    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        write(self.named(name)?, bytes)
    }
}

impl Drop for Handles {
    fn drop(&mut self) {
        self.0.iter().for_each(|(_, file)| file.close());
    }
}
