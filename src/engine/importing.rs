//! A run that begins with the weights of a file: every instrument looks at them, λ̂ is estimated, and
//! where the state of the optimiser is there, training goes on.

use super::frames::Live;
use super::host::Host;
use super::session::Session;
use crate::app::link::{self, Course, Link};
use crate::experiments;
use crate::knobs::{Digest, Knobs, Value};
use crate::protocol::{Event, Fault, Notice, Upload};
use crate::store::import::{Checkpoint, Taken};

/// The settings of one model of a run, the one followed, as a run of its own.
fn alone(link: &mut Link) {
    (link.course, link.file) = (Course::default(), None);
    let knobs: &mut Knobs = &mut link.knobs;
    if knobs.int("replicas") > 1 {
        let seed = knobs.int("seed") + knobs.int("member");
        knobs.put("seed", Value::Int(seed));
        knobs.put("replicas", Value::Int(1));
        knobs.put("member", Value::Int(0));
    }
}

/// The link whose model a file fits: its own, else that of the form; or what is wrong with the latter.
fn fitting(file: &Checkpoint, form: &str) -> Result<(Link, Taken), Vec<String>> {
    // What it says of another file is not what it is of.
    let plain = |l: &String| link::parse(l.split("&file=").next().unwrap_or_default());
    let own = file.words.get("link").map(plain);
    let own = own.filter(|l| l.known && l.notices.is_empty());
    let mut wrong = Vec::new();
    for mut link in own.into_iter().chain([link::parse(form)]) {
        alone(&mut link);
        let parts = experiments::build(link.experiment, &link.knobs);
        let parts = parts.map_err(|fault| vec![fault.to_string()])?;
        let names: Vec<&str> = parts.moments.iter().map(|(name, _)| *name).collect();
        match file.fit(&parts.arena, &names) {
            Ok(taken) => return Ok((link, taken)),
            Err(why) => wrong = why,
        }
    }
    Err(wrong)
}

/// Puts a fresh session of one replica where a file stands. `step` is its step; it is what is trained
/// there, and all that is done unless the optimiser's state is there too.
pub fn place(session: &mut Session, taken: Taken, step: u64) -> Result<(), Fault> {
    let goes_on = !taken.state.is_empty() && step < session.parts.steps;
    let parts = &mut session.parts;
    if !goes_on {
        parts.steps = step;
    }
    for grid in [
        &mut parts.evals,
        &mut parts.checkpoints,
        &mut parts.probes.at,
    ] {
        grid.retain(|s| goes_on && *s > step);
        grid.insert(0, step);
    }
    let state: Vec<_> = taken.state.into_iter().map(std::rc::Rc::new).collect();
    session.load(taken.weights, &state)?;
    (session.submitted, session.done) = (step, step);
    Ok(())
}

impl Host {
    /// Begins a run from a file, in place of the one under way; a file that cannot be used is answered
    /// with what is wrong, and changes nothing.
    pub(super) async fn import(&mut self, file: Upload) {
        let run = file.run;
        match self.imported(&file).await {
            Ok((session, link)) => {
                // What was there is left as it is for any other run.
                self.keep(true);
                self.shelve();
                self.asked = None;
                let (text, step, steps) = (link.text(true), session.step(), session.steps());
                self.prepared = None;
                self.acked = true;
                self.events.push(Event::Imported {
                    run,
                    link: text.clone(),
                    step,
                    steps,
                });
                self.live = Some(Live::new(run, text, session));
            }
            Err(why) => self.events.push(Event::Refused(why)),
        }
    }

    async fn imported(&mut self, from: &Upload) -> Result<(Session, Link), Vec<String>> {
        let file = Checkpoint::read(&from.bytes);
        let file = file.map_err(|e| vec![format!("It is no safetensors file: {e}.")])?;
        let name = &from.name;
        let (mut link, taken) = fitting(&file, &from.link)?;
        link.file = Some(Digest(crc32fast::hash(&from.bytes).into()));
        let said = |fault: Fault| vec![fault.to_string()];
        let mut session = self.session(&link).await.map_err(said)?;
        let told = file.words.get("step").and_then(|s| s.parse::<u64>().ok());
        let step = told.unwrap_or(session.parts.steps).max(1);
        let (tensors, state) = (session.parts.arena.tensors.len(), !taken.state.is_empty());
        let mut text = format!("{name}: {tensors} tensors, every shape fits. ");
        text += &match told {
            Some(step) => format!("The file is of step {step}"),
            None => {
                format!("The file does not say of which step it is; it stands at the last, {step}")
            }
        };
        text += match (state, step < session.parts.steps) {
            (true, true) => ", with the state of the optimiser: training goes on from there.",
            (true, false) => ", with the state of the optimiser; there is nothing left to train.",
            (false, _) => {
                ", without the state of the optimiser: it is looked at, and not trained on."
            }
        };
        place(&mut session, taken, step).map_err(said)?;
        let said = Notice::new(text);
        session.history.origin.push(said.clone());
        session.notices.push(said);
        Ok((session, link))
    }
}
