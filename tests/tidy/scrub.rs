//! Rust source without comments and literals, so that a word in a sentence is no import.

/// Replaces comments, strings and character literals by spaces; line breaks stay.
pub fn code(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut i = 0;
    while i < chars.len() {
        let end = literal(&chars, i);
        if end == i {
            out.push(chars[i]);
            i += 1;
        } else {
            out.extend(
                chars[i..end]
                    .iter()
                    .map(|c| if *c == '\n' { '\n' } else { ' ' }),
            );
            i = end;
        }
    }
    out
}

/// Where the comment or literal that begins at `i` ends; `i` if none begins there.
fn literal(chars: &[char], i: usize) -> usize {
    let at = |k: usize| chars.get(k).copied().unwrap_or('\0');
    let word = |c: char| c.is_alphanumeric() || c == '_';
    match at(i) {
        '/' if at(i + 1) == '/' => find(chars, i, |k| at(k) == '\n'),
        '/' if at(i + 1) == '*' => {
            (find(chars, i + 2, |k| at(k) == '*' && at(k + 1) == '/') + 2).min(chars.len())
        }
        'r' if i == 0 || !word(at(i - 1)) || at(i - 1) == 'b' => {
            let hashes = (i + 1..).take_while(|k| at(*k) == '#').count();
            if at(i + 1 + hashes) != '"' {
                return i;
            }
            let closes = |k: usize| at(k) == '"' && (1..=hashes).all(|h| at(k + h) == '#');
            (find(chars, i + 2 + hashes, closes) + 1 + hashes).min(chars.len())
        }
        '"' => {
            let mut k = i + 1;
            while k < chars.len() && at(k) != '"' {
                k += if at(k) == '\\' { 2 } else { 1 };
            }
            (k + 1).min(chars.len())
        }
        // A lifetime has no second quote where a character has one.
        '\'' if at(i + 1) == '\\' => (find(chars, i + 3, |k| at(k) == '\'') + 1).min(chars.len()),
        '\'' if at(i + 2) == '\'' => i + 3,
        _ => i,
    }
}

fn find(chars: &[char], from: usize, holds: impl Fn(usize) -> bool) -> usize {
    (from..chars.len())
        .find(|k| holds(*k))
        .unwrap_or(chars.len())
}

#[test]
fn only_code_is_left() {
    let text = "a // crate::x\n\"crate::\\\"y\" r#\"crate::\"z\"# 'c' '\\'' &'a str /* crate::w\n */ crate::v";
    let left = code(text);
    assert_eq!(left.matches("crate::").count(), 1, "{left}");
    assert!(left.contains("crate::v") && left.contains("&'a str") && left.lines().count() == 3);
}
