"""Random cases for make_sequence_fixtures.py: schemas, options, samples and their ragged micro-batches."""

import collections

import numpy as np

from make_fixtures import random_options, random_samples, random_schema

SIZES = {"item": 15, "category": 4, "user": 6, "page": 3, "action": 3, "item_bias": 15, "campaign": 5}
FLAT = {  # switches that are dealt evenly over the 20 cases of a model, in shuffled order
    "action": [False, False, True], "campaign": [False, True], "bias": [False, False, True], "pooling": ["sum", "mean"],
    "fields": [2, 2, 3],  # of a behavior, at most
    "interest": ["bilinear", "mlp prelu", "bilinear", "mlp none", "mlp prelu"],
    "normalization": ["softmax", "softmax", "softmax_scaled", "sigmoid", "none"],
    "activation": ["sigmoid", "dice", "prelu", "relu"],
}
DIEN = FLAT | {
    "hidden": [0, 4, 0, 5, 3], "reset": ["after", "before"], "update": ["take", "keep"], "hidden_bias": [False, True],
    "form": ["product", "union"], "weight": [1.0, 0.5, 2.0, 1.0, 0.25, 1.0, 0.5, 2.0, 0.0, 1.0],
    "aux_activation": ["sigmoid", "relu", "prelu"], "aux_head": ["logit", "softmax"],
    "aux_norm": ["none", "constant"], "aux_normalization": ["pairs", "halves", "sequences", "slots"],
    "aux_hidden": [[5, 3], [4]], "negatives": ["uniform", "frequency", "frequency_power"],
}
DSIN = FLAT | {
    "position": ["bias", "sinusoid", "sinusoid_trained", "session_vector", "none"], "projections": ["full", "sliced"],
    "scale": ["head", "model"], "output": [True, False], "norm": ["separate", "shared", "none"],
    "epsilon": [1e-5, 1e-3], "feed_forward": [2, 1, 4], "feed_forward_bias": [True, False], "blinding": [False, True],
    "layers": [1, 2, 0, 1, 2], "merge": ["sum", "mean", "concat"], "peephole": [False, True],
    "count": [3, 4, 2], "length": [3, 4, 5],
}

BST = FLAT | {
    "places": [4, 0, 2, 6, 3], "unit": [60, 3600, 1], "buckets": [20, 4, 8], "keep": [20, 3, 2, 20, 5], "blocks": [1, 2],
    "projections": ["full", "sliced"], "scale": ["head", "model"], "output": [True, False],
    "norm": ["separate", "shared", "none"], "epsilon": [1e-5, 1e-3], "feed_forward": [2, 1, 4],
    "feed_forward_bias": [True, False], "blinding": [False, True, False], "residual": [True, True, True, False],
    "inner": ["leaky_relu", "relu", "prelu", "sigmoid", "leaky_relu"], "outer": ["leaky_relu", None],
}


def deal(switches, seed):
    """For each of 20 cases a value of every switch."""
    random = np.random.default_rng(seed)
    hands = {name: [values[i % len(values)] for i in random.permutation(20)] for name, values in switches.items()}
    return [{name: values[number] for name, values in hands.items()} for number in range(20)]


# Of 40 draws of each case one whose values are moderate and whose gradients float32 can resolve: none tiny or canceled.
DRAWN = [
    0, 3, 1, 0, 2, 0, 0, 3, 0, 1, 0, 1, 4, 3, 7, 3, 1, 8, 1, 2,
    17, 0, 7, 0, 3, 9, 12, 23, 30, 5, 10, 23, 0, 1, 7, 0, 25, 22, 0, 22,
    15, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 6,
]
DEALT = deal(DIEN, 342) + deal(DSIN, 258) + deal(BST, 77)


def table_width(table, options):
    embedding = options["embedding"]
    return 1 if table == "item_bias" else embedding["widths"].get(table, embedding["width"])


def compared_width(schema, options):
    """Width of the fields with which item and behavior begin alike."""
    width = 0
    for item, behavior in zip(schema["item"], schema["behavior"]):
        if item["table"] != behavior["table"]:
            break
        width += table_width(item["table"], options)
    return width


def sequence_schema(random, dealt):
    """As of Base and DIN; items may carry a campaign, which behaviors do not have."""
    while True:
        schema = random_schema(random, dealt["bias"])
        action = dealt["action"] and dealt["interest"] != "mlp none"
        if ("action" in schema["tables"]) == action and len(schema["behavior"]) <= dealt["fields"]:
            break
    if dealt["campaign"]:
        schema["tables"].append("campaign")
        schema["item"].append({"name": "campaign", "table": "campaign", "column": "campaign"})
    return schema


def sequence_options(random, schema, dealt, number):
    made = random_options(random, "din", schema, number)
    pick = lambda *values: values[int(random.integers(len(values)))]
    whole = 0
    while whole == 0 or 20 <= number < 40 and whole not in (4, 6, 8):  # widths of a behavior that heads can divide
        widths = {"user": 4, "category": pick(2, 3), "action": pick(1, 2), "campaign": 3}
        made["embedding"] |= {
            "width": pick(2, 3) if number < 20 else pick(2, 3, 4),
            "widths": {t: w for t, w in widths.items() if t in schema["tables"]},
        }
        whole = sum(table_width(f["table"], made) for f in schema["behavior"])
    made["top"]["hidden"] = pick([5, 4], [7], [5])
    kind, query = (dealt["interest"] + " prelu").split()[:2]
    options = {
        "kind": ["dien", "dsin", "bst"][number // 20], "pooling": dealt["pooling"], "item_bias": made["item_bias"],
        "attention": {
            "kind": kind, "query": query, "hidden": pick([4, 3], [5]), "activation": dealt["activation"],
            "normalization": dealt["normalization"], "dropout": 0,
        },
        "top": made["top"], "embedding": made["embedding"],
    }
    d = compared_width(schema, options)
    inputs = [
        ["user", "target", "attention", "context", "numeric"], ["attention", "target", "history_product"],
        ["user", "target", "history", "history_product", "attention", "context", "numeric"],
    ]
    if number < 20:
        hidden = dealt["hidden"] if query == "prelu" or whole == d and dealt["hidden"] == 0 else d
        if (hidden or whole) == d:
            inputs += [["attention", "target", "attention_product"]] * 2
            inputs += [["target", "attention", "history", "attention_product", "history_product"]] * 2
        options |= {
            "gru": {
                "hidden": hidden, "reset": dealt["reset"], "update": dealt["update"],
                "hidden_bias": dealt["hidden_bias"], "gate_bias": 0,
            },
            "evolution": ["augru", "agru", "aigru", "gru"][number % 4], "augru": dealt["form"],
            "auxiliary": {
                "weight": dealt["weight"], "hidden": dealt["aux_hidden"], "activation": dealt["aux_activation"],
                "head": dealt["aux_head"], "input_norm": dealt["aux_norm"],
                "normalization": dealt["aux_normalization"], "negatives": dealt["negatives"],
            },
        }
    elif number >= 40:
        del options["attention"]
        wide = d + dealt["places"]
        if dealt["places"] == 0:
            inputs += [["attention", "target", "attention_product"]] * 3
        options["top"] |= {"activation": dealt["outer"]} if dealt["outer"] else {}
        options |= {
            "length": dealt["keep"], "blocks": dealt["blocks"],
            "position": {"width": dealt["places"], "buckets": dealt["buckets"], "unit": dealt["unit"]},
            "transformer": {
                "heads": pick(*[h for h in (1, 2, 2, 3, 4) if wide % h == 0]), "dropout": 0,
                "activation": dealt["inner"],
                **{k: dealt[k] for k in ("projections", "scale", "output", "norm", "epsilon", "residual")},
                **{k: dealt[k] for k in ("feed_forward", "feed_forward_bias", "blinding")},
            },
        }
    else:
        merge = "sum" if query == "none" and dealt["merge"] == "concat" else dealt["merge"]
        options |= {
            "sessions": {"gap": 1800, "count": dealt["count"], "length": dealt["length"]},
            "position": dealt["position"],
            "transformer": {
                "heads": pick(1, 2, 2, whole // 2, whole), "dropout": 0,
                **{k: dealt[k] for k in ("projections", "scale", "output", "norm", "epsilon")},
                **{k: dealt[k] for k in ("feed_forward", "feed_forward_bias", "blinding")},
            },
            "interacting": {
                "layers": dealt["layers"], "merge": merge, "peephole": dealt["peephole"], "dropout": 0,
                "forget_bias": 1, "bias": 0,
            },
        }
    return options | {"input": pick(*inputs)}


def sequence_samples(random, schema, options, number):
    """Histories with negatives, or cut into sessions of which the newest are kept; one per group of samples."""
    samples, groups = random_samples(random, schema, SIZES, number % 20), {}
    for sample in samples:
        if sample["group"] not in groups:
            history, negatives, sessions = sample["history"], [], []
            if options["kind"] == "dien" and options["auxiliary"]["weight"] > 0:
                for behavior in history:
                    negative = behavior
                    while negative == behavior:
                        negative = [int(random.integers(SIZES[f["table"]])) for f in schema["behavior"]]
                    negatives.append(negative if negatives else None)
            if options["kind"] == "dsin":
                if len(history) > 1:  # longer, for more sessions
                    history = history + [
                        [int(random.integers(SIZES[f["table"]])) for f in schema["behavior"]]
                        for _ in range(int(random.integers(2, 7)))
                    ]
                while len(sessions) < options["sessions"]["count"] and sum(sessions) < len(history):
                    left = min(options["sessions"]["length"], len(history) - sum(sessions))
                    sessions.insert(0, int(random.integers(1, left + 1, 2).max()))
                history = history[len(history) - sum(sessions) :]
            groups[sample["group"]] = {"history": history, "negatives": negatives, "sessions": sessions}
            if options["kind"] == "bst":
                steps = [int(2.0 ** random.uniform(0, 16)) for _ in history]
                groups[sample["group"]]["historyTimes"] = [sum(steps[: k + 1]) for k in range(len(steps))]
        sample |= groups[sample["group"]]
        if options["kind"] == "bst":
            sample["time"] = max(sample["historyTimes"], default=0) + int(2.0 ** random.uniform(0, 18)) - 1
    return samples


def sequence_batch(schema, samples, kind):
    """As make_fixtures.micro_batch; negatives follow the behaviors of their history and count for nobody."""
    sessions = kind == "dsin"
    index = {name: i for i, name in enumerate(schema["tables"])}
    ids, seen = [{} for _ in index], [collections.defaultdict(set) for _ in index]
    batch = {name + "Rows": [[] for _ in schema[name]] for name in ("user", "item", "context", "bias", "behavior")}
    batch |= {"historyOf": [], "historyOffsets": [0], "positionBehavior": [], "negatives": []}
    if kind == "bst":
        batch |= {"times": [s["time"] for s in samples], "positionTimes": []}
    batch |= {name: [0] if sessions else [] for name in ("sessionOffsets", "historySessions")}
    histories, tuples = {}, {}

    def row(field, value, sample):
        table = index[field["table"]]
        if sample is not None:
            seen[table][value].add(sample)
        return ids[table].setdefault(value, len(ids[table]))

    def behavior(values, sample):
        rows = [row(f, v, sample) for f, v in zip(schema["behavior"], values)]
        if tuple(values) not in tuples:
            for column, value in zip(batch["behaviorRows"], rows):
                column.append(value)
        return tuples.setdefault(tuple(values), len(tuples))

    for number, sample in enumerate(samples):
        for name in ("user", "item", "context", "bias"):
            for column, field, value in zip(batch[name + "Rows"], schema[name], sample[name]):
                column.append(row(field, value, number))
        new = sample["group"] not in histories
        batch["historyOf"].append(histories.setdefault(sample["group"], len(histories)))
        positions = [behavior(b, number) for b in sample["history"]]
        if new:
            batch["positionBehavior"] += positions
            batch["historyOffsets"].append(len(batch["positionBehavior"]))
            if kind == "bst":
                batch["positionTimes"] += sample["historyTimes"]
            batch["negatives"] += [-1 if b is None else behavior(b, None) for b in sample["negatives"]]
            if sessions:
                for length in sample["sessions"]:
                    batch["sessionOffsets"].append(batch["sessionOffsets"][-1] + length)
                batch["historySessions"].append(len(batch["sessionOffsets"]) - 1)
    batch["ids"] = [list(t) for t in ids]
    batch["counts"] = [[len(seen[t][i]) for i in ids[t]] for t in range(len(ids))]
    return batch


def sequence_case(number):
    """The generator, for the weights; the case; the rows of all tables, as float32 holds them."""
    random, dealt = np.random.default_rng(3000 + 40 * DRAWN[number] + number), DEALT[number]
    schema = sequence_schema(random, dealt)
    options = sequence_options(random, schema, dealt, number)
    if number % 20 == 3:  # all histories empty; see make_fixtures.py
        options["top"]["input_norm"] = "constant"
    case = {"schema": schema, "options": options, "samples": sequence_samples(random, schema, options, number)}
    values = [
        random.normal(size=(SIZES[t], table_width(t, options))).astype(np.float32) * np.float32(0.8)
        for t in schema["tables"]
    ]
    return random, case, values
