//! Completions: a stored checkpoint goes on from a text. The evaluation's own program reads what is
//! written so far, and its logits at the last token say what may come next; the run's weights and data
//! are put back to the bit.

use super::session::Session;
use crate::exec::{Batch, Run};
use crate::experiments::{Of, Writer};
use crate::math::Stream;
use crate::math::philox::Draws;
use crate::protocol::{Completed, Fault, Prompt, Told};

/// Texts that are written side by side, at most.
const SIDE_BY_SIDE: usize = 3;
/// Tokens of a portion.
const PORTION: usize = 16;
/// Most tokens that are written.
const MOST: usize = 400;

/// Texts under way.
#[derive(Debug)]
pub(super) struct Writing {
    prompt: Prompt,
    weights: std::rc::Rc<Vec<f32>>,
    /// The prompt's tokens and what was written, text by text.
    texts: Vec<Vec<u32>>,
    draws: Vec<Draws>,
    told: Completed,
}

/// The token that a number of (0, 1) falls on, where tokens have probabilities softmax(z/τ); the likeliest
/// for τ = 0. The first of those that are as likely.
#[must_use]
pub fn chosen(z: &[f32], temperature: f64, u: f64) -> u32 {
    let top = z.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    if temperature <= 0.0 {
        return z.iter().position(|&x| x == top).unwrap_or(0) as u32;
    }
    let p = |&x: &f32| (f64::from(x - top) / temperature).exp();
    let mut left = u * z.iter().map(p).sum::<f64>();
    let found = z.iter().position(|x| {
        left -= p(x);
        left < 0.0
    });
    found.unwrap_or(z.len().saturating_sub(1)) as u32
}

impl Session {
    /// Begins to write, in place of what was being written; or ends that where nothing is to be written.
    pub(super) fn begin_writing(&mut self, prompt: Prompt) {
        let before = self.asks.writing.take();
        if prompt.length == 0 {
            if let Some(w) = before {
                self.asks.tell(Told::Completed(Completed {
                    all: w.told.done,
                    ..w.told
                }));
            }
            return;
        }
        let found = self
            .history
            .checkpoints
            .iter()
            .find(|c| c.step == prompt.step);
        let (Some(found), Some(writer)) = (found, &self.parts.writer) else {
            return;
        };
        let (start, outside) = self.parts.lab.encode(&prompt.text);
        let many = SIDE_BY_SIDE.min(writer.rows).min(writer.sequences);
        let told = Completed {
            step: prompt.step,
            all: prompt.length.min(MOST),
            outside,
            ..Completed::default()
        };
        self.asks.writing = Some(Box::new(Writing {
            weights: found.weights.clone(),
            texts: vec![start; many],
            draws: (0..many as u32)
                .map(|i| Draws::new(prompt.seed, Stream::Probe, i))
                .collect(),
            prompt,
            told,
        }));
    }

    /// A portion of what is being written; false if nothing is.
    pub(super) async fn write_on(&mut self) -> Result<bool, Fault> {
        let Some(mut writing) = self.asks.writing.take() else {
            return Ok(false);
        };
        let (Some(writer), Some(eval)) = (self.parts.writer, self.parts.eval.clone()) else {
            return Ok(false);
        };
        // Steps under way leave the weights that are put back.
        while self.drain_one().await? {}
        let params = self.parts.params;
        let own = self
            .at_once(&Batch {
                reads: vec![(params, 0..writing.weights.len())],
                ..Batch::default()
            })
            .await?;
        let mut weights = vec![(params, 0, writing.weights.to_vec())];
        for _ in 0..PORTION.min(writing.told.all - writing.told.done) {
            let (words, rows) = page(&writer, &writing.texts, self.follow * eval.feed_len);
            let first = self.follow * writer.rows * writer.vocab;
            let read = first..first + writing.texts.len() * writer.vocab;
            let batch = Batch {
                floats: std::mem::take(&mut weights),
                words: words
                    .into_iter()
                    .map(|(at, words)| (eval.feed, at, words))
                    .chain([(writer.positions, 0, rows)])
                    .collect(),
                runs: vec![Run {
                    program: eval.program,
                    steps: vec![self.step_entry(Of::Eval, writing.prompt.step, 0)],
                }],
                reads: vec![(writer.logits, read)],
                ..Batch::default()
            };
            let reads = self.at_once(&batch).await?;
            let rows = reads.iter().flat_map(|z| z.chunks_exact(writer.vocab));
            let texts = writing.texts.iter_mut().zip(&mut writing.draws);
            for (z, (text, draws)) in rows.zip(texts) {
                text.push(chosen(z, writing.prompt.temperature, draws.unit()));
            }
            writing.told.done += 1;
        }
        let mut back = Batch {
            floats: own.into_iter().map(|own| (params, 0, own)).collect(),
            ..Batch::default()
        };
        let mut words = Vec::new();
        self.parts.lab.feed(Of::Eval, 0, &mut words);
        back.words.push((eval.feed, 0, words));
        let setup = self.parts.lab.setup().words.into_iter();
        back.words.extend(setup.filter(|w| w.0 == writer.positions));
        self.at_once(&back).await?;
        self.last_end = None;
        let text = |t: &Vec<u32>| self.parts.lab.decode(t);
        writing.told.texts = writing.texts.iter().map(text).collect();
        self.asks.tell(Told::Completed(writing.told.clone()));
        if writing.told.done < writing.told.all {
            self.asks.writing = Some(writing);
        }
        Ok(true)
    }
}

/// Where the last tokens of each text go in the data, and the rows of their ends, for every row of logits.
fn page(writer: &Writer, texts: &[Vec<u32>], at: usize) -> (Vec<(usize, Vec<u32>)>, Vec<u32>) {
    let (mut words, mut rows) = (Vec::new(), vec![0; writer.rows]);
    for (i, (text, row)) in texts.iter().zip(&mut rows).enumerate() {
        let kept = &text[text.len().saturating_sub(writer.ctx)..];
        let begin = i * writer.ctx;
        words.push((at + begin, kept.to_vec()));
        *row = (begin + kept.len().max(1) - 1) as u32;
    }
    (words, rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_drawn_as_often_as_they_are_likely() {
        let z = [0.0, f32::ln(3.0), f32::NEG_INFINITY, 0.0];
        let mut draws = Draws::new(3, Stream::Probe, 0);
        let mut counts = [0; 4];
        for _ in 0..20_000 {
            counts[chosen(&z, 1.0, draws.unit()) as usize] += 1;
        }
        // Within four standard errors of 1/5, 3/5, 0, 1/5.
        for (n, p) in counts.iter().zip([0.2, 0.6, 0.0, 0.2]) {
            let se = (20_000.0_f64 * p * (1.0 - p)).sqrt();
            assert!(
                (f64::from(*n) - 20_000.0 * p).abs() <= 4.0 * se,
                "{counts:?}"
            );
        }
        assert_eq!(chosen(&z, 0.0, 0.99), 1);
        // Twice as cold, odds are squared: 9 to 1; planted fault, warm odds are seen.
        let cold = (0..20_000)
            .filter(|_| chosen(&z, 0.5, draws.unit()) == 1)
            .count();
        assert!((cold as f64 / 20_000.0 - 9.0 / 11.0).abs() < 0.01, "{cold}");
    }

    #[test]
    fn the_end_of_a_long_text_is_what_is_read() {
        let writer = Writer {
            ctx: 4,
            rows: 3,
            ..Writer::default()
        };
        let (words, rows) = page(&writer, &[vec![1, 2], vec![1, 2, 3, 4, 5, 6]], 100);
        assert_eq!(words, [(100, vec![1, 2]), (104, vec![3, 4, 5, 6])]);
        assert_eq!(rows, [1, 7, 0]);
    }
}
