// SGD with momentum, PyTorch's convention, weight decay decoupled:
//   g = sum over splits of the gradient partials, v = momentum v + g, w -= lr schedule (v + wd w).
// grads [replica][splits][count]; weights, velocity [replica][count]. Four parameters an invocation.
#import lib/tables

override count: u32;
override splits: u32;

struct Params {
    momentum: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> grads: array<f32>;
@group(0) @binding(2) var<storage, read_write> weights: array<f32>;
@group(0) @binding(3) var<storage, read_write> velocity: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    let first = 4u * (group.x * 64u + lane);
    let r = group.z;
    let lr = replicas[r].lr * step_now.schedule;
    let wd = replicas[r].wd;
    for (var i = first; i < min(first + 4u, count); i++) {
        var g = 0.0;
        for (var s = 0u; s < splits; s++) {
            g += grads[(r * splits + s) * count + i];
        }
        let at = r * count + i;
        let v = params.momentum * velocity[at] + g;
        let w = weights[at];
        velocity[at] = v;
        weights[at] = w - lr * (v + wd * w);
    }
}
