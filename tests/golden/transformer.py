"""Writes transformer.json: a reference for tests/golden.rs, in float64, independent of the program.

Four tiny transformers (with LayerNorm and a GELU MLP; attention-only; with a SoLU MLP and its
LayerNorm; with a tied unembedding and a ReLU MLP): weights, tokens, logits, loss, every gradient, and ten AdamW steps on the same batch.

    python3 tests/golden/transformer.py > tests/golden/transformer.json
"""

import json

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)


def tensors(c):
    d, h, dh, m = c["d_model"], c["n_heads"], c["d_head"], c["d_mlp"]
    shapes = {"embed.W_E": (c["d_vocab"], d), "pos_embed.W_pos": (c["n_ctx"], d)}
    for l in range(c["n_layers"]):
        b = f"blocks.{l}."
        if c["layernorm"]:
            shapes |= {b + "ln1.w": (d,), b + "ln1.b": (d,)}
        shapes |= {b + f"attn.W_{x}": (h, d, dh) for x in "QKV"}
        shapes[b + "attn.W_O"] = (h, dh, d)
        if m:
            if c["layernorm"]:
                shapes |= {b + "ln2.w": (d,), b + "ln2.b": (d,)}
            shapes |= {b + "mlp.W_in": (d, m), b + "mlp.b_in": (m,)}
            if c["act"] == "solu":
                shapes |= {b + "mlp.ln.w": (m,), b + "mlp.ln.b": (m,)}
            shapes |= {b + "mlp.W_out": (m, d), b + "mlp.b_out": (d,)}
    if c["layernorm"]:
        shapes |= {"ln_final.w": (d,), "ln_final.b": (d,)}
    if not c["tied"]:
        shapes["unembed.W_U"] = (d, c["d_vocab"])
    return shapes


def forward(c, p, tokens):
    T, dh = c["n_ctx"], c["d_head"]

    def norm(x, name):
        return F.layer_norm(x, x.shape[-1:], p[name + ".w"], p[name + ".b"], eps=1e-5)

    def ln(x, name):
        return norm(x, name) if c["layernorm"] else x

    x = p["embed.W_E"][tokens] + p["pos_embed.W_pos"][:T]
    hidden = torch.triu(torch.ones(T, T, dtype=torch.bool), diagonal=1)
    for l in range(c["n_layers"]):
        b = f"blocks.{l}."
        n = ln(x, b + "ln1")
        q, k, v = (torch.einsum("btd,hde->bhte", n, p[b + f"attn.W_{y}"]) for y in "QKV")
        scores = (q @ k.transpose(-1, -2) / dh**0.5).masked_fill(hidden, float("-inf"))
        z = torch.softmax(scores, -1) @ v
        x = x + torch.einsum("bhte,hed->btd", z, p[b + "attn.W_O"])
        if c["d_mlp"]:
            n = ln(x, b + "ln2")
            pre = n @ p[b + "mlp.W_in"] + p[b + "mlp.b_in"]
            if c["act"] == "gelu":
                post = F.gelu(pre, approximate="tanh")
            elif c["act"] == "relu":
                post = F.relu(pre)
            else:
                post = norm(pre * torch.softmax(pre, -1), b + "mlp.ln")
            x = x + post @ p[b + "mlp.W_out"] + p[b + "mlp.b_out"]
    unembedding = p["embed.W_E"].T if c["tied"] else p["unembed.W_U"]
    return ln(x, "ln_final") @ unembedding


def record(c, seed):
    g = torch.Generator().manual_seed(seed)
    p = {
        # Rounded to f32, so that both precisions of the program start at the same weights.
        n: (0.4 * torch.randn(s, generator=g)).float().double().requires_grad_()
        for n, s in tensors(c).items()
    }
    tokens = torch.randint(0, c["d_vocab"], (c["batch"], c["n_ctx"]), generator=g)

    def loss_of(logits):
        return F.cross_entropy(logits[:, :-1].flatten(0, 1), tokens[:, 1:].flatten())

    flat = lambda t: [float(f"{x:.12g}") for x in t.detach().flatten().tolist()]
    out = {"config": c, "names": list(p), "weights": {n: flat(t) for n, t in p.items()}}
    out["tokens"] = tokens.flatten().tolist()
    logits = forward(c, p, tokens)
    loss = loss_of(logits)
    out |= {"logits": flat(logits), "loss": loss.item()}
    loss.backward()
    out["grads"] = {n: flat(t.grad) for n, t in p.items()}
    adamw = {"lr": 3e-3, "beta1": 0.9, "beta2": 0.98, "eps": 1e-8, "weight_decay": 0.01}
    optimiser = torch.optim.AdamW(
        list(p.values()),
        lr=adamw["lr"],
        betas=(adamw["beta1"], adamw["beta2"]),
        eps=adamw["eps"],
        weight_decay=adamw["weight_decay"],
    )
    losses = []
    for _ in range(10):
        optimiser.zero_grad()
        loss = loss_of(forward(c, p, tokens))
        losses.append(loss.item())
        loss.backward()
        optimiser.step()
    out |= {"adamw": adamw, "losses": losses, "after": {n: flat(t) for n, t in p.items()}}
    return out


small = {"d_vocab": 9, "n_ctx": 6, "d_model": 8, "n_heads": 2, "d_head": 4, "batch": 2}
runs = [
    record(small | {"n_layers": n, "d_mlp": m, "layernorm": ln, "act": act, "tied": tied}, seed)
    for seed, (n, m, ln, act, tied) in enumerate(
        [
            (1, 12, True, "gelu", False),
            (2, 0, False, "relu", False),
            (2, 12, False, "solu", False),
            (1, 12, True, "relu", True),
        ],
        start=1,
    )
]
print(json.dumps(runs, separators=(",", ":")))
