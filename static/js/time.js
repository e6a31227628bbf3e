// <time datetime="…Z">: relative under a day, the absolute moment in the title. In the zone of `<html data-zone>`, which
// the person chose, else in the browser's. Day before month, as the server writes them.
const DAY = 86400;
const known = (timeZone) => { try { return new Intl.DateTimeFormat("en", { timeZone }) && timeZone; } catch { return undefined; } };
export const timeZone = known(document.documentElement.dataset.zone);
export const format = (options, language = "en-GB") => { const made = new Intl.DateTimeFormat(language, { ...options, timeZone }); return (moment) => made.format(moment); };
const date = { day: "numeric", month: "short" };
const time = { hour: "numeric", minute: "2-digit" };
const today = format(date);
const other = format({ ...date, year: "numeric" });
const hour = format(time);
const shortly = format({ ...date, ...time });
const full = format({ dateStyle: "medium", timeStyle: "short" });
const day = format({ year: "numeric", month: "2-digit", day: "2-digit" }, "sv"); // 2026-03-14

export const relative = (moment, now = new Date()) => {
  const seconds = (now - moment) / 1000;
  const distance = Math.abs(seconds);
  if (distance >= DAY) return (day(moment).slice(0, 4) === day(now).slice(0, 4) ? today : other)(moment);
  if (distance < 60) return seconds >= 0 ? "just now" : "now";
  const amount = distance >= 3600 ? `${Math.floor(distance / 3600)} h` : `${Math.floor(distance / 60)} min`;
  return seconds > 0 ? `${amount} ago` : `in ${amount}`;
};

const age = (moment) => {
  const seconds = Math.max(0, Math.floor((Date.now() - moment) / 1000));
  for (const [size, unit] of [[DAY, "d"], [3600, "h"], [60, "min"]]) if (seconds >= size) return `${Math.floor(seconds / size)} ${unit}`;
  return `${seconds} s`;
};

const clock = (moment) => (day(moment) === day(new Date()) ? hour : shortly)(moment);

const show = (element) => {
  const moment = new Date(element.dateTime);
  if (Number.isNaN(moment.getTime())) return;
  const write = { absolute: full, clock, age }[element.dataset.format] ?? relative;
  const text = write(moment);
  if (element.textContent !== text) element.textContent = text;
  if (element.dataset.old) { if (Date.now() - moment >= 1000 * element.dataset.old) element.dataset.tone = "warn"; else delete element.dataset.tone; }
  const title = full(moment);
  if (element.title !== title) element.title = title;
};

const all = (root) => { for (const element of root.querySelectorAll("time[datetime]")) show(element); };

export const start = () => {
  setInterval(() => all(document), 30_000);
  setInterval(() => { if (!document.hidden) for (const element of document.querySelectorAll("time[data-format=age]")) if (element.textContent.endsWith(" s")) show(element); }, 5000);
  document.addEventListener("htmx:after:settle", (event) => all(event.target));
  document.addEventListener("visibilitychange", () => { if (!document.hidden) all(document); });
};

export const attach = all;
