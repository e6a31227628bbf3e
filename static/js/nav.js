// J K and arrows walk [data-nav-item]s; H L change between [data-nav-column]s. Enter is the item's own.
const visible = (scope) => [...scope.querySelectorAll("[data-nav-item]")].filter((item) => item.checkVisibility());
const STEPS = { j: [0, 1], k: [0, -1], h: [-1, 0], l: [1, 0], arrowdown: [0, 1], arrowup: [0, -1], arrowleft: [-1, 0], arrowright: [1, 0] };

const enabled = () => { try { return localStorage.getItem("shortcuts-off") === null; } catch { return true; } };

const target = (current, across, along) => {
  const column = current.closest("[data-nav-column]");
  const items = visible(column ?? document);
  const at = items.indexOf(current);
  if (along) return items[at + along];
  if (!column) return null;
  const columns = [...document.querySelectorAll("[data-nav-column]")];
  for (let next = columns.indexOf(column) + across; next >= 0 && next < columns.length; next += across) {
    const found = visible(columns[next]);
    if (found.length) return found[Math.min(at, found.length - 1)];
  }
  return null;
};

const onKey = (event) => {
  const key = event.key.toLowerCase();
  const step = STEPS[key];
  if (!step || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
  if (event.target.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable=true], dialog, .menu, [role=listbox]")) return;
  const arrow = key.startsWith("arrow");
  if (!arrow && !enabled()) return;
  const scope = document.activeElement?.closest("[data-key-scope]");
  const current = document.activeElement?.closest("[data-nav-item]") ?? scope?.querySelector("[data-nav-item]") ?? (scope?.matches("[data-nav-item]") ? scope : null);
  if (!current) {
    if (!arrow) visible(document)[0]?.focus();
    return;
  }
  const next = target(current, ...step);
  if (next) {
    event.preventDefault();
    next.focus();
    (next.closest("[data-key-scope]") ?? next).scrollIntoView({ block: "nearest", inline: "nearest" });
  }
};

export const start = () => document.addEventListener("keydown", onKey);
