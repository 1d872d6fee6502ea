// Modular addition, forward and backward: logits = W_U gelu(W_a E[a] + b_a + W_b E[b] + b_b),
// loss = cross-entropy at (a + b) mod vocab; GELU as in lib/activation.
// A replica's weights: W_E [vocab][embed], W_a [embed][hidden], b_a, W_b, b_b, W_U [hidden][vocab].
// feed [slot][feed_rows][pairs a vocab + b, then classes]; losses and hits [replica][rows];
// grads [replica][splits][parameters]. A workgroup takes a split, `tile` (at most 16) rows at a time.
#import lib/tables
#import lib/activation
#import lib/modadd_backward

const act: u32 = 2u;
override rows: u32;
override vocab: u32; override embed: u32; override hidden: u32;
override targets: u32;
override splits: u32; override tile: u32;
override backward: u32;

struct Params {
    feed_rows: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> feed: array<u32>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read_write> losses: array<f32>;
@group(0) @binding(4) var<storage, read_write> hits: array<f32>;
@group(0) @binding(5) var<storage, read_write> grads: array<f32>;

// Of a tile: activations; slopes, later the gradients before the GELU; logits, later their
// gradients; the gradients at both embeddings.
var<workgroup> mem: array<f32, 3072>;
// a, b, and whether the row counts.
var<workgroup> tokens: array<vec3u, 16>;
var<workgroup> tops: array<f32, 256>;
var<workgroup> sums: array<f32, 256>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    let r = group.z;
    let input = vocab * embed;
    let step = (embed + 1u) * hidden;
    let unembed = input + 2u * step;
    let count = unembed + hidden * vocab;
    let w = r * count;
    let slopes = tile * hidden;
    let logits = 2u * slopes;
    let data = min(replicas[r].data_row, params.feed_rows - 1u);
    let pairs = (step_now.slot * params.feed_rows + data) * 2u * rows;
    let share = (rows + splits - 1u) / splits;
    let begin = group.x * share;
    let end = min(begin + share, rows);
    // At least one tile, so that a split without rows still writes its zeros.
    let tiles = max((max(end, begin) - begin + tile - 1u) / tile, 1u);

    for (var t = 0u; t < tiles; t++) {
        let first = begin + t * tile;
        if lane < tile {
            let n = first + lane;
            let live = n < end && feed[pairs + rows + min(n, rows - 1u)] != 0u;
            let pair = min(feed[pairs + min(n, rows - 1u)], vocab * vocab - 1u);
            tokens[lane] = vec3u(pair / vocab, pair % vocab, select(0u, 1u, live));
        }
        workgroupBarrier();
        for (var i = lane; i < slopes; i += 256u) {
            let at = tokens[i / hidden].xy * embed;
            let h = i % hidden;
            var x = weights[w + input + embed * hidden + h] + weights[w + input + step + embed * hidden + h];
            for (var e = 0u; e < embed; e++) {
                let by = w + input + e * hidden + h;
                x += weights[w + at.x + e] * weights[by] + weights[w + at.y + e] * weights[by + step];
            }
            mem[i] = activate(vec4f(x)).x;
            mem[slopes + i] = slope(vec4f(x)).x;
        }
        workgroupBarrier();
        for (var i = lane; i < tile * vocab; i += 256u) {
            let row = i / vocab * hidden;
            var y = 0.0;
            for (var h = 0u; h < hidden; h++) { y += mem[row + h] * weights[w + unembed + h * vocab + i % vocab]; }
            mem[logits + i] = y;
        }
        workgroupBarrier();

        // 16 invocations share a row; partial maxima and sums are combined in lane order.
        let mine = lane / 16u;
        let start = logits + mine * vocab;
        let inside = mine < tile;
        let pair = tokens[min(mine, tile - 1u)];
        let answer = (pair.x + pair.y) % vocab;
        var top = -1e30;
        if inside {
            for (var c = lane % 16u; c < vocab; c += 16u) { top = max(top, mem[start + c]); }
        }
        tops[lane] = top;
        workgroupBarrier();
        for (var i = 0u; i < 16u; i++) { top = max(top, tops[mine * 16u + i]); }
        let aim = mem[min(start + answer, 3071u)];
        var sum = 0.0;
        if inside {
            for (var c = lane % 16u; c < vocab; c += 16u) { sum += exp(mem[start + c] - top); }
        }
        sums[lane] = sum;
        workgroupBarrier();
        sum = 0.0;
        for (var i = 0u; i < 16u; i++) { sum += sums[mine * 16u + i]; }
        let live = inside && pair.z == 1u;
        if inside && first + mine < end && lane % 16u == 0u {
            let n = r * rows + first + mine;
            losses[n] = select(0.0, log(sum) - (aim - top), live);
            hits[n] = select(0.0, 1.0, live && aim >= top);
        }
        if inside {
            for (var c = lane % 16u; c < vocab; c += 16u) {
                let d = exp(mem[start + c] - top) / sum - select(0.0, 1.0, c == answer);
                mem[start + c] = select(0.0, d / f32(targets), live);
            }
        }
        if backward == 1u { way_back(lane, w, (r * splits + group.x) * count, t > 0u); }
        workgroupBarrier();
    }
}
