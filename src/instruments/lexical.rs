//! What kind of token each one of a window is, read from the text alone: where it stands, and what stood
//! before it in the same window.

/// A kind of token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// The end of its series' ids.
    pub key: &'static str,
    /// Its name.
    pub title: &'static str,
}

/// The kinds; every token is of one, the first that fits.
pub const KINDS: [Kind; 8] = [
    kind("newline", "end of a line"),
    kind("name_seen", "name seen before"),
    kind("name_new", "name, first time"),
    kind("capital", "other capital"),
    kind("digit", "digit"),
    kind("word", "begins a word"),
    kind("inside", "goes on with a word"),
    kind("mark", "space or mark"),
];

const fn kind(key: &'static str, title: &'static str) -> Kind {
    Kind { key, title }
}

/// The word that begins at a place of the text.
fn word(text: &[char], from: usize) -> &[char] {
    let end = text[from..].iter().position(|c| !c.is_alphabetic());
    &text[from..end.map_or(text.len(), |n| from + n)]
}

/// The kind of each token of a window, by its place in [`KINDS`]. `texts` are the texts of all tokens.
#[must_use]
pub fn kinds(texts: &[String], tokens: &[u32]) -> Vec<usize> {
    let (mut text, mut starts) = (Vec::new(), Vec::with_capacity(tokens.len()));
    for &token in tokens {
        starts.push(text.len());
        text.extend(texts.get(token as usize).map_or("", String::as_str).chars());
    }
    // Words before the one looked at, and those of them that stood inside a sentence.
    let (mut words, mut names): (Vec<&[char]>, Vec<&[char]>) = (Vec::new(), Vec::new());
    let ends = starts.iter().copied().skip(1).chain([text.len()]);
    let mut one = |(start, end): (usize, usize)| -> usize {
        let Some(at) = (start..end).find(|&i| text[i] != ' ') else {
            return 7;
        };
        let before = at.checked_sub(1).map(|i| text[i]);
        match text[at] {
            '\n' => 0,
            c if c.is_numeric() => 4,
            c if !c.is_alphabetic() => 7,
            _ if before.is_some_and(char::is_alphabetic) => 6,
            c => {
                let own = word(&text, at);
                let last = text[..at].iter().rev().find(|c| !c.is_whitespace());
                let inside = last.is_some_and(|&c| c.is_lowercase() || c == ',');
                let seen = words.contains(&own);
                words.push(own);
                if !c.is_uppercase() {
                    return 5;
                }
                let named = own.len() > 1 && (inside || names.contains(&own));
                if named && inside {
                    names.push(own);
                }
                match (named, seen) {
                    (true, true) => 1,
                    (true, false) => 2,
                    (false, _) => 3,
                }
            }
        }
    };
    starts.iter().copied().zip(ends).map(&mut one).collect()
}

/// Mean of some losses by kind, and how many there are: `[kind] → (mean, count)`. A loss without a kind is
/// left out.
#[must_use]
pub fn means(losses: impl Iterator<Item = (Option<usize>, f64)>) -> [(f64, usize); KINDS.len()] {
    let mut all = [(0.0, 0); KINDS.len()];
    for (kind, loss) in losses {
        if let Some(of) = kind.and_then(|k| all.get_mut(k)) {
            *of = (of.0 + loss, of.1 + 1);
        }
    }
    all.map(|(sum, n)| (sum / n.max(1) as f64, n))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str, pieces: &[&str]) -> (Vec<String>, Vec<u32>) {
        let mut texts: Vec<String> = pieces.iter().map(|p| (*p).to_string()).collect();
        let (mut rest, mut tokens) = (text, Vec::new());
        while let Some(c) = rest.chars().next() {
            let longest = pieces.iter().filter(|p| rest.starts_with(**p));
            let own = longest.max_by_key(|p| p.len()).map(|p| (*p).to_string());
            let own = own.unwrap_or_else(|| c.to_string());
            let at = texts.iter().position(|t| *t == own).unwrap_or_else(|| {
                texts.push(own.clone());
                texts.len() - 1
            });
            tokens.push(at as u32);
            rest = &rest[own.len()..];
        }
        (texts, tokens)
    }

    /// One letter a token: n newline, S name seen, N new name, C capital, d digit, w word, i inside, . mark.
    fn said(text: &str, pieces: &[&str]) -> String {
        let (texts, tokens) = cut(text, pieces);
        let all = kinds(&texts, &tokens);
        all.iter().map(|&k| char::from(b"nSNCdwi."[k])).collect()
    }

    #[test]
    fn a_window_by_hand() {
        // "So" begins a sentence; Anna is met inside one, and then known where a sentence begins too.
        let text = "So saw Anna 12 men.\nAnna, I, saw Bob,\nAnna";
        let want = "Ci.wii.Niii.dd.wii.nSiii..C..wii.Nii.nSiii";
        assert_eq!(said(text, &[]), want);
        // At the beginning of the window nobody knows what stood before it.
        assert_eq!(said("Anna said Anna", &[]), "Ciii.wiii.Siii");
        assert_eq!(said("nna saw", &[]), "wii.wii");
    }

    #[test]
    fn tokens_of_several_characters() {
        let pieces = [" saw", " An", "na", " 1", "2"];
        assert_eq!(said("he saw Anna 12\nof Anna", &pieces), "wiwNiddnwiSi");
    }

    #[test]
    fn means_are_by_kind() {
        let rows = [(Some(0), 1.0), (Some(0), 3.0), (None, 9.0), (Some(4), 0.5)];
        let found = means(rows.into_iter());
        assert_eq!(
            (found[0], found[4], found[1]),
            ((2.0, 2), (0.5, 1), (0.0, 0))
        );
    }
}
