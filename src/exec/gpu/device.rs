//! Adapter and device: found once, before any plan is known, and shared by every executor on it.
//! Errors arrive here from callbacks and are kept until the executor asks.

use crate::protocol::{DeviceInfo, DeviceKind, Fault, WhyCpu};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Which adapters are good enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Hardware only: a software adapter is slower than the CPU engine.
    Hardware,
    /// Any, a software adapter too: tests and people who ask for the GPU by name.
    Any,
}

/// What callbacks have reported since the device was opened.
#[derive(Debug, Default)]
struct Reports {
    lost: Option<String>,
    out_of_memory: bool,
    error: Option<String>,
}

/// An open device. Clones share it.
#[derive(Clone, Debug)]
pub struct Gpu {
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    /// Largest storage buffer, in bytes.
    pub(super) largest: u64,
    info: DeviceInfo,
    reports: Arc<Mutex<Reports>>,
}

/// A panic elsewhere while the lock was held leaves plain data behind, fit to be read.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Gpu {
    /// Finds an adapter and opens a device on it, with WebGPU's default limits and the largest
    /// buffers the adapter has.
    ///
    /// # Errors
    /// Why there is none: no WebGPU, an insecure page, no adapter, only a software one where
    /// hardware was asked for, or an adapter that refused.
    pub async fn open(choice: Choice) -> Result<Self, WhyCpu> {
        webgpu_is_here()?;
        let mut setup = wgpu::InstanceDescriptor::new_without_display_handle();
        // Validation layers of the driver are for people who debug drivers.
        setup.flags = wgpu::InstanceFlags::empty();
        let instance = wgpu::Instance::new(setup);
        let wish = wgpu::RequestAdapterOptions {
            power_preference: wgpu::PowerPreference::HighPerformance,
            ..Default::default()
        };
        let adapter = instance
            .request_adapter(&wish)
            .await
            .map_err(|_| WhyCpu::NoAdapter)?;
        let (name, software) = describe(&adapter.get_info(), None);
        if software && choice == Choice::Hardware {
            return Err(WhyCpu::SoftwareAdapter(name));
        }
        let has = adapter.limits();
        let required_limits = wgpu::Limits {
            max_buffer_size: has.max_buffer_size.max(256 << 20),
            max_storage_buffer_binding_size: has.max_storage_buffer_binding_size.max(128 << 20),
            ..wgpu::Limits::default()
        };
        let largest = required_limits
            .max_buffer_size
            .min(required_limits.max_storage_buffer_binding_size);
        let (device, queue) = adapter
            .request_device(&wgpu::DeviceDescriptor {
                label: Some("lambdahat"),
                required_limits,
                ..Default::default()
            })
            .await
            .map_err(|e| WhyCpu::DeviceRefused(e.to_string()))?;
        // In the browser only the device tells vendor and architecture.
        let (name, software) = describe(&adapter.get_info(), Some(&device));
        if software && choice == Choice::Hardware {
            device.destroy();
            return Err(WhyCpu::SoftwareAdapter(name));
        }
        let reports = Arc::new(Mutex::new(Reports::default()));
        let to = Arc::clone(&reports);
        device.set_device_lost_callback(move |reason, message| {
            let why = if message.is_empty() {
                format!("{reason:?}")
            } else {
                message
            };
            lock(&to).lost.get_or_insert(why);
        });
        let to = Arc::clone(&reports);
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            let mut to = lock(&to);
            match error {
                wgpu::Error::OutOfMemory { .. } => to.out_of_memory = true,
                other => {
                    to.error.get_or_insert(other.to_string());
                }
            }
        }));
        let info = DeviceInfo {
            kind: DeviceKind::Gpu,
            name,
            software,
        };
        Ok(Self {
            device,
            queue,
            largest,
            info,
            reports,
        })
    }

    /// What it is.
    #[must_use]
    pub fn info(&self) -> DeviceInfo {
        self.info.clone()
    }

    /// Loses the device, as a driver would: a drill.
    pub fn destroy(&self) {
        self.report_lost("destroyed on request");
        self.device.destroy();
    }

    /// Forgets errors that ended an earlier run; a lost device stays lost.
    pub(super) fn forgive(&self) {
        let mut reports = lock(&self.reports);
        reports.out_of_memory = false;
        reports.error = None;
    }

    pub(super) fn report_lost(&self, why: &str) {
        lock(&self.reports)
            .lost
            .get_or_insert_with(|| why.to_owned());
    }

    /// The first thing that went wrong, if anything did; `bytes` is what the plan needs.
    pub(super) fn fault(&self, bytes: u64) -> Result<(), Fault> {
        let reports = lock(&self.reports);
        if let Some(why) = &reports.lost {
            return Err(Fault::DeviceLost(why.clone()));
        }
        if reports.out_of_memory {
            return Err(Fault::OutOfMemory {
                needed: bytes,
                limit: bytes,
            });
        }
        match &reports.error {
            Some(why) => Err(Fault::Internal(why.clone())),
            None => Ok(()),
        }
    }
}

/// Name for people, and whether it is a program on the CPU.
fn describe(info: &wgpu::AdapterInfo, device: Option<&wgpu::Device>) -> (String, bool) {
    let mut name = info.name.trim().to_owned();
    if let Some(said) = device.and_then(said_by_the_browser)
        && !name.contains(&said)
    {
        name = if name.is_empty() {
            said
        } else {
            format!("{name} ({said})")
        };
    }
    if name.is_empty() {
        name = "unnamed adapter".to_owned();
    }
    let lower = name.to_ascii_lowercase();
    let known = [
        "swiftshader",
        "llvmpipe",
        "lavapipe",
        "softpipe",
        "basic render",
    ];
    let software =
        info.device_type == wgpu::DeviceType::Cpu || known.iter().any(|k| lower.contains(k));
    (name, software)
}

/// Vendor and architecture, which browsers tell where they leave the description empty.
#[cfg(target_arch = "wasm32")]
fn said_by_the_browser(device: &wgpu::Device) -> Option<String> {
    let handle: &wasm_bindgen::JsValue = device.as_webgpu()?.as_ref();
    let info = js_sys::Reflect::get(handle, &"adapterInfo".into()).ok()?;
    let text = |key: &str| {
        let value = js_sys::Reflect::get(&info, &key.into()).ok()?.as_string()?;
        (!value.is_empty()).then_some(value)
    };
    let said: Vec<String> = ["vendor", "architecture"]
        .iter()
        .filter_map(|k| text(k))
        .collect();
    (!said.is_empty()).then(|| said.join(" "))
}

#[cfg(not(target_arch = "wasm32"))]
fn said_by_the_browser(_: &wgpu::Device) -> Option<String> {
    None
}

/// Whether the browser shows `navigator.gpu` here, and if not, why.
#[cfg(target_arch = "wasm32")]
fn webgpu_is_here() -> Result<(), WhyCpu> {
    let global: wasm_bindgen::JsValue = js_sys::global().into();
    let get = |of: &wasm_bindgen::JsValue, key: &str| {
        js_sys::Reflect::get(of, &key.into()).unwrap_or(wasm_bindgen::JsValue::UNDEFINED)
    };
    let navigator = get(&global, "navigator");
    if navigator.is_object() && get(&navigator, "gpu").is_object() {
        return Ok(());
    }
    match get(&global, "isSecureContext").as_bool() {
        Some(false) => Err(WhyCpu::Insecure),
        _ => Err(WhyCpu::NoWebGpu),
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn webgpu_is_here() -> Result<(), WhyCpu> {
    Ok(())
}
