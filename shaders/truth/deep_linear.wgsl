// A deep linear network against a matrix: L = 1/2 |E|^2 with E = W_L ... W_1 - A, the population
// loss for inputs of unit covariance. dL/dW_l = (W_L ... W_(l+1))^T E (W_(l-1) ... W_1)^T.
// Widths h0 ... hL, at most 8 each and 6 layers, 0 for layers that are not there. weights and grads
// [replica][W_1 (h1 x h0), W_2 (h2 x h1), ...]; truth A [hL][h0]; stats [slot][replica][4]: L, the
// first two coordinates, 0. One workgroup a replica, a lane an entry of a matrix.
#import lib/tables

const SIDE: u32 = 8u;
const CELLS: u32 = 64u;

override h0: u32;
override h1: u32;
override h2: u32;
override h3: u32;
override h4: u32;
override h5: u32;
override h6: u32;

@group(0) @binding(1) var<storage, read> truth: array<f32>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read_write> grads: array<f32>;
@group(0) @binding(4) var<storage, read_write> stats: array<f32>;

// Products of the first l layers, l = 0 (the identity) to 6, each 8 x 8 at most.
var<workgroup> product: array<f32, 448>;
var<workgroup> error: array<f32, CELLS>;

@compute @workgroup_size(CELLS)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let widths = array<u32, 7>(h0, h1, h2, h3, h4, h5, h6);
    let row = lane / SIDE;
    let column = lane % SIDE;
    var layers = 0u;
    var count = 0u;
    for (var l = 1u; l < 7u; l++) {
        if (widths[l] > 0u) {
            layers = l;
            count += widths[l] * widths[l - 1u];
        }
    }
    let base = group.z * count;

    product[lane] = select(0.0, 1.0, row == column);
    workgroupBarrier();
    var at = base;
    for (var l = 1u; l <= layers; l++) {
        var sum = 0.0;
        if (row < widths[l] && column < h0) {
            for (var k = 0u; k < widths[l - 1u]; k++) {
                sum += weights[at + row * widths[l - 1u] + k]
                    * product[(l - 1u) * CELLS + k * SIDE + column];
            }
        }
        product[l * CELLS + lane] = sum;
        at += widths[l] * widths[l - 1u];
        workgroupBarrier();
    }

    let inside = row < widths[layers] && column < h0;
    let entry = truth[min(row, widths[layers] - 1u) * h0 + min(column, h0 - 1u)];
    error[lane] = select(0.0, product[layers * CELLS + lane] - entry, inside);
    workgroupBarrier();
    if (lane == 0u) {
        var sum = 0.0;
        for (var i = 0u; i < CELLS; i++) {
            sum += error[i] * error[i];
        }
        let out = (step_now.slot * groups.z + group.z) * 4u;
        stats[out] = 0.5 * sum;
        stats[out + 1u] = weights[base];
        stats[out + 2u] = select(0.0, weights[base + min(1u, count - 1u)], count > 1u);
        stats[out + 3u] = 0.0;
    }

    // From the last layer back, `error` becomes (W_L ... W_(l+1))^T E.
    for (var l = layers; l > 0u; l--) {
        let wide = widths[l - 1u];
        at -= widths[l] * wide;
        var slope = 0.0;
        if (row < widths[l] && column < wide) {
            for (var k = 0u; k < h0; k++) {
                slope += error[row * SIDE + k] * product[(l - 1u) * CELLS + column * SIDE + k];
            }
            grads[at + row * wide + column] = slope;
        }
        var pulled = 0.0;
        if (row < wide && column < h0) {
            for (var k = 0u; k < widths[l]; k++) {
                pulled += weights[at + k * wide + row] * error[k * SIDE + column];
            }
        }
        workgroupBarrier();
        error[lane] = pulled;
        workgroupBarrier();
    }
}
