const byId = (id) => document.getElementById(id);

// el makes an element. Text goes in as text, never as markup: names, keys and ids
// come from users.
function el(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

// svg is el for SVG.
function svg(tag, attributes, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function fill(e, attributes, children) {
  for (const [name, v] of Object.entries(attributes || {})) set(e, name, v);
  for (const child of children.flat()) if (child !== null && child !== undefined && child !== false) e.append(child);
  return e;
}

// set sets an attribute, or removes it.
function set(e, name, v) {
  if (v === null || v === undefined || v === false) e.removeAttribute(name);
  else if (e.getAttribute(name) !== String(v)) e.setAttribute(name, v === true ? "" : v);
}

// say changes a text when it differs: selections stay, and nothing is read again.
function say(e, text) {
  if (e.textContent !== text) e.textContent = text;
}

// changed tells whether a part's data differ from the last time, so that what has
// not changed is left alone.
const drawn = new Map();
function changed(part, data) {
  const text = JSON.stringify(data);
  if (drawn.get(part) === text) return false;
  drawn.set(part, text);
  return true;
}

// time makes a time of day that machines can read.
function timeOf(ms) {
  return known(ms) ? el("time", { datetime: new Date(ms).toISOString(), title: new Date(ms).toISOString() }, clock(ms)) : NONE;
}

// terms makes pairs of a description list.
function terms(pairs) {
  return el("dl", { class: "terms" }, pairs.filter(Boolean).map(([name, ...v]) => el("div", {}, el("dt", {}, name), el("dd", {}, ...v))));
}

// words that stand for how well something does; each has a sign of its own beside
// its colour.
const SIGNS = { good: "●", quiet: "○", wait: "◐", bad: "✕" };
function mark(health, word) {
  return el("span", { class: "tag " + health }, el("span", { "aria-hidden": "true", class: "sign" }, SIGNS[health]), " " + word);
}
