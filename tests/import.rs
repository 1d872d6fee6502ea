//! Checkpoints from files: what is handed out is taken back with the same bits, goes on where the state
//! of the optimiser is there, and a file that does not fit is told apart by name and shape.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use lambdahat::app::link;
use lambdahat::engine::host::Host;
use lambdahat::engine::{Session, Source, branch, importing};
use lambdahat::protocol::{
    At, Command, EngineChoice, Event, Frame, Phase, RunId, Side, Stored, Upload, VersusSpec,
    VersusStage,
};
use lambdahat::store::import::Checkpoint;
use lambdahat::store::native::NativeStore;
use pollster::block_on;
use std::collections::BTreeMap;

const REPEAT: &str = "#/induction?d_model=16&heads=2&vocab=12&ctx=12&pmin=3&pmax=5&batch=4&steps=12&every=6&log=0&chains=2&burnin=2&draws=4&mbatch=2&warmup=4";
const TMS: &str =
    "#/tms?replicas=3&n=60&steps=60&every=20&log=0&chains=2&burnin=3&draws=6&mbatch=10&member=1";

fn open(text: &str) -> Session {
    let (source, _) = block_on(Source::find(EngineChoice::Cpu, true)).unwrap();
    block_on(branch::open(&source, &link::parse(text))).unwrap()
}

fn run(text: &str) -> Session {
    let mut s = open(text);
    s.begin().unwrap();
    while block_on(s.pump()).unwrap() {}
    s
}

fn upload(bytes: Vec<u8>, link: &str) -> Command {
    Command::Import(Upload {
        run: RunId(7),
        link: link.into(),
        name: "a.safetensors".into(),
        bytes,
    })
}

/// What a host says of a command, and the last frame of all it then does.
fn told(host: &mut Host, command: Command) -> (Vec<Event>, Frame) {
    block_on(host.command(command));
    let (mut events, mut last) = (host.take_events(), Frame::default());
    loop {
        let busy = block_on(host.pump());
        for event in host.take_events() {
            if let Event::Frame(frame) = event {
                let llc = frame.llc.clone().or(last.llc);
                block_on(host.command(Command::Ack(frame.run)));
                last = Frame { llc, ..*frame };
            } else {
                events.push(event);
            }
        }
        if !busy && last.phase == Phase::Done {
            return (events, last);
        }
    }
}

#[test]
fn a_file_goes_on_with_the_bits_of_the_run_it_is_of() {
    for (text, step) in [(REPEAT, 6), (TMS, 20)] {
        let whole = run(text);
        let bytes = whole.file(step, text).unwrap();
        let file = Checkpoint::read(&bytes).unwrap();
        assert_eq!(file.words["step"], step.to_string());
        let mut host = Host::new(None, Default::default());
        // The form is of another experiment: the file brings its own link.
        let (events, last) = told(&mut host, upload(bytes, "#/grok"));
        let Event::Imported { link, steps, .. } = &events[0] else {
            panic!("{events:?}")
        };
        assert_eq!((last.step, last.phase), (*steps, Phase::Done));
        let n = whole.parts.arena.len();
        let follow = whole.follow();
        let own: BTreeMap<u64, u64> = whole
            .history
            .llc
            .iter()
            .map(|p| (p.step, p.value.to_bits()))
            .collect();
        let llc = last.llc.unwrap();
        assert_eq!(llc[0].step, step);
        for p in &llc {
            assert_eq!(
                own.get(&p.step),
                Some(&p.value.to_bits()),
                "{text} at {}",
                p.step
            );
        }
        // And the weights, by the run of that one model.
        let mut s = open(link);
        let names: Vec<&str> = s.parts.moments.iter().map(|m| m.0).collect();
        let taken = file.fit(&s.parts.arena, &names).unwrap();
        importing::place(&mut s, taken, step).unwrap();
        while block_on(s.pump()).unwrap() {}
        let [mine, theirs] = [&s, &whole].map(|s| s.history.checkpoints.last().unwrap());
        assert_eq!(
            mine.weights[..],
            theirs.weights[follow * n..(follow + 1) * n]
        );
    }
}

#[test]
fn a_file_of_the_command_line_trains_on() {
    let out = std::env::temp_dir().join(format!("lambdahat-import-{}", std::process::id()));
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_lambdahat"));
    command.args(["run", REPEAT, "--device", "cpu", "--out"]);
    assert!(command.arg(&out).output().unwrap().status.success());
    let bytes = std::fs::read(out.join("checkpoints/step-6.safetensors")).unwrap();
    std::fs::remove_dir_all(&out).unwrap();
    let whole = run(REPEAT);
    let file = Checkpoint::read(&bytes).unwrap();
    let page = Checkpoint::read(&whole.file(6, &file.words["link"]).unwrap()).unwrap();
    assert_eq!(file, page);
    // Two of the optimiser for each of the model.
    let prefixed = |p: &str| file.tensors.keys().filter(|k| k.starts_with(p)).count();
    let own = whole.parts.arena.tensors.len();
    assert_eq!([prefixed("adamw.m/"), prefixed("adamw.v/")], [own; 2]);
    let (events, last) = told(
        &mut Host::new(None, Default::default()),
        upload(bytes, "#/tms"),
    );
    let Event::Imported { steps, .. } = &events[0] else {
        panic!("{events:?}")
    };
    assert_eq!((*steps, last.step), (whole.parts.steps, whole.parts.steps));
}

#[test]
fn without_the_state_of_the_optimiser_it_is_looked_at_and_not_trained() {
    let mut whole = run(REPEAT);
    whole
        .history
        .checkpoints
        .iter_mut()
        .for_each(|c| c.state.clear());
    let bytes = whole.file(6, REPEAT).unwrap();
    let mut host = Host::new(None, Default::default());
    let (events, last) = told(&mut host, upload(bytes, "#/tms"));
    assert!(
        matches!(
            events[0],
            Event::Imported {
                step: 6,
                steps: 6,
                ..
            }
        ),
        "{events:?}"
    );
    assert_eq!((last.step, last.llc.unwrap().len()), (6, 1));
}

#[test]
fn what_does_not_fit_is_named_and_the_run_stays() {
    let whole = run(REPEAT);
    let bytes = whole.file(6, "").unwrap();
    let mut host = Host::new(None, Default::default());
    let start = Command::Start {
        run: RunId(1),
        link: TMS.into(),
        resume: false,
        paused: false,
    };
    let (_, before) = told(&mut host, start);
    let wider = REPEAT.replace("d_model=16", "d_model=32");
    for (bytes, form, said) in [
        (
            bytes.clone(),
            wider.as_str(),
            "blocks.0.attn.W_K is [2, 16, 8] in the file and [2, 32, 16] in this model.",
        ),
        (bytes.clone(), "#/tms", "this model has no such tensor"),
        (bytes.clone(), "#/tms", "is missing."),
        (
            bytes[..bytes.len() / 2].to_vec(),
            REPEAT,
            "no safetensors file",
        ),
        (Vec::new(), REPEAT, "no safetensors file"),
    ] {
        block_on(host.command(upload(bytes, form)));
        let events = host.take_events();
        let Some(Event::Refused(why)) = events.first() else {
            panic!("{events:?}")
        };
        assert!(
            why.iter().any(|w| w.contains(said)) && why.len() <= 9,
            "{said}: {why:?}"
        );
    }
    // The run that was there still answers.
    block_on(host.command(Command::Save(before.run, 20)));
    assert!(matches!(
        host.take_events()[..],
        [Event::File { step: 20, .. }]
    ));
}

/// A tied model's file has the unembedding TransformerLens asks for, and only that one is taken back.
#[test]
fn a_tied_unembedding_is_written_out_and_must_be_the_transpose() {
    let tied = format!("{REPEAT}&tied=on&mlp=8&act=solu");
    let whole = run(&tied);
    let (bytes, arena) = (whole.file(6, &tied).unwrap(), &whole.parts.arena);
    assert!(arena.get("unembed.W_U").is_none() && arena.get("blocks.1.mlp.ln.w").is_some());
    let mut file = Checkpoint::read(&bytes).unwrap();
    let [(_, w_e), (shape, w_u)] = ["embed.W_E", "unembed.W_U"].map(|n| file.tensors[n].clone());
    assert_eq!(shape, [16, 12]);
    assert!((0..16 * 12).all(|i| w_u[i] == w_e[i % 12 * 16 + i / 12]));
    let names: Vec<&str> = whole.parts.moments.iter().map(|m| m.0).collect();
    let taken = file.fit(arena, &names).unwrap();
    assert_eq!((taken.weights.len(), taken.state.len()), (arena.len(), 2));
    // An untied model can take it, being the same function; a tied one no other unembedding (planted).
    let untied = run(&tied.replace("tied=on", "tied=off"));
    assert!(file.fit(&untied.parts.arena, &[]).is_ok());
    file.tensors.get_mut("unembed.W_U").unwrap().1[5] += 0.25;
    let wrong = file.fit(arena, &names).unwrap_err();
    assert!(
        wrong.len() == 1 && wrong[0].contains("transpose"),
        "{wrong:?}"
    );
}

#[test]
fn names_of_transformerlens_fit_with_their_buffers_and_empty_biases() {
    let whole = run(REPEAT);
    let mut file = Checkpoint::read(&whole.file(6, "").unwrap()).unwrap();
    let zeros = (vec![2, 8], vec![0.0; 16]);
    file.tensors.insert("blocks.0.attn.b_Q".into(), zeros);
    file.tensors
        .insert("blocks.0.attn.mask".into(), (vec![2], vec![1.0; 2]));
    let names: Vec<&str> = whole.parts.moments.iter().map(|m| m.0).collect();
    let taken = file.fit(&whole.parts.arena, &names).unwrap();
    assert_eq!(
        (taken.weights.len(), taken.state.len()),
        (whole.parts.arena.len(), 2)
    );
    // Planted: a bias that is something would be lost, and a number that is none spreads.
    let bias = (vec![2, 8], vec![0.5; 16]);
    file.tensors.insert("blocks.0.attn.b_Q".into(), bias);
    if let Some((_, data)) = file.tensors.get_mut("embed.W_E") {
        data[3] = f32::NAN;
    }
    let wrong = file.fit(&whole.parts.arena, &names).unwrap_err();
    assert_eq!(wrong.len(), 2, "{wrong:?}");
}

/// What a host has stored.
fn stored(host: &mut Host) -> Vec<Stored> {
    while block_on(host.pump()) {}
    let rows = |e| match e {
        Event::Shelf(rows) => Some(rows),
        _ => None,
    };
    let mut told = host.take_events().into_iter().rev().filter_map(rows);
    told.next().unwrap_or_default()
}

fn compared(host: &mut Host, sides: [(&str, At); 2]) -> (VersusStage, Vec<f32>) {
    let sides = sides.map(|(link, at)| Side {
        link: link.into(),
        at,
    });
    block_on(host.command(Command::Versus(VersusSpec { sides, set: 1 })));
    let mut last = (VersusStage::Waiting, Vec::new());
    while !matches!(last.0, VersusStage::Done | VersusStage::Failed(_)) {
        block_on(host.pump());
        for event in host.take_events() {
            if let Event::Versus(view) = event {
                let found = view.found.iter().flat_map(|f| f.sides.iter());
                let losses = found.flat_map(|s| s.lp.iter().copied()).collect();
                last = (view.stage, losses);
            }
        }
    }
    last
}

/// The run of a file is another one than that of its link: stored beside it, opened again with what was
/// said of it, and never compared as if its link gave its weights.
#[test]
fn the_run_of_a_file_is_another_one_than_that_of_its_link() {
    let folder = std::env::temp_dir().join(format!("lambdahat-files-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    let visit = || {
        let mut host = Host::new(
            Some(NativeStore::open(&folder).unwrap()),
            Default::default(),
        );
        let engine = EngineChoice::Cpu;
        block_on(host.command(Command::Hello {
            engine,
            secure: true,
        }));
        host
    };
    let text = link::parse(REPEAT).text(true);
    let start = |link: &str, resume| Command::Start {
        run: RunId(1),
        link: link.into(),
        resume,
        paused: false,
    };
    let mut host = visit();
    told(&mut host, start(&text, false));
    let whole = run(REPEAT);
    // The second is of another model in truth, and without the state of its optimiser.
    let mut other = run(&format!("{REPEAT}&lr=0.05"));
    other
        .history
        .checkpoints
        .iter_mut()
        .for_each(|c| c.state.clear());
    let files = [whole.file(6, &text).unwrap(), other.file(6, &text).unwrap()];
    let (mut links, mut said) = (Vec::new(), Vec::new());
    for file in &files {
        let (events, last) = told(&mut host, upload(file.clone(), "#/tms"));
        let own = events.iter().find_map(|e| match e {
            Event::Imported { link, .. } => Some(link.clone()),
            _ => None,
        });
        links.extend(own);
        said.push(last.step);
        while block_on(host.pump()) {}
    }
    assert_eq!(said, [12, 6]);
    drop(host);
    let mut host = visit();
    let rows = stored(&mut host);
    let all: Vec<(&str, u64, usize)> = rows
        .iter()
        .map(|r| (r.link.as_str(), r.step, r.checkpoints.len()))
        .collect();
    assert_eq!(
        all,
        [
            (text.as_str(), 12, 3),
            (links[0].as_str(), 12, 2),
            (links[1].as_str(), 6, 1)
        ]
    );
    // Opened again it says where it comes from, has the numbers it had, and ends where it ended.
    for (link, end) in [(&links[0], 12), (&links[1], 6)] {
        block_on(host.command(start(link, true)));
        let (mut notices, mut last, mut busy) = (String::new(), 0, true);
        while busy {
            busy = block_on(host.pump());
            for event in host.take_events() {
                if let Event::Frame(frame) = event {
                    frame.notices.iter().for_each(|n| notices += &n.text);
                    last = frame.step;
                    block_on(host.command(Command::Ack(frame.run)));
                }
            }
        }
        assert!(notices.contains("The file is of step 6"), "{notices}");
        assert_eq!(last, end);
    }
    drop(host);
    let mut host = visit();
    assert_eq!(stored(&mut host).len(), 3);
    // A comparison has the weights of each, and trains the link's own where they are not there.
    let ends = |host: &mut Host| {
        let all = [text.as_str(), links[1].as_str()].map(|l| (l, At::Step(6)));
        compared(host, all)
    };
    let (stage, losses) = ends(&mut host);
    assert_eq!(stage, VersusStage::Done);
    let (a, b) = losses.split_at(losses.len() / 2);
    assert!(a != b && !a.is_empty());
    // Planted: where neither is stored, that of a file cannot be had.
    let mut bare = Host::new(None, Default::default());
    let (stage, _) = ends(&mut bare);
    assert!(
        matches!(&stage, VersusStage::Failed(why) if why.contains("file")),
        "{stage:?}"
    );
    // Nor can a run begin from it there.
    block_on(bare.command(start(&links[0], false)));
    let fault = |e: &Event| matches!(e, Event::Fault { .. });
    assert!(bare.take_events().iter().any(fault));
    let _ = std::fs::remove_dir_all(folder);
}
