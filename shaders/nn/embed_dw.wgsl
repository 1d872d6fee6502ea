// W_E[v, i]   gradient: sum of dresid[n, i] over the rows n of the split whose token is v; where the
//             unembedding is tied, added to what is there, its part.
// W_pos[t, i] gradient: sum of dpos[layer, n, i] over layers and the rows n of the split at position t.
// grads [replica][splits][arena]. One invocation an element, group.y is the split; gathered, so that
// the order of each sum is fixed.
#import lib/tables

override rows: u32;
override ctx: u32;
override d_model: u32;
override vocab: u32;
override layers: u32;
override splits: u32;
override tied: u32;

struct Params {
    arena: u32,
    w_e: u32,
    w_pos: u32,
    feed_rows: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> feed: array<u32>;
@group(0) @binding(2) var<storage, read> dresid: array<f32>;
@group(0) @binding(3) var<storage, read> dpos: array<f32>;
@group(0) @binding(4) var<storage, read_write> grads: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) grid: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let at = group.x * 64u + lane;
    // Without sections there are no learned positions.
    if at >= (vocab + select(0u, ctx, layers > 0u)) * d_model {
        return;
    }
    let r = group.z;
    let row = at / d_model;
    let i = at % d_model;
    let share = (rows + splits - 1u) / splits;
    let start = min(group.y * share, rows);
    let stop = min(start + share, rows);
    let base = (r * splits + group.y) * params.arena;
    var sum = 0.0;
    if row < vocab {
        if tied == 1u {
            sum = grads[base + params.w_e + at];
        }
        let data = (step_now.slot * params.feed_rows + replicas[r].data_row) * 2u * rows;
        for (var n = start; n < stop; n++) {
            if min(feed[data + n], vocab - 1u) == row {
                sum += dresid[(r * rows + n) * d_model + i];
            }
        }
        grads[base + params.w_e + at] = sum;
        return;
    }
    // The first row of the split at this position, then every ctx-th.
    let t = row - vocab;
    let first = start + (t + ctx - start % ctx) % ctx;
    for (var layer = 0u; layer < layers; layer++) {
        let section = (layer * grid.z + r) * rows;
        for (var n = first; n < stop; n += ctx) {
            sum += dpos[(section + n) * d_model + i];
        }
    }
    grads[base + params.w_pos + t * d_model + i] = sum;
}
