// Linear regression on one slope: L = mean over the batch of 1/2 (y - w x)^2, dL/dw = mean (w x - y) x.
// feed [slot][feed_rows][batch] pairs (bits of x, bits of y); weights and grads [replica]; stats
// [slot][replica][4]: L, w, 0, 0. One workgroup a replica.
#import lib/tables

const LANES: u32 = 64u;

override batch: u32;

struct Params {
    feed_rows: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> feed: array<u32>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read_write> grads: array<f32>;
@group(0) @binding(4) var<storage, read_write> stats: array<f32>;

// Each lane sums its own samples, so that the order of every sum is fixed.
var<workgroup> partial: array<vec2f, LANES>;

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let w = weights[group.z];
    let data = min(replicas[group.z].data_row, params.feed_rows - 1u);
    let base = (step_now.slot * params.feed_rows + data) * 2u * batch;
    var sum = vec2f(0.0);
    for (var n = lane; n < batch; n += LANES) {
        let x = bitcast<f32>(feed[base + 2u * n]);
        let miss = w * x - bitcast<f32>(feed[base + 2u * n + 1u]);
        sum += vec2f(0.5 * miss * miss, miss * x);
    }
    partial[lane] = sum;
    workgroupBarrier();
    if (lane == 0u) {
        var total = vec2f(0.0);
        for (var l = 0u; l < LANES; l++) {
            total += partial[l];
        }
        let at = (step_now.slot * groups.z + group.z) * 4u;
        grads[group.z] = total.y / f32(batch);
        stats[at] = total.x / f32(batch);
        stats[at + 1u] = w;
        stats[at + 2u] = 0.0;
        stats[at + 3u] = 0.0;
    }
}
