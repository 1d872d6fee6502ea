// dx = (dy act'(pre)) W^T (+ dresidual); the part through the first pos_groups column groups is also
// written to section `layer` of dpos. dy and pre [replica][rows][groups*width], W [groups][inner][width],
// dx and dresidual [replica][rows][inner], dpos [layer][replica][rows][inner].
// A workgroup makes 32 rows by 32 columns of dx, an invocation 4 by 4.
#import lib/tables
#import lib/activation

override rows: u32;
override inner: u32;
override groups: u32;
override width: u32;
override pos_groups: u32;
override act: u32;
override residual: u32;

struct Params {
    arena: u32,
    w: u32,
    layer: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read> pre: array<f32>;
@group(0) @binding(4) var<storage, read> dresidual: array<f32>;
@group(0) @binding(5) var<storage, read_write> dx: array<f32>;
@group(0) @binding(6) var<storage, read_write> dpos: array<f32>;

fn store(n: u32, columns: vec4u, sums: vec4f) {
    for (var j = 0u; j < 4u; j++) {
        if columns[j] < inner {
            let at = n * inner + columns[j];
            var out = sums[j];
            if residual == 1u {
                out += dresidual[at];
            }
            dx[at] = out;
        }
    }
}

fn store_pos(n: u32, columns: vec4u, sums: vec4f) {
    for (var j = 0u; j < 4u; j++) {
        if columns[j] < inner {
            dpos[n * inner + columns[j]] = sums[j];
        }
    }
}

@compute @workgroup_size(8, 8)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) grid: vec3u,
    @builtin(local_invocation_id) at: vec3u,
) {
    let r = group.z;
    let m = groups * width;
    let row = vec4u(group.y * 32u + at.y * 4u) + vec4u(0u, 1u, 2u, 3u);
    let n = r * rows + min(row, vec4u(rows - 1u));
    let columns = vec4u(group.x * 32u + at.x) + vec4u(0u, 8u, 16u, 24u);
    let i = min(columns, vec4u(inner - 1u));
    var a0 = vec4f(0.0);
    var a1 = vec4f(0.0);
    var a2 = vec4f(0.0);
    var a3 = vec4f(0.0);
    for (var g = 0u; g < groups; g++) {
        if pos_groups != 0u && g == pos_groups {
            let section = (params.layer * grid.z + r) * rows;
            if row.x < rows { store_pos(section + row.x, columns, a0); }
            if row.y < rows { store_pos(section + row.y, columns, a1); }
            if row.z < rows { store_pos(section + row.z, columns, a2); }
            if row.w < rows { store_pos(section + row.w, columns, a3); }
        }
        let from_w = r * params.arena + params.w + (g * inner + i) * width;
        let from_dy = n * m + g * width;
        for (var e = 0u; e < width; e++) {
            let k = from_w + e;
            let w = vec4f(weights[k.x], weights[k.y], weights[k.z], weights[k.w]);
            let f = from_dy + e;
            var d = vec4f(dy[f.x], dy[f.y], dy[f.z], dy[f.w]);
            if act != 0u {
                d *= slope(vec4f(pre[f.x], pre[f.y], pre[f.z], pre[f.w]));
            }
            a0 += d.x * w;
            a1 += d.y * w;
            a2 += d.z * w;
            a3 += d.w * w;
        }
    }
    if row.x < rows { store(r * rows + row.x, columns, a0); }
    if row.y < rows { store(r * rows + row.y, columns, a1); }
    if row.z < rows { store(r * rows + row.z, columns, a2); }
    if row.w < rows { store(r * rows + row.w, columns, a3); }
}
