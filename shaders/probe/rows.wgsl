// y[i] = x[positions[i]]: rows of an activation, for instruments. One invocation an element.
// x [replica][rows][width], positions [count], y [replica][count][width].
#import lib/tables

override rows: u32;
override width: u32;
override count: u32;

@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> positions: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    let at = group.x * 64u + lane;
    if at >= count * width {
        return;
    }
    let row = min(positions[at / width], rows - 1u);
    y[group.z * count * width + at] = x[(group.z * rows + row) * width + at % width];
}
