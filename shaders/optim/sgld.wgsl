// SGLD around w* (Lau et al. 2023, arXiv 2308.12108), localised by a Gaussian:
//   w += -(eps/2) (nbeta g + gamma (w - w*)) + sqrt(eps) N(0, I),  g = sum over splits.
// grads [replica][splits][count]; anchor [anchors][count] holds w*; groups [count] < 64;
// weights [replica][count]. One Philox block an invocation: its four normals, its four parameters.
// A parameter whose group is masked out, and every parameter at eps 0, is not written at all.
#import lib/tables
#import lib/philox

const NOISE: u32 = 5u;

override count: u32;
override splits: u32;

struct Params {
    anchors: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> grads: array<f32>;
@group(0) @binding(2) var<storage, read> anchor: array<f32>;
@group(0) @binding(3) var<storage, read> groups: array<u32>;
@group(0) @binding(4) var<storage, read_write> weights: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    let r = group.z;
    let chain = replicas[r];
    let block = group.x * 64u + lane;
    let first = 4u * block;
    if (chain.eps == 0.0 || first >= count) {
        return;
    }
    let centre = min(chain.anchor, params.anchors - 1u) * count;
    let noise = sqrt(chain.eps);
    let words = philox(vec4<u32>(block, step_now.index, 0u, 0u), vec2<u32>(chain.seed, NOISE));
    for (var k = 0u; k < min(4u, count - first); k++) {
        let i = first + k;
        let bit = groups[i];
        let mask = select(chain.mask_hi, chain.mask_lo, bit < 32u);
        if (((mask >> (bit & 31u)) & 1u) == 0u) {
            continue;
        }
        var g = 0.0;
        for (var s = 0u; s < splits; s++) {
            g += grads[(r * splits + s) * count + i];
        }
        let at = r * count + i;
        let w = weights[at];
        let drift = chain.nbeta * g + chain.gamma * (w - anchor[centre + i]);
        weights[at] = w - 0.5 * chain.eps * drift + noise * normal_from_word(words[k]);
    }
}
