// The rows of #queue: which is current, keys that mean it, and where the focus goes after an answer.
import { senderOf } from "../forms.js";
import { enabled } from "../shortcuts.js";
import { tidy } from "./settled.js";

const KEYS = ["a", "r", "h", "x", " ", "enter", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
let currentId = null;
let before = { order: [], hadFocus: false }; // the rows before a swap
let ranOut = false; // the last row was answered, and others may follow

export const queue = () => document.getElementById("queue");
export const all = () => [...document.querySelectorAll("#queue .need")];
export const waits = (row) => row.isConnected && row.hasAttribute("data-pending") && !row.hasAttribute("data-sent");
/** It waits, and is not folded away. */
export const isOpen = (row) => waits(row) && row.checkVisibility();
export const current = () => currentId && document.getElementById(currentId);
export const isBusy = () => document.querySelector("dialog[open], .menu:popover-open") !== null;
export const isField = (target) => target.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable=true]");

/** Make a row the current one; null for none. */
export const mark = (row) => {
  currentId = row?.id ?? null;
  for (const other of document.querySelectorAll(".need[data-current]")) if (other !== row) other.removeAttribute("data-current");
  row?.setAttribute("data-current", "");
  document.dispatchEvent(new CustomEvent("needs:current", { detail: row }));
};

export const focus = (row) => {
  const place = row ?? queue();
  place?.focus({ preventScroll: true });
  row?.scrollIntoView({ block: "nearest" });
  mark(row);
};

/** The next row that waits after one of these ids, else the last before it. */
export const nextOf = (id, order = all().map((row) => row.id)) => {
  const at = order.indexOf(id);
  const found = (one) => { const row = document.getElementById(one); return row && row.id !== id && isOpen(row) ? row : null; };
  for (const one of order.slice(at + 1)) if (found(one)) return found(one);
  for (const one of order.slice(0, Math.max(0, at)).reverse()) if (found(one)) return found(one);
  return null;
};

export const step = (by) => {
  const rows = all().filter((row) => row.checkVisibility());
  const at = rows.indexOf(current());
  focus(rows[Math.max(0, Math.min(rows.length - 1, at + by))] ?? null);
};

const onKey = (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat) return;
  if (isField(event.target) || isBusy() || !enabled()) return;
  const key = event.key.toLowerCase();
  if (!KEYS.includes(key)) return;
  const row = current();
  const isNowhere = event.target === document.body || event.target.matches?.("main, #queue");
  if (isNowhere && row && key !== "enter") row.focus({ preventScroll: true }); // the key belongs to the row that is marked
  const inRow = document.activeElement?.closest?.(".need");
  const isAnswered = inRow && !waits(inRow) && "arh123456789".includes(key); // meanwhile
  const isUnseen = key === "a" && inRow?.hasAttribute("data-opens") && waits(inRow) && document.querySelector("#panel [data-peek]")?.dataset.peek !== inRow.dataset.need;
  if (isAnswered || isUnseen || (inRow && key === "enter" && event.target === inRow)) event.preventDefault();
  else return;
  if (isUnseen) { event.stopImmediatePropagation(); document.dispatchEvent(new CustomEvent("needs:open", { detail: inRow })); } // seen first
  else if (isAnswered) focus(nextOf(inRow.id));
  else inRow.querySelector("[data-need-open], .need-ask > a")?.click();
};

// An answer is taken at once: the row is dimmed, the focus goes on. A refusal brings the row back.
const begin = (event) => {
  const row = document.getElementById(event.target.dataset?.answer ?? "");
  row?.setAttribute("data-sent", "");
  if (!row || (row.id !== currentId && !row.contains(document.activeElement))) return;
  const next = nextOf(row.id);
  ranOut = !next;
  focus(next);
};

const finish = (event) => {
  const row = document.getElementById(senderOf(event).dataset?.answer ?? "");
  if (row && event.detail.ctx.response?.status !== 204) row.removeAttribute("data-sent");
};

const choose = (event) => {
  const row = event.target.closest?.("#queue .need");
  if (row && row.id !== currentId) mark(row);
};

const remember = () => {
  before = { id: currentId, order: all().map((one) => one.id), element: document.activeElement, hadFocus: Boolean(current()?.contains(document.activeElement)), sent: all().filter((one) => one.hasAttribute("data-sent")).map((one) => one.id) };
};

const reconcile = () => {
  tidy(isField(document.activeElement));
  const there = new Set();
  for (const row of all()) there.has(row.id) ? row.remove() : there.add(row.id); // news that repeat what a reload brought
  for (const id of before.sent ?? []) { const row = document.getElementById(id); if (row?.hasAttribute("data-pending")) row.setAttribute("data-sent", ""); }
  const isLost = before.hadFocus && (!before.element.isConnected || document.activeElement === document.body);
  if (isLost) currentId = before.id; // refocus.js may have given the focus to something in another row
  const row = current();
  const isThere = row?.closest("#queue") && (waits(row) || row.contains(document.activeElement));
  if (isThere) return mark(row);
  const next = nextOf(currentId, before.order) ?? all().find(isOpen) ?? null;
  const isHungry = ranOut && next && document.activeElement === queue();
  if (isHungry) ranOut = false;
  if (isHungry || isLost) focus(next);
  else mark(next);
};

export const start = () => {
  document.addEventListener("keydown", onKey, true);
  for (const one of ["focusin", "click"]) document.addEventListener(one, choose);
  document.addEventListener("htmx:before:request", begin);
  document.addEventListener("htmx:finally:request", finish);
  document.addEventListener("htmx:before:swap", remember);
  document.addEventListener("htmx:after:swap", reconcile);
  document.addEventListener("visibilitychange", () => tidy(isField(document.activeElement)));
  const named = location.hash ? document.getElementById(location.hash.slice(1)) : null;
  if (named && all().includes(named)) focus(named);
  else mark(all().find(isOpen) ?? null);
};
