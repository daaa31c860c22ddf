#!/usr/bin/env python3
"""Draws docs/images/top.svg: `myriad top` on a cluster that runs, in a terminal of its own, as a picture.

    python3 Tests/Scripts/top-picture.py configs/din.yaml [data.directory=…] > docs/images/top.svg

Needs a release build and tmux (Debian: tmux). The cluster is launched for these seconds only.
"""
import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from html import escape
from unicodedata import east_asian_width

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FOREGROUND, BACKGROUND = "#d5dae3", "#14181f"
# By SGR code: what `top` uses.
COLORS = {31: "#ff7b72", 32: "#7ee787", 33: "#e3b341", 36: "#79c0ff"}
CELL, ROW, SIZE, MARGIN = 8.4, 18, 14, 12


class Style:
    """What a terminal remembers between two escape sequences."""

    def __init__(self):
        self.color, self.bold, self.dim, self.reversed = None, False, False, False

    def take(self, codes):
        for code in [int(c or 0) for c in codes.split(";")]:
            if code == 0:
                self.__init__()
            elif code == 1:
                self.bold = True
            elif code == 2:
                self.dim = True
            elif code == 7:
                self.reversed = True
            elif code == 22:
                self.bold = self.dim = False
            elif code == 27:
                self.reversed = False
            elif code == 39:
                self.color = None
            elif code in COLORS:
                self.color = COLORS[code]

    def attributes(self):
        fill = BACKGROUND if self.reversed else self.color
        parts = [f'fill="{fill}"'] if fill else []
        parts += ['font-weight="bold"'] if self.bold else []
        parts += ['opacity="0.62"'] if self.dim else []
        return " ".join(parts)


def cells(text):
    return sum(2 if east_asian_width(c) in "WF" else 1 for c in text)


def runs(line, style):
    """The pieces of a line that look alike: column, text, attributes, whether reversed."""
    column = 0
    for part in re.split(r"(\x1b\[[0-9;]*m)", line):
        if part.startswith("\x1b"):
            style.take(part[2:-1])
        elif part:
            yield column, part, style.attributes(), style.reversed
            column += cells(part)


def words(column, text):
    """Text without the spaces around it, and where it begins: every piece is placed, so that columns stay columns."""
    for match in re.finditer(r"\S+(?: \S+)*", text):
        yield column + cells(text[: match.start()]), match.group()


def svg(screen, columns, rows, name):
    width, height = columns * CELL + 2 * MARGIN, rows * ROW + 2 * MARGIN
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" role="img" '
        f'font-family="ui-monospace, \'DejaVu Sans Mono\', Menlo, Consolas, monospace" font-size="{SIZE}" '
        f'fill="{FOREGROUND}" xml:space="preserve">',
        f"<title>{escape(name)}</title>",
        f'<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>',
    ]
    style = Style()
    for row, line in enumerate(screen.split("\n")[:rows]):
        y = MARGIN + row * ROW
        for column, text, attributes, is_reversed in runs(line, style):
            if is_reversed:
                out.append(
                    f'<rect x="{MARGIN + column * CELL:.1f}" y="{y}" width="{cells(text) * CELL:.1f}" '
                    f'height="{ROW}" fill="{FOREGROUND}"/>'
                )
            for place, word in words(column, text):
                # The viewer's font may be wider or narrower than a cell.
                out.append(
                    f'<text x="{MARGIN + place * CELL:.1f}" y="{y + 13}" textLength="{cells(word) * CELL:.1f}" '
                    f'lengthAdjust="spacingAndGlyphs" {attributes}>{escape(word)}</text>'
                )
    return "\n".join(out + ["</svg>"]) + "\n"


def tmux(*arguments):
    command = ["tmux", "-L", f"myriad-picture-{os.getpid()}", "-u", "-f", "/dev/null", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def picture(arguments):
    program = os.path.join(ROOT, ".build/release/myriad")
    overrides = [
        re.sub(r"^data\.directory=(.*)", lambda m: "data.directory=" + os.path.abspath(m.group(1)), one)
        for one in arguments.overrides
    ]
    if not any(one.startswith("data.directory=") for one in overrides):
        overrides.append("data.directory=" + os.path.join(ROOT, "data/movielens"))
    name = os.path.splitext(os.path.basename(arguments.config))[0]
    with tempfile.TemporaryDirectory() as directory:
        with open(directory + "/log", "w") as log:
            command = [program, "launch", os.path.abspath(arguments.config), "train.epochs=100", "monitor.page=off"]
            command += ["checkpoint.every=500", "--run", f"runs/{name}-1"]
            command += ["--servers", str(arguments.servers), "--workers", str(arguments.workers)]
            job = subprocess.Popen(command + overrides, cwd=directory, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + 30
            while not os.path.exists(f"{directory}/runs/{name}-1/status.json"):
                if job.poll() is not None or time.monotonic() > deadline:
                    sys.exit("the cluster does not start:\n" + open(directory + "/log").read())
                time.sleep(0.1)
            size = ["-x", str(arguments.columns), "-y", str(arguments.rows)]
            tmux("new-session", "-d", *size, "-c", directory, f"env -u NO_COLOR '{program}' top runs/{name}-1")
            time.sleep(arguments.seconds)
            for key in arguments.keys:
                tmux("send-keys", key)
                time.sleep(1.5)
            if job.poll() is not None:
                sys.exit("the cluster has ended before the picture:\n" + open(directory + "/log").read())
            return tmux("capture-pane", "-e", "-p", "-t", "0")
        finally:
            subprocess.run(["tmux", "-L", f"myriad-picture-{os.getpid()}", "kill-server"], stderr=subprocess.DEVNULL)
            if job.poll() is None:
                job.send_signal(signal.SIGINT)
                job.wait(timeout=60)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config")
    parser.add_argument("overrides", nargs="*")
    parser.add_argument("--servers", type=int, default=2)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=45, help="after which the picture is taken")
    parser.add_argument("--columns", type=int, default=120)
    parser.add_argument("--rows", type=int, default=34)
    parser.add_argument("--keys", default="", help="typed before the picture is taken, such as h for hot ids")
    arguments = parser.parse_args()
    screen = picture(arguments)
    sys.stdout.write(svg(screen, arguments.columns, arguments.rows, "myriad top on a cluster of this machine"))


main()
