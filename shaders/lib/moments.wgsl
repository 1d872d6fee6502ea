// LayerNorm's (mean, 1/sigma) of row n of the importing kernel's `x [..][inner]`.
fn moments_of(n: u32) -> vec2f {
    var mean = 0.0;
    for (var i = 0u; i < inner; i++) {
        mean += x[n * inner + i];
    }
    mean /= f32(inner);
    var variance = 0.0;
    for (var i = 0u; i < inner; i++) {
        let d = x[n * inner + i] - mean;
        variance += d * d;
    }
    return vec2f(mean, inverseSqrt(variance / f32(inner) + 1e-5));
}
