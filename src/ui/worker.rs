//! The worker handle: commands down, events up, and what the browser says when it dies.

use crate::app::Action;
use crate::protocol::{Command, EngineChoice, Event};
use gloo::events::EventListener;
use gloo::utils::window;
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use web_sys::{ErrorEvent, MessageEvent, Worker, WorkerOptions, WorkerType};
use yew::Callback;

/// A worker, ended when this is dropped.
#[derive(Debug)]
pub struct Engine {
    worker: Worker,
    _heard: Closure<dyn FnMut(MessageEvent)>,
    _failed: Closure<dyn FnMut(ErrorEvent)>,
}

impl Engine {
    /// Starts a worker and greets it.
    ///
    /// # Errors
    /// In words, when the page names no worker or the browser makes none.
    pub fn start(
        engine: EngineChoice,
        secure: bool,
        send: &Callback<Action>,
    ) -> Result<Self, String> {
        let url = gloo::utils::document()
            .query_selector("meta[name='lambdahat-worker']")
            .ok()
            .flatten()
            .and_then(|meta| meta.get_attribute("content"))
            .ok_or("the page does not name its worker")?;
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        let worker = Worker::new_with_options(&url, &options)
            .map_err(|e| format!("no worker could be made: {e:?}"))?;
        let heard = {
            let send = send.clone();
            Closure::<dyn FnMut(MessageEvent)>::new(move |e: MessageEvent| {
                send.emit(match serde_wasm_bindgen::from_value::<Event>(e.data()) {
                    Ok(event) => Action::Worker(event),
                    Err(why) => Action::WorkerDied(format!("it said something unreadable: {why}")),
                });
            })
        };
        let failed = {
            let send = send.clone();
            Closure::<dyn FnMut(ErrorEvent)>::new(move |e: ErrorEvent| {
                e.prevent_default();
                let why = e.message();
                send.emit(Action::WorkerDied(if why.is_empty() {
                    "it could not be loaded".into()
                } else {
                    why
                }));
            })
        };
        worker.set_onmessage(Some(heard.as_ref().unchecked_ref()));
        worker.set_onerror(Some(failed.as_ref().unchecked_ref()));
        let engine_handle = Self {
            worker,
            _heard: heard,
            _failed: failed,
        };
        engine_handle.post(&Command::Hello { engine, secure })?;
        Ok(engine_handle)
    }

    /// Sends a command.
    ///
    /// # Errors
    /// In words, when it cannot be sent.
    pub fn post(&self, command: &Command) -> Result<(), String> {
        let value = serde_wasm_bindgen::to_value(command).map_err(|e| e.to_string())?;
        self.worker
            .post_message(&value)
            .map_err(|e| format!("{e:?}"))
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.worker.set_onmessage(None);
        self.worker.set_onerror(None);
        self.worker.terminate();
    }
}

/// A page that is left may be kept in memory by the browser, its worker with it, which would hold the
/// stored run's lock against the page that comes next. So the worker ends with the visit, and a
/// page that is brought back from memory loads anew and offers to resume.
pub fn leaving(engine: &Rc<RefCell<Option<Engine>>>) -> [EventListener; 2] {
    let engine = engine.clone();
    let hide = EventListener::new(&window(), "pagehide", move |_| {
        engine.replace(None);
    });
    let show = EventListener::new(&window(), "pageshow", |event| {
        let persisted = js_sys::Reflect::get(event, &"persisted".into());
        if persisted.is_ok_and(|p| p.is_truthy()) {
            let _ = window().location().reload();
        }
    });
    [hide, show]
}
