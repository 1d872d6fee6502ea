// SoLU: y = x p with p = softmax(x) over the row; the LayerNorm behind it is a stage of the product that
// reads y. With `back`, y is the gradient of x instead, from that of the product:
//   dx = p (dy (1 + x) - sum dy x p).
// x, dy and y [replica][rows][inner]. A workgroup takes 4 rows, 16 invocations each.
#import lib/tables

override rows: u32;
override inner: u32;
override back: u32;

@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

var<workgroup> parts: array<f32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    let row = group.x * 4u + lane / 16u;
    let live = row < rows;
    let first = (group.z * rows + min(row, rows - 1u)) * inner;
    let mine = lane % 16u;
    let start = lane - mine;
    // The partial maxima and sums of a row are combined in the order of its invocations.
    var top = -1e30;
    for (var i = mine; i < inner; i += 16u) { top = max(top, x[first + i]); }
    parts[lane] = top;
    workgroupBarrier();
    for (var j = 0u; j < 16u; j++) { top = max(top, parts[start + j]); }
    workgroupBarrier();
    var sum = 0.0;
    for (var i = mine; i < inner; i += 16u) { sum += exp(x[first + i] - top); }
    parts[lane] = sum;
    workgroupBarrier();
    sum = 0.0;
    for (var j = 0u; j < 16u; j++) { sum += parts[start + j]; }
    workgroupBarrier();
    var mean = 0.0;
    if back == 1u {
        for (var i = mine; i < inner; i += 16u) {
            let v = x[first + i];
            mean += dy[first + i] * v * exp(v - top);
        }
        parts[lane] = mean;
        workgroupBarrier();
        mean = 0.0;
        for (var j = 0u; j < 16u; j++) { mean += parts[start + j]; }
        mean /= sum;
    }
    if !live {
        return;
    }
    for (var i = mine; i < inner; i += 16u) {
        let v = x[first + i];
        let p = exp(v - top) / sum;
        if back == 1u {
            y[first + i] = p * (dy[first + i] * (1.0 + v) - mean);
        } else {
            y[first + i] = v * p;
        }
    }
}
