// Smeared keys: k_t <- a k_t + (1 - a) k_{t-1} with a = sigmoid(alpha of the head); the first key, the
// queries and the values stay. smeared like qkv [replica][batch*ctx][q of all heads, k, v].
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
@group(0) @binding(1) var<storage, read> qkv: array<f32>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read_write> smeared: array<f32>;

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
    var x = qkv[i];
    if c >= m && c < 2u * m && (at / (3u * m)) % ctx > 0u {
        let alpha = weights[r * params.arena + params.alpha + (c - m) / d_head];
        let a = 1.0 / (1.0 + exp(-alpha));
        x = a * x + (1.0 - a) * qkv[i - 3u * m];
    }
    smeared[i] = x;
}
