//! What a model of text makes of it: kinds of tokens, columns, copies, passages, completions. They read and
//! leave the run as it was.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{ended, session};
use lambdahat::engine::Session;
use lambdahat::protocol::{Ask, Completed, Prompt, Tokens, Told};
use pollster::block_on;

const TINY: &str = "#/text?d_model=16&heads=2&ctx=32&batch=6&wrap=12&pmin=4&pmax=8&steps=40&every=20&log=0&lr=0.02&warmup=0&chains=0&seed=4";

fn prompt(step: u64, text: &str, temperature: f64, seed: u32) -> Prompt {
    Prompt {
        step,
        text: text.into(),
        temperature,
        seed,
        length: 40,
    }
}

/// What was written, and how often the page was told.
fn written(s: &mut Session, prompt: Prompt) -> (Option<Completed>, usize) {
    s.ask(Ask::Complete(prompt));
    let (mut last, mut told) = (None, 0);
    while block_on(s.pump()).unwrap() {
        for answer in s.answers() {
            if let Told::Completed(c) = answer {
                (last, told) = (Some(c), told + 1);
            }
        }
    }
    (last, told)
}

fn tokens(s: &mut Session, step: u64) -> Tokens {
    s.ask(Ask::Tokens(step));
    while block_on(s.pump()).unwrap() {}
    let found = s.answers().into_iter().find_map(|t| match t {
        Told::Tokens(t) => Some(t),
        _ => None,
    });
    found.unwrap()
}

#[test]
fn series_of_kinds_columns_and_copies_are_there_and_change_nothing() {
    let s = ended(session(TINY));
    let last = |id: &str| *s.history.series[id].y.last().unwrap();
    for kind in ["newline", "word", "inside", "mark"] {
        let loss = last(&format!("loss.class.{kind}"));
        assert!(loss > 0.0 && loss < 9.0, "{kind}: {loss}");
    }
    // What is copied and what is not differ by what the difference says.
    let apart = last("copied.with") - last("copied.without");
    assert!((last("copied") - apart).abs() < 1e-9);
    let copied = &s.history.series["copied"];
    assert_eq!(copied.x, [0.0, 40.0]);
    assert!(copied.lo[1] < copied.y[1] && copied.y[1] < copied.hi[1]);
    // Before anything is learned a copy is worth nothing beside what lies between the batches.
    assert!(copied.y[0].abs() < 0.1, "{}", copied.y[0]);
    let newline = last("column.3.newline");
    assert!(newline > 0.0 && newline < 1.0 && last("column.12.ends") == 1.0);
    assert!(
        !s.history.series.contains_key("column.13.ends"),
        "no line is longer"
    );
    // What is a mean has an error, what is a share of the text has none.
    let column = &s.history.series["column.3.newline"];
    assert!(column.lo[1] < column.y[1] && column.y[1] < column.hi[1]);
    assert!(s.history.series["column.3.ends"].lo.is_empty());
    // A model of numbers has none of it.
    let other = ended(session(
        "#/markov?d_model=8&ctx=8&batch=2&steps=4&every=4&log=0&chains=0",
    ));
    let none = |id: &String| id.starts_with("column") || id.starts_with("copied");
    assert!(!other.history.series.keys().any(none));
}

/// The width of lines is found where they have one, and the model is asked on both sides of it.
#[test]
fn lines_that_end_at_a_width_have_a_step() {
    let link = TINY
        .replace("batch=6", "batch=24")
        .replace("steps=40", "steps=20");
    let found = |link: &str| ended(session(link)).history;
    let wrapped = found(&link);
    let last = |id: &str| *wrapped.series[id].y.last().unwrap();
    assert!((5.0..=12.0).contains(&last("wrap.from")));
    assert!(last("wrap.ends.behind") > last("wrap.ends.before") + 0.3);
    let behind = &wrapped.series["wrap.behind"];
    assert!(behind.lo[1] < behind.y[1] && behind.y[1] < behind.hi[1]);
    // Planted fault: lines that are as long as their paragraphs.
    let unwrapped = found(&link.replace("wrap=12", "wrap=0"));
    assert_eq!(unwrapped.series["wrap.from"].y, [0.0; 2]);
    assert!(!unwrapped.series.contains_key("wrap.behind"));
}

#[test]
fn writing_leaves_the_run_alone_and_its_seed_decides() {
    let plain = ended(session(TINY));
    let mut s = session(TINY);
    while s.step() < 24 {
        block_on(s.pump()).unwrap();
    }
    let (first, told) = written(&mut s, prompt(20, "One day", 1.0, 1));
    assert_eq!(plain.history.series, s.history.series);
    let weights = |s: &Session| s.history.checkpoints.last().unwrap().weights.clone();
    assert_eq!(weights(&plain), weights(&s));
    let first = first.unwrap();
    assert_eq!(
        (first.done, first.all, first.texts.len(), told),
        (40, 40, 3, 3)
    );
    for text in &first.texts {
        assert!(
            text.starts_with("One day") && text.chars().count() == 7 + 40,
            "{text}"
        );
    }
    assert_ne!(first.texts[0], first.texts[1]);
    let again = |s: &mut Session, p: Prompt| written(s, p).0.unwrap().texts;
    assert_eq!(again(&mut s, prompt(20, "One day", 1.0, 1)), first.texts);
    assert_ne!(again(&mut s, prompt(20, "One day", 1.0, 2)), first.texts);
    assert_ne!(again(&mut s, prompt(40, "One day", 1.0, 1)), first.texts);
    let cold = again(&mut s, prompt(40, "", 0.0, 1));
    assert!(cold[0] == cold[1] && cold[0].starts_with('\n'));
    let odd = written(&mut s, prompt(40, "é day ü", 1.0, 1)).0.unwrap();
    assert_eq!(odd.outside, 2);
    // There is no checkpoint, and nothing is written; what is being written can be stopped.
    assert_eq!(written(&mut s, prompt(7, "One", 1.0, 1)).1, 0);
    s.ask(Ask::Complete(prompt(40, "One", 1.0, 1)));
    for _ in 0..2 {
        block_on(s.pump()).unwrap();
    }
    let stop = Prompt {
        length: 0,
        ..prompt(40, "", 1.0, 1)
    };
    let ended = written(&mut s, stop).0.unwrap();
    assert!(ended.done == ended.all && ended.done < 40, "{}", ended.done);
}

/// The likeliest token behind a beginning is what the evaluation says of that window, wherever it stands.
#[test]
fn what_is_written_is_what_the_evaluation_expects() {
    let mut s = ended(session(TINY));
    let all = tokens(&mut s, 40);
    assert_eq!(
        (all.tops.len(), all.chances.len()),
        (3 * 6 * 32, 3 * 6 * 32)
    );
    let window = (0..6).find(|w| all.classes[w * 32] == 2).unwrap();
    for place in [0, 3, 17, 30] {
        let row = window * 32 + place;
        let text = s.parts.lab.decode(&all.tokens[window * 32..=row]);
        let cold = written(
            &mut s,
            Prompt {
                length: 1,
                ..prompt(40, &text, 0.0, 1)
            },
        );
        let next = s.parts.lab.decode(&all.tops[3 * row..=3 * row]);
        assert_eq!(cold.0.unwrap().texts[0], text + &next, "at {place}");
    }
    // Likely tokens cost what their probabilities say, and come in order.
    let mut hits = 0;
    for row in (0..6 * 32).filter(|row| all.classes[*row] != 0) {
        let three = &all.chances[3 * row..3 * row + 3];
        assert!(three[0] >= three[1] && three[1] >= three[2] && three.iter().sum::<f32>() < 1.001);
        for k in (0..3).filter(|k| all.tops[3 * row + k] == all.tokens[row + 1]) {
            hits += 1;
            assert!((all.losses[row] + three[k].ln()).abs() < 1e-3);
        }
    }
    assert!(hits > 20, "{hits}");
}
