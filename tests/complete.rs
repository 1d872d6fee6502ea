//! `lambdahat complete`: what it prints is what the page is told for the same checkpoint and draws.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{ended, session};
use lambdahat::engine::Session;
use lambdahat::protocol::{Ask, Prompt, Told};
use pollster::block_on;
use std::process::Command;

const TINY: &str = "#/text?d_model=16&heads=2&ctx=32&batch=6&wrap=12&pmin=4&pmax=8&steps=40&every=20&log=0&lr=0.02&warmup=0&chains=2&burnin=2&draws=3&mbatch=2&seed=4";

/// What a session is told, text by text.
fn told(s: &mut Session, step: u64, seed: u32) -> Vec<String> {
    s.ask(Ask::Complete(Prompt {
        step,
        text: "One day".into(),
        temperature: 0.9,
        seed,
        length: 30,
    }));
    let mut last = Vec::new();
    while block_on(s.pump()).unwrap() {
        for answer in s.answers() {
            if let Told::Completed(c) = answer {
                last = c.texts;
            }
        }
    }
    last
}

/// The exit code, the texts printed, and what was said of them.
fn printed(run: &str, step: &str, more: &[&str]) -> (Option<i32>, Vec<String>, String) {
    let program = Command::new(env!("CARGO_BIN_EXE_lambdahat"))
        .args(["complete", run, "--step", step, "--device", "cpu"])
        .args([
            "--prompt",
            "One day",
            "--temperature",
            "0.9",
            "--length",
            "30",
        ])
        .args(more)
        .output()
        .unwrap();
    let out = String::from_utf8(program.stdout).unwrap();
    let said = String::from_utf8(program.stderr).unwrap();
    let texts = out.split("--- ").skip(1).filter_map(|t| t.split_once('\n'));
    let texts = texts.map(|(_, text)| text.strip_suffix('\n').unwrap().to_string());
    (program.status.code(), texts.collect(), said)
}

#[test]
fn the_command_line_prints_the_texts_of_the_page() {
    let mut s = ended(session(TINY));
    let [mut wanted, next] = [1, 2].map(|seed| told(&mut s, 20, seed));
    wanted.push(next[0].clone());
    let (code, texts, said) = printed(TINY, "20", &["--samples", "4"]);
    assert_eq!((code, &texts), (Some(0), &wanted), "{said}");
    // Planted faults: another seed, another checkpoint, also one that the page does not keep.
    for (step, seed) in [("20", "3"), ("40", "1"), ("23", "1")] {
        let (code, texts, said) = printed(TINY, step, &["--seed", seed]);
        assert!(code == Some(0) && texts.len() == 3, "{said}");
        assert!(
            (0..3).all(|i| texts[i] != wanted[i]),
            "step {step}, seed {seed}"
        );
    }

    // The folder of a run serves for its link.
    let folder = std::env::temp_dir().join(format!("lambdahat-complete-{}", std::process::id()));
    let out = folder.display().to_string();
    let run = Command::new(env!("CARGO_BIN_EXE_lambdahat"))
        .args(["run", TINY, "--device", "cpu", "--out", &out])
        .output()
        .unwrap();
    assert!(run.status.success(), "{run:?}");
    let (code, texts, said) = printed(&out, "20", &[]);
    assert_eq!((code, &texts[..]), (Some(0), &wanted[..3]), "{said}");
    let (code, _, said) = printed(&out, "23", &[]);
    assert!(code == Some(2) && said.contains("0, 20, 40"), "{said}");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_branch_writes_before_and_behind_its_step() {
    let branch = format!("{TINY}&from=20&then.lr=0.2");
    let [plain, own] = ["10", "30"].map(|step| {
        let one = |link: &str| printed(link, step, &["--samples", "1"]).1;
        (one(TINY), one(&branch))
    });
    assert_eq!(plain.0, plain.1);
    assert!(own.0.len() == 1 && own.1.len() == 1 && own.0 != own.1);
}

#[test]
fn what_cannot_write_says_so() {
    for (link, step, word) in [
        ("#/tms?steps=10", "0", "no text"),
        (TINY, "41", "40 steps"),
        ("#/text?text=0123456789abcdef", "0", "0123456789abcdef"),
        ("#/nothing", "0", "nothing"),
    ] {
        let (code, texts, said) = printed(link, step, &[]);
        assert!(code == Some(2) && texts.is_empty(), "{link}: {said}");
        assert!(said.contains(word), "{link}: {said}");
    }
}
