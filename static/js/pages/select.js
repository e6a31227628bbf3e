// Several tasks at once: X selects the focused one, Shift X up to it, and the bar below says which. The boxes belong to
// the form of the bar, so that all of this works without the module, except for keys and names.
import { senderOf } from "../forms.js";

let last = null; // the box that was used last

const boxes = () => [...document.querySelectorAll(".pick")].filter((one) => one.checkVisibility());
const picked = () => [...document.querySelectorAll(".pick:checked")];
const number = (box) => box.closest("[data-number]").dataset.number;
const title = (box) => box.closest("[data-number]").querySelector("[data-nav-item]")?.textContent.trim() ?? "";

const say = () => {
  const bar = document.getElementById("bulk");
  if (!bar) return;
  const found = picked();
  const names = found.map((one) => `#${number(one)}`);
  const count = bar.querySelector("[data-bulk-count]");
  const words = `${found.length} selected`;
  if (count.textContent !== words) count.textContent = words;
  const list = bar.querySelector("[data-bulk-names]");
  list.textContent = names.join(", ");
  list.title = list.textContent;
  bar.querySelector("[data-bulk-list]").textContent = found.map((one) => `#${number(one)} ${title(one)}`).join(", ");
  const all = boxes();
  for (const box of document.querySelectorAll("input[data-pick-all]")) {
    box.checked = found.length > 0 && found.length === all.length;
    box.indeterminate = found.length > 0 && found.length < all.length;
  }
};

const set = (box, value) => {
  if (box.checked === value) return;
  box.checked = value;
  box.dispatchEvent(new Event("input", { bubbles: true })); // the guard keeps it through morphs
};

const range = (to) => {
  const all = boxes();
  const from = all.indexOf(last?.isConnected ? last : to);
  const [begin, end] = [from, all.indexOf(to)].sort((one, other) => one - other);
  for (const box of all.slice(Math.max(0, begin), end + 1)) set(box, true);
  last = to;
  say();
};

const onKey = (event) => {
  if (event.key !== "X" || !event.shiftKey || event.ctrlKey || event.metaKey || event.altKey) return;
  const box = document.activeElement?.closest("[data-number]")?.querySelector(".pick");
  if (!box || event.target.matches("input:not([type=checkbox]), textarea, select")) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  range(box);
};

const all = (event) => {
  const control = event.target.closest?.("[data-pick-all]");
  if (!control) return;
  const value = control.matches("input") ? control.checked : true;
  for (const box of boxes()) set(box, value);
  say();
};

// Those that changed are let go; those that were refused stay selected.
const finish = (event) => {
  if (senderOf(event).id !== "bulk" || event.detail.ctx.response?.status !== 200) return;
  const refused = new Set([...document.querySelectorAll("#bulk-result [data-refused]")].map((one) => one.dataset.refused));
  for (const menu of document.querySelectorAll("#bulk .menu:popover-open")) menu.hidePopover();
  const inBar = document.activeElement?.closest("#bulk");
  const first = picked()[0];
  for (const box of picked()) if (!refused.has(box.value)) set(box, false);
  say();
  if (inBar || document.activeElement === document.body) first?.closest("[data-number]")?.querySelector("[data-nav-item]")?.focus({ preventScroll: true });
};

const clear = () => document.getElementById("bulk-result")?.replaceChildren();

export const start = () => {
  document.addEventListener("keydown", onKey, true);
  document.addEventListener("click", (event) => {
    all(event);
    if (!event.target.matches?.(".pick")) return;
    if (event.shiftKey && last) range(event.target);
    last = event.target;
  });
  document.addEventListener("change", (event) => {
    if (!event.target.matches?.(".pick")) return;
    clear();
    say();
  });
  document.addEventListener("reset", (event) => {
    if (event.target.id !== "bulk") return;
    const first = picked()[0];
    setTimeout(() => {
      for (const box of document.querySelectorAll(".pick[hx-morph-skip]")) box.removeAttribute("hx-morph-skip");
      clear();
      say();
      if (document.activeElement === document.body || document.activeElement?.closest("#bulk")) first?.closest("[data-number]")?.querySelector("[data-nav-item]")?.focus({ preventScroll: true });
    });
  });
  document.addEventListener("htmx:finally:request", finish);
  document.addEventListener("htmx:after:swap", say);
};

export const attach = () => say();
