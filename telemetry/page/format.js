// Numbers and times as people read them. A value that is not known is "–".
const NONE = "–";
const known = (v) => typeof v === "number" && Number.isFinite(v);

// count writes a whole number with separators.
const count = (v) => known(v) ? Math.round(v).toLocaleString("en") : NONE;

// amount writes a rate: more digits the smaller it is.
function amount(v) {
  if (!known(v)) return NONE;
  if (v === 0) return "0";
  if (v < 10) return v.toLocaleString("en", { maximumFractionDigits: v < 0.1 ? 2 : 1 });
  return count(v);
}

// brief writes a number in few characters: 12.3 k.
function brief(v) {
  if (!known(v)) return NONE;
  for (const [size, name] of [[1e9, " G"], [1e6, " M"], [1e4, " k"]]) {
    if (v >= size) return digits(v / (size === 1e4 ? 1e3 : size)) + name;
  }
  return amount(v);
}

// digits keeps three of them.
const digits = (v) => v >= 100 ? String(Math.round(v)) : String(Number(v.toPrecision(3)));

// bytes writes a size in binary units, as the configuration does.
function bytes(v) {
  if (!known(v)) return NONE;
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let i = 0;
  while (Math.abs(v) >= 1000 && i < units.length - 1) { v /= 1024; i++; }
  return (i === 0 ? String(Math.round(v)) : digits(v)) + "\u00a0" + units[i];
}

// seconds writes a duration with the two units that matter.
function seconds(v) {
  if (!known(v)) return NONE;
  if (v <= 0) return "0\u00a0s";
  if (v < 0.001) return digits(v * 1e6) + "\u00a0µs";
  if (v < 1) return digits(v * 1e3) + "\u00a0ms";
  if (v < 10) return Number(v.toFixed(1)) + "\u00a0s";
  const whole = Math.round(v);
  for (const [size, name, next, nextName] of [[86400, "d", 3600, "h"], [3600, "h", 60, "min"], [60, "min", 1, "s"]]) {
    if (whole < size) continue;
    const rest = Math.floor((whole % size) / next);
    return Math.floor(whole / size) + "\u00a0" + name + (rest ? " " + rest + "\u00a0" + nextName : "");
  }
  return whole + "\u00a0s";
}

// tickTime writes a duration in one unit, for an axis.
const tickTime = (v) => v >= 60 && v % 60 !== 0 ? v + "\u00a0s" : seconds(v);

const clockFormat = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const minuteFormat = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const dayFormat = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

// clock writes a time of day; with the day when it is not today's.
function clock(ms) {
  if (!known(ms)) return NONE;
  const time = clockFormat.format(ms);
  return new Date(ms).toDateString() === new Date(now()).toDateString() ? time : dayFormat.format(ms) + ", " + time;
}

// moment parses RFC 3339; Go's zero time is none.
function moment(text) {
  const ms = Date.parse(text || "");
  return Number.isNaN(ms) || ms < 0 ? undefined : ms;
}

// The relay's clock counts, not this machine's: all ages are taken by it.
let ahead = 0;
const now = () => Date.now() + ahead;
const agoOf = (ms) => known(ms) ? Math.max(0, (now() - ms) / 1000) : undefined;

const sentence = (text) => text ? text[0].toUpperCase() + text.slice(1) : "";
