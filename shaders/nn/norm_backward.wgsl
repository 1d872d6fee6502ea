// Backward pass of LayerNorm. xh = (x - mean) r, g = dn w:
//   dx = r (g - mean(g) - xh mean(g xh)) (+ dresidual),   dw = sum dn xh,   db = sum dn.
// x, dn, dresidual, dx [replica][rows][inner]; norms [replica][rows][mean, r]; grads [replica][splits][arena].
// The first workgroups take 64 rows each, the others 64 columns of one split each.
#import lib/tables

override rows: u32;
override inner: u32;
override residual: u32;
override splits: u32;

struct Params {
    arena: u32,
    ln_w: u32,
    ln_b: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> norms: array<f32>;
@group(0) @binding(3) var<storage, read> dn: array<f32>;
@group(0) @binding(4) var<storage, read> weights: array<f32>;
@group(0) @binding(5) var<storage, read> dresidual: array<f32>;
@group(0) @binding(6) var<storage, read_write> dx: array<f32>;
@group(0) @binding(7) var<storage, read_write> grads: array<f32>;

fn row_gradient(r: u32, row: u32) {
    let n = r * rows + row;
    let mean = norms[2u * n];
    let rstd = norms[2u * n + 1u];
    let w = r * params.arena + params.ln_w;
    var g1 = 0.0;
    var g2 = 0.0;
    for (var i = 0u; i < inner; i++) {
        let g = dn[n * inner + i] * weights[w + i];
        g1 += g;
        g2 += g * ((x[n * inner + i] - mean) * rstd);
    }
    g1 /= f32(inner);
    g2 /= f32(inner);
    for (var i = 0u; i < inner; i++) {
        let at = n * inner + i;
        let g = dn[at] * weights[w + i];
        var d = rstd * (g - g1 - (x[at] - mean) * rstd * g2);
        if residual == 1u {
            d += dresidual[at];
        }
        dx[at] = d;
    }
}

fn column_gradient(r: u32, split: u32, i: u32) {
    let share = (rows + splits - 1u) / splits;
    let start = min(split * share, rows);
    let stop = min(start + share, rows);
    var dw = 0.0;
    var db = 0.0;
    for (var n = r * rows + start; n < r * rows + stop; n++) {
        let d = dn[n * inner + i];
        dw += d * ((x[n * inner + i] - norms[2u * n]) * norms[2u * n + 1u]);
        db += d;
    }
    let base = (r * splits + split) * params.arena;
    grads[base + params.ln_w + i] = dw;
    grads[base + params.ln_b + i] = db;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    let row_groups = (rows + 63u) / 64u;
    if group.x < row_groups {
        let row = group.x * 64u + lane;
        if row < rows {
            row_gradient(group.z, row);
        }
        return;
    }
    let column_groups = (inner + 63u) / 64u;
    let block = group.x - row_groups;
    let i = (block % column_groups) * 64u + lane;
    if i < inner {
        column_gradient(group.z, block / column_groups, i);
    }
}
