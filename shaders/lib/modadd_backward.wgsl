// The way back of nn/modadd, over its workgroup memory: from the gradients of a tile's logits to
// grads, from `out` on; `later` tiles add to what the first has written. Called by all 256.
fn accumulate(at: u32, value: f32, later: bool) {
    if later { grads[at] += value; } else { grads[at] = value; }
}

fn way_back(lane: u32, w: u32, out: u32, later: bool) {
    let input = vocab * embed;
    let step = (embed + 1u) * hidden;
    let unembed = input + 2u * step;
    let dpre = tile * hidden;
    let dlogits = 2u * dpre;
    let dx = dlogits + tile * vocab;
    workgroupBarrier();
    for (var i = lane; i < hidden * vocab; i += 256u) {
        var g = 0.0;
        for (var j = 0u; j < tile; j++) { g += mem[j * hidden + i / vocab] * mem[dlogits + j * vocab + i % vocab]; }
        accumulate(out + unembed + i, g, later);
    }
    for (var i = lane; i < dpre; i += 256u) {
        var g = 0.0;
        for (var c = 0u; c < vocab; c++) {
            g += mem[dlogits + i / hidden * vocab + c] * weights[w + unembed + i % hidden * vocab + c];
        }
        mem[dpre + i] *= g;
    }
    workgroupBarrier();
    // Both input matrices, each with its bias as the row after the last.
    for (var i = lane; i < 2u * step; i += 256u) {
        let e = i % step / hidden;
        var g = 0.0;
        for (var j = 0u; j < tile; j++) {
            let d = mem[dpre + j * hidden + i % hidden];
            if e < embed { g += weights[w + tokens[j][i / step] * embed + e] * d; } else { g += d; }
        }
        accumulate(out + input + i, g, later);
    }
    // Gradients at the embeddings, [row][side][embed].
    for (var i = lane; i < tile * 2u * embed; i += 256u) {
        let row = dpre + i / (2u * embed) * hidden;
        let by = w + input + i / embed % 2u * step + i % embed * hidden;
        var g = 0.0;
        for (var h = 0u; h < hidden; h++) { g += mem[row + h] * weights[by + h]; }
        mem[dx + i] = g;
    }
    workgroupBarrier();
    // Each entry of W_E looks for its own token.
    for (var i = lane; i < input; i += 256u) {
        var g = 0.0;
        for (var j = 0u; j < tile; j++) {
            let at = dx + j * 2u * embed + i % embed;
            if tokens[j].x == i / embed { g += mem[at]; }
            if tokens[j].y == i / embed { g += mem[at + embed]; }
        }
        accumulate(out + i, g, later);
    }
}
