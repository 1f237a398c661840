// Tables of topics, events and settings.

// Rates of topics are taken over the last looks: /status has totals.
const looks = []; // {t, totals}, oldest first
const LOOKS = 10;

function topicRates(view) {
  const totals = new Map((view.status.topics || []).map((t) => [t.topic + "\n" + t.event_type, t.events]));
  looks.push({ t: view.now, totals });
  if (looks.length > LOOKS || looks.length > 1 && looks.at(-2).t >= view.now) looks.shift();
  const first = looks[0], passed = (view.now - first.t) / 1000;
  return (key) => passed > 0 ? Math.max(0, totals.get(key) - (first.totals.get(key) ?? 0)) / passed : undefined;
}

function showTopics(view) {
  const topics = view.status.topics || [], rate = topicRates(view);
  const total = topics.reduce((sum, t) => sum + t.events, 0);
  byId("topics-none").hidden = topics.length > 0;
  byId("topics-table").hidden = !topics.length;
  keepRows(byId("topics"), topics, (t) => t.topic + "\n" + t.event_type, () => {
    const bar = el("i", { class: "bar" });
    return el("tr", {}, el("th", { scope: "row", class: "name" }), el("td", { class: "name" }), el("td", { class: "num" }), el("td", { class: "num" }), el("td", { class: "share" }, el("span", { class: "share-bar", "aria-hidden": "true" }, bar), el("span")));
  }, (row, t) => {
    const [topic, type, events, present, share] = row.children, r = rate(t.topic + "\n" + t.event_type);
    const percent = total ? t.events / total * 100 : 0;
    say(topic, t.topic); say(type, t.event_type || NONE); say(events, count(t.events));
    say(present, known(r) ? amount(r) + "/s" : NONE);
    set(present, "class", "num" + (r > 0 ? " lively" : ""));
    share.firstChild.firstChild.style.width = percent + "%";
    say(share.lastChild, (percent >= 10 || percent === 0 ? Math.round(percent) : percent.toFixed(1)) + "\u00a0%");
  });
}

// keepRows brings a table's rows up to date and keeps those that stay, so that a
// selection is not lost.
function keepRows(body, items, keyOf, make, update) {
  const old = new Map([...body.children].map((row) => [row.dataset.key, row]));
  let place = body.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    let row = old.get(key);
    if (row) old.delete(key);
    else { row = make(item); row.dataset.key = key; }
    if (row === place) place = place.nextElementSibling;
    else body.insertBefore(row, place);
    update(row, item);
  }
  for (const row of old.values()) row.remove();
}

const EVENT_COLUMNS = ["Time", "Delivered", "Event id", "Event type", "Topic", "Key", "Size", "LSN"];

function showEvents(view) {
  const events = view.status.events || [], payloads = events.some((e) => e.payload !== undefined);
  byId("events-none").hidden = events.length > 0;
  byId("events-table").hidden = !events.length;
  if (!changed("events", events)) return;
  const columns = payloads ? [...EVENT_COLUMNS, "Payload"] : EVENT_COLUMNS;
  if (changed("events-head", columns)) {
    byId("events-head").replaceChildren(...columns.map((name) => el("th", { scope: "col", class: name === "Size" ? "num" : null }, name)));
    byId("events").replaceChildren();
  }
  say(byId("events-note"), payloads ? "With the beginning of payloads, because http.show_payloads is on. A sample when many flow."
    : "Ids and sizes; payloads only with http.show_payloads. A sample when many flow.");
  keepRows(byId("events"), events, (e) => e.id + "\n" + e.lsn + "\n" + e.at, (e) => el("tr", {},
    el("td", { class: "when" }, timeOf(moment(e.at))), el("td"),
    el("th", { scope: "row", class: "id" }, e.id || NONE), el("td", { class: "name", title: e.event_type }, e.event_type || NONE), el("td", { class: "name", title: e.topic }, e.topic || NONE),
    el("td", { class: "key", title: e.key }, e.key_bytes === 0 && !e.key ? NONE : e.key), el("td", { class: "num", title: `key ${count(e.key_bytes)} B, value ${count(e.value_bytes)} B` }, bytes(e.value_bytes)),
    el("td", { class: "id" }, e.lsn || NONE), payloads ? el("td", { class: "payload" }, el("code", { title: e.payload }, e.payload ?? NONE)) : null),
  (row, e) => {
    if (row.dataset.delivered === String(e.delivered)) return;
    row.dataset.delivered = e.delivered;
    row.children[1].replaceChildren(e.delivered ? mark("good", "yes") : mark("wait", "not yet"));
  });
}

function showConfig(view) {
  const settings = view.status.config || [], all = byId("config-all").checked;
  byId("config-card").hidden = !settings.length; // the demo has none
  const shown = settings.filter((c) => all || c.source !== "default");
  byId("config-none").hidden = shown.length > 0;
  byId("config-table").hidden = !shown.length;
  if (!changed("config", shown)) return;
  byId("config").replaceChildren(...shown.map((c) => el("tr", { class: c.source === "default" ? "default" : null },
    el("th", { scope: "row", class: "name" }, c.key), el("td", { class: "setting" }, c.value === "" ? NONE : String(c.value)), el("td", { class: "from" }, c.source || ""))));
}
