//! Sources without what only a reader of the file needs, made while the program is compiled: the page
//! carries fewer bytes, and the files stay as they are.

/// Bytes of a text without line comments, indentation and empty lines. With `out` of that many bytes it
/// is written there.
const fn walk<const N: usize>(src: &[u8], mut out: [u8; N]) -> ([u8; N], usize) {
    let (mut i, mut n, mut line) = (0, 0, true);
    while i < src.len() {
        let b = src[i];
        if b == b'/' && i + 1 < src.len() && src[i + 1] == b'/' {
            while i < src.len() && src[i] != b'\n' {
                i += 1;
            }
            continue;
        }
        let blank = line && (b == b' ' || b == b'\t' || b == b'\n');
        line = b == b'\n' || (line && blank);
        if !blank {
            if n < N {
                out[n] = b;
            }
            n += 1;
        }
        i += 1;
    }
    (out, n)
}

/// How long [`strip`] makes a text.
#[must_use]
pub const fn stripped(src: &str) -> usize {
    walk(src.as_bytes(), [0; 0]).1
}

/// A text without line comments, indentation and empty lines; `N` is [`stripped`] of it.
#[must_use]
pub const fn strip<const N: usize>(src: &str) -> [u8; N] {
    walk(src.as_bytes(), [0; N]).0
}

/// The source of a shader, its path relative to the file this stands in.
#[macro_export]
macro_rules! shader {
    ($path:literal) => {{
        const SOURCE: &str = include_str!($path);
        const BYTES: [u8; $crate::source::stripped(SOURCE)] = $crate::source::strip(SOURCE);
        match std::str::from_utf8(&BYTES) {
            Ok(text) => text,
            Err(_) => SOURCE,
        }
    }};
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_indentation_go_and_nothing_else() {
        const SRC: &str = "// head\n\n#import lib/x\n    let a = b / c; // why\n\t}\n";
        const LESS: &str = "#import lib/x\nlet a = b / c; \n}\n";
        assert_eq!(&strip::<{ stripped(SRC) }>(SRC), LESS.as_bytes());
    }
}
