"""Makes models.safetensors: what PyTorch says of Base and DIN for random configurations, weights and samples.

Independent of the Swift code: padded tensors, one embedding look-up per occurrence, float64, autograd. Run it with
    pip install torch safetensors numpy && python make_fixtures.py
Every case holds the inputs (as a micro-batch), the weights by entry name, the training logits, the evaluation logits,
the loss (a sum over samples) and all its gradients.
"""

import json
import pathlib

import numpy as np
import torch
from safetensors.numpy import save_file

torch.set_default_dtype(torch.float64)


class Weights:
    """Dense parameters by entry name; made on first use with random values that float32 holds exactly."""

    def __init__(self, random):
        self.random, self.entries, self.statistics = random, {}, {}

    def get(self, name, rows, columns, scale=0.5, shift=0.0):
        if name not in self.entries:
            value = (self.random.normal(size=(rows, columns)) * scale + shift).astype(np.float32)
            self.entries[name] = torch.tensor(value.astype(np.float64), requires_grad=True)
        return self.entries[name]

    def statistic(self, name, columns, positive):
        if name not in self.entries:
            value = self.random.normal(size=(1, columns)) * 0.5
            value = (np.abs(value) + 0.3 if positive else value).astype(np.float32)
            self.entries[name] = torch.tensor(value.astype(np.float64))
        return self.entries[name]


class Network:
    """The layers; `training` chooses batch or running statistics, valid rows only."""

    def __init__(self, weights, training, samples):
        self.weights, self.training, self.samples = weights, training, samples

    def dense(self, name, x, output):
        w = self.weights.get(name + ".weight", x.shape[1], output)
        b = self.weights.get(name + ".bias", 1, output)
        return x @ w + b

    def moments(self, name, x):
        """Batch moments in training (noted, times the samples, as the gradient of the statistic), else the running."""
        mean = self.weights.statistic(name + ".mean", x.shape[1], positive=False)
        variance = self.weights.statistic(name + ".variance", x.shape[1], positive=True)
        if not self.training:
            return mean, variance
        if x.shape[0] > 0:
            mean, variance = x.mean(0, keepdim=True), x.var(0, unbiased=False, keepdim=True)
        self.weights.statistics[name + ".mean"] = mean.detach() * self.samples
        self.weights.statistics[name + ".variance"] = variance.detach() * self.samples
        return mean, variance

    def norm(self, name, x, kind):
        if kind == "none":
            return x
        if kind == "batch":
            mean, variance = self.moments(name, x)
            x = (x - mean) / torch.sqrt(variance + 1e-5)
        else:
            x = x / np.sqrt(1 + 1e-3)
        n = x.shape[1]
        return x * self.weights.get(name + ".gamma", 1, n, 0.3, 1.0) + self.weights.get(name + ".beta", 1, n, 0.3)

    def activation(self, name, x, kind):
        if kind == "sigmoid":
            return torch.sigmoid(x)
        if kind == "relu":
            return torch.relu(x)
        if kind == "leaky_relu":
            return torch.nn.functional.leaky_relu(x, 0.01)
        alpha = self.weights.get(name + ".alpha", 1, x.shape[1], 0.3)
        if kind == "prelu":
            return torch.where(x > 0, x, alpha * x)
        if kind == "dice":
            mean, variance = self.moments(name, x)
            p = torch.sigmoid((x - mean) / torch.sqrt(variance + 1e-8))
        else:
            beta = self.weights.get(name + ".beta", 1, x.shape[1], 0.3)
            p = torch.sigmoid(beta * x / np.sqrt(1 + 1e-3))
        return p * x + (1 - p) * alpha * x

    def tower(self, x, options):
        x = self.norm("top.norm", x, options["input_norm"])
        for layer, width in enumerate(options["hidden"]):
            x = self.dense(f"top.{layer}", x, width)
            x = self.norm(f"top.{layer}.norm", x, options["hidden_norm"])
            x = self.activation(f"top.{layer}.activation", x, options["activation"])
        if options["head"] == "softmax":
            z = self.dense("top.output", x, 2)
            return z[:, 0] - z[:, 1]
        return self.dense("top.output", x, 1)[:, 0]

    def attention(self, q, e, mask, options):
        """q [B, d], e [B, T, d], mask [B, T] -> weights [B, T]."""
        full = torch.cat([q[:, None].expand_as(e), e, q[:, None] - e, q[:, None] * e], -1)
        x = full[mask]  # valid rows, in the order of samples
        for layer, width in enumerate(options["hidden"]):
            x = self.dense(f"attention.{layer}", x, width)
            x = self.activation(f"attention.{layer}.activation", x, options["activation"])
        x = self.dense("attention.output", x, 1)[:, 0]
        score = torch.zeros(mask.shape).masked_scatter(mask, x)
        kind, d = options["normalization"], q.shape[1]
        if kind == "none":
            return score * mask
        if kind == "sigmoid":
            return torch.sigmoid(score / np.sqrt(d)) * mask
        if kind == "softmax_scaled":
            score = score / np.sqrt(d)
        score = score.masked_fill(~mask, -1e300)
        weight = torch.exp(score - score.max(1, keepdim=True).values) * mask
        return weight / weight.sum(1, keepdim=True).clamp(min=1e-300)


def model(case, tables, weights, training):
    """The logits of all samples."""
    schema, samples, options = case["schema"], case["samples"], case["options"]
    index = {name: i for i, name in enumerate(schema["tables"])}
    network = Network(weights, training, len(samples))

    def fields(name, values):
        return [tables[index[f["table"]]][torch.tensor(v)] for f, v in zip(schema[name], zip(*values))]

    def join(name):
        return torch.cat(fields(name, [s[name] for s in samples]), 1) if schema[name] else None

    q, T = join("item"), max(len(s["history"]) for s in samples) + 2
    mask = torch.tensor([[t < len(s["history"]) for t in range(T)] for s in samples])
    # Padding holds a real id on purpose: it must not matter.
    padding = case["samples"][0]["item"] + [0] * (len(schema["behavior"]) - len(schema["item"]))
    padded = [[b for b in s["history"]] + [padding] * (T - len(s["history"])) for s in samples]
    e = torch.cat([
        tables[index[f["table"]]][torch.tensor([[b[k] for b in row] for row in padded])]
        for k, f in enumerate(schema["behavior"][: len(schema["item"])])
    ], -1)
    lengths = mask.sum(1, keepdim=True).clamp(min=1)
    pooled = (e * mask[..., None]).sum(1)
    if options["pooling"] == "mean":
        pooled = pooled / lengths
    if options["kind"] == "din":
        weight = network.attention(q, e, mask, options["attention"])
        interest = (weight[..., None] * e).sum(1)
    else:
        interest = pooled

    interest = network.norm("interest.norm", interest, options["interest"]["norm"])
    if options["interest"]["dense"]:
        interest = network.dense("interest.dense", interest, interest.shape[1])
    history = interest if options["kind"] == "base" else pooled
    numeric = torch.tensor([s["numeric"] for s in samples]) if schema["numeric"] else None
    parts = {
        "user": lambda: join("user"), "target": lambda: q, "history": lambda: history,
        "history_product": lambda: q * history, "attention": lambda: interest,
        "attention_product": lambda: q * interest, "context": lambda: join("context"), "numeric": lambda: numeric,
    }
    x = [parts[name]() for name in options["input"]]
    z = network.tower(torch.cat([p for p in x if p is not None], 1), options["top"])
    if options["item_bias"]:
        for row in fields("bias", [s["bias"] for s in samples]):
            z = z + row[:, 0]
    return z


def random_schema(random, bias):
    """Features of every kind, some of which share a table; behaviors may carry a field that the target lacks."""
    tables, items = ["item", "category", "user"], int(random.integers(1, 4))
    field = lambda name, table: {"name": name, "table": table, "column": name}
    item = [field("item", "item"), field("category", "category"), field("related", "item")][:items]
    behavior = [field("h_" + f["name"], f["table"]) for f in item]
    schema = {
        "user": [field("user", "user"), field("favourite", "item")][: int(random.integers(0, 3))],
        "item": item, "behavior": behavior, "context": [], "bias": [],
        "numeric": ["price", "age"][: int(random.integers(0, 3))],
    }
    if random.random() < 0.5:
        tables.append("page")
        schema["context"] = [field("page", "page"), field("shown", "category")][: int(random.integers(1, 3))]
    if random.random() < 0.4:
        tables.append("action")
        behavior.append(field("h_action", "action"))
    if bias:
        tables.append("item_bias")
        schema["bias"] = [{"name": "bias", "table": "item_bias", "column": "item"}]
    schema["tables"] = tables
    return schema


def random_options(random, kind, schema, number):
    pick = lambda *values: values[int(random.integers(len(values)))]
    bias = bool(schema["bias"])
    options = {
        "kind": kind, "pooling": pick("sum", "mean"), "item_bias": bias,
        "interest": {"norm": pick("none", "none", "constant", "batch"), "dense": bool(number % 3 == 0)},
        "top": {
            "input_norm": pick("none", "batch", "constant"), "hidden": pick([7, 5], [20], [6]),
            "hidden_norm": pick("none", "none", "batch"),
            "activation": ["prelu", "dice", "sigmoid", "relu", "dice_constant"][number % 5], "dropout": 0,
            "head": pick("logit", "softmax"),
        },
        "embedding": {"width": int(pick(3, 4, 6)), "widths": {"user": 5}, "initial": "normal", "scale": 0.01},
    }
    if kind == "base":
        options["input"] = pick(
            ["user", "target", "history", "context", "numeric"], ["history", "target", "history_product"],
            ["numeric", "user", "target", "history", "history_product", "context"])
    else:
        options["input"] = pick(
            ["user", "target", "attention", "context", "numeric"], ["attention", "target", "attention_product"],
            ["user", "target", "history", "history_product", "attention", "context", "numeric"],
            ["target", "attention", "history", "attention_product", "history_product"])
        options["attention"] = {
            "hidden": pick([6, 4], [5]), "activation": ["sigmoid", "dice", "prelu", "relu"][number % 4],
            "normalization": ["none", "softmax", "softmax_scaled", "sigmoid"][(number // 2) % 4],
            "dropout": 0,
        }
    return options


def random_samples(random, schema, sizes, number):
    """Groups of candidates that share a user and a history; histories of length 0 and 1, and repeated behaviors."""
    draw = lambda fields: [int(random.integers(sizes[f["table"]])) for f in fields]
    samples = []
    lengths = [0] * 3 if number == 3 else [0, 1, int(random.integers(2, 5)), int(random.integers(3, 9)), 0, 2]
    for group, length in enumerate(lengths):
        history = [draw(schema["behavior"]) for _ in range(length)]
        if length > 2:
            history[-1] = history[0]
        user, page = draw(schema["user"]), draw(schema["context"])
        for _ in range(int(random.integers(1, 4))):
            item = draw(schema["item"])
            samples.append({
                "user": user, "context": page, "item": item, "bias": item[:1] if schema["bias"] else [],
                "history": history, "group": group, "label": float(random.integers(2)),
                "numeric": [float(np.float32(v)) for v in random.normal(size=len(schema["numeric"]))],
            })
    return samples


def micro_batch(schema, samples):
    """The ragged form: distinct ids of every table in the order in which they are met, distinct histories and tuples."""
    index = {name: i for i, name in enumerate(schema["tables"])}
    ids, seen = [{} for _ in index], [{} for _ in index]

    def row(field, value, sample):
        table = index[field["table"]]
        seen[table].setdefault(value, set()).add(sample)
        return ids[table].setdefault(value, len(ids[table]))

    batch = {name + "Rows": [[] for _ in schema[name]] for name in ("user", "item", "context", "bias", "behavior")}
    batch |= {"historyOf": [], "historyOffsets": [0], "positionBehavior": []}
    histories, tuples = {}, {}
    for number, sample in enumerate(samples):
        for name in ("user", "item", "context", "bias"):
            for k, field in enumerate(schema[name]):
                batch[name + "Rows"][k].append(row(field, sample[name][k], number))
        new = sample["group"] not in histories
        batch["historyOf"].append(histories.setdefault(sample["group"], len(histories)))
        for behavior in sample["history"]:
            rows = [row(f, v, number) for f, v in zip(schema["behavior"], behavior)]
            if new:
                if tuple(behavior) not in tuples:
                    tuples[tuple(behavior)] = len(tuples)
                    for k, value in enumerate(rows):
                        batch["behaviorRows"][k].append(value)
                batch["positionBehavior"].append(tuples[tuple(behavior)])
        if new:
            batch["historyOffsets"].append(len(batch["positionBehavior"]))
    batch["ids"] = [list(t) for t in ids]
    batch["counts"] = [[len(seen[t][i]) for i in ids[t]] for t in range(len(ids))]
    return batch


def make(number):
    random = np.random.default_rng(1000 + number)
    kind = "base" if number % 3 == 2 else "din"
    schema = random_schema(random, bias=number % 4 == 1)
    options = random_options(random, kind, schema, number)
    if number == 3:  # all histories empty: columns of variance 0, whose batch norm amplifies rounding by 1/sqrt(1e-5)
        options["interest"]["norm"] = options["top"]["input_norm"] = "constant"
    sizes = {"item": 15, "category": 4, "user": 6, "page": 3, "action": 3, "item_bias": 15}
    width = lambda t: 1 if t == "item_bias" else options["embedding"]["widths"].get(t, options["embedding"]["width"])
    samples = random_samples(random, schema, sizes, number)
    case = {"schema": schema, "options": options, "samples": samples}
    values = [random.normal(size=(sizes[t], width(t))).astype(np.float32) * 0.8 for t in schema["tables"]]
    tables = [torch.tensor(v.astype(np.float64), requires_grad=True) for v in values]
    weights = Weights(random)

    logits = model(case, tables, weights, training=True)
    labels = torch.tensor([s["label"] for s in samples])
    loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, labels, reduction="sum")
    loss.backward()
    scores = model(case, tables, weights, training=False)

    batch, dense, gradient, entries = micro_batch(schema, samples), [], [], []
    for name, value in weights.entries.items():
        entries.append([name, *value.shape])
        dense.append(value.detach().numpy().ravel())
        if name in weights.statistics:
            gradient.append(weights.statistics[name].numpy().ravel())
        else:
            gradient.append(np.zeros(value.numel()) if value.grad is None else value.grad.numpy().ravel())
    rows = [v[ids] for v, ids in zip(values, batch["ids"])]
    row_gradients = [
        (np.zeros(v.shape) if t.grad is None else t.grad.numpy())[ids]
        for v, t, ids in zip(values, tables, batch["ids"])
    ]
    flat = lambda arrays: np.concatenate([np.ravel(a) for a in arrays] + [[]]).astype(np.float32)
    tensors = {
        "labels": flat([labels.numpy()]), "numeric": flat([[s["numeric"] for s in samples]]),
        "dense": flat(dense), "gradient": flat(gradient), "rows": flat(rows), "rowGradients": flat(row_gradients),
        "logits": flat([logits.detach().numpy()]), "scores": flat([scores.detach().numpy()]),
    }
    note = {"schema": schema, "options": options, "batch": batch, "entries": entries, "loss": loss.item()}
    return {f"{number:02}.{k}": v for k, v in tensors.items()}, note


if __name__ == "__main__":
    tensors, notes = {}, []
    for number in range(28):
        made, note = make(number)
        tensors |= made
        notes.append(note)
    target = pathlib.Path(__file__).with_name("models.safetensors")
    save_file(tensors, target, metadata={"cases": json.dumps(notes, separators=(",", ":"))})
    print(f"{len(notes)} cases, {target.stat().st_size:,} bytes")
