//! Philox4x32-10 (Salmon, Moraes, Dror & Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3"):
//! every random number of a run is a pure function of (seed, stream, step, element).
//! `shaders/lib/philox.wgsl` is the same function, equal bit for bit.

use super::Real;

/// What a random number is for. Two uses never share a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Stream {
    /// Initial weights.
    Init = 1,
    /// Training data, one counter per step.
    Data = 2,
    /// Held-out data.
    HeldOut = 3,
    /// Batches seen by the chains of an estimate.
    ChainData = 4,
    /// SGLD noise.
    Noise = 5,
    /// Fixed probe inputs and positions.
    Probe = 6,
    /// A fixed training set.
    DataSet = 7,
    /// Whether MALA takes a proposal.
    Accept = 8,
}

const M0: u32 = 0xD251_1F53;
const M1: u32 = 0xCD9E_8D57;
const W0: u32 = 0x9E37_79B9;
const W1: u32 = 0xBB67_AE85;

/// Ten rounds of Philox4x32: `counter` [4], `key` [2] -> four uniform 32-bit words.
#[must_use]
pub fn philox4x32(mut c: [u32; 4], mut k: [u32; 2]) -> [u32; 4] {
    for _ in 0..10 {
        let p0 = u64::from(M0) * u64::from(c[0]);
        let p1 = u64::from(M1) * u64::from(c[2]);
        c = [
            (p1 >> 32) as u32 ^ c[1] ^ k[0],
            p1 as u32,
            (p0 >> 32) as u32 ^ c[3] ^ k[1],
            p0 as u32,
        ];
        k = [k[0].wrapping_add(W0), k[1].wrapping_add(W1)];
    }
    c
}

/// The word of element `element` at `step`: four consecutive elements share one Philox block.
#[must_use]
pub fn word(seed: u32, stream: Stream, step: u32, element: u32) -> u32 {
    philox4x32([element / 4, step, 0, 0], [seed, stream as u32])[(element % 4) as usize]
}

/// Uniform on the open interval (0, 1), 23 bits: never 0, never 1, exact in f32.
#[must_use]
pub fn unit<T: Real>(word: u32) -> T {
    T::of((f64::from(word >> 9) + 0.5) / f64::from(1u32 << 23))
}

/// Uniform index in 0..n by multiply-shift (bias below n/2^32).
#[must_use]
pub fn uniform_index(word: u32, n: u32) -> u32 {
    ((u64::from(word) * u64::from(n)) >> 32) as u32
}

/// Standard normal from one word by the inverse CDF: √2·erfinv(x), with Giles' single-precision
/// polynomial (M. Giles 2012, "Approximating the erfinv function"). Needs only log and sqrt,
/// which WGSL keeps tight, where Box-Muller needs cos, which it does not.
#[must_use]
pub fn normal<T: Real>(word: u32) -> T {
    // x = (2k+1)/2^23 - 1 with k of 23 bits: an odd integer below 2^24 over 2^23, exact in f32.
    let k = (word >> 9) as i32;
    let x = T::of(f64::from(2 * k + 1 - (1 << 23)) / f64::from(1u32 << 23));
    let one = T::one();
    let w = -((one - x) * (one + x)).ln();
    let (t, c): (T, [f64; 9]) = if w < T::of(5.0) {
        (
            w - T::of(2.5),
            [
                2.810_226_36e-08,
                3.432_739_39e-07,
                -3.523_387_7e-06,
                -4.391_506_54e-06,
                0.000_218_580_87,
                -0.001_253_725_03,
                -0.004_177_681_64,
                0.246_640_727,
                1.501_409_41,
            ],
        )
    } else {
        (
            w.sqrt() - T::of(3.0),
            [
                -0.000_200_214_257,
                0.000_100_950_558,
                0.001_349_343_22,
                -0.003_673_428_44,
                0.005_739_507_73,
                -0.007_622_461_3,
                0.009_438_870_47,
                1.001_674_06,
                2.832_976_82,
            ],
        )
    };
    let p = c[1..].iter().fold(T::of(c[0]), |p, &a| p * t + T::of(a));
    T::of(std::f64::consts::SQRT_2) * p * x
}

/// A sequential reader of one (seed, stream, step): data generators draw from it.
#[derive(Clone, Debug)]
pub struct Draws {
    seed: u32,
    stream: Stream,
    step: u32,
    next: u32,
    block: [u32; 4],
}

impl Draws {
    /// Starts at element 0.
    #[must_use]
    pub fn new(seed: u32, stream: Stream, step: u32) -> Self {
        Self {
            seed,
            stream,
            step,
            next: 0,
            block: [0; 4],
        }
    }
    /// The next 32-bit word.
    pub fn word(&mut self) -> u32 {
        let lane = self.next % 4;
        if lane == 0 {
            self.block = philox4x32(
                [self.next / 4, self.step, 0, 0],
                [self.seed, self.stream as u32],
            );
        }
        self.next += 1;
        self.block[lane as usize]
    }
    /// Uniform index in 0..n.
    pub fn index(&mut self, n: u32) -> u32 {
        uniform_index(self.word(), n)
    }
    /// Uniform on (0, 1).
    pub fn unit(&mut self) -> f64 {
        unit(self.word())
    }
    /// Standard normal.
    pub fn normal(&mut self) -> f64 {
        normal(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Known-answer vectors of the Random123 distribution (kat_vectors, philox4x32 10).
    #[test]
    fn known_answers() {
        assert_eq!(
            philox4x32([0; 4], [0; 2]),
            [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]
        );
        assert_eq!(
            philox4x32([!0; 4], [!0; 2]),
            [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
        );
        assert_eq!(
            philox4x32(
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0]
            ),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    #[test]
    fn normals_have_the_moments_of_a_normal() {
        let mut d = Draws::new(7, Stream::Noise, 0);
        let n = 200_000;
        let (mut m1, mut m2, mut m4) = (0.0, 0.0, 0.0);
        for _ in 0..n {
            let z = d.normal();
            m1 += z;
            m2 += z * z;
            m4 += z.powi(4);
        }
        let n = f64::from(n);
        assert!((m1 / n).abs() < 0.01 && (m2 / n - 1.0).abs() < 0.02 && (m4 / n - 3.0).abs() < 0.1);
    }

    #[test]
    fn the_reader_and_the_word_function_agree() {
        let mut d = Draws::new(3, Stream::Data, 9);
        for e in 0..11 {
            assert_eq!(d.word(), word(3, Stream::Data, 9, e));
        }
    }
}
