// The key sheet (`?`): the page's data-key elements, in groups.
import { enabled } from "./shortcuts.js";

const NAMES = { "mod+k": "Ctrl K", escape: "Esc", enter: "Enter" };
const row = (list, label, combination, also) => {
  const name = Object.assign(document.createElement("dt"), { textContent: label });
  const keys = document.createElement("dd");
  for (const part of [combination, also].filter(Boolean).join(" or ").split(" ")) {
    keys.append(part === "or" ? " or " : Object.assign(document.createElement("kbd"), { textContent: NAMES[part] ?? part.toUpperCase() }));
  }
  list.append(name, keys);
};

const label = (element) => element.dataset.keyLabel ?? element.getAttribute("aria-label")?.replace(/ #\d+$/, "") ?? element.querySelector(":scope > span")?.textContent ?? [...element.childNodes].filter((node) => node.nodeName !== "KBD").map((node) => node.textContent).join(" ").trim();

const ALWAYS = [["Undo, while a message offers it", "z"], ["Close, or leave a field", "escape"]];
const WALK = [["Next", "j"], ["Previous", "k"], ["Column to the left", "h"], ["Column to the right", "l"], ["Open", "enter"]];

/** The keys in groups, those of this page first: [[title, [[label, key, another]]]]. */
const groups = () => {
  const page = [], go = [], everywhere = [], seen = new Set();
  for (const element of document.querySelectorAll("[data-key]")) {
    const { key, keyAlso } = element.dataset;
    if (seen.has(key)) continue;
    seen.add(key);
    (element.closest("main, #dialogs") ? page : key.startsWith("g ") ? go : everywhere).push([label(element), key, keyAlso]);
  }
  everywhere.push(...ALWAYS.filter(([, key]) => !seen.has(key)));
  const walk = document.querySelector("[data-nav-item]") ? WALK : [];
  return [["On this page", page], ["Move around", walk], ["Go to", go], ["Everywhere", everywhere]].filter(([, rows]) => rows.length);
};

const sheet = () => {
  const dialog = document.getElementById("keys-sheet");
  const lists = groups().map(([title, rows]) => {
    const section = document.createElement("section");
    const list = Object.assign(document.createElement("dl"), { className: "keys" });
    for (const one of rows) row(list, ...one);
    section.append(Object.assign(document.createElement("h3"), { textContent: title }), list);
    return section;
  });
  dialog.querySelector("[data-keys-list]").replaceChildren(...lists);
  dialog.querySelector("[data-keys-switch]").checked = enabled();
  dialog.showModal();
};

export const start = () => document.addEventListener("click", (event) => { if (event.target.closest("[data-keys-open]")) sheet(); });
