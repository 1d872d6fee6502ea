// dW = f(x)^T (dy act'(pre)), db = sum dy act'(pre), one partial for each share of the rows.
// f as in nn/linear. x [replica][rows][inner], dy and pre [replica][rows][groups*width],
// grads [replica][splits][arena], W [groups][inner][width].
// A workgroup makes 32 inputs by 32 columns, an invocation 4 by 4; the bias is input number `inner`, a 1.
#import lib/tables
#import lib/activation

override rows: u32;
override ctx: u32;
override inner: u32;
override groups: u32;
override width: u32;
override norm: u32;
override pos_groups: u32;
override bias: u32;
override act: u32;
override splits: u32;

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
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read> pre: array<f32>;
@group(0) @binding(4) var<storage, read> weights: array<f32>;
@group(0) @binding(5) var<storage, read> norms: array<f32>;
@group(0) @binding(6) var<storage, read_write> grads: array<f32>;

fn store(base: u32, i: u32, columns: vec4u, sums: vec4f) {
    for (var j = 0u; j < 4u; j++) {
        let c = columns[j];
        if c < groups * width {
            if i < inner {
                grads[base + params.w + ((c / width) * inner + i) * width + c % width] = sums[j];
            } else if bias == 1u && i == inner {
                grads[base + params.b + c] = sums[j];
            }
        }
    }
}

@compute @workgroup_size(8, 8)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) at: vec3u) {
    let r = group.z;
    let m = groups * width;
    let base = r * params.arena;
    let tiles = (inner + bias + 31u) / 32u;
    let split = group.y / tiles;
    let input = vec4u((group.y % tiles) * 32u + at.y * 4u) + vec4u(0u, 1u, 2u, 3u);
    let i = min(input, vec4u(inner - 1u));
    let columns = vec4u(group.x * 32u + at.x) + vec4u(0u, 8u, 16u, 24u);
    let c = min(columns, vec4u(m - 1u));
    let sees_pos = c / width < vec4u(pos_groups);
    let is_one = input >= vec4u(inner);
    var ln_w = vec4f(1.0);
    var ln_b = vec4f(0.0);
    if norm == 1u {
        let w = base + params.ln_w + i;
        let b = base + params.ln_b + i;
        ln_w = vec4f(weights[w.x], weights[w.y], weights[w.z], weights[w.w]);
        ln_b = vec4f(weights[b.x], weights[b.y], weights[b.z], weights[b.w]);
    }
    let share = (rows + splits - 1u) / splits;
    let start = min(split * share, rows);
    let stop = min(start + share, rows);
    var a0 = vec4f(0.0);
    var a1 = vec4f(0.0);
    var a2 = vec4f(0.0);
    var a3 = vec4f(0.0);
    for (var row = start; row < stop; row++) {
        let n = r * rows + row;
        let f = n * inner + i;
        var v = vec4f(x[f.x], x[f.y], x[f.z], x[f.w]);
        if norm == 1u {
            v = (v - norms[2u * n]) * norms[2u * n + 1u] * ln_w + ln_b;
        }
        let k = n * m + c;
        var d = vec4f(dy[k.x], dy[k.y], dy[k.z], dy[k.w]);
        if act != 0u {
            d *= slope(vec4f(pre[k.x], pre[k.y], pre[k.z], pre[k.w]));
        }
        v = select(v, vec4f(1.0), is_one);
        var q = v;
        if pos_groups != 0u {
            let p = base + params.w_pos + (row % ctx) * inner + i;
            q += vec4f(weights[p.x], weights[p.y], weights[p.z], weights[p.w]);
        }
        a0 += select(vec4f(v.x), vec4f(q.x), sees_pos) * d;
        a1 += select(vec4f(v.y), vec4f(q.y), sees_pos) * d;
        a2 += select(vec4f(v.z), vec4f(q.z), sees_pos) * d;
        a3 += select(vec4f(v.w), vec4f(q.w), sees_pos) * d;
    }
    let to = (r * splits + split) * params.arena;
    store(to, input.x, columns, a0);
    store(to, input.y, columns, a1);
    store(to, input.z, columns, a2);
    store(to, input.w, columns, a3);
}
