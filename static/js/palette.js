// The palette: the server searches, the page gives its own actions and where the reader was, arrows choose, Enter follows.
import { actions } from "./keys.js";

const RECENT = "recent", MOST = 6;
const dialog = () => document.getElementById("palette");
const results = () => document.getElementById("palette-results");
const options = () => [...dialog().querySelectorAll("[role=option]")];

const select = (option) => {
  for (const other of options()) other.setAttribute("aria-selected", String(other === option));
  const input = dialog().querySelector("input");
  if (option) input.setAttribute("aria-activedescendant", option.id);
  else input.removeAttribute("aria-activedescendant");
  option?.scrollIntoView({ block: "nearest" });
};

const onKey = (event) => {
  if (event.key === "Escape") { // a search field would clear itself first
    event.preventDefault();
    dialog().close();
  }
  const all = options();
  const at = all.findIndex((option) => option.getAttribute("aria-selected") === "true");
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    if (all.length) select(all[(at + (event.key === "ArrowDown" ? 1 : all.length - 1) + (at < 0 && event.key === "ArrowUp" ? 1 : 0)) % all.length]);
  } else if (event.key === "Enter" && !event.isComposing) {
    event.preventDefault();
    all[Math.max(0, at)]?.click();
  }
};

// Places of this tab, the last one first.
const places = () => { try { return JSON.parse(sessionStorage.getItem(RECENT)) ?? []; } catch { return []; } };
const visit = () => {
  const url = location.pathname, name = document.title.replace(/^\(\d+\) /, "").split(" · ").slice(0, -1).join(" · ");
  if (!name || url === "/" || url === "/palette" || !dialog()) return;
  try { sessionStorage.setItem(RECENT, JSON.stringify([{ url, name }, ...places().filter((one) => one.url !== url)].slice(0, MOST + 1))); } catch { /* not kept */ }
};

const line = (icon, label, hint, attributes) => {
  const template = document.getElementById("palette-line").content.firstElementChild.cloneNode(true);
  const use = template.querySelector("use");
  use.setAttribute("href", use.getAttribute("href").replace(/#.*/, `#${icon}`));
  template.querySelector("span").textContent = label;
  if (hint) template.querySelector(".hint").textContent = hint;
  return Object.assign(template, attributes);
};

const group = (title, lines, where) => {
  if (!lines.length) return;
  const box = Object.assign(document.createElement("div"), { role: "group", ariaLabel: title });
  box.append(Object.assign(document.createElement("p"), { className: "palette-group", textContent: title, ariaHidden: "true" }), ...lines);
  results()[where](box);
};

const isPrimary = (element) => element.matches("[data-kind=primary]");

const own = () => { // beside what the server found
  const query = dialog().querySelector("input").value.trim().toLowerCase();
  const words = query.split(/\s+/).filter(Boolean);
  const fits = (label) => words.every((word) => label.toLowerCase().includes(word));
  const found = actions().filter(([label, , element]) => fits(label) && (words.length || element.closest("main")))
    .sort((one, other) => isPrimary(other[2]) - isPrimary(one[2])).slice(0, MOST);
  const lines = found.map(([label, key, element]) => line("corner-down-left", label, key, { href: "#", run: element }));
  group("On this page", lines, words.length && !results().querySelector("[data-nothing]") ? "append" : "prepend");
  if (!words.length) group("Recent", places().filter((one) => one.url !== location.pathname).map((one) => line("history", one.name, "", { href: one.url })), "prepend");
  if (lines.length) results().querySelector("[data-nothing]")?.remove();
  options().forEach((option, at) => { option.id = `palette-${at + 1}`; });
};

const onClick = (event) => {
  const option = event.target.closest("[role=option]");
  if (!option) return;
  dialog().close();
  if (!option.run) return;
  event.preventDefault();
  if (option.run.matches("input, textarea, select")) option.run.focus();
  else option.run.click();
};

export const start = () => {
  const palette = dialog();
  if (!palette) return;
  palette.addEventListener("keydown", onKey);
  palette.addEventListener("submit", (event) => event.preventDefault());
  palette.addEventListener("click", onClick);
  palette.addEventListener("toggle", (event) => {
    if (event.newState !== "open") return;
    visit();
    const input = palette.querySelector("input");
    input.focus();
    input.select();
    input.dispatchEvent(new CustomEvent("palette:open"));
  });
  document.addEventListener("htmx:after:swap", (event) => {
    if (!event.target.closest?.("#palette")) return visit();
    own();
    select(options()[0]);
  });
  document.addEventListener("submit", (event) => { if (event.target.matches("form[action='/sign-out']")) sessionStorage.removeItem(RECENT); });
  visit();
};
