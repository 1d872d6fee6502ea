#![allow(clippy::unwrap_used)]
use super::super::card::CARD;
use super::super::lab;
use super::*;
use crate::experiments::transformer::World;
use crate::knobs::Knobs;

fn reader() -> Reader {
    lab::world(&Knobs::defaults(CARD.knobs)).unwrap()
}

/// What is wrong with a batch of pairs.
fn fault(tokens: &[u32], classes: &[u32], ctx: usize) -> Option<&'static str> {
    for (pair, kinds) in tokens.chunks(2 * ctx).zip(classes.chunks(2 * ctx)) {
        let ((copied, control), (a, b)) = (pair.split_at(ctx), kinds.split_at(ctx));
        let looked: Vec<usize> = (0..ctx).filter(|&i| a[i] == class::A).collect();
        if looked != (0..ctx).filter(|&i| b[i] == class::B).collect::<Vec<_>>() {
            return Some("not the same targets");
        }
        // The later span begins one before the first target that is looked at.
        let (late, n) = (looked[0], looked.len() + 1);
        let apart: Vec<usize> = (0..ctx).filter(|&i| copied[i] != control[i]).collect();
        let (Some(&first), Some(&last)) = (apart.first(), apart.last()) else {
            return Some("no difference");
        };
        if last - first >= n || last >= late {
            return Some("another difference than the earlier copy");
        }
        let span = &copied[late..late + n];
        if !copied[..late].windows(n).any(|w| w == span) {
            return Some("no earlier copy");
        }
    }
    None
}

#[test]
fn pairs_differ_in_the_earlier_copy_alone() {
    let (of, ctx, batch) = (reader(), 128, 16);
    let mut all = Vec::new();
    pairs(&of, 1, 0, batch, &mut all);
    assert_eq!(all.len(), 2 * batch * ctx);
    let (tokens, classes) = all.split_at(batch * ctx);
    assert_eq!(fault(tokens, classes, ctx), None);
    let mut again = Vec::new();
    pairs(&of, 1, 1, batch, &mut again);
    assert_ne!(all, again);
    // Planted faults.
    let mut wrong = tokens.to_vec();
    wrong[2 * ctx - 1] ^= 1;
    assert!(fault(&wrong, classes, ctx).is_some());
    let swapped: Vec<u32> = (0..tokens.len())
        .map(|i| tokens[i / ctx * ctx + ctx - 1 - i % ctx])
        .collect();
    assert!(fault(&swapped, classes, ctx).is_some());
    let mut odd = Vec::new();
    pairs(&of, 1, 0, 3, &mut odd);
    assert_eq!(odd.len(), 2 * 3 * ctx);
}

#[test]
fn kinds_add_up_to_the_loss_on_text() {
    let (of, ctx, batch) = (reader(), 128, 32);
    let mut tokens = Vec::new();
    of.batch(1, Stream::HeldOut, 0, batch, &mut tokens);
    let classes = tokens.split_off(batch * ctx);
    let texts = of.texts();
    let passage = Passage::new(&texts, 68, ctx, [&tokens, &classes]);
    let losses: Vec<f32> = (0..batch * ctx).map(|i| (i % 7) as f32).collect();
    let of_text: Vec<usize> = (0..losses.len())
        .filter(|&i| classes[i] == class::A)
        .collect();
    let whole: f64 = of_text.iter().map(|&i| f64::from(losses[i])).sum();
    let count = |key: &str| {
        let k = KINDS.iter().position(|kind| kind.key == key);
        passage.kinds.iter().filter(|of| **of == k).count()
    };
    let parts = passage.by_kind(&losses);
    let sum: f64 = parts
        .iter()
        .map(|(id, y)| y * count(&id["loss.class.".len()..]) as f64)
        .sum();
    assert!((sum - whole).abs() < 1e-6 && parts.len() == 8, "{parts:?}");
    // Names that come again are told from new ones, and ends of lines are what they are.
    assert!(count("name_seen") > 5 && count("name_new") > 2);
    let ends = of_text
        .iter()
        .filter(|&&i| texts[tokens[i + 1] as usize] == "\n");
    assert_eq!(ends.count(), count("newline"));
}

/// A model that counts: it says a line ends where it cannot be longer, and nowhere else.
#[test]
fn one_that_counts_makes_a_step_at_the_width() {
    let (of, ctx, batch, vocab) = (reader(), 128, 16, 68);
    let mut tokens = Vec::new();
    of.batch(1, Stream::HeldOut, 0, batch, &mut tokens);
    let classes = tokens.split_off(batch * ctx);
    let texts = of.texts();
    let passage = Passage::new(&texts, vocab, ctx, [&tokens, &classes]);
    let newline = passage.newline.unwrap();
    let said = |counts: bool| -> Vec<Reading> {
        let mut judged = vec![0.0; batch * ctx * vocab];
        for (row, z) in judged.chunks_exact_mut(vocab).enumerate() {
            let late = passage.columns[row].is_some_and(|c| c >= 36);
            z[newline] = if late && counts { 12.0 } else { -12.0 };
        }
        let losses = vec![1.0; batch * ctx];
        passage.by_column(&Seen::judging(&judged, &losses), of.lines(), 40)
    };
    let at = |all: &[Reading], column: usize, what: &str| {
        let id = format!("column.{column}.{what}");
        all.iter().find(|r| r.id == id).map(|r| r.y)
    };
    let all = said(true);
    assert!(at(&all, 20, "newline").unwrap() < 1e-3 && at(&all, 37, "newline").unwrap() > 0.99);
    assert!(at(&said(false), 37, "newline").unwrap() < 1e-3);
    // No line is longer than 40 characters, and at 40 every one has ended.
    assert_eq!(
        (at(&all, 41, "ends"), at(&all, 40, "ends")),
        (None, Some(1.0))
    );
    assert_eq!(at(&all, 12, "loss"), Some(1.0));
}

/// The line to reach is that of the windows that are judged, behind the first line end in them.
#[test]
fn windows_end_their_lines_as_often_as_is_counted() {
    let (of, ctx) = (reader(), 128);
    let lines = of.lines();
    let texts = of.texts();
    let mut draws = Draws::new(3, Stream::HeldOut, 9);
    let mut seen = Vec::new();
    for _ in 0..1500 {
        let mut window = Vec::new();
        of.read
            .text
            .window(Stream::HeldOut, &mut draws, ctx, &mut window);
        wrap::line_ends(&texts, &window, &mut seen);
    }
    let far = |seen: &[[u32; 2]], shift: usize| {
        let rows = lines.iter().skip(shift).zip(seen).filter(|(_, s)| s[0] > 0);
        let gap = |(l, s): (&[u32; 2], &[u32; 2])| {
            let [p, q] = [l, s].map(|n| f64::from(n[1]) / f64::from(n[0].max(1)));
            let var =
                |p: f64, n: u32| (p * (1.0 - p) + 0.5 / f64::from(n.max(1))) / f64::from(n.max(1));
            (p - q).abs() / (var(p, l[0]) + var(q, s[0])).sqrt()
        };
        rows.map(gap).fold(0.0, f64::max)
    };
    assert!(far(&seen, 0) < 4.5, "{}", far(&seen, 0));
    // Planted faults: the lines of stories one after the other, where long stories have more of them than
    // among windows; and columns that are counted one too far.
    let whole = &of.read.counts(68).lines;
    assert!(far(whole, 0) > 6.0, "{}", far(whole, 0));
    assert!(far(&seen, 1) > 10.0, "{}", far(&seen, 1));
}
