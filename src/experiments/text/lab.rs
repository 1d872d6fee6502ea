//! The world of the experiment: windows of a text, and among them random sequences that repeat.

use super::judge::Held;
use super::own;
use super::wrap;
use crate::experiments::transformer::{self, Seen, World};
use crate::experiments::{self, Parts};
use crate::knobs::{Digest, Knobs};
use crate::math::Stream;
use crate::math::philox::Draws;
use crate::protocol::Fault;
use crate::tasks::ngrams::Ngrams;
use crate::tasks::order::derived;
use crate::tasks::repeat::{self, Repeat};
use crate::tasks::text::{Reading, Text};
use crate::tasks::tokens::class;
use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

/// Builds the lab.
///
/// # Errors
/// Those of [`transformer::build`].
pub fn build(knobs: &Knobs) -> Result<Parts, Fault> {
    transformer::build(knobs, Box::new(world(knobs)?))
}

/// Windows of stories in which line ends are counted.
const WINDOWS: usize = 1000;

/// A text that was read, and the counts of its tokens once they are asked for.
#[derive(Debug)]
pub(super) struct Read {
    /// Its name, and how it was read.
    of: (Digest, Reading),
    pub(super) text: Text,
    counts: OnceCell<Counts>,
}

/// What counting knows of a text.
#[derive(Debug)]
pub(super) struct Counts {
    pub(super) grams: Ngrams,
    /// By column, over all of the text that is held out: see [`wrap::line_ends`].
    pub(super) lines: Vec<[u32; 2]>,
}

impl Read {
    /// Predictors are of what is trained on; where lines end is counted in the text that is held out. Of
    /// stories both are of others than those that a run trains or is tested on.
    pub(super) fn counts(&self, vocab: usize) -> &Counts {
        self.counts.get_or_init(|| {
            let counted = self.text.counted();
            let held_out = self.text.held_out().unwrap_or(&counted);
            let mut lines = Vec::new();
            wrap::line_ends(self.text.tokenizer().texts(), held_out, &mut lines);
            Counts {
                lines,
                grams: Ngrams::fit(&counted, vocab),
            }
        })
    }
}

thread_local! {
    /// The last text read: a run, its measurement and its comparisons ask for the same one.
    static LAST: RefCell<Option<Rc<Read>>> = const { RefCell::new(None) };
}

/// The text of that name, or the stories.
fn read(name: Digest, how: Reading) -> Result<Rc<Read>, Fault> {
    let known = LAST.with_borrow(|last| last.clone().filter(|read| read.of == (name, how)));
    if let Some(read) = known {
        return Ok(read);
    }
    let text = if name == Digest(0) {
        Text::stories(how)
    } else {
        let text = own::of(name).ok_or_else(|| Fault::BadLink(own::missing(name)))?;
        Text::given(&text, how)
    };
    let read = Rc::new(Read {
        of: (name, how),
        text,
        counts: OnceCell::new(),
    });
    LAST.set(Some(read.clone()));
    Ok(read)
}

/// The world the knobs describe.
///
/// # Errors
/// `BadLink` for a text that is not here.
pub fn world(knobs: &Knobs) -> Result<Reader, Fault> {
    let how = Reading {
        vocab: knobs.size("vocab"),
        pairs: knobs.word("tokens") == "pairs",
        wrap: knobs.size("wrap"),
    };
    let read = read(knobs.digest("text"), how)?;
    // Repeats are of tokens that the text may have: not of the one for all other characters.
    let known = read.text.tokenizer().texts().len() - 1;
    let pmax = knobs.size("pmax").min(known);
    Ok(Reader {
        vocab: how.vocab,
        mix: knobs.float("mix"),
        repeat: Repeat {
            vocab: known,
            ctx: knobs.size("ctx"),
            pmin: knobs.size("pmin").min(pmax),
            pmax,
        },
        read,
        held: RefCell::default(),
        lines: OnceCell::new(),
    })
}

/// Windows of a text and sequences that repeat, in one order whatever the batch.
#[derive(Debug)]
pub struct Reader {
    pub(super) vocab: usize,
    mix: f64,
    pub(super) repeat: Repeat,
    pub(super) read: Rc<Read>,
    /// What was held out, by seed and batch: an evaluation looks at the same again and again.
    held: RefCell<Vec<(u32, usize, Rc<Held>)>>,
    lines: OnceCell<Vec<[u32; 2]>>,
}

impl Reader {
    /// Whether sequence i of a batch repeats: of the first n as many as n·mix, rounded down. What is held
    /// out is half and half whatever is trained on, its first sequence one that repeats.
    #[must_use]
    pub fn repeats(&self, stream: Stream, i: usize) -> bool {
        let before = |i: usize| (i as f64 * self.mix + 1e-9).floor();
        match stream {
            Stream::HeldOut => i.is_multiple_of(2),
            _ => before(i + 1) > before(i),
        }
    }

    /// By column, how often lines end in held-out windows, where their first line end is behind: of
    /// [`WINDOWS`] of other stories, as these are drawn, or of all windows of a text's last tenth together.
    pub(super) fn lines(&self) -> &[[u32; 2]] {
        self.lines.get_or_init(|| {
            let text = &self.read.text;
            if text.held_out().is_some() {
                return self.read.counts(self.vocab).lines.clone();
            }
            let mut draws = Draws::new(0, Stream::DataSet, 2);
            let (mut window, mut all) = (Vec::new(), Vec::new());
            for _ in 0..WINDOWS {
                window.clear();
                text.window(Stream::HeldOut, &mut draws, self.repeat.ctx, &mut window);
                wrap::line_ends(text.tokenizer().texts(), &window, &mut all);
            }
            all
        })
    }

    /// Of `rows` positions that are judged.
    fn held(&self, seed: u32, batch: usize, rows: usize) -> Rc<Held> {
        let mut all = self.held.borrow_mut();
        if let Some((.., held)) = all.iter().find(|(s, b, _)| (*s, *b) == (seed, batch)) {
            return held.clone();
        }
        let held = Rc::new(Held::new(self, seed, batch, rows));
        all.push((seed, batch, held.clone()));
        held
    }
}

impl World for Reader {
    fn batch(&self, seed: u32, stream: Stream, step: u32, batch: usize, out: &mut Vec<u32>) {
        let ctx = self.repeat.ctx;
        let repeats: Vec<bool> = (0..batch).map(|i| self.repeats(stream, i)).collect();
        let n = repeats.iter().filter(|&&r| r).count();
        // Repeats and windows are drawn from keys of their own: no number is used for both.
        let key = derived(seed, stream, u64::from(step), u32::MAX);
        let mut words = Vec::with_capacity(2 * n * ctx);
        self.repeat.batch(key, stream, step, n, &mut words);
        let (tokens, classes) = words.split_at(n * ctx);
        let mut tokens = tokens.chunks_exact(ctx);
        let mut draws = Draws::new(seed, stream, step);
        for &repeats in &repeats {
            match repeats.then(|| tokens.next()).flatten() {
                // Token 0 is no token of the text.
                Some(again) => out.extend(again.iter().map(|t| t + 1)),
                None => self.read.text.window(stream, &mut draws, ctx, out),
            }
        }
        let mut classes = classes.chunks_exact(ctx);
        for &repeats in &repeats {
            match repeats.then(|| classes.next()).flatten() {
                Some(of) => out.extend(of.iter().map(|&c| match c {
                    repeat::class::FIRST => class::PLAIN,
                    other => other,
                })),
                None => out.extend((1..=ctx).map(|target| match target {
                    t if t < ctx => class::A,
                    _ => class::NONE,
                })),
            }
        }
    }

    fn classes(&self) -> &'static [&'static str; 3] {
        &["text", "repeat", "first"]
    }

    fn period(&self, tokens: &[u32]) -> usize {
        let p = World::period(&self.repeat, tokens);
        let again = |(a, b): (&u32, &u32)| a == b;
        // A text may end as it begins; no sequence that repeats does so this late.
        let repeats = (self.repeat.pmin..=self.repeat.pmax).contains(&p)
            && tokens.iter().zip(&tokens[p..]).all(again);
        if repeats { p } else { 0 }
    }

    fn judge(&self, seed: u32, batch: usize, seen: &Seen) -> Vec<(String, f64)> {
        let rows = seen.judged.len() / self.vocab;
        self.held(seed, batch, rows).values(seen)
    }

    fn inspect(&self, seed: u32, batch: usize, seen: &Seen) -> Vec<experiments::Reading> {
        let rows = seen.judged.len() / self.vocab;
        let held = self.held(seed, batch, rows);
        let whole = &self.read.counts(self.vocab).lines;
        held.passage
            .by_column(seen, self.lines(), wrap::long(whole))
    }

    fn spliced(&self, seed: u32, group: u32, batch: usize, out: &mut Vec<u32>) {
        super::reading::pairs(self, seed, group, batch, out);
    }

    fn copies(&self) -> u32 {
        class::B
    }

    fn encode(&self, text: &str) -> (Vec<u32>, usize) {
        let (known, mut tokens) = (self.read.text.tokenizer(), Vec::new());
        known.encode(text, &mut tokens);
        let outside = tokens.iter().filter(|&&t| t == 0).count();
        // Something must be there to go on from: the end of a line, or the first character there is.
        if tokens.is_empty() {
            known.encode("\n", &mut tokens);
            tokens[0] = tokens[0].max(1);
        }
        (tokens, outside)
    }

    fn texts(&self) -> Vec<String> {
        self.read.text.tokenizer().texts().to_vec()
    }
}
