// y = act(f(x) W + b) (+ resid), f an optional LayerNorm plus, for the first pos_groups column groups,
// the position. x [replica][rows][inner], W [groups][inner][width], y and pre [replica][rows][groups*width],
// norms [replica][rows][mean, 1/sigma].
// A workgroup makes 32 rows by 32 columns, an invocation 4 by 4.
#import lib/tables
#import lib/activation
#import lib/moments

override rows: u32;
override ctx: u32;
override inner: u32;
override groups: u32;
override width: u32;
override norm: u32;
override pos_groups: u32;
override bias: u32;
override act: u32;
override residual: u32;

struct Params {
    arena: u32,
    w: u32,
    b: u32,
    ln_w: u32,
    ln_b: u32,
    w_pos: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read> resid: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read_write> pre: array<f32>;
@group(0) @binding(6) var<storage, read_write> norms: array<f32>;

var<workgroup> moments: array<vec2f, 32>;

fn store(n: u32, columns: vec4u, sums: vec4f) {
    let m = groups * width;
    let v = activate(sums);
    for (var j = 0u; j < 4u; j++) {
        if columns[j] < m {
            let at = n * m + columns[j];
            if act != 0u { pre[at] = sums[j]; }
            y[at] = v[j];
            if residual == 1u { y[at] = v[j] + resid[at]; }
        }
    }
}

@compute @workgroup_size(8, 8)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(local_invocation_id) at: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let r = group.z;
    let base = r * params.arena;
    if norm == 1u {
        let row = group.y * 32u + lane;
        if lane < 32u && row < rows {
            let n = r * rows + row;
            let pair = moments_of(n);
            moments[lane] = pair;
            if group.x == 0u {
                norms[2u * n] = pair.x;
                norms[2u * n + 1u] = pair.y;
            }
        }
        workgroupBarrier();
    }
    let m = groups * width;
    let row = vec4u(group.y * 32u + at.y * 4u) + vec4u(0u, 1u, 2u, 3u);
    let n = min(row, vec4u(rows - 1u));
    let columns = vec4u(group.x * 32u + at.x) + vec4u(0u, 8u, 16u, 24u);
    let c = min(columns, vec4u(m - 1u));
    let from_row = (r * rows + n) * inner;
    let from_w = base + params.w + (c / width) * inner * width + c % width;
    let from_pos = base + params.w_pos + (n % ctx) * inner;
    let sees_pos = c / width < vec4u(pos_groups);
    var a0 = vec4f(0.0);
    if bias == 1u {
        let b = base + params.b + c;
        a0 = vec4f(weights[b.x], weights[b.y], weights[b.z], weights[b.w]);
    }
    var a1 = a0;
    var a2 = a0;
    var a3 = a0;
    var mean = vec4f(0.0);
    var rstd = vec4f(1.0);
    if norm == 1u {
        for (var j = 0u; j < 4u; j++) {
            mean[j] = moments[at.y * 4u + j].x;
            rstd[j] = moments[at.y * 4u + j].y;
        }
    }
    for (var i = 0u; i < inner; i++) {
        let k = from_w + i * width;
        let w = vec4f(weights[k.x], weights[k.y], weights[k.z], weights[k.w]);
        let f = from_row + i;
        var v = vec4f(x[f.x], x[f.y], x[f.z], x[f.w]);
        if norm == 1u {
            v = (v - mean) * rstd * weights[base + params.ln_w + i] + weights[base + params.ln_b + i];
        }
        var q = v;
        if pos_groups != 0u {
            let p = from_pos + i;
            q += vec4f(weights[p.x], weights[p.y], weights[p.z], weights[p.w]);
        }
        a0 += select(vec4f(v.x), vec4f(q.x), sees_pos) * w;
        a1 += select(vec4f(v.y), vec4f(q.y), sees_pos) * w;
        a2 += select(vec4f(v.z), vec4f(q.z), sees_pos) * w;
        a3 += select(vec4f(v.w), vec4f(q.w), sees_pos) * w;
    }
    if row.x < rows { store(r * rows + row.x, columns, a0); }
    if row.y < rows { store(r * rows + row.y, columns, a1); }
    if row.z < rows { store(r * rows + row.z, columns, a2); }
    if row.w < rows { store(r * rows + row.w, columns, a3); }
}
