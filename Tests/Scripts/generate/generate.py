"""Writes what is derived from the sources: the schema of the status from its types, that of the records from their list
(records.py) and the types, Grafana's dashboard from its panels (panels.py) and the families of metrics.

    python3 Tests/Scripts/generate/generate.py          writes the files that differ
    python3 Tests/Scripts/generate/generate.py --check  writes nothing, names those that differ, ends with 1"""

import glob
import json
import os
import re
import sys

import records
import types_of_swift as swift
from panels import PANELS, Heat, Lines, Panel, Row, Stat

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../..")
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
DRAFT = "https://json-schema.org/draft/2020-12/schema"


def sources(pattern: str) -> list[str]:
    return sorted(glob.glob(os.path.join(ROOT, pattern)))


# The status: what JSON calls a property, and what kind of value it has.

PLAIN = {
    "Int": {"type": "integer"},
    "UInt32": {"type": "integer", "minimum": 0},
    "Double": {"$ref": "#/$defs/number"},
    "String": {"type": "string"},
    "Bool": {"type": "boolean"},
}
# What a type's own encoding writes instead of its properties.
WRITTEN = {
    "number": {
        "description": "Numbers that are not finite are words.",
        "anyOf": [{"type": "number"}, {"enum": ["inf", "-inf", "nan"]}],
    },
    "LatencyHistogram": {
        "description": "Times in seconds. Bucket 0 holds all below 1.024 µs; bucket 1 + 16 (o − 10) + p those from "
        "2^o (1 + p/16) ns on, for o of 10 to 35; bucket 417 all from 68.7 s on.",
        "type": "object",
        "additionalProperties": False,
        "required": ["count", "sum", "max", "p50", "p99", "buckets"],
        "properties": {
            "count": {"type": "integer", "minimum": 0},
            **{name: {"type": "number"} for name in ["sum", "max", "p50", "p99"]},
            "buckets": {
                "description": "Number and count of each bucket that is not empty, in turn.",
                "type": "array",
                "items": {"type": "integer", "minimum": 0},
            },
        },
    },
}
ID = {"type": "string", "pattern": "^[0-9]+$"}


class Status:
    """The schema of ClusterStatus and of all that it contains."""

    def __init__(self) -> None:
        self.structs, self.enums = swift.read(sources("Sources/Telemetry/*.swift"))
        self.used: dict[str, dict] = {}

    def value(self, type: str, owner: str) -> dict:
        if type in PLAIN:
            return PLAIN[type]
        if type == "UInt64":
            return ID
        if found := re.fullmatch(r"\[(\w+): (\w+)\]", type):
            names = {"propertyNames": {"pattern": "^-?[0-9]+$"}} if found.group(1) == "Int" else {}
            return {"type": "object", "additionalProperties": self.value(found.group(2), owner), **names}
        if type.startswith("["):
            return {"type": "array", "items": self.value(type[1:-1], owner)}
        for name in (f"{owner}.{type}", type):
            if name in self.enums:
                return {"enum": self.enums[name]}
        if type not in WRITTEN and type not in self.used:
            self.used[type] = {}
            self.used[type] = self.object(type)
        return {"$ref": f"#/$defs/{type}"}

    def object(self, name: str) -> dict:
        struct = self.structs[name]
        properties = {}
        for field in struct.fields:
            text = field.text.replace("nil", "absent") if field.optional else field.text
            properties[swift.snake(field.name)] = ({"description": text} if text else {}) | self.value(field.type, name)
        return {
            "description": struct.text,
            "type": "object",
            "additionalProperties": False,
            "required": [swift.snake(field.name) for field in struct.fields if not field.optional],
            "properties": properties,
        }

    def schema(self) -> dict:
        source = open(sources("Sources/Telemetry/ClusterStatus.swift")[0], encoding="utf-8").read()
        version = int(re.search(r"static let schema = (\d+)", source).group(1))
        whole = self.object("ClusterStatus")
        whole["properties"]["schema"] = {"type": "integer", "const": version}
        return {
            "$schema": DRAFT,
            "$id": f"myriad-status-{version}",
            "title": "The status of a Myriad job: /api/v1/status and status.json",
            **whole,
            "$defs": WRITTEN | dict(sorted(self.used.items())),
        }


# The records.

FIGURE = "null when it is not a finite number"
KINDS = {
    "text": {"type": "string"},
    "count": {"type": "integer", "minimum": 0},
    "rate": {"type": "number", "minimum": 0},
    "share": {"type": "number", "minimum": 0, "maximum": 1},
    "figure": {"type": ["number", "null"]},
}
MOMENT = "seconds since 1970-01-01 UTC, when the line was written"


def record(causes: list[str], event: str, text: str, fields: dict[str, tuple[str, str]]) -> dict:
    properties: dict[str, dict] = {"event": {"const": event}, "time": {"$ref": "#/$defs/time"}}
    for name, (kind, meaning) in fields.items():
        value = {"enum": causes} if kind == "cause" else KINDS[kind]
        properties[name] = value | {"description": f"{meaning}; {FIGURE}" if kind == "figure" else meaning}
    return {
        "title": event,
        "description": text,
        "type": "object",
        "additionalProperties": False,
        "required": list(properties),
        "properties": properties,
    }


def record_schema(causes: list[str]) -> dict:
    source = open(sources("Sources/Display/Records/Record.swift")[0], encoding="utf-8").read()
    read = re.findall(r"^    package (?:let|var) ([\w, ]+): (?:String|Int|Double)\?$", source, re.MULTILINE)
    names = {swift.snake(name) for line in read for name in line.split(", ")} - {"reason"}  # of older versions
    if unknown := names - {name for _, fields in records.EVENTS.values() for name in fields}:
        raise ValueError(f"Record reads {', '.join(sorted(unknown))}, of which records.py says nothing")
    definitions = {event: record(causes, event, *what) for event, what in records.EVENTS.items()}
    return {
        "$schema": DRAFT,
        "title": "A line of metrics.jsonl",
        "description": "Every line of a run's metrics.jsonl is one JSON object; `event` says which. Lines are added in "
        "order and never changed; a line that a crash cut off has no newline at its end.",
        "type": "object",
        "required": ["event", "time"],
        "oneOf": [{"$ref": f"#/$defs/{event}"} for event in definitions],
        "$defs": {"time": {"type": "number", "description": MOMENT, "exclusiveMinimum": 0}, **definitions},
    }


# Grafana.


def families() -> set[str]:
    """The names that /metrics serves."""
    text = "".join(open(path, encoding="utf-8").read() for path in sources("Sources/Telemetry/Prometheus*.swift"))
    return {"myriad_" + name.removeprefix("myriad_") for name in re.findall(r'"([a-z][a-z0-9_]+)"', text)}


def expression(query: str, known: set[str]) -> str:
    """A query with the labels of the job and its scheduler, and the range."""
    labels = 'job=~"$job", instance=~"$instance"'

    def metric(found: re.Match) -> str:
        name, own = found.group(1), found.group(3)
        if name not in known and re.sub("_(bucket|sum|count)$", "", name) not in known:
            raise ValueError(f"'{query}': no family of metrics is called '{name}'")
        return f"{name}{{{labels}{', ' + own if own else ''}}}"

    return re.sub(r"\b(myriad_\w+)(\{([^}]*)\})?", metric, query).replace("[r]", "[$__rate_interval]")


def options(panel: Panel) -> tuple[dict, dict]:
    """The defaults of a panel's fields, and its options."""
    match panel:
        case Stat():
            steps = [{"color": "text", "value": None}]
            if panel.alarm is not None:
                steps = [{"color": "green", "value": None}, {"color": "red", "value": panel.alarm}]
            defaults = {"unit": panel.unit, "thresholds": {"mode": "absolute", "steps": steps}}
            if panel.decimals is not None:
                defaults["decimals"] = panel.decimals
            reduced = {"calcs": ["lastNotNull"], "fields": "", "values": False}
            mode = "name" if panel.named else "auto"
            return defaults, {"colorMode": "value", "graphMode": "none", "textMode": mode, "reduceOptions": reduced}
        case Lines():
            custom = {
                "drawStyle": "line",
                "lineWidth": 1,
                "fillOpacity": 60 if panel.stacked else 8,
                "showPoints": "never",
                "spanNulls": False,
            }
            if panel.stacked:
                custom["stacking"] = {"mode": "normal", "group": "A"}
            bounds = {"min": panel.low, "max": panel.high}
            defaults = {"unit": panel.unit, "custom": custom} | {k: v for k, v in bounds.items() if v is not None}
            legend = {"displayMode": "list", "placement": "bottom", "showLegend": True}
            return defaults, {"legend": legend, "tooltip": {"mode": "multi", "sort": "desc"}}
        case _:
            color = {"mode": "scheme", "scheme": "Viridis", "steps": 64, "exponent": 0.5}
            return {}, {
                "calculate": False,
                "color": color,
                "yAxis": {"unit": panel.unit},
                "cellGap": 1,
                "tooltip": {"show": True},
                "legend": {"show": True},
            }


def target(place: int, query: tuple[str, str], is_heat: bool, known: set[str]) -> dict:
    whole = {
        "refId": chr(ord("A") + place),
        "datasource": SOURCE,
        "expr": expression(query[0], known),
        "legendFormat": query[1],
    }
    return whole | ({"format": "heatmap"} if is_heat else {})


def drawn(panels: list, known: set[str]) -> list[dict]:
    """All panels, from left to right, row by row."""
    all, x, y, height = [], 0, 0, 0
    for number, panel in enumerate(panels, 1):
        width = 24 if isinstance(panel, Row) else panel.width
        if x + width > 24 or isinstance(panel, Row):
            x, y, height = 0, y + height, 0
        own = 1 if isinstance(panel, Row) else 4 if isinstance(panel, Stat) else 8
        if x > 0 and own != height:
            x, y = 0, y + height
        place = {"h": own, "w": width, "x": x, "y": y}
        x, height = x + width, own
        if isinstance(panel, Row):
            all.append(
                {"id": number, "type": "row", "title": panel.title, "collapsed": False, "panels": [], "gridPos": place}
            )
            continue
        kind = {Stat: "stat", Lines: "timeseries", Heat: "heatmap"}[type(panel)]
        defaults, look = options(panel)
        all.append(
            {
                "id": number,
                "type": kind,
                "title": panel.title,
                **({"description": panel.description} if panel.description else {}),
                "datasource": SOURCE,
                "fieldConfig": {"defaults": defaults, "overrides": []},
                "options": look,
                "targets": [
                    target(at, query, isinstance(panel, Heat), known) for at, query in enumerate(panel.queries)
                ],
                "gridPos": place,
            }
        )
    return all


def variable(name: str, label: str, query: str) -> dict:
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": SOURCE,
        "definition": query,
        "query": {"query": query, "refId": name},
        "refresh": 2,
        "sort": 1,
        "includeAll": False,
        "multi": False,
        "hide": 0,
        "options": [],
        "current": {},
    }


def dashboard() -> dict:
    source = {
        "name": "datasource",
        "label": "Prometheus",
        "type": "datasource",
        "query": "prometheus",
        "refresh": 1,
        "hide": 0,
        "includeAll": False,
        "multi": False,
        "options": [],
        "current": {},
    }
    alerts = {
        "name": "Alerts",
        "datasource": SOURCE,
        "enable": True,
        "iconColor": "red",
        "expr": 'ALERTS{alertstate="firing", job=~"$job", instance=~"$instance"}',
        "titleFormat": "{{alertname}}",
        "textFormat": "{{severity}}",
    }
    return {
        "title": "Myriad",
        "uid": "myriad",
        "tags": ["myriad"],
        "description": "A job of Myriad: what its scheduler serves at /metrics.",
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "5s",
        "time": {"from": "now-30m", "to": "now"},
        "timezone": "browser",
        "templating": {
            "list": [
                source,
                variable("job", "Scrape job", "label_values(myriad_job_state, job)"),
                variable("instance", "Scheduler", 'label_values(myriad_job_state{job=~"$job"}, instance)'),
            ]
        },
        "annotations": {"list": [alerts]},
        "links": [],
        "panels": drawn(PANELS, families()),
    }


def main() -> int:
    status = Status()
    files = {
        "Sources/Display/Page/Resources/status.schema.json": status.schema(),
        "docs/metrics.schema.json": record_schema(status.enums["FailureReport.Cause"]),
        "cluster/grafana.json": dashboard(),
    }
    differ = []
    for name, value in files.items():
        path, text = os.path.join(ROOT, name), json.dumps(value, indent=2, ensure_ascii=False) + "\n"
        if not os.path.exists(path) or open(path, encoding="utf-8").read() != text:
            differ.append(name)
            if "--check" not in sys.argv:
                open(path, "w", encoding="utf-8").write(text)
    for name in differ:
        print(
            f"{name}: "
            + ("differs from what the sources say: run make generated" if "--check" in sys.argv else "written")
        )
    return 1 if differ and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
