// The picture: WAL → slot → relay → Kafka. It is drawn for the width that there
// is, side by side or one below the other, so that its text keeps its size; each
// second only texts, classes and speeds change.
const WORDS = { good: "flowing", quiet: "quiet", wait: "waiting", bad: "broken" };
const ICONS = {
  wal: "M4 5h12l4 4v14H4z M16 5v4h4 M8 13h8 M8 17h8",
  slot: "M7 4h12v19l-6-5-6 5z",
  relay: "M4 10h14l-4-4 M22 17H8l4 4",
  kafka: "M4 7h18 M4 14h18 M4 21h18 M8 5v4 M14 12v4 M19 19v4",
};
const STATIONS = [["wal", "PostgreSQL WAL", "WAL"], ["slot", "Replication slot", "Slot"], ["relay", "Relay", "Relay"], ["kafka", "Kafka", "Kafka"]];
const stillness = matchMedia("(prefers-reduced-motion: reduce)");

const way = { width: 0, stations: {}, pipes: [] };

// healthOf judges the four stations and the three stretches between them. A slot
// in danger is bad though events still go through it: its word says which it is.
function healthOf(view, sample) {
  const s = view.status, codes = (view.reasons || []).map((r) => r.code);
  const flows = sample && sample.events > 0, grows = sample && sample.wal > 0;
  const postgresAway = codes.includes("postgres"), kafkaAway = codes.includes("kafka"), fatal = codes.includes("fatal");
  const working = ["streaming", "snapshot", "idle"].includes(s.state), lively = (yes) => yes ? "good" : "quiet";
  const [slot, word] = slotHealth(s, codes);
  const gone = ["lost", "missing"].includes(s.slot_state?.wal_status);
  const relay = fatal ? "bad" : working ? lively(flows) : "wait";
  return {
    wal: postgresAway ? "bad" : s.state === "starting" && !s.slot_state ? "wait" : lively(grows),
    slot: slot || (working || s.state === "blocked" ? lively(grows) : "wait"),
    relay,
    kafka: kafkaAway ? "bad" : working && flows ? "good" : working || s.state === "standby" ? "quiet" : "wait",
    words: { slot: word },
    pipes: [
      postgresAway || gone ? "bad" : lively(grows),
      postgresAway || gone || fatal ? "bad" : relay === "wait" ? "wait" : lively(grows || flows),
      kafkaAway || fatal ? "bad" : relay,
    ],
  };
}

// slotHealth is what is wrong with the slot, if anything, and the word for it.
function slotHealth(s, codes) {
  const status = s.slot_state?.wal_status, share = slotShare(s);
  if (["lost", "missing"].includes(status)) return ["bad", status];
  if (codes.includes("slot")) return ["bad"];
  if (status === "unreserved") return ["bad", "in danger"];
  if (share >= 0.8) return ["bad", "nearly full"];
  if (share >= 0.5) return ["wait", "filling up"];
  return s.state === "standby" ? ["wait", "read by another"] : [];
}

// stationTexts are the big figure of each station and what it means.
function stationTexts(view) {
  const s = view.status, slot = s.slot_state;
  return {
    wal: [s.postgres || "", slot ? slot.current_wal_lsn : s.received_lsn || NONE, "end of the log"],
    slot: [s.slot || "", slot ? bytes(slot.retained_bytes) : NONE, "of WAL held back"],
    relay: [s.instance || "", count(s.unsent_events), s.unsent_events === 1 ? "event unsent" : "events unsent"],
    kafka: [(s.kafka || []).join(", "), count(s.delivered_events), "events delivered"],
  };
}

function drawWay() {
  const box = byId("way"), width = Math.floor(box.clientWidth);
  if (width === 0 || width === way.width) return;
  way.width = width;
  const across = width >= 800;
  const gap = across ? Math.min(132, Math.max(100, width * 0.1)) : 58;
  const w = across ? (width - 3 * gap) / 4 : width, h = across ? 148 : 96;
  const height = across ? h + 4 : 4 * h + 3 * gap + 4;
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-labelledby": "way-name", "aria-describedby": "way-words" },
    svg("title", { id: "way-name" }, "The way from PostgreSQL's log through slot and relay to Kafka"), svg("desc", { id: "way-words" }));
  way.words = picture.lastChild;
  for (const pipe of way.pipes) pipe.motion?.cancel();
  way.pipes = [0, 1, 2].map((i) => across
    ? pipeAcross(picture, (i + 1) * w + i * gap, h / 2 + 2, gap)
    : pipeDown(picture, 30, (i + 1) * h + i * gap + 2, gap));
  STATIONS.forEach(([id, name, short], i) => {
    way.stations[id] = across ? station(picture, id, w < 185 ? short : name, i * (w + gap), 2, w, h, true) : station(picture, id, name, 0, i * (h + gap) + 2, w, h, false);
  });
  box.replaceChildren(picture);
}

// station draws a box: icon, name, place, figure, its meaning, and how it does.
function station(picture, id, name, x, y, w, h, tall) {
  const text = (cls, tx, ty, anchor) => svg("text", { class: cls, x: tx, y: ty, "text-anchor": anchor });
  const right = w - 16;
  const small = w < 185 ? " small" : "";
  const parts = tall
    ? { place: text("place", 16, 54), figure: text("figure" + small, 16, 90), meaning: text("meaning", 16, 109), health: text("health", 16, 134) }
    : { place: text("place", 46, 46), figure: svg("tspan", { class: "figure" }), meaning: svg("tspan", { class: "meaning", dx: 8 }), health: text("health", right, 27, "end") };
  const title = svg("text", { class: "name", x: 46, y: 30 }, name);
  parts.box = svg("g", { class: "station", transform: `translate(${x} ${y})` },
    svg("rect", { class: "frame", x: 0.75, y: 0.75, width: w - 1.5, height: h - 1.5, rx: 12 }),
    svg("rect", { class: "edge", x: 14, y: 0.5, width: w - 28, height: 3, rx: 1.5 }),
    svg("path", { class: "icon", d: ICONS[id], transform: "translate(13 11) scale(.92)" }), title,
    parts.place, tall ? [parts.figure, parts.meaning] : svg("text", { x: 16, y: 80 }, parts.figure, parts.meaning), parts.health);
  parts.fit = Math.max(8, Math.floor((w - (tall ? 32 : 62)) / 6.7));
  picture.append(parts.box);
  return parts;
}

function pipeAcross(picture, x, y, gap) {
  const from = x + 8, to = x + gap - 10;
  return pipe(picture, `M${from} ${y}H${to}`, `M${to - 5} ${y - 7}l8 7-8 7`, (from + to) / 2, y,
    svg("text", { class: "rate", x: x + gap / 2 - 1, y: y - 15, "text-anchor": "middle" }),
    svg("text", { class: "lag", x: x + gap / 2 - 1, y: y + 26, "text-anchor": "middle" }));
}

function pipeDown(picture, x, y, gap) {
  const from = y + 7, to = y + gap - 9;
  return pipe(picture, `M${x} ${from}V${to}`, `M${x - 7} ${to - 5}l7 8 7-8`, x, (from + to) / 2,
    svg("text", { class: "rate", x: x + 24, y: y + gap / 2 - 2 }), svg("text", { class: "lag", x: x + 24, y: y + gap / 2 + 15 }));
}

function pipe(picture, line, tip, x, y, rate, lag) {
  const drops = svg("path", { class: "drops", d: line });
  const box = svg("g", { class: "pipe" }, svg("path", { class: "bed", d: line }), drops, svg("path", { class: "tip", d: tip }),
    svg("g", { class: "cut", transform: `translate(${x} ${y})` }, svg("circle", { r: 10 }), svg("path", { d: "M-4-4l8 8M4-4l-8 8" })), rate, lag);
  picture.append(box);
  const motion = drops.animate ? drops.animate([{ strokeDashoffset: 18 }, { strokeDashoffset: 0 }], { duration: 1000, iterations: Infinity }) : undefined;
  motion?.pause();
  return { box, rate, lag, motion };
}

// showWay brings the picture up to date.
function showWay(view, sample) {
  drawWay();
  const health = healthOf(view, sample), texts = stationTexts(view), words = [];
  for (const [id, name] of STATIONS) {
    const part = way.stations[id], [place, figure, meaning] = texts[id];
    if (!part) return;
    set(part.box, "class", "station " + health[id]);
    say(part.place, place.length > part.fit ? place.slice(0, part.fit - 1) + "…" : place);
    say(part.figure, figure);
    say(part.meaning, meaning);
    const word = health.words[id] || WORDS[health[id]];
    say(part.health, SIGNS[health[id]] + " " + word);
    words.push(`${name} ${place}: ${word}, ${figure} ${meaning}.`);
  }
  const lag = view.status.replication_lag_bytes;
  const rates = sample ? [sample.wal, sample.wal, sample.events] : [0, 0, 0];
  const seen = health.wal !== "bad"; // else what was last known of the server is of no use
  const labels = [
    [sample && seen ? bytes(sample.wal) + "/s" : NONE, "written"],
    [known(lag) && seen ? bytes(lag) : NONE, "lag"],
    [sample ? brief(sample.events) + " events/s" : NONE, sample ? bytes(sample.bytes) + "/s" : ""],
  ];
  way.pipes.forEach((part, i) => {
    const h = health.pipes[i];
    set(part.box, "class", "pipe " + h);
    say(part.rate, labels[i][0]);
    say(part.lag, labels[i][1]);
    move(part, h === "good" ? speed(rates[i], i < 2 ? 1e3 : 1) : 0);
  });
  words.push(`${labels[0][0]} of WAL written, ${labels[1][0]} of lag, ${labels[2][0]} to Kafka.`);
  say(way.words, words.join(" "));
}

// speed grows with the logarithm of a rate: it is to be felt, not read.
const speed = (rate, unit) => Math.min(2.6, 0.5 + 0.5 * Math.log10(1 + rate / unit));

function move(part, pace) {
  if (!part.motion) return;
  if (pace === 0 || stillness.matches || document.body.classList.contains("paused") || document.body.classList.contains("stale")) {
    part.motion.pause();
    return;
  }
  part.motion.updatePlaybackRate(pace);
  if (part.motion.playState !== "running") part.motion.play();
}
