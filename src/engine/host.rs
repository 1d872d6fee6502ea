//! Answers commands with events: the engine's side of the protocol, without any browser in it.
//! The worker (`serve.rs`) and native tests drive the same host.

use super::branch::{graft, open};
use super::comparing::Shelf;
use super::frames::Live;
use super::keeping::BUDGET;
use super::open::Source;
use super::record;
use super::session::Session;
use super::versus::Versus;
use crate::app::link::{self, Link};
use crate::experiments::text::own;
use crate::protocol::{
    Ask, Command, Drill, EngineChoice, Event, Fault, Frame, Notice, Phase, RunId, StudySpec, WhyCpu,
};
use crate::store::{Keeper, Record};
use std::cell::Cell;
use std::rc::Rc;
use web_time::Instant;

/// The engine behind the page.
pub struct Host {
    pub(super) source: Source,
    pub(super) choice: EngineChoice,
    pub(super) secure: bool,
    pub(super) live: Option<Live>,
    /// Measured and ready to begin: starting it costs nothing more.
    pub(super) prepared: Option<(String, Session)>,
    pub(super) keeper: Option<Keeper>,
    /// Bytes that what it keeps may take.
    pub(super) budget: u64,
    /// A study that is to begin.
    pub(super) asked: Option<StudySpec>,
    /// Two models being compared.
    pub(super) versus: Option<Box<Versus>>,
    /// Models for comparisons to come.
    pub(super) shelf: Shelf,
    /// Set when Run is pressed while something is being measured: the measuring is cut short.
    pub(super) hurry: Rc<Cell<bool>>,
    /// Where the device was last lost, and how often there.
    pub(super) lost_at: (u64, u32),
    pub(super) events: Vec<Event>,
    pub(super) acked: bool,
    pub(super) sent: Option<Instant>,
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Host on {:?}", self.source.info())
    }
}

impl Host {
    /// A host on the CPU engine, until [`Command::Hello`] says otherwise. `keeper` is where records go;
    /// whoever sees a Start arrive sets `hurry`, and does not wait for a measurement to end.
    #[must_use]
    pub fn new(keeper: Option<Keeper>, hurry: Rc<Cell<bool>>) -> Self {
        Self {
            source: Source::Cpu,
            choice: EngineChoice::Auto,
            secure: true,
            live: None,
            prepared: None,
            lost_at: (0, 0),
            keeper,
            budget: BUDGET,
            asked: None,
            versus: None,
            shelf: Shelf::default(),
            hurry,
            events: Vec::new(),
            acked: true,
            sent: None,
        }
    }

    /// Takes what is to be sent to the page.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// Obeys a command.
    pub async fn command(&mut self, command: Command) {
        let run = self.live.as_ref().map(|l| l.id);
        // A command about a run that is over says nothing about this one.
        let session = |id: RunId, live: &mut Option<Live>, f: &dyn Fn(&mut Session)| {
            if let Some(l) = live.as_mut().filter(|l| l.id == id) {
                f(&mut l.session);
            }
        };
        match command {
            Command::Hello { engine, secure } => self.hello(engine, secure).await,
            Command::Measure { link } => {
                // A run that is over keeps its picture, and does not stand in the way.
                let over = |l: &Live| matches!(l.session.phase(), Phase::Done | Phase::Failed);
                if self.live.as_ref().is_none_or(over) {
                    self.cost(link).await;
                }
            }
            Command::Start {
                run,
                link,
                resume,
                paused,
            } => {
                let mut tried = self.start(run, link.clone(), resume, paused).await;
                if matches!(tried, Err(Fault::DeviceLost(_))) {
                    // It was lost while nothing ran: found again, the run begins there.
                    tried = match self.reopen().await {
                        Ok(()) => self.start(run, link, resume, paused).await.map_err(refused),
                        Err(fault) => Err(fault),
                    };
                }
                if let Err(fault) = tried {
                    self.live = None;
                    self.events.push(Event::Fault {
                        run: Some(run),
                        fault,
                    });
                }
            }
            Command::Pause(id) => session(id, &mut self.live, &Session::pause),
            Command::Resume(id) => session(id, &mut self.live, &Session::resume),
            Command::Step(id) => session(id, &mut self.live, &Session::single_step),
            Command::Follow(id, r) => {
                if let Some(l) = self.live.as_mut().filter(|l| l.id == id) {
                    if l.session.follow_replica(r as usize) {
                        // The record must say whom its λ̂ belongs to.
                        let mut link = link::parse(&l.text);
                        link.follow(r);
                        l.text = link.text(true);
                        l.kept_step = None;
                    }
                    let replica = l.session.follow() as u32;
                    self.events.push(Event::Follows { run: id, replica });
                }
            }
            Command::Open(id, step) => {
                if let Some(l) = self.live.as_ref().filter(|l| l.id == id) {
                    let trace = Box::new(l.session.trace(step));
                    self.events.push(Event::Trace { run: id, trace });
                }
            }
            Command::Look(id, step) => session(id, &mut self.live, &|s| s.looks.ask(step)),
            Command::Save(run, step) => {
                let live = self.live.as_ref().filter(|l| l.id == run);
                let file = live.and_then(|l| l.session.file(step, &l.text));
                self.events
                    .extend(file.map(|bytes| Event::File { run, step, bytes }));
            }
            Command::Import(file) => self.import(file).await,
            // What is no text was said by the page, which has read it first.
            Command::Text(bytes) => drop(own::keep(&bytes)),
            Command::Cut(id, cuts) => {
                session(id, &mut self.live, &|s| s.staging.cut(cuts.clone()));
            }
            Command::Ask(id, Ask::Stored) if run == Some(id) => self.join_stored(),
            Command::Ask(id, ask) => session(id, &mut self.live, &|s| s.ask(ask.clone())),
            Command::Gauge(id, turn) => {
                session(id, &mut self.live, &|s| s.turns.asked = Some(turn))
            }
            Command::Reset(id) => {
                if run == Some(id) {
                    self.keep(true);
                    self.shelve();
                    self.live = None;
                    self.put_aside(0);
                    self.forget();
                }
            }
            Command::Ack(id) => self.acked |= run.is_none_or(|r| r == id),
            Command::Drill(id, drill) => {
                if drill == Drill::Panic || run == Some(id) {
                    self.drill(drill);
                }
            }
            Command::Study(id, spec) if run == Some(id) => self.asked = Some(spec),
            Command::StopStudy(id) => session(id, &mut self.live, &|s| {
                if let Some(study) = &mut s.study {
                    study.stop();
                }
            }),
            Command::Study(..) => {}
            Command::Versus(spec) => {
                if let Some(live) = &mut self.live {
                    live.session.postpone_check();
                }
                self.compare(spec);
            }
            Command::StopVersus => self.versus = None,
            Command::Check => {
                let rows = self.source.check().await;
                self.events.push(Event::Checked(rows));
            }
            Command::Budget(bytes) => self.set_budget(bytes),
            Command::Forget => self.forget(),
            Command::Discard(slot) => self.discard(slot),
        }
    }

    async fn hello(&mut self, engine: EngineChoice, secure: bool) {
        (self.choice, self.secure) = (engine, secure);
        self.prepared = None;
        let why_cpu = match Source::find(engine, secure).await {
            Ok((source, why)) => {
                self.source = source;
                why
            }
            Err(fault) => {
                self.source = Source::Cpu;
                let why = match &fault {
                    Fault::NoGpu(why) => why.clone(),
                    other => WhyCpu::DeviceRefused(other.to_string()),
                };
                self.events.push(Event::Fault { run: None, fault });
                Some(why)
            }
        };
        self.ready(why_cpu);
    }

    /// Tells the page what runs.
    pub(super) fn ready(&mut self, why_cpu: Option<WhyCpu>) {
        self.events.push(Event::Ready {
            device: self.source.info(),
            why_cpu,
            stored: self.keeper.as_ref().and_then(Keeper::stored),
            keeps: self.keeper.is_some(),
        });
        self.tell_shelf();
    }

    fn forget(&mut self) {
        if let Some(k) = &mut self.keeper {
            // Nothing depends on it: a record that stays is offered once more.
            let _ = k.forget();
        }
        self.tell_shelf();
    }

    pub(super) async fn session(&self, link: &Link) -> Result<Session, Fault> {
        open(&self.source, link).await
    }

    async fn start(
        &mut self,
        id: RunId,
        text: String,
        resume: bool,
        paused: bool,
    ) -> Result<(), Fault> {
        self.hurry.set(false);
        self.keep(true);
        self.shelve();
        (self.asked, self.acked) = (None, true);
        let before = self.live.take();
        self.events.push(Event::Frame(Box::new(Frame {
            run: id,
            phase: Phase::Preparing,
            ..Frame::default()
        })));
        let parsed = link::parse(&text);
        let stored = resume.then(|| self.recorded(&text)).flatten();
        // Another tab may have kept its own run since this one was offered.
        let ours = |r: &Record| link::parse(&r.link).text(true) == parsed.text(true);
        let mut session = match self.prepared.take() {
            Some((for_link, fresh)) if for_link == text => fresh.anew(),
            _ => self.session(&parsed).await?,
        };
        match stored {
            Some(r) if ours(&r) => self.restore(&mut session, &r)?,
            other => {
                if resume {
                    let why = other.map_or("could not be read".into(), |r| {
                        format!("is now another one ({})", r.link)
                    });
                    session.notices.push(Notice::new(format!(
                        "The stored run {why}; this one starts from the beginning."
                    )));
                }
                // The run of a file has nothing in common with any but its own.
                let was = before.filter(|l| link::parse(&l.text).file == parsed.file);
                let begun = match was {
                    Some(l) => graft(&mut session, &parsed, l.session, &link::parse(&l.text))?,
                    None => false,
                };
                if !begun && parsed.file.is_some() {
                    let why = "the file it begins with is not here: open it once more";
                    return Err(Fault::BadLink(why.into()));
                }
                if !begun {
                    session.begin()?;
                }
            }
        }
        if paused {
            session.single_step();
        }
        self.live = Some(Live::new(id, text, session));
        Ok(())
    }

    pub(super) fn restore(&self, session: &mut Session, r: &Record) -> Result<(), Fault> {
        // One whose file had no state of the optimiser ends where it begins.
        session.end_at(r.steps);
        record::restore(session, r)?;
        if r.device.name != self.source.info().name {
            session.notices.push(Notice::new(format!(
                "Resumed at step {} on another engine ({} before, {} now): from here on the last digits may differ.",
                r.step,
                r.device.name,
                self.source.info().name
            )));
        }
        Ok(())
    }

    /// Does one portion of work. False when there is nothing to do before the next command.
    pub(super) async fn work(&mut self) -> bool {
        if let Some(spec) = self.next_study() {
            self.study(spec).await;
        }
        let Some(live) = &mut self.live else {
            return self.comparing(false).await;
        };
        let busy = match live.session.pump().await {
            Ok(busy) => busy,
            Err(Fault::DeviceLost(why)) => {
                self.events.push(Event::Fault {
                    run: Some(live.id),
                    fault: Fault::DeviceLost(why),
                });
                self.recover().await
            }
            Err(fault) => {
                self.events.push(Event::Fault {
                    run: Some(live.id),
                    fault,
                });
                false
            }
        };
        self.keep(!busy);
        // What is said meanwhile comes before a check.
        self.comparing(busy).await || self.check_due()
    }
}

/// A device lost again as soon as it is used is one that refuses to work.
fn refused(fault: Fault) -> Fault {
    match fault {
        Fault::DeviceLost(why) => Fault::NoGpu(WhyCpu::DeviceRefused(why)),
        other => other,
    }
}
