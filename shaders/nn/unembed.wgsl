// logits = f(x) W_U, f an optional LayerNorm, W_U the transpose of W_E where tied; losses = logsumexp(logits) - logit of the next token;
// dlogits = (softmax - one-hot)/targets. Both are 0 where the class of the position is 0.
// x [replica][rows][inner], W_U [inner][vocab], feed as in nn/embed, dlogits [replica][rows][vocab],
// losses [replica][rows], norms [replica][rows][mean, 1/sigma].
// A workgroup takes `tile` rows (at most 4, tile*vocab at most 3072), 16 invocations a row. Its memory is
// no larger than that: a software adapter writes its zeros one by one into the pipeline it compiles.
#import lib/tables
#import lib/moments

override rows: u32;
override inner: u32;
override vocab: u32;
override norm: u32;
override targets: u32;
override tile: u32;
override tied: u32;

struct Params {
    arena: u32,
    w_u: u32,
    ln_w: u32,
    ln_b: u32,
    feed_rows: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read> feed: array<u32>;
@group(0) @binding(4) var<storage, read_write> dlogits: array<f32>;
@group(0) @binding(5) var<storage, read_write> losses: array<f32>;
@group(0) @binding(6) var<storage, read_write> norms: array<f32>;

var<workgroup> logits: array<f32, tile * vocab>;
var<workgroup> moments: array<vec2f, 4>;
var<workgroup> tops: array<f32, 64>;
var<workgroup> sums: array<f32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    let r = group.z;
    let base = r * params.arena;
    let first = group.x * tile;
    if norm == 1u {
        if lane < tile && first + lane < rows {
            let n = r * rows + first + lane;
            let pair = moments_of(n);
            moments[lane] = pair;
            norms[2u * n] = pair.x;
            norms[2u * n + 1u] = pair.y;
        }
        workgroupBarrier();
    }

    // Every invocation takes every 64th column of all rows of the tile.
    let source = (r * rows + min(vec4u(first) + vec4u(0u, 1u, 2u, 3u), vec4u(rows - 1u))) * inner;
    var mean = vec4f(0.0);
    var rstd = vec4f(1.0);
    if norm == 1u {
        for (var j = 0u; j < tile; j++) {
            mean[j] = moments[j].x;
            rstd[j] = moments[j].y;
        }
    }
    let step = select(vec2u(vocab, 1u), vec2u(1u, inner), tied == 1u);
    for (var c = lane; c < vocab; c += 64u) {
        var a = vec4f(0.0);
        for (var i = 0u; i < inner; i++) {
            let f = source + i;
            var v = vec4f(x[f.x], x[f.y], x[f.z], x[f.w]);
            if norm == 1u {
                v = (v - mean) * rstd * weights[base + params.ln_w + i] + weights[base + params.ln_b + i];
            }
            a += v * weights[base + params.w_u + i * step.x + c * step.y];
        }
        for (var j = 0u; j < tile; j++) { logits[j * vocab + c] = a[j]; }
    }
    workgroupBarrier();

    // Then 16 invocations share a row; the partial maxima and sums are combined in lane order.
    let mine = lane / 16u;
    let row = first + mine;
    let live = mine < tile && row < rows;
    let start = mine * vocab;
    var top = -1e30;
    if live {
        for (var c = lane % 16u; c < vocab; c += 16u) { top = max(top, logits[start + c]); }
    }
    tops[lane] = top;
    workgroupBarrier();
    for (var i = 0u; i < 16u; i++) { top = max(top, tops[mine * 16u + i]); }
    var sum = 0.0;
    if live {
        for (var c = lane % 16u; c < vocab; c += 16u) { sum += exp(logits[start + c] - top); }
    }
    sums[lane] = sum;
    workgroupBarrier();
    if !live {
        return;
    }
    sum = 0.0;
    for (var i = 0u; i < 16u; i++) { sum += sums[mine * 16u + i]; }

    let data = (step_now.slot * params.feed_rows + replicas[r].data_row) * 2u * rows;
    let next = min(feed[data + row + 1u], vocab - 1u);
    var share = 1.0 / f32(targets);
    var loss = log(sum) - (logits[start + next] - top);
    if feed[data + rows + row] == 0u {
        share = 0.0;
        loss = 0.0;
    }
    let n = r * rows + row;
    for (var c = lane % 16u; c < vocab; c += 16u) {
        var d = exp(logits[start + c] - top) / sum;
        if c == next { d -= 1.0; }
        dlogits[n * vocab + c] = d * share;
    }
    if lane % 16u == 0u { losses[n] = loss; }
}
