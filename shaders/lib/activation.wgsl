// The activation numbered `act` (an override of the importing kernel): 1 ReLU, 2 GELU (gelu_new),
// written as x times a sigmoid: no tanh, which WGSL keeps to 1e-5 only. The clamp keeps exp finite.
fn gate(v: vec4f) -> vec4f {
    let u = clamp(1.5957691216057308 * (v + 0.044715 * v * v * v), vec4f(-80.0), vec4f(80.0));
    return 1.0 / (1.0 + exp(-u));
}

fn activate(v: vec4f) -> vec4f {
    if act == 1u {
        return max(v, vec4f(0.0));
    }
    if act == 2u {
        return v * gate(v);
    }
    return v;
}

fn slope(v: vec4f) -> vec4f {
    if act == 1u {
        return select(vec4f(0.0), vec4f(1.0), v > vec4f(0.0));
    }
    let s = gate(v);
    return s + v * s * (1.0 - s) * 1.5957691216057308 * (1.0 + 0.134145 * v * v);
}
