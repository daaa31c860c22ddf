"""Makes layers.safetensors: what PyTorch says of the layers of DIEN and DSIN, each alone, 20 random cases of each kind.

Independent of the Swift code: padded tensors, masks, loops over time, float64, autograd. Run it with
    pip install torch safetensors numpy && python make_layer_fixtures.py
A case holds inputs, weights by entry name, the output y, its gradient dy, and grad.<name> of every input and weight;
its note has the options, the shapes, and the lengths of its sequences, whose rows stand one after another. With --check
nothing is written: the layers are held against the golden vectors of layer_checks.py and against PyTorch's own, and
every case is run in float32 too.
"""

import json
import pathlib
import sys

import numpy as np
import torch
from safetensors.numpy import save_file

# The layers are in Tests/ModelsTests/Fixtures, beside the script that makes whole models of them.
sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "ModelsTests" / "Fixtures"))

from sequence_layers import LargeWeights, SequenceNetwork

KINDS = [
    "gru", "aigru", "agru", "augru", "auxiliary", "lstm", "bilstm", "layernorm", "attention", "bias_encoding",
]
PADDING = 3.0  # a value that would show


class Case:
    """One layer's options and inputs; `sequences` and `extra` describe the rows."""

    def __init__(self, kind, turn, random):
        self.kind, self.turn, self.random = kind, turn, random
        self.options, self.inputs, self.lengths, self.extra = {}, {}, [], {}
        getattr(self, "make_" + ("recurrent" if kind.endswith("gru") else kind))()

    def choose(self, every, *values):
        """Each value in turn, for `every` cases."""
        return values[self.turn // every % len(values)]

    def number(self, low, high):
        return int(self.random.integers(low, high + 1))

    def matrix(self, name, rows, columns, scale=1.0):
        self.inputs[name] = (self.random.normal(size=(rows, columns)) * scale).astype(np.float32)

    def sequences(self, low, high, longest):
        """Lengths; 0 and 1 are among them."""
        lengths = [0, 1, self.number(3, longest)] + [self.number(0, longest) for _ in range(self.number(low, high))]
        self.lengths = [lengths[i] for i in self.random.permutation(len(lengths))]
        return sum(self.lengths)

    # What each kind is made of

    def make_recurrent(self):
        self.options = {
            "hidden": self.number(2, 4), "reset": self.choose(1, "after", "before"),
            "update": self.choose(2, "take", "keep"), "hidden_bias": self.choose(4, False, True),
        }
        if self.kind == "augru":
            self.options["augru"] = self.choose(8, "product", "union")
        rows = self.sequences(1, 2, 5)
        self.matrix("x", rows, self.number(2, 4))
        if self.kind != "gru":
            a = self.random.random((rows, 1)).astype(np.float32)
            a[:2] = [[0.0], [1.0]]  # at least 3 rows
            self.inputs["a"] = self.random.permutation(a)

    def make_auxiliary(self):
        self.options = {
            "weight": self.choose(3, 1.0, 0.5, 2.0), "hidden": self.choose(2, [3], [4, 2]),
            "activation": self.choose(1, "sigmoid", "relu", "prelu"), "head": self.choose(4, "logit", "softmax"),
            "input_norm": self.choose(8, "none", "constant"),
            "normalization": self.choose(1, "pairs", "halves", "sequences", "slots"), "negatives": "uniform",
        }
        rows = self.sequences(1, 2, 5)
        if self.turn == 19:  # no pair at all
            self.lengths = [1, 0, 1]
            rows = 2
        behaviors = self.number(4, 8)
        self.matrix("h", rows, self.number(2, 3))
        self.matrix("e", behaviors, self.number(2, 3))
        draw = lambda count: [self.number(0, behaviors - 1) for _ in range(count)]
        self.extra = {
            "behavior": draw(rows),
            "negatives": sum([([-1] + draw(length - 1))[:length] for length in self.lengths], []),
            "counts": [self.number(1, 3) for _ in self.lengths],
        }

    def make_lstm(self):
        self.options = {"hidden": self.number(2, 4), "peephole": self.choose(1, False, True)}
        self.matrix("x", self.sequences(1, 3, 5), self.number(2, 4))

    def make_bilstm(self):
        self.options = {
            "layers": self.choose(3, 1, 2), "merge": self.choose(1, "sum", "mean", "concat"),
            "peephole": self.choose(6, False, True),
        }
        self.matrix("x", self.sequences(1, 2, 4), self.number(2, 3))

    def make_layernorm(self):
        self.options = {"epsilon": self.choose(1, 1e-5, 1e-3, 1e-1)}
        self.matrix("x", self.number(1, 7), self.number(3, 6))

    def make_attention(self):
        heads = self.choose(2, 1, 2, 3, 2, 1, 2)
        self.options = {
            "heads": heads, "projections": self.choose(1, "full", "sliced"), "scale": self.choose(3, "head", "model"),
            "blinding": self.choose(5, False, True), "output": self.choose(4, True, False),
        }
        self.lengths = [1, self.number(3, 4)] + [self.number(1, 5) for _ in range(self.number(1, 2))]
        self.matrix("x", sum(self.lengths), heads * self.number(1 if heads == 3 else 2, 6 // heads))

    def make_bias_encoding(self):
        sessions, length = self.number(2, 4), self.number(2, 4)
        self.options = {"count": sessions, "length": length}
        counts = [0, 1, sessions, self.number(1, sessions)]
        counts = [counts[i] for i in self.random.permutation(4)]
        self.extra = {"sessionsOf": counts}
        self.lengths = [self.number(1, length) for _ in range(sum(counts))]
        self.matrix("x", sum(self.lengths), self.number(2, 5))

    # What is computed

    def pad(self, rows):
        """[B, T, width] of ragged rows, and the mask [B, T]."""
        length = max(self.lengths) + 2
        index, first = torch.full((len(self.lengths), length), rows.shape[0]), 0
        for sequence, count in enumerate(self.lengths):
            index[sequence, :count] = torch.arange(first, first + count)
            first += count
        mask = index < rows.shape[0]
        return torch.cat([rows, torch.full((1, rows.shape[1]), PADDING)])[index], mask

    def output(self, network, inputs):
        """y, of the rows of the inputs."""
        options, kind, x = self.options, self.kind, inputs.get("x")
        if kind == "auxiliary":
            return self.auxiliary(network, inputs["h"], inputs["e"])
        if kind == "layernorm":
            return network.layer_norm("layer", x, options["epsilon"])
        if kind == "bias_encoding":
            return self.bias_encoding(network, x)
        padded, mask = self.pad(x)
        if kind == "lstm":
            y = network.lstm("layer", padded, mask, options["hidden"], options["peephole"])
        elif kind == "bilstm":
            y = network.bilstm("layer", padded, mask, options)
        elif kind == "attention":
            y = network.self_attention("layer", padded, padded, mask, options)
        else:
            a = self.pad(inputs["a"])[0][..., 0] if kind != "gru" else None
            y = network.gru("layer", padded, mask, options["hidden"], options, kind, a, options.get("augru"))
        return y[mask]

    def auxiliary(self, network, h, e):
        """Every sequence as often as samples share it."""
        h, mask = self.pad(h)
        nothing = torch.full((1, e.shape[1]), PADDING)  # where there is no behavior or no negative

        def look_up(places):
            padded = self.pad(torch.tensor(places, dtype=torch.get_default_dtype())[:, None])[0][..., 0].long()
            return torch.cat([e, nothing])[torch.where(mask & (padded >= 0), padded, e.shape[0])]

        counts = torch.tensor(self.extra["counts"])
        parts = [h, look_up(self.extra["behavior"]), look_up(self.extra["negatives"]), mask]
        parts = [p.repeat_interleave(counts, 0) for p in parts]
        return network.auxiliary("auxiliary", *parts, self.options)[None, None]

    def bias_encoding(self, network, x):
        sessions, length, of = self.options["count"], self.options["length"], self.extra["sessionsOf"]
        newest = [[max(count - 1 - k, 0) for k in range(sessions)] for count in of]
        lengths, mask = iter(self.lengths), []
        for count in of:
            cut = [next(lengths) for _ in range(count)] + [0] * (sessions - count)
            mask.append([[t < n for t in range(length)] for n in cut])
        encoding = network.bias_encoding("layer", torch.tensor(newest), length, x.shape[1], sessions)
        return x + encoding[torch.tensor(mask)]

    def run(self, weights, dy=None):
        """y, dy and all gradients, by name; dy is drawn if not given."""
        kind = torch.get_default_dtype()
        inputs = {name: torch.tensor(v, dtype=kind, requires_grad=True) for name, v in self.inputs.items()}
        y = self.output(SequenceNetwork(weights, True, 0), inputs)
        if dy is None:
            dy = self.random.normal(size=tuple(y.shape)).astype(np.float32)
            dy = torch.tensor(np.ones_like(dy) if self.kind == "auxiliary" else dy, dtype=kind)
        y.backward(dy)
        values = {"y": y, "dy": dy} | inputs | weights.entries
        grads = {
            "grad." + name: torch.zeros_like(v) if v.grad is None else v.grad
            for name, v in (inputs | weights.entries).items()
        }
        return {name: v.detach() for name, v in (values | grads).items()}


def make_case(number):
    random = np.random.default_rng(5000 + number)
    return Case(KINDS[number // 20], number % 20, random), LargeWeights(random)


def make(number):
    case, weights = make_case(number)
    made = case.run(weights)
    note = {
        "kind": case.kind, "options": case.options, "lengths": case.lengths,
        "shapes": {name: list(v.shape) for name, v in made.items() if not name.startswith("grad.")},
    }
    tensors = {f"{number:03}.{name}": v.numpy().ravel().astype(np.float32) for name, v in made.items()}
    return tensors, note | case.extra


if __name__ == "__main__":
    if "--check" in sys.argv:
        import layer_checks

        sys.exit(not layer_checks.check([make_case(number) for number in range(20 * len(KINDS))]))
    tensors, notes = {}, []
    for number in range(20 * len(KINDS)):
        made, note = make(number)
        tensors |= made
        notes.append(note)
    target = pathlib.Path(__file__).with_name("layers.safetensors")
    save_file(tensors, target, metadata={"cases": json.dumps(notes, separators=(",", ":"))})
    print(f"{len(notes)} cases, {target.stat().st_size:,} bytes")
