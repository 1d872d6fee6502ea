// resid[n, i] = W_E[token n, i] (+ W_pos[n mod ctx, i]).
// feed [slot][feed row][tokens of rows, classes of rows], resid [replica][rows][d_model].
// One invocation an element.
#import lib/tables

override rows: u32;
override ctx: u32;
override d_model: u32;
override vocab: u32;
override learned: u32;

struct Params {
    arena: u32,
    w_e: u32,
    w_pos: u32,
    feed_rows: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> feed: array<u32>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read_write> resid: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    let at = group.x * 64u + lane;
    if at >= rows * d_model {
        return;
    }
    let n = at / d_model;
    let i = at % d_model;
    let r = group.z;
    let data = (step_now.slot * params.feed_rows + replicas[r].data_row) * 2u * rows;
    let token = min(feed[data + n], vocab - 1u);
    let base = r * params.arena;
    var x = weights[base + params.w_e + token * d_model + i];
    if learned == 1u {
        x += weights[base + params.w_pos + (n % ctx) * d_model + i];
    }
    resid[r * rows * d_model + at] = x;
}
