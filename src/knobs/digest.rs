//! The name of a text that a link asks for and does not hold.

use serde::{Serialize, Serializer};

/// The first 64 bits of a text's SHA-256; 0, no text is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Digest(pub u64);

impl Digest {
    /// Sixteen hexadecimal digits, or `none`.
    #[must_use]
    pub fn text(self) -> String {
        match self.0 {
            0 => "none".into(),
            bits => format!("{bits:016x}"),
        }
    }
    /// Reads them.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "none" => Some(Self(0)),
            _ if text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit()) => {
                u64::from_str_radix(text, 16).ok().map(Self)
            }
            _ => None,
        }
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_digits_or_none() {
        for digest in [Digest(0), Digest(1), Digest(u64::MAX)] {
            assert_eq!(Digest::parse(&digest.text()), Some(digest));
        }
        for wrong in [
            "",
            "1",
            "00000000000000g0",
            "+000000000000001",
            "é00000000000000",
        ] {
            assert_eq!(Digest::parse(wrong), None, "{wrong}");
        }
    }
}
