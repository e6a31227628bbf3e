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

const item = (label, glyph) => {
  const button = Object.assign(document.createElement("button"), { className: "menu-item", type: "button" });
  button.append(icon(glyph), Object.assign(document.createElement("span"), { textContent: label }));
  return button;
};

/** The form that puts a row off, which the page has as a template, or the one that shows it again. */
const snoozes = (row) => {
  const form = document.getElementById("snooze-items").content.firstElementChild.cloneNode(true);
  const isOff = row.hasAttribute("data-snoozed");
  if (isOff) form.replaceChildren(Object.assign(item("Show now", "clock"), { type: "submit" }));
  form.action = `/needs/${row.dataset.need}/${isOff ? "unsnoozes" : "snoozes"}`;
  form.setAttribute("hx-post", form.getAttribute("action"));
  form.setAttribute("hx-swap", "none");
  form.dataset.answer = row.id;
  return form;
};

const others = (row) => [...row.querySelectorAll(".more-answers button")].map((answer) => {
  const button = item(answer.dataset.keyLabel, "move-right");
  button.addEventListener("click", () => answer.click());
  return button;
});

const fill = (row) => {
  const open = item("Open", "external-link");
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
