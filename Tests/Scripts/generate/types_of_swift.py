"""Reads structs and enums of Swift sources: names, types and what their comments say."""

import re
from dataclasses import dataclass, field


@dataclass
class Field:
    name: str
    type: str
    text: str
    optional: bool = False


@dataclass
class Struct:
    name: str
    text: str
    fields: list[Field] = field(default_factory=list)


def snake(name: str) -> str:
    return re.sub(r"([A-Z])", lambda found: "_" + found.group().lower(), name)


def guessed(default: str) -> str:
    """The type of a property that only its default tells."""
    for pattern, name in [(r"-?\d+", "Int"), (r"-?\d+\.\d+", "Double"), (r'".*"', "String"), (r"true|false", "Bool")]:
        if re.fullmatch(pattern, default):
            return name
    if found := re.fullmatch(r"(\w+)\(\)", default):
        return found.group(1)
    if default.endswith(".schema"):
        return "Int"
    if found := re.fullmatch(r"([\w.]+)\.\w+", default):
        return found.group(1)
    raise ValueError(f"no type can be read from '{default}'")


def paragraph(lines: list[str]) -> str:
    """The first paragraph of a comment."""
    return " ".join(lines[: lines.index("")] if "" in lines else lines)


def read(paths: list[str]) -> tuple[dict[str, Struct], dict[str, list[str]]]:
    """The `Codable` structs of some files with their stored properties, and the cases of their enums."""
    structs: dict[str, Struct] = {}
    enums: dict[str, list[str]] = {}
    for path in paths:
        comment: list[str] = []
        scopes: list[tuple[int, str]] = []
        for line in open(path, encoding="utf-8"):
            text = line.strip()
            indent = len(line) - len(line.lstrip())
            if text.startswith("///"):
                comment.append(text[3:].strip())
                continue
            if text:
                while scopes and indent <= scopes[-1][0]:
                    scopes.pop()
            if found := re.match(r"package (struct|enum) (\w+): (.*)\{", text):
                kind, name, bases = found.groups()
                name = ".".join([scope for _, scope in scopes] + [name])
                if kind == "struct" and "Codable" in bases:
                    structs[name] = Struct(name, paragraph(comment))
                if kind == "enum" and bases.startswith("String"):
                    enums[name] = []
                scopes.append((indent, name.split(".")[-1]))
            scope = ".".join(name for _, name in scopes)
            if scope in enums and (found := re.search(r"\bcase ([\w, ]+?)( \}|$)", text)):
                enums[scope] += found.group(1).split(", ")
            elif scope in structs and indent == scopes[-1][0] + 4 and not text.endswith("{"):
                found = re.fullmatch(r"package (?:internal\(set\) )?var (\w+)(?:: ([^={]+?))?(?: = (.+))?", text)
                if found:
                    name, type, default = found.groups()
                    type = type or guessed(default)
                    structs[scope].fields.append(
                        Field(name, type.rstrip("?"), paragraph(comment), optional=type.endswith("?"))
                    )
            comment = []
    return structs, enums
