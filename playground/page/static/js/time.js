/** Times as people read them. The playground's clock runs ahead of the machine's by `offset`. */

let offsetMs = 0;

export function setOffset(seconds) {
  offsetMs = seconds * 1000;
}

/** Return the playground's present as a Date. */
export function now() {
  return new Date(Date.now() + offsetMs);
}

export function dateOf(ts) {
  return new Date(Number(ts) * 1000);
}

const format = (options) => new Intl.DateTimeFormat("en-GB", options);
const TIME = format({ hour: "2-digit", minute: "2-digit" });
const TIME_SECONDS = format({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
const FULL = format({ weekday: "long", day: "numeric", month: "long", year: "numeric" });
const LONG = format({ day: "numeric", month: "long", year: "numeric" });
const DAY = format({ weekday: "long", day: "numeric", month: "long" });
const SHORT = format({ day: "numeric", month: "short", year: "numeric" });

export const time = (date) => TIME.format(date);
export const timeWithSeconds = (date) => TIME_SECONDS.format(date);
export const full = (date) => `${FULL.format(date)}, ${TIME_SECONDS.format(date)}`;
export const clockFace = (date) => `${format({ weekday: "short", day: "numeric", month: "short" }).format(date)}, ${TIME.format(date)}`;

/** Return how many midnights lie between the two, seen from the playground's present. */
function daysAway(date) {
  const midnight = (moment) => new Date(moment.getFullYear(), moment.getMonth(), moment.getDate()).getTime();
  return Math.round((midnight(date) - midnight(now())) / 86_400_000);
}

function near(date) {
  return { "-1": "yesterday", 0: "today", 1: "tomorrow" }[daysAway(date)];
}

const capital = (word) => word[0].toUpperCase() + word.slice(1);

/** Return the heading of a day in a message list. */
export function dayName(date) {
  const word = near(date);
  if (word) return capital(word);
  return date.getFullYear() === now().getFullYear() ? DAY.format(date) : FULL.format(date);
}

/** Return a distance such as "5 minutes ago" or "in 2 days". */
export function ago(date) {
  const seconds = (date.getTime() - now().getTime()) / 1000;
  const words = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  for (const [unit, size] of [["day", 86_400], ["hour", 3600], ["minute", 60]]) {
    if (Math.abs(seconds) >= size) return words.format(Math.round(seconds / size), unit);
  }
  return words.format(Math.round(seconds), "second");
}

const TOKENS = {
  date_num: (d) => `${d.getFullYear()}-${String(d.getMonth() + 1).padStart(2, "0")}-${String(d.getDate()).padStart(2, "0")}`,
  date_slash: (d) => format({ day: "2-digit", month: "2-digit", year: "numeric" }).format(d),
  date: (d) => LONG.format(d),
  date_short: (d) => SHORT.format(d),
  date_long: (d) => FULL.format(d),
  date_pretty: (d) => near(d) ?? LONG.format(d),
  date_short_pretty: (d) => near(d) ?? SHORT.format(d),
  date_long_pretty: (d) => near(d) ?? FULL.format(d),
  day_divider_pretty: (d) => near(d) ?? DAY.format(d),
  time: (d) => TIME.format(d),
  time_secs: (d) => TIME_SECONDS.format(d),
  ago: (d) => ago(d),
};

/** Fill a format string such as "{date_short_pretty} at {time}"; undefined for a moment that is none. */
export function fillDate(seconds, pattern) {
  const date = new Date(Number(seconds) * 1000);
  if (Number.isNaN(date.getTime())) return undefined;
  return pattern.replace(/\{(\w+)\}/g, (whole, token) => (TOKENS[token] ? TOKENS[token](date) : whole));
}
