// The stream, and what is shown of it.
const SILENCE = 6000;  // ms without a word after which the connection counts as lost
const AGAIN = 5000;    // ms until the next attempt where the browser makes none

let latest;            // the last look: {now, ready, reasons, status}
let heard = 0;         // when a look last came, by this machine's clock
let lostAt = 0;        // since when nothing comes; 0 while all is well
let lostWhy = "";
let stream, retry;
// Addresses beside the page, without the user name and password that its own may
// hold: a browser fetches none that does.
const beside = (name) => new URL(name, location.origin + location.pathname).href;
let told = "";         // what was announced

function show() {
  if (!latest) return;
  const sample = history.at(-1);
  const parts = document.hidden ? [showHeader] : [showHeader, showReasons, showFigures, showWay, showSlot, showErrors, showSnapshot, showTopics, showEvents, showConfig, drawPlots, showMinutes];
  for (const part of parts) {
    try {
      part(latest, sample);
    } catch (error) {
      console.error(part.name, error); // one part that fails is not to blank the others
    }
  }
  const news = JSON.stringify([standing(latest)[1], (latest.reasons || []).map((r) => [r.code, r.error])]);
  if (news !== told) { told = news; announce(latest); }
}

const paused = () => document.body.classList.contains("paused");

function take(look) {
  heard = Date.now();
  latest = look;
  ahead = look.now - heard;
  if (lostAt) found();
  if (!paused()) show();
}

function connect() {
  clearTimeout(retry);
  stream?.close();
  stream = new EventSource(beside("live"));
  stream.addEventListener("samples", (e) => { remember(JSON.parse(e.data)); });
  stream.addEventListener("status", (e) => take(JSON.parse(e.data)));
  stream.onerror = () => {
    lose("");
    if (stream.readyState !== EventSource.CLOSED) return; // the browser tries again
    retry = setTimeout(connect, AGAIN);
    askWhy();
  };
}

// askWhy finds out why the stream was refused, and shows what can be had without it.
async function askWhy() {
  try {
    const answer = await fetch(beside("status"));
    if (answer.status === 401) { lose("It asks for a password: load the page again."); return; }
    if (!answer.ok) return;
    const status = await answer.json();
    if (stream.readyState !== EventSource.CLOSED) return; // it has come back meanwhile
    latest = { now: Date.now(), ready: status.state === "streaming", reasons: status.reasons || [], status };
    lose("The relay answers, but not with the live stream: perhaps too many pages are open. The figures are renewed every few seconds.");
    if (!paused()) show();
  } catch {
    lose("");
  }
}

function lose(why) {
  if (!lostAt) {
    lostAt = heard || Date.now();
    told = "";
    say(byId("announce"), "The connection to the relay is lost.");
  }
  lostWhy = why;
  document.body.classList.add("stale");
  byId("lost").hidden = false;
  showLost();
  showStanding("lost", "", latest?.status.slot);
  if (latest) for (const part of way.pipes) move(part, 0);
}

function showLost() {
  if (!lostAt) return;
  const since = clockFormat.format(lostAt), long = seconds(Math.max(1, Math.round((Date.now() - lostAt) / 1000)));
  say(byId("lost-text"), `No connection to the relay since ${since} (${long}). ` + (lostWhy || (latest ? "What is shown is from then. " : "") + "Trying again…"));
}

function found() {
  lostAt = 0;
  looks.length = 0;
  document.body.classList.remove("stale");
  byId("lost").hidden = true;
}

// watch looks after the stream: a frozen process closes nothing.
function watch() {
  if (!lostAt && heard && Date.now() - heard > SILENCE) { lose(""); connect(); }
  if (lostAt && Date.now() - lostAt > 30000 && stream.readyState === EventSource.CONNECTING && Math.floor((Date.now() - lostAt) / 1000) % 15 === 0) connect();
  showLost();
}

function pause() {
  const on = document.body.classList.toggle("paused");
  say(byId("pause"), on ? "Go on" : "Pause");
  for (const part of way.pipes) move(part, 0);
  if (!on) show();
}

byId("pause").addEventListener("click", pause);
document.addEventListener("visibilitychange", () => { if (!paused()) show(); });
byId("config-all").addEventListener("change", () => latest && showConfig(latest));
byId("minutes-box").addEventListener("toggle", showMinutes);
stillness.addEventListener("change", () => latest && showWay(latest, history.at(-1)));
makePlots();
setInterval(watch, 1000);
connect();
