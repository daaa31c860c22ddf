"""What make_layer_fixtures.py --check does: golden vectors of models.md section 12, PyTorch's own layers, float32.

The golden vectors were computed elsewhere, with numpy, on column vectors (y = W·x); F(s, shape)[i] = sin(s + 0.37·i).
"""

import math

import torch
from torch import nn
from torch.func import functional_call

from sequence_layers import LargeWeights, SequenceNetwork, lstm_step, sinusoid


def fill(s, *shape):
    return torch.sin(s + 0.37 * torch.arange(math.prod(shape))).reshape(shape)


def network(entries):
    weights = LargeWeights(None)
    weights.entries = entries
    return SequenceNetwork(weights, True, 1)


# Golden vectors

def golden():
    """Name, ours, expected."""
    yes = lambda *shape: torch.ones(shape, dtype=torch.bool)
    w, u = [fill(s, 3, 2).T for s in (1, 2, 3)], [fill(s, 3, 3).T for s in (4, 5, 6)]
    b = [fill(s, 1, 3) for s in (7, 8, 9)]
    x, h, a, nothing = fill(11, 1, 1, 2), fill(12, 1, 3), torch.tensor([[0.3]]), torch.zeros(1, 3)
    for kind, form, update, before, after in [
        ("augru", "product", "take", "-.427955858 -.066539685 .286061109", "-.451783708 -.103430436 .210581701"),
        ("augru", "union", "keep", ".286214994 .533556224 .596908234", ".105716024 .324480954 .314350502"),
        ("agru", None, "take", "-.213704602 .113489088 .379315247", "-.284533789 .024942981 .241712341"),
        ("gru", None, "take", "-.174516050 .233460027 .550434345", "-.253942219 .110490858 .298836317"),
    ]:
        gates = slice(1, 3) if kind == "agru" else slice(0, 3)
        entries = {"layer.input.weight": w, "layer.hidden.weight": u, "layer.bias": b}
        entries |= {"layer.hidden.bias": [nothing, nothing, fill(10, 1, 3)]}
        layer = network({name: torch.cat(parts[gates], 1) for name, parts in entries.items()})
        for reset, expected in (("before", before), ("after", after)):
            options = {"reset": reset, "update": update, "hidden_bias": reset == "after"}
            y = layer.gru("layer", x, yes(1, 1), 3, options, kind, a, form, state=h)
            yield f"{kind} {form or ''} {update}, reset {reset}", y, expected

    d = {"kind": "mlp", "query": "none", "hidden": [4], "activation": "sigmoid"}
    unit = network({
        "p.0.weight": 0.5 * fill(3, 4, 8).T, "p.0.bias": 0.1 * fill(4, 1, 4), "p.output.weight": fill(5, 1, 4).T,
        "p.output.bias": fill(6, 1, 1),
    })
    keys, mask = fill(2, 1, 3, 2), torch.tensor([[True, True, False]])
    for normalization, weights, pooled in [
        ("none", "-1.305531753 -1.323311578 0", "-1.704379018 -.952118198"),
        ("softmax", ".504444839 .495555161 0", ".652395364 .367391455"),
    ]:
        weight = unit.interest("p", fill(1, 1, 2), keys, mask, d | {"normalization": normalization}, 2)
        yield f"DIN unit, {normalization}", weight, weights
        yield f"DIN unit, {normalization}, pooled", weight @ keys[0], pooled

    norm = network({"layer.gamma": fill(2, 1, 4), "layer.beta": fill(3, 1, 4)}).layer_norm("layer", fill(1, 2, 4), 1e-5)
    yield "LayerNorm", norm, (
        "-.876368520 .436737246 -.157600801 -.851467331 1.338580919 .111079604 -.738432957 -.866721119")
    yield "PE", sinusoid(3, 4), (
        "0 1 0 1 .841470985 .540302306 .009999833 .999950000 .909297427 -.416146837 .019998667 .999800007")
    bias = network({"layer.session": fill(1, 1, 2), "layer.behavior": fill(2, 1, 2), "layer.unit": fill(3, 1, 2)})
    yield "BE", bias.bias_encoding("layer", torch.tensor([[0, 1]]), 2, 2, 2), (
        "1.891888420 1.524341890 1.679868731 1.312322201 2.030325496 1.662778966 1.818305808 1.450759278")
    heads = {"heads": 2, "projections": "full", "scale": "head", "blinding": False, "output": False}
    heads_of = network({f"layer.{p}.weight": 0.5 * fill(s, 4, 4) for p, s in (("query", 2), ("key", 3), ("value", 4))})
    q = fill(1, 1, 3, 4)
    yield "MHSA", heads_of.self_attention("layer", q, q, mask, heads), (
        "-.280803005 -.226732275 -.152025427 -.046067049 -.269414338 -.214395650 -.158618066 -.051357740 0 0 0 0")
    p = fill(4, 1, 2) @ fill(1, 8, 2).T + fill(3, 1, 8)
    step = lstm_step(p, fill(5, 1, 2), fill(6, 1, 2), fill(2, 8, 2).T, None)
    yield "LSTM h'", step[0], "-.021516119 .013954801"
    yield "LSTM c'", step[1], "-.054552520 .156339657"


# PyTorch's own layers, sequence by sequence: no padding, no mask

def sequences(case, *rows):
    """The rows of every sequence that has any, with its number."""
    first = 0
    for number, length in enumerate(case.lengths):
        if length > 0:
            yield number, *[r[first : first + length] for r in rows]
        first += length


def native_gru(case, v):
    """nn.GRU for gru and aigru, torch.gru_cell for agru and augru; reset after only. Gates are r|z|n, z keeps."""
    options, hidden = case.options, case.options["hidden"]
    if options["reset"] == "before":
        return None

    def arrange(name):
        parts = list(v[name].split(hidden, 1)) if name in v else [torch.zeros(1, hidden)] * 3
        if len(parts) == 2:  # agru: any z will do
            parts.insert(0, torch.zeros_like(parts[0]))
        z = -parts[0] if options["update"] == "take" else parts[0]
        return torch.cat([parts[1], z, parts[2]], 1).T

    names = ("layer.input.weight", "layer.hidden.weight", "layer.bias", "layer.hidden.bias")
    w, u, b, c = [arrange(name) for name in names]
    b, c = b[:, 0], c[:, 0]
    only_n = torch.cat([torch.zeros(hidden), torch.full((hidden,), -1e9), torch.zeros(hidden)])  # z = 0
    y = []
    for _, x, a in sequences(case, v["x"], v.get("a", v["x"])):
        if case.kind in ("gru", "aigru"):
            values = dict(zip(("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"), (w, u, b, c)))
            y.append(functional_call(nn.GRU(x.shape[1], hidden), values, x if case.kind == "gru" else a * x)[0])
            continue
        h = torch.zeros(1, hidden)
        for t in range(len(x)):
            step, n = torch.gru_cell(x[t : t + 1], h, w, u, b, c), torch.gru_cell(x[t : t + 1], h, w, u, b + only_n, c)
            if case.kind == "agru":
                h = h + a[t] * (n - h)
            elif options["augru"] == "product":
                h = h + a[t] * (step - h)
            else:
                h = h + a[t] * (n - h) + (1 - a[t]) * (step - h)
            y.append(h)
    return torch.cat(y)


def lstm_stack(v, name, layers, x):
    """nn.LSTM with the layers <name>.0 and so on, or with the one layer <name>."""
    values = {}
    for layer in range(layers or 1):
        place = name if layers is None else f"{name}.{layer}"
        values |= {
            f"weight_ih_l{layer}": v[place + ".input.weight"].T, f"weight_hh_l{layer}": v[place + ".hidden.weight"].T,
            f"bias_ih_l{layer}": v[place + ".bias"][0], f"bias_hh_l{layer}": torch.zeros_like(v[place + ".bias"][0]),
        }
    hidden = values["weight_hh_l0"].shape[1]
    return functional_call(nn.LSTM(x.shape[1], hidden, layers or 1), values, x)[0]


def native_lstm(case, v):
    if case.options["peephole"]:
        return None
    if case.kind == "lstm":
        return torch.cat([lstm_stack(v, "layer", None, x) for _, x in sequences(case, v["x"])])
    y = []
    for _, x in sequences(case, v["x"]):
        layers = case.options["layers"]
        sides = [
            lstm_stack(v, "layer.forward", layers, x), lstm_stack(v, "layer.backward", layers, x.flip(0)).flip(0),
        ]
        merged = {"concat": torch.cat(sides, 1), "sum": sum(sides), "mean": sum(sides) / 2}
        y.append(merged[case.options["merge"]])
    return torch.cat(y)


def native_attention(case, v):
    o, y = case.options, []
    for _, x in sequences(case, v["x"]):
        length, d = x.shape
        heads, n = o["heads"], d // o["heads"]

        def project(part):
            w = v[f"layer.{part}.weight"]
            if o["projections"] == "sliced":
                w = torch.block_diag(*w.split(n, 0))
            return (x @ w).reshape(length, heads, n).transpose(0, 1)[None]

        look = ~torch.eye(length, dtype=torch.bool) if o["blinding"] else torch.ones(length, length, dtype=torch.bool)
        scale = 1 / math.sqrt(n if o["scale"] == "head" else d)
        q, k, value = project("query"), project("key"), project("value")
        out = nn.functional.scaled_dot_product_attention(q, k, value, attn_mask=look, scale=scale)
        if o["blinding"] and length == 1:
            out = 0 * value
        out = out[0].transpose(0, 1).reshape(length, d)
        y.append(out @ v["layer.output.weight"] if o["output"] else out)
    return torch.cat(y)


def native_auxiliary(case, v):
    """Pair by pair."""
    o, terms, pairs = case.options, [], 0
    places = torch.arange(v["h"].shape[0])
    for number, at in sequences(case, places):
        for t, after in zip(at[:-1], at[1:]):
            for of, label in (("behavior", 1.0), ("negatives", 0.0)):
                x = torch.cat([v["h"][t], v["e"][case.extra[of][after]]])[None]
                if o["input_norm"] == "constant":
                    x = x * v["auxiliary.norm.gamma"] / math.sqrt(1.001) + v["auxiliary.norm.beta"]
                for layer in range(len(o["hidden"])):
                    x = nn.functional.linear(x, v[f"auxiliary.{layer}.weight"].T, v[f"auxiliary.{layer}.bias"][0])
                    alpha = v.get(f"auxiliary.{layer}.activation.alpha")
                    x = nn.functional.prelu(x, alpha[0]) if alpha is not None else getattr(torch, o["activation"])(x)
                z = x @ v["auxiliary.output.weight"] + v["auxiliary.output.bias"]
                if o["head"] == "softmax":
                    loss = nn.functional.cross_entropy(z, torch.tensor([0 if label else 1]))
                else:
                    loss = nn.functional.binary_cross_entropy_with_logits(z[0], torch.tensor([label]))
                terms.append(case.extra["counts"][number] * loss)
        pairs += case.extra["counts"][number] * (len(at) - 1)
    n = sum(case.extra["counts"])
    if not terms:
        return 0 * v["h"].sum()[None, None]
    divisor = {
        "pairs": pairs, "halves": 2 * pairs, "sequences": n, "slots": n * (max(case.lengths) - 1),
    }[o["normalization"]]
    return (o["weight"] * n / divisor * sum(terms))[None, None]


def native_norm(case, v):
    x, gamma, beta = v["x"], v["layer.gamma"][0], v["layer.beta"][0]
    return nn.functional.layer_norm(x, x.shape[1:], gamma, beta, case.options["epsilon"])


NATIVE = {
    "gru": native_gru, "aigru": native_gru, "agru": native_gru, "augru": native_gru, "lstm": native_lstm,
    "bilstm": native_lstm, "layernorm": native_norm, "attention": native_attention, "auxiliary": native_auxiliary,
}


def difference(a, b):
    return float((a - b).abs().max() / max(1.0, float(b.abs().max()))) if b.numel() else 0.0


def check(cases):
    """Whether everything agrees; prints what was compared."""
    good, native, single = True, {}, {}
    for name, ours, expected in golden():
        expected = torch.tensor([float(v) for v in expected.split()])
        worst = float((ours.detach().reshape(-1) - expected).abs().max())
        good &= worst < 2e-9
        print(f"golden {name}: {'OK' if worst < 2e-9 else 'mismatch'} {worst:.1e}")
    for case, weights in cases:
        made = case.run(weights)
        leaves = {name[5:] for name in made if name.startswith("grad.")}
        values = {name: made[name].clone().requires_grad_() for name in leaves}
        y = NATIVE[case.kind](case, values) if case.kind in NATIVE else None
        if y is not None:
            y.backward(made["dy"])
            pairs = [(y.detach(), made["y"])]
            for name, value in values.items():
                pairs.append((torch.zeros_like(value) if value.grad is None else value.grad, made["grad." + name]))
            native.setdefault(case.kind, []).append(max(difference(a, b) for a, b in pairs))
        torch.set_default_dtype(torch.float32)
        again = LargeWeights(None)
        again.entries = {name: v.detach().float().requires_grad_() for name, v in weights.entries.items()}
        rerun = case.run(again, made["dy"].float())
        torch.set_default_dtype(torch.float64)
        single.setdefault(case.kind, []).append(max(difference(rerun[k].double(), v) for k, v in made.items()))
    for title, limit, results in (("PyTorch", 1e-12, native), ("float32", 2e-6, single)):
        for kind, found in results.items():
            good &= max(found) < limit
            verdict = "OK" if max(found) < limit else "mismatch"
            print(f"{title} {kind}: {verdict} {max(found):.1e} with gradients, {len(found)} cases")
    return good
