// The gradient of alpha: a (1 - a) sum over t > 0 of ds_t (k_t - k_{t-1}), a share of the rows in each
// split of grads [replica][splits][arena]. qkv holds the keys before they were smeared.
// One workgroup a head and split: 64 interleaved partial sums, added up in order by the first invocation.
#import lib/tables

override batch: u32;
override ctx: u32;
override heads: u32;
override d_head: u32;
override splits: u32;

struct Params {
    arena: u32,
    alpha: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> qkv: array<f32>;
@group(0) @binding(2) var<storage, read> dsmeared: array<f32>;
@group(0) @binding(3) var<storage, read> weights: array<f32>;
@group(0) @binding(4) var<storage, read_write> grads: array<f32>;

var<workgroup> sums: array<f32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    let m = heads * d_head;
    let rows = batch * ctx;
    let r = group.z;
    let share = (rows + splits - 1u) / splits;
    let end = min((group.y + 1u) * share, rows);
    var sum = 0.0;
    for (var n = group.y * share + lane; n < end; n += 64u) {
        if n % ctx == 0u { continue; }
        let i = (r * rows + n) * 3u * m + m + group.x * d_head;
        for (var e = 0u; e < d_head; e++) {
            sum += dsmeared[i + e] * (qkv[i + e] - qkv[i + e - 3u * m]);
        }
    }
    sums[lane] = sum;
    workgroupBarrier();
    if lane != 0u { return; }
    for (var i = 1u; i < 64u; i++) {
        sum += sums[i];
    }
    let a = 1.0 / (1.0 + exp(-weights[r * params.arena + params.alpha + group.x]));
    grads[(r * splits + group.y) * params.arena + params.alpha + group.x] = a * (1.0 - a) * sum;
}
