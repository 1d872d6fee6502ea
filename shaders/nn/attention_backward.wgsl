// With dp[t, s] = head_scale dz_t v_s and D_t = dz_t z_t (= sum_s pattern dp):
//   ds = pattern (dp - D) / sqrt(d_head), dq_t = sum_s ds[t, s] k_s, dk_s = sum_t ds[t, s] q_t,
//   dv_s = head_scale sum_t pattern[t, s] dz_t.
// Shapes as in nn/attention; dqkv like qkv, dz like z.
// One invocation a row: as a query it sums over keys, as a key over queries. Channels go 16 at a time.
#import lib/tables

override batch: u32;
override ctx: u32;
override heads: u32;
override d_head: u32;

struct Params {
    scales: u32,
    first: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> qkv: array<f32>;
@group(0) @binding(2) var<storage, read> head_scale: array<f32>;
@group(0) @binding(3) var<storage, read> pattern: array<f32>;
@group(0) @binding(4) var<storage, read> z: array<f32>;
@group(0) @binding(5) var<storage, read> dz: array<f32>;
@group(0) @binding(6) var<storage, read_write> dqkv: array<f32>;

fn channels(e: u32) -> vec4u {
    return min(vec4u(e) + vec4u(0u, 1u, 2u, 3u), vec4u(d_head - 1u));
}

fn four(base: u32, e: u32) -> vec4f {
    let k = base + channels(e);
    return vec4f(qkv[k.x], qkv[k.y], qkv[k.z], qkv[k.w]);
}

fn four_dz(base: u32, e: u32) -> vec4f {
    let k = base + channels(e);
    return vec4f(dz[k.x], dz[k.y], dz[k.z], dz[k.w]);
}

fn store(base: u32, e: u32, v: vec4f) {
    for (var j = 0u; j < 4u; j++) {
        if e + j < d_head { dqkv[base + e + j] = v[j]; }
    }
}

// ds for the query whose z starts at `query`, given dz_t and v_s.
fn gradient(p: f32, query: u32, value: u32, scale: f32) -> f32 {
    var dp = 0.0;
    var along = 0.0;
    for (var e = 0u; e < d_head; e++) {
        dp += dz[query + e] * qkv[value + e];
        along += dz[query + e] * z[query + e];
    }
    return p * (scale * dp - along) * inverseSqrt(f32(d_head));
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
    let first_z = first_row * m + h * d_head;
    let square = ((r * batch + b) * heads + h) * ctx * ctx;
    let q = first_row * 3u * m + h * d_head;
    let k = q + m;
    let v = k + m;
    let mine = t * 3u * m;
    let scale = head_scale[r * params.scales + params.first + h];
    for (var e = 0u; e < d_head; e += 16u) {
        var a = array<vec4f, 4>();
        for (var s = 0u; s <= t; s++) {
            let ds = gradient(pattern[square + t * ctx + s], first_z + t * m, v + s * 3u * m, scale);
            for (var j = 0u; j < 4u; j++) { a[j] += ds * four(k + s * 3u * m, e + 4u * j); }
        }
        for (var j = 0u; j < 4u; j++) { store(q + mine, e + 4u * j, a[j]); }

        var dk = array<vec4f, 4>();
        var dv = array<vec4f, 4>();
        for (var i = t; i < ctx; i++) {
            let p = pattern[square + i * ctx + t];
            let ds = gradient(p, first_z + i * m, v + mine, scale);
            for (var j = 0u; j < 4u; j++) {
                dk[j] += ds * four(q + i * 3u * m, e + 4u * j);
                dv[j] += p * four_dz(first_z + i * m, e + 4u * j);
            }
        }
        for (var j = 0u; j < 4u; j++) {
            store(k + mine, e + 4u * j, dk[j]);
            store(v + mine, e + 4u * j, scale * dv[j]);
        }
    }
}
