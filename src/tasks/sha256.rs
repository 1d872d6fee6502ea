//! SHA-256 (FIPS 180-4), so that a text has the name that `sha256sum` gives it.

/// The first 32 bits of the fractional parts of the `p`-th primes' roots, by integers alone.
fn root(prime: u64, cube: bool) -> u32 {
    // The greatest x with x² ≤ p·2⁶⁴, or x³ ≤ p·2⁹⁶; its low 32 bits are the fraction.
    let (mut low, mut high) = (0_u128, 1_u128 << 36);
    while high - low > 1 {
        let x = low.midpoint(high);
        let fits = if cube {
            x * x * x <= u128::from(prime) << 96
        } else {
            x * x <= u128::from(prime) << 64
        };
        if fits {
            low = x;
        } else {
            high = x;
        }
    }
    low as u32
}

/// The digest as eight words.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u32; 8] {
    let primes = (2_u64..).filter(|n| (2..*n).all(|d| n % d > 0));
    let primes: Vec<u64> = primes.take(64).collect();
    let k: Vec<u32> = primes.iter().map(|&p| root(p, true)).collect();
    let mut state = [0, 1, 2, 3, 4, 5, 6, 7].map(|i: usize| root(primes[i], false));
    let mut padded = bytes.to_vec();
    padded.push(0x80);
    padded.resize((padded.len() + 8).next_multiple_of(64) - 8, 0);
    padded.extend((8 * bytes.len() as u64).to_be_bytes());
    for block in padded.chunks_exact(64) {
        let word = |b: &[u8]| b.iter().fold(0_u32, |w, &b| w << 8 | u32::from(b));
        let mut w: Vec<u32> = block.chunks_exact(4).map(word).collect();
        for i in 16..64 {
            let (a, b) = (w[i - 15], w[i - 2]);
            let s0 = a.rotate_right(7) ^ a.rotate_right(18) ^ (a >> 3);
            let s1 = b.rotate_right(17) ^ b.rotate_right(19) ^ (b >> 10);
            let sum = w[i - 16].wrapping_add(s0).wrapping_add(w[i - 7]);
            w.push(sum.wrapping_add(s1));
        }
        let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = state;
        for (k, w) in k.iter().zip(&w) {
            let s1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
            let ch = (e & f) ^ (!e & g);
            let one = h.wrapping_add(s1).wrapping_add(ch);
            let one = one.wrapping_add(*k).wrapping_add(*w);
            let s0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
            let two = s0.wrapping_add((a & b) ^ (a & c) ^ (b & c));
            (h, g, f, e) = (g, f, e, d.wrapping_add(one));
            (d, c, b, a) = (c, b, a, one.wrapping_add(two));
        }
        for (s, x) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
            *s = s.wrapping_add(x);
        }
    }
    state
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        sha256(bytes).iter().map(|w| format!("{w:08x}")).collect()
    }

    /// Digests of FIPS 180-4's examples, and one longer than a block.
    #[test]
    fn known_digests() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let two = "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1";
        assert_eq!(hex(b""), empty);
        assert_eq!(hex(b"abc"), abc);
        let long = b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
        assert_eq!(hex(long), two);
        assert_ne!(hex(b"abd"), abc);
    }
}
