"""The layers of DIEN, DSIN and BST in PyTorch, written from the equations: padded tensors, masks, loops over time.

Shared by make_sequence_fixtures.py (whole models) and Tests/LayersTests/Fixtures/make_layer_fixtures.py (layers alone).
Rows are vectors: y = x·W + b. Parameters are made on first use, under the name of their entry.
"""

import math

import torch

from make_fixtures import Network, Weights


def masked_softmax(score, admissible):
    """Softmax of the last axis over what is admissible; zeros where nothing is."""
    floor = torch.finfo(score.dtype).min
    largest = torch.where(admissible, score, floor).max(-1, keepdim=True).values.detach()
    power = torch.exp(torch.where(admissible, score - largest, 0.0)) * admissible
    return power / power.sum(-1, keepdim=True).clamp(min=1e-30)


def sinusoid(length, width):
    """PE[t, c] = sin or cos (even or odd c) of t / 10000^(2·⌊c/2⌋/width)."""
    table = [[t / 10000 ** (2 * (c // 2) / width) for c in range(width)] for t in range(length)]
    return torch.tensor([[math.cos(v) if c % 2 else math.sin(v) for c, v in enumerate(row)] for row in table])


def lstm_step(p, h, c, u, peephole):
    """One step from p = x·W + b; gates i|f|g|o, the peephole's rows p_i, p_f, p_o."""
    i, f, g, o = (p + h @ u).chunk(4, -1)
    if peephole is not None:
        i, f = i + peephole[0] * c, f + peephole[1] * c
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    if peephole is not None:
        o = o + peephole[2] * c
    return torch.sigmoid(o) * torch.tanh(c), c


class LargeWeights(Weights):
    """Larger than for Base and DIN: layers are narrow here, and gradients have to pass many of them."""

    def get(self, name, rows, columns, scale=None, shift=0.0):
        return super().get(name, rows, columns, min(0.8, 1.8 / rows**0.5) if scale is None else scale, shift)


class SequenceNetwork(Network):
    """Sequences are [B, T, width] with a mask [B, T]; what stands in padded places must not matter."""

    # Recurrent layers

    def gru(self, name, x, mask, hidden, options, kind="gru", a=None, form="product", state=None):
        """All states [B, T, H]; a padded step copies the state. `kind` gru, aigru, agru or augru; the last three take
        the attention a [B, T]; `form` is how augru joins attention and update gate."""
        columns = (2 if kind == "agru" else 3) * hidden
        w = self.weights.get(name + ".input.weight", x.shape[-1], columns)
        v = self.weights.get(name + ".hidden.weight", hidden, columns)
        b = self.weights.get(name + ".bias", 1, columns, 0.3)
        c = torch.zeros(1, columns)
        if options["hidden_bias"]:
            c = self.weights.get(name + ".hidden.bias", 1, columns, 0.3)
        h = x.new_zeros(x.shape[0], hidden) if state is None else state
        states = []
        for t in range(x.shape[1]):
            at = None if a is None else a[:, t : t + 1]
            gates = ((at * x[:, t] if kind == "aigru" else x[:, t]) @ w + b).split(hidden, -1)
            recurrent, biases = v.split(hidden, -1), c.split(hidden, -1)

            def gate(k):
                return torch.sigmoid(gates[k] + h @ recurrent[k] + biases[k])

            r = gate(-2)
            if options["reset"] == "after":
                n = torch.tanh(gates[-1] + r * (h @ recurrent[-1] + biases[-1]))
            else:
                n = torch.tanh(gates[-1] + (r * h) @ recurrent[-1] + biases[-1])
            if kind == "agru":
                take = at
            else:
                take = gate(0) if options["update"] == "take" else 1 - gate(0)
                if kind == "augru":
                    take = at * take if form == "product" else 1 - (1 - at) * (1 - take)
            h = torch.where(mask[:, t : t + 1], (1 - take) * h + take * n, h)
            states.append(h)
        return torch.stack(states, 1)

    def lstm(self, name, x, mask, hidden, peephole, backward=False):
        """All states [B, T, H], each at its place, newest to oldest if `backward`; a padded step copies the state."""
        w = self.weights.get(name + ".input.weight", x.shape[-1], 4 * hidden)
        u = self.weights.get(name + ".hidden.weight", hidden, 4 * hidden)
        b = self.weights.get(name + ".bias", 1, 4 * hidden, 0.3)
        p = self.weights.get(name + ".peephole", 3, hidden) if peephole else None
        h = c = x.new_zeros(x.shape[0], hidden)
        states = [None] * x.shape[1]
        for t in reversed(range(x.shape[1])) if backward else range(x.shape[1]):
            new_h, new_c = lstm_step(x[:, t] @ w + b, h, c, u, p)
            h, c = torch.where(mask[:, t : t + 1], new_h, h), torch.where(mask[:, t : t + 1], new_c, c)
            states[t] = h
        return torch.stack(states, 1)

    def bilstm(self, name, x, mask, options):
        """A stack of layers in each direction, joined only at the end; every layer as wide as x."""
        sides = []
        for side in ("forward", "backward"):
            y = x
            for layer in range(options["layers"]):
                place = f"{name}.{side}.{layer}"
                y = self.lstm(place, y, mask, x.shape[-1], options["peephole"], backward=side == "backward")
            sides.append(y)
        if options["merge"] == "concat":
            return torch.cat(sides, -1)
        return (sides[0] + sides[1]) / (2 if options["merge"] == "mean" else 1)

    # Auxiliary loss

    def auxiliary(self, name, h, e, negatives, mask, options):
        """α·n·L_aux of n = B samples: state h_t with the next behavior e_{t+1}, and with the negative drawn for it."""
        pairs = mask[:, 1:]
        left, count = h[:, :-1][pairs], int(pairs.sum())
        x = torch.cat([torch.cat([left, v[:, 1:][pairs]], -1) for v in (e, negatives)])
        x = self.norm(name + ".norm", x, options["input_norm"])
        for layer, width in enumerate(options["hidden"]):
            x = self.dense(f"{name}.{layer}", x, width)
            x = self.activation(f"{name}.{layer}.activation", x, options["activation"])
        z = self.dense(name + ".output", x, 2 if options["head"] == "softmax" else 1)
        z = z[:, 0] - z[:, 1] if options["head"] == "softmax" else z[:, 0]
        signs = torch.cat([-torch.ones(count), torch.ones(count)])
        total = torch.nn.functional.softplus(signs * z).sum()
        samples, longest = mask.shape[0], int(mask.sum(1).max())
        divisor = {
            "pairs": count, "halves": 2 * count, "sequences": samples, "slots": samples * (longest - 1),
        }[options["normalization"]]
        return options["weight"] * samples * total / max(divisor, 1)

    # Sessions

    def layer_norm(self, name, x, epsilon):
        mean = x.mean(-1, keepdim=True)
        variance = ((x - mean) ** 2).mean(-1, keepdim=True)
        d = x.shape[-1]
        gamma, beta = self.weights.get(name + ".gamma", 1, d, 0.3, 1.0), self.weights.get(name + ".beta", 1, d, 0.3)
        return (x - mean) / torch.sqrt(variance + epsilon) * gamma[0] + beta[0]

    def self_attention(self, name, query, key, mask, options):
        """[..., T, d] with a mask [..., T]; zero for padded queries and for those that may look at nothing."""
        d, heads, full = query.shape[-1], options["heads"], options["projections"] == "full"
        parts = [slice(h * d // heads, (h + 1) * d // heads) for h in range(heads)]

        def project(part, x):
            w = self.weights.get(f"{name}.{part}.weight", d, d if full else d // heads)
            return [x @ w[:, p] if full else x[..., p] @ w[p] for p in parts]

        admissible = mask[..., None, :].expand(*mask.shape, mask.shape[-1])
        if options["blinding"]:
            admissible = admissible & ~torch.eye(mask.shape[-1], dtype=torch.bool)
        scale = math.sqrt(d // heads if options["scale"] == "head" else d)
        y = torch.cat([
            masked_softmax(q @ k.transpose(-1, -2) / scale, admissible) @ v
            for q, k, v in zip(project("query", query), project("key", key), project("value", key))
        ], -1)
        if options["output"]:
            y = y @ self.weights.get(name + ".output.weight", d, d)
        return y * mask[..., None]

    def transformer(self, name, query, key, mask, options):
        """y₁ = norm(query + attention), y₂ = norm(y₁ + FFN(y₁))."""
        d, wide = query.shape[-1], options["feed_forward"] * query.shape[-1]
        bias = options["feed_forward_bias"]

        def norm(x, number):
            if options["norm"] == "none":
                return x
            place = f"{name}.norm{number}" if options["norm"] == "separate" else name + ".norm"
            return self.layer_norm(place, x, options["epsilon"])

        def linear(place, x, columns):
            y = x @ self.weights.get(place + ".weight", x.shape[-1], columns)
            return y + self.weights.get(place + ".bias", 1, columns)[0] if bias else y

        def hidden(x):
            kind = options.get("activation", "relu")
            return self.activation(name + ".activation", x.reshape(-1, wide), kind).reshape(x.shape)

        rest = 1 if options.get("residual", True) else 0
        y = norm(rest * query + self.self_attention(name, query, key, mask, options), 1)
        return norm(rest * y + linear(name + ".1", hidden(linear(name + ".0", y, wide)), d), 2)

    def bias_encoding(self, name, newest, length, width, sessions):
        """wK[k] + wT[t] + wC[c], [B, K, T, d]; newest [B, K] holds k, 0 for the newest session."""
        k = self.weights.get(name + ".session", 1, sessions)[0][newest]
        t, c = self.weights.get(name + ".behavior", 1, length)[0], self.weights.get(name + ".unit", 1, width)[0]
        return k[:, :, None, None] + t[:, None] + c

    def positions(self, name, x, newest, kind, sessions):
        """x [B, K, T, d] with positions, as query and as key and value."""
        length, d = x.shape[-2:]
        if kind == "bias":
            x = x + self.bias_encoding(name, newest, length, d, sessions)
        elif kind == "session_vector":
            x = x + self.weights.get(name + ".session", sessions, d)[newest][:, :, None]
            x = x + self.weights.get(name + ".behavior", length, d)
        elif kind == "sinusoid":
            x = x + sinusoid(length, d)
        elif kind == "sinusoid_trained":
            return tuple(x + math.sqrt(d) * self.weights.get(f"{name}.{p}", length, d) for p in ("query", "key"))
        return x, x

    # Attention of the target over interests

    def interest(self, name, q, s, mask, options, compared):
        """q [B, n] all item fields, s [B, T, w] -> weights [B, T]; `compared` columns of q face a behavior."""
        w = s.shape[-1]
        if options["kind"] == "bilinear":
            score = (s @ self.weights.get(name + ".weight", w, q.shape[1], 0.3) @ q[..., None])[..., 0]
        else:
            if options["query"] == "prelu":
                q = self.activation(name + ".query.activation", self.dense(name + ".query", q, w), "prelu")
            else:
                q = q[:, :compared]
                assert compared == w, "without a map the compared columns must be as wide as the states"
            q = q[:, None].expand_as(s)
            x = torch.cat([q, s, q - s, q * s], -1)[mask]  # valid rows, in the order of samples
            for layer, width in enumerate(options["hidden"]):
                x = self.dense(f"{name}.{layer}", x, width)
                x = self.activation(f"{name}.{layer}.activation", x, options["activation"])
            x = self.dense(name + ".output", x, 1)[:, 0]
            score = torch.zeros(mask.shape).masked_scatter(mask, x)
        kind = options["normalization"]
        if kind in ("softmax_scaled", "sigmoid"):
            score = score / math.sqrt(w)
        if kind == "none":
            return score * mask
        return torch.sigmoid(score) * mask if kind == "sigmoid" else masked_softmax(score, mask)
