// When a change removes the focused element, focus its replacement: the element with the same id,
// else the first thing to press in the nearest region that is still there. It never falls to the body, and never into
// another field: the next keys were meant for the removed one.
import { senderOf } from "./forms.js";

const PRESSABLE = "a[href], button:not([disabled]), summary";
const FIELD = "input:not([type=hidden]), select, textarea";
let held = null; // the focused element before a change, and the ids around it from the inside out

const around = (element) => {
  const ids = [];
  for (let one = element; one && one !== document.body; one = one.parentElement) if (one.id) ids.push(one.id);
  return ids;
};

const remember = () => {
  const active = document.activeElement;
  if (active && active !== document.body && !active.closest("dialog")) held = { element: active, ids: around(active) };
};

const leave = (event) => setTimeout(() => { // somebody let go of it: nothing to give back
  if (event.target.isConnected && document.activeElement === document.body && held?.element === event.target) held = null;
});

const give = () => {
  if (!held || held.element.isConnected || (document.activeElement && document.activeElement !== document.body)) return;
  if (document.querySelector("dialog:modal")) return; // its button is disabled while it sends, and nothing outside takes the focus before it is closed
  const { ids } = held;
  held = null;
  for (const id of ids) {
    const region = document.getElementById(id);
    if (!region) continue;
    const wanted = region.matches(`${PRESSABLE}, ${FIELD}`) ? region : [...region.querySelectorAll(PRESSABLE)].find((one) => one.checkVisibility());
    if (wanted) return wanted.focus({ preventScroll: true });
  }
};

// A move by menu or key: the focus goes on with the card, not with the button that opened the menu.
const follow = (event) => {
  const form = senderOf(event);
  const card = form.matches?.("form[data-move]") ? document.getElementById(form.dataset.at) : null;
  if (card?.contains(document.activeElement)) card.querySelector("[data-nav-item]")?.focus({ preventScroll: true });
};

// The same once a dialog is closed that this menu led to.
const leaveMenu = () => document.activeElement?.closest(".card-menu")?.closest(".card").querySelector("[data-nav-item]")?.focus({ preventScroll: true });

export const start = () => {
  document.addEventListener("htmx:finally:request", follow);
  document.addEventListener("focusin", remember);
  document.addEventListener("focusout", leave);
  document.addEventListener("htmx:after:swap", give);
  document.addEventListener("close", () => setTimeout(() => { give(); leaveMenu(); }), true); // a dialog returns the focus to its opener
};
