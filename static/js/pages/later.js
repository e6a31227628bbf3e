// One menu for all rows: snooze, and the answers without a key.
import { all } from "./rows.js";
import { openNotes } from "./notes.js";

const menu = () => document.getElementById("need-menu");

/** An icon of the sprite. */
export const icon = (name) => {
  const found = document.querySelector(".icon use");
  const made = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  made.setAttribute("class", "icon");
  made.setAttribute("aria-hidden", "true");
  made.append(document.createElementNS("http://www.w3.org/2000/svg", "use"));
  made.firstChild.setAttribute("href", found.getAttribute("href").replace(/#.*/, `#${name}`));
  return made;
};
const day = (from, days) => new Date(from.getFullYear(), from.getMonth(), from.getDate() + days, 9);
const words = (moment) => moment.toLocaleString(undefined, { weekday: "short", hour: "numeric", minute: "2-digit" });

/** The moments that are offered: a label, what it means, and the time; none for "when it changes". */
export const moments = (now = new Date()) => {
  const hour = new Date(now.getTime() + 3_600_000);
  const monday = day(now, ((8 - now.getDay()) % 7) || 7);
  const tomorrow = day(now, 1);
  return [
    ["For 1 hour", words(hour), hour],
    ["Until tomorrow", words(tomorrow), tomorrow],
    ...(monday.getTime() === tomorrow.getTime() ? [] : [["Until Monday", words(monday), monday]]),
    ["Until it changes", "", null],
  ];
};

const item = (label, more, glyph) => {
  const button = Object.assign(document.createElement("button"), { className: "menu-item" });
  button.append(icon(glyph), Object.assign(document.createElement("span"), { textContent: label }), Object.assign(document.createElement("small"), { className: "faint", textContent: more }));
  return button;
};

const snoozes = (row) => {
  const form = document.createElement("form");
  const to = `/needs/${row.dataset.need}/snoozes`;
  Object.assign(form, { method: "post", action: to });
  form.setAttribute("hx-post", to);
  form.setAttribute("hx-swap", "none");
  form.dataset.answer = row.id;
  for (const [label, more, moment] of moments()) {
    const button = item(label, more, "clock");
    Object.assign(button, { name: "until", value: moment?.toISOString() ?? "change" });
    form.append(button);
  }
  return form;
};

const others = (row) => [...row.querySelectorAll(".more-answers button")].map((answer) => {
  const button = item(answer.dataset.keyLabel, "", "move-right");
  button.type = "button";
  button.addEventListener("click", () => answer.click());
  return button;
});

const fill = (row) => {
  const open = Object.assign(item("Open", "", "external-link"), { type: "button" });
  open.addEventListener("click", () => row.querySelector(".need-ask > a")?.click());
  const form = snoozes(row);
  menu().replaceChildren(Object.assign(document.createElement("p"), { className: "menu-title", textContent: "Snooze" }), form, document.createElement("hr"), ...others(row), open);
  htmx.process(form);
};

const place = (button) => {
  if (CSS.supports("position-area: block-end")) return;
  const [from, size] = [button.getBoundingClientRect(), menu().getBoundingClientRect()];
  menu().style.top = `${Math.max(8, from.bottom + size.height < innerHeight ? from.bottom : from.top - size.height)}px`;
  menu().style.left = `${Math.max(8, Math.min(from.right - size.width, innerWidth - size.width - 8))}px`;
};

/** Open the menu of a row at a button. */
export const openMenu = (row, button) => {
  if (openNotes().length) return;
  fill(row);
  menu().showPopover({ source: button });
  place(button);
};

export const start = () => {
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("[data-need-menu]");
    if (!link || event.ctrlKey || event.metaKey) return;
    const row = link.closest(".need") ?? all().find((one) => one.dataset.need === link.dataset.needMenu);
    if (!row || !menu()) return;
    event.preventDefault();
    openMenu(row, link);
    if (event.detail === 0) menu().querySelector(".menu-item")?.focus(); // by a key
  });
};
