"""Checks that a report is well-formed and needs nothing from elsewhere; prints its visible text and counts as JSON."""

import json
import re
import sys
from html.parser import HTMLParser
from xml.etree import ElementTree

VOID = {"meta", "br", "hr", "img", "input", "link"}
SVG = "http://www.w3.org/2000/svg"
# What may load, run or send something.
REFERENCES = {"src", "href", "srcset", "action", "data", "poster", "xlink:href", "formaction", "background"}


class Report(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.text, self.problems, self.tags, self.style = [], [], [], {}, ""

    def handle_starttag(self, tag, attributes):
        self.tags[tag] = self.tags.get(tag, 0) + 1
        names = [name for name, _ in attributes]
        if len(set(names)) < len(names):
            self.problems.append(f"{self.getpos()}: <{tag}> has an attribute twice")
        for name, value in attributes:
            if name in REFERENCES or name.startswith("on"):
                self.problems.append(f"{self.getpos()}: <{tag} {name}={value!r}>")
            if name.startswith("xmlns") and value != SVG:
                self.problems.append(f"{self.getpos()}: namespace {value}")
            if name == "style":
                self.style += value + "\n"
        if tag in {"script", "iframe", "object", "embed", "link", "img", "base", "form"}:
            self.problems.append(f"{self.getpos()}: <{tag}>")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if not self.open or self.open[-1] != tag:
            self.problems.append(f"{self.getpos()}: </{tag}> within {self.open[-3:]}")
        else:
            self.open.pop()

    def handle_data(self, data):
        if self.open and self.open[-1] == "style":
            self.style += data
        else:
            self.text.append(data)


text = open(sys.argv[1], encoding="utf-8").read()
report = Report()
report.feed(text)
report.close()
problems = report.problems
if report.open:
    problems.append(f"never closed: {report.open}")
if re.search(r"url\(|@import|expression\(", report.style):
    problems.append("the style loads something")
for picture in re.findall(r"<svg.*?</svg>", text, re.S):
    root = ElementTree.fromstring(picture)
    for element in root.iter():
        for name, value in element.attrib.items():
            if re.search(r"\b(nan|inf)\b|NaN|∞", value) and name not in {"aria-label"}:
                problems.append(f"<{element.tag} {name}={value!r}> is no place")
# Bodies as XML find what an HTML parser forgives: the page is written so that it is both.
body = text[text.index("<body>") : text.index("</html>")]
ElementTree.fromstring(body)
print(json.dumps({"problems": problems, "text": " ".join(" ".join(report.text).split()), "tags": report.tags}))
