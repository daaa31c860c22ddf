"""Drives a real headless Chromium over its DevTools pipe: browser.py URL [--images DIRECTORY] [--name NAME].

Prints one line of JSON: what the page showed, and what it complained of. No package beyond Python's own library.
"""
import argparse
import base64
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from urllib.parse import urlparse


class Browser:
    """A Chromium with one tab."""

    def __init__(self):
        self.profile = tempfile.mkdtemp(prefix="myriad-chromium-")
        down_read, down_write = os.pipe()
        up_read, up_write = os.pipe()

        def wire():
            # DevTools listens on 3 and speaks on 4.
            os.dup2(down_read, 63)
            os.dup2(up_write, 64)
            os.dup2(63, 3)
            os.dup2(64, 4)

        self.process = subprocess.Popen(
            ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
             "--remote-debugging-pipe", f"--user-data-dir={self.profile}", "about:blank"],
            preexec_fn=wire, close_fds=False, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(down_read)
        os.close(up_write)
        self.out, self.input, self.buffer = down_write, up_read, b""
        self.number, self.session = 0, None
        self.console, self.requests, self.failed, self.statuses, self.loads = [], [], [], [], 0
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ["Page", "Runtime", "Network", "Log"]:
            self.call(f"{domain}.enable")

    def close(self):
        try:
            self.call("Browser.close")
        except Exception:
            pass
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, 9)
        shutil.rmtree(self.profile, ignore_errors=True)

    def receive(self):
        while b"\0" not in self.buffer:
            if not select.select([self.input], [], [], 120)[0]:
                raise RuntimeError("chromium has not answered for 120 s")
            piece = os.read(self.input, 1 << 20)
            if not piece:
                raise RuntimeError("chromium has ended")
            self.buffer += piece
        line, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(line)

    def note(self, message):
        method, params = message.get("method"), message.get("params", {})
        if method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
            self.console.append(" ".join(str(a.get("value", a.get("description"))) for a in params["args"]))
        elif method == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            self.console.append(details.get("exception", {}).get("description") or details["text"])
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.console.append(params["entry"]["text"])
        elif method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif method == "Network.responseReceived":
            self.statuses.append(params["response"]["status"])
        elif method == "Network.loadingFailed" and not params.get("canceled"):
            self.failed.append(params["errorText"])
        elif method == "Page.loadEventFired":
            self.loads += 1

    def call(self, method, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self.note(answer)

    def evaluate(self, script):
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(str(result["exceptionDetails"])[:400])
        return result["result"].get("value")

    def open(self, url):
        before = self.loads
        self.call("Page.navigate", url=url)
        self.until(lambda: self.loads > before or self.evaluate("document.readyState") == "complete")

    def until(self, condition, seconds=30):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            value = condition()
            if value:
                return value
            time.sleep(0.05)
        return None

    def resize(self, width, height=1000, scale=1):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale,
                  mobile=width < 600)

    def scheme(self, name):
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def picture(self, path, width, height=None):
        size = self.evaluate("document.documentElement.scrollHeight")
        clip = {"x": 0, "y": 0, "width": width, "height": min(size, height or size), "scale": 1}
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))


OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
CUT = "[...document.querySelectorAll('.hot .scroll')].filter((s) => s.scrollWidth > s.clientWidth).length"
UNSHADED = """[...document.querySelectorAll('.scroll')].filter((s) => s.scrollWidth > s.clientWidth
  && getComputedStyle(s).backgroundAttachment !== "local, local, scroll, scroll").length"""
STATE = """(() => ({
  step: +document.getElementById("step").dataset.value, time: +document.getElementById("page").dataset.time,
  state: document.getElementById("page").dataset.state, title: document.title,
  limit: document.getElementById("limited-by").textContent,
  tables: [...document.querySelectorAll("table")].map((t) => t.id),
  rows: document.querySelectorAll("tbody tr").length,
  curves: [...document.querySelectorAll(".chart .curve, .chart .area")].filter((p) => p.getAttribute("d").length > 20).length,
  longest: Math.max(0, ...[...document.querySelectorAll(".chart .curve")].map((p) => p.getAttribute("d").split(/[ML]/).length - 1)),
  traffic: [...document.querySelectorAll("#chart-traffic b")].map((b) => b.textContent),
  lost: [...document.querySelectorAll("#nodes-table tr.lost th")].map((t) => t.textContent),
  failure: document.getElementById("failure")?.innerText ?? "",
  scored: [...document.querySelectorAll("#evaluations-table tbody th")].map((t) => t.textContent),
  test: document.getElementById("test-auc")?.textContent ?? "",
  means: document.getElementById("means")?.textContent ?? "",
  alarms: !document.getElementById("silence").hidden && !document.getElementById("silence").classList.contains("over"),
  silence: document.getElementById("silence").hidden ? "" : document.getElementById("silence").textContent,
}))()"""


def look(browser, url, images, name):
    """Loads, waits for an update, looks at widths and themes, then without scripts."""
    result = {}
    browser.resize(1400)
    browser.scheme("light")
    browser.open(url)
    result["first"] = browser.evaluate(STATE)
    browser.until(lambda: browser.evaluate(STATE)["time"] > result["first"]["time"] + 2, 15)
    # What is focused stays so when the page changes.
    browser.evaluate("document.querySelector('.scroll').focus()")
    time.sleep(1.5)
    result["keeps_focus"] = browser.evaluate("document.activeElement.className") == "scroll"
    browser.evaluate("document.activeElement.blur()")
    result["later"] = browser.evaluate(STATE)
    result["overflow"], result["cut"], result["unshaded"] = {}, {}, {}
    for width in [400, 1000, 1400]:
        browser.resize(width)
        time.sleep(0.3)
        result["overflow"][width] = browser.evaluate(OVERFLOW)
        # Lists of hot ids are narrow: none is cut. What is cut has a shadow at its edge.
        result["cut"][width] = browser.evaluate(CUT)
        result["unshaded"][width] = browser.evaluate(UNSHADED)
        if images:
            for scheme in ["light", "dark"]:
                if width == 1000 or (width == 400 and scheme == "dark"):
                    continue
                browser.scheme(scheme)
                time.sleep(1.3)
                height = 1700 if width == 400 else 1250
                browser.picture(f"{images}/{name}-{width}-{scheme}.png", width, height)
                browser.picture(f"{images}/whole-{name}-{width}-{scheme}.png", width)
            browser.scheme("light")
    # Every control can be reached by Tab, and none traps it.
    browser.evaluate("document.activeElement.blur()")
    seen = []
    for _ in range(40):
        for kind in ["keyDown", "keyUp"]:
            browser.call("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)
        seen.append(browser.evaluate("(document.activeElement.getAttribute('aria-label') || document.activeElement.textContent || '').slice(0, 30)"))
    result["tab_stops"] = len(set(seen))
    result["console"], result["failed"] = browser.console[:], browser.failed[:]
    result["bad_statuses"] = [s for s in browser.statuses if s >= 400]
    result["polls"] = len(browser.requests)
    host = urlparse(url).netloc
    result["other_hosts"] = [u for u in browser.requests if not u.startswith("data:") and urlparse(u).netloc != host]
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    browser.open(url)
    document = browser.call("DOM.getDocument", depth=1)["root"]["nodeId"]
    tables = browser.call("DOM.querySelectorAll", nodeId=document, selector="main table tbody tr")["nodeIds"]
    refresh = browser.call("DOM.querySelectorAll", nodeId=document, selector="meta[http-equiv=refresh]")["nodeIds"]
    result["without_script"] = {"rows": len(tables), "refresh": len(refresh)}
    browser.call("Emulation.setScriptExecutionDisabled", value=False)
    return result


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--images")
    parser.add_argument("--name", default="page")
    # Instead of looking at everything: waits until an expression over the state `s` holds, and tells the state.
    parser.add_argument("--until", action="append", default=[])
    options = parser.parse_args()
    browser = Browser()
    try:
        if not options.until:
            print(json.dumps(look(browser, options.url, options.images, options.name)))
            return 0
        browser.resize(1400)
        browser.open(options.url)
        for condition in options.until:
            print("watching", flush=True)
            began = time.monotonic()
            held = browser.until(lambda: browser.evaluate(f"((s) => ({condition}))({STATE})"), 40)
            state = browser.evaluate(STATE)
            state["held"], state["seconds"], state["at"] = bool(held), time.monotonic() - began, time.time()
            state["console"] = browser.console[:]
            if options.images:
                browser.picture(f"{options.images}/{options.name}.png", 1400, 1250)
            print(json.dumps(state), flush=True)
        return 0
    finally:
        browser.close()


sys.exit(main())
