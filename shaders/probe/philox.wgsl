// words[replica][4·block + lane] = the Philox word as its two halves, each exact in f32;
// normals[replica][4·block + lane] = the standard normal made of it.
// key = (replica seed, stream), counter = (block, step, 0, 0).
#import lib/tables
#import lib/philox

override blocks: u32;

struct Params {
    stream: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> words: array<vec2<f32>>;
@group(0) @binding(2) var<storage, read_write> normals: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let block = id.x;
    if (block >= blocks) {
        return;
    }
    let key = vec2<u32>(replicas[id.z].seed, params.stream);
    let w = philox(vec4<u32>(block, step_now.index, 0u, 0u), key);
    let at = 4u * (id.z * blocks + block);
    for (var lane = 0u; lane < 4u; lane++) {
        words[at + lane] = vec2<f32>(f32(w[lane] >> 16u), f32(w[lane] & 0xFFFFu));
        normals[at + lane] = normal_from_word(w[lane]);
    }
}
