// means [replica][ctx]: the mean over a batch of what stands at each position.
// values [replica][batch*ctx]. One invocation a position, sequences added up in order.
#import lib/tables

override batch: u32;
override ctx: u32;

@group(0) @binding(1) var<storage, read> values: array<f32>;
@group(0) @binding(2) var<storage, read_write> means: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    let t = group.x * 64u + lane;
    if t >= ctx {
        return;
    }
    var sum = 0.0;
    for (var b = 0u; b < batch; b++) {
        sum += values[(group.z * batch + b) * ctx + t];
    }
    means[group.z * ctx + t] = sum / f32(batch);
}
