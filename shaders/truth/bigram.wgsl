// A table of logits [context][next] for `vocab` tokens, all equally likely: L is the mean over
// contexts of KL(uniform | softmax(row)), the cross-entropy above its minimum ln V, so that small
// differences are not lost beside it. With d = row - mean(row) and f(d) = e^d - 1 - d:
//   L_row = log1p(mean f(d)),  dL/dz_j = (e^(d_j) - mean e^d) / (V sum e^d).
// weights and grads [replica][V][V]; stats [slot][replica][4]: L, the first two coordinates, 0.
// One workgroup a replica, a lane a context.
#import lib/tables

override vocab: u32;

@group(0) @binding(1) var<storage, read> weights: array<f32>;
@group(0) @binding(2) var<storage, read_write> grads: array<f32>;
@group(0) @binding(3) var<storage, read_write> stats: array<f32>;

var<workgroup> losses: array<f32, 16>;

// e^d - 1 - d: the series where the difference would cancel.
fn excess(d: f32) -> f32 {
    if (abs(d) > 0.5) {
        return exp(d) - 1.0 - d;
    }
    let tail = 1.0 / 24.0 + d * (1.0 / 120.0 + d * (1.0 / 720.0 + d * (1.0 / 5040.0 + d / 40320.0)));
    return d * d * (0.5 + d * (1.0 / 6.0 + d * tail));
}

// ln(1 + x) for x >= 0. WGSL keeps log near 1 to 5e-7 only; 2 atanh(x / (2 + x)) loses nothing.
fn log_one_plus(x: f32) -> f32 {
    if (x > 1.0) {
        return log(1.0 + x);
    }
    let s = x / (2.0 + x);
    let q = s * s;
    let tail = 1.0 / 7.0 + q * (1.0 / 9.0 + q * (1.0 / 11.0 + q * (1.0 / 13.0 + q / 15.0)));
    return 2.0 * s * (1.0 + q * (1.0 / 3.0 + q * (0.2 + q * tail)));
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let scale = 1.0 / f32(vocab);
    let base = group.z * vocab * vocab;
    let row = base + lane * vocab;
    if (lane < vocab) {
        var mean = 0.0;
        for (var j = 0u; j < vocab; j++) {
            mean += weights[row + j];
        }
        mean *= scale;
        var sum = 0.0;
        for (var j = 0u; j < vocab; j++) {
            sum += excess(weights[row + j] - mean);
        }
        let above = sum * scale;
        losses[lane] = log_one_plus(above);
        for (var j = 0u; j < vocab; j++) {
            let d = weights[row + j] - mean;
            grads[row + j] = scale * scale * (d + excess(d) - above) / (1.0 + above);
        }
    }
    workgroupBarrier();
    if (lane == 0u) {
        var loss = 0.0;
        for (var i = 0u; i < vocab; i++) {
            loss += losses[i];
        }
        let at = (step_now.slot * groups.z + group.z) * 4u;
        stats[at] = loss * scale;
        stats[at + 1u] = weights[base];
        stats[at + 2u] = weights[base + 1u];
        stats[at + 3u] = 0.0;
    }
}
