//! Text as tokens: characters, or byte-pair tokens (Sennrich, Haddow and Birch 2016), trained on a text
//! and on nothing else, the same text always giving the same tokens.
//!
//! Token 0 stands for every character that is no token; then come the characters in the order of their
//! code points, then the merges in the order they were made. [`Tokenizer::texts`] has the text of each.

/// What a character that is no token is written as.
pub const OTHER: char = '\u{fffd}';
/// Between pieces of text across which nothing is merged.
const GAP: u32 = u32::MAX;

/// Tokens of a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tokenizer {
    /// Sorted; token i + 1.
    chars: Vec<char>,
    /// `[size][size]`: the token that a pair becomes; 0, none. Empty where nothing was merged.
    joined: Vec<u16>,
    size: usize,
    texts: Vec<String>,
}

/// Whether a token may hold `c` behind `before`: words with the space before them stay in one piece,
/// everything else is alone, the end of a line above all.
fn continues(before: char, c: char) -> bool {
    c.is_alphabetic() && (before.is_alphabetic() || before == ' ')
}

/// The most frequent characters of a text, at most `most`, sorted; of two that are as frequent the
/// lower code point comes first.
fn alphabet(text: &str, most: usize) -> Vec<char> {
    let mut all: Vec<u32> = text.chars().map(u32::from).collect();
    all.sort_unstable();
    let mut runs: Vec<u64> = all
        .chunk_by(|a, b| a == b)
        .map(|run| (u64::MAX - run.len() as u64) << 32 | u64::from(run[0]))
        .collect();
    // Counts fit 32 bits, and so do code points: one number holds both, the most frequent first.
    runs.sort_unstable();
    let mut kept: Vec<u32> = runs.iter().take(most).map(|&run| run as u32).collect();
    kept.sort_unstable();
    kept.into_iter().filter_map(char::from_u32).collect()
}

impl Tokenizer {
    /// Of a text: at most `size` tokens (2 to 1024), characters alone or with the most frequent pairs
    /// merged while there is room; ties go to the pair of lower tokens. A pair that comes once only is
    /// not merged.
    #[must_use]
    pub fn train(text: &str, size: usize, pairs: bool) -> Self {
        let chars = alphabet(text, size - 1);
        let texts = std::iter::once(OTHER).chain(chars.iter().copied());
        let mut this = Self {
            texts: texts.map(String::from).collect(),
            chars,
            joined: Vec::new(),
            size,
        };
        if pairs {
            this.joined = vec![0; size * size];
            this.merge(text);
        }
        this
    }

    fn merge(&mut self, text: &str) {
        let mut line = self.pieces(text);
        let mut counts = vec![0_u32; self.size * self.size];
        while self.texts.len() < self.size {
            let place = |pair: &[u32]| {
                let both = pair[0] != GAP && pair[1] != GAP;
                both.then(|| pair[0] as usize * self.size + pair[1] as usize)
            };
            let places = || line.windows(2).filter_map(place);
            places().for_each(|p| counts[p] += 1);
            let best = places().max_by_key(|&p| (counts[p], usize::MAX - p));
            let Some(best) = best.filter(|&p| counts[p] > 1) else {
                return;
            };
            places().for_each(|p| counts[p] = 0);
            let (a, b) = (best / self.size, best % self.size);
            let new = self.texts.len();
            self.joined[best] = new as u16;
            self.texts
                .push([&self.texts[a][..], &self.texts[b]].concat());
            join(&mut line, 0, [a as u32, b as u32], new as u32);
        }
    }

    /// The characters' tokens, with a gap between pieces.
    fn pieces(&self, text: &str) -> Vec<u32> {
        let (mut out, mut before) = (Vec::new(), '\n');
        for c in text.chars() {
            if !continues(before, c) {
                out.push(GAP);
            }
            out.push(self.char(c));
            before = c;
        }
        out
    }

    fn char(&self, c: char) -> u32 {
        self.chars.binary_search(&c).map_or(0, |i| i as u32 + 1)
    }

    /// Appends the tokens of a text. What is said of the beginning of a text does not change with what
    /// follows it, from one space or line to the next.
    pub fn encode(&self, text: &str, out: &mut Vec<u32>) {
        if self.joined.is_empty() {
            out.extend(text.chars().map(|c| self.char(c)));
            return;
        }
        for piece in self.pieces(text).split(|&t| t == GAP) {
            let begin = out.len();
            out.extend(piece);
            loop {
                let new =
                    |pair: &[u32]| self.joined[pair[0] as usize * self.size + pair[1] as usize];
                let pairs = out[begin..].windows(2).enumerate();
                let known = pairs.filter_map(|(i, p)| Some(new(p)).filter(|&n| n > 0).zip(Some(i)));
                // Merges are made in the order they were learned in.
                let Some((first, at)) = known.min() else {
                    break;
                };
                let pair = [out[begin + at], out[begin + at + 1]];
                join(out, begin, pair, u32::from(first));
            }
        }
    }

    /// The text of every token; [`OTHER`] of token 0. What class a token is of (a newline, a digit, a
    /// capital) is read from it.
    #[must_use]
    pub fn texts(&self) -> &[String] {
        &self.texts
    }
}

/// The text of tokens: that which was encoded, if every character of it is a token. `texts` are those of
/// the tokenizer.
#[must_use]
pub fn decode(texts: &[String], tokens: &[u32]) -> String {
    let known = tokens.iter().filter_map(|&t| texts.get(t as usize));
    known.map(String::as_str).collect()
}

/// Replaces a pair by one token wherever it stands from `begin` on, from left to right.
fn join(line: &mut Vec<u32>, begin: usize, pair: [u32; 2], new: u32) {
    let (mut to, mut from) = (begin, begin);
    while from < line.len() {
        let here = line[from] == pair[0] && line.get(from + 1) == Some(&pair[1]);
        line[to] = if here { new } else { line[from] };
        (to, from) = (to + 1, from + 1 + usize::from(here));
    }
    line.truncate(to);
}

/// The column each token of a window ends in: how many characters of its line stand up to its end, 0
/// behind the end of a line. None before the first line break of the window, where the column is not in
/// the window. `texts` are those of the tokenizer.
#[must_use]
pub fn columns(texts: &[String], tokens: &[u32]) -> Vec<Option<usize>> {
    let mut column = None;
    let after = |token: &u32| {
        let text = texts.get(*token as usize).map_or("", String::as_str);
        column = if text == "\n" {
            Some(0)
        } else {
            column.map(|c: usize| c + text.chars().count())
        };
        column
    };
    tokens.iter().map(after).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "low lower lowest\nnew newer newest\n\"low\", she said: 12, 120, 1200.\n";

    fn encoded(tokenizer: &Tokenizer, text: &str) -> Vec<u32> {
        let mut out = Vec::new();
        tokenizer.encode(text, &mut out);
        out
    }

    #[test]
    fn what_is_encoded_is_decoded_to_the_letter() {
        for (size, pairs) in [(64, false), (64, true), (1024, true)] {
            let tokenizer = Tokenizer::train(TEXT, size, pairs);
            let tokens = encoded(&tokenizer, TEXT);
            assert_eq!(decode(tokenizer.texts(), &tokens), TEXT);
            assert!(tokens.iter().all(|&t| t > 0 && (t as usize) < size));
            assert_eq!(tokenizer, Tokenizer::train(TEXT, size, pairs));
            // A planted fault is seen: one token changed.
            let mut other = tokens.clone();
            other[3] = if other[3] == 1 { 2 } else { 1 };
            assert_ne!(decode(tokenizer.texts(), &other), TEXT);
            // A text that ends earlier, at a space, has the same tokens so far.
            let begin = encoded(&tokenizer, &TEXT[..16]);
            assert_eq!(tokens[..begin.len()], begin);
        }
    }

    #[test]
    fn characters_that_are_no_tokens_are_one() {
        let tokenizer = Tokenizer::train("aaabbc", 3, false);
        assert_eq!(encoded(&tokenizer, "abcé"), [1, 2, 0, 0]);
        assert_eq!(decode(tokenizer.texts(), &[1, 0]), "a\u{fffd}");
        // As frequent as each other: the lower code point is kept.
        assert_eq!(
            encoded(&Tokenizer::train("zyx", 3, false), "xyz"),
            [1, 2, 0]
        );
    }

    /// By hand: "ab" comes thrice, then "ab"+"c" twice.
    #[test]
    fn the_most_frequent_pair_is_merged_first() {
        let tokenizer = Tokenizer::train("abc.abc.abd.", 7, true);
        // ., a, b, c, d are 1 to 5, and only one merge has room.
        assert_eq!(tokenizer.texts()[6], "ab");
        assert_eq!(encoded(&tokenizer, "abc"), [6, 4]);
        let more = Tokenizer::train("abc.abc.abd.", 64, true);
        assert_eq!(more.texts()[6..], ["ab", "abc"], "nothing that comes once");
        // Ties go to the lower pair: "ab" before "cd".
        let tie = Tokenizer::train("cd.cd.ab.ab.", 64, true);
        assert_eq!(tie.texts()[6..], ["ab", "cd"]);
    }

    #[test]
    fn nothing_is_merged_across_lines_digits_and_words() {
        let text = "a b a b a b\na b 11 11 11 11\n\n\n\n";
        let tokenizer = Tokenizer::train(text, 64, true);
        let merged = &tokenizer.texts()[5..];
        assert!(merged.contains(&" b".to_string()), "{merged:?}");
        assert!(
            merged.iter().all(|t| !t.contains(['\n', '1'])),
            "{merged:?}"
        );
    }

    #[test]
    fn columns_are_counted_from_the_last_line_break() {
        let tokenizer = Tokenizer::train("ab\n ab ab\n", 64, true);
        let tokens = encoded(&tokenizer, "ab ab\nab ab");
        let found = columns(tokenizer.texts(), &tokens);
        assert_eq!(found, [None, None, Some(0), Some(2), Some(5)]);
    }
}
