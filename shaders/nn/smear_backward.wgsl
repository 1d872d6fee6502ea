// The gradient behind smeared keys: dk_t = a ds_t + (1 - a) ds_{t+1}, where a is 1 for the first key and
// nothing comes from behind the last; queries and values pass. Shapes as in nn/smear.
// One invocation an element.
#import lib/tables

override batch: u32;
override ctx: u32;
override heads: u32;
override d_head: u32;

struct Params {
    arena: u32,
    alpha: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dsmeared: array<f32>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read_write> dqkv: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    let m = heads * d_head;
    let at = group.x * 64u + lane;
    if at >= batch * ctx * 3u * m {
        return;
    }
    let r = group.z;
    let c = at % (3u * m);
    let i = r * batch * ctx * 3u * m + at;
    var d = dsmeared[i];
    if c >= m && c < 2u * m {
        let t = (at / (3u * m)) % ctx;
        let alpha = weights[r * params.arena + params.alpha + (c - m) / d_head];
        let a = 1.0 / (1.0 + exp(-alpha));
        if t > 0u { d = a * d; }
        if t + 1u < ctx { d += (1.0 - a) * dsmeared[i + 3u * m]; }
    }
    dqkv[i] = d;
}
