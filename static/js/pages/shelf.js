// What has waited for more than a week is folded away: it stays as its reader left it, and opens once it is all there is.
import { all, current, isOpen, mark } from "./rows.js";

let before = null;
const shelf = () => document.getElementById("group-older");

const remember = () => {
  const there = shelf();
  before = there && { open: there.open, alone: there.hasAttribute("data-alone") };
};

const restore = () => {
  const there = shelf();
  if (there && before) there.open = before.open || (there.hasAttribute("data-alone") && !before.alone);
};

// A row that is folded away is not the current one.
const onToggle = (event) => {
  if (event.target !== shelf() || current()?.checkVisibility()) return;
  mark(all().find(isOpen) ?? null);
};

export const start = () => {
  const named = location.hash ? document.getElementById(location.hash.slice(1)) : null;
  if (named && shelf()?.contains(named)) shelf().open = true;
  document.addEventListener("htmx:before:swap", remember);
  document.addEventListener("htmx:after:swap", restore);
  document.addEventListener("toggle", onToggle, true);
};
