"""Makes sequences.safetensors: what PyTorch says of DIEN, DSIN and BST for random configurations, weights and samples.

Independent of the Swift code: padded tensors, masks, loops over time, float64, autograd. Run it with
    pip install torch safetensors numpy && python make_sequence_fixtures.py
Cases 00 to 19 are DIEN, 20 to 39 DSIN, 40 to 59 BST; each holds what make_fixtures.py notes of Base and DIN. A DIEN loss has the
auxiliary loss in it, n·α·L_aux for n samples; scores have not. With --check nothing is written: every case is run in
float32 too, and with more padding, and the largest differences are printed.
"""

import json
import math
import pathlib
import sys

import numpy as np
import torch
from safetensors.numpy import save_file

from sequence_cases import SIZES, compared_width, sequence_batch, sequence_case
from sequence_layers import LargeWeights, SequenceNetwork


# What is computed

def network_inputs(case, tables):
    """A function from fields and ids [..., fields] to vectors, side by side; None without fields."""
    index = {name: i for i, name in enumerate(case["schema"]["tables"])}

    def vectors(fields, ids):
        ids = torch.tensor(ids, dtype=torch.long)
        return torch.cat([tables[index[f["table"]]][ids[..., k]] for k, f in enumerate(fields)], -1) if fields else None

    return vectors


def dien(case, network, vectors, q, compared, extra):
    """The attention part, the padded behaviors with their mask, and the auxiliary loss."""
    options, fields, samples = case["options"], case["schema"]["behavior"], case["samples"]
    length = max(len(s["history"]) for s in samples) + extra
    padding = [SIZES[f["table"]] - 1 for f in fields]  # a real behavior on purpose: it must not matter
    fill = lambda rows: rows + [padding] * (length - len(rows))
    e = vectors(fields, [fill(s["history"]) for s in samples])
    mask = torch.tensor([[t < len(s["history"]) for t in range(length)] for s in samples])
    hidden, gru = options["gru"]["hidden"] or e.shape[-1], options["gru"]
    h = network.gru("extractor", e, mask, hidden, gru)
    loss = torch.zeros(())
    if network.training and options["auxiliary"]["weight"] > 0:
        negative = vectors(fields, [fill([padding] + s["negatives"][1:] if s["history"] else []) for s in samples])
        loss = network.auxiliary("auxiliary", h, e, negative, mask, options["auxiliary"])
    kind, attention = options["evolution"], options["attention"]
    if kind == "gru":
        o = network.gru("evolution", h, mask, hidden, gru)
        a = network.interest("attention", q, o, mask, attention, compared)
        return (a[..., None] * o).sum(1), e, mask, loss
    a = network.interest("attention", q, h, mask, attention, compared)
    return network.gru("evolution", h, mask, hidden, gru, kind, a, options["augru"])[:, -1], e, mask, loss


def dsin(case, network, vectors, q, compared, extra):
    """As dien; sessions are padded to [samples, K + extra, T], oldest first."""
    options, fields, samples = case["options"], case["schema"]["behavior"], case["samples"]
    sessions, length = options["sessions"]["count"], options["sessions"]["length"]
    count = sessions + extra
    padding = [SIZES[f["table"]] - 1 for f in fields]
    ids, mask, newest = [], [], []
    for s in samples:
        ends = np.cumsum([0] + s["sessions"])
        cut = [s["history"][a:b] for a, b in zip(ends, ends[1:])] + [[]] * (count - len(s["sessions"]))
        ids.append([rows + [padding] * (length - len(rows)) for rows in cut])
        mask.append([[t < len(rows) for t in range(length)] for rows in cut])
        newest.append([max(len(s["sessions"]) - 1 - k, 0) for k in range(count)])
    e, mask, newest = vectors(fields, ids), torch.tensor(mask), torch.tensor(newest)
    query, key = network.positions("position", e, newest, options["position"], sessions)
    y = network.transformer("transformer", query, key, mask, options["transformer"])
    interests = (y * mask[..., None]).sum(2) / mask.sum(2, keepdim=True).clamp(min=1)
    present, states = mask.any(2), [("attention", interests)]
    if options["interacting"]["layers"] > 0:
        states.append(("interacted", network.bilstm("interacting", interests, present, options["interacting"])))
    u = [
        (network.interest(name, q, s, present, options["attention"], compared)[..., None] * s).sum(1)
        for name, s in states
    ]
    return torch.cat(u, 1), e.flatten(1, 2), mask.flatten(1, 2), torch.zeros(())


def bst(case, network, vectors, q, compared, extra):
    """As dien; a sequence is the newest behaviors and, behind them, the target, then padding."""
    options, fields, samples = case["options"], case["schema"]["behavior"], case["samples"]
    length = max(len(s["history"]) for s in samples) + extra
    padding = [SIZES[f["table"]] - 1 for f in fields]
    fill = lambda rows, count: rows + [padding] * (count - len(rows))
    e = vectors(fields, [fill(s["history"], length) for s in samples])
    mask = torch.tensor([[t < len(s["history"]) for t in range(length)] for s in samples])
    cut = options["length"]
    newest = [s["history"][-cut:] if cut else [] for s in samples]
    wide = max(map(len, newest)) + 1 + extra
    x = vectors(fields, [fill(rows, wide) for rows in newest])[..., :compared]
    last = torch.tensor([len(rows) for rows in newest])
    here = torch.arange(wide)[None] == last[:, None]
    x = torch.where(here[..., None], q[:, None, :compared], x)
    position = options["position"]
    if position["width"]:
        table = network.weights.get("position", position["buckets"], position["width"], 0.5)
        rows = []
        for sample, kept in zip(samples, newest):
            times = sample["historyTimes"][len(sample["history"]) - len(kept):]
            gaps = [max(0, sample["time"] - t) // position["unit"] for t in times]
            places = [min(position["buckets"] - 1, 1 + int(math.floor(math.log2(g + 1)))) for g in gaps]
            rows.append(places + [0] + [1] * (wide - 1 - len(kept)))
        x = torch.cat([x, table[torch.tensor(rows)]], -1)
    valid = torch.arange(wide)[None] <= last[:, None]
    for block in range(options["blocks"]):
        x = network.transformer(f"transformer.{block}", x, x, valid, options["transformer"])
    return x[torch.arange(len(samples)), last], e, mask, torch.zeros(())


def model(case, tables, weights, training, extra=2):
    """The logits of all samples and the auxiliary loss; `extra` places of padding more than needed."""
    schema, samples, options = case["schema"], case["samples"], case["options"]
    network, vectors = SequenceNetwork(weights, training, len(samples)), network_inputs(case, tables)
    join = lambda name: vectors(schema[name], [s[name] for s in samples])
    q, d = join("item"), compared_width(schema, options)
    body = {"dien": dien, "dsin": dsin, "bst": bst}[options["kind"]]
    interest, e, mask, auxiliary = body(case, network, vectors, q, d, extra)
    history = (e[..., :d] * mask[..., None]).sum(1)
    if options["pooling"] == "mean":
        history = history / mask.sum(1, keepdim=True).clamp(min=1)
    numeric = torch.tensor([s["numeric"] for s in samples]) if schema["numeric"] else None
    parts = {
        "user": lambda: join("user"), "target": lambda: q, "history": lambda: history,
        "history_product": lambda: q[:, :d] * history, "attention": lambda: interest,
        "attention_product": lambda: q[:, :d] * interest, "context": lambda: join("context"),
        "numeric": lambda: numeric,
    }
    x = [parts[name]() for name in options["input"]]
    z = network.tower(torch.cat([p for p in x if p is not None], 1), options["top"])
    return z + join("bias").sum(1) if options["item_bias"] else z, auxiliary


# A case and its record

def run(case, values, weights, extra=2):
    """What is compared, by name, in the default type of floats."""
    kind = torch.get_default_dtype()
    tables = [torch.tensor(v, dtype=kind, requires_grad=True) for v in values]
    logits, auxiliary = model(case, tables, weights, True, extra)
    labels = torch.tensor([s["label"] for s in case["samples"]])
    loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, labels, reduction="sum") + auxiliary
    loss.backward()
    scores, _ = model(case, tables, weights, False, extra)
    gradient = {
        name: weights.statistics[name] if name in weights.statistics
        else torch.zeros_like(value) if value.grad is None else value.grad
        for name, value in weights.entries.items()
    }
    row_gradients = [torch.zeros_like(t) if t.grad is None else t.grad for t in tables]
    return {
        "loss": loss.detach(), "logits": logits.detach(), "scores": scores.detach(),
        "gradient": gradient, "rowGradients": row_gradients, "auxiliary": auxiliary.detach(),
    }


def make_case(number):
    random, case, values = sequence_case(number)
    return case, values, LargeWeights(random)


def make(number):
    case, values, weights = make_case(number)
    made = run(case, values, weights)
    batch = sequence_batch(case["schema"], case["samples"], case["options"]["kind"])
    flat = lambda arrays: np.concatenate([np.ravel(a) for a in arrays] + [[]]).astype(np.float32)
    samples, entries = case["samples"], weights.entries
    tensors = {
        "labels": flat([[s["label"] for s in samples]]), "numeric": flat([[s["numeric"] for s in samples]]),
        "dense": flat([v.detach().numpy() for v in entries.values()]),
        "gradient": flat([made["gradient"][name].numpy() for name in entries]),
        "rows": flat([v[ids] for v, ids in zip(values, batch["ids"])]),
        "rowGradients": flat([g.numpy()[ids] for g, ids in zip(made["rowGradients"], batch["ids"])]),
        "logits": flat([made["logits"].numpy()]), "scores": flat([made["scores"].numpy()]),
    }
    note = {
        "schema": case["schema"], "options": case["options"], "batch": batch,
        "entries": [[name, *value.shape] for name, value in entries.items()], "loss": made["loss"].item(),
    }
    return {f"{number:02}.{k}": v for k, v in tensors.items()}, note


def difference(a, b):
    """As ParityTests.swift measures."""
    return float((a - b).abs().max() / max(1.0, float(b.abs().max()))) if b.numel() else 0.0


def check(number):
    """The largest differences of a float32 run and of a run with more padding."""
    case, values, weights = make_case(number)
    expected, worst, largest = run(case, values, weights), [], 0.0
    for kind, extra in ((torch.float32, 2), (torch.float64, 5)):
        torch.set_default_dtype(kind)
        again = LargeWeights(None)
        again.entries = {
            name: value.detach().to(kind).requires_grad_(value.requires_grad) for name, value in weights.entries.items()
        }
        made = run(case, values, again, extra)
        torch.set_default_dtype(torch.float64)
        pairs = [(made[k], expected[k]) for k in ("logits", "scores", "loss")]
        pairs += [(made["gradient"][k], v) for k, v in expected["gradient"].items()]
        pairs += list(zip(made["rowGradients"], expected["rowGradients"]))
        worst.append(max(difference(a.double(), b) for a, b in pairs))
        largest = max(float(b.abs().max()) for _, b in pairs if b.numel())
    print(f"{number:02} float32 {worst[0]:.1e} padding {worst[1]:.1e} largest {largest:.3g} "
          f"loss {expected['loss']:.4f} auxiliary {expected['auxiliary']:.4f}")
    return worst


if __name__ == "__main__":
    if "--check" in sys.argv:
        worst = [max(w) for w in zip(*(check(number) for number in range(60)))]
        print(f"largest difference: float32 {worst[0]:.1e}, padding {worst[1]:.1e}")
        sys.exit(worst[0] > 5e-6 or worst[1] > 1e-12)
    tensors, notes = {}, []
    for number in range(60):
        made, note = make(number)
        tensors |= made
        notes.append(note)
    target = pathlib.Path(__file__).with_name("sequences.safetensors")
    save_file(tensors, target, metadata={"cases": json.dumps(notes, separators=(",", ":"))})
    print(f"{len(notes)} cases, {target.stat().st_size:,} bytes")
