// A potential that is a sum of monomials: L = sum_t c_t prod_i w_i^(k_ti), with
// dL/dw_j = sum_t c_t k_tj w_j^(k_tj - 1) prod_(i != j) w_i^(k_ti).
// coefficients [terms]; powers [terms][count]; weights and grads [replica][count]; stats
// [slot][replica][4]: L, the first two coordinates, 0. One workgroup a replica, a lane a coordinate.
#import lib/tables

override count: u32;
override terms: u32;

@group(0) @binding(1) var<storage, read> coefficients: array<f32>;
@group(0) @binding(2) var<storage, read> powers: array<u32>;
@group(0) @binding(3) var<storage, read> weights: array<f32>;
@group(0) @binding(4) var<storage, read_write> grads: array<f32>;
@group(0) @binding(5) var<storage, read_write> stats: array<f32>;

fn power(x: f32, k: u32) -> f32 {
    var out = 1.0;
    for (var n = 0u; n < k; n++) {
        out *= x;
    }
    return out;
}

// Term t without coordinate `but`.
fn term(base: u32, t: u32, but: u32) -> f32 {
    var out = coefficients[t];
    for (var i = 0u; i < count; i++) {
        if (i != but) {
            out *= power(weights[base + i], powers[t * count + i]);
        }
    }
    return out;
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let base = group.z * count;
    for (var j = lane; j < count; j += 64u) {
        var g = 0.0;
        for (var t = 0u; t < terms; t++) {
            let k = powers[t * count + j];
            if (k > 0u) {
                g += f32(k) * power(weights[base + j], k - 1u) * term(base, t, j);
            }
        }
        grads[base + j] = g;
    }
    if (lane == 0u) {
        var loss = 0.0;
        for (var t = 0u; t < terms; t++) {
            loss += term(base, t, count);
        }
        let at = (step_now.slot * groups.z + group.z) * 4u;
        stats[at] = loss;
        stats[at + 1u] = weights[base];
        stats[at + 2u] = select(0.0, weights[base + min(1u, count - 1u)], count > 1u);
        stats[at + 3u] = 0.0;
    }
}
