//! The command line as a stranger meets it: what a run was asked for besides is in `run.json`, and a pipe
//! that is closed is no fault.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use lambdahat::app::leading::leading;
use lambdahat::app::link::Link;
use lambdahat::app::{export, leads, link, refined, seeds, stages, study};
use lambdahat::cli::asked::seen;
use lambdahat::engine::studying::begin;
use lambdahat::engine::{Session, Source, branch};
use lambdahat::experiments;
use lambdahat::protocol::EngineChoice;
use pollster::block_on;
use serde_json::{Value, json};
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
    // Where nothing is left to train, all end alike, and not by chance.
    let last = &all[all.len() - 1];
    if last["share"] != 1.0 || last["lo"] != 1.0 {
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
    let (mut session, source, link) = ended(TMS);
    let steps: Vec<u64> = session.history.llc.iter().map(|p| p.step).collect();
    let spec = study::members(&link.knobs, &steps);
    session.begin_study(block_on(begin(&source, link.clone(), spec)).unwrap());
    while block_on(session.pump()).unwrap() {}
    let card = experiments::card("tms").unwrap();
    let run = seen(&session, &link);
    let members = seeds::members(&run, card);
    let rows = leading(&leads::rows(&run, card, &members, leads::nulls()));
    let known: Vec<&str> = card.leads.iter().map(|i| i.id).collect();
    let named: Vec<&str> = rows.iter().map(|r| r.indicator).collect();
    assert_eq!(named, known);
    let changed = members.iter().filter(|m| m.transition.is_some()).count();
    assert!(rows.iter().all(|r| r.lead.n <= changed));
    assert_eq!(file["leads"], serde_json::to_value(&rows).unwrap());
    let llc = rows.iter().find(|r| r.indicator == "llc").unwrap();
    assert!(
        llc.lead.n == changed && llc.threshold > Some(0.0) && llc.null_runs >= 8 && !llc.hindsight,
        "{llc:?}"
    );

    // Fewer branches from fewer checkpoints: the ends and the transition, and a wider interval.
    let asked = ["--commitment", "--branches", "2", "--checkpoints", "5"];
    let (few, _) = ran("few", TMS, &asked);
    let all = few["commitment"].as_array().unwrap();
    let last = &all[all.len() - 1];
    assert!((3..=5).contains(&all.len()), "{all:?}");
    assert_eq!(
        (&last["branches"], &last["share"]),
        (&json!(2), &json!(1.0))
    );
    let [share, lo] = ["share", "lo"].map(|k| all[0][k].as_f64().unwrap());
    assert_eq!(lo, lambdahat::math::stats::wilson(share, 2).0);
    // Planted: the checker of eight branches notices.
    assert!(!uncommitted(&few).is_empty());
    for wrong in [["--checkpoints", "4"], ["--branches", "0"]] {
        let mut command = lambdahat();
        command.args(["run", TMS, "--commitment"]).args(wrong);
        assert_eq!(
            command.output().unwrap().status.code(),
            Some(2),
            "{wrong:?}"
        );
    }

    let (plain, _) = ran("plain", TMS, &[]);
    assert!(plain.get("commitment").is_none() && plain.get("leads").is_none());
    // Asking changes nothing of the run.
    for part in ["estimates", "stages", "jumps"] {
        assert_eq!(plain[part], file[part], "{part}");
    }
    let series = |file: &Value| file["series"].as_object().unwrap().clone();
    for (id, s) in series(&plain) {
        assert_eq!(s, file["series"][&id], "{id}");
    }
    // tr H of the model that is followed is in both; of the others, where it was asked for.
    let more = |id: &str| [&plain, &file].map(|f| series(f).contains_key(id));
    assert_eq!(more("llc.trace"), [true, true]);
    assert_eq!(more("replicas/1/llc.trace"), [false, true]);
}

const HEADS: &str = "#/induction?d_model=16&heads=2&vocab=12&ctx=12&pmin=3&pmax=5&batch=4&steps=24&every=6&log=0&chains=2&burnin=2&draws=4&mbatch=2";
const PARTS: [&str; 6] = [
    "blocks.0.attn.head.0",
    "blocks.0.attn.head.1",
    "blocks.1.attn.head.0",
    "blocks.1.attn.head.1",
    "blocks.0",
    "blocks.1",
];

/// A link's run on the CPU engine.
fn ended(text: &str) -> (Session, Source, Link) {
    let link = link::parse(text);
    let (source, _) = block_on(Source::find(EngineChoice::Cpu, true)).unwrap();
    let mut session = block_on(branch::open(&source, &link)).unwrap();
    session.begin().unwrap();
    while block_on(session.pump()).unwrap() {}
    (session, source, link)
}

/// The λ̂ curve of a run whose chains move a part alone.
fn alone(part: &str) -> Vec<f64> {
    let (session, ..) = ended(&format!("{HEADS}&part={part}"));
    session.history.llc.iter().map(|p| p.value).collect()
}

/// As it reads back from a file: the last digit may be another.
fn filed(value: Value) -> Value {
    serde_json::from_str(&value.to_string()).unwrap()
}

/// The parts whose curve in the file is not the λ̂ of the part alone.
fn unlike<'a>(file: &Value, truth: &[(&'a str, Vec<f64>)]) -> Vec<&'a str> {
    let wrong = |(part, y): &&(&str, Vec<f64>)| {
        file["series"][format!("refined.{part}")]["y"] != filed(json!(y))
    };
    truth.iter().filter(wrong).map(|(part, _)| *part).collect()
}

#[test]
fn refined_curves_are_those_of_runs_whose_chains_move_one_part() {
    let (file, _) = ran("refined", HEADS, &["--refined"]);
    let truth = PARTS.map(|part| (part, alone(part)));
    assert_eq!(truth[0].1.len(), 5);
    assert_eq!(unlike(&file, &truth), Vec::<&str>::new());
    // Planted: the mask of a head left out, so that its chains move everything.
    let mut other = file.clone();
    other["series"]["refined.blocks.1.attn.head.0"]["y"] = json!(alone("all"));
    assert_eq!(unlike(&other, &truth), [PARTS[2]]);

    // The page exports the same curves, and groups and correlates them in the same way.
    let (mut session, source, link) = ended(HEADS);
    let steps: Vec<u64> = session.history.llc.iter().map(|p| p.step).collect();
    // Another study after it, such as that of who leads, leaves it there.
    let spec = refined::spec(&link.knobs, &steps).unwrap();
    for spec in [spec, study::again(&link.knobs, &[24])] {
        session.begin_study(block_on(begin(&source, link.clone(), spec)).unwrap());
        while block_on(session.pump()).unwrap() {}
    }
    let run = seen(&session, &link);
    for column in export::columns(&run, experiments::card("induction").unwrap()) {
        if column.id.starts_with("refined.") {
            let of = &file["series"][&column.id];
            let ends = json!([
                column.label,
                column.points.x,
                column.points.lo,
                column.points.hi
            ]);
            assert_eq!(
                json!([of["label"], of["x"], of["lo"], of["hi"]]),
                filed(ends)
            );
        }
    }
    let found = &file["refined"];
    let mut named: Vec<&str> = found["groups"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|g| g.as_array().unwrap())
        .map(|id| id.as_str().unwrap().trim_start_matches("refined."))
        .collect();
    named.sort_unstable();
    assert_eq!(named, PARTS[..4]);
    let rows = found["lagged"].as_array().unwrap();
    assert_eq!(rows.len(), 3 * 2 * 17);
    for row in rows {
        let (kind, changes) = (row["composition"].as_str().unwrap(), row["changes"] == true);
        let lag = row["lag"].as_i64().unwrap();
        let own = refined::scatter(&run, kind, changes, None)
            .curves
            .lagged(lag);
        let ways = &row["null"];
        assert_eq!(row["steps"], json!(6.0 * lag as f64));
        let told = json!([row["rho"], row["p"], ways["low"], ways["high"]]);
        let ends = [own.null.first(), own.null.last()];
        assert_eq!(told, filed(json!([own.rho, own.p, ends[0], ends[1]])));
        // Four pairs; two later heads can be exchanged in one other way.
        if lag == 0 && !changes {
            assert_eq!((&row["points"], &ways["ways"]), (&json!(4 * 5), &json!(1)));
        }
    }
}

/// Ids of series of a run that no chart and no table has a name for.
fn nameless(experiment: &str, file: &Value) -> Vec<String> {
    let card = experiments::card(experiment).unwrap();
    let derived = |id: &str| id.starts_with("llc") || id.starts_with("logit_pca");
    let ids = file["series"].as_object().unwrap().keys();
    ids.filter(|id| !id.contains('/') && !derived(id))
        .filter(|id| stages::name(card, id).is_none_or(|name| name == **id && *id != "loss"))
        .cloned()
        .collect()
}

#[test]
fn whatever_can_move_in_a_stage_has_a_name() {
    let heads = HEADS.replace("chains=2", "chains=0");
    let short = "steps=20&every=10&log=0&chains=0";
    for (experiment, link) in [
        ("induction", format!("{heads}&mlp=8&norm=layernorm")),
        (
            "markov",
            format!("#/markov?{short}&batch=4&d_model=8&heads=1&vocab=3&ctx=16"),
        ),
        ("tms", format!("#/tms?{short}&n=60")),
        (
            "grok",
            format!("#/grok?{short}&p=7&embed=4&hidden=8&batch=8"),
        ),
    ] {
        let (mut file, _) = ran(experiment, &link, &[]);
        assert_eq!(nameless(experiment, &file), Vec::<String>::new(), "{link}");
        // Planted: one that nobody knows.
        file["series"]["inner.sum"] = json!([]);
        assert_eq!(nameless(experiment, &file), ["inner.sum"]);
    }
}

#[test]
fn who_cannot_be_asked_says_so() {
    let link = "#/truth?target=line&chains=2&burnin=2&draws=4";
    let asked = ["--commitment", "--leads", "--refined"];
    let (file, told) = ran("truth", link, &asked);
    let there = |key| file.get(key).is_some();
    assert!(!["commitment", "leads", "refined"].into_iter().any(there));
    assert!(told.contains("Commitment is for") && told.contains("no indicators"));
    assert!(told.contains("Refined λ̂ is for"));
}

/// A word on each of these, what went wrong and what to do, and no run.
#[test]
fn what_cannot_be_run_says_what_to_do() {
    let text = std::env::temp_dir().join(format!("lambdahat-cli-{}.txt", std::process::id()));
    std::fs::write(&text, "All work and no play.\n".repeat(500)).unwrap();
    let own = text.to_str().unwrap();
    let cases: &[(&[&str], &[&str])] = &[
        (
            &["run", "#/nosuch"],
            &["nosuch", "induction", "lambdahat list"],
        ),
        (&["run", ""], &["'#/tms?seed=3'"]),
        (
            &["run", "#/text?text=deadbeefdeadbeef"],
            &["deadbeefdeadbeef", "--text FILE"],
        ),
        (
            &["run", "#/text", "--text", own],
            &["'#/text?text=c71a0087ae51243f'"],
        ),
        (
            &["run", "#/text?text=deadbeefdeadbeef", "--text", own],
            &["c71a0087ae51243f", "deadbeefdeadbeef"],
        ),
        (
            &["run", "#/tms", "--text", "no/such"],
            &["no/such", "No such file"],
        ),
        (
            &["run", "#/tms?foo=1", "--strict"],
            &["“foo”", "notices above"],
        ),
        (
            &["compare", "#/induction"],
            &["second link", "with=layers=1"],
        ),
        (
            &["compare", "#/induction", "--at", "now"],
            &["“now”", "--at after,before"],
        ),
        (&["compare", "#/tms", "#/tms"], &["tms has no tokens"]),
        (&["compare", "no/such", "#/tms"], &["no such folder"]),
        (
            &["compare", "tests", "#/tms"],
            &["run.json", "lambdahat run --out"],
        ),
        (&["complete", "#/tms"], &["'#/text'"]),
        (
            &["complete", "#/text?steps=4", "--step", "9"],
            &["4 steps", "9"],
        ),
        (&["list", "nosuch"], &["possible values: tms"]),
    ];
    for (asked, wanted) in cases {
        let done = lambdahat().args(*asked).output().unwrap();
        let told = String::from_utf8(done.stderr).unwrap();
        assert_eq!(done.status.code(), Some(2), "{asked:?}: {told}");
        assert!(wanted.iter().all(|w| told.contains(w)), "{asked:?}: {told}");
    }
    // Planted: what can be done says none of it, and goes on from the text's held-out part.
    let link = "#/text?text=c71a0087ae51243f&d_model=16&heads=2&vocab=32&ctx=32&batch=2&steps=2&chains=0&mix=0";
    let done = lambdahat()
        .args([
            "complete", link, "--device", "cpu", "--length", "1", "--text", own,
        ])
        .output()
        .unwrap();
    let (told, texts) = (done.stderr, String::from_utf8(done.stdout).unwrap());
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&told));
    assert_eq!(texts.matches("\nwork and no").count(), 3, "{texts}");
    std::fs::remove_file(&text).unwrap();
}

/// The checkpoints of another run in the same folder are not taken for its own.
#[test]
fn a_folder_that_two_runs_were_written_to_is_read_as_the_last() {
    let out = std::env::temp_dir().join(format!("lambdahat-cli-{}-two", std::process::id()));
    let base = "#/induction?d_model=16&heads=2&vocab=12&ctx=12&pmin=3&pmax=5&batch=4&every=6&log=0&chains=0";
    let first = format!("{base}&steps=12&seed=2");
    for link in [&first, &format!("{base}&steps=6")] {
        let mut command = lambdahat();
        command.args(["run", link, "--device", "cpu", "--out"]);
        assert!(command.arg(&out).status().unwrap().success());
    }
    let there = std::fs::read_dir(out.join("checkpoints")).unwrap().count();
    assert_eq!(there, 3);
    let at = |at: &str| {
        let mut command = lambdahat();
        command.arg("compare").arg(&out).args(["--at", at]);
        command
            .args([&first, "--device", "cpu", "--out"])
            .arg(out.join("compare"));
        command.output().unwrap().status.success()
    };
    // Planted: step 12 is there, but it is of the first.
    assert!(at("6,12") && !at("12,12"));
    std::fs::remove_dir_all(&out).unwrap();
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
