// pattern[t, s] = softmax over s <= t of q_t k_s / sqrt(d_head), z_t = head_scale sum_s pattern[t, s] v_s.
// qkv [replica][batch*ctx][q of all heads, k, v], pattern [replica][batch][head][query][key],
// z [replica][batch*ctx][heads*d_head], head_scale [replica][scales].
// Frozen, the pattern is given [batch][head][query][key], the same for every replica.
// One invocation a query row: it keeps its scores in its own row of the pattern, so no barrier is needed.
#import lib/tables

override batch: u32;
override ctx: u32;
override heads: u32;
override d_head: u32;
override frozen: u32;

struct Params {
    scales: u32,
    first: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> qkv: array<f32>;
@group(0) @binding(2) var<storage, read> head_scale: array<f32>;
@group(0) @binding(3) var<storage, read> given: array<f32>;
@group(0) @binding(4) var<storage, read_write> pattern: array<f32>;
@group(0) @binding(5) var<storage, read_write> z: array<f32>;

// Four channels of qkv from e on, 0 beyond the head.
fn four(base: u32, e: u32) -> vec4f {
    let i = vec4u(e) + vec4u(0u, 1u, 2u, 3u);
    let k = base + min(i, vec4u(d_head - 1u));
    return select(vec4f(0.0), vec4f(qkv[k.x], qkv[k.y], qkv[k.z], qkv[k.w]), i < vec4u(d_head));
}

// The softmax of a query's scores into its row of the pattern.
fn attend(row: u32, t: u32, q: u32, k: u32) {
    let m = heads * d_head;
    let root = inverseSqrt(f32(d_head));
    var top = -1e30;
    for (var s = 0u; s <= t; s++) {
        var sum = 0.0;
        for (var e = 0u; e < d_head; e += 4u) {
            sum += dot(four(q, e), four(k + s * 3u * m, e));
        }
        pattern[row + s] = sum * root;
        top = max(top, sum * root);
    }
    var total = 0.0;
    for (var s = 0u; s <= t; s++) {
        let p = exp(pattern[row + s] - top);
        pattern[row + s] = p;
        total += p;
    }
    for (var s = 0u; s < ctx; s++) {
        if s <= t {
            pattern[row + s] = pattern[row + s] / total;
        } else {
            pattern[row + s] = 0.0;
        }
    }
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    let at = group.x * 64u + lane;
    if at >= batch * heads * ctx {
        return;
    }
    let r = group.z;
    let t = at % ctx;
    let h = (at / ctx) % heads;
    let b = at / (ctx * heads);
    let m = heads * d_head;
    let first_row = (r * batch + b) * ctx;
    let row = ((r * batch + b) * heads + h) * ctx * ctx + t * ctx;
    let q = (first_row + t) * 3u * m + h * d_head;
    let k = first_row * 3u * m + m + h * d_head;
    let v = k + m;

    if frozen == 1u {
        for (var s = 0u; s < ctx; s++) {
            let p = given[row - r * batch * heads * ctx * ctx + s];
            pattern[row + s] = select(0.0, p, s <= t);
        }
    } else {
        attend(row, t, q, k);
    }

    let scale = head_scale[r * params.scales + params.first + h];
    let to = (first_row + t) * m + h * d_head;
    for (var e = 0u; e < d_head; e += 16u) {
        var z0 = vec4f(0.0);
        var z1 = vec4f(0.0);
        var z2 = vec4f(0.0);
        var z3 = vec4f(0.0);
        for (var s = 0u; s <= t; s++) {
            let p = pattern[row + s];
            let value = v + s * 3u * m;
            z0 += p * four(value, e);
            z1 += p * four(value, e + 4u);
            z2 += p * four(value, e + 8u);
            z3 += p * four(value, e + 12u);
        }
        for (var j = 0u; j < 4u; j++) {
            if e + j < d_head { z[to + e + j] = scale * z0[j]; }
            if e + 4u + j < d_head { z[to + e + 4u + j] = scale * z1[j]; }
            if e + 8u + j < d_head { z[to + e + 8u + j] = scale * z2[j]; }
            if e + 12u + j < d_head { z[to + e + 12u + j] = scale * z3[j]; }
        }
    }
}
