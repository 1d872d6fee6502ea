// What each head attends to, in mean over a batch: scores [replica][head] = (previous token, token
// after an earlier copy of the present one, earlier copy itself). pattern as nn/attention leaves it, feed
// as in nn/embed. A copy counts from two places back on, so that what follows it is not the query; and where
// `only` is a class, for queries whose target is of that class alone.
// One workgroup a head: 256 interleaved partial sums over queries, added up in order by the first invocation.
#import lib/tables

override batch: u32;
override ctx: u32;
override heads: u32;
override only: u32;

struct Params {
    feed_rows: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> pattern: array<f32>;
@group(0) @binding(2) var<storage, read> feed: array<u32>;
@group(0) @binding(3) var<storage, read_write> scores: array<f32>;

// Numbers below 2^24 are whole in a float: counts are added up like the sums, one column after the other.
var<workgroup> column: array<f32, 256>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    let h = group.x;
    let r = group.z;
    let rows = batch * ctx;
    let tokens = (step_now.slot * params.feed_rows + replicas[r].data_row) * 2u * rows;
    var sum = vec3f(0.0);
    var count = vec2u(0u);
    for (var n = lane; n < rows; n += 256u) {
        let b = n / ctx;
        let t = n % ctx;
        if t == 0u { continue; }
        let row = ((r * batch + b) * heads + h) * ctx * ctx + t * ctx;
        let own = feed[tokens + n];
        let asked = only == 0u || feed[tokens + rows + n] == only;
        var after = 0.0;
        var copies = 0.0;
        var seen = 0u;
        for (var s = 0u; asked && s + 1u < t; s++) {
            if feed[tokens + b * ctx + s] == own {
                after += pattern[row + s + 1u];
                copies += pattern[row + s];
                seen = 1u;
            }
        }
        sum += vec3f(pattern[row + t - 1u], after, copies);
        count += vec2u(1u, seen);
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
    let over = max(vec2f(columns[3], columns[4]), vec2f(1.0));
    let at = (r * heads + h) * 3u;
    scores[at] = columns[0] / over.x;
    scores[at + 1u] = columns[1] / over.y;
    scores[at + 2u] = columns[2] / over.y;
}
