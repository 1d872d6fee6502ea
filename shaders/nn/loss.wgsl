// stats [slot][replica] = (mean loss over all targets, mean over class 2, mean over class 3, 0).
// losses [replica][rows]; feed as in nn/embed: classes after the tokens. One workgroup a replica:
// 256 interleaved partial sums, added up in order by the first invocation.
#import lib/tables

override rows: u32;
override targets: u32;

struct Params {
    feed_rows: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> losses: array<f32>;
@group(0) @binding(2) var<storage, read> feed: array<u32>;
@group(0) @binding(3) var<storage, read_write> stats: array<f32>;

// Numbers below 2^24 are whole in a float: counts are added up like the sums, one column after the other.
var<workgroup> column: array<f32, 256>;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) grid: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let r = group.z;
    let classes = (step_now.slot * params.feed_rows + replicas[r].data_row) * 2u * rows + rows;
    var sum = vec3f(0.0);
    var count = vec2u(0u);
    for (var n = lane; n < rows; n += 256u) {
        let kind = feed[classes + n];
        if kind == 0u { continue; }
        let is = vec2<bool>(kind == 2u, kind == 3u);
        sum += losses[r * rows + n] * vec3f(1.0, select(vec2f(0.0), vec2f(1.0), is));
        count += select(vec2u(0u), vec2u(1u), is);
    }
    var columns = array(sum.x, sum.y, sum.z, f32(count.x), f32(count.y));
    for (var k = 0u; k < 5u; k++) {
        column[lane] = columns[k];
        workgroupBarrier();
        if lane == 0u {
            for (var i = 1u; i < 256u; i++) { columns[k] += column[i]; }
        }
        workgroupBarrier();
    }
    if lane != 0u { return; }
    let at = (step_now.slot * grid.z + r) * 4u;
    stats[at] = columns[0] / f32(targets);
    stats[at + 1u] = columns[1] / max(columns[3], 1.0);
    stats[at + 2u] = columns[2] / max(columns[4], 1.0);
    stats[at + 3u] = 0.0;
}
