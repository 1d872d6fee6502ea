// Rotary positions: in every head of queries and keys the pair (j, j + d_head/2) is turned by the angle
// t step^j at position t; inverse = 1 turns back. Values stay. qkv, turned [replica][batch*ctx][q of all
// heads, k, v]. Sine and cosine are polynomials of half the angle, the same in both engines.
// One invocation an element.
#import lib/tables

override batch: u32;
override ctx: u32;
override heads: u32;
override d_head: u32;
override inverse: u32;

struct Params {
    step: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> qkv: array<f32>;
@group(0) @binding(2) var<storage, read_write> turned: array<f32>;

// (cos, sin) of t step^j.
fn turn(t: u32, j: u32) -> vec2f {
    var turns = f32(t) * 0.15915494;
    for (var i = 0u; i < j; i++) {
        turns *= params.step;
    }
    let x = 3.1415927 * (turns - floor(turns + 0.5));
    let y = x * x;
    let s = x * (1.0 + y * (-1.6666667e-1 + y * (8.3333333e-3 + y * (-1.9841270e-4 + y * (2.7557319e-6 - y * 2.5052108e-8)))));
    let c = 1.0 + y * (-0.5 + y * (4.1666667e-2 + y * (-1.3888889e-3 + y * (2.4801587e-5 + y * (-2.7557319e-7 + y * 2.0876757e-9)))));
    return vec2f(1.0 - 2.0 * s * s, 2.0 * s * c);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    let m = heads * d_head;
    let at = group.x * 64u + lane;
    if at >= batch * ctx * 3u * m {
        return;
    }
    let i = group.z * batch * ctx * 3u * m + at;
    let c = at % (3u * m);
    var x = qkv[i];
    if c < 2u * m {
        let half = d_head / 2u;
        let j = c % d_head;
        var by = turn((at / (3u * m)) % ctx, j % half);
        if inverse == 1u { by.y = -by.y; }
        if j < half {
            x = x * by.x - qkv[i + half] * by.y;
        } else {
            x = x * by.x + qkv[i - half] * by.y;
        }
    }
    turned[i] = x;
}
