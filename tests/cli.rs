//! The command line as a stranger meets it: what a run was asked for besides is in `run.json`, and a pipe
//! that is closed is no fault.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use lambdahat::app::{link, seeds, study};
use lambdahat::cli::asked::{leading, seen};
use lambdahat::engine::studying::begin;
use lambdahat::engine::{Source, branch};
use lambdahat::experiments;
use lambdahat::protocol::EngineChoice;
use pollster::block_on;
use serde_json::Value;
use std::process::{Command, Stdio};

const TMS: &str = "#/tms?replicas=3&start=random&features=8&sigma=0.5&n=400&steps=600&every=30&log=0&chains=2&burnin=2&draws=4&mbatch=10&lr=0.05&seed=3";

fn lambdahat() -> Command {
    Command::new(env!("CARGO_BIN_EXE_lambdahat"))
}

/// The file of a run on the CPU engine, and the notices it gave.
fn ran(name: &str, link: &str, asked: &[&str]) -> (Value, String) {
    let out = std::env::temp_dir().join(format!("lambdahat-cli-{}-{name}", std::process::id()));
    let mut command = lambdahat();
    command.args(["run", link, "--device", "cpu", "--out"]);
    let done = command.arg(&out).args(asked).output().unwrap();
    let told = String::from_utf8(done.stderr).unwrap();
    assert!(done.status.success(), "{told}");
    let file = std::fs::read_to_string(out.join("run.json")).unwrap();
    std::fs::remove_dir_all(&out).unwrap();
    (serde_json::from_str(&file).unwrap(), told)
}

/// What is wrong with the commitment of a run of 600 steps.
fn uncommitted(file: &Value) -> Vec<String> {
    let all = file["commitment"].as_array().unwrap();
    let mut out = Vec::new();
    let steps: Vec<u64> = all.iter().map(|p| p["step"].as_u64().unwrap()).collect();
    if steps.len() < 6 || steps[0] != 0 || steps.last() != Some(&600) || !steps.is_sorted() {
        out.push(format!("steps {steps:?}"));
    }
    for p in all {
        let [share, lo, hi] = ["share", "lo", "hi"].map(|k| p[k].as_f64().unwrap());
        let count = 8.0 * share;
        if p["branches"] != 8 || count != count.round() || !(lo <= share && share <= hi) {
            out.push(format!("{p}"));
        }
    }
    // Where nothing is left to train, all end alike: 8 of 8, whose lower end is 8/(8 + 1.96²).
    let last = &all[all.len() - 1];
    let lo = last["lo"].as_f64().unwrap();
    if last["share"] != 1.0 || (lo - 8.0 / (8.0 + 1.96 * 1.96)).abs() > 1e-3 {
        out.push(format!("{last}"));
    }
    out
}

#[test]
fn commitment_and_who_leads_are_in_the_file_where_they_were_asked_for() {
    let (file, _) = ran("asked", TMS, &["--commitment", "--leads"]);
    assert_eq!(uncommitted(&file), Vec::<String>::new());
    // Planted: a share that is no count of branches, and a checkpoint that is missing.
    let mut other = file.clone();
    other["commitment"][2]["share"] = 0.3.into();
    assert_eq!(uncommitted(&other).len(), 1);
    other["commitment"][0]["step"] = 30.into();
    assert_eq!(uncommitted(&other).len(), 2);

    // The rows are those of the page, from the same run.
    let link = link::parse(TMS);
    let (source, _) = block_on(Source::find(EngineChoice::Cpu, true)).unwrap();
    let mut session = block_on(branch::open(&source, &link)).unwrap();
    session.begin().unwrap();
    while block_on(session.pump()).unwrap() {}
    let steps: Vec<u64> = session.history.llc.iter().map(|p| p.step).collect();
    let spec = study::members(&link.knobs, &steps);
    session.begin_study(block_on(begin(&source, link.clone(), spec)).unwrap());
    while block_on(session.pump()).unwrap() {}
    let card = experiments::card("tms").unwrap();
    let run = seen(&session, &link);
    let rows = leading(&run, card);
    let known: Vec<&str> = card.leads.iter().map(|i| i.id).collect();
    let named: Vec<&str> = rows.iter().map(|r| r.indicator).collect();
    assert_eq!(named, known);
    let members = seeds::members(&run, card);
    let changed = members.iter().filter(|m| m.transition.is_some()).count();
    assert!(rows.iter().all(|r| r.lead.n <= changed));
    assert_eq!(file["leads"], serde_json::to_value(&rows).unwrap());
    let llc = rows.iter().find(|r| r.indicator == "llc").unwrap();
    assert!(
        llc.lead.n == changed && llc.threshold > Some(0.0) && llc.null_runs >= 8 && !llc.hindsight,
        "{llc:?}"
    );

    let (plain, _) = ran("plain", TMS, &[]);
    assert!(plain.get("commitment").is_none() && plain.get("leads").is_none());
    // Asking changes nothing of the run.
    for part in ["series", "estimates", "stages", "jumps"] {
        assert_eq!(plain[part], file[part], "{part}");
    }
}

#[test]
fn who_cannot_be_asked_says_so() {
    let link = "#/truth?target=line&chains=2&burnin=2&draws=4";
    let (file, told) = ran("truth", link, &["--commitment", "--leads"]);
    assert!(file.get("commitment").is_none() && file.get("leads").is_none());
    assert!(told.contains("Commitment is for") && told.contains("no indicators"));
}

#[test]
fn a_closed_pipe_ends_quietly() {
    for asked in [&["list"][..], &["list", "--json"]] {
        let mut child = lambdahat();
        child
            .args(asked)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = child.spawn().unwrap();
        // As `head` does, but before anything is printed.
        drop(child.stdout.take());
        let done = child.wait_with_output().unwrap();
        let told = String::from_utf8(done.stderr).unwrap();
        assert!(
            done.status.success() && told.is_empty(),
            "{asked:?}: {told}"
        );
    }
}
