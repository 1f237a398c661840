// Plots of the last minutes. All share the time axis and the moment that pointer
// or arrow keys choose.
const PLOTS = [
  { id: "throughput", title: "Events delivered", series: [["events", "a second", "one"]], format: amount, axis: brief, least: 1, area: true },
  { id: "latency", title: "Delivery time", note: "commit to Kafka", series: [["p50", "p50", "one"], ["p99", "p99", "two"]], format: seconds, axis: tickTime, log: true },
  { id: "backlog", title: "Unsent events", series: [["unsent", "", "one"]], format: count, axis: brief, least: 1, area: true },
  { id: "age", title: "Age of the oldest unsent event", series: [["age", "", "two"]], format: seconds, axis: tickTime, least: 1, area: true, time: true },
];
const HEIGHT = 190, LEFT = 54, RIGHT = 10, TOP = 10, BOTTOM = 24;
const GAP = 5000; // ms without a value over which a line goes on

const history = [];   // samples, oldest first
let range = 300;      // seconds shown at most
let span = 60;        // seconds shown: a relay that has just started has a short past
let chosen;           // t of the sample under pointer or keys; undefined: the newest

function makePlots() {
  for (const plot of PLOTS) {
    plot.readout = el("span", { class: "readout" });
    plot.canvas = svg("svg", { height: HEIGHT, "aria-hidden": "true", focusable: "false" });
    // A slider along the time: the keys of one, and a screen reader says the values.
    plot.box = el("div", { class: "canvas", tabindex: "0", role: "slider", "aria-orientation": "horizontal", "aria-valuemin": "0", "aria-valuemax": "0", "aria-valuenow": "0",
      "aria-label": plot.title + " over the last minutes; arrow keys choose the time" }, plot.canvas);
    plot.box.addEventListener("pointermove", (e) => choose(at(plot, e)));
    plot.box.addEventListener("pointerleave", () => choose(undefined));
    plot.box.addEventListener("keydown", (e) => keys(e));
    plot.box.addEventListener("blur", () => choose(undefined));
    byId("plots").append(el("figure", { class: "card plot", id: "plot-" + plot.id },
      el("figcaption", {}, el("h3", {}, plot.title, plot.note ? el("small", {}, " " + plot.note) : null), plot.readout), plot.box));
  }
  for (const input of document.querySelectorAll("input[name=range]")) {
    input.addEventListener("change", () => { range = Number(input.value); drawPlots(); });
  }
  new ResizeObserver(() => { drawWay(); if (latest) showWay(latest, history.at(-1)); drawPlots(); }).observe(byId("main"));
}

// remember takes over samples and drops what is older than ten minutes.
function remember(samples) {
  for (const sample of samples) if (!history.length || sample.t > history.at(-1).t) history.push(sample);
  if (history.length > 600) history.splice(0, history.length - 600);
}

function at(plot, event) {
  const place = plot.box.getBoundingClientRect();
  return nearest(plot.from + (event.clientX - place.left - LEFT) / (plot.width - LEFT - RIGHT) * span * 1000);
}

function nearest(t) {
  let best;
  for (const sample of visible()) if (!best || Math.abs(sample.t - t) < Math.abs(best.t - t)) best = sample;
  return best?.t;
}

function keys(event) {
  const shown = visible();
  if (!shown.length) return;
  let i = chosen === undefined ? shown.length - 1 : shown.findIndex((s) => s.t === chosen);
  const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -1, ArrowUp: 1, PageUp: 30, PageDown: -30, Home: -shown.length, End: shown.length };
  if (event.key === "Escape") { choose(undefined); return; }
  if (!(event.key in steps)) return;
  event.preventDefault();
  i = Math.min(shown.length - 1, Math.max(0, i + steps[event.key]));
  choose(shown[i].t);
}

function choose(t) {
  chosen = t;
  drawPlots();
}

const visible = () => history.length ? history.filter((s) => s.t > history.at(-1).t - range * 1000) : [];

function drawPlots() {
  const shown = visible();
  span = shown.length ? Math.min(range, Math.max(60, (shown.at(-1).t - shown[0].t) / 1000)) : 60;
  for (const plot of PLOTS) drawPlot(plot, shown);
}

function drawPlot(plot, shown) {
  const width = plot.width = Math.floor(plot.box.clientWidth);
  if (!width) return;
  const end = shown.length ? shown.at(-1).t : now();
  plot.from = end - span * 1000;
  const x = (t) => LEFT + (t - plot.from) / (span * 1000) * (width - LEFT - RIGHT);
  const scale = plot.log ? logScale(plot, shown) : linearScale(plot, shown);
  const y = (v) => TOP + (1 - scale.place(v)) * (HEIGHT - TOP - BOTTOM);
  const parts = [...troubledTimes(shown, x, width), ...axes(plot, scale, x, y, width, end)];
  for (const [key, , color] of plot.series) parts.push(...lineOf(shown, key, color, x, y, plot.area));
  const point = shown.find((s) => s.t === chosen);
  if (point) {
    parts.push(svg("path", { class: "cross", d: `M${x(point.t)} ${TOP}V${HEIGHT - BOTTOM}` }));
    for (const [key, , color] of plot.series) if (known(point[key])) parts.push(svg("circle", { class: "dot " + color, cx: x(point.t), cy: y(point[key]), r: 4 }));
  }
  set(plot.canvas, "viewBox", `0 0 ${width} ${HEIGHT}`);
  set(plot.canvas, "width", width);
  plot.canvas.replaceChildren(...parts);
  read(plot, shown, point);
}

// read writes the values beside the title and for the screen reader.
function read(plot, shown, point) {
  const s = point || shown.at(-1);
  const values = plot.series.map(([key, name, color]) => {
    const v = s ? s[key] : undefined;
    return el("span", {}, el("i", { class: "swatch " + color, "aria-hidden": "true" }), (name && plot.series.length > 1 ? name + " " : "") + (s && known(v) ? plot.format(v) : NONE) + (name === "a second" ? "/s" : ""));
  });
  plot.readout.replaceChildren(point ? el("span", { class: "when" }, clock(point.t)) : "", ...values);
  const i = s ? shown.indexOf(s) : 0;
  set(plot.box, "aria-valuemax", Math.max(0, shown.length - 1));
  if (point || document.activeElement !== plot.box) { // a reader is not to hear each second
    set(plot.box, "aria-valuenow", Math.max(0, i));
    set(plot.box, "aria-valuetext", s ? clock(s.t) + ": " + values.map((v) => v.textContent).join(", ") : "no values yet");
  }
}

function linearScale(plot, shown) {
  const most = Math.max(plot.least, ...plot.series.flatMap(([key]) => shown.map((s) => s[key] || 0)));
  const steps = plot.time && most > 60 ? [30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 43200, 86400] : [];
  const rough = most / 4, size = 10 ** Math.floor(Math.log10(rough));
  const step = steps.find((s) => s >= rough) || [1, 2, 5, 10].map((m) => m * size).find((s) => s >= rough * 0.999);
  const whole = plot.format === count ? Math.max(1, step) : step;
  const top = Math.ceil(most / whole - 1e-9) * whole;
  const ticks = [];
  for (let v = 0; v <= top * 1.0001; v += whole) ticks.push(Number(v.toPrecision(12)));
  return { ticks, place: (v) => v / top };
}

function logScale(plot, shown) {
  const values = plot.series.flatMap(([key]) => shown.map((s) => s[key])).filter((v) => v > 0);
  let low = Math.floor(Math.log10(values.length ? Math.min(...values) : 1e-3)), high = Math.ceil(Math.log10(values.length ? Math.max(...values) : 1e-2));
  if (high - low < 2) high = low + 2;
  const ticks = [];
  for (let e = low; e <= high; e++) ticks.push(Number((10 ** e).toPrecision(1)));
  return { ticks, place: (v) => Math.min(1, Math.max(0, (Math.log10(Math.max(v, 1e-9)) - low) / (high - low))) };
}

function axes(plot, scale, x, y, width, end) {
  const parts = [];
  for (const v of scale.ticks) {
    parts.push(svg("path", { class: v === scale.ticks[0] ? "base" : "grid", d: `M${LEFT} ${y(v)}H${width - RIGHT}` }),
      svg("text", { class: "axis", x: LEFT - 8, y: y(v) + 4, "text-anchor": "end" }, v === 0 ? "0" : plot.axis(v)));
  }
  const step = [15, 30, 60, 120, 300].find((s) => span / s <= (width < 420 ? 3 : 6)) * 1000;
  for (let t = Math.ceil(plot.from / step) * step; t <= end; t += step) {
    if (x(t) < LEFT + 14 || x(t) > width - RIGHT - 16) continue;
    parts.push(svg("path", { class: "notch", d: `M${x(t)} ${HEIGHT - BOTTOM}v4` }),
      svg("text", { class: "axis", x: x(t), y: HEIGHT - 6, "text-anchor": "middle" }, step < 60000 ? clockFormat.format(t) : minuteFormat.format(t)));
  }
  return parts;
}

// lineOf draws a series; short gaps, as slow streams have, are bridged, and a value
// that stands alone is a dot.
function lineOf(shown, key, color, x, y, area) {
  const runs = [];
  for (const s of shown) {
    if (!known(s[key])) continue;
    const point = { t: s.t, place: x(s.t).toFixed(1) + " " + y(s[key]).toFixed(1) };
    if (runs.length && s.t - runs.at(-1).at(-1).t <= GAP) runs.at(-1).push(point);
    else runs.push([point]);
  }
  const paths = runs.map((run) => "M" + run.map((p) => p.place).join("L"));
  const parts = [svg("path", { class: "line " + color, d: paths.join("") || "M0 0" })];
  if (area) parts.unshift(svg("path", { class: "area " + color, d: runs.map((run, i) => paths[i] + `V${y(0)}H${x(run[0].t).toFixed(1)}z`).join("") || "M0 0" }));
  for (const [only, ...more] of runs) {
    if (more.length) continue;
    const [cx, cy] = only.place.split(" ");
    parts.push(svg("circle", { class: "dot " + color, cx, cy, r: 3 }));
  }
  return parts;
}

// troubledTimes shades when events could not flow.
function troubledTimes(shown, x) {
  const parts = [];
  let from;
  const close = (to) => parts.push(svg("rect", { class: "trouble", x: x(from), y: TOP, width: Math.max(1, x(to) - x(from)), height: HEIGHT - TOP - BOTTOM }));
  for (const s of shown) {
    const troubled = s.state === "blocked" || s.state === "starting";
    if (troubled && from === undefined) from = Math.max(s.t - 1000, shown[0].t);
    if (!troubled && from !== undefined) { close(s.t); from = undefined; }
  }
  if (from !== undefined) close(shown.at(-1).t);
  return parts;
}

// showMinutes is the plots as a table, drawn only when somebody has opened it.
function showMinutes() {
  if (!byId("minutes-box").open) return;
  const minutes = new Map();
  for (const s of history) {
    const t = Math.floor(s.t / 60000) * 60000, m = minutes.get(t) || { events: 0, n: 0, p50: undefined, p99: undefined, unsent: 0, age: 0 };
    m.events += s.events; m.n++;
    for (const key of ["p50", "p99"]) if (known(s[key])) m[key] = Math.max(m[key] ?? 0, s[key]);
    m.unsent = Math.max(m.unsent, s.unsent); m.age = Math.max(m.age, s.age);
    minutes.set(t, m);
  }
  const rows = [...minutes].reverse().map(([t, m]) => [minuteFormat.format(t), amount(m.events / m.n), seconds(m.p50), seconds(m.p99), count(m.unsent), seconds(m.age)]);
  if (!changed("minutes", rows)) return;
  byId("minutes").replaceChildren(...rows.map(([t, ...v]) => el("tr", {}, el("th", { scope: "row" }, t), ...v.map((text) => el("td", { class: "num" }, text)))));
}
