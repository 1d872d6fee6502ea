//! The person's own texts. A link names a text by the first 64 bits of its SHA-256, what `sha256sum`
//! prints first; the text itself is handed over beside the link, and kept here under that name alone.

use crate::knobs::Digest;
use sha2::{Digest as _, Sha256};
use std::cell::RefCell;
use std::rc::Rc;

/// Fewest bytes of a text: its last tenth must hold many windows.
pub const LEAST: usize = 10_000;
/// Most bytes of a text.
pub const MOST: usize = 2_000_000;

thread_local! {
    /// The texts handed over. A name has one text, so nothing depends on when that was.
    static HERE: RefCell<Vec<(Digest, Rc<str>)>> = const { RefCell::new(Vec::new()) };
}

/// The name of a text and the text, from the bytes of a file.
///
/// # Errors
/// In words, when it is none, too short or too long.
pub fn check(bytes: &[u8]) -> Result<(Digest, &str), String> {
    let count = bytes.len();
    if count == 0 {
        return Err("It is empty, or it could not be read.".into());
    }
    if count > MOST {
        return Err(format!(
            "The text has {} kB; at most {} kB are read here: a part of it will do.",
            count.div_ceil(1000),
            MOST / 1000
        ));
    }
    let text = std::str::from_utf8(bytes)
        .ok()
        .filter(|t| !t.contains('\0'));
    let Some(text) = text else {
        return Err(
            "This is no plain text in UTF-8: a document, or another encoding, must be saved as that first.".into(),
        );
    };
    if count < LEAST {
        return Err(format!(
            "The text has {count} bytes; at least {} kB are needed, since a tenth of it is held out.",
            LEAST / 1000
        ));
    }
    let name = Sha256::digest(bytes)
        .iter()
        .take(8)
        .fold(0, |name, b| name << 8 | u64::from(*b));
    Ok((Digest(name), text))
}

/// Keeps a text for the runs that ask for it, and says its name. No bytes: all that is here is forgotten.
///
/// # Errors
/// Those of [`check`].
pub fn keep(bytes: &[u8]) -> Result<Digest, String> {
    if bytes.is_empty() {
        HERE.take();
    }
    let (name, text) = check(bytes)?;
    HERE.with_borrow_mut(|here| {
        here.retain(|(known, _)| *known != name);
        here.push((name, text.into()));
    });
    Ok(name)
}

/// The text of that name, if it is here.
#[must_use]
pub fn of(name: Digest) -> Option<Rc<str>> {
    HERE.with_borrow(|here| {
        let (_, text) = here.iter().find(|(n, _)| *n == name)?;
        Some(text.clone())
    })
}

/// How its part that is held out begins, if the text is here.
#[must_use]
pub fn beginning(name: Digest) -> Option<String> {
    of(name).map(|text| crate::tasks::text::beginning(&text))
}

/// What to say where it is not.
#[must_use]
pub fn missing(name: Digest) -> String {
    format!(
        "it reads a text that is not here and that no link holds: the file whose SHA-256 begins with {}",
        name.text()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_the_name_that_sha256sum_gives_it() {
        let text = "All work and no play.\n".repeat(500);
        let name = keep(text.as_bytes()).unwrap();
        assert_eq!(name.text(), "c71a0087ae51243f");
        assert_eq!(of(name).as_deref(), Some(&text[..]));
        // Planted fault: one character differs, and it is another text.
        let other = text.replacen('A', "B", 1);
        assert_ne!(check(other.as_bytes()).unwrap().0, name);
        assert_eq!(of(Digest(name.0 ^ 1)), None);
        // Another one takes no place of it; nothing is left of what is forgotten.
        keep(text.replacen('A', "B", 1).as_bytes()).unwrap();
        assert!(of(name).is_some());
        assert!(keep(&[]).is_err() && of(name).is_none());
    }

    #[test]
    fn what_is_no_text_is_refused_in_words() {
        let said = |bytes: &[u8]| check(bytes).unwrap_err();
        assert!(said(b"").contains("empty"));
        assert!(said(b"short").contains("at least 10 kB"));
        assert!(said(&vec![b'a'; MOST + 1]).contains("at most"));
        assert!(said(&vec![0xff; LEAST]).contains("no plain text"));
        assert!(said(&vec![0; LEAST]).contains("no plain text"));
    }
}
