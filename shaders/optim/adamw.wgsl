// AdamW (Loshchilov & Hutter 2019) as PyTorch computes it, decay decoupled:
//   g = sum over splits, m = b1 m + (1-b1) g, v = b2 v + (1-b2) g^2,
//   w = w (1 - lr wd) - lr (m / bias1) / (sqrt(v / bias2) + adam_eps), lr already times the schedule.
// With l2 = 1 it is Adam: g += wd w, and w is not shrunk besides.
// grads [replica][splits][count]; weights, m, v [replica][count]. Four parameters an invocation.
#import lib/tables

override count: u32;
override splits: u32;
override l2: u32;

struct Params {
    beta1: f32,
    beta2: f32,
    adam_eps: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> grads: array<f32>;
@group(0) @binding(2) var<storage, read_write> weights: array<f32>;
@group(0) @binding(3) var<storage, read_write> m: array<f32>;
@group(0) @binding(4) var<storage, read_write> v: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    let first = 4u * (group.x * 64u + lane);
    let r = group.z;
    let lr = replicas[r].lr * step_now.schedule;
    let pull = select(0.0, replicas[r].wd, l2 == 1u);
    let keep = select(1.0 - lr * replicas[r].wd, 1.0, l2 == 1u);
    for (var i = first; i < min(first + 4u, count); i++) {
        var g = 0.0;
        for (var s = 0u; s < splits; s++) {
            g += grads[(r * splits + s) * count + i];
        }
        let at = r * count + i;
        g += pull * weights[at];
        let m1 = params.beta1 * m[at] + (1.0 - params.beta1) * g;
        let v1 = params.beta2 * v[at] + (1.0 - params.beta2) * g * g;
        m[at] = m1;
        v[at] = v1;
        let root = sqrt(v1 / step_now.bias2) + params.adam_eps;
        weights[at] = keep * weights[at] - lr * (m1 / step_now.bias1) / root;
    }
}
