// The parts beside picture, plots and tables.

// How each state does, and the word for it.
const STATES = {
  starting: ["wait", "starting"], standby: ["wait", "standby"], snapshot: ["good", "snapshot"], streaming: ["good", "streaming"],
  blocked: ["bad", "blocked"], idle: ["quiet", "idle"], stopping: ["wait", "stopping"],
};
// standing is the state as one word and how it does; a relay that was held after
// a fatal error says so in its reasons.
function standing(view) {
  if ((view.reasons || []).some((r) => r.code === "fatal")) return ["bad", "stopped"];
  return STATES[view.status.state] || ["wait", view.status.state || "unknown"];
}

function showHeader(view) {
  const s = view.status, [health, word] = standing(view);
  set(byId("state"), "class", "pill " + health);
  say(byId("state-word"), word);
  const since = moment(s.since);
  say(byId("state-for"), since ? "for " + seconds(agoOf(since)) : "");
  say(byId("target"), s.slot || "");
  const started = moment(s.started);
  say(byId("about"), [
    "walrelay" + (s.version ? " " + s.version : ""), s.instance && "instance " + s.instance, started && "up " + seconds(agoOf(started)), s.reconnects > 0 && `${count(s.reconnects)} reconnect${s.reconnects === 1 ? "" : "s"}`,
    s.producer && s.producer.producer_id > 0 && "write fence " + (s.producer.write_fence ? "on" : "off"),
  ].filter(Boolean).join(" · "));
  showStanding(health, word, s.slot);
}

// showStanding is title and favicon: the sign differs in shape as well as colour.
const FAVICONS = {
  good: ["#0a7d70", "<circle cx='16' cy='16' r='13'/>"], quiet: ["#0a7d70", "<circle cx='16' cy='16' r='13'/>"],
  wait: ["#b26a00", "<path d='M16 3 31 29H1z'/>"], bad: ["#c62f26", "<path d='M10 2h12l8 8v12l-8 8H10l-8-8V10z'/>"], lost: ["#77828f", "<path d='M4 4h24v24H4z M9 9v14h14V9z' fill-rule='evenodd'/>"],
};
function showStanding(health, word, slot) {
  const title = `${health === "lost" ? "No connection" : sentence(word)} – walrelay${slot ? " " + slot : ""}`;
  if (document.title !== title) document.title = title;
  const [color, shape] = FAVICONS[health];
  set(byId("favicon"), "href", "data:image/svg+xml," + encodeURIComponent(`<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'><g fill='${color}'>${shape}</g></svg>`));
}

// announce tells a screen reader what has changed: states and codes, not figures.
function announce(view) {
  const [, word] = standing(view);
  const reasons = (view.reasons || []).map((r) => [r.error, r.code].filter(Boolean).join(" "));
  say(byId("announce"), `State: ${word}.` + (reasons.length ? ` Because of ${reasons.join(", ")}.` : ""));
}

function showReasons(view) {
  const reasons = view.reasons || [];
  const calm = view.ready || ["standby", "snapshot", "idle"].includes(view.status.state);
  byId("reasons").hidden = !reasons.length;
  if (!changed("reasons", [reasons, calm])) return;
  set(byId("reasons"), "class", "reasons" + (calm ? " calm" : ""));
  say(byId("reasons-title"), calm ? "What it waits for" : "Why events do not flow");
  byId("reason-list").replaceChildren(...reasons.map((r) => el("li", {},
    el("p", {}, r.error ? el("code", { class: "code" }, r.error) : null, r.error ? " " : null, el("span", { class: "message" }, coded(r.message || r.code))),
    r.advice ? advice(r.advice) : null)));
}

// coded is text in which backquotes mark code.
const coded = (text) => text.split("`").map((part, i) => i % 2 ? el("code", {}, part) : part);
const advice = (text) => el("p", { class: "advice" }, el("strong", {}, "What to do "), coded(text));

// FIGURES are the numbers of now: name, value, what belongs to it, and how it does.
function figuresOf(view, sample) {
  const s = view.status, canary = s.canary;
  const timed = history.slice(-60).findLast((x) => known(x.p50));
  const late = timed && now() - timed.t > 3000 ? ", " + seconds(agoOf(timed.t)) + " ago" : "";
  const age = s.oldest_unsent_age_seconds || 0;
  return [
    ["Throughput", sample ? amount(sample.events) + "/s" : NONE, sample ? bytes(sample.bytes) + "/s" : ""],
    ["Delivery, p50", timed ? seconds(timed.p50) : NONE, timed ? "p99 " + seconds(timed.p99) + late : "no event lately"],
    ["Unsent events", count(s.unsent_events), bytes(s.producer?.in_flight_bytes ?? 0) + " in flight", s.unsent_events > 0 && age > 5 ? "wait" : ""],
    ["Oldest unsent", seconds(age), age > 0 ? "since its commit" : "nothing waits", age > 30 ? "bad" : age > 5 ? "wait" : ""],
    ["Replication lag", bytes(s.replication_lag_bytes), "not confirmed yet"],
    ["Delivered", count(s.delivered_events), known(s.delivered_bytes) ? bytes(s.delivered_bytes) : "since the start"],
    canary && canary.every_seconds > 0 && ["Canary", seconds(canary.last_seconds || undefined),
      moment(canary.last_at) ? seconds(agoOf(moment(canary.last_at))) + " ago, every " + seconds(canary.every_seconds) : "every " + seconds(canary.every_seconds) + " while idle"],
  ].filter(Boolean);
}

function showFigures(view, sample) {
  const figures = figuresOf(view, sample), box = byId("figures");
  while (box.children.length > figures.length) box.lastChild.remove();
  figures.forEach(([name, v, more, health], i) => {
    let tile = box.children[i];
    if (!tile) box.append(tile = el("div", { class: "figure" }, el("dt"), el("dd", { class: "value" }), el("dd", { class: "more" })));
    set(tile, "class", "figure " + (health || ""));
    say(tile.children[0], name);
    say(tile.children[1], v);
    say(tile.children[2], more || "");
  });
}

// slotShare is how full the slot is, 0 to 1; undefined without a limit.
function slotShare(s) {
  const slot = s.slot_state;
  return slot && slot.limit_bytes > 0 ? slot.retained_bytes / slot.limit_bytes : undefined;
}

const SLOT_WORDS = {
  reserved: ["good", "reserved"], extended: ["good", "extended: more than max_wal_size, within the limit"],
  unreserved: ["bad", "unreserved: PostgreSQL may remove its WAL at the next checkpoint"],
  lost: ["bad", "lost: its WAL has been removed"], missing: ["bad", "missing"],
};

function showSlot(view) {
  const s = view.status, slot = s.slot_state;
  if (!changed("slot", [slot, s.received_lsn, s.state, s.tables, s.publication, s.confirmed_lsn])) return;
  const place = [["Publication", s.publication || NONE], ["Tables", (s.tables || []).join(", ") || NONE]];
  if (!slot) {
    byId("slot").replaceChildren(el("p", { class: "none" }, s.state === "standby" ? "The instance that holds the slot looks at it." : "Not looked at yet."), terms(place));
    return;
  }
  const [health, word] = SLOT_WORDS[slot.wal_status] || ["wait", slot.wal_status || "unknown"];
  byId("slot").replaceChildren(meter(slot, slotShare(s)), terms([
    ["Status", mark(health, word)],
    slot.limit_bytes > 0 && ["Time to full", slot.full_in_seconds > 0 ? seconds(slot.full_in_seconds) + " at the present rate"
      : slot.growth_bytes_per_second == null ? "not known yet" : "it does not grow"],
    known(slot.safe_bytes) && ["Safe to write", bytes(slot.safe_bytes)],
    ["Confirmed", el("code", {}, slot.confirmed_flush_lsn || NONE)],
    ["Restart from", el("code", {}, slot.restart_lsn || NONE)],
    ["Spilled to disk", slot.spilled_transactions ? `${count(slot.spilled_transactions)} transactions, ${bytes(slot.spilled_bytes)}` : "nothing"],
    ...place,
    ["Looked at", timeOf(moment(slot.at))],
  ]));
}

// meter shows what the slot holds back against its limit, with the marks at which
// walrelay warns.
function meter(slot, share) {
  if (share === undefined) {
    return el("div", { class: "meter-box" }, el("p", { class: "meter-head" }, el("strong", {}, bytes(slot.retained_bytes)), " held back"),
      el("p", { class: "note" }, "No limit: PostgreSQL keeps WAL for this slot until its disk is full (max_slot_wal_keep_size = -1)."));
  }
  const percent = Math.min(100, share * 100), text = percent < 10 ? Number(percent.toFixed(1)) : Math.round(percent);
  const bar = el("div", { class: "bar" });
  bar.style.width = Math.max(percent, 0.4) + "%";
  return el("div", { class: "meter-box " + (share >= 0.8 ? "bad" : share >= 0.5 ? "wait" : "good") },
    el("p", { class: "meter-head" }, el("strong", {}, bytes(slot.retained_bytes)), ` of ${bytes(slot.limit_bytes)} held back`, el("span", { class: "percent" }, text + "\u00a0%")),
    el("div", { class: "meter", role: "meter", "aria-label": "WAL held back against its limit", "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": text,
      "aria-valuetext": `${text} percent: ${bytes(slot.retained_bytes)} of ${bytes(slot.limit_bytes)}` }, bar,
      el("i", { class: "notch half" }), el("i", { class: "notch most" })),
    el("p", { class: "scale", "aria-hidden": "true" }, el("span", {}, "0"), el("span", { class: "half" }, "50 % warning"), el("span", { class: "most" }, "80 %")));
}

function showErrors(view) {
  const s = view.status, errors = s.errors || [];
  if (!changed("errors", [errors, s.last_error, s.last_error_at])) return;
  if (!errors.length) {
    byId("errors").replaceChildren(s.last_error
      ? el("p", { class: "note" }, "Last: ", s.last_error, " (", timeOf(moment(s.last_error_at)), ")")
      : el("p", { class: "none" }, "None since the start."));
    return;
  }
  const sides = { postgres: "PostgreSQL", kafka: "Kafka", relay: "Relay" };
  byId("errors").replaceChildren(el("ol", { class: "errors", tabindex: errors.length > 2 ? "0" : null, "aria-label": "Errors, newest first" }, errors.map((e) => el("li", { class: e.over ? "over" : "on" },
    el("p", { class: "error-head" }, el("code", { class: "code" }, e.code), " ", el("span", {}, sides[e.side] || e.side || ""), " ", mark(e.over ? "quiet" : "bad", e.over ? "over" : "going on"),
      el("span", { class: "when" }, e.count > 1 ? `${count(e.count)} times, ` : "", e.count > 1 && moment(e.first) ? [timeOf(moment(e.first)), " – "] : "", timeOf(moment(e.at)))),
    el("p", { class: "message" }, coded(e.message || "")),
    e.advice ? advice(e.advice) : null))));
}

function showSnapshot(view) {
  const x = view.status.snapshot;
  byId("snapshot-card").hidden = !x;
  if (!x || !changed("snapshot", x)) return;
  const done = moment(x.finished), percent = done ? 100 : x.percent || 0;
  const bar = el("div", { class: "bar" });
  bar.style.width = percent + "%";
  byId("snapshot").replaceChildren(
    el("p", { class: "meter-head" }, el("strong", {}, count(x.rows)), x.estimated_rows && !done ? ` of about ${count(x.estimated_rows)} rows read` : " rows read", el("span", { class: "percent" }, percent + "\u00a0%")),
    el("div", { class: "meter plain", role: "progressbar", "aria-label": "Snapshot", "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": percent }, bar),
    terms([["Table", x.table || NONE], ["Up to", el("code", {}, x.lsn || NONE)], ["Taken", timeOf(moment(x.taken))], done && ["Finished", timeOf(done)]]));
}
