// <time datetime="…Z">: relative under a day, the absolute moment of the reader's own zone in the title.
const DAY = 86400;
const today = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const other = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });
const hour = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const shortly = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", hour: "numeric", minute: "2-digit" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

export const relative = (moment, now = new Date()) => {
  const seconds = (now - moment) / 1000;
  const distance = Math.abs(seconds);
  if (distance >= DAY) return (moment.getFullYear() === now.getFullYear() ? today : other).format(moment);
  if (distance < 60) return seconds >= 0 ? "just now" : "now";
  const amount = distance >= 3600 ? `${Math.floor(distance / 3600)} h` : `${Math.floor(distance / 60)} min`;
  return seconds > 0 ? `${amount} ago` : `in ${amount}`;
};

const age = (moment) => {
  const seconds = Math.max(0, Math.floor((Date.now() - moment) / 1000));
  for (const [size, unit] of [[DAY, "d"], [3600, "h"], [60, "min"]]) if (seconds >= size) return `${Math.floor(seconds / size)} ${unit}`;
  return `${seconds} s`;
};

const clock = (moment) => (moment.toDateString() === new Date().toDateString() ? hour : shortly).format(moment);

const show = (element) => {
  const moment = new Date(element.dateTime);
  if (Number.isNaN(moment.getTime())) return;
  const write = { absolute: (one) => full.format(one), clock, age }[element.dataset.format] ?? relative;
  const text = write(moment);
  if (element.textContent !== text) element.textContent = text;
  const title = full.format(moment);
  if (element.title !== title) element.title = title;
};

const all = (root) => { for (const element of root.querySelectorAll("time[datetime]")) show(element); };

export const start = () => {
  setInterval(() => all(document), 30_000);
  document.addEventListener("htmx:after:settle", (event) => all(event.target));
  document.addEventListener("visibilitychange", () => { if (!document.hidden) all(document); });
};

export const attach = all;
