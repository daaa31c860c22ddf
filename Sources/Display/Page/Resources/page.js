"use strict";
// Asks for the page once a second and puts what changed into this one; draws the curves. No library, no other host.
(() => {
  const period = 1000, patience = 5000, most = 2000;
  const page = document.getElementById("page");
  const silence = document.getElementById("silence");
  // Tells this page from others: the server waits at the job's end until each has seen it.
  const reader = String(Math.floor(Math.random() * 2 ** 48));
  let points = [], job = page.dataset.job, answered = Date.now(), isAnswering = true;

  // The token has become a cookie: it need not stay in the address.
  if (new URLSearchParams(location.search).has("token")) history.replaceState(null, "", location.pathname);

  // Makes one element like another and keeps what is the reader's: focus, selection, scrolling, opened details.
  function morph(old, fresh) {
    if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName) { old.replaceWith(fresh); return; }
    if (old.nodeType !== Node.ELEMENT_NODE) { if (old.data !== fresh.data) old.data = fresh.data; return; }
    if (old.hasAttribute("data-keep") && fresh.hasAttribute("data-keep") && old.id === fresh.id) return;
    for (const { name } of [...old.attributes])
      if (!fresh.hasAttribute(name) && !(name === "open" && old.nodeName === "DETAILS")) old.removeAttribute(name);
    for (const { name, value } of fresh.attributes)
      if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    // A section that comes or goes must not turn all that follow into others.
    if (old === page) byId(old, fresh);
    const parts = (of) => [...(old === page ? of.children : of.childNodes)];
    const have = parts(old), want = parts(fresh);
    for (let i = 0; i < want.length; i++) if (i < have.length) morph(have[i], want[i]); else old.append(want[i]);
    for (let i = want.length; i < have.length; i++) have[i].remove();
  }

  // Puts the children that have an id into the new order; those that are new come in, those that are gone go.
  function byId(old, fresh) {
    const wanted = new Set([...fresh.children].map((c) => c.id).filter(Boolean));
    for (const child of [...old.children]) if (child.id && !wanted.has(child.id)) child.remove();
    const known = new Set([...old.children].map((c) => c.id).filter(Boolean));
    [...fresh.children].forEach((child, i) => {
      if (child.id && !known.has(child.id)) old.insertBefore(child.cloneNode(true), old.children[i] || null);
    });
  }

  async function get(path) {
    const headers = { "Myriad-Reader": reader };
    const response = await fetch(path, { cache: "no-store", headers, signal: AbortSignal.timeout(patience) });
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    return response;
  }

  async function poll() {
    try {
      // The page itself comes last: whoever serves it ends when it has been seen.
      // What is here is not asked for again; a long run's past is taken thinned, and thinned here as it grows.
      const since = points.length === 0 ? 0 : points[points.length - 1].time;
      const newer = await (await get(`/api/v1/series?since=${since}&points=${most}`)).json();
      const lag = page.querySelector("[data-heatmap]") ? await (await get("/api/v1/lag")).json() : null;
      const fresh = new DOMParser().parseFromString(await (await get("/")).text(), "text/html");
      const main = fresh.getElementById("page");
      // Another job at the same address: its curves come with the next question.
      points = main.dataset.job !== job ? [] : points.concat(newer);
      if (points.length > 2 * most) points = thin(points, most);
      job = main.dataset.job;
      morph(page, main);
      document.title = fresh.title;
      if (lag) heatmap(page.querySelector("[data-heatmap]"), lag);
      answered = Date.now();
      isAnswering = true;
      draw();
    } catch (error) {
      isAnswering = false;
    }
    setTimeout(poll, document.hidden ? 5 * period : period);
  }

  // Keeps the last state and says how old it is; that nobody answers is no news once the job has ended.
  function listen() {
    const seconds = Math.round((Date.now() - answered) / 1000);
    const isOver = ["finished", "stopped", "failed"].includes(page.dataset.state);
    silence.hidden = isAnswering || seconds < 2;
    silence.className = isOver ? "silence over" : "silence";
    if (silence.hidden) return;
    const again = page.dataset.directory ? `myriad dashboard ${page.dataset.directory}` : "";
    silence.textContent = isOver
      ? `The job has ended; this is its last state.${again && ` Show it again with: ${again}`}`
      : `No answer for ${seconds} s: this is the last state.${again && ` If the job has ended, this shows how: ${again}`}`;
    if (!isOver) document.title = document.title.replace(/^(no answer · )?/, "no answer · ");
  }

  // Numbers as all other surfaces write them: three digits and a prefix of powers of 1000 (Sources/Display/Quantity.swift).
  // What lies in the middle goes to the even digit, as in C.
  const fixed = (digits) => (v) => {
    const all = v * 10 ** digits, whole = Math.floor(all);
    const isTie = all - whole === 0.5 && Number.isInteger(v * 2 ** (digits + 1));
    return (isTie && whole % 2 === 0 ? whole / 10 ** digits : v).toFixed(digits);
  };
  const exact = (v) => String(Math.round(v)).replace(/\B(?=(\d{3})+$)/g, ",");
  const significant = (v) => fixed(Math.abs(v) < 9.995 ? 2 : Math.abs(v) < 99.95 ? 1 : 0)(v);
  function scaled(value, unit) {
    let prefix = 0;
    while (Math.abs(value) >= 999.5 && prefix < 5) { value /= 1000; prefix++; }
    return `${significant(value)} ${["", "k", "M", "G", "T", "P"][prefix]}${unit}`;
  }
  const rate = (v) => v === 0 ? "0" : Math.abs(v) < 99.95 ? significant(v) : Math.abs(v) < 99999.5 ? exact(v) : scaled(v, "");
  const number = (v) => !Number.isInteger(v) ? rate(v) : Math.abs(v) < 1e5 ? exact(v) : scaled(v, "");
  const bytes = (v) => Math.abs(v) < 1000 ? `${Math.trunc(v)} B` : scaled(Math.trunc(v), "B");
  const traffic = (v) => `${bytes(v)}/s`;
  const percent = (v) => v === 0 ? "0 %" : 100 * v < 0.1 ? "<0.1 %" : `${fixed(100 * v < 9.95 ? 1 : 0)(100 * v)} %`;
  function duration(seconds) {
    if (seconds < 0.0005) return "0 s";
    if (seconds < 0.0995) return `${fixed(0)(seconds * 1000)} ms`;
    if (seconds < 9.95) return `${fixed(1)(seconds)} s`;
    const s = Math.round(seconds), two = (n, unit, rest, less) => `${n} ${unit}${rest > 0 ? ` ${rest} ${less}` : ""}`;
    return s < 60 ? `${s} s` : s < 3600 ? two(Math.floor(s / 60), "min", s % 60, "s")
      : s < 86400 ? two(Math.floor(s / 3600), "h", Math.floor(s / 60) % 60, "min")
      : two(Math.floor(s / 86400), "d", Math.floor(s / 3600) % 24, "h");
  }
  // For a test that holds them beside the other surfaces' texts.
  page.quantities = { rate, number, bytes, percent, duration, metric: fixed(4) };

  const charts = {
    loss: { format: fixed(4), digits: true, lines: [["training", "a", (p) => p.loss]], dots: "validation", score: "logLoss" },
    auc: { format: fixed(4), digits: true, lines: [["running", "a", (p) => p.auc]], dots: "validation", score: "auc" },
    speed: { format: rate, zero: true, lines: [["", "a", (p) => p.samples_per_second]] },
    time: { format: percent, top: 1, areas: ["read", "wait", "compute", "push"] },
    traffic: { format: traffic, zero: true, lines: [["in", "a", (p) => p.received_bytes_per_second], ["out", "b", (p) => p.sent_bytes_per_second]] },
    rows: { format: (v) => number(Math.round(v)), zero: true, lines: [["", "a", (p) => p.rows]] },
  };

  function element(name, attributes, ...children) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const key in attributes) made.setAttribute(key, attributes[key]);
    made.append(...children);
    return made;
  }

  // Round numbers between two bounds, about as many as asked for.
  function ticks(low, high, about, steps = [1, 2, 5, 10]) {
    const raw = (high - low) / about, power = 10 ** Math.floor(Math.log10(raw));
    const step = steps.map((s) => s * power).find((s) => s >= raw * 0.999) || raw;
    const found = [];
    for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) found.push(i * step);
    return found;
  }
  function timeTicks(seconds, about) {
    const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 172800, 604800];
    const step = steps.find((s) => seconds / s <= about) || 604800 * 4, found = [];
    for (let t = 0; t <= seconds; t += step) found.push(t);
    return found;
  }

  // At most one point a pixel: the mean of those that share it.
  function thin(series, width) {
    if (series.length <= width) return series;
    const size = series.length / width, out = [];
    for (let i = 0; i < width; i++) {
      const part = series.slice(Math.floor(i * size), Math.max(Math.floor((i + 1) * size), Math.floor(i * size) + 1));
      const mean = { time: part[part.length - 1].time };
      for (const key of Object.keys(part[0])) if (key !== "time") {
        const values = part.map((p) => p[key]).filter((v) => typeof v === "number");
        if (values.length) mean[key] = values.reduce((a, b) => a + b, 0) / values.length;
      }
      out.push(mean);
    }
    return out;
  }

  // Validation scores stand in the table of evaluations.
  const scores = (split, score) => [...document.querySelectorAll(`#evaluations-table tr[data-split="${split}"]`)]
    .map((r) => ({ time: +r.dataset.time, value: parseFloat(r.dataset[score]) })).filter((d) => Number.isFinite(d.value));

  function legend(figure, spec) {
    const caption = figure.querySelector("figcaption");
    if (caption.dataset.ready) return caption.querySelector(".readout");
    caption.dataset.ready = "yes";
    const add = (className, text) => {
      const key = document.createElement("span"), sample = document.createElement("i");
      sample.className = className;
      const value = document.createElement("b");
      if (spec.areas) key.className = "key";
      value.dataset.of = text;
      key.append(sample, text, value);
      caption.append(key);
    };
    for (const [name, kind] of spec.lines || []) if (name) add(`sample ${kind}`, name);
    if (spec.dots) add("sample dot", spec.dots);
    for (const name of spec.areas || []) add(name, name);
    const readout = document.createElement("span");
    readout.className = "readout";
    caption.append(readout);
    return readout;
  }

  function chart(figure) {
    const spec = charts[figure.dataset.chart], readout = legend(figure, spec);
    const plot = figure.querySelector(".plot"), width = plot.clientWidth, height = 150;
    const dots = spec.dots ? scores(spec.dots, spec.score) : [];
    const known = spec.areas ? points.filter((p) => spec.areas.some((name) => p[name] > 0)) : points;
    const series = thin(known, Math.max(50, width - 60));
    const values = (p) => (spec.areas ? [0, 1] : spec.lines.map(([, , of]) => of(p))).filter((v) => Number.isFinite(v));
    const all = series.flatMap(values).concat(dots.map((d) => d.value));
    const svg = element("svg", { viewBox: `0 0 ${width} ${height}`, tabindex: 0, role: "img" });
    if (!all.length) {
      svg.append(element("text", { x: width / 2, y: height / 2, class: "none" }, "nothing yet"));
      plot.replaceChildren(svg);
      return;
    }
    let low = spec.zero || spec.areas ? 0 : Math.min(...all), high = spec.top || Math.max(...all);
    if (high - low < 1e-9) { const pad = Math.abs(high) * 0.05 || 1; high += pad; low -= spec.zero ? 0 : pad; }
    if (!spec.areas) { const pad = (high - low) * 0.08; high += pad; if (!spec.zero) low -= pad; }
    const left = 60, right = width - 10, top = 8, bottom = height - 20;
    const start = Math.min(series[0]?.time ?? Infinity, dots[0] ? Math.min(...dots.map((d) => d.time)) : Infinity);
    const end = Math.max(series.at(-1)?.time ?? 0, ...dots.map((d) => d.time), start + 1);
    const x = (t) => left + ((t - start) / (end - start)) * (right - left);
    const y = (v) => bottom - ((v - low) / (high - low)) * (bottom - top);
    const marks = ticks(low, high, 4);
    const digits = marks.length > 1 ? Math.max(0, Math.min(4, Math.ceil(-Math.log10(marks[1] - marks[0]) - 1e-9))) : 4;
    const label = spec.digits ? fixed(digits) : spec.format;
    for (const v of marks) {
      svg.append(element("line", { class: "grid", x1: left, x2: right, y1: y(v), y2: y(v) }));
      svg.append(element("text", { x: left - 6, y: y(v) + 4, "text-anchor": "end" }, label(v)));
    }
    for (const t of timeTicks(end - start, Math.max(2, width / 90)))
      svg.append(element("text", { x: x(start + t), y: height - 4, "text-anchor": t === 0 ? "start" : "middle" }, duration(t)));
    const path = (of) => {
      let d = "", pen = false;
      for (const p of series) {
        const v = of(p);
        if (!Number.isFinite(v)) { pen = false; continue; }
        d += `${pen ? "L" : "M"}${x(p.time).toFixed(1)} ${y(v).toFixed(1)}`;
        pen = true;
      }
      return d;
    };
    if (spec.areas) {
      let below = series.map(() => 0);
      for (const name of spec.areas) {
        const above = series.map((p, i) => Math.min(1, below[i] + (p[name] || 0)));
        const d = series.map((p, i) => `${i ? "L" : "M"}${x(p.time).toFixed(1)} ${y(above[i]).toFixed(1)}`).join("")
          + series.map((p, i) => `L${x(p.time).toFixed(1)} ${y(below[i]).toFixed(1)}`).reverse().join("") + "Z";
        svg.append(element("path", { class: `area ${name}`, d }));
        below = above;
      }
    } else for (const [, kind, of] of spec.lines) svg.append(element("path", { class: `curve ${kind}`, d: path(of) }));
    for (const d of dots) svg.append(element("circle", { class: "dot", cx: x(d.time), cy: y(d.value), r: 3.5 }));
    const cursor = element("line", { class: "cursor", y1: top, y2: bottom, visibility: "hidden" });
    svg.append(cursor);
    const words = (p) => spec.areas
      ? spec.areas.map((n) => `${n} ${percent(p[n] || 0)}`).join(", ")
      : spec.lines.map(([name, , of]) => `${name} ${Number.isFinite(of(p)) ? spec.format(of(p)) : "-"}`.trim()).join(", ");
    const last = series.at(-1);
    const show = (p) => {
      const now = p || last, single = !spec.areas && !spec.lines[0][0];
      for (const value of now ? figure.querySelectorAll("b[data-of]") : []) {
        const line = spec.lines?.find(([name]) => name === value.dataset.of);
        const number = line ? line[2](now) : now[value.dataset.of];
        value.textContent = value.dataset.of === spec.dots ? "" : Number.isFinite(number) ? spec.format(number) : "-";
      }
      readout.textContent = (single && now ? words(now) : "") + (p ? ` at ${duration(p.time - start)}` : "");
      cursor.setAttribute("visibility", p ? "visible" : "hidden");
      if (p) { cursor.setAttribute("x1", x(p.time)); cursor.setAttribute("x2", x(p.time)); }
    };
    let chosen = figure.chosen ?? -1;
    const choose = (i) => { chosen = figure.chosen = i; show(i < 0 ? null : series[Math.min(i, series.length - 1)]); };
    svg.addEventListener("pointermove", (event) => {
      const t = start + ((event.clientX - svg.getBoundingClientRect().left - left) / (right - left)) * (end - start);
      let i = series.findIndex((p) => p.time >= t);
      choose(i < 0 ? series.length - 1 : i);
    });
    svg.addEventListener("pointerleave", () => choose(-1));
    svg.addEventListener("blur", () => choose(-1));
    svg.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1, Home: -series.length, End: series.length }[event.key];
      if (!step) return;
      event.preventDefault();
      choose(Math.max(0, Math.min(series.length - 1, (chosen < 0 ? series.length - 1 : chosen) + step)));
    });
    svg.setAttribute("aria-label", `${figure.querySelector("figcaption").firstChild.data}: ${last ? words(last) : ""}`);
    const hadFocus = plot.contains(document.activeElement);
    plot.replaceChildren(svg);
    if (hadFocus) svg.focus({ preventScroll: true });
    choose(chosen);
  }

  // One pixel block a worker and shard.
  function heatmap(figure, lag) {
    if (!figure || !lag.length) return;
    const canvas = figure.querySelector("canvas"), columns = lag[0].length, most = Math.max(4, ...lag.map((r) => Math.max(...r)));
    const probe = document.createElement("span");
    probe.className = "cell";
    figure.append(probe);
    const colors = Array.from({ length: 11 }, (_, i) => { probe.className = `cell h${i}`; return getComputedStyle(probe).backgroundColor; });
    probe.remove();
    const size = 6;
    canvas.width = columns * size;
    canvas.height = lag.length * size;
    canvas.style.height = `${Math.min(420, Math.max(120, lag.length * 3))}px`;
    const context = canvas.getContext("2d");
    lag.forEach((row, w) => row.forEach((steps, s) => {
      if (steps < 0) return;
      context.fillStyle = colors[Math.round((steps / most) * 10)];
      context.fillRect(s * size, w * size, size - 1, size - 1);
    }));
    const caption = figure.querySelector("figcaption");
    const rest = `${lag.length} workers down, ${columns} shards across; deepest: ${most} steps`;
    canvas.onpointermove = (event) => {
      const box = canvas.getBoundingClientRect();
      const w = Math.floor(((event.clientY - box.top) / box.height) * lag.length);
      const s = Math.floor(((event.clientX - box.left) / box.width) * columns);
      const steps = lag[w]?.[s];
      if (steps !== undefined) caption.textContent = `worker ${w} at shard ${s}: ${steps < 0 ? "has not asked" : `${steps} steps`}`;
    };
    canvas.onpointerleave = () => { caption.textContent = rest; };
    if (!canvas.matches(":hover")) caption.textContent = rest;
  }

  function draw() { for (const figure of document.querySelectorAll("[data-chart]")) chart(figure); }

  new ResizeObserver(draw).observe(document.querySelector(".charts"));
  setInterval(listen, 500);
  poll();
})();
