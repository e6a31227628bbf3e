// Several rows at once: X and checkboxes choose, the server lists exactly what would be decided, keys mean the selection.
import { senderOf } from "../forms.js";
import { enabled } from "../shortcuts.js";
import { all, current, isBusy, isField, queue } from "./rows.js";

let last = null; // the row that was chosen last, for a range
let timer;
let chosen = new Set(); // ids of rows

const bar = () => document.getElementById("selection");
const boxOf = (row) => row.querySelector(".need-mark > input");

const show = () => {
  for (const row of all()) {
    const box = boxOf(row);
    if (!box) continue;
    box.checked = chosen.has(row.id);
    row.toggleAttribute("data-picked", box.checked);
  }
  queue()?.toggleAttribute("data-picking", chosen.size > 0);
};

const load = () => {
  clearTimeout(timer);
  if (!chosen.size) return bar()?.replaceChildren();
  timer = setTimeout(() => {
    const query = new URLSearchParams(all().filter((row) => chosen.has(row.id)).map((row) => ["need", row.dataset.need]));
    htmx.ajax("GET", `/needs/selection?${query}`, { target: "#selection", swap: "innerHTML", source: bar() });
  }, 60);
};

const choose = (row, on) => {
  if (!row || !boxOf(row)) return;
  if (on) chosen.add(row.id);
  else chosen.delete(row.id);
  last = row.id;
};

const range = (row) => {
  const rows = all().filter((one) => one.checkVisibility());
  const [from, to] = [rows.findIndex((one) => one.id === last), rows.indexOf(row)].sort((one, other) => one - other);
  for (const one of rows.slice(Math.max(0, from), to + 1)) if (boxOf(one)) chosen.add(one.id);
  last = row.id;
};

const clear = () => {
  chosen = new Set();
  show();
  load();
};

const onKey = (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.repeat || isField(event.target) || isBusy() || !enabled()) return;
  const key = event.key.toLowerCase();
  const row = document.activeElement?.closest("#queue .need") ?? (document.activeElement === document.body ? current() : null);
  const take = () => { event.preventDefault(); event.stopImmediatePropagation(); };
  if (key === "x" && row && boxOf(row)) {
    take();
    if (event.shiftKey && last) range(row);
    else choose(row, !chosen.has(row.id));
    show();
    load();
  } else if (chosen.size && key === "escape") {
    take();
    clear();
  } else if (chosen.size) {
    const button = bar()?.querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (!button) return;
    take();
    button.click();
  }
};

const onBox = (event) => {
  if (!event.target.matches?.(".need-mark > input")) return;
  choose(event.target.closest(".need"), event.target.checked);
  show();
  load();
};

export const start = () => {
  document.addEventListener("keydown", onKey, true);
  document.addEventListener("change", onBox);
  document.addEventListener("click", (event) => {
    const drop = event.target.closest?.("[data-selection-drop]");
    if (drop) { choose(all().find((row) => row.dataset.need === drop.dataset.selectionDrop), false); show(); load(); }
    if (event.target.closest?.("[data-selection-clear]")) clear();
  });
  document.addEventListener("htmx:after:swap", () => {
    const there = new Set(all().filter((row) => boxOf(row)).map((row) => row.id));
    const gone = [...chosen].filter((id) => !there.has(id));
    for (const id of gone) chosen.delete(id);
    show();
    if (gone.length) load();
  });
  document.addEventListener("htmx:finally:request", (event) => { if (senderOf(event).matches?.("#selection form") && event.detail.ctx.response?.status === 204) clear(); });
  show();
};
