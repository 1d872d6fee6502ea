//! Windows of a text, each a pure function of (seed, stream, step, place in the batch): from stories, of
//! which there is no end, or from a text that is given.
//!
//! Held-out windows never overlap what is trained on: they are of other stories, or of the last tenth of
//! the given text, of which nothing else is ever taken.

use super::stories::Stories;
use super::tokenizer::Tokenizer;
use crate::math::Stream;
use crate::math::philox::Draws;

/// Characters of stories that tokens are learned from.
const SAMPLE: usize = 1 << 16;
/// Characters of a given text that tokens are learned from, at most.
const LEARN: usize = 1 << 19;
/// Tokens of stories that counts are made of.
pub const COUNTED: usize = 1 << 18;
/// The key of the stories that tokens and counts are of, whatever the seed of a run: every run of the
/// same settings has the same tokens and the same lines.
const KEY: u32 = 0;

/// How a text is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Tokens are in 0..vocab.
    pub vocab: usize,
    /// Byte-pair tokens, or characters.
    pub pairs: bool,
    /// Greatest length of a line of the stories; 0, lines are not wrapped.
    pub wrap: usize,
}

/// A text as tokens.
#[derive(Clone, Debug)]
pub struct Text {
    tokenizer: Tokenizer,
    source: Source,
}

#[derive(Clone, Debug)]
enum Source {
    Stories(Stories),
    /// Tokens of the text's beginning, and of its last tenth.
    Given([Vec<u32>; 2]),
}

/// Where the last tenth of a text begins, between two characters.
fn cut(text: &str) -> usize {
    let tenth = text.len() / 10;
    (text.len() - tenth..text.len())
        .find(|&i| text.is_char_boundary(i))
        .unwrap_or(text.len())
}

/// At most that many bytes of a text, ended between two characters.
fn begin(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len()))
        .rev()
        .find(|&i| text.is_char_boundary(i));
    &text[..end.unwrap_or(0)]
}

/// Words of a beginning, and its characters at most.
const WORDS: usize = 3;
const LONGEST: usize = 40;

/// How the part of a given text that is held out begins: its first whole words.
#[must_use]
pub fn beginning(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let words: Vec<&str> = text[cut(&text)..]
        .split_whitespace()
        .skip(1)
        .take(WORDS)
        .collect();
    words.join(" ").chars().take(LONGEST).collect()
}

impl Text {
    /// Stories without end.
    #[must_use]
    pub fn stories(how: Reading) -> Self {
        let (stories, mut sample) = (Stories::new(how.wrap), String::new());
        let mut draws = Draws::new(KEY, Stream::DataSet, 0);
        while sample.len() < SAMPLE {
            stories.append(&mut draws, &mut sample);
        }
        Self {
            tokenizer: Tokenizer::train(&sample, how.vocab, how.pairs),
            source: Source::Stories(stories),
        }
    }

    /// A text that is given; its line ends are made `\n`, and tokens are learned from what is trained on.
    #[must_use]
    pub fn given(text: &str, how: Reading) -> Self {
        let text = text.replace("\r\n", "\n");
        let (train, held_out) = text.split_at(cut(&text));
        let tokenizer = Tokenizer::train(begin(train, LEARN), how.vocab, how.pairs);
        let tokens = [train, held_out].map(|part| {
            let mut out = Vec::new();
            tokenizer.encode(part, &mut out);
            out
        });
        Self {
            tokenizer,
            source: Source::Given(tokens),
        }
    }

    /// Its tokens.
    #[must_use]
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// Appends a window of `ctx` tokens. A window of stories begins anywhere in one, and may go on into
    /// the next.
    pub fn window(&self, stream: Stream, draws: &mut Draws, ctx: usize, out: &mut Vec<u32>) {
        match &self.source {
            Source::Stories(stories) => {
                let (mut text, mut tokens) = (String::new(), Vec::new());
                stories.append(draws, &mut text);
                self.tokenizer.encode(&text, &mut tokens);
                let from = draws.index(tokens.len() as u32) as usize;
                while tokens.len() < from + ctx {
                    text.clear();
                    stories.append(draws, &mut text);
                    self.tokenizer.encode(&text, &mut tokens);
                }
                out.extend(&tokens[from..from + ctx]);
            }
            Source::Given(tokens) => {
                let part = &tokens[usize::from(stream == Stream::HeldOut)];
                let places = (part.len() + 1).saturating_sub(ctx).max(1);
                let from = draws.index(places as u32) as usize;
                let window = part.iter().copied().chain(std::iter::repeat(0));
                out.extend(window.skip(from).take(ctx));
            }
        }
    }

    /// The tokens of a given text that no window of training is taken from.
    #[must_use]
    pub fn held_out(&self) -> Option<&[u32]> {
        match &self.source {
            Source::Stories(_) => None,
            Source::Given(tokens) => Some(&tokens[1]),
        }
    }

    /// The tokens that counts are made of: all that is trained on of a given text, and of the stories
    /// [`COUNTED`] tokens that no run trains or tests on.
    #[must_use]
    pub fn counted(&self) -> Vec<u32> {
        match &self.source {
            Source::Stories(stories) => {
                let (mut out, mut text) = (Vec::new(), String::new());
                let mut draws = Draws::new(KEY, Stream::DataSet, 1);
                while out.len() < COUNTED {
                    text.clear();
                    stories.append(&mut draws, &mut text);
                    self.tokenizer.encode(&text, &mut out);
                }
                out.truncate(COUNTED);
                out
            }
            Source::Given(tokens) => tokens[0].clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOW: Reading = Reading {
        vocab: 68,
        pairs: false,
        wrap: 40,
    };

    fn windows(text: &Text, stream: Stream, step: u32, n: usize, ctx: usize) -> Vec<Vec<u32>> {
        let mut draws = Draws::new(7, stream, step);
        let window = |_| {
            let mut out = Vec::new();
            text.window(stream, &mut draws, ctx, &mut out);
            out
        };
        (0..n).map(window).collect()
    }

    #[test]
    fn stories_are_read_without_loss() {
        for pairs in [false, true] {
            let text = Text::stories(Reading { pairs, ..HOW });
            let counted = text.counted();
            assert_eq!(counted.len(), COUNTED);
            assert!(counted.iter().all(|&t| t > 0), "every character is a token");
            let texts = text.tokenizer().texts();
            assert!(texts.len() == 68 && texts.contains(&"\n".into()));
        }
        let most = Text::stories(Reading {
            vocab: 1024,
            pairs: true,
            ..HOW
        });
        assert!(most.tokenizer().texts().contains(&" village".into()));
    }

    #[test]
    fn windows_are_functions_of_seed_and_step() {
        let text = Text::stories(HOW);
        let once = windows(&text, Stream::Data, 3, 5, 100);
        assert_eq!(once[..3], windows(&text, Stream::Data, 3, 3, 100));
        assert_ne!(once, windows(&text, Stream::Data, 4, 5, 100));
        assert!(once.iter().all(|w| w.len() == 100));
        assert!((1..5).all(|i| once[i] != once[0]));
    }

    /// Whether a run of `long` tokens of `held` stands in `trained`.
    fn shared(held: &[Vec<u32>], trained: &[Vec<u32>], long: usize) -> bool {
        let runs: std::collections::HashSet<&[u32]> =
            trained.iter().flat_map(|w| w.windows(long)).collect();
        held.iter()
            .flat_map(|w| w.windows(long))
            .any(|r| runs.contains(r))
    }

    /// No window of held-out stories was trained on: sentences come again, as in any language, stories
    /// do not.
    #[test]
    fn held_out_stories_are_other_ones() {
        let text = Text::stories(HOW);
        let trained: Vec<_> = (0..200)
            .flat_map(|step| windows(&text, Stream::Data, step, 8, 128))
            .collect();
        let held = windows(&text, Stream::HeldOut, 0, 32, 128);
        assert!(!shared(&held, &trained, 100));
        // Planted fault: the windows of training are held out.
        let other = windows(&text, Stream::Data, 150, 8, 128);
        assert!(shared(&other, &trained, 100));
    }

    #[test]
    fn what_is_held_out_begins_with_whole_words() {
        let words: Vec<String> = (0..1000).map(|i| format!("w{i:03}\r\n")).collect();
        let text = words.concat();
        // The last tenth of the lines begins between two of them: the first word may be half a word.
        assert_eq!(beginning(&text), "w901 w902 w903");
        assert_eq!(beginning(&text[2..]), "w901 w902 w903");
        // Planted: what is trained on is not it.
        assert!(!text[..cut(&text.replace("\r\n", "\n"))].contains("w901"));
        assert_eq!(beginning(""), "");
    }

    /// Every token of a text that only counts up is a place in it.
    #[test]
    fn the_last_tenth_of_a_text_is_never_trained_on() {
        let mut given = String::new();
        (0..1000_u32).for_each(|i| given.extend(char::from_u32(0x4e00 + i)));
        let text = Text::given(&given, Reading { vocab: 1024, ..HOW });
        let reach = |stream| {
            let all = windows(&text, stream, 0, 10_000, 30).concat();
            let decoded = crate::tasks::tokenizer::decode(text.tokenizer().texts(), &all);
            let place = |c: char| c as u32 - 0x4e00;
            (
                decoded
                    .chars()
                    .filter(|&c| c != '\u{fffd}')
                    .map(place)
                    .min(),
                decoded
                    .chars()
                    .filter(|&c| c != '\u{fffd}')
                    .map(place)
                    .max(),
                decoded.contains('\u{fffd}'),
            )
        };
        assert_eq!(reach(Stream::Data), (Some(0), Some(899), false));
        assert_eq!(reach(Stream::ChainData), (Some(0), Some(899), false));
        // Its characters were never seen: they are no tokens.
        assert_eq!(reach(Stream::HeldOut), (None, None, true));
    }

    #[test]
    fn line_ends_are_one_character() {
        let given = "one\r\ntwo\r\n".repeat(40);
        let text = Text::given(&given, HOW);
        assert_eq!(
            text.tokenizer().texts(),
            ["\u{fffd}", "\n", "e", "n", "o", "t", "w"]
        );
    }
}
