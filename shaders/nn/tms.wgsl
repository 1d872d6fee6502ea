// The toy model of superposition: y = ReLU(W^T W x + b) with x = u e_i, one feature active.
// Loss: mean over the batch of sum_j (x_j - y_j)^2, no 1/2; with d_j = 2 (y_j - x_j) [pre_j > 0] and
// h = u W_i: db_j = d_j, dW_j = d_j h + [j = i] u sum_k d_k W_k.
// feed [slot][feed_rows][batch] pairs (i, bits of u); weights [replica][W (2 x c, row-major), b (c)];
// grads as weights; stats [slot][replica][4]: the mean loss, then zeros. One workgroup a replica.
#import lib/tables

const LANES: u32 = 64u;

override features: u32;
override batch: u32;

struct Params {
    feed_rows: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> feed: array<u32>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read_write> grads: array<f32>;
@group(0) @binding(4) var<storage, read_write> stats: array<f32>;

// Each lane sums its own samples in its own row, so that the order of every sum is fixed: 3 c sums of
// gradients and one of the loss, c at most 10.
var<workgroup> partial: array<f32, LANES * (3u * features + 1u)>;
var<workgroup> w: array<f32, 3u * features>;

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let r = group.z;
    let c = features;
    let count = 3u * c;
    if (lane < count) {
        w[lane] = weights[r * count + lane];
    }
    let width = count + 1u;
    let row = lane * width;
    for (var p = 0u; p <= count; p++) {
        partial[row + p] = 0.0;
    }
    workgroupBarrier();

    let data = min(replicas[r].data_row, params.feed_rows - 1u);
    let base = (step_now.slot * params.feed_rows + data) * 2u * batch;
    for (var n = lane; n < batch; n += LANES) {
        let i = min(feed[base + 2u * n], c - 1u);
        let u = bitcast<f32>(feed[base + 2u * n + 1u]);
        let h = u * vec2<f32>(w[i], w[c + i]);
        var dh = vec2<f32>(0.0);
        var loss = 0.0;
        for (var j = 0u; j < c; j++) {
            let column = vec2<f32>(w[j], w[c + j]);
            let pre = dot(column, h) + w[2u * c + j];
            // Not max(pre, 0), which turns NaN into 0 and hides that training diverged.
            let diff = select(pre, 0.0, pre < 0.0) - select(0.0, u, j == i);
            loss += diff * diff;
            if (pre > 0.0) {
                let d = 2.0 * diff;
                dh += d * column;
                partial[row + j] += d * h.x;
                partial[row + c + j] += d * h.y;
                partial[row + 2u * c + j] += d;
            }
        }
        partial[row + i] += u * dh.x;
        partial[row + c + i] += u * dh.y;
        partial[row + count] += loss;
    }
    workgroupBarrier();

    if (lane <= count) {
        var sum = 0.0;
        for (var l = 0u; l < LANES; l++) {
            sum += partial[l * width + lane];
        }
        let mean = sum / f32(batch);
        let at = (step_now.slot * groups.z + r) * 4u;
        if (lane < count) {
            grads[r * count + lane] = mean;
        } else {
            stats[at] = mean;
            stats[at + 1u] = 0.0;
            stats[at + 2u] = 0.0;
            stats[at + 3u] = 0.0;
        }
    }
}
