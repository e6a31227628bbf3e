// When an update removes the focus from a field being typed in, the next keys were meant for the field. They trigger nothing
// and moves nothing until a deliberate act: a click, Tab, Escape, Enter in a line, or the sending of a form.
import { show } from "./toast.js";

const FIELDS = "input:not([type=checkbox], [type=radio], [type=hidden]), textarea, select, [contenteditable=true]";
const WRITES = ["Enter", "Backspace", "Delete", "Dead", "Process"];
let field = null; // the one that was typed in last, until a deliberate act
let isLost = false; // keys went nowhere since

const isText = (event) => !event.ctrlKey && !event.metaKey && !event.altKey && (event.key.length === 1 || WRITES.includes(event.key));
const forget = () => { field = null; isLost = false; };
const swallow = (event) => { event.preventDefault(); event.stopImmediatePropagation(); };

const onKey = (event) => {
  if (event.key === "Escape" && isLost && !event.target.closest?.("dialog")) swallow(event);
  if (event.key === "Tab" || event.key === "Escape") return forget();
  if (!isText(event)) return;
  if (event.target.matches?.(FIELDS)) {
    isLost = false;
    field = event.key === "Enter" && !event.target.matches("textarea") ? null : event.target;
  } else if (field) {
    swallow(event);
    if (!isLost) show({ message: "The field you typed in is gone. Press Escape to use the keys again.", kind: "error" });
    isLost = true;
  }
};

export const start = () => {
  document.addEventListener("keydown", onKey, true);
  document.addEventListener("pointerdown", forget, true);
  document.addEventListener("submit", forget, true);
  addEventListener("pageshow", forget);
};
