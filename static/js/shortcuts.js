// Keys are declared on the element they press: data-key="c", data-key="g b", data-key="mod+k". Inside a
// [data-key-scope] (card, row) a key belongs to the focused one. Off in fields, with modifiers, or by choice.
const OFF = "shortcuts-off";
let sequence = "";
let timer;
let before = null; // the focused element before a field took the focus

export const enabled = () => { try { return localStorage.getItem(OFF) === null; } catch { return true; } };
const typing = (target) => target.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable=true]");
const shown = (element) => element.closest("[popover]") ? element.closest("#toasts, [popover]:popover-open") || element.matches("[data-keys-open], [data-key-closed]") : element.checkVisibility();
const keysOf = (element) => [element.dataset.key, element.dataset.keyAlso].filter(Boolean);

const find = (combination) => {
  const all = [...document.querySelectorAll("[data-key], [data-key-also]")].filter((element) => keysOf(element).includes(combination));
  all.sort((one, other) => (other.dataset.key === combination) - (one.dataset.key === combination)); // a second key comes second
  const scope = document.activeElement?.closest("[data-key-scope]");
  const own = scope && all.find((element) => scope.contains(element) && element.dataset.key === combination);
  if (own) return own;
  const free = all.find((element) => !element.closest("[data-key-scope]") && shown(element));
  if (free) return free;
  const scoped = all.filter((element) => element.closest("[data-key-scope]")?.checkVisibility() && !element.closest("[popover]"));
  if (scoped.length === 1) return scoped[0]; // unambiguous
  const first = scoped[0]?.closest("[data-key-scope]");
  (first?.matches("[data-nav-item]") ? first : first?.querySelector("[data-nav-item]"))?.focus();
  return null;
};

const waits = (start) => document.querySelector(`[data-key^="${CSS.escape(start)} "]`);

const press = (element) => {
  if (element.matches("input:not([type=checkbox]), textarea, select")) element.focus();
  else if (element.matches("[popovertarget]")) { element.focus({ focusVisible: true }); element.click(); }
  else if (element.matches("[hx-target='#dialogs']") && document.activeElement === document.body) { element.focus(); element.click(); } // gets it back
  else element.click();
};

const remember = (event) => {
  if (typing(event.target) && !(event.relatedTarget && typing(event.relatedTarget))) before = event.relatedTarget;
};

const leave = (field) => { // back to where the keys were
  const place = before?.isConnected && before.checkVisibility() ? before : field.closest("[data-panel-task]")?.querySelector("[data-panel-title]");
  if (place) place.focus({ preventScroll: true });
  else field.blur();
};

const onKey = (event) => {
  if (event.defaultPrevented || event.isComposing || event.repeat) return;
  const key = event.key.toLowerCase();
  if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey) {
    const button = find(`mod+${key}`);
    if (button) { event.preventDefault(); press(button); }
    return;
  }
  if (key === "escape" && typing(event.target) && !event.target.closest("dialog")) return leave(event.target);
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || !enabled()) return;
  if (document.querySelector("dialog[open], .menu:popover-open")) return;
  const combination = sequence ? `${sequence} ${key}` : key;
  clearTimeout(timer);
  sequence = "";
  if (waits(combination)) {
    sequence = combination;
    timer = setTimeout(() => { sequence = ""; }, 1200);
    return;
  }
  const element = find(combination);
  if (element) { event.preventDefault(); press(element); }
};

export const start = () => {
  document.addEventListener("keydown", onKey);
  document.addEventListener("focusin", remember);
  document.addEventListener("change", (event) => {
    if (!event.target.matches("[data-keys-switch]")) return;
    try { event.target.checked ? localStorage.removeItem(OFF) : localStorage.setItem(OFF, "1"); } catch { /* not kept */ }
  });
};

export const attach = (root) => { for (const one of root.querySelectorAll("[data-keys-switch]")) one.checked = enabled(); };
