//! The check of the stages' types: at its end a run estimates its checkpoints once more at a third of nβ,
//! with the bits of a run of that nβ; it gives way to what is asked for, and is not forced on anybody.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{ended, session};
use lambdahat::app::link::{self, Link};
use lambdahat::app::study;
use lambdahat::engine::host::Host;
use lambdahat::engine::{Session, Source, branch};
use lambdahat::protocol::{
    Command, EngineChoice, Event, LlcPoint, Phase, RunId, Stages, Study, StudyKind, StudySpec,
};
use pollster::block_on;
use std::rc::Rc;

const TMS: &str = "#/tms?replicas=2&n=60&steps=80&every=10&log=0&chains=2&burnin=3&draws=6&mbatch=10&nbeta=300&gamma=50";
const RUN: RunId = RunId(1);

/// What the page has been told.
#[derive(Default)]
struct Told {
    llc: Vec<LlcPoint>,
    stages: Stages,
    /// The last of each kind, and the order in which studies were over.
    studies: Vec<Study>,
    over: Vec<StudyKind>,
}

struct Page {
    host: Host,
    told: Told,
}

impl Page {
    fn open(text: &str) -> Self {
        let mut host = Host::new(None, Rc::default());
        let engine = EngineChoice::Cpu;
        let hello = Command::Hello {
            engine,
            secure: true,
        };
        block_on(host.command(hello));
        let link = link::parse(text);
        assert!(link.notices.is_empty(), "{text}: {:?}", link.notices);
        let start = Command::Start {
            run: RUN,
            link: link.text(true),
            resume: false,
            paused: false,
        };
        block_on(host.command(start));
        Self {
            host,
            told: Told::default(),
        }
    }

    /// Works until nothing is left to do, or until `enough`.
    fn until(&mut self, enough: impl Fn(&Told) -> bool) -> &Told {
        let mut idle = false;
        for _ in 0..20_000 {
            let busy = block_on(self.host.pump());
            let events = self.host.take_events();
            for event in events {
                let Event::Frame(frame) = event else { continue };
                assert_ne!(frame.phase, Phase::Failed);
                self.told.llc = frame.llc.unwrap_or(std::mem::take(&mut self.told.llc));
                if let Some(stages) = frame.stages {
                    self.told.stages = stages;
                }
                if let Some(study) = frame.study {
                    let kind = study.spec.kind;
                    self.told.over.extend(study.over.then_some(kind));
                    self.told.studies.retain(|s| s.spec.kind != kind);
                    self.told.studies.push(study);
                }
            }
            block_on(self.host.command(Command::Ack(RUN)));
            // What the page was told of may be followed by more.
            if !busy && idle || enough(&self.told) {
                return &self.told;
            }
            idle = !busy;
        }
        panic!("it did not come to an end");
    }

    fn end(&mut self) -> &Told {
        self.until(|_| false)
    }

    fn say(&mut self, command: Command) {
        block_on(self.host.command(command));
    }
}

/// The check has begun and has not ended.
fn checks(told: &Told) -> bool {
    let check = |s: &Study| s.spec.kind == StudyKind::Second && !s.over && !s.done.is_empty();
    told.studies.iter().any(check)
}

/// With chains so long that there is a frame while they run.
fn long() -> String {
    TMS.replace("draws=6", "draws=2000")
}

fn sweep(text: &str) -> StudySpec {
    study::sweep(study::Setting::of(&link::parse(text).knobs), 80)
}

#[test]
fn every_stage_of_a_run_is_typed_at_two_settings() {
    let mut page = Page::open(TMS);
    let told = page.end();
    assert_eq!(told.over, [StudyKind::Second]);
    assert_eq!(told.stages.second.map(|s| s[0]), Some(100.0));
    assert!(!told.stages.stages.is_empty());
    assert!(told.stages.stages.iter().all(|s| s.second.is_some()));
    // The numbers are those of a run with that nβ; planted: and not those of this one.
    let values = |s: &Session| s.history.llc.iter().map(|p| p.value).collect::<Vec<_>>();
    let found = &told.studies.last().unwrap().done;
    let found: Vec<f64> = found.iter().map(|r| r.value.unwrap()).collect();
    let other = ended(session(&TMS.replace("nbeta=300", "nbeta=100")));
    assert_eq!(found, values(&other));
    let own: Vec<f64> = told.llc.iter().map(|p| p.value).collect();
    assert!(own.len() == found.len() && own != found);
    // Nobody has to have it, and λ̂ is the same without.
    let mut page = Page::open(&format!("{TMS}&second=no"));
    let told = page.end();
    assert!(told.studies.is_empty() && told.stages.second.is_none());
    assert_eq!(told.llc.iter().map(|p| p.value).collect::<Vec<_>>(), own);
}

#[test]
fn it_gives_way_and_comes_back_unless_it_is_stopped() {
    let long = &long();
    let mut page = Page::open(long);
    assert!(checks(page.until(checks)));
    page.say(Command::Study(RUN, sweep(TMS)));
    let told = page.end();
    // The page was told that the check was over, of the sweep, and of the whole check.
    let times = |kind| told.over.iter().filter(|k| **k == kind).count();
    assert!(times(StudyKind::Sweep) == 1 && told.over.last() == Some(&StudyKind::Second));
    let last = told
        .studies
        .iter()
        .find(|s| s.spec.kind == StudyKind::Second);
    assert!(last.is_some_and(|s| s.over && s.done.len() == s.spec.cells.len()));
    assert!(told.stages.second.is_some());
    // Stopped, it is over, and what it had types nothing.
    let mut page = Page::open(long);
    assert!(checks(page.until(checks)));
    page.say(Command::StopStudy(RUN));
    assert_eq!(page.end().stages.second, None);
    page.say(Command::Study(RUN, sweep(TMS)));
    assert_eq!(page.end().stages.second, None);
    // Asked for by hand it is made all the same.
    let knobs = link::parse(TMS).knobs;
    let steps: Vec<u64> = page.told.llc.iter().map(|p| p.step).collect();
    page.say(Command::Study(RUN, study::second(&knobs, &steps)));
    assert!(page.end().stages.second.is_some());
}

#[test]
fn each_model_that_is_followed_has_its_own() {
    let mut page = Page::open(TMS);
    let second = |told: &Told| {
        let row = |s: &lambdahat::protocol::Stage| s.second.map(|c| (c.dllc.to_bits(), c.kind));
        told.stages.stages.iter().map(row).collect::<Vec<_>>()
    };
    let first = second(page.end());
    page.say(Command::Follow(RUN, 1));
    let other = second(page.end());
    assert!(other.iter().all(Option::is_some) && other != first);
    let alone = second(Page::open(&format!("{TMS}&member=1")).end());
    assert_eq!(other, alone);
    // Back to the first nothing is estimated again, but its λ̂.
    let made = page.told.over.len();
    page.say(Command::Follow(RUN, 0));
    assert_eq!(second(page.end()), first);
    assert_eq!(page.told.over.len(), made);
    // A model left in the middle of it takes nothing of it to the next.
    let long = &long();
    let alone = second(Page::open(&format!("{long}&member=1")).end());
    let mut page = Page::open(long);
    assert!(checks(page.until(checks)));
    page.say(Command::Follow(RUN, 1));
    assert_eq!(second(page.end()), alone);
}

/// A run at its end with its check and a boundary by hand, as a session.
fn checked(text: &str) -> Session {
    let (source, _) = block_on(Source::find(EngineChoice::Cpu, true)).unwrap();
    let link = link::parse(text);
    let mut s = ended(session(text));
    let steps = s.unchecked().expect("a check that is due");
    assert!(s.unchecked().is_none(), "it is due once");
    let spec = study::second(&link.knobs, &steps);
    let study = lambdahat::engine::studying::begin(&source, link, spec);
    s.begin_study(block_on(study).unwrap());
    ended(s)
}

#[test]
fn a_zoom_keeps_what_was_found_of_the_run_and_a_branch_does_not() {
    let (source, _) = block_on(Source::find(EngineChoice::Cpu, true)).unwrap();
    let grafted = |text: &str| {
        let [new, was]: [Link; 2] = [text, TMS].map(link::parse);
        assert!(new.notices.is_empty(), "{text}");
        let mut s = block_on(branch::open(&source, &new)).unwrap();
        if !branch::graft(&mut s, &new, checked(TMS), &was).unwrap() {
            s.begin().unwrap();
        }
        let kinds = |s: &Session| s.studies().map(|s| s.spec.kind).collect::<Vec<_>>();
        // Through a record a number may change in its last bit.
        let row = s.second_setting().unwrap_or_default();
        let row: Vec<f32> = row.into_iter().map(|x| x as f32).collect();
        let kept = (row, kinds(&s));
        let mut s = ended(s);
        (kept, s.unchecked().is_some())
    };
    let own = checked(TMS).second_setting().unwrap();
    let own: Vec<f32> = own.into_iter().map(|x| x as f32).collect();
    // Behind its first checkpoint, and before it, where nothing is taken over.
    for zoom in ["31-49:5", "1-9:3"] {
        let (kept, due) = grafted(&format!("{TMS}&zoom={zoom}"));
        assert_eq!(kept, (own.clone(), vec![StudyKind::Second]), "{zoom}");
        assert!(!due, "{zoom}");
    }
    let (kept, due) = grafted(&format!("{TMS}&from=40&then.lr=0.01"));
    assert_eq!((kept, due), ((vec![], vec![]), true));
}
