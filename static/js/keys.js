// What the keys of this page do, and the sheet (`?`) that says so: elements with data-key, in groups. Keys that a module
// of the page handles itself are said by data-listed-key.
import { enabled } from "./shortcuts.js";

const NAMES = { "mod+k": "Ctrl K", escape: "Esc", enter: "Enter", space: "Space" };
const named = (key) => key.split(" ").map((part) => NAMES[part] ?? part.toUpperCase());

const row = (list, label, combination, also) => {
  const name = Object.assign(document.createElement("dt"), { textContent: label });
  const keys = document.createElement("dd");
  for (const part of [combination, also].filter(Boolean).join(" or ").split(" ")) {
    keys.append(part === "or" ? " or " : Object.assign(document.createElement("kbd"), { textContent: named(part)[0] }));
  }
  list.append(name, keys);
};

const label = (element) => (element.dataset.keyLabel ?? element.getAttribute("aria-label")?.replace(/ #\d+$/, "") ?? element.querySelector(":scope > span")?.textContent ?? [...element.childNodes].filter((node) => node.nodeName !== "KBD").map((node) => node.textContent).join(" ")).trim();

const ALWAYS = [["Undo, for ten minutes after a message offered it", "z"], ["Close, or leave a field", "escape"]];
const WALK = [["Next", "j"], ["Previous", "k"], ["Open", "enter"]];
const COLUMNS = [["Column to the left", "h"], ["Column to the right", "l"]];

/** What can be done here with a key or in a menu, each once: [[label, its key, the element]]. */
export const actions = () => {
  const found = new Map();
  const scope = document.activeElement?.closest("[data-key-scope]");
  for (const element of document.querySelectorAll("main [data-key], main .work-actions button, #account-menu button[type=submit], #account-menu [data-key], #account-work button")) {
    const { key = "" } = element.dataset, own = element.closest("[data-key-scope]");
    const name = label(element);
    if (!name || key === "escape" || key.startsWith("g ") || (own && own !== scope) || found.has(name) || element.disabled || element.hidden) continue;
    found.set(name, [name, named(key).join(" "), element]);
  }
  return [...found.values()];
};

/** The keys in groups, those of this page first: [[title, [[label, key, another]]]]. */
const groups = () => {
  const page = [], go = [], everywhere = [], seen = new Set();
  for (const element of document.querySelectorAll("[data-key], [data-listed-key]")) {
    const { keyAlso, listedKey, key = listedKey } = element.dataset;
    if (seen.has(key)) continue;
    seen.add(key);
    (element.closest("main, #dialogs") ? page : key.startsWith("g ") ? go : everywhere).push([label(element), key, keyAlso]);
  }
  everywhere.push(...ALWAYS.filter(([, key]) => key === "escape" || !seen.has(key)));
  const has = (selector) => document.querySelector(selector) !== null;
  const walk = [...(has("[data-nav-item]") ? WALK : []), ...(has("[data-nav-column]") ? COLUMNS : [])];
  return [["On this page", [...page, ...walk]], ["Go to", go], ["Everywhere", everywhere]].filter(([, rows]) => rows.length);
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
