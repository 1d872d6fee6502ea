//! The worker: commands in, events out, the host in between. All that knows the browser is here.

use super::host::Host;
use crate::protocol::{Command, Event, Fault};
use crate::store::browser::BrowserStore;
use futures_channel::mpsc;
use js_sys::Promise;
use std::cell::Cell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{DedicatedWorkerGlobalScope, MessageChannel, MessageEvent};

/// Serves the page until the worker is terminated.
pub fn main() {
    let scope: DedicatedWorkerGlobalScope = js_sys::global().unchecked_into();
    std::panic::set_hook(Box::new({
        let scope = scope.clone();
        move |info| {
            post(
                &scope,
                &Event::Fault {
                    run: None,
                    fault: Fault::WorkerPanic(info.to_string()),
                },
            );
            console_error_panic_hook::hook(info);
        }
    }));
    // At once: messages handed on after this turn would find nobody.
    let hurry = Rc::<Cell<bool>>::default();
    let commands = listen(&scope, Rc::clone(&hurry));
    wasm_bindgen_futures::spawn_local(serve(scope, commands, hurry));
}

/// Commands as they arrive; a Start cuts a measurement short.
fn listen(
    scope: &DedicatedWorkerGlobalScope,
    hurry: Rc<Cell<bool>>,
) -> mpsc::UnboundedReceiver<Command> {
    let (send, commands) = mpsc::unbounded();
    let listen = Closure::<dyn FnMut(MessageEvent)>::new(move |e: MessageEvent| {
        if let Ok(command) = serde_wasm_bindgen::from_value::<Command>(e.data()) {
            if matches!(command, Command::Start { .. }) {
                hurry.set(true);
            }
            // The receiver lives as long as the worker.
            let _ = send.unbounded_send(command);
        }
    });
    scope.set_onmessage(Some(listen.as_ref().unchecked_ref()));
    listen.forget();
    commands
}

async fn serve(
    scope: DedicatedWorkerGlobalScope,
    mut commands: mpsc::UnboundedReceiver<Command>,
    hurry: Rc<Cell<bool>>,
) {
    let keeper = BrowserStore::open().await.ok();
    let mut host = Host::new(keeper, hurry);
    let pause = Breath::new();
    loop {
        let mut busy = host.work().await;
        // A frame is due only once the one before it was acknowledged.
        while let Ok(command) = commands.try_recv() {
            host.command(command).await;
            busy = true;
        }
        host.frame(!busy);
        for event in host.take_events() {
            post(&scope, &event);
        }
        if busy {
            // Lets messages in; a timer would cost 5 ms each time and stop in a hidden tab.
            pause.take().await;
        } else {
            match commands.recv().await {
                Ok(command) => host.command(command).await,
                Err(_) => return,
            }
        }
    }
}

fn post(scope: &DedicatedWorkerGlobalScope, event: &Event) {
    match serde_wasm_bindgen::to_value(event) {
        Ok(message) => {
            let _ = scope.post_message(&message);
        }
        Err(e) => web_sys::console::error_1(&JsValue::from_str(&e.to_string())),
    }
}

/// A turn of the event loop.
struct Breath {
    channel: Option<MessageChannel>,
}

impl Breath {
    fn new() -> Self {
        Self {
            channel: MessageChannel::new().ok(),
        }
    }
    async fn take(&self) {
        let Some(channel) = &self.channel else { return };
        let turn = Promise::new(&mut |resolve, _| {
            channel.port1().set_onmessage(Some(&resolve));
            let _ = channel.port2().post_message(&JsValue::NULL);
        });
        let _ = JsFuture::from(turn).await;
    }
}
