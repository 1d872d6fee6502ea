//! The root: holds the state, carries the reducer's effects out, acknowledges drawn frames.

use super::worker::{Engine, leaving};
use super::{
    Page, chains, chooser, faults, figure, footer, import, instruments, kept, keys, own_text,
    panel, readout, save, setup, status, storage, story, topbar, trained, truth, versus,
};
use crate::app::state::{MB, Theme, View};
use crate::app::{Action, Effect, State, reduce};
use crate::protocol::Command;
use gloo::events::EventListener;
use gloo::utils::{document, document_element, window};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use yew::prelude::*;

/// Where the theme is kept.
const THEME: &str = "lambdahat.theme";

/// The root component.
#[derive(Debug)]
pub struct App {
    state: Rc<State>,
    engine: Rc<RefCell<Option<Engine>>>,
    /// The person's own texts, as the state names them.
    texts: Vec<Vec<u8>>,
    // Held, not read: listeners end with the page.
    _listeners: Vec<EventListener>,
}

impl Component for App {
    type Message = Action;
    type Properties = ();

    fn create(ctx: &Context<Self>) -> Self {
        let hash = window().location().hash().unwrap_or_default();
        let theme = kept::get(THEME).unwrap_or_default();
        let mut state = State::new(&hash, window().is_secure_context(), Theme::named(&theme));
        state.budget = storage::remembered().unwrap_or(state.budget);
        let texts = own_text::texts(&mut state.own);
        let state = Rc::new(state);
        show_view(state.view);
        let send = ctx.link().callback(|a: Action| a);
        let opened = EventListener::new(&window(), "hashchange", move |_| {
            send.emit(Action::Opened(
                window().location().hash().unwrap_or_default(),
            ));
        });
        let send = ctx.link().callback(|a: Action| a);
        let engine: Rc<RefCell<Option<Engine>>> = Rc::default();
        let mut listeners = vec![opened, keys::listen(send)];
        listeners.extend(leaving(&engine));
        listeners.extend(import::listen(ctx.link().callback(|a: Action| a)));
        let mut app = Self {
            state,
            engine,
            texts,
            _listeners: listeners,
        };
        app.new_worker(ctx);
        app
    }

    fn update(&mut self, ctx: &Context<Self>, action: Action) -> bool {
        let drawn = action == Action::Drawn;
        let effects = reduce(Rc::make_mut(&mut self.state), action);
        for effect in effects {
            self.carry_out(ctx, effect);
        }
        show_view(self.state.view);
        !drawn
    }

    fn rendered(&mut self, ctx: &Context<Self>, _first: bool) {
        // The next frame is asked for once this one has been painted, so at most one is under way
        // and a hidden tab draws nothing.
        if self.state.run.as_ref().is_some_and(|r| r.undrawn) {
            let send = ctx.link().callback(|()| Action::Drawn);
            let painted = Closure::once_into_js(move || send.emit(()));
            let _ = window().request_animation_frame(painted.unchecked_ref());
        }
    }

    fn view(&self, ctx: &Context<Self>) -> Html {
        let page = Page {
            state: self.state.clone(),
            send: ctx.link().callback(|a: Action| a),
        };
        html! {
            <div class="page">
                { topbar::top_bar(&page) }
                { faults::faults(&page) }
                { import::refused(&page) }
                <main class="lab">
                    <section class="left" aria-label="Experiment and settings">
                        { chooser::claim(&page) }
                        <setup::Setup ..page.clone() />
                    </section>
                    <section class="middle" aria-label="Charts">
                        <div class="slot">{ status::remarks(&page) }</div>
                        if self.state.trains() {
                            { trained::trained(&page) }
                        } else {
                            <chains::Chains ..page.clone() />
                        }
                        <div class="slot">{ status::offer(&page, false) }</div>
                        <div class="slot"><truth::KnownAnswer ..page.clone() /></div>
                        <div class="slot">{ readout::readout(&page) }</div>
                        <div class="slot"><instruments::Instruments ..page.clone() /></div>
                        <versus::Versus ..page.clone() />
                    </section>
                    <section class="right" aria-label="The model">
                        if self.state.trains() {
                            <figure::ModelFigure ..page.clone() />
                        }
                        { story::look_for(&page) }
                    </section>
                    <story::Story ..page.clone() />
                </main>
                { panel::panel(&page) }
                { footer::footer(&page) }
                { keys::keys(&page) }
            </div>
        }
    }
}

impl App {
    fn carry_out(&mut self, ctx: &Context<Self>, effect: Effect) {
        match effect {
            Effect::Send(command) => {
                let sent = self
                    .engine
                    .borrow()
                    .as_ref()
                    .map_or(Ok(()), |e| e.post(&command));
                if let Err(why) = sent {
                    ctx.link().send_message(Action::WorkerDied(why));
                }
            }
            Effect::File(step, bytes) => {
                save::checkpoint(&self.state, step, &bytes);
                save::next(&self.state, ctx.link().callback(Action::SaveCheckpoint));
            }
            Effect::Text(bytes) => {
                if !own_text::keep(&mut self.texts, &bytes) {
                    ctx.link().send_message(Action::Unkept);
                }
                self.carry_out(ctx, Effect::Send(Command::Text(bytes)));
            }
            Effect::Budget(mb) => {
                storage::remember(mb);
                self.carry_out(ctx, Effect::Send(Command::Budget(mb * MB)));
            }
            Effect::NewWorker => self.new_worker(ctx),
            Effect::Address(hash) => {
                if let Ok(history) = window().history() {
                    let _ = history.replace_state_with_url(
                        &wasm_bindgen::JsValue::NULL,
                        "",
                        Some(&hash),
                    );
                }
            }
        }
    }

    fn new_worker(&mut self, ctx: &Context<Self>) {
        // The old one goes first: it holds the lock of the stored run.
        self.engine.replace(None);
        let send = ctx.link().callback(|a: Action| a);
        match Engine::start(self.state.link.engine, self.state.secure, &send) {
            Ok(engine) => {
                self.engine.replace(Some(engine));
                self.carry_out(ctx, Effect::Budget(self.state.budget));
                for text in self.texts.clone() {
                    self.carry_out(ctx, Effect::Send(Command::Text(text)));
                }
            }
            Err(why) => ctx.link().send_message(Action::WorkerDied(why)),
        }
    }
}

fn show_view(view: View) {
    let root = document_element();
    let _ = root.set_attribute("data-projector", &view.projector.to_string());
    let (old, new) = (root.get_attribute("data-theme"), view.colours().name());
    if old.as_deref() == Some(new) {
        return;
    }
    let _ = root.set_attribute("data-theme", new);
    if old.is_some() {
        let _ = kept::set(THEME, view.theme.name());
    }
    document().set_title("lambdahat");
}
