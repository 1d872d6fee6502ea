// Philox4x32-10 (Salmon et al. 2011) and the normal by inverse CDF (Giles 2012).
// Rust: math/philox.rs, equal bit for bit up to log and sqrt.
const PHILOX_M0: u32 = 0xD2511F53u;
const PHILOX_M1: u32 = 0xCD9E8D57u;
const PHILOX_W0: u32 = 0x9E3779B9u;
const PHILOX_W1: u32 = 0xBB67AE85u;

// The 64-bit product of two words as (high, low): WGSL has no wide multiply.
fn philox_wide(a: u32, b: u32) -> vec2<u32> {
    let al = a & 0xFFFFu;
    let ah = a >> 16u;
    let bl = b & 0xFFFFu;
    let bh = b >> 16u;
    let ll = al * bl;
    let lh = al * bh;
    let hl = ah * bl;
    let mid = (ll >> 16u) + (lh & 0xFFFFu) + (hl & 0xFFFFu);
    return vec2<u32>(ah * bh + (lh >> 16u) + (hl >> 16u) + (mid >> 16u), a * b);
}

fn philox(counter: vec4<u32>, key: vec2<u32>) -> vec4<u32> {
    var c = counter;
    var k = key;
    for (var round = 0u; round < 10u; round++) {
        let p0 = philox_wide(PHILOX_M0, c.x);
        let p1 = philox_wide(PHILOX_M1, c.z);
        c = vec4<u32>(p1.x ^ c.y ^ k.x, p1.y, p0.x ^ c.w ^ k.y, p0.y);
        k = k + vec2<u32>(PHILOX_W0, PHILOX_W1);
    }
    return c;
}

// Standard normal from one word: sqrt(2) erfinv(x), x an odd 24-bit integer over 2^23.
fn normal_from_word(word: u32) -> f32 {
    let k = i32(word >> 9u);
    let x = f32(2 * k + 1 - 8388608) / 8388608.0;
    let w = -log((1.0 - x) * (1.0 + x));
    var p: f32;
    if (w < 5.0) {
        let t = w - 2.5;
        p = 2.81022636e-08;
        p = p * t + 3.43273939e-07;
        p = p * t + -3.5233877e-06;
        p = p * t + -4.39150654e-06;
        p = p * t + 0.00021858087;
        p = p * t + -0.00125372503;
        p = p * t + -0.00417768164;
        p = p * t + 0.246640727;
        p = p * t + 1.50140941;
    } else {
        let t = sqrt(w) - 3.0;
        p = -0.000200214257;
        p = p * t + 0.000100950558;
        p = p * t + 0.00134934322;
        p = p * t + -0.00367342844;
        p = p * t + 0.00573950773;
        p = p * t + -0.0076224613;
        p = p * t + 0.00943887047;
        p = p * t + 1.00167406;
        p = p * t + 2.83297682;
    }
    return 1.4142135623730951 * p * x;
}
