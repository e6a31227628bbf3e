// @ in a textarea[data-mentions="<id of a datalist>"] offers its names. Arrows choose, Enter and Tab take one, Escape closes.
const BEGUN = /(?:^|[\s(])@([\p{L}\p{N}][\p{L}\p{N} ._-]{0,40})?$/u;
let menu = null;
let field = null;
let typed = ""; // the text after the @

const options = () => [...menu.children];
const chosen = () => options().find((option) => option.getAttribute("aria-selected") === "true");

const close = () => {
  if (!menu) return;
  field.removeAttribute("aria-activedescendant");
  field.removeAttribute("aria-controls");
  menu.remove();
  menu = field = null;
};

const select = (option) => {
  for (const other of options()) other.setAttribute("aria-selected", String(other === option));
  field.setAttribute("aria-activedescendant", option.id);
  option.scrollIntoView({ block: "nearest" });
};

const take = (option) => {
  const target = field;
  const end = target.selectionStart;
  target.setRangeText(`@${option.dataset.name} `, end - typed.length - 1, end, "end");
  close();
  target.dispatchEvent(new Event("input", { bubbles: true }));
};

const found = (names, text) => {
  const wanted = text.toLowerCase();
  const starts = (name) => name.startsWith(wanted) || name.split(" ").some((word) => word.startsWith(wanted));
  return [...names.options].filter((one) => starts(one.value.toLowerCase())).slice(0, 8);
};

const item = (one, at) => {
  const option = Object.assign(document.createElement("div"), { className: "menu-item", id: `mention-${at}` });
  option.setAttribute("role", "option");
  option.dataset.name = one.value;
  option.append(Object.assign(document.createElement("span"), { textContent: one.value }), Object.assign(document.createElement("span"), { className: "faint xsmall", textContent: one.label }));
  return option;
};

const open = (target, names) => {
  close();
  field = target;
  menu = Object.assign(document.createElement("div"), { className: "mention-menu", id: "mention-menu", popover: "manual" });
  menu.setAttribute("role", "listbox");
  menu.setAttribute("aria-label", "Whom to mention");
  menu.append(...names.map(item));
  (target.closest("dialog") ?? document.body).append(menu);
  menu.showPopover();
  const box = target.getBoundingClientRect();
  const above = box.top - menu.offsetHeight - 4;
  menu.style.left = `${box.left}px`;
  menu.style.top = `${above > 8 ? above : box.bottom + 4}px`;
  field.setAttribute("aria-controls", menu.id);
  select(menu.firstElementChild);
};

const onInput = (event) => {
  const target = event.target;
  const names = target.dataset?.mentions && document.getElementById(target.dataset.mentions);
  if (!names) return;
  const begun = target.selectionStart === target.selectionEnd && BEGUN.exec(target.value.slice(0, target.selectionStart));
  typed = begun?.[1] ?? "";
  const list = begun ? found(names, typed) : [];
  if (list.length && !(list.length === 1 && list[0].value === typed)) open(target, list);
  else close();
};

const onKey = (event) => {
  if (!menu || event.target !== field || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  const all = options();
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) select(all.at((all.indexOf(chosen()) + step) % all.length));
  else if (event.key === "Escape") close();
  else if ((event.key === "Enter" || event.key === "Tab") && !event.shiftKey) take(chosen());
  else return;
  event.preventDefault();
  event.stopImmediatePropagation();
};

export const start = () => {
  document.addEventListener("input", onInput);
  document.addEventListener("keydown", onKey, true);
  document.addEventListener("focusout", (event) => { if (event.target === field) close(); });
  document.addEventListener("pointerdown", (event) => {
    const option = event.target.closest?.("#mention-menu [role=option]");
    if (option) { event.preventDefault(); take(option); }
  });
};

export const attach = (root) => {
  for (const one of root.querySelectorAll("textarea[data-mentions]")) for (const [name, value] of [["aria-autocomplete", "list"], ["aria-haspopup", "listbox"]]) one.setAttribute(name, value);
};
