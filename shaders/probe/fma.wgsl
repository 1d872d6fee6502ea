// out[replica][i] = eight chains x <- x·a + b of vec4, `rounds` long, summed: 64·rounds floating
// point operations an invocation, without memory traffic. Its rate is the device's peak.
#import lib/tables

override groups: u32;
override rounds: u32;

struct Params {
    a: f32,
    b: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let a = vec4<f32>(params.a);
    let b = vec4<f32>(params.b);
    let start = f32(id.x % 64u) / 64.0;
    var x0 = vec4<f32>(start, start + 1.0, start + 2.0, start + 3.0);
    var x1 = x0 + 4.0;
    var x2 = x0 + 8.0;
    var x3 = x0 + 12.0;
    var x4 = x0 + 16.0;
    var x5 = x0 + 20.0;
    var x6 = x0 + 24.0;
    var x7 = x0 + 28.0;
    for (var i = 0u; i < rounds; i++) {
        x0 = fma(x0, a, b);
        x1 = fma(x1, a, b);
        x2 = fma(x2, a, b);
        x3 = fma(x3, a, b);
        x4 = fma(x4, a, b);
        x5 = fma(x5, a, b);
        x6 = fma(x6, a, b);
        x7 = fma(x7, a, b);
    }
    let sum = ((x0 + x1) + (x2 + x3)) + ((x4 + x5) + (x6 + x7));
    out[id.z * groups * 64u + id.x] = (sum.x + sum.y) + (sum.z + sum.w);
}
