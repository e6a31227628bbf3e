// A menu of what the word at the caret of a field may become. Arrows choose, Enter and Tab take one, Escape closes.
let menu = null;
let field = null;
let taken = null;
let always = false; // one is chosen at any time

const options = () => [...menu.children];
const chosen = () => options().find((one) => one.getAttribute("aria-selected") === "true");

export const close = () => {
  if (!menu) return;
  field.removeAttribute("aria-activedescendant");
  field.removeAttribute("aria-controls");
  menu.remove();
  menu = field = null;
};

const select = (option) => {
  for (const one of options()) one.setAttribute("aria-selected", String(one === option));
  if (!option) return field.removeAttribute("aria-activedescendant");
  field.setAttribute("aria-activedescendant", option.id);
  option.scrollIntoView({ block: "nearest" });
};

const take = (option) => {
  const [target, value, put] = [field, option.dataset.value, taken];
  close();
  put(target, value);
  target.dispatchEvent(new Event("input", { bubbles: true }));
};

const item = ([value, label], at) => {
  const option = Object.assign(document.createElement("div"), { className: "menu-item", id: `caret-menu-${at}` });
  option.setAttribute("role", "option");
  option.setAttribute("aria-selected", "false");
  option.dataset.value = value;
  option.append(Object.assign(document.createElement("span"), { textContent: value }), Object.assign(document.createElement("span"), { className: "faint xsmall", textContent: label === value ? "" : label }));
  return option;
};

/** Offer `found`, [[value, what it is]]; `put(field, value)` writes the one that is taken. `eager`: one is always chosen. */
export const open = (target, found, label, put, { above = false, eager = false } = {}) => {
  close();
  [field, taken, always] = [target, put, eager];
  menu = Object.assign(document.createElement("div"), { className: "caret-menu", id: "caret-menu", popover: "manual" });
  menu.setAttribute("role", "listbox");
  menu.setAttribute("aria-label", label);
  menu.append(...found.map(item));
  (target.closest("dialog") ?? document.body).append(menu);
  menu.showPopover();
  const box = target.getBoundingClientRect();
  const [over, under] = [box.top - menu.offsetHeight - 4, box.bottom + 4];
  const fits = above ? over > 8 : under + menu.offsetHeight >= innerHeight;
  menu.style.left = `${Math.max(8, Math.min(box.left, innerWidth - menu.offsetWidth - 8))}px`;
  menu.style.top = `${fits ? Math.max(8, over) : under}px`;
  field.setAttribute("aria-controls", menu.id);
  if (eager) select(menu.firstElementChild);
};

const onKey = (event) => {
  if (!menu || event.target !== field || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  const all = options();
  const at = all.indexOf(chosen());
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) select(always ? all.at((at + step) % all.length) : at < 0 ? all.at(Math.min(step, 0)) : all[at + step]);
  else if (event.key === "Escape") close();
  else if ((event.key === "Enter" || event.key === "Tab") && !event.shiftKey && at >= 0) take(all[at]);
  else return;
  event.preventDefault();
  event.stopImmediatePropagation();
};

export const start = () => {
  document.addEventListener("keydown", onKey, true);
  document.addEventListener("submit", close);
  document.addEventListener("focusout", (event) => { if (event.target === field) close(); });
  document.addEventListener("pointerdown", (event) => {
    const option = event.target.closest?.("#caret-menu [role=option]");
    if (option) { event.preventDefault(); take(option); }
  });
};
