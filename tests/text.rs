//! Text: the mixture of windows and repeats, what the predictors say of held-out windows, and that a
//! small model goes past their lines.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use lambdahat::app::link;
use lambdahat::engine::{Session, Source};
use lambdahat::experiments::text::own;
use lambdahat::experiments::{self, Of, Parts};
use lambdahat::protocol::{EngineChoice, Fault, Phase};
use pollster::block_on;

const SMALL: &str =
    "#/text?v=1&d_model=16&heads=2&ctx=48&pmin=5&pmax=12&batch=8&chains=0&every=0&log=0";

fn parts(text: &str) -> Parts {
    let link = link::parse(text);
    assert!(link.notices.is_empty(), "{text}: {:?}", link.notices);
    experiments::build("text", &link.knobs).unwrap()
}

fn run(text: &str) -> Session {
    let (source, _) = block_on(Source::find(EngineChoice::Cpu, true)).unwrap();
    let parts = parts(text);
    let exec = block_on(source.exec(&parts.plan)).unwrap();
    let mut s = Session::new(parts, exec);
    s.begin().unwrap();
    while block_on(s.pump()).unwrap() {}
    assert_eq!(s.phase(), Phase::Done);
    s
}

/// Tokens and classes of a batch, sequence by sequence.
fn batch(text: &str, of: Of, step: u64) -> Vec<(Vec<u32>, Vec<u32>)> {
    let (parts, mut words) = (parts(text), Vec::new());
    parts.lab.feed(of, step, &mut words);
    let ctx = parts.lab.context();
    let (tokens, classes) = words.split_at(words.len() / 2);
    let rows = tokens.chunks(ctx).zip(classes.chunks(ctx));
    rows.map(|(t, c)| (t.to_vec(), c.to_vec())).collect()
}

/// The period of a sequence of distinct tokens that repeats.
fn period(tokens: &[u32]) -> Option<usize> {
    let p = (1..tokens.len()).find(|&t| tokens[t] == tokens[0])?;
    let again = (p..tokens.len()).all(|t| tokens[t] == tokens[t - p]);
    (again && (5..=12).contains(&p)).then_some(p)
}

#[test]
fn the_share_of_repeats_is_exact_in_every_batch() {
    for (mix, expected) in [("0", 0), ("0.25", 2), ("0.3", 2), ("0.5", 4), ("1", 8)] {
        let link = match mix {
            "0.5" => SMALL.to_string(),
            other => format!("{SMALL}&mix={other}"),
        };
        for step in 0..5 {
            let all = batch(&link, Of::Train, step);
            let repeats = all.iter().filter(|(t, _)| period(t).is_some()).count();
            assert_eq!(repeats, expected, "mix {mix}, step {step}");
        }
        // What is held out is the same whatever is trained on.
        assert_eq!(batch(&link, Of::Eval, 0), batch(SMALL, Of::Eval, 0));
    }
}

#[test]
fn classes_are_text_repeat_and_first() {
    let held = batch(SMALL, Of::Eval, 0);
    assert_eq!(held.len(), 8);
    for (i, (tokens, classes)) in held.iter().enumerate() {
        match period(tokens) {
            Some(p) => {
                assert_eq!(i % 2, 0, "text where a repeat should be");
                let want = (0..48).map(|t| match t + 1 {
                    48 => 0,
                    target if target > p => 3,
                    _ => 1,
                });
                assert_eq!(classes, &want.collect::<Vec<_>>());
            }
            None => {
                assert_eq!(i % 2, 1, "a repeat where text should be");
                assert!(classes[..47].iter().all(|&c| c == 2) && classes[47] == 0);
            }
        }
        // Token 0 is no character of the stories.
        assert!(tokens.iter().all(|&t| (1..68).contains(&t)));
    }
}

#[test]
fn data_are_functions_of_seed_and_step() {
    assert_eq!(batch(SMALL, Of::Train, 3), batch(SMALL, Of::Train, 3));
    let other = [
        batch(SMALL, Of::Train, 4),
        batch(&format!("{SMALL}&seed=2"), Of::Train, 3),
        batch(SMALL, Of::Eval, 0),
    ];
    assert!(other.iter().all(|o| o != &batch(SMALL, Of::Train, 3)));
}

/// The person's own text: windows of its beginning are trained on, its last tenth is held out, and a run
/// whose text is not here does not begin.
#[test]
fn a_text_of_ones_own_is_read_and_asked_for() {
    let beginning = "The quick brown fox jumps over the lazy dog.\n".repeat(400);
    let end = "PACK MY BOX WITH FIVE DOZEN JUGS!\n".repeat(58);
    let text = format!("{beginning}{end}");
    let link = |name: &str| format!("{SMALL}&text={name}");
    let absent = link::parse(&link("0123456789abcdef"));
    match experiments::build("text", &absent.knobs) {
        Err(Fault::BadLink(why)) => assert!(why.contains("0123456789abcdef"), "{why}"),
        other => panic!("{other:?}"),
    }
    let name = own::keep(text.as_bytes()).unwrap().text();
    let link = link(&name);
    let windows = |of: Of, steps: u64| -> Vec<u32> {
        let all = (0..steps).flat_map(|step| batch(&link, of, step));
        let text = all.filter(|(_, classes)| classes[0] == 2);
        text.flat_map(|(tokens, _)| tokens).collect()
    };
    let (trained, held) = (windows(Of::Train, 30), windows(Of::Eval, 1));
    // The last tenth is of characters that the beginning does not have, and is never trained on.
    assert!(trained.iter().all(|&t| t > 0));
    let foreign = held.iter().filter(|&&t| t == 0).count();
    assert!(foreign * 2 > held.len(), "{foreign} of {}", held.len());
    assert_ne!(windows(Of::Train, 1), {
        let stories = batch(SMALL, Of::Train, 0).into_iter();
        stories
            .filter(|(_, c)| c[0] == 2)
            .flat_map(|(t, _)| t)
            .collect::<Vec<_>>()
    });
}

/// Headless: with its file it runs, without it or with another one it says so and ends with 2.
#[test]
fn the_command_line_takes_the_text_of_the_link() {
    let folder = std::env::temp_dir().join(format!("lambdahat-text-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let mine = "One line, and another one.\n".repeat(500);
    let (right, wrong) = (file("a", &mine), file("b", &mine.replace("One", "Two")));
    let name = own::check(mine.as_bytes()).unwrap().0.text();
    let link = format!("{SMALL}&text={name}&steps=2");
    let run = |text: &[&str]| {
        let out = folder.join("out").display().to_string();
        let program = std::process::Command::new(env!("CARGO_BIN_EXE_lambdahat"))
            .args(["run", &link, "--device", "cpu", "--out", &out])
            .args(text)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&program.stderr).into_owned();
        (program.status.code(), said)
    };
    let (code, said) = run(&[]);
    assert!(code == Some(2) && said.contains(&name), "{said}");
    let (code, said) = run(&["--text", &wrong]);
    assert!(code == Some(2) && said.contains("begins with"), "{said}");
    let (code, said) = run(&["--text", "no-such-file"]);
    assert_eq!(code, Some(2), "{said}");
    let (code, said) = run(&["--text", &right]);
    assert_eq!(code, Some(0), "{said}");

    // Comparisons ask for it in the same way.
    let compare = |text: &[&str]| {
        let out = folder.join("versus").display().to_string();
        let pair = format!("{link}&with=layers=1");
        let program = std::process::Command::new(env!("CARGO_BIN_EXE_lambdahat"))
            .args(["compare", &pair, "--device", "cpu", "--out", &out])
            .args(text)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&program.stderr).into_owned();
        (program.status.code(), said)
    };
    for (given, word) in [(&[][..], &name[..]), (&["--text", &wrong], "begins with")] {
        let (code, said) = compare(given);
        assert!(code == Some(2) && said.contains(word), "{said}");
    }
    let (code, said) = compare(&["--text", &right]);
    assert_eq!(code, Some(0), "{said}");
    std::fs::remove_dir_all(&folder).unwrap();
}

/// A small model passes the line of frequencies and is on its way to that of pairs: near each in turn.
#[test]
fn a_small_model_learns_frequencies_and_then_pairs() {
    let s = run(&format!("{SMALL}&steps=120&lr=1e-2&warmup=10"));
    let series = |id: &str| &s.history.series[id];
    let last = |id: &str| *series(id).y.last().unwrap();
    let least = |id: &str| {
        let y = &series(id).y;
        (0..y.len()).min_by(|&a, &b| y[a].total_cmp(&y[b])).unwrap()
    };
    let said =
        ["loss.text", "level.unigram", "level.bigram", "kl.unigram"].map(|id| (id, last(id)));
    assert!(last("loss.text") < last("level.unigram") - 0.2, "{said:?}");
    let order = ["unigram", "bigram", "trigram"].map(|p| last(&format!("level.{p}")));
    assert!(
        order[0] > order[1] + 0.5 && order[1] > order[2] + 0.5,
        "{order:?}"
    );
    // Nearest to frequencies first, to pairs later.
    assert!(least("kl.unigram") < least("kl.bigram"), "{said:?}");
    assert!(
        series("kl.unigram").y[least("kl.unigram")] < 0.4,
        "{said:?}"
    );
    assert!(last("kl.unigram") > series("kl.unigram").y[least("kl.unigram")] + 0.1);
    // Lines do not move.
    let line = &series("level.bigram").y;
    assert!(line.iter().all(|y| *y == line[0]));
    // The three classes make up the whole loss.
    let held = batch(SMALL, Of::Eval, 0);
    let count = |k: u32| {
        let classes = held.iter().flat_map(|(_, c)| c);
        classes.filter(|&&c| c == k).count() as f64
    };
    let [rest, text, repeat] = [1, 2, 3].map(count);
    let sum = rest * last("loss.first") + text * last("loss.text") + repeat * last("loss.repeat");
    assert!((sum / (rest + text + repeat) - last("loss")).abs() < 1e-5);
}
