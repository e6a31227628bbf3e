// The peek: what a row is about, beside the list. It follows the current row; Space opens and closes it.
import { senderOf } from "../forms.js";
import { enabled } from "../shortcuts.js";
import { all, current, focus, isBusy, isField, isOpen, step, waits } from "./rows.js";

let timer;
const panel = () => document.getElementById("panel");
const shown = () => panel()?.querySelector("[data-peek]");
const isPage = () => !matchMedia("(width >= 64rem)").matches; // it takes the whole page

const remember = (id) => {
  const url = new URL(location.href);
  if (id) url.searchParams.set("peek", id);
  else url.searchParams.delete("peek");
  history.replaceState(history.state, "", url);
};

const count = () => {
  const place = shown()?.querySelector(".peek-at");
  const rows = all().filter(isOpen);
  const at = rows.findIndex((row) => row.dataset.need === shown()?.dataset.peek);
  if (place) place.textContent = at < 0 ? "" : `${at + 1} of ${rows.length}`;
};

const load = async (row) => {
  await htmx.ajax("GET", `/needs/${row.dataset.need}`, { target: "#panel", select: "#panel > *", swap: "innerHTML", source: panel() });
  if (shown()) remember(row.dataset.need);
  panel().scrollTop = 0;
  count();
  if (isPage()) panel().querySelector(".panel-title")?.focus({ preventScroll: true });
};

const close = () => {
  panel().replaceChildren();
  remember("");
  const row = current();
  if (row) focus(row);
};

const toggle = () => {
  const row = current();
  if (shown()) close();
  else if (row && waits(row)) load(row);
};

const onKey = (event) => {
  if (event.key !== " " || event.defaultPrevented || event.repeat || isField(event.target) || isBusy() || !enabled()) return;
  if (event.target.closest?.("button, a, summary, input") || event.ctrlKey || event.metaKey || event.altKey) return;
  if (!document.activeElement?.closest("#queue, #panel") && document.activeElement !== document.body) return;
  event.preventDefault();
  toggle();
};

const follow = (event) => {
  const row = event.detail;
  if (!shown() || row?.dataset.need === shown().dataset.peek) return count();
  clearTimeout(timer);
  timer = setTimeout(() => {
    if (!shown()) return;
    if (row && waits(row)) load(row);
    else if (!row) close();
  }, 90);
};

const again = (event) => { // what is decided changed: the peek shows it as it is now
  const refused = event.detail.ctx?.response?.status === 409 && senderOf(event).closest?.("#panel");
  const row = current();
  if (row && row.dataset.need === shown()?.dataset.peek && (refused || event.detail === row)) load(row);
};

export const start = () => {
  document.addEventListener("keydown", onKey);
  document.addEventListener("seen:changed", again);
  document.addEventListener("htmx:finally:request", again);
  document.addEventListener("needs:current", follow);
  document.addEventListener("needs:open", (event) => load(event.detail));
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-peek-step], [data-peek-close], [data-need-open]");
    if (!button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (button.matches("[data-peek-close]")) { event.preventDefault(); close(); }
    if (button.matches("[data-peek-step]")) step(Number(button.dataset.peekStep));
  });
};

export const attach = () => count();
